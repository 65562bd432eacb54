"""Where the closed form holds, in numbers, and the refusal elsewhere.

The surrogate computes a layer as a reduced deck has it, and so has all of that deck's conditions
(`memspice.circuits.reducible`).  It also takes for granted what SPICE would show of the stages
around the array: amplifiers within their swing, drives settled before the write, a read that tells
on from off, latches and read nodes charged when they are looked at.
"""

from __future__ import annotations

import numpy as np

from memspice.circuits.bursts import delay
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.reducible import obstacles
from memspice.errors import ConfigError

#: Largest error of a hazard integral, and of a score, that late sense stages may make, [1].
LATE = 0.01
#: Points of a write pulse at which the lag of the drive is looked at.
_POINTS = 200


def refusal(layer: LayerCircuit, row_voltage: np.ndarray, name: str, burst: int = 1) -> str | None:
    """Why the surrogate cannot compute a layer; None where it can.

    Parameters
    ----------
    layer : LayerCircuit
        What is to be computed.
    row_voltage : ndarray, shape (cycles, rows), [V]
        What drives it.
    name : str
        Of the layer, for the message.
    burst : int
        Cycles of a burst.

    Returns
    -------
    str or None
        Each of `memspice.circuits.reducible.obstacles` and :func:`doubts`, with number and limit.
    """
    found = [*obstacles(layer.whole or layer, row_voltage), *doubts(layer, row_voltage, burst)]
    if not found:
        return None
    return (
        f"layer {name} has no closed form, by which a surrogate could compute it: "
        f"{'; '.join(found)}; use --fidelity full, or change what is said here"
    )


def refuse_without_closed_form(
    layer: LayerCircuit, row_voltage: np.ndarray, name: str, burst: int = 1
) -> None:
    """Refuse a layer that the surrogate would compute wrongly.

    Raises
    ------
    ConfigError
        With the words of :func:`refusal`.
    """
    reason = refusal(layer, row_voltage, name, burst)
    if reason is not None:
        raise ConfigError(reason)


def doubts(layer: LayerCircuit, row_voltage: np.ndarray, burst: int = 1) -> list[str]:
    """Reasons why stages around the array do not do what the closed form takes for granted."""
    found = _sense_doubts(layer, row_voltage, burst)
    if layer.spiking:
        found += layer.neuron.doubts(layer.timing)
        found += layer.latch.doubts(*layer.neuron.read_levels(), layer.schedule)
    return found


def _sense_doubts(layer: LayerCircuit, row_voltage: np.ndarray, burst: int) -> list[str]:
    found = layer.sense.doubts(layer.line_current(row_voltage))
    what = "hazard integrals" if layer.spiking else "scores"
    for cause, off in (
        ("settle so slowly", lateness(layer, burst)),
        ("lose so much of a held drive", droop(layer, burst)),
    ):
        if off > LATE:
            found.append(f"sense stages {cause} that {what} come out {off:.2g} off, above {LATE:g}")
    return found


def lateness(layer: LayerCircuit, burst: int = 1) -> float:
    """Relative error of a hazard integral, or of a score, from sense stages still settling, [1].

    The highest drive is taken to begin at 0.  Of what is integrated the mean over a pulse counts.
    """
    schedule = layer.schedule
    ends = (schedule.write.start + schedule.write.edge, schedule.write.stop - schedule.write.edge)
    time = np.linspace(*ends, _POINTS) - schedule.rows.edge
    line = float(np.max(layer.ports.own_conductance[layer.columns]))
    left = layer.sense.unsettled(line, time)
    if not layer.spiking:
        return float(np.mean(left) if delay(burst, layer.sense.share) else left[-1])
    highest = max(map(abs, layer.write_limits)) * layer.neuron.write_fraction
    law = layer.neuron.device.hazard
    slope = law.rate.slope(highest / law.voltage_scale)
    return float(np.mean(left)) * highest / law.voltage_scale * slope


def droop(layer: LayerCircuit, burst: int) -> float:
    """Relative error of a hazard integral, or of a score, from what a held drive loses, [1].

    The drive is taken to be as far from the bias as its limits let it, and to be held up to the end
    of the last cycle of a burst, or for as long as a leaky average remembers.
    """
    # What is forgotten anyway, one part in ``share`` a cycle, is not lost again.
    held = delay(burst, layer.sense.share) / layer.sense.share
    lost = layer.sense.held_loss(held * layer.schedule.cycle)
    if not layer.spiking:
        return lost
    reach = max(abs(limit - layer.bias_voltage) for limit in layer.write_limits)
    return lost * reach * layer.neuron.write_fraction / layer.neuron.device.hazard.voltage_scale
