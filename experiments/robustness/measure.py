"""Accuracy and energy of one setting over several chips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from chips import run_chips, setting_of

import memspice as ms

#: Images of which one window of each layer gives the energy.
WINDOWS = 12


@dataclass(frozen=True, eq=False)
class Measured:
    """``correct`` (chips, images), and energy and half width [J] of one inference by chip.

    ``setting`` is what decided them, as JSON.
    """

    correct: np.ndarray
    energy: np.ndarray
    half_width: np.ndarray
    setting: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Point:
    """What a sweep changes: the device, or its tiles; the rest is the same at every point.

    ``size`` are cycles and burst of an image.
    """

    network: str
    device: ms.Device
    data: ms.Images
    size: Mapping[str, int]
    tile: tuple[int, int] = (128, 128)


def measure(point: Point, chips: int, run: Path | None = None) -> Measured:
    """Run the network on chips of different seeds: cells, spikes and windows are drawn anew."""
    chip = ms.Chip(point.network, point.device, tile=point.tile)
    found = run_chips(chip, chips, point.data, run, **point.size, energy_windows=WINDOWS)
    energies = found.sampled_energies
    return Measured(
        found.correct(),
        np.array([each.energy.total for each in energies]),
        np.array([each.half_width for each in energies]),
        setting_of(found),
    )


def compared(measured: Measured, nominal: Measured, ann: np.ndarray) -> dict[str, Any]:
    """A point as JSON: accuracy, what it loses against the nominal setting and the ANN, energy.

    Both settings saw the same images, draws and windows, so that only the setting differs.
    """
    every = np.broadcast_to(ann, measured.correct.shape)
    ratio = measured.energy / nominal.energy
    sampling = float(np.sqrt(np.sum(measured.half_width**2))) / len(ratio)
    return {
        "accuracy": asdict(ms.statistics.chips_accuracy(measured.correct)),
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
