"""Waveforms that a record keeps: of some neurons what makes them spike, and of all the supplies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.array_circuit import ArrayCircuit, Stimulus
from memspice.circuits.blocks.neuron import instance
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.signals import Signals
from memspice.store import Column

_SIGNS = ("plus", "minus")


def kept_signals(
    circuit: LayerCircuit,
    stimulus: Stimulus,
    array: ArrayCircuit,
    signals: Signals,
    neurons: Sequence[int],
) -> dict[str, Column]:
    """Name the waveforms of some neurons, ``neuron3.drive``, and of supplies, ``supply.vdd``.

    Parameters
    ----------
    circuit, stimulus, array
        What the netlist was made from.
    signals : Signals
        Of the netlist.
    neurons : sequence of int
        By their numbers in the deck; without any, nothing is kept.

    Returns
    -------
    dict
        Name to (values of shape (points,), unit).  A bit line's current is positive into the sense
        stage, a supply's as it delivers.
    """
    found: dict[str, Column] = {}
    for neuron in neurons:
        own = _of_neuron(circuit, stimulus, array, signals, neuron)
        found |= {f"neuron{neuron}.{name}": column for name, column in own.items()}
    for name in _supplies(circuit, stimulus.burst) if neurons else ():
        found[f"supply.{name}"] = (-signals.current(f"v{name}"), "A")
    return found


def _of_neuron(
    circuit: LayerCircuit,
    stimulus: Stimulus,
    array: ArrayCircuit,
    signals: Signals,
    neuron: int,
) -> dict[str, Column]:
    drive = circuit.write_voltage(signals.voltage(nodes.drive(neuron)))
    found: dict[str, Column] = {"drive": (drive, "V")}
    for line, sign in zip(nodes.bit_lines(neuron), _SIGNS, strict=True):
        found[f"bit_line_{sign}"] = (signals.voltage(line), "V")
    for column, sign in enumerate(_SIGNS, start=2 * neuron):
        current = array.line_current(circuit, stimulus.laid_out(), signals, column)
        found[f"current_{sign}"] = (current, "A")
    if circuit.spiking:
        found["spike"] = (signals.voltage(nodes.spike(neuron)), "V")
        found["threshold"] = (_draw(circuit, stimulus, signals.time, neuron), "1")
        found |= circuit.neuron.shown(signals, instance(neuron))
    return found


def _draw(circuit: LayerCircuit, stimulus: Stimulus, time: np.ndarray, neuron: int) -> np.ndarray:
    """Draw of the cycle that each point of time is in, (points,), [1]."""
    draws = stimulus.laid_out().thresholds[:, neuron]
    cycle = np.clip((time / circuit.schedule.cycle).astype(int), 0, len(draws) - 1)
    return np.asarray(draws[cycle])


def _supplies(circuit: LayerCircuit, burst: int) -> list[str]:
    sense = circuit.sense.in_bursts(burst, circuit.schedule).supplies
    more = {**circuit.neuron.supplies, **circuit.latch.supplies} if circuit.spiking else {}
    return [*sense, *more]
