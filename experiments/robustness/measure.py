"""Accuracy and energy of one setting over several chips."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from chips import chips_accuracy

from memspice.analysis.paired import paired_difference, student_half_width
from memspice.network.inference import run_inference
from memspice.windows.closed_form import closed_form_layers
from memspice.windows.setup import Prepared, Setup, choose_windows, prepare

#: Images of which one window of each layer gives the energy.
WINDOWS = 12


@dataclass(frozen=True)
class Measured:
    """``correct`` (chips, images), and energy and half width [J] of one inference by chip."""

    correct: np.ndarray
    energy: np.ndarray
    half_width: np.ndarray


def measure(setup: Setup, chips: int) -> Measured:
    """Run the network on chips of different seeds: cells, spikes and windows are drawn anew."""
    runs = [_one_chip(prepare(replace(setup, seed=seed))) for seed in range(chips)]
    correct, energy, half = zip(*runs, strict=True)
    return Measured(np.array(correct), np.array(energy), np.array(half))


def _one_chip(prepared: Prepared) -> tuple[np.ndarray, float, float]:
    setup, data = prepared.setup, prepared.dataset
    count = min(WINDOWS, len(data))
    windows = {
        layer.name: choose_windows(layer, count, 1, setup.seed) for layer in prepared.mapped.layers
    }
    run = run_inference(
        prepared.mapped,
        data.x,
        setup.cycles,
        setup.seed,
        burst=setup.burst,
        windows=[window for each in windows.values() for window in each],
    )
    layers = closed_form_layers(prepared, windows, run).values()
    total = sum(layer.total for layer in layers)
    half = float(np.sqrt(sum(layer.half_width**2 for layer in layers)))
    return run.scores.argmax(axis=1) == data.labels, total, half


def compared(measured: Measured, nominal: Measured, ann: np.ndarray) -> dict[str, Any]:
    """A point as JSON: accuracy, what it loses against the nominal setting and the ANN, energy.

    Both settings saw the same images, draws and windows, so that only the setting differs.
    """
    every = np.broadcast_to(ann, measured.correct.shape)
    ratio = measured.energy / nominal.energy
    sampling = float(np.sqrt(np.sum(measured.half_width**2))) / len(ratio)
    return {
        "accuracy": chips_accuracy(measured.correct),
        "loss": asdict(paired_difference(nominal.correct, measured.correct)),
        "loss_against_ann": asdict(paired_difference(every, measured.correct)),
        "energy_joule": _interval(measured.energy, sampling),
        "energy_ratio": _interval(ratio, 0.0),
    }


def _interval(values: np.ndarray, half_width: float) -> dict[str, float]:
    """Mean over chips; a half width of the mean of its own joins that over chips."""
    mean, half = float(values.mean()), float(np.hypot(half_width, student_half_width(values)))
    return {"value": mean, "low": mean - half, "high": mean + half}
