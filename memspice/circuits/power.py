"""Instantaneous power of every element group of a layer, from its node voltages.

What the sources deliver is taken from their own currents; what the elements dissipate is computed
apart from it, element by element, from node voltages.  That the two agree is the energy closure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.array_circuit import ArrayCircuit, Stimulus
from memspice.circuits.blocks.neuron import instance
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.signals import Signals


@dataclass(frozen=True, eq=False)
class LayerPower:
    """Powers over time; all in [W], ``stored`` in [J].

    ``driver`` and ``crossbar`` are (points,), of all rows and cells together, of a part of a layer
    its share of them; ``sense``, ``neuron`` and ``logic`` are (outputs, points).
    """

    time: np.ndarray
    delivered: np.ndarray
    driver: np.ndarray
    crossbar: np.ndarray
    sense: np.ndarray
    neuron: np.ndarray
    logic: np.ndarray
    stored: np.ndarray


def saved_signals(layer: LayerCircuit, array: ArrayCircuit, burst: int = 1) -> list[str]:
    """Names of the signals that power and events are computed from."""
    columns, outputs = range(2 * layer.outputs), range(layer.outputs)
    sense = layer.sense.in_bursts(burst, layer.schedule)
    names = [f"i(v{name})" for name in sense.supplies]
    names += [f"v({nodes.bit_line(column)})" for column in columns]
    names += sense.signals(layer.outputs)
    names += [f"v({nodes.drive(output)})" for output in outputs]
    if layer.spiking:
        for output in outputs:
            neuron, spike = instance(output), nodes.spike(output)
            names += [*layer.neuron.signals(neuron), *layer.latch.signals(neuron, spike)]
        names += [f"i(v{name})" for name in (*layer.neuron.supplies, *layer.latch.supplies)]
    return names + array.signals(layer)


def layer_power(
    layer: LayerCircuit, stimulus: Stimulus, array: ArrayCircuit, signals: Signals
) -> LayerPower:
    """Compute the power of every element group of a simulated layer.

    Parameters
    ----------
    layer, stimulus, array
        What the netlist was made from.
    signals : Signals
        At least those of :func:`saved_signals`.
    """
    stage = layer.sense.in_bursts(stimulus.burst, layer.schedule)
    rails = stage.delivered(signals, layer.outputs)
    sense = stage.power(signals, layer.outputs, layer.schedule)
    if layer.spiking:
        neuron_rails, neuron, logic, stored = _neuron_power(layer, stimulus, signals)
    else:
        nothing = np.zeros_like(sense)
        neuron_rails, neuron, logic, stored = nothing[0], nothing, nothing, nothing[0]
    found = array.power(layer, stimulus.laid_out(), signals)
    return LayerPower(
        time=signals.time,
        delivered=rails + neuron_rails + found.delivered,
        driver=found.driver,
        crossbar=found.crossbar,
        sense=sense,
        neuron=neuron,
        logic=logic,
        stored=stored + stage.stored(signals, layer.outputs) + found.stored,
    )


def _neuron_power(
    layer: LayerCircuit, stimulus: Stimulus, signals: Signals
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Power of the rails, dissipation of neurons and latches, energy on their capacitors."""
    block, latch = layer.neuron, layer.latch
    instances = [instance(n) for n in range(layer.outputs)]
    driven = layer.turned or not layer.sense.drives
    rails = block.delivered(signals, instances, driven=driven)
    rails = rails + latch.delivered(signals, instances)
    time, cycle = signals.time, layer.schedule.cycle
    compare = latch.compare_power(np.mod(time, cycle), layer.schedule)
    compare = compare * (time >= stimulus.delay * cycle)
    power = np.empty((layer.outputs, len(time)))
    logic, stored = np.empty_like(power), np.zeros(len(time))
    for output in range(layer.outputs):
        neuron, spike = instance(output), nodes.spike(output)
        power[output] = compare + block.power(signals, neuron)
        logic[output] = latch.power(signals, neuron, spike)
        for part in latch.stored(signals, block.read_voltage(signals, neuron), spike):
            stored += part
    return rails, power, logic, stored


def event_values(
    layer: LayerCircuit, stimulus: Stimulus, signals: Signals
) -> dict[str, np.ndarray]:
    """What each event ended with, every entry (cycles, outputs).

    ``drive`` [V]: write voltage in the middle of the write pulse, its mean where it droops, counted
    from the electrode; or when the device switched before that, where its current is drawn from the
    drive and moves it;
    ``hazard`` [1]: hazard integral at the end of the write phase; ``spike`` [V]: spike line at the
    end of the read pulse.
    Without neurons only ``drive`` is there.
    """
    schedule = layer.schedule
    starts = (stimulus.delay + np.arange(stimulus.cycles)) * schedule.cycle

    def sample(node: str, instant: float) -> np.ndarray:
        return np.asarray(np.interp(starts + instant, signals.time, signals.voltage(node)))

    outputs = range(layer.outputs)
    drives = [_before_switch(layer, stimulus, signals, n, schedule.write.middle) for n in outputs]
    values = {"drive": layer.write_voltage(np.stack(drives, axis=-1))}
    if layer.spiking:
        hazards = [layer.neuron.hazard_signal(instance(n)) for n in outputs]
        for name, found, instant in (
            ("hazard", hazards, schedule.rows.stop),
            ("spike", [nodes.spike(n) for n in outputs], schedule.read.stop),
        ):
            values[name] = np.stack([sample(node, instant) for node in found], axis=-1)
    return values


def _before_switch(
    layer: LayerCircuit, stimulus: Stimulus, signals: Signals, output: int, instant: float
) -> np.ndarray:
    """Drive of an output's stage in each cycle, (cycles,), [V], at an ``instant`` [s] of it.

    Earlier where the device then already draws the current of a switched one from it.
    """
    time, drive = signals.time, signals.voltage(nodes.drive(output))
    starts = (stimulus.delay + np.arange(stimulus.cycles)) * layer.schedule.cycle
    instants = starts + instant
    if layer.loaded:
        hazard = signals.voltage(layer.neuron.hazard_signal(instance(output)))
        for cycle, threshold in enumerate(stimulus.thresholds[:, output]):
            begin, end = np.searchsorted(time, (starts[cycle], instants[cycle]))
            reached = begin + np.argmax(hazard[begin:end] >= threshold)
            if hazard[reached] >= threshold:
                instants[cycle] = time[reached]
    return np.asarray(np.interp(instants, time, drive))
