"""Layers as blocks of matrix products, against SciPy's correlation and sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate2d

from memspice.network import frames
from memspice.network.architecture import Conv, Dense, Pool
from memspice.network.frames import channels_last, layer_matrix, patch, pooled, products

SHAPE = (3, 5, 7)  # channels, height, width


def run(state: np.ndarray, kind: Conv | Dense, matrix: np.ndarray) -> np.ndarray:
    found = np.full((len(state), 35 if isinstance(kind, Conv) else 1, matrix.shape[1]), np.nan)
    for part, product in products(state, kind, matrix):
        found[part] = product
    return found


@pytest.mark.parametrize("block", [1, 3000, 1 << 19])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_products_make_a_convolution(
    kernel: int, block: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "ROW_NUMBERS", block)
    images, weight = rng.random((5, *SHAPE)), rng.normal(size=(4, 3, kernel, kernel))
    offset = rng.normal(size=4)
    kind = Conv(4, kernel)
    matrix = layer_matrix(weight.reshape(4, -1).T, offset, kind, SHAPE)
    found = run(channels_last(images), kind, matrix)
    for image in range(5):
        for output in range(4):
            direct = offset[output] + sum(
                correlate2d(images[image, channel], weight[output, channel], mode="same")
                for channel in range(3)
            )
            # Sums of 76 products of order one in float32.
            np.testing.assert_allclose(found[image, :, output].reshape(5, 7), direct, atol=1e-5)


@pytest.mark.parametrize("block", [1, 1 << 19])
def test_dense_layers_read_channels_first(
    block: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "ROW_NUMBERS", block)
    images, weight, offset = rng.random((6, *SHAPE)), rng.normal(size=(105, 4)), rng.normal(size=4)
    found = run(channels_last(images), Dense(4), layer_matrix(weight, offset, Dense(4), SHAPE))
    np.testing.assert_allclose(found[:, 0], images.reshape(6, -1) @ weight + offset, atol=1e-5)


def test_spikes_are_numbers(rng: np.random.Generator) -> None:
    state = rng.random((3, 5, 7, 3)) < 0.4
    matrix = layer_matrix(rng.normal(size=(27, 4)), rng.normal(size=4), Conv(4), SHAPE)
    as_numbers = run(state.astype(np.float32), Conv(4), matrix)
    np.testing.assert_array_equal(run(state, Conv(4), matrix), as_numbers)


def test_a_frame_does_not_depend_on_its_company(rng: np.random.Generator) -> None:
    state = rng.random((40, 5, 7, 3)).astype(np.float32)
    matrix = layer_matrix(rng.normal(size=(27, 4)), rng.normal(size=4), Conv(4), SHAPE)
    whole = run(state, Conv(4), matrix)
    for part in (slice(0, 1), slice(7, 9), slice(39, 40)):
        np.testing.assert_array_equal(run(state[part], Conv(4), matrix), whole[part])


@pytest.mark.parametrize("kind", [Conv(4), Conv(4, 5), Dense(4)])
def test_patches_are_the_rows_of_the_products(kind: Conv | Dense, rng: np.random.Generator) -> None:
    state = rng.random((2, 5, 7, 3)).astype(np.float32)
    fan_in = patch(state, kind, 0).shape[1]
    weight = rng.normal(size=(fan_in, 4))
    found = run(state, kind, layer_matrix(weight, np.zeros(4), kind, SHAPE))
    for position in range(found.shape[1]):
        expected = patch(state, kind, position) @ weight
        np.testing.assert_allclose(found[:, position], expected, atol=1e-5)


@pytest.mark.parametrize("spikes", [False, True])
def test_average_pool_by_hand(spikes: bool, rng: np.random.Generator) -> None:
    state = rng.random((2, 4, 6, 3))
    state = state < 0.5 if spikes else state.astype(np.float32)
    small = pooled(state, Pool(2))
    assert small.shape == (2, 2, 3, 3)
    for row in range(2):
        for col in range(3):
            block = state[:, 2 * row : 2 * row + 2, 2 * col : 2 * col + 2].astype(float)
            np.testing.assert_allclose(small[:, row, col], block.mean(axis=(1, 2)), rtol=1e-6)


def test_pool_of_any_is_one_spike_of_a_block(rng: np.random.Generator) -> None:
    """Of spikes their maximum; of probabilities the rate that many draws have."""
    rates = (rng.random((1, 4, 6, 3)) ** 3).astype(np.float32)
    spikes = rng.random((20000, 4, 6, 3)) < rates
    found = pooled(spikes, Pool(2, "any"))
    assert found.dtype == bool
    for row, col in np.ndindex(2, 3):
        block = spikes[:, 2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
        np.testing.assert_array_equal(found[:, row, col], block.max(axis=(1, 2)))
    expected = pooled(rates, Pool(2, "any"))[0]
    error = np.sqrt(expected * (1 - expected) / len(spikes))
    assert (np.abs(found.mean(axis=0) - expected) < 5 * error + 1e-6).all()
