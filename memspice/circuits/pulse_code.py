"""Pixels as row pulses of few levels: many pulses make of them what no single one can.

A row driver with switches in the place of a converter has a few even steps, four say.  A pixel p is
then a train of such levels: up to the end of cycle t a row has carried ``floor(steps p t + 1/2)``
steps, spread as evenly as they go (a first-order sigma-delta modulator).  A pulse is ``steps p``
rounded down or up; the mean over the first t cycles is off by half a step of ``1 / (steps t)`` at
most, the mean over any later t by one.  So a burst of 8 pulses of four steps makes 33 levels, and
without bursts a row takes turns between two of five.

What makes the pulses out of a stored pixel is an accumulator of its bits, once a pixel and pulse.
It is no part of a driver, and its joules are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PulseCode:
    """Code in which rows carry pixels.

    Parameters
    ----------
    steps : int or None
        Even steps from 0 to 1 that a pulse can take; None: any, so that pixels are not coded.

    Examples
    --------
    >>> PulseCode(steps=4).pulses(np.array([[0.35]]), range(8))[:, 0]
    array([0.25, 0.5 , 0.25, 0.5 , 0.25, 0.25, 0.5 , 0.25])
    """

    steps: int | None

    def pulses(self, pixels: np.ndarray, cycles: range) -> np.ndarray:
        """Pulses of some cycles that carry pixels.

        Parameters
        ----------
        pixels : ndarray, shape (frames, ...), [1]
            In [0, 1].
        cycles : range
            Numbers of the cycles.

        Returns
        -------
        ndarray, shape (frames * cycles, ...)
            Of the same type, all cycles of a frame one after the other.  Where pixels are not
            coded: the pixels themselves, which are alike in every cycle.
        """
        if self.steps is None:
            return pixels
        ends = np.arange(cycles.start, cycles.stop + 1).reshape(1, -1, *[1] * (pixels.ndim - 1))
        carried = np.floor(self.steps * pixels[:, None].astype(float) * ends + 0.5)
        pulses = np.diff(carried, axis=1) / self.steps
        return np.asarray(pulses.reshape(-1, *pixels.shape[1:]), pixels.dtype)

    def range(self, pixels: np.ndarray) -> tuple[float, float]:
        """Lowest level but 0, and highest, of a pulse that carries one of some pixels."""
        if self.steps is None:
            lowest = float(np.min(pixels, where=pixels > 0, initial=1.0))
            return lowest, float(np.max(pixels, initial=0.0))
        return 1 / self.steps, 1.0

    def notes(self, cycles: int, burst: int) -> list[str]:
        """What a reader must know of pixels in a run of some cycles."""
        if self.steps is None:
            return []
        return [
            f"pixels are coded in row pulses of {self.steps + 1} levels: {self.steps * burst + 1} "
            f"of a drive, {self.steps * cycles + 1} of all {cycles} cycles"
        ]
