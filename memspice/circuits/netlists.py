"""The circuit of a layer: supplies and controls, the array, sense stages and neurons."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from memspice.circuits.array_circuit import ArrayCircuit, Stimulus
from memspice.circuits.deck import Deck, pulse_train
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.neuron import NEURON_CONTROLS, add_neuron_supplies, add_neurons
from memspice.circuits.sense import add_sense
from memspice.circuits.timing import Schedule


def layer_deck(layer: LayerCircuit, stimulus: Stimulus, array: ArrayCircuit) -> Deck:
    """Circuit of a layer through the cycles of a stimulus.

    Parameters
    ----------
    layer : LayerCircuit
        What to build.
    stimulus : Stimulus
        Row voltages and thresholds, cycle by cycle.
    array : ArrayCircuit
        What it has in the place of drivers, wires and cells.

    Returns
    -------
    Deck
        Sources, elements and subcircuits; no analysis.

    Raises
    ------
    ConfigError
        If the array cannot be built so.
    """
    array.check(layer)
    deck = Deck(
        f"memspice layer: {layer.rows} rows, {layer.outputs} outputs, {array.name}",
        f"{stimulus.cycles} cycles of write, read and reset; {layer.device.kind} neurons"
        if layer.spiking
        else f"{stimulus.cycles} cycles; accumulating layer without neurons",
    )
    add_supplies(deck, layer, stimulus.cycles)
    array.add(deck, layer, stimulus)
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
