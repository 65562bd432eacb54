"""How often the chips of several seeds are right, and how sure that is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

import memspice as ms


def chips_accuracy(correct: np.ndarray) -> dict[str, Any]:
    """Accuracy over (chips, images) with its interval, which stays within [0, 1]."""
    found = asdict(ms.statistics.paired_difference(correct, np.zeros_like(correct)))
    return {**found, "low": max(found["low"], 0.0), "high": min(found["high"], 1.0)}


def right_by_cycles(runs: list[ms.results.ChipResult]) -> dict[int, np.ndarray]:
    """Whether each image is right, (chips, images), by number of cycles."""
    return {n: np.array([run.correct(n) for run in runs]) for n in runs[0].answers_at}
