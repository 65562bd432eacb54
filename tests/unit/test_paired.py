"""The interval of a paired difference: bounds, symmetry, coverage; refusals."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.analysis.statistics import paired_difference, student_half_width
from memspice.errors import ConfigError, ShapeError


def test_identical_answers_differ_by_nothing_but_are_not_beyond_doubt() -> None:
    right = np.random.default_rng(0).random((3, 50)) < 0.8
    found = paired_difference(right, right)
    assert found.value == 0
    assert found.high == pytest.approx(-found.low)
    # Rule of three: no difference in n images leaves room for about 3 / n; here 1.96 / (n + 2)
    # from the added half pair on each side.
    assert 1 / 50 < found.high < 3 / 50


def test_swapped_classifiers_change_the_sign_only() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.random((2, 4, 80)) < 0.7
    one, other = paired_difference(first, second), paired_difference(second, first)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


def test_one_image_in_four_lost_is_a_quarter() -> None:
    first, second = np.ones((1, 400), bool), np.ones((1, 400), bool)
    second[0, ::4] = False
    found = paired_difference(first, second)
    assert found.value == 0.25
    # Wald by hand: 1.96 sqrt(0.25 * 0.75 / 400) = 0.0424; the added pairs move it by under 3 %.
    assert (found.high - found.low) / 2 == pytest.approx(0.0424, rel=0.03)


def test_interval_covers_the_truth_in_nineteen_of_twenty_cases() -> None:
    rng, truth, covered, runs = np.random.default_rng(2), 0.05, 0, 1000
    for _ in range(runs):
        second = rng.random((1, 200)) < 0.8
        first = second | (rng.random((1, 200)) < truth / 0.2)
        found = paired_difference(first, second)
        covered += found.low <= truth <= found.high
    # Three sigma of a count of 95 % of 1000 is 21.
    assert covered >= 950 - 21


def test_chips_that_differ_widen_the_interval() -> None:
    first = np.ones((4, 100), bool)
    alike, unlike = first.copy(), first.copy()
    alike[:, :10] = False
    for chip, lost in enumerate((0, 5, 15, 20)):  # ten on average, too
        unlike[chip, :lost] = False
    one, other = paired_difference(first, alike), paired_difference(first, unlike)
    assert one.value == other.value == pytest.approx(0.1)
    assert other.high - other.low > 1.5 * (one.high - one.low)


def test_students_half_width_of_known_values() -> None:
    # t(0.975, 2) = 4.3027; standard deviation of 1, 2, 3 is 1.
    assert student_half_width(np.array([1.0, 2.0, 3.0])) == pytest.approx(4.3027 / 3**0.5, rel=1e-4)
    assert student_half_width(np.array([5.0])) == 0


def test_answers_of_other_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 5\) and \(2, 6\)"):
        paired_difference(np.ones((2, 5)), np.ones((2, 6)))
    with pytest.raises(ShapeError, match="chips, images"):
        paired_difference(np.ones(5), np.ones(5))


def test_no_image_is_refused() -> None:
    with pytest.raises(ConfigError, match="1 chips and 0 images"):
        paired_difference(np.ones((1, 0)), np.ones((1, 0)))
