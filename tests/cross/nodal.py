"""A second answer: every node of the crossbar, Kirchhoff's law at each, one sparse solve.

Nothing is shared with the reduction of memspice: all sources, drivers, segments, cells and senses
are elements of one list, nodes joined by 0 ohm are merged, and the terminals are held by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

Array = NDArray[np.float64]
#: 64 bits of mantissa on x86.  In double precision 1 mohm beside 1 Mohm loses nine digits as soon
#: as two conductances are added, so this solver would be less exact than what it is to judge.
Extended = np.longdouble


@dataclass(frozen=True)
class Element:
    """A resistor between two named nodes."""

    kind: str
    ends: tuple[str, str]
    resistance: float


@dataclass(frozen=True)
class Circuit:
    """All resistors of a crossbar; nodes ``s0..`` are sources, ``e0..`` column ends."""

    shape: tuple[int, int]
    elements: list[Element] = field(default_factory=list)

    def add(self, kind: str, start: str, end: str, resistance: float) -> None:
        if np.isfinite(resistance):
            self.elements.append(Element(kind, (start, end), resistance))


def crossbar(resistance: Array, row: float, col: float, driver: float) -> Circuit:
    """Write down the elements in the order in which current meets them."""
    n_rows, n_cols = resistance.shape
    circuit = Circuit((n_rows, n_cols))
    for i in range(n_rows):
        circuit.add("driver", f"s{i}", f"d{i}", driver)
        for j in range(n_cols):
            circuit.add("row", f"w{i},{j - 1}" if j else f"d{i}", f"w{i},{j}", row)
            circuit.add("cell", f"w{i},{j}", f"b{i},{j}", float(resistance[i, j]))
            circuit.add("col", f"b{i},{j}", f"b{i + 1},{j}" if i + 1 < n_rows else f"e{j}", col)
    return circuit


def roots(circuit: Circuit) -> dict[str, str]:
    """Name of the merged node of every node (union-find over elements of 0 ohm)."""
    parent = {name: name for element in circuit.elements for name in element.ends}
    parent |= {name: name for name in cell_nodes(circuit)}

    def find(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for element in circuit.elements:
        if element.resistance == 0.0:
            parent[find(element.ends[0])] = find(element.ends[1])
    return {name: find(name) for name in parent}


def cell_nodes(circuit: Circuit) -> list[str]:
    n_rows, n_cols = circuit.shape
    return [f"{line}{i},{j}" for line in "wb" for i in range(n_rows) for j in range(n_cols)]


def node_voltages(circuit: Circuit, held: dict[str, Array]) -> dict[str, NDArray[Extended]]:
    """Voltage of every node when some are held; several experiments along the last axis."""
    root = roots(circuit)
    fixed = {root[name]: voltage.astype(Extended) for name, voltage in held.items()}
    free = {name: k for k, name in enumerate(sorted(set(root.values()) - set(fixed)))}
    inputs = len(next(iter(held.values())))
    entries: dict[tuple[int, int], Extended] = {}
    right = np.zeros((len(free), inputs), Extended)
    for element in circuit.elements:
        ends = [root[name] for name in element.ends]
        if ends[0] == ends[1]:
            continue
        conductance = 1 / Extended(element.resistance)
        for here, there in (ends, ends[::-1]):
            if here not in free:
                continue
            k = free[here]
            entries[k, k] = entries.get((k, k), Extended(0)) + conductance
            if there in free:
                where = k, free[there]
                entries[where] = entries.get(where, Extended(0)) - conductance
            else:
                right[k] += fixed[there] * conductance
    solved = _solve(entries, right)
    value = {**fixed, **{name: solved[k] for name, k in free.items()}}
    return {name: value[top] for name, top in root.items()}


def _solve(entries: dict[tuple[int, int], Extended], right: NDArray[Extended]) -> NDArray[Extended]:
    """Sparse LU in double precision, refined with residuals in extended precision."""
    if not len(right):
        return right
    index, data = np.array(list(entries)).T, np.array(list(entries.values()))
    lu = splu(sparse.csc_matrix((data.astype(np.float64), tuple(index)), shape=(len(right),) * 2))
    solution = np.zeros_like(right)
    for _ in range(6):
        residual = right.copy()
        np.subtract.at(residual, index[0], data[:, np.newaxis] * solution[index[1]])
        solution += lu.solve(residual.astype(np.float64))
    return solution


def grounded(
    resistance: Array, voltage: Array, row: float, col: float, driver: float, sense: float
) -> dict[str, Array]:
    """Solve a read: ``output`` (cols, inputs), ``word``, ``bit``, ``device`` (rows, cols, inputs).

    Also ``heat`` (inputs,), the sum of i^2 R over all elements of more than 0 ohm.
    """
    n_rows, n_cols = resistance.shape
    circuit = crossbar(resistance, row, col, driver)
    for j in range(n_cols):
        circuit.add("sense", f"e{j}", "ground", sense)
    held = {f"s{i}": voltage[i] for i in range(n_rows)}
    held["ground"] = np.zeros(voltage.shape[1])
    node = node_voltages(circuit, held)
    word, bit = (
        np.array([[node[f"{line}{i},{j}"] for j in range(n_cols)] for i in range(n_rows)])
        for line in "wb"
    )
    device = (word - bit) / resistance[:, :, np.newaxis]
    heat = np.zeros(voltage.shape[1], Extended)
    for element in circuit.elements:
        if element.resistance > 0.0:
            drop = node[element.ends[0]] - node[element.ends[1]]
            heat += drop * drop / element.resistance
    # By Kirchhoff's law the current of a column is the sum of what its cells let through.
    found = {"output": device.sum(axis=0), "word": word, "bit": bit, "device": device, "heat": heat}
    return {name: value.astype(np.float64) for name, value in found.items()}


def port_matrix(resistance: Array, row: float, col: float, driver: float) -> Array:
    """Admittance (rows + cols, rows + cols) by holding one port at 1 V after the other."""
    n_rows, n_cols = resistance.shape
    circuit = crossbar(resistance, row, col, driver)
    unit = np.eye(n_rows + n_cols)
    held = {f"s{i}": unit[i] for i in range(n_rows)}
    held |= {f"e{j}": unit[n_rows + j] for j in range(n_cols)}
    node = node_voltages(circuit, held)
    into = np.zeros_like(unit, Extended)
    for i in range(n_rows):
        for j in range(n_cols):
            current = (node[f"w{i},{j}"] - node[f"b{i},{j}"]) / resistance[i, j]
            into[i] += current
            into[n_rows + j] -= current
    return into.astype(np.float64)
