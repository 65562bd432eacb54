"""How the rate of switching grows with the voltage: two forms that share their high field.

With ``v = V / V0`` the rate is, in units of ``1 / tau0``,

==============  =====================  ============================================================
form            rate                   what it says of the device
==============  =====================  ============================================================
``exponential`` ``exp(v)``             a barrier that the voltage lowers; without voltage the device
                                       still switches, after ``tau0`` in the mean
``sinh``        ``2 sinh(v)``, v > 0   hops along the field less hops against it, which balance at
                                       rest: no voltage, no switch
==============  =====================  ============================================================

Their slope is the same where ``exp(-2 v)`` is nothing beside 1: above ``2.3 V0`` they differ by
less than 1 %, so a sense stage that drifts by a share of ``V0`` within a pulse is the same for
both.  That ions hop both ways, and drift as ``sinh``: Mott and Gurney, *Electronic Processes in
Ionic Crystals* (1940).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

#: Scaled voltage below which `SinhForm` goes on as there, so that its logarithm stays finite: the
#: rate is 1e-30 of ``1 / tau0``.
_REST = 5e-31
#: Scaled voltage above which ``sinh`` and half the exponential are one number.
_HIGH = 40.0


@dataclass(frozen=True)
class RateForm(ABC):
    """Rate of switching in units of ``1 / tau0`` against ``v = V / V0``."""

    #: The same as a figure writes it, up to a factor.
    formula: ClassVar[str]
    #: What the models of the devices are told of it.
    model_parameters: ClassVar[Mapping[str, float]]

    @abstractmethod
    def log_pulse_integral(
        self, scaled: np.ndarray, offset: np.ndarray | float, edges: float
    ) -> np.ndarray:
        """Logarithm of the hazard integral over a trapezoidal pulse.

        Parameters
        ----------
        scaled : ndarray, [1]
            ``v`` while the pulse is flat.
        offset : ndarray or float, [1]
            Logarithm of its flat length over ``tau0``, of the shape and the precision of
            ``scaled``.
        edges : float, [1]
            Length of both edges over that of the flat part.

        Returns
        -------
        ndarray, same shape and precision as ``scaled``, [1]
        """

    @abstractmethod
    def log_rate(self, scaled: float) -> float:
        """Logarithm of the rate, [1]; minus infinity where it is 0."""

    @abstractmethod
    def scaled_of(self, log_rate: float) -> float:
        """``v`` at which the logarithm of the rate has a value, [1]."""

    @abstractmethod
    def step(self, scaled: float, log_ratio: float) -> float:
        """What has to be added to ``v`` to raise the rate ``exp(log_ratio)`` times, [1]."""

    @abstractmethod
    def slope(self, scaled: float) -> float:
        """``d ln rate / d v``, [1]."""


class ExponentialForm(RateForm):
    """``exp(v)``."""

    formula = r"e^{V/V_0}"
    model_parameters: ClassVar[Mapping[str, float]] = {}

    def log_pulse_integral(
        self, scaled: np.ndarray, offset: np.ndarray | float, edges: float
    ) -> np.ndarray:
        """The edges add the mean of the exponential over 0 to ``v``."""
        if edges == 0.0:
            return np.asarray(scaled + offset)
        # (1 - e^-v) / v is a mean of e^-s over 0..v: 1 at v = 0, smooth through it.
        one = scaled.dtype.type(1)
        small = np.abs(scaled) < 1e-4
        safe = np.where(small, one, scaled)
        mean = np.where(small, 1 - scaled / 2, -np.expm1(-safe) / safe)
        return np.asarray(scaled + offset + np.log1p(scaled.dtype.type(edges) * mean))

    def log_rate(self, scaled: float) -> float:
        """The voltage itself."""
        return scaled

    def scaled_of(self, log_rate: float) -> float:
        """The logarithm itself."""
        return log_rate

    def step(self, scaled: float, log_ratio: float) -> float:
        """The same everywhere."""
        return log_ratio

    def slope(self, scaled: float) -> float:
        """1 everywhere."""
        return 1.0


class SinhForm(RateForm):
    """``2 sinh(v)`` above rest, 0 below."""

    formula = r"\sinh(V/V_0)"
    model_parameters: ClassVar[Mapping[str, float]] = {"low_field": 1.0}

    def log_pulse_integral(
        self, scaled: np.ndarray, offset: np.ndarray | float, edges: float
    ) -> np.ndarray:
        """The edges add ``2 (cosh v - 1) / v``; below rest 1e-30 stands for 0."""
        above = np.maximum(scaled, scaled.dtype.type(_REST))
        flat = above + np.log(-np.expm1(-2 * above)) + offset
        mean = np.tanh(above / 2) / above
        return np.asarray(flat + np.log1p(scaled.dtype.type(edges) * mean))

    def log_rate(self, scaled: float) -> float:
        """``ln 2 sinh v``."""
        return scaled + math.log(-math.expm1(-2 * scaled)) if scaled > 0 else -math.inf

    def scaled_of(self, log_rate: float) -> float:
        """Inverse hyperbolic sine of half the rate."""
        return log_rate if log_rate > _HIGH else math.asinh(math.exp(log_rate) / 2)

    def step(self, scaled: float, log_ratio: float) -> float:
        """Step that raises the rate so many times, from the logarithms of both, [1]."""
        return self.scaled_of(self.log_rate(scaled) + log_ratio) - scaled

    def slope(self, scaled: float) -> float:
        """``coth v``: steeper towards rest, 1 far above it."""
        return 1 / math.tanh(scaled) if scaled > 0 else math.inf


#: Forms by their word in a parameter set.
RATE_FORMS: Mapping[str, RateForm] = {"exponential": ExponentialForm(), "sinh": SinhForm()}
EXPONENTIAL = RATE_FORMS["exponential"]
