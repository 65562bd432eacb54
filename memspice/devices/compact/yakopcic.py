"""The generalised memristor model of Yakopcic et al."""

from __future__ import annotations

import numpy as np

from memspice.devices.synapse_iv import bounded_sinh
from memspice.quantities import Parameters, quantity

#: Largest voltage in an exponential, [V]: far beyond any device, and no overflow.
VOLTAGE_LIMIT = 40.0


class Yakopcic(Parameters):
    """Constants of the model; the NumPy form of ``models/yakopcic.va`` and ``.lib`` [1]_.

    ::

        I = a x sinh(curvature V),  a = positive_amplitude for V > 0, else negative_amplitude
        V > positive_threshold:
            dx/dt = positive_rate (e^V - e^positive_threshold) f+(x)
            f+ = exp(-positive_decay (x - positive_edge)) (1 - x)/(1 - positive_edge)
        V < -negative_threshold:
            dx/dt = -negative_rate (e^-V - e^negative_threshold) f-(x)
            f- = exp(negative_decay (x - 1 + negative_edge)) x/(1 - negative_edge)

    with ``f+ = 1`` for x below ``positive_edge``, ``f- = 1`` for x above ``1 - negative_edge``, and
    no motion between the thresholds; V stands in volt in ``e^V``.  The state x is 1 where the
    device conducts best, 0 where it does not at all.

    Raises
    ------
    pydantic.ValidationError
        If a value is out of its bounds; ConfigError where it is made by
        :func:`~memspice.quantities.validate`.

    Notes
    -----
    Both windows go to zero in proportion to what is left, so x stays between 0 and 1 by itself.
    The paper's ``eta = -1`` is the device turned round: exchange the terminals, and the positive
    amplitude, rate and threshold with the negative ones.

    References
    ----------
    .. [1] Yakopcic, Taha, Subramanyam, Pino, IEEE Trans. Comput.-Aided Des. 32, 1201 (2013).
    """

    positive_amplitude: float = quantity("A", "a1, current scale for V > 0", gt=0)
    negative_amplitude: float = quantity("A", "a2, current scale for V < 0", gt=0)
    curvature: float = quantity("1/V", "b", gt=0)
    positive_rate: float = quantity("1/s", "Ap", ge=0)
    negative_rate: float = quantity("1/s", "An", ge=0)
    positive_threshold: float = quantity("V", "Vp", ge=0)
    negative_threshold: float = quantity("V", "Vn, as a positive number", ge=0)
    positive_decay: float = quantity("1", "alpha_p", ge=0)
    negative_decay: float = quantity("1", "alpha_n", ge=0)
    positive_edge: float = quantity("1", "xp, state from which a rise slows down", ge=0, lt=1)
    negative_edge: float = quantity(
        "1", "xn, 1 - xn is the state from which a fall slows down", ge=0, lt=1
    )
    initial_state: float = quantity("1", "State before the first pulse", ge=0, le=1)
    pulse: float = quantity("s", "Time scale of a run, for SPICE only", gt=0, default=1.0)

    def current(self, voltage: np.ndarray | float, state: np.ndarray | float) -> np.ndarray:
        """Current [A], positive for a positive voltage [V]; of the arguments' broadcast shape.

        A state [1] below 0 counts as 0, one above 1 as 1.
        """
        voltage = np.asarray(voltage, dtype=float)
        amplitude = np.where(voltage > 0, self.positive_amplitude, self.negative_amplitude)
        return np.asarray(
            amplitude * np.clip(state, 0.0, 1.0) * bounded_sinh(self.curvature * voltage)
        )

    def state_rate(self, voltage: np.ndarray | float, state: np.ndarray | float) -> np.ndarray:
        """Time derivative of the state [1/s]; arguments as in :meth:`current`.

        Positive above ``positive_threshold``, negative below ``-negative_threshold``, else 0.
        """
        voltage, state = np.asarray(voltage, dtype=float), np.asarray(state, dtype=float)
        rise = self.positive_rate * _drive(voltage, self.positive_threshold)
        rise = rise * _window(1 - state, 1 - self.positive_edge, self.positive_decay)
        fall = self.negative_rate * _drive(-voltage, self.negative_threshold)
        fall = fall * _window(state, 1 - self.negative_edge, self.negative_decay)
        return np.asarray(rise - fall)


def _drive(voltage: np.ndarray, threshold: float) -> np.ndarray:
    """Growth of ``e^V`` beyond the threshold."""
    grown = np.exp(np.minimum(voltage, VOLTAGE_LIMIT)) - np.exp(threshold)
    return np.asarray(np.maximum(grown, 0))


def _window(left: np.ndarray, edge: float, decay: float) -> np.ndarray:
    """Slow-down where less than ``edge`` of the way is ``left`` to the bound."""
    return np.asarray(np.exp(decay * np.minimum(left - edge, 0)) * np.minimum(left / edge, 1))
