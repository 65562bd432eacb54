"""Counts of random events: how sure a proportion is, and whether counts fit what is expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import bdtr, bdtrc, chdtrc, ndtri

from memspice.errors import ConfigError, ShapeError

#: Two-sided 95 % quantile of the standard normal distribution.
NORMAL_QUANTILE = 1.959963984540054
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
    """How well counts fit the probabilities they should have.

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


def accuracy_json(scores: np.ndarray, labels: np.ndarray | None) -> dict[str, float] | None:
    """Accuracy as plain values; None where the classes are not known."""
    return None if labels is None else asdict(accuracy(scores, labels))


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
