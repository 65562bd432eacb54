"""A hazard integral that was measured pulse by pulse, in the place of a law.

``ln H`` of one write pulse against its voltage, at even distances; cubic Hermite polynomials with
harmonic mean slopes (Fritsch and Butland 1984) between them, which rise where the points do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from memspice.devices.rate_forms import EXPONENTIAL
from memspice.errors import ConfigError


@dataclass(frozen=True, eq=False)
class MeasuredHazard:
    """Hazard integral of one pulse, in the place of a `memspice.devices.hazard.HazardLaw`.

    Parameters
    ----------
    voltage : ndarray, shape (points,), [V]
        Rising, at even distances.
    log_hazard : ndarray, shape (points,), [1]
        ``ln H`` of a pulse at each voltage; beyond the ends it goes on straight.
    flat, edge : float, [s]
        The pulse it was measured with: length of its flat part and of each edge.
    """

    voltage: np.ndarray
    log_hazard: np.ndarray
    flat: float
    edge: float

    #: Where devices of different V0 have the same rate: measured ones do not differ.
    pivot_voltage = 0.0
    #: Form of the law that touches the curve.
    rate = EXPONENTIAL

    @property
    def _distance(self) -> float:
        return float(self.voltage[1] - self.voltage[0])

    @cached_property
    def _slopes(self) -> np.ndarray:
        """Slope at each point, [1/V]."""
        secants = np.diff(self.log_hazard) / self._distance
        before, after = secants[:-1], secants[1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            means = 2 * before * after / (before + after)
        inner = np.where(before * after > 0, means, 0.0)
        # of the parabola through three points, but never steeper than keeps the curve rising
        ends = np.array([1.5, -0.5]) @ secants[[[0, -1], [1, -2]]]
        most = 3 * np.maximum(secants[[0, -1]], 0.0)
        first, last = np.clip(ends, 0.0, most)
        return np.concatenate([[first], inner, [last]])

    def log_hazard_integral(
        self, voltage: np.ndarray | float, flat: float, edge: float = 0.0
    ) -> np.ndarray:
        """``ln H`` at voltages of any shape [V], for the pulse that it was measured with.

        Raises
        ------
        ConfigError
            If the pulse is another.
        """
        if not (math.isclose(flat, self.flat) and math.isclose(edge, self.edge, abs_tol=1e-18)):
            raise ConfigError(
                f"the neuron was measured with pulses of {self.flat:g} s and edges of "
                f"{self.edge:g} s, not of {flat:g} s and {edge:g} s: measure it again"
            )
        asked = np.asarray(voltage, float)
        inside = np.clip(asked, self.voltage[0], self.voltage[-1])
        place = (inside - self.voltage[0]) / self._distance
        number = np.minimum(place.astype(int), len(self.voltage) - 2)
        value = self._between(number, place - number)
        beyond = asked - inside
        ends = np.where(beyond < 0, self._slopes[0], self._slopes[-1])
        return np.asarray(value + beyond * ends)

    def _between(self, number: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Cubic of an interval at a share of it, 0 to 1."""
        low, high = self.log_hazard[number], self.log_hazard[number + 1]
        start, end = (self._slopes[number + k] * self._distance for k in (0, 1))
        step = high - low
        bend, twist = 3 * step - 2 * start - end, start + end - 2 * step
        return np.asarray(low + share * (start + share * (bend + share * twist)))

    def switching_probability(
        self, voltage: np.ndarray | float, flat: float, edge: float = 0.0
    ) -> np.ndarray:
        """Probability that one pulse switches the device: ``1 - exp(-H)``."""
        integral = np.exp(np.minimum(self.log_hazard_integral(voltage, flat, edge), 50.0))
        return np.asarray(-np.expm1(-integral))

    def shifted(self, voltage: float, log_ratio: float) -> float:
        """Voltage [V] at which ``H`` is ``exp(log_ratio)`` times that at another [V]."""
        wanted = float(self.log_hazard_integral(voltage, self.flat, self.edge)) + log_ratio
        reach = 10 * float(self.voltage[-1] - self.voltage[0])
        return self._where(wanted, float(self.voltage[0]) - reach, float(self.voltage[-1]) + reach)

    def mean_time(self, voltage: float) -> float:
        """Mean time to a switch under pulse after pulse of a voltage [V], gaps left out, [s]."""
        integral = float(self.log_hazard_integral(voltage, self.flat, self.edge))
        return self.flat * math.exp(min(-integral, 600.0))

    def _where(self, log_integral: float, low: float, high: float) -> float:
        """Voltage between two [V] at which ``ln H`` has a value, by bisection."""
        for _ in range(80):
            middle = (low + high) / 2
            below = float(self.log_hazard_integral(middle, self.flat, self.edge)) < log_integral
            low, high = (middle, high) if below else (low, middle)
        return low

    @cached_property
    def _unit(self) -> tuple[float, float]:
        """Voltage at which H is 1, and the slope of ``ln H`` there."""
        rising = np.nonzero((self.log_hazard[:-1] < 0) & (self.log_hazard[1:] >= 0))[0]
        if len(rising) == 0:
            low, high = np.exp(np.clip(self.log_hazard[[0, -1]], -50, 50))
            raise ConfigError(
                f"a pulse at {self.voltage[0]:g} V has a hazard integral of {low:.2g} and one at "
                f"{self.voltage[-1]:g} V of {high:.2g}: none has 1 (P = 63 %) between; widen "
                "neuron.drive, or change the pulse or the device"
            )
        unit = self._where(0.0, float(self.voltage[rising[0]]), float(self.voltage[rising[0] + 1]))
        ends = np.array([-0.5, 0.5]) * self._distance + unit
        values = self.log_hazard_integral(ends, self.flat, self.edge)
        return unit, float(values[1] - values[0]) / self._distance

    def unit_voltage(self, flat: float, edge: float = 0.0) -> float:
        """Voltage [V] at which the hazard integral of a pulse is one (``P`` = 63.2 %)."""
        self.log_hazard_integral(0.0, flat, edge)  # refuses another pulse
        return self._unit[0]

    @property
    def voltage_scale(self) -> float:
        """``V0`` of the exponential law that touches the curve where ``H`` is 1, [V]."""
        return 1 / self._unit[1]

    @property
    def time_scale(self) -> float:
        """``tau0`` of that law, [s]."""
        return self.flat * math.exp(min(self._unit[0] * self._unit[1], 600.0))
