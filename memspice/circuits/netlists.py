"""The circuit of a layer: supplies and controls, the array, sense stages and neurons."""

from __future__ import annotations

from memspice.circuits.array_circuit import ArrayCircuit, Stimulus
from memspice.circuits.clocks import add_clocks, add_sources
from memspice.circuits.deck import Deck
from memspice.circuits.layer import LayerCircuit
from memspice.errors import ConfigError


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
    _check_stage(layer)
    deck = Deck(
        f"memspice layer: {layer.rows} rows, {layer.outputs} outputs, {array.name}",
        f"{stimulus.cycles} cycles of write, read and reset; {layer.neuron.kind} neurons"
        if layer.spiking
        else f"{stimulus.cycles} cycles; accumulating layer without neurons",
    )
    add_supplies(deck, layer, stimulus.cycles)
    array.add(deck, layer, stimulus)
    layer.sense.add(deck, layer.output_bias, layer.write_limits)
    if layer.spiking:
        cycle = (layer.timing, layer.schedule)
        layer.neuron.add(deck, layer.latch, cycle, stimulus.thresholds, layer.variation)
    return deck


def _check_stage(layer: LayerCircuit) -> None:
    """Refuse what a sense stage may ask for and no deck of a layer has yet."""
    asked = {"line_level": layer.sense.line_level, "warm_up": layer.sense.warm_up}
    for name, value in asked.items():
        if value != 0:
            raise ConfigError(
                f"a sense stage with {name} = {value:g} has no deck of a layer yet, only one of "
                "its own: measure its surface, or use a stage whose bit lines rest at 0 V and "
                "whose first cycle counts"
            )


def add_supplies(deck: Deck, layer: LayerCircuit, cycles: int) -> None:
    """Rails of the sense stages and neurons, and the control pulses of the phases."""
    supplies, clocks = dict(layer.sense.supplies), dict(layer.sense.clocks(layer.schedule))
    if layer.spiking:
        supplies |= {**layer.neuron.supplies, **layer.latch.supplies}
        clocks |= layer.neuron.clocks(layer.schedule)
    add_sources(deck, "Supplies: sense stage, neuron drivers, comparator and latch", supplies)
    add_clocks(deck, clocks, layer.schedule.cycle, cycles)
