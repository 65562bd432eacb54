"""Straight lines through what the circuits of a layer made of their inputs, output by output."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

#: Fewest events that a line is laid through.
FEWEST = 3


@dataclass(frozen=True, eq=False)
class OutputLines:
    """Straight line of each output of a layer: ``found = offset + gain * asked``, least squares.

    Arrays are (outputs,); where an output has too few events, or all at one place, they are NaN.

    Parameters
    ----------
    gain : ndarray, [1]
        1 of a perfect circuit.
    offset : ndarray, [1]
        In units of a weighted input, of ``ln H``; 0 of a perfect circuit.
    residual : ndarray, [1]
        Standard deviation of the events from their line, in the same unit.
    events : ndarray of int
        How many the line was laid through.
    """

    gain: np.ndarray = field(metadata={"unit": "1"})
    offset: np.ndarray = field(metadata={"unit": "1"})
    residual: np.ndarray = field(metadata={"unit": "1"})
    events: np.ndarray = field(metadata={"unit": "1"})

    @property
    def noise(self) -> float:
        """Standard deviation of all events from the lines of their outputs, [1]."""
        known = ~np.isnan(self.residual)
        freedom = (self.events - 2)[known]
        if not freedom.sum():
            return math.nan
        return math.sqrt(float(self.residual[known] ** 2 @ freedom / freedom.sum()))


def output_lines(asked: np.ndarray, found: np.ndarray, inside: np.ndarray) -> OutputLines:
    """Lay a line through the events of each output.

    Parameters
    ----------
    asked, found : ndarray, shape (..., outputs), [1]
        Of the same events.
    inside : ndarray of bool, same shape
        Events that count: those that no limit has clipped.
    """
    outputs = asked.shape[-1]
    x, y = asked.reshape(-1, outputs), found.reshape(-1, outputs)
    kept = inside.reshape(-1, outputs).astype(float)
    events = kept.sum(axis=0)
    few = np.maximum(events, 1)
    mean_x, mean_y = (kept * x).sum(axis=0) / few, (kept * y).sum(axis=0) / few
    dx, dy = kept * (x - mean_x), kept * (y - mean_y)
    spread = (dx * dx).sum(axis=0)
    # Events at one place leave what rounding makes of their mean.
    told = (events >= FEWEST) & (spread > few * (1e-9 * (1 + np.abs(mean_x))) ** 2)
    gain = np.where(told, (dx * dy).sum(axis=0) / np.where(told, spread, 1.0), np.nan)
    rest = ((dy - gain * dx) ** 2).sum(axis=0)
    residual = np.sqrt(rest / np.maximum(events - 2, 1))
    return OutputLines(gain, mean_y - gain * mean_x, residual, events.astype(int))


@dataclass(frozen=True)
class Spread:
    """Spread of a number over outputs: of those ``count`` that have one."""

    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    count: int

    @classmethod
    def of(cls, values: np.ndarray) -> Spread:
        """Spread of values, NaN left out; the standard deviation is that of a sample."""
        known = values[~np.isnan(values)]
        if not len(known):
            return cls(None, None, None, None, 0)
        sd = float(known.std(ddof=1)) if len(known) > 1 else 0.0
        return cls(float(known.mean()), sd, float(known.min()), float(known.max()), len(known))
