"""A chip at a corner: what its surface is made of, and what it knows of where it is."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.corner_chips import elsewhere, gain_of
from benchmarks.corner_surface import MEANS, surface_of
from benchmarks.surfaces import shipped_stages
from memspice.analysis.shipped_surfaces import shipped_surface
from memspice.circuits.sense_surface import SenseSurface
from memspice.circuits.surface_axes import DifferenceAxes
from tests.paper_helpers import ROOT, script

from readme import replaced  # isort: skip  # found by paper_helpers in experiments/


def shipped() -> SenseSurface:
    """Surface of the stage of bursts, nominal."""
    *_, burst = shipped_stages()
    surface = shipped_surface(*burst)
    assert surface is not None
    return surface


MADE = shipped()
UA = 1e-6


def found(ratio: float = 1.0, joules: float = 1.0, moved: float = 0.0) -> dict[str, object]:
    """What would be measured of a stage that differs from the nominal one by so much."""
    assert isinstance(MADE.axes, DifferenceAxes)
    own = np.interp(MEANS, MADE.axes.nodes[0], MADE.axes.balance) + moved
    points = np.array([[4.2, 4.7], [8.1, 7.6], [1.2, 1.0]]) * UA
    there = MADE.values(points, np.full((3, 2), MADE.conductance))
    return {
        "balance": own.tolist(),
        "joules": [joules] * len(MEANS),
        "ratio": ratio,
        "sag": 1e-3,
        "points": points.tolist(),
        "drives": there[:, 0].tolist(),
        "absorbed": there[:, 1].tolist(),
    }


def drives(surface: SenseSurface, points: np.ndarray) -> np.ndarray:
    lines = np.full(points.shape, MADE.conductance)
    return np.asarray(surface.drive_voltage(points, lines))


def test_a_stage_that_does_not_differ_has_the_nominal_surface() -> None:
    same = surface_of(MADE, found())
    points = np.random.default_rng(1).uniform(0.3, 11, (50, 1)) + [[0.2, -0.2]]
    # balances between fewer means: within what surfaces may be off, 1 % of the hazard
    assert drives(same, points * UA) == pytest.approx(drives(MADE, points * UA), abs=1.56e-3)
    assert same.error.drive_worst < 1.56e-3
    assert same.error.points == 3
    assert gain_of(same) == pytest.approx(gain_of(MADE), rel=1e-3)


def test_balance_gain_and_joules_are_what_a_corner_changes() -> None:
    other = surface_of(MADE, found(ratio=0.9, joules=1.1, moved=0.1 * UA))
    assert gain_of(other) == pytest.approx(0.9 * gain_of(MADE), rel=5e-3)
    # at the new balance it is where the nominal one is at its own
    middle = np.array([4.5, 4.5]) * UA
    apart = 0.05 * UA * np.array([1, -1])
    assert drives(other, middle + apart) == pytest.approx(drives(MADE, middle), abs=2e-3)
    assert other.error.energy_worst == pytest.approx(0.1, rel=0.02)
    assert other.error.drive_worst > 30e-3


def test_a_chip_that_is_told_has_its_drives_moved_up_to_the_rails() -> None:
    moved = elsewhere(MADE, MADE, 0.05)
    assert moved.rest == MADE.rest
    point = np.array([[4.5, 4.5], [7.0, 2.0]]) * UA
    before, after = drives(MADE, point), drives(moved, point)
    assert after[0] - before[0] == pytest.approx(0.05, abs=0.1e-3)
    high = drives(moved, np.array([[2.0, 7.0]]) * UA)[0]
    assert high == pytest.approx(MADE.sheet.values[..., 0].max(), abs=1e-3)


def test_noise_is_drawn_anew_for_every_drive() -> None:
    noisy = elsewhere(MADE, MADE, noise=0.02)
    points = np.full((4000, 2), 4.5 * UA)
    first, second = drives(noisy, points), drives(noisy, points)
    # standard deviation of 4,000 draws: 1.1 % (1 sd)
    assert first.std() == pytest.approx(0.02, rel=0.05)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06
    assert first.mean() == pytest.approx(drives(MADE, points[:1])[0], abs=2e-3)


def test_the_page_shows_the_committed_result() -> None:
    text = (ROOT / "experiments" / "corners" / "result.json").read_text(encoding="utf-8")
    result = json.loads(text)
    page = (ROOT / "docs" / "periphery.md").read_text(encoding="utf-8")
    assert replaced(page, "corner_chips", script("corners").table(result)) == page
    points = {(one["corner"], one["celsius"], one["way"]): one for one in result["points"]}
    home = points["nom", 27, "as made"]
    assert home["loss"]["value"] == 0
    for (corner, celsius, way), point in points.items():
        if way == "told":
            other = points[corner, celsius, "not told"]
            # what is told brings spikes back to what they are at home
            assert abs(point["spikes"] - home["spikes"]) < abs(other["spikes"] - home["spikes"])
            assert point["off"] < 5e-3
