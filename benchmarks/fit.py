"""Scaling exponents: the slope of log cost against log size, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from memspice.errors import ConfigError, ShapeError


@dataclass(frozen=True)
class PowerLaw:
    """``cost = factor * size**exponent``.

    Parameters
    ----------
    exponent, factor : float
        Of the fit; the factor is the cost at size 1.
    low, high : float or None
        Ends of the exponent's 95 % interval; None for two sizes, which leave nothing to judge by.
    sizes : tuple of int
        That were fitted.
    """

    exponent: float
    factor: float
    low: float | None
    high: float | None
    sizes: tuple[int, ...]

    def at(self, size: float) -> float:
        """Cost at a size; beyond the fitted ones this is an extrapolation."""
        return float(self.factor * size**self.exponent)

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON holds them."""
        return {**vars(self), "sizes": list(self.sizes)}


def fit_power_law(sizes: Sequence[int], costs: Sequence[float]) -> PowerLaw:
    """Fit a straight line through the logarithms, all points alike.

    Parameters
    ----------
    sizes : sequence of int
        At least two different ones.
    costs : sequence of float
        One a size, above 0.

    Returns
    -------
    PowerLaw

    Raises
    ------
    ShapeError
        If there are not as many costs as sizes.
    ConfigError
        If there are not two different sizes, or a value has no logarithm.

    Notes
    -----
    The interval takes deviations from the line for independent and normal, which a cost with
    terms of several powers is not: it says how straight the line is, not what holds far beyond it.

    Examples
    --------
    >>> law = fit_power_law([8, 16, 32], [1.0, 8.0, 64.0])
    >>> round(law.exponent, 6), round(law.at(64), 6)
    (3.0, 512.0)
    """
    if len(sizes) != len(costs):
        raise ShapeError(f"{len(sizes)} sizes and {len(costs)} costs: give one cost a size")
    values = np.array([sizes, costs], dtype=float)
    if len(set(sizes)) < 2 or not np.all(np.isfinite(values) & (values > 0)):
        raise ConfigError(
            f"no exponent can be fitted to costs {list(costs)} at sizes {list(sizes)}: at least "
            "two different sizes are needed, and every value finite and above 0"
        )
    x, y = np.log(values)
    spread = x - x.mean()
    exponent = float(spread @ y / (spread @ spread))
    offset = float(y.mean() - exponent * x.mean())
    low = high = None
    degrees = len(x) - 2
    if degrees:
        rest = y - offset - exponent * x
        error = math.sqrt(float(rest @ rest) / degrees / float(spread @ spread))
        half = float(stdtrit(degrees, 0.975)) * error
        low, high = exponent - half, exponent + half
    return PowerLaw(exponent, math.exp(offset), low, high, tuple(int(size) for size in sizes))
