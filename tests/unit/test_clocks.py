"""Clocks: periodic, high between their edges, refused where a source could not make them."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.circuits.clocks import Clock
from memspice.errors import ConfigError

NS = 1e-9


def level(clock: Clock, time: float, cycle: float = 150 * NS, cycles: int = 3) -> float:
    points = np.array(clock.train(cycle, cycles).points)
    assert (np.diff(points[:, 0]) > 0).all()
    return float(np.interp(time, points[:, 0], points[:, 1]))


def test_a_clock_is_high_between_its_edges_in_every_cycle() -> None:
    clock = Clock(((9.5 * NS, 14.5 * NS), (18.5 * NS, 21.1 * NS)), 50e-12, 0.9)
    for start in (0, 150 * NS, 300 * NS):
        assert level(clock, start + 12 * NS) == 0.9
        assert level(clock, start + 20 * NS) == 0.9
        assert level(clock, start + 16 * NS) == level(clock, start + 100 * NS) == 0
        assert level(clock, start + 9.525 * NS) == pytest.approx(0.45)


def test_complement_lies_across_the_end_of_a_cycle() -> None:
    clock = Clock(((0.1 * NS, 15.1 * NS),))
    complement = Clock(((15.1 * NS, 0.1 * NS),))
    for time in np.linspace(0, 450 * NS, 4001):
        assert level(clock, time) + level(complement, time) == pytest.approx(1)


def test_a_negative_time_counts_from_the_end_of_the_cycle() -> None:
    clock = Clock(((15 * NS, -2 * NS),))
    assert level(clock, 147 * NS) == 1
    assert level(clock, 149 * NS) == 0
    assert level(clock, 199 * NS, cycle=200 * NS) == 0
    assert level(clock, 197 * NS, cycle=200 * NS) == 1


@pytest.mark.parametrize(
    ("high", "message"),
    [
        ((), "a clock without edges"),
        (((1 * NS, 200 * NS),), "outside of its cycle of 1.5e-07 s"),
        (((1 * NS, 5 * NS), (3 * NS, 8 * NS)), "overlap"),
        (((1 * NS, 1.02 * NS),), "nearer than the length of an edge"),
    ],
)
def test_what_a_source_cannot_make_is_refused(
    high: tuple[tuple[float, float], ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Clock(high).train(150 * NS, 2)
