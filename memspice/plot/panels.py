"""Which signals share an axis: those of one unit, and among volts and amperes of like size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from memspice.store import Column

#: Units whose small signals have an axis of their own: millivolts are flat beside volts.
_SPLIT = ("V", "A")
#: Smallest peak on an axis, relative to the largest.
_SPAN = 1 / 20
_QUANTITIES = {"V": "voltage", "A": "current", "W": "power", "J": "energy", "1": "value"}


@dataclass(frozen=True)
class Panel:
    """One axis: what it measures, its unit, the names of its signals."""

    quantity: str
    unit: str
    names: tuple[str, ...]


def panels(signals: Mapping[str, Column]) -> list[Panel]:
    """Share signals out among axes.

    Parameters
    ----------
    signals : mapping
        Name to (values of shape (n_points,), unit).

    Returns
    -------
    list of Panel
        In the order of units; of one unit the largest signals first.
    """
    units = dict.fromkeys(unit for _, unit in signals.values())
    return [
        Panel(_QUANTITIES.get(unit, unit), unit, names)
        for unit in units
        for names in _alike({k: v for k, (v, each) in signals.items() if each == unit}, unit)
    ]


def _alike(signals: Mapping[str, np.ndarray], unit: str) -> list[tuple[str, ...]]:
    """Names of each axis of one unit; a signal that is zero throughout fits anywhere."""
    if unit not in _SPLIT:
        return [tuple(signals)]
    peaks = {name: float(np.max(np.abs(values))) for name, values in signals.items()}
    groups: list[list[str]] = [[]]
    largest = max(peaks.values())
    for name in sorted(signals, key=lambda name: -peaks[name]):
        if 0 < peaks[name] < _SPAN * largest:
            groups.append([])
            largest = peaks[name]
        groups[-1].append(name)
    return [tuple(name for name in signals if name in group) for group in groups]
