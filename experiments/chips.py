"""Which images a network classifies correctly, as an ANN and on a chip, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from memspice.analysis.paired import paired_difference
from memspice.network.ann import ann_scores
from memspice.network.inference import run_inference
from memspice.network.switching import Calibration
from memspice.network.weights import load_network
from memspice.windows.setup import Prepared, Setup, load_images


def ann_correct(setup: Setup) -> np.ndarray:
    """Whether the network without any circuit classifies each image correctly, (images,)."""
    network = load_network(setup.network)
    data = load_images(network, "test", setup.images, setup.data)
    return np.asarray(ann_scores(network, data.x).argmax(axis=1) == data.labels)


def snn_correct(
    prepared: Prepared, cycles: int, calibration: Mapping[str, Calibration] | None = None
) -> dict[int, np.ndarray]:
    """Whether a chip classifies each image correctly, (images,), by number of cycles."""
    data, seed = prepared.dataset, prepared.setup.seed
    run = run_inference(prepared.mapped, data.x, cycles, seed, calibration=calibration)
    return {count: scores.argmax(axis=1) == data.labels for count, scores in run.scores_at.items()}


def chips_accuracy(correct: np.ndarray) -> dict[str, Any]:
    """Accuracy over (chips, images) with its interval, which stays within [0, 1]."""
    found = asdict(paired_difference(correct, np.zeros_like(correct)))
    return {**found, "low": max(found["low"], 0.0), "high": min(found["high"], 1.0)}
