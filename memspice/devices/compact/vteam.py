"""VTEAM: the voltage-threshold adaptive memristor model."""

from __future__ import annotations

import numpy as np
from pydantic import model_validator

from memspice.quantities import Parameters, quantity


class Vteam(Parameters):
    """Constants of the VTEAM model; the NumPy form of ``models/vteam.va`` and ``.lib`` [1]_.

    With ``R(x) = off_resistance - (off_resistance - on_resistance) x``::

        I = V / R(x)
        V > off_threshold:  dx/dt = -off_rate/length (V/off_threshold - 1)^off_exponent f(1 - x)
        V < on_threshold:   dx/dt = -on_rate/length  (V/on_threshold - 1)^on_exponent   f(x)
        f(x) = 1 - x^(2 window_exponent)

    The state x is 1 on, 0 off; the w/D of the literature is ``1 - x``.  A positive voltage turns
    the device off.  Between the thresholds x does not move at all.

    Raises
    ------
    pydantic.ValidationError
        If a value is out of its bounds, or the device conducts better off than on; ConfigError
        where it is made by :func:`~memspice.quantities.validate`.

    Notes
    -----
    The window is Biolek's: it slows the motion only towards the bound ahead, in proportion to what
    is left, so that x comes near the bound, never to a stop, and leaves it at full speed.  The
    original leaves the choice of a window open.  Outside of [0, 1], where only a solver's trial
    states go, f(x) is 1 below and its tangent ``-2 window_exponent (x - 1)`` above: each trial
    leads back and none overflows.  The resistance is the linear one of the two that
    the original offers.

    References
    ----------
    .. [1] Kvatinsky, Ramadan, Friedman, Kolodny, IEEE Trans. Circuits Syst. II 62, 786 (2015).
    """

    on_resistance: float = quantity("ohm", "Resistance of the device that is on", gt=0)
    off_resistance: float = quantity("ohm", "Resistance of the device that is off", gt=0)
    length: float = quantity("m", "D, way of the state variable", gt=0)
    on_rate: float = quantity("m/s", "k_on, speed at twice the threshold", lt=0)
    off_rate: float = quantity("m/s", "k_off, speed at twice the threshold", gt=0)
    on_exponent: float = quantity("1", "alpha_on", ge=1)
    off_exponent: float = quantity("1", "alpha_off", ge=1)
    on_threshold: float = quantity("V", "v_on", lt=0)
    off_threshold: float = quantity("V", "v_off", gt=0)
    window_exponent: float = quantity("1", "p of the window; large is a hard stop", ge=1)
    initial_state: float = quantity("1", "State before the first pulse", ge=0, le=1)
    pulse: float = quantity("s", "Time scale of a run, for SPICE only", gt=0, default=1.0)

    @model_validator(mode="after")
    def _check_order(self) -> Vteam:
        if self.on_resistance >= self.off_resistance:
            raise ValueError(
                f"on_resistance = {self.on_resistance:g} ohm must be below "
                f"off_resistance = {self.off_resistance:g} ohm"
            )
        return self

    def current(self, voltage: np.ndarray | float, state: np.ndarray | float) -> np.ndarray:
        """Current [A], positive for a positive voltage [V]; of the arguments' broadcast shape.

        A state [1] below 0 counts as 0, one above 1 as 1.
        """
        span = self.off_resistance - self.on_resistance
        return np.asarray(voltage / (self.off_resistance - span * np.clip(state, 0.0, 1.0)))

    def state_rate(self, voltage: np.ndarray | float, state: np.ndarray | float) -> np.ndarray:
        """Time derivative of the state [1/s]; arguments as in :meth:`current`.

        Positive below ``on_threshold``, negative above ``off_threshold``, else 0.
        """
        voltage, state = np.asarray(voltage, dtype=float), np.asarray(state, dtype=float)
        on = np.maximum(voltage / self.on_threshold - 1, 0) ** self.on_exponent
        off = np.maximum(voltage / self.off_threshold - 1, 0) ** self.off_exponent
        rise = -self.on_rate * on * self._window(state)
        fall = self.off_rate * off * self._window(1 - state)
        return np.asarray((rise - fall) / self.length)

    def _window(self, way: np.ndarray) -> np.ndarray:
        """Slow-down after ``way`` of 1 has been gone; straight outside of [0, 1]."""
        inside = np.clip(way, 0.0, 1.0)
        beyond = 2 * self.window_exponent * np.maximum(way - 1, 0)
        return np.asarray(1 - np.square(inside) ** self.window_exponent - beyond)
