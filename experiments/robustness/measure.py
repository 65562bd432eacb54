"""Accuracy and energy of one setting over several chips."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from chips import chips_accuracy

import memspice as ms

#: Images of which one window of each layer gives the energy.
WINDOWS = 12


@dataclass(frozen=True)
class Measured:
    """``correct`` (chips, images), and energy and half width [J] of one inference by chip."""

    correct: np.ndarray
    energy: np.ndarray
    half_width: np.ndarray


@dataclass(frozen=True, eq=False)
class Point:
    """What a sweep changes: the device, or its tiles; the rest is the same at every point."""

    network: str
    device: ms.Device
    data: ms.Images
    cycles: int
    tile: tuple[int, int] = (128, 128)


def measure(point: Point, chips: int) -> Measured:
    """Run the network on chips of different seeds: cells, spikes and windows are drawn anew."""
    runs = [
        ms.Chip(point.network, point.device, tile=point.tile, seed=seed).run(
            point.data, cycles=point.cycles, energy_windows=WINDOWS
        )
        for seed in range(chips)
    ]
    energies = [run.sampled_energy for run in runs]
    return Measured(
        np.array([run.correct() for run in runs]),
        np.array([each.energy.total for each in energies]),
        np.array([each.half_width for each in energies]),
    )


def compared(measured: Measured, nominal: Measured, ann: np.ndarray) -> dict[str, Any]:
    """A point as JSON: accuracy, what it loses against the nominal setting and the ANN, energy.

    Both settings saw the same images, draws and windows, so that only the setting differs.
    """
    every = np.broadcast_to(ann, measured.correct.shape)
    ratio = measured.energy / nominal.energy
    sampling = float(np.sqrt(np.sum(measured.half_width**2))) / len(ratio)
    return {
        "accuracy": chips_accuracy(measured.correct),
        "loss": asdict(ms.statistics.paired_difference(nominal.correct, measured.correct)),
        "loss_against_ann": asdict(ms.statistics.paired_difference(every, measured.correct)),
        "energy_joule": _interval(measured.energy, sampling),
        "energy_ratio": _interval(ratio, 0.0),
    }


def _interval(values: np.ndarray, half_width: float) -> dict[str, float]:
    """Mean over chips; a half width of the mean of its own joins that over chips."""
    mean, half = (
        float(values.mean()),
        float(np.hypot(half_width, ms.statistics.student_half_width(values))),
    )
    return {"value": mean, "low": mean - half, "high": mean + half}
