"""What the figures of accuracies have in common: values with intervals, an axis of cycles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike


def draw_intervals(
    axis: Axes,
    place: ArrayLike,
    found: Sequence[Mapping[str, float]],
    factor: float = 100.0,
    **style: Any,
) -> None:
    """Draw ``value`` with ``low`` and ``high`` of each, times a factor: in per cent or points."""
    value, low, high = (
        factor * np.array([item[end] for item in found]) for end in ("value", "low", "high")
    )
    # Rounding may leave an end on the wrong side of its value.
    error = np.maximum([value - low, high - value], 0)
    axis.errorbar(place, value, error, markersize=4, capsize=3, **style)


def scale_cycles(axis: Axes, cycles: Sequence[int]) -> None:
    """Number the horizontal axis by cycles, each twice the one before."""
    axis.set_xscale("log", base=2)
    axis.set_xticks(cycles, [str(number) for number in cycles])
    axis.set_xlabel("cycles T")
