"""The wired crossbar, cell by cell and segment by segment, as a PySpice subcircuit."""

from __future__ import annotations

from collections import Counter

import numpy as np

from memspice.circuits.parameters import ArrayParameters
from memspice.circuits.spice import SubCircuit
from memspice.devices.cell import Cell
from memspice.devices.synapse_iv import OhmicCell
from memspice.devices.transistor import AccessTransistor


class CrossbarNodes:
    """Node names inside the subcircuit; a wire without resistance is one node.

    The word-line node of cell (i, j) is reached from input ``r<i>`` through j + 1 segments, the
    bit-line node reaches output ``c<j>`` through (rows - i) segments.
    """

    def __init__(self, conductance: np.ndarray, array: ArrayParameters) -> None:
        self.rows, self.cols = conductance.shape
        self._wired_row = array.wire_resistance_row > 0
        self._wired_col = array.wire_resistance_col > 0
        self._gated = isinstance(array.cell.access, AccessTransistor)

    @property
    def ports(self) -> list[str]:
        """Inputs ``r<i>``, gate lines ``g<i>`` of access transistors, outputs ``c<j>``."""
        gates = [self.gate(i) for i in range(self.rows)] if self._gated else []
        return [f"r{i}" for i in range(self.rows)] + gates + [f"c{j}" for j in range(self.cols)]

    def word(self, row: int, col: int) -> str:
        """Word-line side of a cell; col -1 is the input."""
        return f"w{row}_{col}" if self._wired_row and col >= 0 else f"r{row}"

    def bit(self, row: int, col: int) -> str:
        """Bit-line side of a cell; row ``rows`` is the output."""
        return f"b{row}_{col}" if self._wired_col and row < self.rows else f"c{col}"

    def middle(self, row: int, col: int) -> str:
        """Between synapse device and access device."""
        return f"m{row}_{col}"

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
                _add_cell(circuit, nodes, (i, j), float(conductance[i, j]), array.cell)
            if wire_col > 0:
                circuit.R(f"b{i}_{j}", nodes.bit(i, j), nodes.bit(i + 1, j), wire_col)
    capacitances = (array.wire_capacitance_row, array.wire_capacitance_col)
    for load, capacitance in zip(nodes.loads(), capacitances, strict=True):
        if capacitance > 0:
            for node, cells in load.items():
                circuit.C(node, node, circuit.gnd, cells * capacitance)
    return circuit


def _add_cell(
    circuit: SubCircuit, nodes: CrossbarNodes, at: tuple[int, int], conductance: float, cell: Cell
) -> None:
    """Synapse device from the word line to the bit line or to its access device."""
    label = f"{at[0]}_{at[1]}"
    word, bit = nodes.word(*at), nodes.bit(*at)
    end = bit if cell.access is None else nodes.middle(*at)
    if isinstance(cell.curve, OhmicCell):
        circuit.R(f"g{label}", word, end, 1 / conductance)
    else:
        shape = cell.curve.model_dump(exclude={"kind"})
        circuit.X(f"g{label}", "synapse_cell", word, end, conductance=conductance, **shape)
    if cell.access is None:
        return
    parameters = cell.access.model_dump()
    if isinstance(cell.access, AccessTransistor):
        terminals = (end, nodes.gate(at[0]), bit, circuit.gnd)
        circuit.X(f"t{label}", "access_transistor", *terminals, **parameters)
    else:
        circuit.X(f"t{label}", "selector", end, bit, **parameters)
