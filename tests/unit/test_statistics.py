"""Intervals of proportions, and tests of counts: published values, limits, and the error rates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom

from memspice.analysis.statistics import (
    accuracy,
    binomial_quantile,
    compare_counts,
    proportion,
)
from memspice.errors import ConfigError, ShapeError

# --- proportions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_interval_of_newcombe(successes: int, trials: int, low: float, high: float) -> None:
    """Newcombe, Statist. Med. 17, 857 (1998), Table I, method 3: Wilson's score."""
    found = proportion(successes, trials)
    assert found.value == successes / trials
    assert found.n == trials
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_interval_is_symmetric_in_success_and_failure() -> None:
    for successes in range(11):
        one, other = proportion(successes, 10), proportion(10 - successes, 10)
        assert one.low == pytest.approx(1 - other.high, abs=1e-15)


def test_interval_holds_its_value_within_0_and_1() -> None:
    for trials in (1, 2, 7, 1000):
        for successes in {0, 1, trials // 2, trials}:
            found = proportion(successes, trials)
            assert 0 <= found.low <= found.value <= found.high <= 1
            assert found.high > found.low


def test_interval_narrows_with_the_root_of_the_trials() -> None:
    one, many = proportion(3000, 10_000), proportion(30_000 * 4, 400_000)
    ratio = (one.high - one.low) / (many.high - many.low)
    assert ratio == pytest.approx(np.sqrt(40), rel=1e-3)


def test_interval_covers_the_truth_in_95_percent() -> None:
    """Exact coverage, summed over all counts, averaged over the truth: 94 to 96 %."""
    trials = 100
    intervals = [proportion(count, trials) for count in range(trials + 1)]
    low = np.array([found.low for found in intervals])
    high = np.array([found.high for found in intervals])
    truths = np.linspace(0.02, 0.98, 97)
    coverage = [
        np.sum(binom.pmf(np.arange(trials + 1), trials, p)[(low <= p) & (p <= high)])
        for p in truths
    ]
    assert np.mean(coverage) == pytest.approx(0.95, abs=0.01)
    assert min(coverage) > 0.9


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 5), (6, 5), (0, -1)])
def test_impossible_proportion_is_refused(successes: int, trials: int) -> None:
    with pytest.raises(ConfigError, match=f"{successes} successes of {trials} trials"):
        proportion(successes, trials)


def test_accuracy_counts_the_images_whose_class_is_highest() -> None:
    scores = np.array([[0.1, 0.9], [3.0, -4.0], [-2.0, -1.0], [0.5, 0.5]])
    assert accuracy(scores, np.array([1, 1, 1, 0])) == proportion(3, 4)
    with pytest.raises(ConfigError, match="0 successes of 0 trials"):
        accuracy(scores[:0], np.array([], int))


# --- counts against probabilities --------------------------------------------------------------


def test_counts_as_expected_agree_perfectly() -> None:
    found = compare_counts([50, 20], [100, 100], [0.5, 0.2])
    assert (found.chi_square, found.degrees, found.p_value) == (0, 2, 1)
    assert found.worst_z == 0


def test_known_chi_square() -> None:
    """60 of 100 tosses: z = 2, chi-square 4 on one degree, p = 4.55 %."""
    found = compare_counts([60], [100], [0.5])
    assert (found.chi_square, found.degrees) == pytest.approx((4.0, 1))
    assert found.p_value == pytest.approx(2 * ndtr(-2.0), rel=1e-12)


def test_worst_z_is_that_of_the_exact_binomial_tail() -> None:
    """No head in ten tosses has a two-sided probability of 2 / 1024, like ten heads."""
    for count in (0, 10):
        z = compare_counts([count], [10], [0.5]).worst_z
        assert ndtr(-z) == pytest.approx(2.0**-10, rel=1e-9)


def test_rare_event_is_not_taken_as_normal_but_seen() -> None:
    found = compare_counts([1, 50], [512, 100], [1e-9, 0.5])
    assert (found.chi_square, found.degrees) == (0, 1)
    assert found.worst_z > 4.5


@pytest.mark.parametrize(("count", "probability"), [(1, 0.0), (9, 1.0)])
def test_impossible_count_is_as_bad_as_can_be(count: int, probability: float) -> None:
    found = compare_counts([count], [10], [probability])
    assert (found.degrees, found.p_value) == (0, 1)
    assert 36 < found.worst_z < 38


def test_certain_count_agrees() -> None:
    assert compare_counts([0, 10], [10, 10], [0, 1]).worst_z == 0


def test_p_values_of_true_probabilities_are_uniform() -> None:
    """1,000 experiments: the mean is 1/2 within 4 sigma of 0.289 / sqrt(1000)."""
    rng = np.random.default_rng(7)
    probability, trials = np.linspace(0.1, 0.9, 9), np.full(9, 400)
    values = [
        compare_counts(rng.binomial(trials, probability), trials, probability).p_value
        for _ in range(1000)
    ]
    assert np.mean(values) == pytest.approx(0.5, abs=4 * 0.289 / np.sqrt(1000))


def test_wrong_probability_is_found() -> None:
    """A shift of 0.1 at 400 trials is 4 sigma a count."""
    rng = np.random.default_rng(8)
    probability, trials = np.linspace(0.2, 0.8, 7), np.full(7, 400)
    found = compare_counts(rng.binomial(trials, probability), trials, probability + 0.1)
    assert found.p_value < 1e-6


@pytest.mark.parametrize(
    ("successes", "trials", "probability"),
    [([], [], []), ([1], [0], [0.5]), ([3], [2], [0.5]), ([-1], [2], [0.5]), ([1], [2], [1.1]),
     ([1], [2], [-0.1]), ([1], [2], [np.nan])],
)  # fmt: skip
def test_impossible_counts_are_refused(
    successes: list[int], trials: list[int], probability: list[float]
) -> None:
    with pytest.raises(ConfigError, match="at least one trial"):
        compare_counts(successes, trials, probability)


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ShapeError, match="one length"):
        compare_counts([1, 2], [3, 3], [0.5])


@pytest.mark.parametrize("share", [0.025, 0.5, 0.975])
def test_binomial_quantile_is_that_of_scipy(share: float) -> None:
    chance = np.linspace(0.01, 0.99, 99)
    found = binomial_quantile(share, 16, chance)
    np.testing.assert_array_equal(found, binom.ppf(share, 16, chance))
