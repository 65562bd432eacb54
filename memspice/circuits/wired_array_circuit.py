"""Every cell and every wire segment of a crossbar in a deck, and their powers one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from memspice.circuits.array_circuit import ArrayCircuit, ArrayPower, Stimulus
from memspice.circuits.crossbar import CrossbarNodes, crossbar_subcircuit
from memspice.circuits.deck import Deck, pulse_train
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.parameters import ArrayParameters
from memspice.circuits.signals import Signals, source_power
from memspice.devices.synapse_iv import OhmicCell
from memspice.devices.transistor import AccessTransistor, access_current
from memspice.errors import ConfigError

Voltage = Callable[[str], np.ndarray]


class WiredArrayCircuit(ArrayCircuit):
    """Row drivers, every cell and every wire segment: what ``full`` has."""

    name = "full"

    def check(self, layer: LayerCircuit) -> None:
        """Refuse a part of a layer: its neighbours share its cells' rows."""
        if layer.whole:
            raise ConfigError(
                f"{layer.outputs} of {layer.whole.outputs} neurons cannot be a full deck, because "
                "the others load the same rows: build the whole layer, or use reduced"
            )

    def add(self, deck: Deck, layer: LayerCircuit, stimulus: Stimulus) -> None:
        """Add the drivers and the row tiles."""
        add_drivers(deck, layer, stimulus)
        add_tiles(deck, layer)

    def signals(self, layer: LayerCircuit) -> list[str]:
        """Name every node of the tiles and the current of every row source."""
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

    def power(self, layer: LayerCircuit, stimulus: Stimulus, signals: Signals) -> ArrayPower:
        """Sum over all elements, each from its node voltages."""
        points = len(signals.time)
        rows, driver, crossbar, stored = (np.zeros(points) for _ in range(4))
        resistance, column = layer.drawn_array.driver_resistance, 0
        phase, level = np.mod(signals.time, layer.schedule.cycle), layer.sense.line_level
        envelope = layer.row_pulse.at(phase)
        number_of_cycle = np.minimum(
            (signals.time / layer.schedule.cycle).astype(int), stimulus.cycles - 1
        )
        for number, tile in enumerate(layer.conductances):
            for i in range(len(tile)):
                source = level + envelope * stimulus.row_voltage[number_of_cycle, column]
                rows += source_power(signals, f"row{number}_{i}", source)
                if resistance > 0:
                    driver += (source - signals.voltage(f"r{number}_{i}")) ** 2 / resistance
                column += 1
            voltage = _tile_voltages(signals, number)
            crossbar += _tile_power(layer, voltage, tile, layer.array.cell.gate_voltage * envelope)
            stored += _wire_energy(layer, voltage, tile)
        return ArrayPower(rows, driver, crossbar, stored)

    def line_current(
        self, layer: LayerCircuit, stimulus: Stimulus, signals: Signals, column: int
    ) -> np.ndarray:
        """Current through the last wire segments; of ideal wires, through the cells."""
        envelope = layer.row_pulse.at(np.mod(signals.time, layer.schedule.cycle))
        gate = layer.array.cell.gate_voltage * envelope
        tiles = enumerate(layer.conductances)
        return np.asarray(
            sum(
                _column_current(layer, _tile_voltages(signals, n), t, gate, column)
                for n, t in tiles
            )
        )


def _each_row(layer: LayerCircuit) -> list[tuple[int, int]]:
    return [(k, i) for k, tile in enumerate(layer.conductances) for i in range(len(tile))]


