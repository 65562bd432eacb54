"""The ANN against direct loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate2d

from memspice.network import ann
from memspice.network.ann import ann_scores
from memspice.network.weights import WeightLayer
from tests.loop_helpers import make_images, make_network


def test_ann_scores_against_a_direct_computation() -> None:
    network, images = make_network(), make_images(2)
    for image, scores in zip(images, ann_scores(network, images), strict=True):
        state = image.astype(float)
        layers = iter(network.layers)
        state = switch(direct_conv(state, next(layers)))
        state = (
            state[:, 0::2, 0::2]
            + state[:, 1::2, 0::2]
            + state[:, 0::2, 1::2]
            + state[:, 1::2, 1::2]
        ) / 4
        state = switch(direct_conv(state, next(layers))).ravel()
        dense, last = next(layers), next(layers)
        state = switch(dense.weight @ state + dense.bias)
        np.testing.assert_allclose(scores, last.weight @ state + last.bias, rtol=1e-4, atol=1e-5)


def direct_conv(state: np.ndarray, layer: WeightLayer) -> np.ndarray:
    kernels = layer.weight.reshape(len(layer.bias), len(state), 3, 3)
    maps = [
        sum(
            correlate2d(channel, part, mode="same")
            for channel, part in zip(state, kernel, strict=True)
        )
        for kernel in kernels
    ]
    return np.stack(maps) + layer.bias[:, None, None]


def switch(z: np.ndarray) -> np.ndarray:
    return 1 - np.exp(-np.exp(z))


def test_ann_does_not_depend_on_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    network, images = make_network(), make_images()
    whole = ann_scores(network, images)
    monkeypatch.setattr(ann, "BATCH", 2)
    done: list[int] = []
    np.testing.assert_array_equal(ann_scores(network, images, done.append, 1), whole)
    assert done == [2, 2, 2, 1]
