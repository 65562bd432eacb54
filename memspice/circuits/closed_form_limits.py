"""Where the closed form holds, in numbers, and the refusal elsewhere.

The surrogate computes a layer as a reduced deck has it, and so has all of that deck's conditions
(`memspice.circuits.reducible`).  It also takes for granted what SPICE would show of the stages
around the array: amplifiers within their swing, drives settled before the write, a read that tells
on from off, latches and read nodes charged when they are looked at.
"""

from __future__ import annotations

import math

import numpy as np

from memspice.circuits.layer import LayerCircuit
from memspice.circuits.reducible import NEGLIGIBLE, obstacles
from memspice.devices.neurons import MemristorNeuron
from memspice.errors import ConfigError
from memspice.quantities import format_si

#: Largest error of a hazard integral, and of a score, that late sense stages may make, [1].
LATE = 0.01
#: Longest edges for a reset pulse of length 1: a reset takes its time from the pulse's flat part.
_EDGE_SHARE = 0.5
#: Points of a write pulse at which the lag of the drive is looked at.
_POINTS = 200


def refusal(layer: LayerCircuit, row_voltage: np.ndarray, name: str) -> str | None:
    """Why the surrogate cannot compute a layer; None where it can.

    Parameters
    ----------
    layer : LayerCircuit
        What is to be computed.
    row_voltage : ndarray, shape (cycles, rows), [V]
        What drives it.
    name : str
        Of the layer, for the message.

    Returns
    -------
    str or None
        Each of `memspice.circuits.reducible.obstacles` and :func:`doubts`, with number and limit.
    """
    found = [*obstacles(layer.whole or layer, row_voltage), *doubts(layer, row_voltage)]
    if not found:
        return None
    return (
        f"layer {name} has no closed form, by which a surrogate could compute it: "
        f"{'; '.join(found)}; use --fidelity full, or change what is said here"
    )


def refuse_without_closed_form(layer: LayerCircuit, row_voltage: np.ndarray, name: str) -> None:
    """Refuse a layer that the surrogate would compute wrongly.

    Raises
    ------
    ConfigError
        With the words of :func:`refusal`.
    """
    reason = refusal(layer, row_voltage, name)
    if reason is not None:
        raise ConfigError(reason)


def doubts(layer: LayerCircuit, row_voltage: np.ndarray) -> list[str]:
    """Reasons why stages around the array do not do what the closed form takes for granted."""
    found = _sense_doubts(layer, row_voltage)
    if layer.spiking:
        found += [*_rail_doubts(layer), *_read_doubts(layer)]
    return found


def _sense_doubts(layer: LayerCircuit, row_voltage: np.ndarray) -> list[str]:
    found, late = layer.sense.doubts(layer.line_current(row_voltage)), lateness(layer)
    if late > LATE:
        what = "hazard integrals" if layer.spiking else "scores"
        found.append(
            f"sense stages settle so slowly that {what} come out {late:.2g} off, above {LATE:g}"
        )
    return found


def lateness(layer: LayerCircuit) -> float:
    """Relative error of a hazard integral, or of a score, from sense stages still settling, [1].

    The highest drive is taken to begin at 0.
    """
    schedule = layer.schedule
    ends = (schedule.write.start + schedule.write.edge, schedule.write.stop - schedule.write.edge)
    time = np.linspace(*ends, _POINTS) - schedule.rows.edge
    line = float(np.max(layer.ports.own_conductance[layer.columns]))
    left = layer.sense.unsettled(line, time)
    if not layer.spiking:
        return float(left[-1])
    highest = max(map(abs, layer.write_limits)) * layer.write_fraction
    return float(np.mean(left)) * highest / layer.device.hazard.voltage_scale


def _rail_doubts(layer: LayerCircuit) -> list[str]:
    """Voltages of a neuron's driver beyond its rails, and a reset without its time."""
    periphery, timing = layer.periphery, layer.timing
    asked = {
        "periphery.write_high": (periphery.write_high, periphery.supply_positive),
        "periphery.read_voltage": (periphery.read_voltage, periphery.supply_positive),
        "periphery.reset_voltage": (periphery.reset_voltage, -periphery.supply_negative),
    }
    found = [
        f"{name} = {value:g} V is beyond the driver's rail of {rail:g} V"
        for name, (value, rail) in asked.items()
        if value > rail
    ]
    if timing.edge > _EDGE_SHARE * timing.reset:
        found.append(
            f"timing.edge = {format_si(timing.edge, 's')} is above {_EDGE_SHARE:g} of the reset "
            f"pulse of {format_si(timing.reset, 's')}"
        )
    at_device = periphery.reset_voltage * _reset_share(layer)
    if at_device < layer.device.reset_threshold:
        found.append(
            f"a reset puts {format_si(at_device, 'V')} on the device, below its reset_threshold of "
            f"{format_si(layer.device.reset_threshold, 'V')}"
        )
    return found


def _reset_share(layer: LayerCircuit) -> float:
    """Share of the reset voltage at the device's own terminal, behind the driver, [1]."""
    device, driver = layer.device, layer.periphery.driver_resistance
    if isinstance(device, MemristorNeuron):
        inside = device.on_resistance + device.series_resistance
    else:
        inside = device.heavy_metal_resistance
    return inside / (inside + driver)


def _read_doubts(layer: LayerCircuit) -> list[str]:
    """A read that does not tell on from off, or is not over when it is looked at."""
    periphery, schedule, found = layer.periphery, layer.schedule, []
    (on, off), resistance = _read_levels(layer)
    if not off < periphery.compare_voltage < on:
        found.append(
            f"a read gives {format_si(off, 'V')} and, switched, {format_si(on, 'V')}: the "
            f"comparator's {format_si(periphery.compare_voltage, 'V')} must lie between"
        )
    waits = {
        "read nodes": (
            resistance * periphery.node_capacitance,
            schedule.strobe.start - schedule.read.start,
        ),
        "latches": (
            periphery.latch_resistance * periphery.latch_capacitance,
            schedule.read.stop - schedule.strobe.start,
        ),
    }
    for name, (constant, wait) in waits.items():
        needed = constant * math.log(1 / NEGLIGIBLE)
        if needed > wait:
            found.append(
                f"{name} charge with {format_si(constant, 's')} and need "
                f"{format_si(needed, 's')} to settle to {NEGLIGIBLE:g}, longer than the "
                f"{format_si(wait, 's')} they have"
            )
    return found


def _read_levels(layer: LayerCircuit) -> tuple[tuple[float, float], float]:
    """Voltages of the read node, switched and not [V], and the largest resistance at it [ohm]."""
    device, driver = layer.device, layer.periphery.driver_resistance
    if isinstance(device, MemristorNeuron):
        below, states = device.series_resistance, (device.on_resistance, device.off_resistance)
    else:
        below = device.reference_resistance
        states = (device.parallel_resistance, device.antiparallel_resistance)
    above = [state + driver for state in states]
    on, off = (layer.periphery.read_voltage * below / (below + each) for each in above)
    return (on, off), below * max(above) / (below + max(above))
