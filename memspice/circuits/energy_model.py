"""Energy of a layer in closed form: port matrix for the array, phases and levels for the rest.

It is the surrogate's answer to what :mod:`memspice.circuits.power` integrates in SPICE; settling
and the course of a switch are left out, and are what the calibration against SPICE puts back.
"""

from __future__ import annotations

import numpy as np

from memspice.circuits.layer import LayerCircuit
from memspice.circuits.neuron import NeuronCircuit
from memspice.circuits.port_power import port_power
from memspice.devices.neurons import MemristorNeuron

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

    In a burst a cycle is a row pulse, which drivers, array and sense stages carry, and a cycle of
    neurons, which follow the held drive.

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
    energy["driver"], energy["crossbar"] = _array_energy(layer, row_voltage)
    held = burst > 1 and layer.spiking
    current = layer.line_current(row_voltage)
    energy["sense"] = layer.sense.energy(current, layer.schedule, held=held)
    if layer.spiking:
        drive = layer.held_drive(row_voltage, burst)
        energy.update(neuron_energy(layer, drive, hazard, thresholds))
    return energy


def _array_energy(layer: LayerCircuit, row_voltage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Dissipation of the drivers, and of cells and wires."""
    settled = row_voltage @ layer.ports.column_voltage[layer.columns].T
    cycles, height = np.arange(len(row_voltage)), np.ones(len(row_voltage))
    power = port_power(layer, row_voltage, cycles, height, settled)
    duration = layer.schedule.rows.square_area
    return power.driver * duration, power.crossbar * duration


def neuron_energy(
    neuron: NeuronCircuit, drive: np.ndarray, hazard: np.ndarray, thresholds: np.ndarray
) -> dict[str, np.ndarray]:
    """Energy that the rails give to neurons, phase by phase, and to the spike lines.

    Parameters
    ----------
    neuron : NeuronCircuit
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
    periphery, schedule = neuron.periphery, neuron.schedule
    switched = hazard >= thresholds
    on = np.where(switched, 1 - thresholds / np.maximum(hazard, thresholds), 0.0)
    write_on, write_off, read_on, read_off, reset = _path_conductances(neuron)
    flow = drive * (on * write_on + (1 - on) * write_off)
    read = np.where(switched, read_on, read_off) * periphery.read_voltage
    supply, sink = periphery.supply_positive, -periphery.supply_negative
    compare = periphery.logic_voltage * periphery.compare_current * drive.shape[-1]
    load = periphery.latch_capacitance * periphery.logic_voltage**2
    spikes = switched.sum(axis=-1)
    return {
        "neuron_write": supply * flow.sum(axis=-1) * schedule.write.area,
        "neuron_read": (supply * read.sum(axis=-1) + compare) * schedule.read.area,
        "neuron_reset": sink * periphery.reset_voltage * reset * spikes,
        "logic": load * spikes,
    }


def _path_conductances(neuron: NeuronCircuit) -> tuple[float, float, float, float, float]:
    """Conductance [S] of write and read path, on and off; that of reset times its time [S s]."""
    device, driver = neuron.device, neuron.periphery.driver_resistance
    cleared = neuron.schedule.clear.start - neuron.schedule.reset.start
    if isinstance(device, MemristorNeuron):
        around = device.series_resistance + driver
        on, off = 1 / (device.on_resistance + around), 1 / (device.off_resistance + around)
        # The filament is gone within about one time constant, a fiftieth of the pulse.
        return on, off, on, off, on * 0.02 * neuron.timing.reset
    write = 1 / (device.heavy_metal_resistance + driver)
    around = device.reference_resistance + driver
    read_on = 1 / (device.parallel_resistance + around)
    read_off = 1 / (device.antiparallel_resistance + around)
    return write, write, read_on, read_off, write * cleared
