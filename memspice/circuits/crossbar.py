"""The wired crossbar, cell by cell and segment by segment, as a PySpice subcircuit."""

from __future__ import annotations

from collections import Counter

import numpy as np

from memspice.circuits import nodes as layer_nodes
from memspice.circuits.parameters import ArrayParameters
from memspice.circuits.spice import SubCircuit


class CrossbarNodes:
    """Node names inside the subcircuit; a wire without resistance is one node.

    The word-line node of cell (i, j) is reached from input ``r<i>`` through j + 1 segments, the
    bit-line node reaches output ``c<j>`` through (rows - i) segments.
    """

    def __init__(self, conductance: np.ndarray, array: ArrayParameters) -> None:
        self.rows, self.cols = conductance.shape
        self._wired_row = array.wire_resistance_row > 0
        self._wired_col = array.wire_resistance_col > 0
        self._cell = array.cell

    @property
    def ports(self) -> list[str]:
        """Inputs ``r<i>``, gate lines ``g<i>`` of cells that have some, outputs ``c<j>``."""
        return list(self.outside(0))

    def outside(self, tile: int) -> dict[str, str]:
        """Nodes of a layer at which the ports of a tile end."""
        rows, columns = range(self.rows), range(self.cols)
        ends = {f"r{i}": layer_nodes.row(f"{tile}_{i}") for i in rows}
        if self._cell.gate is not None:
            ends |= {self.gate(i): layer_nodes.GATE for i in rows}
        return ends | {f"c{j}": layer_nodes.bit_line(j) for j in columns}

    def word(self, row: int, col: int) -> str:
        """Word-line side of a cell; col -1 is the input."""
        return f"w{row}_{col}" if self._wired_row and col >= 0 else f"r{row}"

    def bit(self, row: int, col: int) -> str:
        """Bit-line side of a cell; row ``rows`` is the output."""
        return f"b{row}_{col}" if self._wired_col and row < self.rows else f"c{col}"

    def inner(self, row: int, col: int) -> list[str]:
        """Nodes of a cell's own."""
        return [f"{begin}{row}_{col}" for begin in self._cell.inner]

    def gate(self, row: int) -> str:
        """Gate line of a row."""
        return f"g{row}"

    def loads(self) -> tuple[Counter[str], Counter[str]]:
        """How many cells' worth of capacitance each node of word and bit lines carries."""
        cells = [(i, j) for i in range(self.rows) for j in range(self.cols)]
        return Counter(self.word(*cell) for cell in cells), Counter(
            self.bit(*cell) for cell in cells
        )


def crossbar_subcircuit(name: str, conductance: np.ndarray, array: ArrayParameters) -> SubCircuit:
    """Crossbar with the ports of :class:`CrossbarNodes`: cells, segments, wire capacitances.

    Parameters
    ----------
    name : str
        Of the subcircuit.
    conductance : ndarray, shape (rows, columns), [S]
        Synapse devices; 0 is an open cell and leaves no element.
    array : ArrayParameters
        Segment before each cell on its row, after each cell on its column; kind of the cells.
    """
    nodes = CrossbarNodes(conductance, array)
    circuit = SubCircuit(name, *nodes.ports)
    wire_row, wire_col = array.wire_resistance_row, array.wire_resistance_col
    for i in range(nodes.rows):
        for j in range(nodes.cols):
            if wire_row > 0:
                circuit.R(f"w{i}_{j}", nodes.word(i, j - 1), nodes.word(i, j), wire_row)
            if conductance[i, j] > 0:
                ends = (nodes.word(i, j), nodes.bit(i, j))
                array.cell.add(circuit, f"{i}_{j}", ends, nodes.gate(i), float(conductance[i, j]))
            if wire_col > 0:
                circuit.R(f"b{i}_{j}", nodes.bit(i, j), nodes.bit(i + 1, j), wire_col)
    capacitances = (array.wire_capacitance_row, array.wire_capacitance_col)
    for load, capacitance in zip(nodes.loads(), capacitances, strict=True):
        if capacitance > 0:
            for node, cells in load.items():
                circuit.C(node, node, circuit.gnd, cells * capacitance)
    return circuit
