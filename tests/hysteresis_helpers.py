"""State and current of a memristor under a given voltage: the NumPy form of the compact models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import numpy as np
from scipy.integrate import solve_ivp

from memspice.errors import ConfigError, ConvergenceError, ShapeError

#: Tolerances of the integration, far below those of a circuit simulator.
RELATIVE_TOLERANCE = 1e-9
ABSOLUTE_TOLERANCE = 1e-11
#: No step changes the voltage by more than this share of its peak: a range of voltage in which
#: alone the state moves is not stepped over, unless it is narrower.
VOLTAGE_SHARE = 1 / 64
#: Most evaluations of the rate between two corners, ten times what the steepest device needs.
EVALUATIONS = 20_000


class Memristor(Protocol):
    """A two-terminal device with one state between 0 (off) and 1 (on).

    Both functions work element by element; the shapes of their arguments are broadcast.
    """

    @property
    def initial_state(self) -> float:
        """State before the first pulse, [1]."""
        ...

    def current(self, voltage: np.ndarray | float, state: np.ndarray | float) -> np.ndarray:
        """Current [A] into the positive terminal at ``voltage`` [V]."""
        ...

    def state_rate(self, voltage: np.ndarray | float, state: np.ndarray | float) -> np.ndarray:
        """Time derivative of the state, [1/s]."""
        ...


def trajectory(
    device: Memristor, times: np.ndarray, voltage: np.ndarray, at: np.ndarray | None = None
) -> np.ndarray:
    """State of a device under a piecewise-linear voltage.

    Parameters
    ----------
    device : Memristor
        Starts from its ``initial_state`` at ``times[0]``.
    times : ndarray, shape (corners,), [s]
        Corners of the waveform, rising.
    voltage : ndarray, shape (corners,), [V]
        At the corners; positive at the terminal that ``current`` flows into.
    at : ndarray, shape (points,), [s], optional
        Where the state is wanted, not falling, within the waveform; its corners if not given.

    Returns
    -------
    ndarray, shape (points,), [1]
        ``device.current(voltage, state)`` is the current.

    Raises
    ------
    ShapeError
        If the arrays are not one-dimensional, the waveform's of the same length with at least two
        corners.
    ConfigError
        If a value is not finite, the times do not rise, or ``at`` falls or leaves the waveform.
    ConvergenceError
        If the integration fails: a rate that is not finite, or too many steps.

    Notes
    -----
    LSODA from corner to corner, with tolerances of 1e-9 relative and 1e-11 absolute: it switches
    to an implicit rule where a window holds a fast state at its end.
    """
    times, voltage = _checked_waveform(times, voltage)
    at = times if at is None else _checked_points(at, times)
    peak = float(np.abs(voltage).max())
    states = np.empty_like(at)
    state = device.initial_state
    first = np.searchsorted(at, times)
    for k, duration in enumerate(np.diff(times)):
        segment = _Segment(device, times[k], duration, voltage[k], voltage[k + 1])
        inside = slice(first[k], first[k + 1])
        *states[inside], state = segment.follow(state, at[inside], VOLTAGE_SHARE * peak)
    states[first[-1] :] = state
    return states


@dataclass
class _Segment:
    """Straight piece of the waveform; follows the state in shares of its duration."""

    device: Memristor
    start: float
    duration: float
    first_voltage: float
    last_voltage: float
    evaluations: int = 0

    def follow(self, state: float, at: np.ndarray, voltage_step: float) -> np.ndarray:
        """State at the times ``at`` and, last, at the end."""
        swing = abs(self.last_voltage - self.first_voltage)
        # Times that rounding has made one, or the end, are one to the integrator.
        shares, where = np.unique(
            [*np.minimum((at - self.start) / self.duration, 1.0), 1.0], return_inverse=True
        )
        solution: Any = solve_ivp(
            self._rate,
            (0.0, 1.0),
            [state],
            method="LSODA",
            t_eval=shares,
            rtol=RELATIVE_TOLERANCE,
            atol=ABSOLUTE_TOLERANCE,
            max_step=min(1.0, voltage_step / swing) if swing > 0 else 1.0,
        )
        if not solution.success:
            self._give_up(1.0, state, solution.message)
        return np.asarray(solution.y[0][where])

    def _rate(self, share: float, state: np.ndarray) -> np.ndarray:
        """Change of the state per duration; ends what would go on for ever, or to no number."""
        self.evaluations += 1
        if self.evaluations > EVALUATIONS:
            self._give_up(share, state[0], "too many steps")
        voltage = self.first_voltage + share * (self.last_voltage - self.first_voltage)
        rate = self.device.state_rate(voltage, state)
        if not np.isfinite(rate).all():
            self._give_up(share, state[0], f"a rate of {float(rate[0])} 1/s")
        return rate * self.duration

    def _give_up(self, share: float, state: float, reason: str) -> NoReturn:
        raise ConvergenceError(
            f"the state could not be followed beyond {self.start + share * self.duration:.6g} s, "
            f"where it is {state:.6g}: {reason}; lower the voltage, or check the rate"
        )


def loop_area(voltage: np.ndarray, current: np.ndarray) -> float:
    """Area that a pinched hysteresis loop encloses.

    ``|closed integral of I dV|`` of the half with V >= 0 plus that of the half with V <= 0: the two
    halves of a pinched loop may turn in opposite senses and would cancel.

    Parameters
    ----------
    voltage, current : ndarray, shape (points,), [V], [A]
        One cycle or more; each cycle adds its own area.

    Returns
    -------
    float, [W]

    Notes
    -----
    The trapezium rule over the points given; a segment through zero voltage is attributed to
    neither half beyond zero, as the current vanishes there.
    """
    halves = (np.maximum(voltage, 0), np.minimum(voltage, 0))
    return float(sum(abs(np.trapezoid(current, half)) for half in halves))


def _checked_waveform(times: np.ndarray, voltage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64, or an error."""
    times, voltage = np.asarray(times, dtype=float), np.asarray(voltage, dtype=float)
    if times.ndim != 1 or times.shape != voltage.shape or times.size < 2:
        raise ShapeError(
            f"times {times.shape} and voltage {voltage.shape} must be one-dimensional, of the same "
            "length, with at least two corners"
        )
    if not (np.isfinite(times).all() and np.isfinite(voltage).all()):
        raise ConfigError("times and voltage must be finite: look for NaN in the waveform")
    if not (np.diff(times) > 0).all():
        index = int(np.argmin(np.diff(times)))
        raise ConfigError(
            f"times must rise, but times[{index + 1}] = {times[index + 1]:g} s follows "
            f"{times[index]:g} s; sort them and remove doubles"
        )
    return times, voltage


def _checked_points(at: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Times where the state is wanted as float64, or an error."""
    at = np.asarray(at, dtype=float)
    if at.ndim != 1:
        raise ShapeError(f"at {at.shape} must be one-dimensional")
    inside = (times[0] <= at) & (at <= times[-1])  # False where it is NaN
    if not inside.all() or (np.diff(at) < 0).any():
        raise ConfigError(
            f"at must rise within the waveform, {times[0]:g} s to {times[-1]:g} s: sort it, or "
            "give the waveform more corners"
        )
    return at
