"""The circuit of a layer: supplies and controls, the array, sense stages and neurons."""

from __future__ import annotations

from memspice.circuits.array_circuit import ArrayCircuit, Stimulus
from memspice.circuits.bursts import delay
from memspice.circuits.clocks import add_clocks, add_sources, clock_trains
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
    sense = layer.sense.in_bursts(stimulus.burst, layer.schedule)
    deck = Deck(
        f"memspice layer: {layer.rows} rows, {layer.outputs} outputs, {array.name}",
        f"{_cycles(stimulus)} of write, read and reset; {layer.neuron.kind} neurons"
        if layer.spiking
        else f"{_cycles(stimulus)}; accumulating layer without neurons",
    )
    add_supplies(deck, layer, stimulus.cycles, stimulus.burst)
    laid_out = stimulus.laid_out()
    array.add(deck, layer, laid_out)
    low, high = (limit + layer.electrode for limit in layer.write_limits)
    sense.add(deck, layer.output_bias + layer.electrode, (low, high))
    if layer.spiking:
        cycle = (layer.timing, layer.schedule)
        layer.neuron.add(deck, layer.latch, cycle, laid_out.thresholds, layer.variation)
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


def add_supplies(deck: Deck, layer: LayerCircuit, cycles: int, burst: int = 1) -> None:
    """Rails of the sense stages and neurons, and the control pulses of the phases."""
    schedule, sense = layer.schedule, layer.sense.in_bursts(burst, layer.schedule)
    supplies, neurons = dict(sense.supplies), dict(sense.hold_clocks(schedule))
    if layer.spiking:
        supplies |= {**layer.neuron.supplies, **layer.latch.supplies}
        neurons |= layer.neuron.clocks(schedule)
    add_sources(deck, "Supplies: sense stage, neuron drivers, comparator and latch", supplies)
    cycle, once = schedule.cycle, sense.burst_clocks(schedule)
    trains = clock_trains(sense.clocks(schedule), cycle, cycles)
    trains |= clock_trains(once, burst * cycle, cycles // burst)
    trains |= clock_trains(neurons, cycle, cycles, first=delay(burst))
    add_clocks(deck, trains)


def _cycles(stimulus: Stimulus) -> str:
    bursts = f" in bursts of {stimulus.burst}" if stimulus.burst > 1 else ""
    return f"{stimulus.cycles} cycles{bursts}"
