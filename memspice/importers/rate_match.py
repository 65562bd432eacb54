"""Stochastic neurons in the place of others: the same rate and slope of it where they mostly are.

The device switches with ``p(z) = 1 - exp(-exp(z))``.  A neuron that spikes in a share ``f(x)`` of
the time steps under a steady input ``x`` is replaced by ``p(scale * x + shift)`` with the same
value and slope where ``f`` is some reference rate.  That changes the network: the neuron forgets
its state between steps, its spikes are drawn, and away from the reference the two curves differ.  A
time step far below the time constant makes rates small, so the reference has to be a rate that the
neurons of the layer have, not always one half.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from memspice.errors import ConfigError

#: Most time steps per time constant: beyond, the rate is a step that no device of ours follows.
MOST_TIME_CONSTANTS = 2.0


@dataclass(frozen=True, eq=False)
class RateMatch:
    """``z = scale * x + shift`` for an input ``x``; one number a neuron, or one for all."""

    scale: np.ndarray
    shift: np.ndarray

    def rate(self, x: np.ndarray) -> np.ndarray:
        """Probability of a spike of the device that stands for the neuron."""
        return np.asarray(-np.expm1(-np.exp(np.minimum(self.scale * x + self.shift, 50.0))))


def match_rate(x: np.ndarray, slope: np.ndarray, rate: float = 0.5) -> RateMatch:
    """Match of a neuron that has some rate at an input.

    Parameters
    ----------
    x : ndarray
        Input at which the neuron spikes in a share ``rate`` of the steps.
    slope : ndarray
        Spikes per step and unit of input, there.
    rate : float
        The reference, above 0 and below 1.
    """
    hazard = -np.log1p(-rate)  # p' = (1 - p) exp(z), exp(z) = hazard
    scale = np.asarray(slope) / ((1 - rate) * hazard)
    return RateMatch(scale, np.log(hazard) - scale * x)


def logistic_match() -> RateMatch:
    """Match of ``1 / (1 + exp(-x))`` at one half."""
    return match_rate(np.zeros(1), np.full(1, 0.25))


def ramp_match() -> RateMatch:
    """Match of ``x`` clipped to [0, 1] at one half."""
    return match_rate(np.full(1, 0.5), np.ones(1))


@dataclass(frozen=True, kw_only=True, eq=False)
class Integrators:
    """Integrate-and-fire neurons ``dv/dt = resistance * x``, one number each or one for all.

    The rate is ``resistance * x * time_step / (threshold - reset)`` spikes a step, up to one.

    Raises
    ------
    ConfigError
        If a threshold does not exceed the reset potential, a resistance is zero, or the time step
        is not positive.
    """

    resistance: np.ndarray
    threshold: np.ndarray
    reset: np.ndarray
    time_step: float

    def __post_init__(self) -> None:
        if np.any(self.resistance == 0):
            raise ConfigError("a resistance of 0: the neuron would not feel its input")
        if not np.all(self.distance > 0):
            raise ConfigError(
                f"a threshold {np.min(self.distance):g} above the reset potential: its distance "
                "must be positive"
            )
        if not (np.isfinite(self.time_step) and self.time_step > 0):
            raise ConfigError(f"a time step of {self.time_step:g} s must be positive")

    @property
    def distance(self) -> np.ndarray:
        """Threshold above the reset potential."""
        return np.asarray(self.threshold - self.reset)

    def each(self, spread: Callable[[np.ndarray], np.ndarray]) -> Self:
        """The same neurons with every parameter as ``spread`` gives it."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        time_step = values.pop("time_step")
        arrays = {name: spread(np.asarray(value)) for name, value in values.items()}
        return replace(self, time_step=time_step, **arrays)

    def rate(self, x: np.ndarray) -> np.ndarray:
        """Spikes a step under a steady input."""
        rate = self.resistance * x * self.time_step / self.distance
        return np.asarray(np.clip(rate, 0.0, 1.0))

    def match(self, rate: float = 0.5) -> RateMatch:
        """Stochastic neurons of the same rate and slope where this is the rate."""
        slope = self.resistance * self.time_step / self.distance
        return match_rate(rate / slope, slope, rate)


@dataclass(frozen=True, kw_only=True, eq=False)
class LeakyNeurons(Integrators):
    """Leaky neurons ``time_constant * dv/dt = leak - v + resistance * x``.

    With the stationary potential ``u = leak + resistance * x`` above the threshold the interval is
    ``time_constant * ln((u - reset) / (u - threshold))``.

    Raises
    ------
    ConfigError
        Also if a time constant is not positive, or the time step above two of them.
    """

    time_constant: np.ndarray
    leak: np.ndarray

    def __post_init__(self) -> None:
        Integrators.__post_init__(self)
        shortest = float(np.min(self.time_constant))
        if not shortest > 0:
            raise ConfigError(f"a time constant of {shortest:g} s must be positive")
        if self.time_step > MOST_TIME_CONSTANTS * shortest:
            raise ConfigError(
                f"a time step of {self.time_step:g} s is above {MOST_TIME_CONSTANTS:g} time "
                f"constants of {shortest:g} s: the rate is then a step; give a shorter time step"
            )

    def rate(self, x: np.ndarray) -> np.ndarray:
        """Spikes a step under a steady input."""
        potential = self.leak + self.resistance * x
        above = potential > self.threshold
        over = np.where(above, potential - self.threshold, 1.0)
        interval = self.time_constant * np.log1p(self.distance / over)
        least = self.time_step * np.ones_like(interval)
        return np.where(above, self.time_step / np.maximum(interval, least), 0.0)

    def match(self, rate: float = 0.5) -> RateMatch:
        """Stochastic neurons of the same rate and slope where this is the rate."""
        # An interval of 1 / rate steps: (u - reset) / (u - threshold) = exp(interval).
        interval = self.time_step / (rate * self.time_constant)
        potential = self.threshold + self.distance / np.expm1(interval)
        slope = -rate * np.expm1(-interval) * np.expm1(interval) / (interval * self.distance)
        return match_rate((potential - self.leak) / self.resistance, slope * self.resistance, rate)
