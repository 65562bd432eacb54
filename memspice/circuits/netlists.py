"""The circuit of a layer: supplies and controls, the array, sense stages and neurons."""

from __future__ import annotations

from memspice.circuits.array_circuit import ArrayCircuit, Stimulus
from memspice.circuits.clocks import add_clocks
from memspice.circuits.deck import Deck
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.neuron import add_neuron_supplies, add_neurons, neuron_clocks


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
    layer.sense.add(deck, layer.output_bias, layer.write_limits)
    if layer.spiking:
        add_neurons(deck, layer, stimulus.thresholds, layer.variation)
    return deck


def add_supplies(deck: Deck, layer: LayerCircuit, cycles: int) -> None:
    """Rails of the sense stages and neurons, and the control pulses of the phases."""
    rails = deck.section("Supplies: sense stage, neuron drivers, comparator and latch")
    for name, voltage in layer.sense.supplies.items():
        rails.V(name, name, rails.gnd, voltage)
    clocks = dict(layer.sense.clocks(layer.schedule))
    if layer.spiking:
        add_neuron_supplies(rails, layer.periphery)
        clocks |= neuron_clocks(layer.schedule)
    add_clocks(deck, clocks, layer.schedule.cycle, cycles)
