"""Layers that take the outputs of several earlier ones: shapes, files, the ANN, and refusals."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from memspice.errors import ConfigError, DataError
from memspice.network.ann import ann_scores, with_mean_inputs
from memspice.network.architecture import ARCHITECTURES, Architecture, Conv, Dense, Pool, Source
from memspice.network.mapping import map_network
from memspice.network.weights import (
    Network,
    WeightLayer,
    load_network,
    save_network,
    weight_shapes,
)
from memspice.parameters import load_parameter_set

JOINED = Architecture(
    "joined",
    (2, 8, 8),
    (Conv(3), Conv(4, also=(0,)), Pool(2), Conv(5, also=(1, 0)), Pool(2), Dense(6, also=(2,))),
)


def network(architecture: Architecture = JOINED) -> Network:
    draws = np.random.default_rng(4)
    layers = []
    for shape in weight_shapes(architecture):
        steps = draws.integers(-31, 32, shape)
        layers.append(WeightLayer(steps / 31 * 0.8, draws.normal(size=shape[0]), 0.8))
    return Network(architecture, tuple(layers), {})


def images(count: int = 3) -> np.ndarray:
    return np.random.default_rng(5).random((count, 2, 8, 8))


def test_steps_know_what_they_take() -> None:
    steps = list(JOINED.weight_layers())
    assert [step.input_shape for step in steps] == [(2, 8, 8), (5, 8, 8), (9, 4, 4), (9, 2, 2)]
    assert [step.output_shape for step in steps] == [(3, 8, 8), (4, 8, 8), (5, 4, 4), (6, 1, 1)]
    pool = Pool(2)
    assert steps[1].sources == (Source(1), Source(0))
    assert steps[2].sources == tuple(Source(number, (pool,)) for number in (2, 1, 0))
    assert steps[3].sources == (Source(3, (pool,)), Source(2, (pool, pool)))
    assert weight_shapes(JOINED) == [(3, 18), (4, 45), (5, 81), (6, 36)]


def test_a_chain_takes_the_layer_before() -> None:
    for architecture in ARCHITECTURES.values():
        numbers = [
            [source.number for source in step.sources] for step in architecture.weight_layers()
        ]
        assert numbers == [[number] for number in range(len(numbers))]


def convolved(rows: np.ndarray, layer: WeightLayer) -> np.ndarray:
    """Weighted inputs of a 3x3 convolution, straight from its definition."""
    count, channels, height, width = rows.shape
    padded = np.pad(rows, ((0, 0), (0, 0), (1, 1), (1, 1)))
    kernel = layer.weight.reshape(-1, channels, 3, 3)
    total = np.zeros((count, len(kernel), height, width)) + layer.bias[:, None, None]
    for row, col in np.ndindex(3, 3):
        part = padded[:, :, row : row + height, col : col + width]
        total += np.einsum("nchw,oc->nohw", part, kernel[:, :, row, col])
    return total


def by_hand(held: Network, x: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    def halved(values: np.ndarray) -> np.ndarray:
        n, c, h, w = values.shape
        return values.reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))

    def rate(z: np.ndarray) -> np.ndarray:
        return 1 - np.exp(-np.exp(z))

    first, second, third, last = held.layers
    one = rate(convolved(x, first))
    joined = np.concatenate([one, x], axis=1)
    two = rate(convolved(joined, second))
    wide = np.concatenate([halved(two), halved(one), halved(x)], axis=1)
    three = rate(convolved(wide, third))
    flat = np.concatenate([halved(three), halved(halved(two))], axis=1)
    return [x, joined, wide, flat], flat.reshape(len(x), -1) @ last.weight.T + last.bias


def test_ann_joins_the_outputs_in_order() -> None:
    held = network()
    rows, scores = by_hand(held, images())
    np.testing.assert_allclose(ann_scores(held, images()), scores, rtol=2e-5, atol=2e-5)
    levels = [layer.mean_input for layer in with_mean_inputs(held, images()).layers]
    for found, expected in zip(levels[:3], rows[:3], strict=True):
        np.testing.assert_allclose(found, expected.mean(axis=(0, 2, 3)).repeat(9), rtol=1e-5)
    np.testing.assert_allclose(levels[3], rows[3].mean(axis=0).ravel(), rtol=1e-5)


def test_file_keeps_what_layers_take(tmp_path: Path) -> None:
    path = tmp_path / "joined.h5"
    held = network()
    save_network(held, path, 32)
    assert load_network(str(path)).architecture == JOINED


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ((Conv(3, also=(0,)), Dense(2)), "layer 1 of network odd also takes .0."),  # has it
        ((Conv(3), Conv(3, also=(0, 0)), Dense(2)), "layer 2 of network odd also takes .0, 0."),
        ((Conv(3), Conv(3, also=(1,)), Dense(2)), "before number 1, which it takes in any case"),
        ((Conv(3), Conv(3, also=(2,)), Dense(2)), "layer 2 of network odd also takes .2."),
        ((Conv(3), Conv(3, also=(-1,)), Dense(2)), "also (takes|=) .-1."),
        ((Conv(3), Dense(4), Dense(2, also=(1,))), "layer 3 .* outputs of 1x1 and 8x8 positions"),
    ],
)
def test_what_cannot_be_joined_is_refused(
    tmp_path: Path, layers: tuple[Conv | Pool | Dense, ...], words: str
) -> None:
    odd = Architecture("odd", (2, 8, 8), layers)
    with pytest.raises(ConfigError, match=words):
        list(odd.weight_layers())
    path = tmp_path / "odd.h5"
    held = network(Architecture("odd", (2, 8, 8), (Conv(3), Dense(2))))
    save_network(Network(odd, held.layers, {}), path, 32)
    with pytest.raises(DataError, match=words):
        load_network(str(path))


def test_circuits_refuse_what_they_do_not_carry() -> None:
    with pytest.raises(
        ConfigError, match=r"layer 2 of network joined also takes .* \[0\]: on circ"
    ):
        map_network(with_mean_inputs(network(), images()), load_parameter_set("fast-memristor"))


@pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs the optional extra memspice[train]"
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_twin_in_training_joins_alike() -> None:
    import torch

    from memspice.training.config import Neurons
    from memspice.training.model import DeviceNetwork

    held, model = network(), DeviceNetwork(JOINED, Neurons(low=-50.0, high=50.0)).eval()
    for stage, layer in zip(model.stages(), held.layers, strict=True):
        stage.fold()
        stage.centre = False
        with torch.no_grad():
            weight = torch.from_numpy(layer.weight).float()
            stage.linear.weight.copy_(weight.view_as(stage.linear.weight))
            stage.linear.bias.copy_(torch.from_numpy(layer.bias))
    with torch.no_grad():
        scores = model(torch.from_numpy(images()).float(), 0).numpy()
    np.testing.assert_allclose(scores, by_hand(held, images())[1], rtol=1e-4, atol=1e-4)
