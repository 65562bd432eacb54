"""Measured switching: counts of pulses that switched a device, or the times at which it did."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.special import xlogy

from memspice.devices.switching_laws import LAWS, IncubationLaw, SwitchingLaw
from memspice.errors import ConfigError

#: Euler's constant: minus the mean logarithm of an exponential draw.
_EULER = 0.5772156649015329
#: Fewest switches, and failures, that make a count normal (Cochran 1954); and the share of points
#: that may have fewer before the deviance is no longer taken as a chi-square.
FEWEST, SHARE_BELOW = 5.0, 0.2


@dataclass(frozen=True, eq=False)
class SwitchingPoints(ABC):
    """Points of one device and one direction of switching.

    Parameters
    ----------
    voltage : ndarray, shape (n,), [V]
        Over the device; rising voltages switch it more often.
    time : ndarray, shape (n,), [s]
        Length of the pulses, or time of the switch.
    """

    voltage: np.ndarray
    time: np.ndarray

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.voltage)

    @property
    def reference_time(self) -> float:
        """Pulse of which a median voltage is reported: the geometric mean of all, [s]."""
        return float(np.exp(np.mean(np.log(self.time))))

    @property
    def laws(self) -> tuple[type[SwitchingLaw], ...]:
        """Laws whose likelihood such points have intervals for."""
        return LAWS

    @property
    def pulse(self) -> float | None:
        """The one length of all pulses [s], if there is one."""
        return None

    def check(self) -> None:
        """Refuse points from which no slope can be had.

        Raises
        ------
        ConfigError
            If all are at one voltage, none or all of the pulses switched, or switching gets rarer
            as the voltage rises.
        """
        span = float(np.ptp(self.voltage))
        if span == 0:
            raise ConfigError(
                f"all points are at {self.voltage[0]:g} V: a law of voltage needs two voltages"
            )
        if self.line()[2] <= 0:
            raise ConfigError(
                "switching does not get more frequent as the voltage rises: give the magnitude of "
                "the voltage in the direction that switches"
            )

    @abstractmethod
    def line(self) -> tuple[float, float, float]:
        """A line through ``ln h``: voltage [V] and height in the middle, slope [1/V]."""

    def start(self) -> tuple[float, float]:
        """Middle and scale [V] of an exponential law near the points.

        Points that say nothing of a slope give a fifth of their span.
        """
        middle, height, slope = self.line()
        scale = 1 / slope if slope > 0 else float(np.ptp(self.voltage)) / 5
        return middle - height * scale, scale

    @abstractmethod
    def misfit(self, law: SwitchingLaw, coordinates: np.ndarray) -> float:
        """``-2 ln L``, of counts relative to a law of one probability a point: the deviance."""

    @abstractmethod
    def statistic(self, law: SwitchingLaw, coordinates: np.ndarray) -> float:
        """How far the points are from a law; the larger, the farther."""

    @abstractmethod
    def is_chi_square(self, law: SwitchingLaw, coordinates: np.ndarray) -> bool:
        """Whether the statistic follows a chi-square where the law holds."""

    @abstractmethod
    def draw(self, law: SwitchingLaw, coordinates: np.ndarray, rng: np.random.Generator) -> Self:
        """Points of the same pulses as a law would give them."""


@dataclass(frozen=True, eq=False)
class SwitchingCounts(SwitchingPoints):
    """Counts of how many of some equal pulses switched.

    Parameters
    ----------
    switched, trials : ndarray, shape (n,)
        Whole numbers; the pulses are independent and begin from the unswitched device.
    """

    switched: np.ndarray
    trials: np.ndarray

    @property
    def pulse(self) -> float | None:
        """The one length of all pulses [s], if there is one."""
        return float(self.time[0]) if np.ptp(self.time) == 0 else None

    @property
    def share(self) -> np.ndarray:
        """Share of the pulses that switched."""
        return np.asarray(self.switched / self.trials)

    def check(self) -> None:
        """Refuse points that cannot tell a law; counts need both outcomes."""
        total = int(self.switched.sum())
        if total in (0, int(self.trials.sum())):
            raise ConfigError(
                f"{'every' if total else 'no'} pulse of all points switched: measure where some do"
            )
        super().check()

    def line(self) -> tuple[float, float, float]:
        """Weighted line through ``ln(-ln(1 - P))``."""
        share = (self.switched + 0.5) / (self.trials + 1)
        height = np.log(-np.log1p(-share)) - np.log(self.time / self.reference_time)
        return _line(self.voltage, height, self.trials * share * (1 - share))

    def misfit(self, law: SwitchingLaw, coordinates: np.ndarray) -> float:
        """Deviance against one probability a point."""
        hazard = np.exp(law.log_integral(coordinates, self.voltage, self.time))
        failed = self.trials - self.switched
        chance = np.maximum(-np.expm1(-hazard), 1e-300)
        found = xlogy(self.switched, chance) - failed * np.minimum(hazard, 1e200)
        best = xlogy(self.switched, self.share) + xlogy(failed, 1 - self.share)
        return float(2 * np.sum(best - found))

    def statistic(self, law: SwitchingLaw, coordinates: np.ndarray) -> float:
        """The deviance."""
        return self.misfit(law, coordinates)

    def draw(self, law: SwitchingLaw, coordinates: np.ndarray, rng: np.random.Generator) -> Self:
        """Binomial counts."""
        chance = law.switching_probability(coordinates, self.voltage, self.time)
        return replace(self, switched=rng.binomial(self.trials, chance))

    def is_chi_square(self, law: SwitchingLaw, coordinates: np.ndarray) -> bool:
        """Whether few expected counts are small."""
        chance = law.switching_probability(coordinates, self.voltage, self.time)
        least = self.trials * np.minimum(chance, 1 - chance)
        return float(np.mean(least < FEWEST)) <= SHARE_BELOW


@dataclass(frozen=True, eq=False)
class SwitchingTimes(SwitchingPoints):
    """Times at which the device switched under steady voltages.

    A delay is not fitted to them: the earliest switch would decide it, and an interval of it would
    not be that of the likelihood.
    """

    @property
    def laws(self) -> tuple[type[SwitchingLaw], ...]:
        """All but incubation."""
        return tuple(kind for kind in LAWS if kind is not IncubationLaw)

    def line(self) -> tuple[float, float, float]:
        """Line through ``-ln t``, whose mean is Euler's constant above that of ``-ln tau``."""
        height = -np.log(self.time / self.reference_time) - _EULER
        return _line(self.voltage, height, np.ones(len(self)))

    def misfit(self, law: SwitchingLaw, coordinates: np.ndarray) -> float:
        """``-2 ln L`` with times in units of the reference."""
        hazard = np.exp(law.log_integral(coordinates, self.voltage, self.time))
        rate = law.log_rate(coordinates, self.voltage, self.time) + math.log(self.reference_time)
        found = np.maximum(rate, -1e6) - np.minimum(hazard, 1e200)
        return float(-2 * np.sum(found))

    def statistic(self, law: SwitchingLaw, coordinates: np.ndarray) -> float:
        """Anderson-Darling distance of ``1 - exp(-H)`` from even draws between 0 and 1."""
        hazard = np.sort(np.exp(law.log_integral(coordinates, self.voltage, self.time)))
        log_below = np.log(np.maximum(-np.expm1(-hazard), 1e-300))
        count = len(hazard)
        odd = 2 * np.arange(1, count + 1) - 1
        return float(-count - np.sum(odd * (log_below - hazard[::-1])) / count)

    def is_chi_square(self, law: SwitchingLaw, coordinates: np.ndarray) -> bool:
        """Never."""
        return False

    def draw(self, law: SwitchingLaw, coordinates: np.ndarray, rng: np.random.Generator) -> Self:
        """Times at which the integral reaches ``E ~ Exp(1)``."""
        draws = rng.exponential(size=len(self))
        time = law.switching_time(coordinates, self.voltage, draws)
        return replace(self, time=np.clip(time, 1e-300, 1e300))


def _line(
    voltage: np.ndarray, height: np.ndarray, weight: np.ndarray
) -> tuple[float, float, float]:
    """Weighted middle of some points, and the slope of a line through it."""
    middle = float(np.average(voltage, weights=weight))
    level = float(np.average(height, weights=weight))
    apart = voltage - middle
    slope = float(np.sum(weight * apart * (height - level)) / np.sum(weight * apart**2))
    return middle, level, slope
