"""Counts of random events: how sure a proportion is, and whether counts fit what is expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import bdtr, bdtrc, chdtrc, ndtri, stdtrit

from memspice.errors import ConfigError, ShapeError

#: Two-sided 95 % quantile of the standard normal distribution.
NORMAL_QUANTILE = 1.959963984540054
#: A law is rejected where points as far off as these would be rarer.
LEVEL = 0.01
#: Fewest expected successes, and failures, at which a count is taken as normal (Cochran 1954).
_FEWEST_EXPECTED = 5.0


@dataclass(frozen=True)
class Proportion:
    """A proportion with its 95 % interval, all of them fractions.

    Parameters
    ----------
    value : float
        Successes over trials.
    n : int
        Number of trials.
    low, high : float
        Ends of the Wilson score interval.
    """

    value: float
    n: int
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """Agreement of counts with the probabilities they should have.

    Parameters
    ----------
    chi_square : float
        Sum of ``z**2`` over the counts with at least 5 expected successes and 5 failures.
    degrees : int
        Number of those counts.
    p_value : float
        Probability of a larger ``chi_square`` if the probabilities hold; 1 where `degrees` is 0.
    worst_z : float
        Standard normal equivalent of the least likely of *all* counts, by its exact two-sided
        binomial probability; at most 37.
    """

    chi_square: float
    degrees: int
    p_value: float
    worst_z: float


def proportion(successes: int, trials: int) -> Proportion:
    """Estimate a proportion, with its 95 % Wilson score interval.

    The interval stays within [0, 1] and has a width where no trial, or every one, succeeded.

    Parameters
    ----------
    successes, trials : int
        Counts of independent trials with one common probability.

    Returns
    -------
    Proportion

    Raises
    ------
    ConfigError
        If there is no trial, or the successes are not among them.

    References
    ----------
    .. [1] E. B. Wilson, J. Am. Stat. Assoc. 22, 209 (1927).

    Examples
    --------
    >>> found = proportion(3, 4)
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.75, 0.301, 0.954)
    """
    successes, trials = int(successes), int(trials)
    if trials < 1 or not 0 <= successes <= trials:
        raise ConfigError(
            f"{successes} successes of {trials} trials are no proportion: at least one trial, "
            "and no more successes than trials"
        )
    value, square = successes / trials, NORMAL_QUANTILE**2
    centre = (value + square / (2 * trials)) / (1 + square / trials)
    spread = math.sqrt(value * (1 - value) / trials + square / (4 * trials**2))
    half = NORMAL_QUANTILE * spread / (1 + square / trials)
    # Exact at the ends, where rounding would leave 1e-17.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return Proportion(value, trials, low, high)


def accuracy(scores: np.ndarray, labels: np.ndarray) -> Proportion:
    """Share of images whose largest score is that of their class, with its 95 % interval.

    Parameters
    ----------
    scores : ndarray, shape (images, classes)
        Any units; of equal scores the first counts.
    labels : ndarray of int, shape (images,)
        Their classes.

    Returns
    -------
    Proportion

    Raises
    ------
    ConfigError
        If there is no image.
    """
    return proportion(int(np.sum(scores.argmax(axis=1) == labels)), len(labels))


def accuracy_moved(before: np.ndarray, after: np.ndarray, labels: np.ndarray) -> bool:
    """Whether more images changed sides one way than chance explains: a sign test at 95 %.

    Images whose answer is right, or wrong, both times say nothing; of the others as many change
    for the better as for the worse where nothing moves the accuracy (McNemar, Psychometrika 12,
    153, 1947, without its correction for small counts: four one way are too many, three are not).

    Parameters
    ----------
    before, after : ndarray, shape (images, classes)
        Scores of the same images, as of `accuracy`.
    labels : ndarray of int, shape (images,)
        Their classes.
    """
    was, now = (scores.argmax(axis=1) == labels for scores in (before, after))
    better, worse = int(np.sum(now & ~was)), int(np.sum(was & ~now))
    return abs(better - worse) > NORMAL_QUANTILE * math.sqrt(better + worse)


def compare_counts(
    successes: Sequence[int] | np.ndarray,
    trials: Sequence[int] | np.ndarray,
    probability: Sequence[float] | np.ndarray,
) -> Agreement:
    """Test independent counts against the probabilities that they should have.

    Parameters
    ----------
    successes, trials : array_like of int, shape (counts,)
        What was counted.
    probability : array_like, shape (counts,), [1]
        What is expected; known beforehand, not fitted to the counts.

    Returns
    -------
    Agreement

    Raises
    ------
    ShapeError
        If the three do not have one common shape.
    ConfigError
        If there is no count, a count is none of a trial, or a probability is outside [0, 1].
    """
    k, n, p = (np.asarray(part, dtype=float) for part in (successes, trials, probability))
    if not k.shape == n.shape == p.shape or k.ndim != 1:
        raise ShapeError(
            f"successes {k.shape}, trials {n.shape} and probability {p.shape} must be lists of "
            "one length"
        )
    if not k.size or not np.all((n >= 1) & (k >= 0) & (k <= n) & (p >= 0) & (p <= 1)):
        raise ConfigError(
            "counts need at least one trial, successes between 0 and the trials, and a probability "
            f"between 0 and 1; successes {k}, trials {n}, probability {p}"
        )
    normal = np.minimum(n * p, n * (1 - p)) >= _FEWEST_EXPECTED
    k_normal, n_normal, p_normal = k[normal], n[normal], p[normal]
    z = (k_normal - n_normal * p_normal) / np.sqrt(n_normal * p_normal * (1 - p_normal))
    chi_square, degrees = float(np.sum(z**2)), int(np.count_nonzero(normal))
    return Agreement(
        chi_square=chi_square,
        degrees=degrees,
        p_value=float(chdtrc(degrees, chi_square)) if degrees else 1.0,
        worst_z=_equivalent_z(float(np.min(_two_sided(k, n, p)))),
    )


@dataclass(frozen=True)
class PairedDifference:
    """Difference of two accuracies over the same images, as fractions, with its 95 % interval.

    Parameters
    ----------
    value : float
        Mean of the first less the second.
    low, high : float
        Ends of the interval.
    images, chips : int
        Images, and independent chips (seeds) that saw all of them.
    """

    value: float
    low: float
    high: float
    images: int
    chips: int


def paired_difference(first: np.ndarray, second: np.ndarray) -> PairedDifference:
    """Accuracy of the first less that of the second.

    The half width joins two parts in quadrature.  Over images: the adjusted Wald interval for
    matched pairs [1]_, on the mean difference of each image; it has a width even where no image
    differs.  Over chips, where there is more than one: Student's interval of their means.

    Parameters
    ----------
    first, second : ndarray of bool, shape (chips, images)
        Whether each image was classified correctly.

    Raises
    ------
    ShapeError
        If the two have not one common shape of two axes.
    ConfigError
        If there is no image or no chip.

    References
    ----------
    .. [1] A. Agresti and Y. Min, Stat. Med. 24, 729 (2005).

    Examples
    --------
    >>> right = np.ones((1, 98), bool)
    >>> found = paired_difference(right, right)
    >>> found.value, round(found.high, 4)
    (0.0, 0.0196)
    """
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if first.shape != second.shape or first.ndim != 2:
        raise ShapeError(
            f"correct answers of shape {first.shape} and {second.shape}: both must be "
            "(chips, images)"
        )
    chips, images = first.shape
    if not first.size:
        raise ConfigError(f"{chips} chips and {images} images: a difference needs one of each")
    difference = first - second
    each = difference.mean(axis=0)
    # Half a success and half a failure more in each cell of the table of pairs.
    count = images + 2
    centre = float(each.sum()) / count
    over_images = NORMAL_QUANTILE * float(np.sqrt(np.sum(each**2) + 1 - count * centre**2)) / count
    half = float(np.hypot(over_images, student_half_width(difference.mean(axis=1))))
    return PairedDifference(float(each.mean()), centre - half, centre + half, images, chips)


def chips_accuracy(correct: np.ndarray) -> PairedDifference:
    """Mean accuracy of several chips; its interval stays within [0, 1].

    The interval is that of `paired_difference` against nothing right: over images, and over chips
    where there is more than one.

    Parameters
    ----------
    correct : ndarray of bool, shape (chips, images)
        Whether each image was classified correctly.

    Raises
    ------
    ShapeError, ConfigError
        As of `paired_difference`.
    """
    found = paired_difference(correct, np.zeros_like(correct))
    return replace(found, low=max(found.low, 0.0), high=min(found.high, 1.0))


def student_half_width(values: np.ndarray) -> float:
    """Half width of Student's 95 % interval of a mean; zero for one value, which tells of none.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Independent values of one normal distribution.
    """
    if len(values) < 2:
        return 0.0
    error = float(np.std(values, ddof=1)) / float(np.sqrt(len(values)))
    return float(stdtrit(len(values) - 1, 0.975)) * error


def binomial_quantile(share: float, trials: int, chance: np.ndarray) -> np.ndarray:
    """Fewest successes that independent trials do not exceed with at least a given probability.

    Parameters
    ----------
    share : float
        That probability, between 0 and 1.
    trials : int
        Number of trials.
    chance : ndarray, shape (counts,), [1]
        Probability of a success, of each count.

    Returns
    -------
    ndarray of int, shape (counts,)

    Examples
    --------
    >>> binomial_quantile(0.5, 10, np.array([0.0, 0.25, 1.0])).tolist()
    [0, 2, 10]
    """
    below = bdtr(np.arange(trials)[:, None], trials, chance)
    return np.asarray(np.count_nonzero(below < share, axis=0))


def _two_sided(k: np.ndarray, n: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Twice the smaller tail of the binomial distribution, both tails with the count itself."""
    below = bdtr(k, n.astype(int), p)
    above = np.where(k > 0, bdtrc(np.maximum(k - 1, 0), n.astype(int), p), 1.0)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(below, above)))


def _equivalent_z(p_value: float) -> float:
    """``z`` with ``P(|Z| >= z)`` equal to the value; below 1e-300 it is that of 1e-300."""
    return float(-ndtri(max(p_value, 1e-300) / 2)) + 0.0  # -0.0 becomes 0.0
