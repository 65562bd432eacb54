"""The wired crossbar, cell by cell and segment by segment, as a PySpice subcircuit."""

from __future__ import annotations

import numpy as np
from PySpice.Spice.Netlist import SubCircuit


class CrossbarNodes:
    """Node names inside the subcircuit; a wire without resistance is one node.

    The word-line node of cell (i, j) is reached from input ``r<i>`` through j + 1 segments, the
    bit-line node reaches output ``c<j>`` through (rows - i) segments.
    """

    def __init__(self, shape: tuple[int, int], wire_row: float, wire_col: float) -> None:
        self.rows, self.cols = shape
        self._wired_row, self._wired_col = wire_row > 0, wire_col > 0

    def word(self, row: int, col: int) -> str:
        """Word-line side of a cell; col -1 is the input."""
        return f"w{row}_{col}" if self._wired_row and col >= 0 else f"r{row}"

    def bit(self, row: int, col: int) -> str:
        """Bit-line side of a cell; row ``rows`` is the output."""
        return f"b{row}_{col}" if self._wired_col and row < self.rows else f"c{col}"


def crossbar_subcircuit(
    name: str, conductance: np.ndarray, wire_row: float, wire_col: float
) -> SubCircuit:
    """Crossbar with ports ``r0 ... c0 ...``: cells, word-line and bit-line segments.

    Parameters
    ----------
    name : str
        Of the subcircuit.
    conductance : ndarray, shape (rows, columns), [S]
        Cells; 0 is an open cell and leaves no element.
    wire_row, wire_col : float, [ohm]
        Segment before each cell on its row, after each cell on its column.
    """
    nodes = CrossbarNodes((conductance.shape[0], conductance.shape[1]), wire_row, wire_col)
    ports = [f"r{i}" for i in range(nodes.rows)] + [f"c{j}" for j in range(nodes.cols)]
    circuit = SubCircuit(name, *ports)
    for i in range(nodes.rows):
        for j in range(nodes.cols):
            word, bit = nodes.word(i, j), nodes.bit(i, j)
            if wire_row > 0:
                circuit.R(f"w{i}_{j}", nodes.word(i, j - 1), word, float(wire_row))
            if conductance[i, j] > 0:
                circuit.R(f"g{i}_{j}", word, bit, float(1 / conductance[i, j]))
            if wire_col > 0:
                circuit.R(f"b{i}_{j}", bit, nodes.bit(i + 1, j), float(wire_col))
    return circuit
