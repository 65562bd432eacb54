"""Instantaneous power of a crossbar and its drivers, element by element, from node voltages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from memspice.circuits.crossbar import CrossbarNodes
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import Stimulus
from memspice.circuits.signals import Signals, source_power
from memspice.devices.transistor import access_current

Voltage = Callable[[str], np.ndarray]


def array_signals(layer: LayerCircuit) -> list[str]:
    """Names of the signals that :func:`array_power` needs."""
    names = []
    for number, tile in enumerate(layer.conductances):
        nodes = CrossbarNodes(tile, layer.drawn_array)
        for i in range(nodes.rows):
            names += [f"v(r{number}_{i})", f"i(vrow{number}_{i})"]
            for j in range(nodes.cols):
                cell = [nodes.word(i, j), nodes.bit(i, j)]
                if layer.array.cell.access is not None and tile[i, j] > 0:
                    cell.append(nodes.middle(i, j))
                names += [f"v(xtile{number}.{node})" for node in cell if node[0] in "wbm"]
    return names


def array_power(
    layer: LayerCircuit, stimulus: Stimulus, signals: Signals
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Powers of the crossbar tiles of a ``full`` deck.

    Parameters
    ----------
    layer, stimulus
        What the deck was made from.
    signals : Signals
        At least those of :func:`array_signals`.

    Returns
    -------
    rows, driver, crossbar, stored : ndarray, each of shape (points,)
        Delivered by the row sources, dissipated in the drivers, and in cells and wires [W]; energy
        on the wires' capacitances [J].
    """
    points = len(signals.time)
    rows, driver, crossbar, stored = (np.zeros(points) for _ in range(4))
    resistance, column = layer.drawn_array.driver_resistance, 0
    phase = np.mod(signals.time, layer.schedule.cycle)
    envelope = layer.schedule.rows.at(phase)
    number_of_cycle = np.minimum(
        (signals.time / layer.schedule.cycle).astype(int), stimulus.cycles - 1
    )
    for number, tile in enumerate(layer.conductances):
        for i in range(len(tile)):
            source = envelope * stimulus.row_voltage[number_of_cycle, column]
            rows += source_power(signals, f"row{number}_{i}", source)
            if resistance > 0:
                driver += (source - signals.voltage(f"r{number}_{i}")) ** 2 / resistance
            column += 1
        voltage = _tile_voltages(signals, number)
        crossbar += _tile_power(layer, voltage, tile, layer.array.cell.gate_voltage * envelope)
        stored += _wire_energy(layer, voltage, tile)
    return rows, driver, crossbar, stored


def _tile_voltages(signals: Signals, number: int) -> Voltage:
    """Voltage of a node by its name inside the tile."""

    def voltage(node: str) -> np.ndarray:
        if node[0] == "r":
            return signals.voltage(f"r{number}_{node[1:]}")
        return signals.voltage(node if node[0] == "c" else f"xtile{number}.{node}")

    return voltage


def _tile_power(
    layer: LayerCircuit, voltage: Voltage, tile: np.ndarray, gate: np.ndarray
) -> np.ndarray:
    """Dissipation in the cells and wires of one tile, row by row to bound the memory."""
    nodes, array = CrossbarNodes(tile, layer.drawn_array), layer.drawn_array
    power = np.zeros(len(gate))
    for i in range(nodes.rows):
        columns = range(nodes.cols)
        word = np.stack([voltage(nodes.word(i, j)) for j in range(-1, nodes.cols)])
        bit = np.stack([voltage(nodes.bit(i, j)) for j in columns])
        present = [j for j in columns if tile[i, j] > 0]
        top = word[1:][present]
        if array.cell.access is None:
            end = bit[present]
        else:
            end = np.array([voltage(nodes.middle(i, j)) for j in present]).reshape(top.shape)
            through = access_current(array.cell.access, end, gate, bit[present])
            power += np.sum((end - bit[present]) * through, axis=0)
        conductance = tile[i, present][:, np.newaxis]
        power += np.sum((top - end) * array.cell.curve.current(top - end, conductance), axis=0)
        if array.wire_resistance_row > 0:
            power += np.sum(np.diff(word, axis=0) ** 2, axis=0) / array.wire_resistance_row
        if array.wire_resistance_col > 0:
            below = np.stack([voltage(nodes.bit(i + 1, j)) for j in columns])
            power += np.sum((bit - below) ** 2, axis=0) / array.wire_resistance_col
    return power


def _wire_energy(layer: LayerCircuit, voltage: Voltage, tile: np.ndarray) -> np.ndarray:
    """Energy on the capacitances of word and bit lines of one tile."""
    array, energy = layer.drawn_array, np.zeros(())
    capacitances = (array.wire_capacitance_row, array.wire_capacitance_col)
    for load, capacitance in zip(CrossbarNodes(tile, array).loads(), capacitances, strict=True):
        if capacitance > 0:
            for node, cells in load.items():
                energy = energy + 0.5 * cells * capacitance * voltage(node) ** 2
    return energy
