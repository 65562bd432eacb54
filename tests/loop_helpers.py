"""A small network on crossbars, and its spikes event by event."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from memspice.network.architecture import Architecture, Conv, Dense, Pool
from memspice.network.batch import Window
from memspice.network.frames import patch
from memspice.network.inference import InferenceResult
from memspice.network.mapping import MappedLayer, MappedNetwork, map_network
from memspice.network.weights import Network, WeightLayer, weight_shapes
from memspice.parameters import load_parameter_set
from memspice.windows.fidelity import window_jobs
from memspice.windows.surrogate import surrogate_events
from tests.helpers import fidelity_of

SMALL = Architecture("small", (2, 6, 6), (Conv(5), Pool(2), Conv(4), Dense(6), Dense(3)))
LEVELS = 32
CYCLES = 5
SEED = 12
IMAGES = 7


def make_network(architecture: Architecture = SMALL, scale: float = 3.0) -> Network:
    """Random weights on the levels, weighted inputs of order one."""
    rng = np.random.default_rng(4)
    layers = []
    for outputs, fan_in in weight_shapes(architecture):
        bound = scale / np.sqrt(fan_in)
        steps = rng.integers(1 - LEVELS, LEVELS, (outputs, fan_in))
        bias = rng.normal(-0.5, 0.5, outputs)
        layers.append(WeightLayer(steps * bound / (LEVELS - 1), bias, bound))
    return Network(architecture, tuple(layers), {})


def make_mapped(
    architecture: Architecture = SMALL,
    tile: tuple[int, int] = (30, 6),
    changes: Mapping[str, float | str] | None = None,
) -> MappedNetwork:
    parameter_set = load_parameter_set("fast-memristor", changes)
    return map_network(make_network(architecture), parameter_set, tile)


def make_images(count: int = IMAGES, channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(8)
    return rng.random((count, channels, 6, 6)).astype(np.float32)


def every_window(mapped: MappedNetwork, images: int) -> list[Window]:
    return [
        Window(layer.name, image, position)
        for layer in mapped.layers
        for image in range(images)
        for position in range(layer.positions)
    ]


def patches(state: np.ndarray, kernel: int) -> np.ndarray:
    """Inputs of all positions (n, positions, fan_in) of images (n, channels, height, width)."""
    positions = range(state.shape[2] * state.shape[3])
    last = state.transpose(0, 2, 3, 1)
    return np.stack([patch(last, Conv(1, kernel), position) for position in positions], axis=1)


def loop_spikes(
    mapped: MappedNetwork, result: InferenceResult, layer: MappedLayer, image: int
) -> np.ndarray:
    """Spikes (cycles, positions, outputs) of one image by the window jobs, event by event."""
    spikes = np.empty((CYCLES, layer.positions, layer.outputs), bool)
    for position in range(layer.positions):
        window = Window(layer.name, image, position)
        for job in window_jobs(
            layer, window, result.windows[window], fidelity_of("surrogate"), seed=SEED
        ):
            fired = surrogate_events(job)["hazard"] >= job.stimulus().thresholds
            spikes[:, position, job.outputs.start : job.outputs.stop] = fired
    return spikes
