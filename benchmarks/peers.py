"""Who solves the same wired crossbar: memspice, and what its users would take instead.

Three problems on N x N cells: ``ports``, the current of every column for every input by itself;
``read``, the same for one input of all rows; ``sinh``, one input of cells with a sinh curve.
"""

from __future__ import annotations

import importlib
import logging
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

from memspice.circuits.deck import Deck
from memspice.devices.synapse_iv import SinhCell
from memspice.engines import find_engine
from memspice.engines.base import OperatingPoint, SolverOptions
from memspice.errors import MemspiceError
from memspice.solver.nonlinear_solution import solve_nonlinear_crossbar
from memspice.solver.reduction import port_admittance

Array = NDArray[np.float64]
Solve = Callable[[Array], Array]
Problem = Literal["ports", "read", "sinh"]

#: Wire segment [ohm] and range of the cells [S]: the defaults of ``models/crossbar.toml``.
WIRE, CELLS = 1.06, (0.2e-6, 10e-6)
#: Row voltage [V] and scale of the sinh [V]: a curve bent by a fifth.
ROW_VOLTAGE, SINH_VOLTAGE = 0.5, 0.5
#: Right-hand sides that the sparse solver gets at a time: bounds its memory.
_TOGETHER = 32
#: Apart from all else: badcrossbar's wheel brings a top-level package ``tests``.
PEERS = Path(sys.prefix) / "peers"
INSTALL = "python -m pip install --no-deps --target VENV/peers badcrossbar pathvalidate"


def peer_versions() -> dict[str, str]:
    """Versions of the peers that memspice itself does without."""
    found = metadata.distributions(name="badcrossbar", path=[*sys.path, str(PEERS)])
    return {"badcrossbar": next((item.version for item in found), "not installed")}


class MissingPeer(MemspiceError):
    """A peer that is not installed; a line of the report, not an error of the run."""


def random_cells(size: int) -> Array:
    """Conductances (size, size) [S] that every contender gets."""
    return np.random.default_rng(size).uniform(*CELLS, (size, size))


def by_memspice(cells: Array) -> Array:
    """Transfer matrix (columns, inputs), [S], by the port reduction."""
    return port_admittance(cells, WIRE, WIRE).terminated()


def by_superlu(cells: Array) -> Array:
    """Transfer matrix by SciPy's sparse LU of the nodal matrix, one right-hand side per input."""
    rows = len(cells)
    matrix, first, last = _nodal_matrix(cells)
    factors = splu(matrix)
    parts = []
    for start in range(0, rows, _TOGETHER):
        inputs = np.arange(start, min(start + _TOGETHER, rows))
        right = np.zeros((matrix.shape[0], len(inputs)))
        right[first[inputs], inputs - start] = 1 / WIRE
        parts.append(factors.solve(right)[last] / WIRE)
    return np.concatenate(parts, axis=1)


def _nodal_matrix(cells: Array) -> tuple[Any, NDArray[np.intp], NDArray[np.intp]]:
    """Admittance of all nodes, and the numbers of the first word-line and last bit-line nodes."""
    rows, cols = cells.shape
    word = np.arange(rows * cols).reshape(rows, cols)
    bit = word + rows * cols
    along, down = np.full(rows * (cols - 1), 1 / WIRE), np.full((rows - 1) * cols, 1 / WIRE)
    one = np.concatenate([word.ravel(), word[:, :-1].ravel(), bit[:-1].ravel()])
    other = np.concatenate([bit.ravel(), word[:, 1:].ravel(), bit[1:].ravel()])
    value = np.concatenate([cells.ravel(), along, down])
    count = 2 * rows * cols
    own = np.zeros(count)
    own += np.bincount(one, value, count) + np.bincount(other, value, count)
    own[word[:, 0]] += 1 / WIRE
    own[bit[-1]] += 1 / WIRE
    every = np.arange(count)
    entries = np.concatenate([-value, -value, own])
    places = (np.concatenate([one, other, every]), np.concatenate([other, one, every]))
    return coo_array((entries, places), shape=(count, count)).tocsc(), word[:, 0], bit[-1]


