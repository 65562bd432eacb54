"""Clocks of a circuit block: when each is high within a cycle, and the source that makes it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.circuits.timing import Pulse
from memspice.errors import ConfigError


@dataclass(frozen=True)
class Clock:
    """Clock of a block: the times at which it is high, in every cycle alike.

    Parameters
    ----------
    high : tuple of (start, stop), [s]
        Begins of the rising and of the falling edge, counted from the begin of a cycle; a negative
        time counts from its end. A stop before its start lies in the next cycle.
    edge : float, [s]
        Length of an edge.
    level : float, [V]
        When high; 0 V when low.
    """

    high: tuple[tuple[float, float], ...]
    edge: float = 50e-12
    level: float = 1.0

    @classmethod
    def of(cls, pulse: Pulse) -> Clock:
        """Clock of one pulse a cycle, 0 to 1."""
        return cls(((pulse.start, pulse.stop - pulse.edge),), pulse.edge)

    def train(self, cycle: float, cycles: int, first: int = 0) -> PieceWiseLinear:
        """Source of this clock over some cycles.

        Parameters
        ----------
        cycle : float, [s]
            Length of a cycle.
        cycles, first : int
            How many, and how many pass before.

        Raises
        ------
        ConfigError
            If the clock has no edge, a time lies outside of the cycle, or edges overlap.
        """
        changes = self._changes(cycle)
        level = 1 - changes[0][1] if changes[0][1] == 1 else 1
        points = [(0.0, self.level * level)]
        for number in range(first, first + cycles):
            for time, after in changes:
                start = number * cycle + time
                if start > 0:
                    points.append((start, self.level * (1 - after)))
                points.append((start + self.edge, self.level * after))
        return PieceWiseLinear(tuple(points))

    def _changes(self, cycle: float) -> list[tuple[float, int]]:
        """Times of the edges within a cycle, rising, with the state behind each: 1 or 0."""
        if not self.high:
            raise ConfigError("a clock without edges; say when it is high: [[start, stop], ...]")
        changes = sorted(
            (_within(time, cycle), state)
            for interval in self.high
            for time, state in zip(interval, (1, 0), strict=True)
        )
        for (time, state), (later, after) in pairwise([*changes, _next(changes[0], cycle)]):
            if state == after:
                raise ConfigError(
                    f"a clock's intervals {self.high} s overlap; write each stretch once"
                )
            if later - time < self.edge:
                raise ConfigError(
                    f"a clock's edges at {time:.4g} and {later:.4g} s in a cycle of {cycle:.4g} s "
                    f"are nearer than the length of an edge, {self.edge:.3g} s"
                )
        return changes


def _within(time: float, cycle: float) -> float:
    instant = time + cycle if time < 0 else time
    if not (math.isfinite(instant) and 0 <= instant < cycle):
        raise ConfigError(
            f"a clock's edge at {time:.4g} s lies outside of its cycle of {cycle:.4g} s"
        )
    return instant


def _next(change: tuple[float, int], cycle: float) -> tuple[float, int]:
    return change[0] + cycle, change[1]


def clock_trains(
    clocks: Mapping[str, Clock], cycle: float, cycles: int, first: int = 0
) -> dict[str, PieceWiseLinear]:
    """Sources of clocks, as of `Clock.train`."""
    return {name: clock.train(cycle, cycles, first) for name, clock in clocks.items()}


def joined(trains: Sequence[PieceWiseLinear]) -> PieceWiseLinear:
    """Trains of one clock as one source, each after the last edge of the one before."""
    first, *others = trains
    later = [point for train in others for point in train.points[1:]]
    return PieceWiseLinear((*first.points, *later))


def add_clocks(deck: Deck, trains: Mapping[str, PieceWiseLinear]) -> None:
    """Section of clocks, each a source on the node of its name."""
    control = deck.section("Control pulses, 0 to 1: signals without load")
    for name, train in trains.items():
        control.V(name, name, control.gnd, train)


def add_sources(deck: Deck, comment: str, supplies: Mapping[str, float]) -> None:
    """Section of supplies [V], each a source on the node of its name."""
    rails = deck.section(comment)
    for name, voltage in supplies.items():
        rails.V(name, name, rails.gnd, voltage)
