r"""The schedule of one cycle: write, read, reset, and the control pulses that make it.

::

    rows     _/--------------------------\_____________________________
    write    _____/------------------\_________________________________
    read     _______________________________/------\___________________
    strobe   ___________________________________/-\____________________
    reset    ___________________________________________/--------\_____
    clear    __________________________________________________/----\__
             |settle                        |               |
             |<------- write phase -------->|< read phase ->|< reset phase ...
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from memspice.quantities import Parameters, quantity

#: Shortest and longest phase or edge of a cycle, [s].
SHORTEST, LONGEST = 1e-15, 10.0
#: Steps of a transient in the flat part of a write pulse, at least.
_STEPS_PER_WRITE = 25


def _length(doc: str) -> Any:
    return quantity("s", doc, ge=SHORTEST, le=LONGEST)


class Timing(Parameters):
    """Lengths of the phases of one cycle; see :meth:`schedule`."""

    edge: float = _length("Rise and fall time of every pulse")
    settle: float = _length("Time the sense stage gets before the write pulse")
    write: float = _length("Flat part of the write pulse")
    read: float = _length("Flat part of the read pulse")
    reset: float = _length("Flat part of the reset pulse")
    gap: float = _length("Rest between phases")

    @property
    def longest_step(self) -> float:
        """Longest step of a transient that resolves the hazard of a write pulse, [s]."""
        return self.write / _STEPS_PER_WRITE


@dataclass(frozen=True)
class Pulse:
    """Trapezoid from ``start`` to ``stop`` [s], its edges of length ``edge`` included."""

    start: float
    stop: float
    edge: float

    def corners(self) -> tuple[float, float, float, float]:
        """Times [s] of the four corners."""
        return self.start, self.start + self.edge, self.stop - self.edge, self.stop

    def at(self, time: np.ndarray) -> np.ndarray:
        """Height of the pulse (0 to 1) at ``time`` [s], any shape."""
        return np.asarray(np.interp(time, self.corners(), (0.0, 1.0, 1.0, 0.0)))

    @property
    def middle(self) -> float:
        """Time between its halves, [s]."""
        return (self.start + self.stop) / 2

    @property
    def area(self) -> float:
        """Integral of the height, [s]."""
        return self.stop - self.start - self.edge

    @property
    def square_area(self) -> float:
        """Integral of the squared height, [s]."""
        return self.stop - self.start - 4 / 3 * self.edge


@dataclass(frozen=True)
class Schedule:
    """Pulses and phase limits of one cycle, counted from its beginning."""

    rows: Pulse
    write: Pulse
    read: Pulse
    strobe: Pulse
    reset: Pulse
    clear: Pulse
    #: End of the write, read and reset phase, [s]; the last is the length of a cycle.
    phase_ends: tuple[float, float, float]

    @property
    def cycle(self) -> float:
        """Length of a cycle, [s]."""
        return self.phase_ends[-1]


def schedule(timing: Timing) -> Schedule:
    """Lay out one cycle from the lengths of its phases."""
    edge, gap = timing.edge, timing.gap
    write_start = edge + timing.settle
    write = Pulse(write_start, write_start + timing.write + 2 * edge, edge)
    rows = Pulse(0.0, write.stop + edge, edge)
    read = Pulse(rows.stop + gap, rows.stop + gap + timing.read + 2 * edge, edge)
    flat = read.start + edge
    strobe = Pulse(flat + 0.5 * timing.read, flat + 0.9 * timing.read, 0.05 * timing.read)
    reset = Pulse(read.stop + gap, read.stop + gap + timing.reset + 2 * edge, edge)
    # The hazard integral is cleared while the reset still inhibits setting, and a little longer.
    clear_start = reset.start + edge + 0.8 * timing.reset
    clear = Pulse(clear_start, reset.stop + gap + edge, edge)
    ends = (rows.stop + gap / 2, read.stop + gap / 2, clear.stop + gap)
    return Schedule(
        rows=rows, write=write, read=read, strobe=strobe, reset=reset, clear=clear, phase_ends=ends
    )