def add_drivers(deck: Deck, layer: LayerCircuit, stimulus: Stimulus) -> None:
    """Row drivers of all tiles, into nodes ``r<tile>_<row>``, and their ``gate`` lines."""
    circuit = deck.section("Row drivers: a pulse source behind the driver's resistance")
    resistance = layer.drawn_array.driver_resistance
    pulse, cycle, level = layer.row_pulse, layer.schedule.cycle, layer.sense.line_level
    for column, (tile, row) in enumerate(_each_row(layer)):
        train = pulse_train(pulse, stimulus.row_voltage[:, column], cycle, level)
        node = f"s{tile}_{row}" if resistance > 0 else f"r{tile}_{row}"
        circuit.V(f"row{tile}_{row}", node, circuit.gnd, train)
        if resistance > 0:
            circuit.R(f"driver{tile}_{row}", node, f"r{tile}_{row}", resistance)
    if isinstance(layer.array.cell.access, AccessTransistor):
        # All rows are read at once, so one node stands for all gate lines.
        gates = deck.section("Gate lines of the access transistors: a signal without load")
        levels = np.full(stimulus.cycles, layer.array.cell.gate_voltage)
        train = pulse_train(layer.row_pulse, levels, layer.schedule.cycle)
        gates.V("gate", "gate", gates.gnd, train)


def add_tiles(deck: Deck, layer: LayerCircuit) -> None:
    """Crossbars from ``r<tile>_<row>`` to the common bit lines ``c<column>``."""
    array = layer.drawn_array
    wires = (array.wire_resistance_row, array.wire_resistance_col)
    for number, conductance in enumerate(layer.conductances):
        rows, cols = conductance.shape
        deck.subcircuit(
            f"Row tile {number}: {rows} word lines, {cols} bit lines, "
            f"{wires[0]:g} and {wires[1]:g} ohm a segment.\n{_legend(array)}",
            crossbar_subcircuit(f"crossbar{number}", conductance, array),
        )
    circuit = deck.section("The row tiles share their bit lines")
    for number, conductance in enumerate(layer.conductances):
        own = {"r": f"r{number}_", "c": "c"}
        ports = [
            "gate" if port[0] == "g" else own[port[0]] + port[1:]
            for port in CrossbarNodes(conductance, array).ports
        ]
        circuit.X(f"tile{number}", f"crossbar{number}", *ports)


def _legend(array: ArrayParameters) -> str:
    """What the names of the elements of a crossbar say."""
    cell = "Rg<i>_<j>" if isinstance(array.cell.curve, OhmicCell) else "Xg<i>_<j>"
    parts = [f"{cell}: cell", "Rw<i>_<j>: word-line segment before it"]
    parts.append("Rb<i>_<j>: bit-line segment after it")
    if array.cell.access is not None:
        parts.append("Xt<i>_<j>: access device between cell and bit line")
    if array.wire_capacitance_row > 0 or array.wire_capacitance_col > 0:
        parts.append("C<node>: wire capacitance")
    return "; ".join(parts)


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


def _column_current(
    layer: LayerCircuit, voltage: Voltage, tile: np.ndarray, gate: np.ndarray, j: int
) -> np.ndarray:
    """Current at the end of a column of one tile, (points,), [A]."""
    nodes, array = CrossbarNodes(tile, layer.drawn_array), layer.drawn_array
    if array.wire_resistance_col > 0:
        drop = voltage(nodes.bit(nodes.rows - 1, j)) - voltage(nodes.bit(nodes.rows, j))
        return np.asarray(drop / array.wire_resistance_col)
    current = np.zeros_like(gate)
    for i in np.flatnonzero(tile[:, j] > 0).tolist():
        top, bit = voltage(nodes.word(i, j)), voltage(nodes.bit(i, j))
        if array.cell.access is None:
            current += array.cell.curve.current(top - bit, tile[i, j])
        else:
            middle = voltage(nodes.middle(i, j))
            current += access_current(array.cell.access, middle, gate, bit)
    return current


def _wire_energy(layer: LayerCircuit, voltage: Voltage, tile: np.ndarray) -> np.ndarray:
    """Energy on the capacitances of word and bit lines of one tile."""
    array, energy = layer.drawn_array, np.zeros(())
    capacitances = (array.wire_capacitance_row, array.wire_capacitance_col)
    for load, capacitance in zip(CrossbarNodes(tile, array).loads(), capacitances, strict=True):
        if capacitance > 0:
            for node, cells in load.items():
                energy = energy + 0.5 * cells * capacitance * voltage(node) ** 2
    return energy
