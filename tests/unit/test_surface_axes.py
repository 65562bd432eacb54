"""Coordinates of a sense stage's surface: there and back, ranges, and what lies beyond."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memspice.circuits.sense_surface import Sheet
from memspice.circuits.surface_axes import DifferenceAxes, LineAxes, SurfaceAxes, spread
from memspice.errors import ConfigError

UA = 1e-6
LIMITS = (0.5 * UA, 9 * UA)
BENT = tuple(np.linspace(-2.4 * UA, 2.4 * UA, 17).tolist())
LINES = LineAxes(LIMITS, (spread(LIMITS, 5), spread(LIMITS, 5)))
MEANS = np.array(spread(LIMITS, 5))
APART = DifferenceAxes(LIMITS, (spread(LIMITS, 5), BENT), (0.0,) * 5, (-1 * UA, 10 * UA))
#: Where drives are in their middle, over the mean.
BALANCE = 0.6 * UA * (MEANS / (5 * UA)) ** 2
BALANCED = replace(APART, balance=tuple(BALANCE.tolist()))


@pytest.mark.parametrize("axes", [LINES, APART, BALANCED])
def test_places_lead_back_to_their_currents(axes: SurfaceAxes) -> None:
    inner = np.random.default_rng(3).uniform(3 * UA, 4 * UA, (50, 2))
    assert (axes.inside(inner) == inner).all()
    np.testing.assert_allclose(axes.currents(axes.place(inner)), inner, rtol=1e-12)


@pytest.mark.parametrize("axes", [LINES, APART])
def test_currents_outside_of_the_range_are_refused(axes: SurfaceAxes) -> None:
    with pytest.raises(ConfigError, match=r"current of 1\.2e-05 A is outside of the characterised"):
        axes.inside(np.array([4 * UA, 12 * UA]))


@pytest.mark.parametrize("axes", [APART, BALANCED])
def test_a_difference_beyond_the_nodes_stays_at_the_last_one(axes: DifferenceAxes) -> None:
    beyond = axes.inside(np.array([[8.5, 0.5], [0.5, 8.5]]) * UA)
    np.testing.assert_allclose(axes.place(beyond)[:, 1], [BENT[-1], BENT[0]])
    np.testing.assert_allclose(beyond.mean(axis=-1), 4.5 * UA)


@pytest.mark.parametrize("axes", [LINES, APART])
def test_points_are_drawn_within_the_limits_and_spread_over_them(axes: SurfaceAxes) -> None:
    drawn = axes.draw(np.random.default_rng(5), 40)
    assert (drawn == np.clip(drawn, *LIMITS)).all()
    assert (np.ptp(drawn, axis=0) > 5 * UA).all()


def test_as_many_points_as_gaps_leave_no_gap_between_nodes_out() -> None:
    for number, nodes in enumerate(LINES.nodes):
        place = LINES.draw(np.random.default_rng(6), len(nodes) - 1)[:, number]
        assert sorted(np.searchsorted(nodes, place)) == list(range(1, len(nodes)))


def test_opposite_corners_are_far_apart() -> None:
    for axes in (LINES, APART):
        for corner, other in zip(axes.corners, reversed(axes.corners), strict=True):
            assert np.abs(corner - other).max() > 3 * UA


def test_a_drive_that_bends_needs_nodes_along_the_difference() -> None:
    # 0.45 V at each end, as the stage with a current copier has it
    def drive(currents: np.ndarray) -> np.ndarray:
        return np.asarray(0.45 * np.tanh((currents[..., 0] - currents[..., 1]) / UA))

    worst = []
    draws = np.random.default_rng(4)
    others = 5 * UA + draws.uniform(-2, 2, (40, 1)) * UA + draws.uniform(-1, 1, (40, 2)) * UA
    lines = LineAxes(LIMITS, (spread(LIMITS, 9), spread(LIMITS, 9)))
    for axes in (lines, APART):  # 81 and 85 points
        values = np.stack([drive(row) for row in axes.rows])[..., None]
        found = Sheet(axes.nodes, values).at(axes.place(others))[..., 0]
        worst.append(np.abs(found - drive(others)).max())
    assert worst[0] > 0.05
    assert worst[1] < 0.005


def test_a_balance_takes_up_what_both_lines_have_in_common() -> None:
    def drive(currents: np.ndarray) -> np.ndarray:
        apart, mean = currents[..., 0] - currents[..., 1], currents.mean(axis=-1)
        return np.asarray(0.45 * np.tanh(apart / UA - 0.6 * (mean / (5 * UA)) ** 2))

    others = 5 * UA + np.random.default_rng(4).uniform(-2, 2, (40, 1)) * UA * [1, 1]
    worst = []
    for axes in (APART, BALANCED):
        values = np.stack([drive(row) for row in axes.rows])[..., None]
        found = Sheet(axes.nodes, values).at(axes.place(others))[..., 0]
        worst.append(np.abs(found - drive(others)).max())
    assert worst[1] < 0.2 * worst[0]
    with pytest.raises(ConfigError, match="a balance of 3 differences for 5 means"):
        replace(APART, balance=(0.0, 0.0, 0.0))


def test_axes_with_too_few_nodes_or_such_as_fall_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"2 nodes must be at least 4"):
        LineAxes(LIMITS, (spread(LIMITS, 5), LIMITS))
    with pytest.raises(ConfigError, match=r"must rise"):
        LineAxes(LIMITS, (spread(LIMITS, 5), (0.0, 2 * UA, 1 * UA, 3 * UA)))
