"""Every cell and every wire segment of a crossbar in a deck, and their powers one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from memspice.circuits import nodes as layer_nodes
from memspice.circuits.array_circuit import ArrayCircuit, ArrayPower, Stimulus
from memspice.circuits.crossbar import CrossbarNodes, crossbar_subcircuit
from memspice.circuits.deck import Deck, pulse_train
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.parameters import ArrayParameters
from memspice.circuits.signals import Signals
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
        names, driver = [], layer.array.row_driver
        for number, tile in enumerate(layer.conductances):
            nodes = CrossbarNodes(tile, layer.drawn_array)
            ports = nodes.outside(number)
            for i in range(nodes.rows):
                names += driver.signals(f"{number}_{i}")
                for j in range(nodes.cols):
                    cell = [nodes.word(i, j), nodes.bit(i, j)]
                    cell += nodes.inner(i, j) if tile[i, j] > 0 else []
                    names += [f"v({_inside(number, node)})" for node in cell if node not in ports]
        return names

    def power(self, layer: LayerCircuit, stimulus: Stimulus, signals: Signals) -> ArrayPower:
        """Sum over all elements, each from its node voltages."""
        points = len(signals.time)
        delivered, driver, crossbar, stored = (np.zeros(points) for _ in range(4))
        phase, level = np.mod(signals.time, layer.schedule.cycle), layer.sense.line_level
        envelope = layer.row_pulse.at(phase)
        number_of_cycle = np.minimum(
            (signals.time / layer.schedule.cycle).astype(int), stimulus.cycles - 1
        )
        block, resistance = layer.array.row_driver, layer.drawn_array.driver_resistance
        # As of `LayerCircuit.pulse_energy`: what drivers leak behind the last pulse does not count.
        driven = np.any(stimulus.row_voltage, axis=-1, keepdims=True)[number_of_cycle, 0]
        for column, row in enumerate(_each_row(layer)):
            source = level + envelope * stimulus.row_voltage[number_of_cycle, column]
            delivered += driven * block.delivered(signals, row, source)
            driver += driven * block.power(signals, row, source, resistance)
            stored += block.stored(signals, row)
        for number, tile in enumerate(layer.conductances):
            voltage = _tile_voltages(layer, signals, number)
            crossbar += _tile_power(layer, voltage, tile, (layer.array.cell.gate or 0.0) * envelope)
            stored += _wire_energy(layer, voltage, tile)
        return ArrayPower(delivered, driver, crossbar, stored)

    def line_current(
        self, layer: LayerCircuit, stimulus: Stimulus, signals: Signals, column: int
    ) -> np.ndarray:
        """Current through the last wire segments; of ideal wires, through the cells."""
        envelope = layer.row_pulse.at(np.mod(signals.time, layer.schedule.cycle))
        gate, tiles = (layer.array.cell.gate or 0.0) * envelope, enumerate(layer.conductances)
        return np.asarray(
            sum(
                _column_current(layer, _tile_voltages(layer, signals, n), t, gate, column)
                for n, t in tiles
            )
        )


def _each_row(layer: LayerCircuit) -> list[str]:
    """Names of all rows, ``<tile>_<number>``, in the order of row voltages."""
    return [f"{k}_{i}" for k, tile in enumerate(layer.conductances) for i in range(len(tile))]


def add_drivers(deck: Deck, layer: LayerCircuit, stimulus: Stimulus) -> None:
    """Row drivers of all tiles, and their gate lines where cells have some."""
    layer.array.row_driver.define(deck)
    circuit = deck.section("Row drivers: a pulse source behind the driver's resistance")
    pulse, cycle, level = layer.row_pulse, layer.schedule.cycle, layer.sense.line_level
    resistance = layer.drawn_array.driver_resistance
    for column, row in enumerate(_each_row(layer)):
        train = pulse_train(pulse, stimulus.row_voltage[:, column], cycle, level)
        layer.array.row_driver.add(circuit, row, train, resistance)
    gate = layer.array.cell.gate
    if gate is not None:
        lines = deck.section("Gate lines of the access transistors: a signal without load")
        train = pulse_train(pulse, np.full(stimulus.cycles, gate), cycle)
        lines.V("gate", layer_nodes.GATE, lines.gnd, train)


def add_tiles(deck: Deck, layer: LayerCircuit) -> None:
    """Crossbars from ``r<tile>_<row>`` to the common bit lines ``c<column>``."""
    array = layer.drawn_array
    array.cell.define(deck)
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
        ports = CrossbarNodes(conductance, array).outside(number).values()
        circuit.X(f"tile{number}", f"crossbar{number}", *ports)


def _legend(array: ArrayParameters) -> str:
    """What the names of the elements of a crossbar say."""
    cell, *more = array.cell.legend
    parts = [cell, "Rw<i>_<j>: word-line segment before it"]
    parts += ["Rb<i>_<j>: bit-line segment after it", *more]
    if array.wire_capacitance_row > 0 or array.wire_capacitance_col > 0:
        parts.append("C<node>: wire capacitance")
    return "; ".join(parts)


def _inside(tile: int, node: str) -> str:
    """Name in the deck of a node inside of a tile."""
    return f"xtile{tile}.{node}"


def _tile_voltages(layer: LayerCircuit, signals: Signals, number: int) -> Voltage:
    """Voltage of a node by its name inside the tile."""
    ports = CrossbarNodes(layer.conductances[number], layer.drawn_array).outside(number)
    return lambda node: signals.voltage(ports.get(node) or _inside(number, node))


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
        ends = (word[1:][present], bit[present])
        own = [[voltage(node) for node in nodes.inner(i, j)] for j in present]
        shape = (len(present), len(array.cell.inner), len(gate))
        inner: list[np.ndarray] = list(np.array(own).reshape(shape).swapaxes(0, 1))
        conductance = tile[i, present][:, np.newaxis]
        for part in array.cell.dissipation(ends, inner, gate, conductance):
            power += np.sum(part, axis=0)
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
        ends = (voltage(nodes.word(i, j))[None], voltage(nodes.bit(i, j))[None])
        inner = [voltage(node)[None] for node in nodes.inner(i, j)]
        current += array.cell.current(ends, inner, gate, tile[i : i + 1, j : j + 1])[0]
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
