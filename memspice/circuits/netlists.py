"""The circuit of a layer: supplies and controls, the array, sense stages and neurons."""

from __future__ import annotations

import numpy as np

from memspice.circuits import nodes
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
    sense = layer.sense.in_bursts(stimulus.burst, layer.schedule)
    if stimulus.cycles > stimulus.burst and not sense.overlaps:
        raise ConfigError(
            f"the sense stages hold a burst where they take in the next: {stimulus.cycles} cycles "
            f"in bursts of {stimulus.burst} need a pause between them, which decks do not have; "
            f"simulate {stimulus.burst} cycles"
        )
    lead = layer.sense.warm_up
    deck = Deck(
        f"memspice layer: {layer.rows} rows, {layer.outputs} outputs, {array.name}",
        f"{_cycles(stimulus, lead)} of write, read and reset; {layer.neuron.kind} neurons"
        if layer.spiking
        else f"{_cycles(stimulus, lead)}; accumulating layer without neurons",
    )
    add_supplies(deck, layer, stimulus.cycles, stimulus.burst)
    laid_out = stimulus.warmed_up(lead).laid_out()
    array.add(deck, layer, laid_out)
    low, high = sorted(layer.drive_for(np.array(layer.write_limits)).tolist())
    rest = layer.drive_for(layer.output_bias)
    sense.add(deck, rest, layer.sense_gain, layer.line_conductance, (low, high))
    drives = _drives(deck, layer)
    if not layer.loaded:
        sense.add_loads(deck, layer.outputs)
    if layer.spiking:
        cycle = (layer.timing, layer.schedule)
        draws = laid_out.thresholds
        layer.neuron.add(deck, layer.latch, cycle, draws, layer.variation, drives)
    return deck


def _drives(deck: Deck, layer: LayerCircuit) -> list[str] | None:
    """Nodes of ideal elements between stages and neurons; None where there are none."""
    if not layer.turned:
        return None
    ideal = deck.section("Ideal: the neurons' electrode less the drive, which one of them falls by")
    ideal.V("facing", "facing", ideal.gnd, layer.neuron.electrode)
    for output in range(layer.outputs):
        drive = nodes.drive(output)
        ideal.X(f"facing{output}", "difference", "facing", drive, f"facing{output}")
    return [f"facing{output}" for output in range(layer.outputs)]


def add_supplies(deck: Deck, layer: LayerCircuit, cycles: int, burst: int = 1) -> None:
    """Rails of the sense stages and neurons, and the control pulses of the phases.

    Neurons wait until the sense stages have warmed up, and taken in a first burst.
    """
    schedule, sense = layer.schedule, layer.sense.in_bursts(burst, layer.schedule)
    supplies, neurons = dict(sense.supplies), dict(sense.hold_clocks(schedule))
    if layer.spiking:
        supplies |= {**layer.neuron.supplies, **layer.latch.supplies}
        neurons |= {**layer.neuron.clocks(schedule), **layer.latch.clocks(schedule)}
    add_sources(deck, "Supplies: sense stage, neuron drivers, comparator and latch", supplies)
    cycle, lead = schedule.cycle, layer.sense.warm_up
    trains = clock_trains(sense.clocks(schedule), cycle, lead + cycles)
    once = clock_trains(sense.burst_clocks(schedule), burst * cycle, cycles // burst)
    trains |= {name: train.delayed(layer.lead) for name, train in once.items()}
    trains |= clock_trains(sense.first_clocks(schedule), cycle, 1, first=lead)
    wait = delay(burst, layer.sense.share)
    trains |= clock_trains(neurons, cycle, cycles, first=lead + wait)
    add_clocks(deck, trains)


def _cycles(stimulus: Stimulus, lead: int) -> str:
    bursts = f" in bursts of {stimulus.burst}" if stimulus.burst > 1 else ""
    leaky = f", {stimulus.share:g} of each drive new" if stimulus.share < 1 else ""
    behind = f" behind {lead} of warm-up" if lead else ""
    return f"{stimulus.cycles} cycles{bursts}{leaky}{behind}"
