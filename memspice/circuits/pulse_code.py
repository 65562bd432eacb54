"""Pixels as row pulses of few levels: a burst makes of them what no single pulse can.

A row driver with switches in the place of a converter has a few even steps, four say.  Over a burst
of K pulses a pixel is then the sum of K levels: ``n = round(steps K pixel)`` steps in all, spread
evenly, so that pulse k has ``floor((k + 1) n / K) - floor(k n / K)`` of them, which is ``n / K``
rounded down or up (Bresenham's line).  The mean over the burst is ``n / (steps K)``, off by half a
step at most: ``1 / (2 steps K)``, and 33 levels for four steps and K = 8.

What makes the pulses out of a stored pixel is an accumulator of as many bits as K has, once a pixel
and pulse; it is no part of a driver and its joules are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PulseCode:
    """How rows carry pixels.

    Parameters
    ----------
    steps : int or None
        Even steps from 0 to 1 that a pulse can take; None: any, so that pixels are not coded.
    burst : int
        Pulses whose mean a layer takes in.

    Examples
    --------
    >>> code = PulseCode(steps=4, burst=8)
    >>> code.pulses(np.array([[0.35]]), 8)[:, 0]
    array([0.25, 0.25, 0.5 , 0.25, 0.25, 0.5 , 0.25, 0.5 ])
    >>> code.means(np.array([0.35]))
    array([0.34375])
    """

    steps: int | None
    burst: int

    def means(self, pixels: np.ndarray) -> np.ndarray:
        """What the pulses of a burst are on average: pixels in [0, 1], in the same type."""
        if self.steps is None:
            return pixels
        return np.asarray(self._count(pixels) / (self.steps * self.burst), pixels.dtype)

    def pulses(self, pixels: np.ndarray, cycles: int) -> np.ndarray:
        """Pulses (cycles, ...) that carry pixels (1, ...) in [0, 1], burst after burst alike."""
        if self.steps is None:
            return pixels.repeat(cycles, axis=0)
        number = np.arange(self.burst).reshape(-1, *[1] * (pixels.ndim - 1))
        count = self._count(pixels)
        steps = (number + 1) * count // self.burst - number * count // self.burst
        pulses = np.asarray(steps / self.steps, pixels.dtype)
        return np.concatenate([pulses] * (cycles // self.burst))

    def range(self, pixels: np.ndarray) -> tuple[float, float]:
        """Lowest level but 0, and highest, of a pulse that carries one of some pixels."""
        if self.steps is None:
            lowest = float(np.min(pixels, where=pixels > 0, initial=1.0))
            return lowest, float(np.max(pixels, initial=0.0))
        return 1 / self.steps, 1.0

    @property
    def notes(self) -> list[str]:
        """What a reader must know of it."""
        if self.steps is None:
            return []
        levels = self.steps * self.burst + 1
        few = ": use a longer burst for more" if self.burst == 1 else ""
        return [
            f"pixels are coded in row pulses of {self.steps + 1} levels, which makes {levels} in a "
            f"burst of {self.burst}{few}"
        ]

    def _count(self, pixels: np.ndarray) -> np.ndarray:
        """Steps of a burst."""
        full = (self.steps or 1) * self.burst
        return np.asarray(np.rint(pixels.astype(float) * full), int)
