"""Stochastic neurons in the place of others: the same rate, and the same slope, at half rate.

The device switches with ``p(z) = 1 - exp(-exp(z))``, which is 1/2 at ``z = ln ln 2`` and rises
there with ``ln(2) / 2``.  A neuron that spikes in a share ``f(x)`` of the time steps under a steady
input ``x`` is replaced by ``p(scale * x + shift)`` with the same value and slope where ``f`` is
1/2.  That changes the network: the neuron forgets its state between steps, its spikes are drawn,
and away from half rate the two curves differ.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from memspice.errors import ConfigError

#: Where the device switches with probability 1/2, and how steeply.
HALF_DRIVE = float(np.log(np.log(2.0)))
HALF_SLOPE = float(np.log(2.0) / 2)
#: Most time steps per time constant: beyond, the rate is a step that no device of ours follows.
MOST_TIME_CONSTANTS = 2.0


class RateMatch(NamedTuple):
    """``z = scale * x + shift`` for an input ``x``; one number a neuron, or one for all."""

    scale: np.ndarray
    shift: np.ndarray


def match_rate(half_input: np.ndarray, slope: np.ndarray) -> RateMatch:
    """Match of a neuron that has half of its largest rate at ``half_input``.

    Parameters
    ----------
    half_input : ndarray
        Input at which the neuron spikes in every second step.
    slope : ndarray
        Spikes per step and unit of input, there.
    """
    scale = np.asarray(slope) / HALF_SLOPE
    return RateMatch(scale, HALF_DRIVE - scale * half_input)


def logistic_match() -> RateMatch:
    """Match of ``1 / (1 + exp(-x))``."""
    return match_rate(np.zeros(1), np.full(1, 0.25))


def ramp_match() -> RateMatch:
    """Match of ``x`` clipped to [0, 1]."""
    return match_rate(np.full(1, 0.5), np.ones(1))


def integrator_match(
    resistance: np.ndarray, threshold: np.ndarray, reset: np.ndarray, time_step: float
) -> RateMatch:
    """Match of integrate-and-fire neurons ``dv/dt = resistance * x``.

    Its rate is ``resistance * x * time_step / (threshold - reset)`` spikes a step, up to one.

    Raises
    ------
    ConfigError
        If the threshold does not exceed the reset potential, a resistance is zero, or the time step
        is not positive.
    """
    _check_resistance(resistance)
    slope = resistance * _positive(time_step) / _distance(threshold, reset)
    return match_rate(0.5 / slope, slope)


def leaky_match(
    time_constant: np.ndarray,
    resistance: np.ndarray,
    leak: np.ndarray,
    threshold: np.ndarray,
    reset: np.ndarray,
    time_step: float,
) -> RateMatch:
    """Match of leaky neurons ``time_constant * dv/dt = leak - v + resistance * x``.

    With the stationary potential ``u = leak + resistance * x`` above the threshold its interval
    is ``time_constant * ln((u - reset) / (u - threshold))``.

    Raises
    ------
    ConfigError
        If the threshold does not exceed the reset potential, a resistance is zero, a time constant
        is not positive, or the time step is not positive or above two time constants.
    """
    _check_resistance(resistance)
    distance = _distance(threshold, reset)
    if not np.all(time_constant > 0):
        raise ConfigError(f"a time constant of {np.min(time_constant):g} s must be positive")
    if _positive(time_step) > MOST_TIME_CONSTANTS * np.min(time_constant):
        raise ConfigError(
            f"a time step of {time_step:g} s is above {MOST_TIME_CONSTANTS:g} time constants of "
            f"{np.min(time_constant):g} s: the rate is then a step; give a shorter time step"
        )
    # An interval of two steps: (u - reset) / (u - threshold) = exp(two).
    two = 2 * time_step / time_constant
    half_potential = threshold + distance / np.expm1(two)
    slope = -np.expm1(-two) * np.expm1(two) / (2 * two * distance)
    return match_rate((half_potential - leak) / resistance, slope * resistance)


def _distance(threshold: np.ndarray, reset: np.ndarray) -> np.ndarray:
    distance = np.asarray(threshold - reset)
    if not np.all(distance > 0):
        raise ConfigError(
            f"a threshold {np.min(distance):g} above the reset potential: its distance must be "
            "positive"
        )
    return distance


def _check_resistance(resistance: np.ndarray) -> None:
    if np.any(resistance == 0):
        raise ConfigError("a resistance of 0: the neuron would not feel its input")


def _positive(time_step: float) -> float:
    if not (np.isfinite(time_step) and time_step > 0):
        raise ConfigError(f"a time step of {time_step:g} s must be positive")
    return time_step
