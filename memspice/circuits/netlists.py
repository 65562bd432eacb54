"""Netlists of a layer: ``full`` with every cell, ``reduced`` with the exact port matrix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from PySpice.Spice.Netlist import Circuit

from memspice.circuits.crossbar import crossbar_subcircuit
from memspice.circuits.deck import Deck, pulse_train, step_train
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.parameters import NeuronPeriphery, Timing
from memspice.circuits.timing import Schedule
from memspice.devices.neurons import MemristorNeuron, NeuronDevice

SpiceFidelity = Literal["full", "reduced"]

#: The hazard integrator charges ``pulse * 1 uS``; every other state moves 1000 times less charge.
#: A charge tolerance in between lets the hazard integral alone decide the solver's step.
HAZARD_CHARGE_PER_SECOND = 1e-6

#: Control pulses of a neuron, in the order of its terminals.
NEURON_CONTROLS = ("write", "read", "strobe", "reset", "clear")


@dataclass(frozen=True)
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


class NeuronCircuit(Protocol):
    """What neurons are built from: a layer, or a bench without one."""

    @property
    def device(self) -> NeuronDevice:
        """Stochastic device."""
        ...

    @property
    def periphery(self) -> NeuronPeriphery:
        """Driver, supplies, comparator and latch."""
        ...

    @property
    def timing(self) -> Timing:
        """Lengths of the phases."""
        ...

    @property
    def schedule(self) -> Schedule:
        """Pulses of one cycle."""
        ...


def layer_netlist(layer: LayerCircuit, stimulus: Stimulus, fidelity: SpiceFidelity) -> str:
    """Netlist of a layer through the cycles of a stimulus.

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
    str
        Title, elements and subcircuits; no analysis.
    """
    neuron = f"{layer.device.kind}_neuron"
    libraries = ("sense", "hazard", neuron) if layer.spiking else ("sense",)
    deck = Deck(
        f"memspice layer: {layer.rows} rows, {layer.outputs} outputs, {fidelity}",
        f"{stimulus.cycles} cycles of write, read and reset; {layer.device.kind} neurons"
        if layer.spiking
        else f"{stimulus.cycles} cycles; accumulating layer without neurons",
        libraries,
    )
    add_supplies(deck, layer, stimulus.cycles)
    if fidelity == "full":
        add_drivers(deck, layer, stimulus)
        add_tiles(deck, layer)
    else:
        _norton_columns(deck, layer, stimulus)
    add_sense(deck.section("Sense stages: one per bit line, a difference stage per pair"), layer)
    if layer.spiking:
        add_neurons(deck, layer, stimulus.thresholds)
    return str(deck)


def add_supplies(deck: Deck, layer: LayerCircuit, cycles: int) -> None:
    """Rails of the sense stages and neurons, and the control pulses of the phases."""
    rails = deck.section("Supplies: sense stage, neuron drivers, comparator and latch")
    rails.V("sense_p", "sense_p", rails.gnd, layer.sense.supply)
    rails.V("sense_n", "sense_n", rails.gnd, -layer.sense.supply)
    if layer.spiking:
        add_neuron_supplies(rails, layer.periphery)
    names = ("enable", *NEURON_CONTROLS) if layer.spiking else ("enable",)
    add_controls(deck, layer.schedule, names, cycles)


def add_neuron_supplies(circuit: Circuit, periphery: NeuronPeriphery) -> None:
    """Rails of all neurons: ``neuron_p``, ``neuron_n`` of the drivers and ``logic``."""
    circuit.V("neuron_p", "neuron_p", circuit.gnd, periphery.supply_positive)
    circuit.V("neuron_n", "neuron_n", circuit.gnd, periphery.supply_negative)
    circuit.V("logic", "logic", circuit.gnd, periphery.logic_voltage)


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
    """Row drivers of all tiles, into nodes ``r<tile>_<row>``."""
    circuit = deck.section("Row drivers: a pulse source behind the driver's resistance")
    resistance = layer.array.driver_resistance
    for column, (tile, row) in enumerate(_each_row(layer)):
        train = pulse_train(
            layer.schedule.rows, stimulus.row_voltage[:, column], layer.schedule.cycle
        )
        node = f"s{tile}_{row}" if resistance > 0 else f"r{tile}_{row}"
        circuit.V(f"row{tile}_{row}", node, circuit.gnd, train)
        if resistance > 0:
            circuit.R(f"driver{tile}_{row}", node, f"r{tile}_{row}", resistance)


def add_tiles(deck: Deck, layer: LayerCircuit) -> None:
    """Crossbars from ``r<tile>_<row>`` to the common bit lines ``c<column>``."""
    wires = (layer.array.wire_resistance_row, layer.array.wire_resistance_col)
    for number, conductance in enumerate(layer.conductances):
        rows, cols = conductance.shape
        deck.subcircuit(
            f"Row tile {number}: {rows} word lines, {cols} bit lines, "
            f"{wires[0]:g} and {wires[1]:g} ohm a segment.\nRg<i>_<j>: cell; "
            "Rw<i>_<j>: word-line segment before it; Rb<i>_<j>: bit-line segment after it",
            crossbar_subcircuit(f"crossbar{number}", conductance, *wires),
        )
    circuit = deck.section("The row tiles share their bit lines")
    for number, conductance in enumerate(layer.conductances):
        rows, cols = conductance.shape
        ports = [f"r{number}_{i}" for i in range(rows)] + [f"c{j}" for j in range(cols)]
        circuit.X(f"tile{number}", f"crossbar{number}", *ports)


def _norton_columns(deck: Deck, layer: LayerCircuit, stimulus: Stimulus) -> None:
    circuit = deck.section(
        "Drivers, wires and cells as the Norton equivalent of each column: short-circuit current\n"
        "and conductance, exact with the other columns ended by their sense stages' resistance"
    )
    ports = layer.ports
    currents = stimulus.row_voltage @ ports.norton_current.T
    for column in range(2 * layer.outputs):
        train = pulse_train(layer.schedule.rows, currents[:, column], layer.schedule.cycle)
        circuit.I(f"column{column}", circuit.gnd, f"c{column}", train)
        resistance = float(1 / ports.own_conductance[column])
        circuit.R(f"column{column}", f"c{column}", circuit.gnd, resistance)


def add_sense(circuit: Circuit, layer: LayerCircuit) -> None:
    """Sense stages of all bit lines ``c<j>``: drives ``drive<n>`` of the neurons."""
    sense, rails = layer.sense, ("enable", "sense_p", "sense_n")
    for column in range(2 * layer.outputs):
        name = f"sense{column}"
        if sense.kind == "resistive":
            circuit.X(name, "resistive_sense", f"c{column}", r_sense=sense.sense_resistance)
            continue
        circuit.X(
            name,
            "transimpedance",
            f"c{column}",
            f"o{column}",
            *rails,
            r_feedback=layer.feedback_resistance,
            gain=sense.gain,
            pole=sense.pole,
            swing=sense.swing,
            r_out=sense.output_resistance,
            i_quiescent=sense.quiescent_current,
        )
    low, high = layer.write_limits
    for output in range(layer.outputs):
        circuit.X(
            f"difference{output}",
            "difference",
            *difference_inputs(layer, output),
            f"drive{output}",
            *rails,
            v_bias=layer.bias_voltage,
            gain=layer.difference_gain,
            low=low,
            high=high,
            pole=layer.difference_gain * sense.pole / sense.gain,
            i_quiescent=sense.quiescent_current,
        )


def difference_inputs(layer: LayerCircuit, output: int) -> tuple[str, str]:
    """Nodes at the plus and minus input of a difference stage."""
    plus, minus = 2 * output, 2 * output + 1
    if layer.sense.kind == "resistive":
        return f"c{plus}", f"c{minus}"
    return f"o{minus}", f"o{plus}"  # a transimpedance stage inverts


def add_neurons(deck: Deck, circuit: NeuronCircuit, thresholds: np.ndarray) -> None:
    """Sections of neurons 0, 1, ... and of their thresholds (cycles, neurons), [1]."""
    draws = deck.section("Thresholds of the hazard integral: one draw E ~ Exp(1) per event")
    edge, cycle = circuit.timing.edge, circuit.schedule.cycle
    for number, values in enumerate(thresholds.T):
        train = step_train(values, edge, cycle)
        draws.V(f"threshold{number}", f"threshold{number}", draws.gnd, train)
    neurons = deck.section("Stochastic neurons")
    for number in range(thresholds.shape[1]):
        add_neuron(neurons, circuit, str(number))


def add_neuron(circuit: Circuit, layer: NeuronCircuit, suffix: str) -> None:
    """One neuron between ``drive<suffix>``, ``threshold<suffix>`` and ``spike<suffix>``."""
    circuit.X(
        f"neuron{suffix}",
        f"{layer.device.kind}_neuron",
        f"drive{suffix}",
        *NEURON_CONTROLS,
        f"threshold{suffix}",
        "neuron_p",
        "neuron_n",
        "logic",
        f"spike{suffix}",
        **_state_parameters(layer),
        **_device_parameters(layer),
        **_periphery_parameters(layer),
    )


def _state_parameters(layer: NeuronCircuit) -> dict[str, float]:
    """Hazard law, and time constants that are short against the phase they act in."""
    timing, law = layer.timing, layer.device.hazard
    return {
        "tau0": law.time_scale,
        "v0": law.voltage_scale,
        "pulse": timing.write,
        "set_time": timing.write / 100,
        "reset_time": timing.reset / 50,
        "latch_time": timing.read / 40,
    }


def _device_parameters(layer: NeuronCircuit) -> dict[str, float]:
    device = layer.device
    if isinstance(device, MemristorNeuron):
        resistances = {
            "r_on": device.on_resistance,
            "r_off": device.off_resistance,
            "r_series": device.series_resistance,
        }
    else:
        resistances = {
            "r_heavy_metal": device.heavy_metal_resistance,
            "r_parallel": device.parallel_resistance,
            "r_antiparallel": device.antiparallel_resistance,
            "r_reference": device.reference_resistance,
        }
    return {**resistances, "v_reset_min": device.reset_threshold}


def _periphery_parameters(layer: NeuronCircuit) -> dict[str, float]:
    periphery = layer.periphery
    return {
        "r_driver": periphery.driver_resistance,
        "c_mid": periphery.node_capacitance,
        "v_read": periphery.read_voltage,
        "v_reset": periphery.reset_voltage,
        "v_compare": periphery.compare_voltage,
        "v_logic": periphery.logic_voltage,
        "i_compare": periphery.compare_current,
        "r_latch": periphery.latch_resistance,
        "c_latch": periphery.latch_capacitance,
    }
