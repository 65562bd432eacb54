"""Coordinates of a sense stage's line currents: where the nodes of its surface are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

import numpy as np
import scipy  # its parts are imported when used: no command waits for splines it has not

from memspice.errors import ConfigError

#: Nodes along a coordinate, at least: what a cubic spline takes.
LEAST_NODES = 4
#: Moves to a mean that a line bears, and to its balance.
_MOVES = 3
#: What a difference adds to both lines' currents.
APART = np.array([0.5, -0.5])


@dataclass(frozen=True)
class SurfaceAxes(ABC):
    """Two coordinates that stand for the currents of a plus and a minus line, both in [A].

    Parameters
    ----------
    limits : tuple of float, [A]
        Range of a line's current.
    nodes : tuple of tuple of float, [A]
        Of the surface, along the first and the second coordinate; they rise.
    """

    limits: tuple[float, float]
    nodes: tuple[tuple[float, ...], tuple[float, ...]]

    def __post_init__(self) -> None:
        """Check range and nodes."""
        low, high = self.limits
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ConfigError(f"line currents from {low} to {high} A must rise and be finite")
        for nodes in self.nodes:
            if len(nodes) < LEAST_NODES:
                raise ConfigError(f"{len(nodes)} nodes must be at least {LEAST_NODES} an axis")
            if not all(first < second for first, second in pairwise(nodes)):
                raise ConfigError(f"the nodes {nodes} A of a surface must rise")

    def inside(self, currents: np.ndarray) -> np.ndarray:
        """Currents (..., 2) [A], of which the surface says the drive.

        Raises
        ------
        ConfigError
            If one is beyond the limits.
        """
        return inside(self.limits, currents, "current", "A")

    @abstractmethod
    def place(self, currents: np.ndarray) -> np.ndarray:
        """Coordinates (..., 2) of the currents (..., 2) [A] of plus and minus line."""

    @abstractmethod
    def currents(self, place: np.ndarray) -> np.ndarray:
        """Currents (..., 2) [A] at coordinates (..., 2)."""

    @property
    def rows(self) -> Iterator[np.ndarray]:
        """Currents (nodes, 2) [A] at the nodes, one row for each of the first coordinate."""
        for first in self.nodes[0]:
            yield self.currents(np.stack(np.broadcast_arrays(first, self.nodes[1]), axis=-1))

    @property
    def alike(self) -> np.ndarray:
        """Currents (nodes,) [A] of both lines alike: the nodes of the first coordinate."""
        return np.asarray(self.nodes[0])

    @property
    def middle(self) -> float:
        """Current [A] of both lines alike in the middle of the range."""
        return sum(self.limits) / 2

    @property
    def corners(self) -> list[np.ndarray]:
        """Currents (2,) [A] at the ends of both ranges; backwards each is the opposite one."""
        return [np.array(each) for each in product(self.limits, repeat=2)]

    def draw(self, draws: np.random.Generator, count: int) -> np.ndarray:
        """Currents (count, 2) [A] within the limits between the nodes.

        As many between any two nodes that follow each other: more where nodes are dense, which is
        where the drive bends, and some wherever a coordinate could be too coarse.
        """
        drawn = [_between(np.array(nodes), draws, count) for nodes in self.nodes]
        return np.asarray(np.clip(self.currents(np.stack(drawn, axis=-1)), *self.limits))


def _between(nodes: np.ndarray, draws: np.random.Generator, count: int) -> np.ndarray:
    """Coordinates (count,) in gaps between nodes; no gap twice before each had its turn."""
    turns = -(-count // (len(nodes) - 1))
    gaps = np.concatenate([draws.permutation(len(nodes) - 1) for _ in range(turns)])[:count]
    return np.asarray(nodes[gaps] + np.diff(nodes)[gaps] * draws.random(count))


class LineAxes(SurfaceAxes):
    """The currents of both lines themselves."""

    def place(self, currents: np.ndarray) -> np.ndarray:
        """The same."""
        return np.asarray(currents, dtype=float)

    def currents(self, place: np.ndarray) -> np.ndarray:
        """The same."""
        return place


@dataclass(frozen=True)
class DifferenceAxes(SurfaceAxes):
    """Mean and difference of both lines, for a stage whose drive bends with the difference.

    Parameters
    ----------
    balance : tuple of float, [A]
        By node of the mean, the difference at which the drive is in the middle, about: the second
        coordinate counts from there, so that drives end at the same nodes for all means.
    bears : tuple of float, [A]
        Range of a line's current, wider than the limits, in which the stage can be measured, so
        that the surface goes on beyond the limits as it is within.  A node that asks a line for
        more has the next mean that does not.
    """

    balance: tuple[float, ...]
    bears: tuple[float, float]

    def __post_init__(self) -> None:
        """Check that each mean has its balance, too."""
        super().__post_init__()
        means = len(self.nodes[0])
        if len(self.balance) != means:
            raise ConfigError(f"a balance of {len(self.balance)} differences for {means} means")

    @cached_property
    def _balance(self) -> scipy.interpolate.BSpline:
        return scipy.interpolate.make_interp_spline(self.nodes[0], self.balance)

    def inside(self, currents: np.ndarray) -> np.ndarray:
        """The same; a difference beyond the last node is that node's, where the drive has ended."""
        both = super().inside(currents)
        apart = self.place(both)[..., 1]
        beyond = apart - np.clip(apart, self.nodes[1][0], self.nodes[1][-1])
        return np.asarray(both - beyond[..., None] * APART)

    def place(self, currents: np.ndarray) -> np.ndarray:
        """Mean, and difference from the balance."""
        mean, apart = currents.mean(axis=-1), currents[..., 0] - currents[..., 1]
        return np.stack([mean, apart - self._balance(mean)], axis=-1)

    def currents(self, place: np.ndarray) -> np.ndarray:
        """Half of the difference above and below the mean."""
        (low, high), mean = self.bears, place[..., 0]
        for _ in range(_MOVES):
            apart = place[..., 1] + self._balance(mean)
            mean = np.clip(place[..., 0], low + np.abs(apart) / 2, high - np.abs(apart) / 2)
        return np.asarray(mean[..., None] + apart[..., None] * APART)


def spread(limits: tuple[float, float], count: int) -> tuple[float, ...]:
    """Chebyshev nodes of a range: dense at its ends.

    Parameters
    ----------
    limits : tuple of float
        The ends, which are nodes.
    count : int
        Nodes.
    """
    low, high = limits
    steps = np.cos(np.pi * np.arange(count) / (count - 1)) if count > 1 else np.zeros(count)
    return tuple(((low + high - (high - low) * steps) / 2).tolist())


def inside(limits: tuple[float, float], values: np.ndarray, what: str, unit: str) -> np.ndarray:
    """Values that must be within a range.

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
    array = np.asarray(values, dtype=float)
    off = np.maximum(low - array, array - high)
    if (off > 1e-9 * max(abs(low), abs(high))).any():
        raise ConfigError(
            f"a line's {what} of {array.flat[int(np.argmax(off))]:.4g} {unit} is outside of the "
            f"characterised {low:.4g} to {high:.4g} {unit} of its sense stage; widen them in its "
            "table, or use a stage for such lines: that of bursts (cycles = 8, 16 ...), or "
            "--periphery behavioural"
        )
    return array
