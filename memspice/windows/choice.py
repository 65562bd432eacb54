"""Which windows of a layer are looked at."""

from __future__ import annotations

import numpy as np

from memspice.errors import ConfigError
from memspice.network.batch import Window
from memspice.network.mapping import MappedLayer


def choose_windows(layer: MappedLayer, images: int, positions: int, seed: int) -> list[Window]:
    """Windows of a layer: some positions of each image, chosen by the seed."""
    if positions < 1:
        raise ConfigError(f"positions = {positions} must be at least 1")
    windows = []
    for image in range(images):
        order = np.random.default_rng([seed, layer.number, image]).permutation(layer.positions)
        chosen = np.sort(order[:positions])
        windows += [Window(layer.name, image, int(position)) for position in chosen]
    return windows
