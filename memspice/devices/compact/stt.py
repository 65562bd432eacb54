r"""Thermally activated spin-transfer-torque MTJ: written by the current through its junction.

Junction, antiparallel at rest and parallel once switched (``TMR(V) = TMR0 / (1 + (V/Vh)^2)``):

    I = V / R_P * (1 + w + TMR0 x) / (1 + w + TMR0),    w = (V / Vh)^2

with the alignment ``x`` = 0 antiparallel, 1 parallel.  An unswitched junction that carries ``I``
switches at the Neel-Brown rate, linear in the current,

    1 / tau(I) = exp(-D (1 - I / Ic0)) / t_a

so a flat pulse of length ``t`` switches with ``P = 1 - exp(-t / tau(I))``.  The law holds for
``I < Ic0`` and pulses of about 10 ns or more: shorter ones are precessional, and beyond the
critical current nothing is activated.  Positive voltage and current switch to parallel.

A circuit as the junction sees it is an open-circuit voltage behind ``source_resistance``.  `I` is
always the current of the unswitched junction in that circuit, also after a switch, so that every
event has a hazard integral to compare with.  At another temperature scale ``D`` by ``T_ref / T``.
"""

from __future__ import annotations

import numpy as np

from memspice.errors import ConfigError
from memspice.quantities import Parameters, format_si, quantity

#: Nodes of Gauss and Legendre on an edge: exact to rounding up to a barrier of some 100 kT.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)


class SttMtj(Parameters):
    """Parameters of the models ``stt_mtj.va`` and ``stt_mtj.lib``, by the same names."""

    attempt_time: float = quantity("s", "Inverse attempt rate", gt=0)
    barrier: float = quantity("1", "Barrier height in kT", gt=0)
    critical_current: float = quantity("A", "Current at which the barrier vanishes", gt=0)
    parallel_resistance: float = quantity("ohm", "Junction resistance when switched", gt=0)
    tmr: float = quantity("1", "Tunnel magnetoresistance at zero voltage", ge=0)
    roll_off_voltage: float = quantity("V", "Voltage that halves the magnetoresistance", gt=0)
    source_resistance: float = quantity("ohm", "Resistance that the junction sees", ge=0)
    reset_threshold: float = quantity("V", "Reverse voltage at which reset sets in", gt=0)
    pulse: float = quantity("s", "Scale of the write pulse, for the solver's charges", gt=0)
    set_time: float = quantity("s", "Time constant of a switch", gt=0)
    reset_time: float = quantity("s", "Time constant of a reset at twice its threshold", gt=0)
    window: float = quantity("1", "Relative width of the threshold", gt=0)


def junction_conductance(
    voltage: np.ndarray | float,
    alignment: np.ndarray | float,
    *,
    parallel_resistance: float,
    tmr: float,
    roll_off_voltage: float,
) -> np.ndarray:
    """Conductance of a magnetic tunnel junction, ``I / V``.

    Parameters
    ----------
    voltage : array_like, any shape, [V]
        Over the junction; the conductance is even in it.
    alignment : array_like, same shape, [1]
        ``(1 + cos(theta)) / 2`` of the angle between the layers: 0 antiparallel, 1 parallel.
    parallel_resistance, roll_off_voltage : float, [ohm], [V]
    tmr : float, [1]
        At zero voltage.

    Returns
    -------
    ndarray, same shape, [S]
        Rises with the alignment; when antiparallel also with the size of the voltage.

    Notes
    -----
    ``R(theta)`` of JaredArz/Stochastic_MTJ_Model@12fcf4c and
    ferrispnugraha/vgsot_python_model@aa64abb, for voltages of either sign below breakdown.
    """
    rolled = 1 + (np.asarray(voltage) / roll_off_voltage) ** 2
    return np.asarray(
        (rolled + tmr * np.asarray(alignment)) / (parallel_resistance * (rolled + tmr))
    )


def junction_current(
    device: SttMtj, voltage: np.ndarray | float, alignment: np.ndarray | float
) -> np.ndarray:
    """Current [A] through a junction at ``voltage`` [V], positive from p to n."""
    return np.asarray(np.asarray(voltage) * _conductance(device, voltage, alignment))


def unswitched_current(device: SttMtj, voltage: np.ndarray | float) -> np.ndarray:
    """Current of the antiparallel junction behind the source resistance.

    Parameters
    ----------
    device : SttMtj
    voltage : array_like, any shape, [V]
        Open-circuit voltage.

    Returns
    -------
    ndarray, same shape, [A]
        Of the sign of the voltage, and rising with it.
    """
    voltage = np.asarray(voltage, dtype=float)
    # ``v + r I(v) = V`` rises with v and so has one root, between 0 and V: 60 halvings find it to
    # rounding, whatever the curve.
    low, high = np.minimum(voltage, 0), np.maximum(voltage, 0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        drop = device.source_resistance * junction_current(device, middle, 0.0)
        below = middle + drop < voltage
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return junction_current(device, 0.5 * (low + high), 0.0)


def log_hazard(device: SttMtj, current: np.ndarray | float) -> np.ndarray:
    """Logarithm of the switching rate times one second.

    Parameters
    ----------
    device : SttMtj
    current : array_like, any shape, [A]
        Of the unswitched junction; negative currents stabilise it.

    Returns
    -------
    ndarray, same shape, [1]
        ``ln(1 s / tau)``.

    Raises
    ------
    ConfigError
        If a current is not finite, or not below the critical current: the barrier is gone there.
    """
    current = np.asarray(current, dtype=float)
    if not np.isfinite(current).all():
        raise ConfigError(f"a junction current of {current} A must be finite")
    worst = float(current.max(initial=-np.inf))
    if worst >= device.critical_current:
        raise ConfigError(
            f"a junction current of {format_si(worst, 'A')} is not below the critical current of "
            f"{format_si(device.critical_current, 'A')}: the Neel-Brown law ends there; lower the "
            "write voltage, or simulate the magnetisation (memspice.devices.magnet.macrospin)"
        )
    exponent = -device.barrier * (1 - current / device.critical_current)
    return np.asarray(exponent - np.log(device.attempt_time))


def hazard_integral(
    device: SttMtj, voltage: np.ndarray | float, flat: float, edge: float = 0.0
) -> np.ndarray:
    """Hazard integral over one trapezoidal pulse.

    Parameters
    ----------
    device : SttMtj
    voltage : array_like, any shape, [V]
        Open-circuit voltage while the pulse is flat.
    flat, edge : float, [s]
        Length of the flat part and of each linear edge.

    Returns
    -------
    ndarray, same shape, [1]
        The device switches when it is at least ``E ~ Exp(1)``.

    Raises
    ------
    ConfigError
        As :func:`log_hazard`.
    """
    voltage = np.asarray(voltage, dtype=float)
    integral = flat * np.exp(log_hazard(device, unswitched_current(device, voltage)))
    if edge > 0:
        ramp = voltage[..., None] * (0.5 + 0.5 * _NODES)
        rate = np.exp(log_hazard(device, unswitched_current(device, ramp)))
        integral = integral + edge * (rate @ _WEIGHTS)  # two edges of mean weight one half
    return np.asarray(integral)


def _conductance(
    device: SttMtj, voltage: np.ndarray | float, alignment: np.ndarray | float
) -> np.ndarray:
    return junction_conductance(
        voltage,
        alignment,
        parallel_resistance=device.parallel_resistance,
        tmr=device.tmr,
        roll_off_voltage=device.roll_off_voltage,
    )
