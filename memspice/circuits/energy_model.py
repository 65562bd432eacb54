"""Energy of a layer in closed form: port matrix for the array, phases and levels for the rest.

It is the surrogate's answer to what :mod:`memspice.circuits.power` integrates in SPICE; settling
and the course of a switch are left out, and are what the calibration against SPICE puts back.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from memspice.circuits.blocks.latch import Latch
from memspice.circuits.blocks.neuron import Neuron
from memspice.circuits.bursts import delay
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.port_power import port_power
from memspice.circuits.timing import Schedule, Timing

#: Components of an energy, in the order of reports.
COMPONENTS = (
    "driver",
    "crossbar",
    "sense",
    "neuron_write",
    "neuron_read",
    "neuron_reset",
    "logic",
)
#: And what a network has besides the circuits of its layers: converters, counted, not simulated.
NETWORK_COMPONENTS = (*COMPONENTS, "converter")


def closed_form_energy(
    layer: LayerCircuit,
    row_voltage: np.ndarray,
    hazard: np.ndarray,
    thresholds: np.ndarray,
    burst: int = 1,
) -> dict[str, np.ndarray]:
    """Energy of each cycle by component.

    Where a drive is held a cycle is a row pulse, which drivers, array and sense stages carry, and a
    cycle of neurons, which follow later.

    Parameters
    ----------
    layer : LayerCircuit
        The circuit.
    row_voltage : ndarray, shape (cycles, rows), [V]
        Drive of the rows.
    hazard, thresholds : ndarray, shape (cycles, outputs), [1]
        Hazard integral and its threshold, event by event; ignored without neurons.
    burst : int
        Cycles of a burst; see `memspice.circuits.bursts`.

    Returns
    -------
    dict of str to ndarray, shape (cycles,), [J]
        One entry for each of ``COMPONENTS``.
    """
    energy = {name: np.zeros(len(row_voltage)) for name in COMPONENTS}
    current, conductance = layer.line_current(row_voltage), layer.line_conductance
    relief = layer.sense.relief(current, conductance)
    energy["driver"], energy["crossbar"] = _array_energy(layer, row_voltage, relief)
    held = delay(burst, layer.sense.share) > 0
    energy["sense"] = layer.sense.energy(current, conductance, layer.schedule, held=held)
    if layer.spiking:
        drive = layer.held_drive(row_voltage, burst)
        energy.update(neurons_of_layer(layer, drive, hazard, thresholds, burst))
        if layer.loaded:
            on = share_switched(hazard, thresholds)
            sunk = layer.neuron.sunk_power(drive, on, layer.source_resistance(drive))
            energy["sense"] = energy["sense"] + sunk * layer.schedule.write.area
    return energy


def neurons_of_layer(
    layer: LayerCircuit,
    drive: np.ndarray,
    hazard: np.ndarray,
    thresholds: np.ndarray,
    burst: int,
) -> dict[str, np.ndarray]:
    """`neuron_energy` of a layer, whose neurons may wait as many cycles again.

    So they do while sense stages take in a burst where they hold the one before.
    """
    energy = neuron_energy(layer, drive, hazard, thresholds)
    if layer.sense.in_bursts(burst, layer.schedule).overlaps:
        return energy
    idle = (*layer.neuron.idle_energy(layer.schedule), layer.latch.idle_energy(layer.schedule))
    names = ("neuron_write", "neuron_read", "neuron_reset", "logic")
    waiting = {name: layer.outputs * joules for name, joules in zip(names, idle, strict=True)}
    return {name: joules + waiting[name] for name, joules in energy.items()}


def share_switched(hazard: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Share of the write pulse, any shape, [1], for which devices are switched."""
    return np.asarray(1 - thresholds / np.maximum(hazard, thresholds))


def _array_energy(
    layer: LayerCircuit, row_voltage: np.ndarray, relief: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Energy of the drivers, and dissipation of cells and wires.

    Of what lines off their level relieve [J] (cycles,), both have their share.
    """
    settled = row_voltage @ layer.ports.column_voltage[layer.columns].T
    cycles, height = np.arange(len(row_voltage)), np.ones(len(row_voltage))
    power = port_power(layer, row_voltage, cycles, height, settled)
    duration = layer.row_pulse.square_area
    driver, crossbar = power.driver * duration, power.crossbar * duration
    if relief.any():
        left = 1 - relief / (driver + crossbar)
        driver, crossbar = driver * left, crossbar * left
    return driver + layer.pulse_energy(row_voltage), crossbar


class NeuronCircuit(Protocol):
    """Neurons with their latches and phases: of a layer, or of a bench without one."""

    @property
    def neuron(self) -> Neuron:
        """Driver and device."""
        ...

    @property
    def latch(self) -> Latch:
        """Comparator and latch."""
        ...

    @property
    def timing(self) -> Timing:
        """Lengths of the phases."""
        ...

    @property
    def schedule(self) -> Schedule:
        """Pulses of one cycle."""
        ...

    def source_resistance(self, drive: np.ndarray) -> np.ndarray:
        """Resistance of drives [V] that neurons load, any shape, [ohm]."""
        ...


def neuron_energy(
    circuit: NeuronCircuit, drive: np.ndarray, hazard: np.ndarray, thresholds: np.ndarray
) -> dict[str, np.ndarray]:
    """Energy that the rails give to neurons, phase by phase, and to the spike lines.

    Parameters
    ----------
    circuit : NeuronCircuit
        The circuit.
    drive : ndarray, shape (cycles, neurons), [V]
        What the neurons are driven with.
    hazard, thresholds : ndarray, shape (cycles, neurons), [1]
        Hazard integral and its threshold.

    Returns
    -------
    dict of str to ndarray, shape (cycles,), [J]
        ``neuron_write``, ``neuron_read``, ``neuron_reset`` and ``logic``.
    """
    neuron, latch, schedule = circuit.neuron, circuit.latch, circuit.schedule
    switched = hazard >= thresholds
    on = share_switched(hazard, thresholds)
    compare = latch.compare_watts * drive.shape[-1]
    spikes = switched.sum(axis=-1)
    quiet = neuron.quiet_energy() * (drive.shape[-1] - spikes)
    always = latch.event_energy(schedule) * drive.shape[-1]
    write, read, reset = neuron.event_energy(schedule, drive, switched)
    written = neuron.write_power(drive, on, circuit.source_resistance(drive))
    return {
        "neuron_write": written * schedule.write.area + write,
        "neuron_read": (neuron.read_power(switched) + compare) * schedule.read.area + read,
        "neuron_reset": neuron.reset_energy(schedule, circuit.timing) * spikes + quiet + reset,
        "logic": latch.spike_energy * spikes + always,
    }
