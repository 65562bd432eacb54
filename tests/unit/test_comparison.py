"""The pathwise rule."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.analysis.comparison import MARGIN, compare_spikes, merge
from memspice.errors import ShapeError


def test_identical_runs_agree(rng: np.random.Generator) -> None:
    hazard, draws = rng.exponential(size=(2, 5, 4)), rng.exponential(size=(2, 5, 4))
    spikes = hazard >= draws
    found = compare_spikes(spikes, spikes, hazard, hazard, draws)
    assert (found.events, found.mismatches) == (40, 0)
    assert found.worst_margin == found.hazard_deviation == 0.0
    assert found.agrees


@pytest.mark.parametrize(("distance", "agrees"), [(0.004, True), (0.03, False)])
def test_margin_is_the_distance_from_the_draw(distance: float, agrees: bool) -> None:
    draws = np.array([2.0, 0.5, 1.0])
    hazard = draws * [1 + distance, 3.0, 0.2]
    reference = draws * [1 - distance / 2, 3.0, 0.2]
    found = compare_spikes(hazard >= draws, reference >= draws, hazard, reference, draws)
    assert found.mismatches == 1
    assert found.worst_margin == pytest.approx(distance)
    assert found.agrees == agrees
    assert found.hazard_deviation == pytest.approx((1 + distance) / (1 - distance / 2) - 1)


def test_margin_counts_either_side() -> None:
    draws = np.ones(1)
    found = compare_spikes(
        np.array([True]), np.array([False]), np.array([1.001]), np.array([0.95]), draws
    )
    assert found.worst_margin == pytest.approx(0.05)


def test_spike_that_no_hazard_explains_is_a_disagreement() -> None:
    # The hazard integrals agree, but the circuit latched no spike: far from the draw, far off.
    hazard, draws = np.array([3.0]), np.array([1.0])
    found = compare_spikes(np.array([False]), np.array([True]), hazard, hazard, draws)
    assert found.mismatches == 1
    assert found.worst_margin == pytest.approx(2.0)
    assert not found.agrees


def test_agreeing_events_have_no_margin() -> None:
    hazard, draws = np.array([3.0, 0.1]), np.array([1.0, 1.0])
    spikes = hazard >= draws
    assert compare_spikes(spikes, spikes, hazard, 1.2 * hazard, draws).worst_margin == 0.0


def test_merge_adds_counts_and_keeps_the_worst() -> None:
    draws = np.ones(4)
    parts = []
    for distance in (0.002, 0.008):
        hazard, reference = np.full(4, 1 + distance), np.full(4, 1 - distance)
        parts.append(compare_spikes(hazard >= draws, reference >= draws, hazard, reference, draws))
    found = merge(parts)
    assert (found.events, found.mismatches) == (8, 8)
    assert found.worst_margin == pytest.approx(0.008)
    assert found.hazard_deviation == pytest.approx(1.008 / 0.992 - 1)
    assert found.worst_margin <= MARGIN


def test_merge_of_nothing_is_no_event() -> None:
    found = merge([])
    assert (found.events, found.mismatches, found.worst_margin) == (0, 0, 0.0)


@pytest.mark.parametrize("odd", range(5))
def test_shapes_that_differ(odd: int) -> None:
    arrays = [np.ones(3, bool), np.ones(3, bool), np.ones(3), np.ones(3), np.ones(3)]
    arrays[odd] = arrays[odd][:2]
    with pytest.raises(ShapeError, match="different shapes"):
        compare_spikes(*arrays)


def test_certain_switches_do_not_differ() -> None:
    # The models of the circuits end at e^5, the closed form does not; below that both are told.
    draws = np.array([1.0, 1.0])
    for spice, closed, deviation in ((148.0, 1e4, 0.0), (90.0, 99.0, 1 / 11), (90.0, 1e4, 0.1)):
        hazard, reference = np.array([spice, 1.5]), np.array([closed, 1.5])
        found = compare_spikes(hazard >= draws, reference >= draws, hazard, reference, draws)
        assert found.hazard_deviation == pytest.approx(deviation)


def test_a_spread_says_how_many_disagreements_are_to_be_expected() -> None:
    rng = np.random.default_rng(4)
    spread, reference = 0.05, np.exp(rng.normal(size=200_000))
    hazard = reference * np.exp(spread * rng.standard_normal(reference.size))
    draws = rng.exponential(size=reference.size)
    arrays = (hazard >= draws, reference >= draws, hazard, reference, draws)
    found = compare_spikes(*arrays, spread=spread)
    # counts are about Poisson's: 4.5 standard deviations
    assert found.mismatches == pytest.approx(found.expected, abs=4.5 * found.expected**0.5)
    assert found.expected > 1000
    assert compare_spikes(*arrays).expected == 0.0


def test_events_apart_are_counted_and_not_compared() -> None:
    hazard, reference, draws = np.array([2.0, 1.0, 0.5]), np.array([0.5, 1.0, 0.5]), np.ones(3)
    arrays = (hazard >= draws, reference >= draws, hazard, reference, draws)
    found = compare_spikes(*arrays, spread=0.1, apart=np.array([True, False, False]))
    assert (found.events, found.mismatches, found.apart) == (2, 0, 1)
    assert found.hazard_deviation == 0.0
    # one at its threshold may go either way, the other is 6.9 standard deviations off
    assert found.expected == pytest.approx(0.5, abs=1e-6)
    assert merge([found, found]).apart == 2
    assert merge([found, found]).expected == 2 * found.expected


@pytest.mark.parametrize(("hazard", "deviation"), [(0.05, 0.01), (0.1, 0.02), (0.2, 0.02)])
def test_a_hazard_below_a_tenth_is_off_by_that_tenth(hazard: float, deviation: float) -> None:
    """All are off by 2 % of themselves."""
    reference, draws, quiet = np.array([hazard]), np.array([5.0]), np.zeros(1, bool)
    found = compare_spikes(quiet, quiet, 1.02 * reference, reference, draws)
    assert found.hazard_deviation == pytest.approx(deviation)
