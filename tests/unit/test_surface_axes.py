"""Coordinates of a sense stage's surface: there and back, ranges, and what lies beyond."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.circuits.sense_surface import fit_surface
from memspice.circuits.surface_axes import DifferenceAxes, LineAxes, SurfaceAxes
from memspice.errors import ConfigError

UA = 1e-6
LINES = LineAxes((1 * UA, 9 * UA), (5, 5))
APART = DifferenceAxes((2 * UA, 9 * UA), (4, 13), 1 * UA, 2.6 * UA, 0.2 * UA)


@pytest.mark.parametrize("axes", [LINES, APART])
def test_places_lead_back_to_their_currents(axes: SurfaceAxes) -> None:
    place = np.random.default_rng(3).uniform(-1, 1, (50, 2))
    np.testing.assert_allclose(axes.place(axes.currents(place)), place, atol=1e-12)


@pytest.mark.parametrize(
    ("axes", "what"),
    [(LINES, "current of 1.2e-05 A"), (APART, "mean current of 1.2e-05 A")],
)
def test_currents_outside_of_the_range_are_refused(axes: SurfaceAxes, what: str) -> None:
    with pytest.raises(ConfigError, match=rf"{what} is outside of the characterised"):
        axes.place(np.full(2, 12 * UA))


def test_a_difference_beyond_reach_stays_at_the_end() -> None:
    ends = APART.place(np.array([[6.5, 3.5], [7.5, 2.5]]) * UA)
    np.testing.assert_allclose(ends[:, 1], 1.0)


def test_no_line_is_measured_at_less_than_its_least_current() -> None:
    assert APART.currents(np.array([-1.0, 1.0])).min() == pytest.approx(0.7 * UA)
    wide = DifferenceAxes((1 * UA, 9 * UA), (4, 13), 1 * UA, 2.6 * UA, 0.2 * UA)
    assert wide.currents(np.array([-1.0, 1.0])).min() == pytest.approx(0.2 * UA)


def test_a_drive_that_bends_needs_the_bent_difference() -> None:
    # the same number of points; 0.45 V at each end, as the stage with a current copier has it
    def drive(currents: np.ndarray) -> np.ndarray:
        return np.asarray(0.45 * np.tanh((currents[..., 0] - currents[..., 1]) / UA))

    worst = []
    for axes in (LineAxes((0.7 * UA, 10.3 * UA), (7, 7)), APART):
        nodes = np.concatenate(list(axes.rows(axes.nodes)))
        found = fit_surface(axes, nodes, drive(nodes), axes.degree)
        others = APART.currents(np.random.default_rng(4).uniform(-0.9, 0.9, (40, 2)))
        place = axes.place(others)
        value = np.polynomial.chebyshev.chebval2d(place[:, 0], place[:, 1], found)
        worst.append(np.abs(value - drive(others)).max())
    assert worst[0] > 0.1
    assert worst[1] < 1e-6


def test_axes_with_too_few_nodes_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"nodes = \(2, 5\) must be at least 3"):
        LineAxes((0.0, 1.0), (2, 5))
