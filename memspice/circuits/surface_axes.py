"""Coordinates in which a sense stage is measured: where the nodes of its surface are.

Both coordinates run from -1 to 1, and stand for two currents: of the plus and of the minus line.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

from memspice.errors import ConfigError


@dataclass(frozen=True)
class SurfaceAxes(ABC):
    """Two coordinates of a stage's line currents.

    Parameters
    ----------
    limits : tuple of float, [A]
        Range of a line's current, or of what stands for it.
    nodes : tuple of int
        Chebyshev nodes along both coordinates, 3 at least.
    """

    limits: tuple[float, float]
    nodes: tuple[int, int]

    def __post_init__(self) -> None:
        """Check range and nodes."""
        low, high = self.limits
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ConfigError(f"line currents from {low} to {high} A must rise and be finite")
        if min(self.nodes) < 3:
            raise ConfigError(f"nodes = {self.nodes} must be at least 3 an axis")

    @abstractmethod
    def place(self, currents: np.ndarray) -> np.ndarray:
        """Coordinates (..., 2) of the currents (..., 2) [A] of plus and minus line.

        Raises
        ------
        ConfigError
            If a current lies outside of the range.
        """

    @abstractmethod
    def currents(self, place: np.ndarray) -> np.ndarray:
        """Currents (..., 2) [A] at coordinates (..., 2)."""

    @property
    @abstractmethod
    def idle(self) -> float:
        """Least current of both lines alike, [A]."""

    @property
    def degree(self) -> tuple[int, int]:
        """Of polynomials: a few less than nodes, so that the solver's noise is averaged."""
        first, second = (count - 1 - count // 6 for count in self.nodes)
        return first, second

    def coarse(self, most: int) -> tuple[int, int]:
        """Nodes along both coordinates of a surface that is to have at most so many."""
        first, second = (min(count, most) for count in self.nodes)
        return first, second

    def rows(self, nodes: tuple[int, int]) -> Iterator[np.ndarray]:
        """Currents (nodes, 2) [A] at Chebyshev nodes, one row for each of the first coordinate."""
        first, second = (chebyshev.chebpts2(count) for count in nodes)
        for place in first:
            yield self.currents(np.stack(np.broadcast_arrays(place, second), axis=-1))


class LineAxes(SurfaceAxes):
    """The currents of both lines, each over the range."""

    def place(self, currents: np.ndarray) -> np.ndarray:
        """Both over the range."""
        return scaled(self.limits, currents, "current", "A")

    def currents(self, place: np.ndarray) -> np.ndarray:
        """Both from the range."""
        return _spread(self.limits, place)

    @property
    def idle(self) -> float:
        """Lower limit."""
        return self.limits[0]


@dataclass(frozen=True)
class DifferenceAxes(SurfaceAxes):
    """Mean and difference of both lines, for a stage whose drive saturates with the difference.

    ``limits`` are those of the mean.  The difference ``d`` stands as ``tanh(d / knee)``, so that
    a drive that bends like that is a smooth function; beyond ``reach`` the drive stays as it is.

    Parameters
    ----------
    knee : float, [A]
        Difference at which the drive bends.
    reach : float, [A]
        Largest difference, either sign.
    least : float, [A]
        Least current of a line that is measured.
    """

    knee: float
    reach: float
    least: float

    def place(self, currents: np.ndarray) -> np.ndarray:
        """Mean over its range, and the bent difference over its own."""
        both = np.asarray(currents, dtype=float)
        mean = scaled(self.limits, both.mean(axis=-1), "mean current", "A")
        apart = np.clip(both[..., 0] - both[..., 1], -self.reach, self.reach)
        return np.stack([mean, np.tanh(apart / self.knee) / self._end], axis=-1)

    def currents(self, place: np.ndarray) -> np.ndarray:
        """A line carries `least` where mean and difference would ask for less."""
        mean = _spread(self.limits, place[..., 0])
        apart = self.knee * np.arctanh(place[..., 1] * self._end) / 2
        return np.maximum(np.stack([mean + apart, mean - apart], axis=-1), self.least)

    def coarse(self, most: int) -> tuple[int, int]:
        """Three along the mean, of which the drive is nearly independent."""
        return 3, min(self.nodes[1], most)

    @property
    def idle(self) -> float:
        """Least mean."""
        return self.limits[0]

    @property
    def _end(self) -> float:
        return float(np.tanh(self.reach / self.knee))


def scaled(limits: tuple[float, float], values: np.ndarray, what: str, unit: str) -> np.ndarray:
    """Values over their range, -1 to 1; 0 where the range is a point.

    Parameters
    ----------
    limits : tuple of float
        The range.
    values : ndarray
        Of any shape.
    what, unit : str
        Of the values, for the message.

    Raises
    ------
    ConfigError
        If a value is outside of the range.
    """
    low, high = limits
    middle, half = (low + high) / 2, (high - low) / 2
    array = np.asarray(values, dtype=float)
    outside = np.abs(array - middle) > half + 1e-9 * max(abs(low), abs(high))
    if outside.any():
        worst = array.flat[int(np.argmax(np.abs(array - middle)))]
        raise ConfigError(
            f"a line's {what} of {worst:.4g} {unit} is outside of the characterised {low:.4g} to "
            f"{high:.4g} {unit}; widen the range"
        )
    return np.asarray((array - middle) / half if half > 0 else np.zeros_like(array))


def _spread(limits: tuple[float, float], place: np.ndarray) -> np.ndarray:
    low, high = limits
    return np.asarray((low + high + (high - low) * place) / 2)
