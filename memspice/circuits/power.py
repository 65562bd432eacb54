"""Instantaneous power of every element group of a layer, from its node voltages.

What the sources deliver is taken from their own currents; what the elements dissipate is computed
apart from it, element by element, from node voltages.  That the two agree is the energy closure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.array_circuit import ArrayCircuit, Stimulus
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.signals import Signals, output_stage_power, source_power
from memspice.devices.neurons import MemristorNeuron


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


def saved_signals(layer: LayerCircuit, array: ArrayCircuit) -> list[str]:
    """Names of the signals that power and events are computed from."""
    columns, outputs = range(2 * layer.outputs), range(layer.outputs)
    names = [f"i(v{name})" for name in layer.sense.supplies]
    names += [f"v({nodes.bit_line(column)})" for column in columns]
    names += layer.sense.signals(layer.outputs)
    for output in outputs:
        names.append(f"v(drive{output})")
        if layer.spiking:
            names += [f"v(spike{output})"]
            names += [f"v(xneuron{output}.{node})" for node in _neuron_nodes(layer)]
    if layer.spiking:
        names += ["i(vneuron_p)", "i(vneuron_n)", "i(vlogic)"]
    return names + array.signals(layer)


def _neuron_nodes(layer: LayerCircuit) -> list[str]:
    nodes = ["target", "top", "mid", "x", "h", "level"]
    return nodes if isinstance(layer.device, MemristorNeuron) else [*nodes, "readlevel", "junction"]


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
    phase = np.mod(signals.time, layer.schedule.cycle)
    stage = layer.sense
    rails = sum(source_power(signals, *supply) for supply in stage.supplies.items())
    sense = stage.power(signals, layer.outputs, layer.schedule)
    if layer.spiking:
        neuron_rails, neuron, logic, stored = _neuron_power(layer, signals, phase)
    else:
        nothing = np.zeros_like(sense)
        neuron_rails, neuron, logic, stored = nothing[0], nothing, nothing, nothing[0]
    found = array.power(layer, stimulus, signals)
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
    layer: LayerCircuit, signals: Signals, phase: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Power of the rails, dissipation of neurons and latches, energy on their capacitors."""
    periphery = layer.periphery
    rails = (
        source_power(signals, "neuron_p", periphery.supply_positive)
        + source_power(signals, "neuron_n", periphery.supply_negative)
        + source_power(signals, "logic", periphery.logic_voltage)
    )
    logic_voltage = periphery.logic_voltage
    compare = logic_voltage * periphery.compare_current * layer.schedule.read.at(phase)
    neuron = np.empty((layer.outputs, len(phase)))
    logic, stored = np.empty_like(neuron), np.zeros(len(phase))
    for output in range(layer.outputs):
        node = {name: signals.voltage(f"xneuron{output}.{name}") for name in _neuron_nodes(layer)}
        spike = signals.voltage(f"spike{output}")
        neuron[output] = compare + _device_power(layer, node)
        logic[output] = output_stage_power(
            node["level"], spike, periphery.latch_resistance, logic_voltage, 0.0
        )
        stored += 0.5 * periphery.latch_capacitance * spike**2
        stored += 0.5 * periphery.node_capacitance * node["mid"] ** 2
    return rails, neuron, logic, stored


def _device_power(layer: LayerCircuit, node: dict[str, np.ndarray]) -> np.ndarray:
    """Dissipation of driver, device and the resistors around it."""
    device, periphery = layer.device, layer.periphery
    rails = (periphery.supply_positive, periphery.supply_negative)
    driver = output_stage_power(node["target"], node["top"], periphery.driver_resistance, *rails)
    if isinstance(device, MemristorNeuron):
        on, off = 1 / device.on_resistance, 1 / device.off_resistance
        drop, series = node["top"] - node["mid"], device.series_resistance
    else:
        on, off = 1 / device.parallel_resistance, 1 / device.antiparallel_resistance
        drop, series = node["junction"] - node["mid"], device.reference_resistance
        driver = driver + node["top"] ** 2 / device.heavy_metal_resistance
        driver = driver + output_stage_power(
            node["readlevel"], node["junction"], periphery.driver_resistance, *rails
        )
    conductance = off + np.clip(node["x"], 0, 1) * (on - off)
    return np.asarray(driver + drop**2 * conductance + node["mid"] ** 2 / series)


def event_values(layer: LayerCircuit, cycles: int, signals: Signals) -> dict[str, np.ndarray]:
    """What each event ended with, every entry (cycles, outputs).

    ``drive`` [V]: settled drive at the end of the write pulse; ``hazard`` [1]: hazard integral at
    the end of the write phase; ``spike`` [V]: spike line at the end of the read pulse.
    Without neurons only ``drive`` is there.
    """
    schedule = layer.schedule
    starts = np.arange(cycles) * schedule.cycle

    def sample(node: str, instant: float) -> np.ndarray:
        return np.asarray(np.interp(starts + instant, signals.time, signals.voltage(node)))

    settled = schedule.write.stop - schedule.write.edge
    outputs = range(layer.outputs)
    values = {"drive": np.stack([sample(f"drive{n}", settled) for n in outputs], axis=-1)}
    if layer.spiking:
        for name, node, instant in (
            ("hazard", "xneuron{}.h", schedule.rows.stop),
            ("spike", "spike{}", schedule.read.stop),
        ):
            values[name] = np.stack([sample(node.format(n), instant) for n in outputs], axis=-1)
    return values
