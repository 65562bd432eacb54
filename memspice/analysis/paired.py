"""How much one classifier loses against another on the same images, over several chips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from memspice.analysis.statistics import NORMAL_QUANTILE
from memspice.errors import ConfigError, ShapeError


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
