"""What tests ask of devices: slope and leak of a channel, noise of a magnet as a source."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from memspice.devices.compact.stt import SttMtj, hazard_integral, junction_current
from memspice.devices.transistor import AccessTransistor
from memspice.quantities import Parameters, quantity

#: Field of 1 V on the thermal nodes of the SPICE models, [A/m].
FIELD_PER_VOLT = 1e3


def channel_conductance(transistor: AccessTransistor, gate: float, line: float = 0.0) -> float:
    """Conductance [S] between drain and source, both at ``line`` [V], the bulk at ground.

    Half a step of 1 uV to both sides: the error of the slope is (step / Ut)^2 / 24.
    """
    step = 1e-6
    return float(transistor.current(line + step / 2, gate, line - step / 2)) / step


def off_current(transistor: AccessTransistor, drain: float) -> float:
    """Current [A] with gate and source at the bulk, for a drain voltage [V]."""
    return float(transistor.current(drain, 0.0, 0.0))


def thermal_waveform(
    field: np.ndarray, interval: float, start: float, edge: float
) -> tuple[np.ndarray, np.ndarray]:
    """Corners of one component of a thermal field, for a piecewise-linear source.

    Parameters
    ----------
    field : ndarray, shape (intervals,), [A/m]
    interval, start, edge : float, [s]
        Length of an interval, beginning of the first, and length of the edges, which are centred
        on the borders: the integral of the field is kept.

    Returns
    -------
    times : ndarray, shape (2 * intervals + 2,), [s]
    values : ndarray, same shape, [V]
        1 V for `FIELD_PER_VOLT`; zero before and after.
    """
    borders = start + interval * np.arange(len(field) + 1)
    times = (borders[:, None] + 0.5 * edge * np.array([-1.0, 1.0])).ravel()
    levels = np.concatenate([[0.0], field, [0.0]]) / FIELD_PER_VOLT
    return times, np.repeat(levels, 2)[1:-1]


class SttPulse(Parameters):
    """Trapezoidal write pulse."""

    voltage: float = quantity("V", "Open-circuit voltage while the pulse is flat", gt=0)
    flat: float = quantity("s", "Length of the flat part", gt=0)
    edge: float = quantity("s", "Length of each edge", ge=0, default=0.0)


def critical_voltage(device: SttMtj) -> float:
    """Open-circuit voltage [V] that drives the critical current: the limit of the law."""
    limit = device.critical_current
    # No voltage makes the junction more resistive than it is at zero.
    high = limit * device.parallel_resistance * (1 + device.tmr)
    across = brentq(
        lambda voltage: float(junction_current(device, voltage, 0.0)) - limit, 0.0, 1.01 * high
    )
    return float(across) + device.source_resistance * limit


def switching_probability(
    device: SttMtj, voltage: np.ndarray | float, flat: float, edge: float = 0.0
) -> np.ndarray:
    """Probability that one pulse switches the junction: ``1 - exp(-hazard_integral)``."""
    return np.asarray(-np.expm1(-hazard_integral(device, voltage, flat, edge)))
