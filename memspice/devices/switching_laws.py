"""Laws of stochastic switching that measured points can be fitted with.

All give the hazard integral ``H`` of a flat pulse of length ``t`` at a voltage ``V``; the device
switches with ``P = 1 - exp(-H)``.  With ``h = (t / tau0) exp(V / V0)``, the integral of
:class:`~memspice.devices.hazard.HazardLaw`:

==============  ===========================================  =======================================
law             hazard integral                              what it says of the device
==============  ===========================================  =======================================
exponential     ``h``                                        one activated step
Neel-Brown      ``(t / t_a) exp(-D (1 - V / Vc)^n)``         one barrier, which vanishes at ``Vc``
incubation      ``max(0, h - h0)``                           nothing happens before ``h0 tau(V)``
mixed barriers  ``ln(1 + s h) / s``                          rates differ from event to event
==============  ===========================================  =======================================

The Neel-Brown exponent lies between 1 (a torque on a perpendicular free layer) and 2 (a field along
the easy axis), 3/2 at a fold of the energy; above ``Vc`` there is no barrier left.  Rates of mixed
barriers are Gamma-distributed with mean 1 and variance ``s``, which mixes exponential waits.
Incubation and mixed barriers hold the exponential law as their limit at 0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np


@dataclass(frozen=True)
class LawQuantity:
    """A number that a law reports: its name, unit and meaning; positive ones are log-scaled."""

    name: str
    unit: str
    doc: str
    positive: bool = True


class Bounds(NamedTuple):
    """Range of a coordinate; an end is real where the law itself ends there."""

    low: float
    high: float
    low_is_real: bool = False
    high_is_real: bool = False


#: Hazard integral [1] below which incubation is softened: a probability of 0.3 %.
SOFT = 3e-3

V0 = LawQuantity("voltage_scale", "V", "V0, the voltage that raises the rate e times")
TAU0 = LawQuantity("time_scale", "s", "tau0, the mean time to a switch without voltage")
V50 = LawQuantity("median_voltage", "V", "half of the pulses switch", positive=False)
H0 = LawQuantity("incubation", "1", "hazard integral before which nothing switches", False)
SPREAD = LawQuantity("rate_variance", "1", "variance of the rate between events", False)


@dataclass(frozen=True)
class SwitchingLaw(ABC):
    """A law with free parameters, in coordinates that suit an optimiser.

    Parameters
    ----------
    reference_time : float, [s]
        Pulse of which ``median_voltage`` is reported.
    """

    reference_time: float

    name: ClassVar[str]
    formula: ClassVar[str]
    quantities: ClassVar[tuple[LawQuantity, ...]]
    #: Lowest and highest value of each coordinate.
    bounds: ClassVar[tuple[Bounds, ...]]

    @property
    def size(self) -> int:
        """Number of free parameters."""
        return len(self.bounds)

    @abstractmethod
    def starts(self, middle: float, scale: float) -> list[np.ndarray]:
        """Coordinates to begin a fit from.

        Parameters
        ----------
        middle : float, [V]
            Voltage at which the hazard integral of the reference pulse is about one.
        scale : float, [V]
            About ``V0``.
        """

    def units(self, scale: float) -> np.ndarray:
        """Steps of the coordinates that matter about equally, where ``V0`` is about ``scale``."""
        return np.array([scale, *[0.3] * (self.size - 1)])

    @abstractmethod
    def log_integral(
        self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """``ln H`` of pulses at voltages [V] of lengths [s]; minus infinity where ``H`` is 0."""

    @abstractmethod
    def log_rate(
        self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """``ln dH/dt`` [ln 1/s] at the end of such pulses."""

    @abstractmethod
    def values(self, coordinates: np.ndarray) -> np.ndarray:
        """Reported values, in the order of ``quantities``."""

    def switching_probability(
        self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """``P = 1 - exp(-H)``, [1]."""
        return np.asarray(-np.expm1(-np.exp(self.log_integral(coordinates, voltage, time))))

    @abstractmethod
    def switching_time(
        self, coordinates: np.ndarray, voltage: np.ndarray, draw: np.ndarray
    ) -> np.ndarray:
        """Time [s] at which ``H`` reaches a draw ``E`` [1]."""


class ExponentialLaw(SwitchingLaw):
    """``H = h = (t / tau0) exp(V / V0)``; coordinates: voltage of ``h = 1``, ``ln V0``."""

    name = "exponential"
    formula = "H = h = (t / tau0) exp(V / V0)"
    quantities: ClassVar[tuple[LawQuantity, ...]] = (V50, V0, TAU0)
    bounds: ClassVar[tuple[Bounds, ...]] = (
        Bounds(-1e3, 1e3),
        Bounds(math.log(1e-6), math.log(1e3)),
    )

    def starts(self, middle: float, scale: float) -> list[np.ndarray]:
        """Starts of a fit: the one that middle and scale give."""
        return [np.array([middle, math.log(scale)])]

    def log_step(
        self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """``ln h`` of the activated step."""
        middle, log_scale = coordinates[:2]
        step = np.log(time / self.reference_time) + (voltage - middle) / math.exp(log_scale)
        return np.asarray(np.clip(step, -600.0, 600.0))

    def log_integral(
        self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """``ln h``."""
        return self.log_step(coordinates, voltage, time)

    def log_rate(
        self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """``ln (h / t)``, at any time the same."""
        return np.asarray(self.log_step(coordinates, voltage, time) - np.log(time))

    def values(self, coordinates: np.ndarray) -> np.ndarray:
        """``V50``, ``V0``, ``tau0``."""
        middle, scale = coordinates[0], math.exp(coordinates[1])
        median = middle + scale * math.log(self.step_of(coordinates, math.log(2)))
        time_scale = self.reference_time * math.exp(min(middle / scale, 600.0))
        return np.array([median, scale, time_scale, *coordinates[2:]])

    def step_of(self, coordinates: np.ndarray, draw: np.ndarray | float) -> np.ndarray | float:
        """``h`` at which ``H`` reaches a draw, [1]."""
        return draw

    def switching_time(
        self, coordinates: np.ndarray, voltage: np.ndarray, draw: np.ndarray
    ) -> np.ndarray:
        """Time after which devices of these draws switch, [s]."""
        one = np.full(np.shape(voltage), self.reference_time)
        needed = np.log(self.step_of(coordinates, draw))
        return np.asarray(one * np.exp(needed - self.log_step(coordinates, voltage, one)))


class IncubationLaw(ExponentialLaw):
    """``H = max(0, h - h0)``: a delay in units of ``tau(V)``, then the exponential law.

    Below ``h0 + SOFT`` it has an exponential tail, so that one early switch is improbable and not
    impossible: its likelihood then has no edge that moves with the parameters.
    """

    name = "incubation"
    formula = "H = max(0, h - h0), h = (t / tau0) exp(V / V0)"
    quantities = (*ExponentialLaw.quantities, H0)
    bounds = (*ExponentialLaw.bounds, Bounds(0.0, 1e3, low_is_real=True))

    def starts(self, middle: float, scale: float) -> list[np.ndarray]:
        """From a short delay, and from a long one with a step that is less steep."""
        return [
            np.array([middle, math.log(scale), 0.02]),
            np.array([middle - 2 * scale, math.log(2 * scale), 0.5]),
        ]

    def log_integral(
        self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """``ln (h - h0)``, and its tail."""
        over = self._over(coordinates, voltage, time)
        tail = math.log(SOFT) - 1 + np.minimum(over, SOFT) / SOFT
        return np.asarray(np.where(over > SOFT, np.log(np.maximum(over, SOFT)), tail))

    def log_rate(
        self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """``ln (h / t)`` once the delay is over."""
        over = self._over(coordinates, voltage, time)
        return super().log_rate(coordinates, voltage, time) + np.minimum(over / SOFT - 1, 0.0)

    def _over(self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(self.log_step(coordinates, voltage, time)) - coordinates[2])

    def step_of(self, coordinates: np.ndarray, draw: np.ndarray | float) -> np.ndarray | float:
        """``h0 + E``."""
        early = SOFT * (1 + np.log(np.minimum(draw, SOFT) / SOFT))
        step = float(coordinates[2]) + np.where(np.asarray(draw) > SOFT, draw, early)
        return np.asarray(np.maximum(step, 1e-30))


class MixedLaw(ExponentialLaw):
    """``H = ln(1 + s h) / s``: the rate of each event is drawn from a Gamma distribution."""

    name = "mixed barriers"
    formula = "H = ln(1 + s h) / s, h = (t / tau0) exp(V / V0)"
    quantities = (*ExponentialLaw.quantities, SPREAD)
    bounds = (*ExponentialLaw.bounds, Bounds(0.0, 1e3, low_is_real=True))

    def starts(self, middle: float, scale: float) -> list[np.ndarray]:
        """From a narrow spread, and from wide ones with a steeper step."""
        return [
            np.array([middle, math.log(scale), 0.05]),
            np.array([middle - 0.5 * scale, math.log(0.5 * scale), 2.0]),
            np.array([middle - scale, math.log(0.1 * scale), 15.0]),
        ]

    def log_integral(
        self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """``ln (ln(1 + s h) / s)``."""
        step = np.exp(self.log_step(coordinates, voltage, time))
        spread = max(float(coordinates[2]), 1e-12)
        return np.asarray(np.log(np.log1p(spread * step) / spread))

    def log_rate(
        self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """``ln (h / t) - ln(1 + s h)``."""
        step = np.exp(self.log_step(coordinates, voltage, time))
        rate = super().log_rate(coordinates, voltage, time)
        return np.asarray(rate - np.log1p(coordinates[2] * step))

    def step_of(self, coordinates: np.ndarray, draw: np.ndarray | float) -> np.ndarray | float:
        """``(exp(s E) - 1) / s``."""
        spread = max(float(coordinates[2]), 1e-12)
        return np.asarray(np.expm1(np.minimum(spread * np.asarray(draw), 600.0)) / spread)


class NeelBrownLaw(SwitchingLaw):
    """``H = (t / t_a) exp(-D (1 - V / Vc)^n)``; coordinates ``ln t_a``, ``ln D``, ``Vc``, ``n``."""

    name = "Neel-Brown"
    formula = "H = (t / t_a) exp(-D (1 - V / Vc)^n), no barrier above Vc"
    quantities = (
        V50,
        LawQuantity("attempt_time", "s", "t_a, inverse attempt rate"),
        LawQuantity("barrier", "1", "D, barrier in kT without voltage"),
        LawQuantity("critical_voltage", "V", "Vc, at which the barrier vanishes"),
        LawQuantity("exponent", "1", "n of the barrier", positive=False),
    )
    bounds = (
        Bounds(math.log(1e-18), math.log(1e6)),
        Bounds(math.log(1e-2), math.log(1e4)),
        Bounds(1e-6, 1e3),
        Bounds(1.0, 2.0, low_is_real=True, high_is_real=True),
    )

    def starts(self, middle: float, scale: float) -> list[np.ndarray]:
        """Starts of a fit: the same level and slope at the middle, for several attempt times."""
        found, exponent = [], 1.5
        for share in (1e-4, 1e-2, 0.2):
            level = -math.log(share)
            critical = max(middle + exponent * level * scale, 1e-3 * scale)
            barrier = level / min(exponent * level * scale / critical, 1.0) ** exponent
            start = np.log([share * self.reference_time, barrier])
            found.append(np.array([*start, critical, exponent]))
        return found

    def units(self, scale: float) -> np.ndarray:
        """Steps of the coordinates that matter about equally."""
        return np.array([1.0, 0.1, scale, 0.1])

    def _log_wait(self, coordinates: np.ndarray, voltage: np.ndarray) -> np.ndarray:
        """``ln tau(V)``."""
        log_attempt, log_barrier, critical, exponent = coordinates
        left = np.maximum(1 - np.asarray(voltage) / critical, 0.0)
        return np.asarray(log_attempt + np.minimum(np.exp(log_barrier) * left**exponent, 600.0))

    def log_integral(
        self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """``ln (t / tau(V))``."""
        return np.asarray(np.minimum(np.log(time) - self._log_wait(coordinates, voltage), 600.0))

    def log_rate(
        self, coordinates: np.ndarray, voltage: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """``-ln tau(V)``, at any time the same."""
        return -self._log_wait(coordinates, voltage)

    def values(self, coordinates: np.ndarray) -> np.ndarray:
        """``V50``, ``t_a``, ``D``, ``Vc``, ``n``; no ``V50`` where ``Vc`` does not do."""
        log_attempt, log_barrier, critical, exponent = coordinates
        needed = math.log(self.reference_time / math.log(2)) - log_attempt
        left = (max(needed, 0.0) / math.exp(log_barrier)) ** (1 / exponent)
        median = critical * (1 - left)
        return np.array([median, math.exp(log_attempt), math.exp(log_barrier), critical, exponent])

    def switching_time(
        self, coordinates: np.ndarray, voltage: np.ndarray, draw: np.ndarray
    ) -> np.ndarray:
        """Time after which devices of these draws switch, [s]."""
        return np.asarray(draw * np.exp(self._log_wait(coordinates, voltage)))


#: Every law, the simplest first.
LAWS: tuple[type[SwitchingLaw], ...] = (ExponentialLaw, IncubationLaw, MixedLaw, NeelBrownLaw)
