"""The crossbar solution against ngspice's operating point, from a deck written by hand."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from memspice.solver.crossbar_solution import solve_crossbar

Array = NDArray[np.float64]
Wires = tuple[float, float, float, float]

# ngspice factors its matrix in double precision, with conductances of wires and cells added on the
# diagonal: it keeps about 1e-16 * (largest / smallest conductance), here at most 1e-16 * 1e5, and
# its gmin (1e-12 S) is on no node of a circuit of resistors.  Such a circuit is linear: one Newton
# step solves it, whatever reltol says.
TOLERANCE = 1e-10


class Deck:
    """Elements of a SPICE deck; 0 ohm becomes a shared node name instead of an element."""

    def __init__(self) -> None:
        self.lines = ["crossbar operating point"]

    def segment(self, start: str, end: str, resistance: float) -> str:
        """Join ``start`` to a new node ``end``; return the name by which that node goes."""
        if resistance == 0.0:
            return start
        self.resistor(start, end, resistance)
        return end

    def resistor(self, start: str, end: str, resistance: float) -> None:
        if np.isfinite(resistance):
            self.lines.append(f"R{len(self.lines)} {start} {end} {float(resistance)!r}")

    def source(self, name: str, node: str, voltage: float) -> None:
        self.lines.append(f"V{name} {node} 0 DC {float(voltage)!r}")


def build(resistance: Array, voltage: Array, wires: Wires) -> str:
    """Write the deck; the current of each column flows into the plus end of a source of 0 V."""
    row, col, driver, sense = wires
    n_rows, n_cols = resistance.shape
    deck = Deck()
    # From the bottom up, so that every line starts at the node that keeps its name.
    bit = []
    for j in range(n_cols):
        deck.source(f"out{j}", f"out{j}", 0.0)
        bit.append(deck.segment(f"out{j}", f"end{j}", sense))
    word_at = np.empty(resistance.shape, dtype=object)
    for i in range(n_rows):
        deck.source(f"in{i}", f"in{i}", voltage[i])
        node = deck.segment(f"in{i}", f"drive{i}", driver)
        for j in range(n_cols):
            node = word_at[i, j] = deck.segment(node, f"w{i}_{j}", row)
    for i in reversed(range(n_rows)):
        for j in range(n_cols):
            bit[j] = deck.segment(bit[j], f"b{i}_{j}", col)
            deck.resistor(word_at[i, j], bit[j], resistance[i, j])
    currents = " ".join(f"i(Vout{j})" for j in range(n_cols))
    control = [
        ".options reltol=1e-9 abstol=1e-18 vntol=1e-12",
        ".control", "set numdgt=15", "op", f"print {currents}", "quit 0", ".endc", ".end",
    ]  # fmt: skip
    return "\n".join([*deck.lines, *control]) + "\n"


def operating_point(deck: str, n_cols: int, folder: Path) -> Array:
    """Run ngspice; return the column currents, all of which must be there."""
    (folder / "deck.cir").write_text(deck)
    run = subprocess.run(
        ["ngspice", "-n", "-b", "deck.cir"],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "warning" not in (run.stdout + run.stderr).lower(), run.stdout + run.stderr
    found = {}
    for line in run.stdout.splitlines():
        name, equals, value = line.partition(" = ")
        if equals and name.startswith("i(vout"):
            found[name] = float(value)
    return np.array([found[f"i(vout{j})"] for j in range(n_cols)])


CASES = {
    "one cell": ((1, 1), (2.0, 3.0, 50.0, 10.0)),
    "one cell, ideal": ((1, 1), (0.0, 0.0, 0.0, 0.0)),
    "one row": ((1, 9), (5.0, 2.0, 100.0, 0.0)),
    "one column": ((9, 1), (5.0, 2.0, 0.0, 30.0)),
    "high": ((8, 5), (1.06, 1.06, 120.0, 0.0)),
    "wide": ((5, 8), (1.06, 1.06, 120.0, 20.0)),
    "ideal rows": ((6, 7), (0.0, 4.0, 0.0, 0.0)),
    "ideal columns": ((7, 6), (4.0, 0.0, 0.0, 0.0)),
    "ideal wires, loaded": ((6, 4), (0.0, 0.0, 200.0, 300.0)),
    "ideal": ((4, 6), (0.0, 0.0, 0.0, 0.0)),
    "wires like cells": ((6, 6), (1e4, 2e4, 1e3, 1e3)),
}


@pytest.mark.ngspice
@pytest.mark.parametrize("open_cells", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_the_output_currents_are_those_of_ngspice(
    case: str, open_cells: bool, tmp_path: Path
) -> None:
    shape, wires = CASES[case]
    rng = np.random.default_rng(sum(map(ord, case)))
    resistance = 10.0 ** rng.uniform(3, 5, shape)
    voltage = rng.uniform(0.0, 1.0, shape[0])
    if open_cells:
        resistance[rng.random(shape) < 0.3] = np.inf
        resistance[-1] = np.inf
        resistance[0, 0] = 1e4
    expected = operating_point(build(resistance, voltage, wires), shape[1], tmp_path)
    found = solve_crossbar(resistance, voltage, *wires).output_current
    assert found == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE * expected.max())
