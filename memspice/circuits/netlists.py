"""Circuits of a layer: ``full`` with every cell, ``reduced`` with the exact port matrix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from memspice.circuits.crossbar import CrossbarNodes, crossbar_subcircuit
from memspice.circuits.deck import Deck, pulse_train
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.neuron import NEURON_CONTROLS, add_neuron_supplies, add_neurons
from memspice.circuits.parameters import ArrayParameters
from memspice.circuits.sense import add_sense
from memspice.circuits.timing import Schedule
from memspice.devices.synapse_iv import OhmicCell
from memspice.devices.transistor import AccessTransistor
from memspice.errors import ConfigError

SpiceFidelity = Literal["full", "reduced"]


@dataclass(frozen=True, eq=False)
class Stimulus:
    """What drives a layer through some cycles.

    ``row_voltage`` is (cycles, rows) in [V], ``thresholds`` (cycles, outputs), the draws
    ``E ~ Exp(1)`` of the neurons; an accumulating layer ignores them.
    """

    row_voltage: np.ndarray
    thresholds: np.ndarray

    @property
    def cycles(self) -> int:
        """Number of cycles."""
        return len(self.row_voltage)


def layer_deck(layer: LayerCircuit, stimulus: Stimulus, fidelity: SpiceFidelity) -> Deck:
    """Circuit of a layer through the cycles of a stimulus.

    Parameters
    ----------
    layer : LayerCircuit
        What to build.
    stimulus : Stimulus
        Row voltages and thresholds, cycle by cycle.
    fidelity : {"full", "reduced"}
        Every cell and segment, or the Norton equivalent of each column.

    Returns
    -------
    Deck
        Sources, elements and subcircuits; no analysis.

    Raises
    ------
    ConfigError
        If a part of a layer is asked for in ``full``: its neighbours share its cells' rows.
    """
    if layer.whole and fidelity == "full":
        raise ConfigError(
            f"{layer.outputs} of {layer.whole.outputs} neurons cannot be a full deck, because the "
            "others load the same rows: build the whole layer, or use reduced"
        )
    deck = Deck(
        f"memspice layer: {layer.rows} rows, {layer.outputs} outputs, {fidelity}",
        f"{stimulus.cycles} cycles of write, read and reset; {layer.device.kind} neurons"
        if layer.spiking
        else f"{stimulus.cycles} cycles; accumulating layer without neurons",
    )
    add_supplies(deck, layer, stimulus.cycles)
    if fidelity == "full":
        add_drivers(deck, layer, stimulus)
        add_tiles(deck, layer)
    else:
        _norton_columns(deck, layer, stimulus)
    add_sense(deck, layer)
    if layer.spiking:
        add_neurons(deck, layer, stimulus.thresholds, layer.variation)
    return deck


def add_supplies(deck: Deck, layer: LayerCircuit, cycles: int) -> None:
    """Rails of the sense stages and neurons, and the control pulses of the phases."""
    rails = deck.section("Supplies: sense stage, neuron drivers, comparator and latch")
    rails.V("sense_p", "sense_p", rails.gnd, layer.sense.supply)
    rails.V("sense_n", "sense_n", rails.gnd, -layer.sense.supply)
    if layer.spiking:
        add_neuron_supplies(rails, layer.periphery)
    names = ("enable", *NEURON_CONTROLS) if layer.spiking else ("enable",)
    add_controls(deck, layer.schedule, names, cycles)


def add_controls(deck: Deck, schedule: Schedule, names: Iterable[str], cycles: int) -> None:
    """Section of control pulses, each on the node of its name."""
    control = deck.section("Control pulses, 0 to 1: signals without load")
    pulses = schedule.controls()
    for name in names:
        train = pulse_train(pulses[name], np.ones(cycles), schedule.cycle)
        control.V(name, name, control.gnd, train)


def _each_row(layer: LayerCircuit) -> list[tuple[int, int]]:
    return [(k, i) for k, tile in enumerate(layer.conductances) for i in range(len(tile))]


def add_drivers(deck: Deck, layer: LayerCircuit, stimulus: Stimulus) -> None:
    """Row drivers of all tiles, into nodes ``r<tile>_<row>``, and their ``gate`` lines."""
    circuit = deck.section("Row drivers: a pulse source behind the driver's resistance")
    resistance = layer.drawn_array.driver_resistance
    for column, (tile, row) in enumerate(_each_row(layer)):
        train = pulse_train(
            layer.schedule.rows, stimulus.row_voltage[:, column], layer.schedule.cycle
        )
        node = f"s{tile}_{row}" if resistance > 0 else f"r{tile}_{row}"
        circuit.V(f"row{tile}_{row}", node, circuit.gnd, train)
        if resistance > 0:
            circuit.R(f"driver{tile}_{row}", node, f"r{tile}_{row}", resistance)
    if isinstance(layer.array.cell.access, AccessTransistor):
        # All rows are read at once, so one node stands for all gate lines.
        gates = deck.section("Gate lines of the access transistors: a signal without load")
        levels = np.full(stimulus.cycles, layer.array.cell.gate_voltage)
        train = pulse_train(layer.schedule.rows, levels, layer.schedule.cycle)
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


def _norton_columns(deck: Deck, layer: LayerCircuit, stimulus: Stimulus) -> None:
    circuit = deck.section(
        "Drivers, wires and cells as the Norton equivalent of each column: short-circuit current\n"
        "and conductance, exact with the other columns ended by their sense stages' resistance"
    )
    ports = layer.ports
    currents = stimulus.row_voltage @ ports.norton_current[layer.columns].T
    conductances = ports.own_conductance[layer.columns]
    for column in range(2 * layer.outputs):
        train = pulse_train(layer.schedule.rows, currents[:, column], layer.schedule.cycle)
        circuit.I(f"column{column}", circuit.gnd, f"c{column}", train)
        resistance = float(1 / conductances[column])
        circuit.R(f"column{column}", f"c{column}", circuit.gnd, resistance)
