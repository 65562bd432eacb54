"""Mean curve of a layer's circuits: what they made of weighted inputs, in even steps of these."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: Steps from the least weighted input to the largest.
STEPS = 24


@dataclass(frozen=True, eq=False)
class MeanCurve:
    """Mean curve over the events of all outputs, step by step; arrays are (steps,), rising.

    Parameters
    ----------
    weighted_input : ndarray, [1]
        Mean of the events of a step, in units of ``ln H``, or of a score.
    drive, drive_sd : ndarray, [V]
        Mean and standard deviation of the drive.
    probability : ndarray or None, [1]
        Mean probability of a spike, ``1 - exp(-H)``; None without neurons.
    events : ndarray of int
        How many a step has; a step without any is left out.
    """

    weighted_input: np.ndarray = field(metadata={"unit": "1"})
    drive: np.ndarray = field(metadata={"unit": "V"})
    drive_sd: np.ndarray = field(metadata={"unit": "V"})
    probability: np.ndarray | None = field(metadata={"unit": "1"})
    events: np.ndarray = field(metadata={"unit": "1"})


def mean_curve(asked: np.ndarray, drive: np.ndarray, hazard: np.ndarray | None) -> MeanCurve:
    """Mean curve of events.

    Parameters
    ----------
    asked : ndarray, any shape, [1]
        Weighted inputs.
    drive : ndarray, same shape, [V]
    hazard : ndarray or None, same shape, [1]
        Hazard integrals; None without neurons.
    """
    z = asked.ravel()
    low, high = float(z.min()), float(z.max())
    width = (high - low) / STEPS or 1.0
    step = np.minimum(((z - low) / width).astype(int), STEPS - 1)
    events = np.bincount(step, minlength=STEPS)
    there = events > 0

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(step, values, minlength=STEPS)[there] / events[there]

    volts = drive.ravel()
    off = volts - np.bincount(step, volts, minlength=STEPS)[step] / events[step]
    return MeanCurve(
        mean(z),
        mean(volts),
        np.sqrt(mean(off**2)),
        None if hazard is None else mean(-np.expm1(-hazard.ravel())),
        events[there],
    )