def by_badcrossbar() -> Solve:
    """Badcrossbar's own call, without what is not asked for.

    Raises
    ------
    MissingPeer
        If it is not installed.
    """
    sys.path.append(str(PEERS))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its plots want pycairo
            package = importlib.import_module("badcrossbar")
            compute = package.compute
    except (ImportError, AttributeError) as error:
        raise MissingPeer(
            f"{error}; install it with: {INSTALL}, where VENV is the environment's folder"
        ) from error
    logging.disable(logging.INFO)

    def solve(cells: Array) -> Array:
        inputs = np.eye(len(cells))
        found = compute(inputs, 1 / cells, r_i=WIRE, node_voltages=False, all_currents=False)
        return np.asarray(found.currents.output).T

    return solve


def by_plain_deck(expression: str = "") -> Solve:
    """Operating point of ngspice, of a deck made element by element as a user of PySpice would.

    ``expression`` is the current of a cell with ``{g}`` and ``{v}``, or nothing for a resistor.
    """
    engine = find_engine("ngspice")
    options = SolverOptions(reltol=1e-9, abstol=1e-18, vntol=1e-12, gmin=1e-18)

    def solve(cells: Array) -> Array:
        columns = range(cells.shape[1])
        netlist = plain_deck(cells, expression)
        found = engine.run(
            netlist,
            OperatingPoint(),
            save=[f"i(vout{j})" for j in columns],
            options=options,
            timeout=86400.0,  # the process around it has the limit
        )
        return np.array([found.current(f"vout{j}")[-1] for j in columns])

    return solve


def plain_deck(cells: Array, expression: str = "") -> str:
    """Netlist of a crossbar, all rows at ``ROW_VOLTAGE`` and all columns grounded."""
    rows, cols = cells.shape
    deck = Deck("plain crossbar", "one element a line")
    circuit = deck.section("sources, segments, cells")
    for i in range(rows):
        circuit.V(f"in{i}", f"w{i}_", circuit.gnd, ROW_VOLTAGE)
        for j in range(cols):
            word, bit = f"w{i}_{j}", f"b{i}_{j}"
            circuit.R(f"w{i}_{j}", f"w{i}_{j - 1}" if j else f"w{i}_", word, WIRE)
            circuit.R(f"b{i}_{j}", bit, f"b{i + 1}_{j}" if i + 1 < rows else f"out{j}", WIRE)
            if expression:
                conductance, across = repr(float(cells[i, j])), f"v({word},{bit})"
                text = expression.format(g=conductance, v=across)
                circuit.B(f"g{i}_{j}", word, bit, current_expression=text)
            else:
                circuit.R(f"g{i}_{j}", word, bit, float(1 / cells[i, j]))
    for j in range(cols):
        circuit.V(f"out{j}", f"out{j}", circuit.gnd, 0)
    return str(deck)


def by_newton(cells: Array) -> Array:
    """Column currents of sinh cells by memspice's Newton solver on the exact wires."""
    rows = np.full(len(cells), ROW_VOLTAGE)
    curve = SinhCell(voltage_scale=SINH_VOLTAGE)
    return solve_nonlinear_crossbar(cells, curve, rows, WIRE, WIRE).output_current


@dataclass(frozen=True)
class Contender:
    """Who, at which problem, with what; ``prepare`` is not part of what is measured."""

    title: str
    problem: Problem
    prepare: Callable[[], Solve]


_SINH = f"{{g}}*{SINH_VOLTAGE}*sinh({{v}}/{SINH_VOLTAGE})"
#: The first of a problem's is ours; `read` is compared with our `ports`, which solve it too.
CONTENDERS: dict[str, Contender] = {
    "memspice": Contender("memspice, all inputs", "ports", lambda: by_memspice),
    "badcrossbar": Contender("badcrossbar, all inputs", "ports", by_badcrossbar),
    "superlu": Contender("SciPy sparse LU, all inputs", "ports", lambda: by_superlu),
    "ngspice": Contender("plain PySpice deck, one input", "read", by_plain_deck),
    "memspice-sinh": Contender("memspice, sinh cells", "sinh", lambda: by_newton),
    "ngspice-sinh": Contender("plain deck, sinh cells", "sinh", lambda: by_plain_deck(_SINH)),
}
