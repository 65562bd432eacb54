"""Layers that take the outputs of several earlier ones: shapes, files, the ANN, and refusals."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from memspice.errors import ConfigError, DataError
from memspice.network.ann import ann_scores, with_mean_inputs
from memspice.network.architecture import ARCHITECTURES, Architecture, Conv, Dense, Pool, Source
from memspice.network.batch import Window
from memspice.network.inference import run_inference
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
    (
        Conv(3),
        Conv(4, also=(0,)),
        Pool(2),
        Conv(5, also=(1, 0)),
        Conv(3),
        Pool(2, "any"),
        Dense(6, also=(3,)),
    ),
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
    steps = list(JOINED.shapes())
    channels, sides = zip(*((s.input_shape[0], s.input_shape[1:]) for s in steps), strict=True)
    assert channels == (2, 5, 9, 5, 8)
    assert sides == ((8, 8), (8, 8), (4, 4), (4, 4), (2, 2))
    assert steps[3].output_shape == (3, 4, 4)
    assert steps[4].output_shape == (6, 1, 1)
    pool, spike = Pool(2), Pool(2, "any")
    assert steps[1].sources == (Source(1), Source(0))
    assert steps[2].sources == tuple(Source(number, (pool,)) for number in (2, 1, 0))
    assert steps[4].sources == (Source(4, (spike,)), Source(3, (spike,)))
    assert weight_shapes(JOINED) == [(3, 18), (4, 45), (5, 81), (3, 45), (6, 32)]
    assert steps[2].widths == (4, 3, 2)
    assert steps[2].source_rows() == [slice(0, 36), slice(36, 63), slice(63, 81)]
    assert steps[4].source_rows() == [slice(0, 12), slice(12, 32)]


def test_a_chain_takes_the_layer_before() -> None:
    for architecture in ARCHITECTURES.values():
        also = [layer.also for layer in architecture.layers if not isinstance(layer, Pool)]
        numbers = [[source.number for source in step.sources] for step in architecture.shapes()]
        assert numbers == [[number, *more] for number, more in enumerate(also)]


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

    def spiked(values: np.ndarray) -> np.ndarray:
        n, c, h, w = values.shape
        return 1 - (1 - values.reshape(n, c, h // 2, 2, w // 2, 2)).prod(axis=(3, 5))

    first, second, third, fourth, last = held.layers
    one = rate(convolved(x, first))
    joined = np.concatenate([one, x], axis=1)
    two = rate(convolved(joined, second))
    wide = np.concatenate([halved(two), halved(one), halved(x)], axis=1)
    three = rate(convolved(wide, third))
    flat = np.concatenate([spiked(rate(convolved(three, fourth))), spiked(three)], axis=1)
    return [x, joined, wide, three, flat], flat.reshape(len(x), -1) @ last.weight.T + last.bias


def test_ann_joins_the_outputs_in_order() -> None:
    held = network()
    rows, scores = by_hand(held, images())
    np.testing.assert_allclose(ann_scores(held, images()), scores, rtol=2e-5, atol=2e-5)
    levels = [layer.mean_input for layer in with_mean_inputs(held, images()).layers]
    for found, expected in zip(levels[:4], rows[:4], strict=True):
        np.testing.assert_allclose(found, expected.mean(axis=(0, 2, 3)).repeat(9), rtol=1e-5)
    np.testing.assert_allclose(levels[4], rows[4].mean(axis=0).ravel(), rtol=1e-5)


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
        list(odd.shapes())
    path = tmp_path / "odd.h5"
    held = network(Architecture("odd", (2, 8, 8), (Conv(3), Dense(2))))
    save_network(Network(odd, held.layers, {}), path, 32)
    with pytest.raises(DataError, match=words):
        load_network(str(path))


@pytest.mark.parametrize("also", [(), (0,)])
def test_any_is_of_spikes(also: tuple[int, ...]) -> None:
    odd = Architecture("odd", (2, 8, 8), (Conv(3), Pool(2, "any"), Conv(3, also=also), Dense(2)))
    if also:
        with pytest.raises(ConfigError, match="layer 2 .* takes the image through a pool of rule"):
            list(odd.shapes())
    else:
        assert weight_shapes(odd) == [(3, 18), (3, 27), (2, 48)]


@pytest.mark.parametrize("rule", ["max", 2, None, ["any"]])
def test_file_with_another_rule_is_refused(tmp_path: Path, rule: object) -> None:
    path = tmp_path / "odd.h5"
    odd = Architecture("odd", (2, 8, 8), (Conv(3), Pool(2, rule), Dense(2)))  # type: ignore[arg-type]
    save_network(network(odd), path, 32)
    with pytest.raises(DataError, match="of a pool layer must be 'mean' or 'any'"):
        load_network(str(path))


def test_loop_sends_one_spike_of_a_block_to_the_next_layer() -> None:
    """The same spikes before the pool: rows are then their mean, or whether there is one."""
    seen = {}
    for rule in ("mean", "any"):
        layers = (Conv(5), Pool(2, rule), Conv(3), Dense(2))  # type: ignore[arg-type]
        held = with_mean_inputs(network(Architecture("short", (2, 8, 8), layers)), images())
        mapped = map_network(held, load_parameter_set("fast-memristor"))
        windows = [Window("conv2", 1, position) for position in range(16)]
        result = run_inference(mapped, images(), 6, 3, windows=windows)
        seen[rule] = np.stack([result.windows[window] for window in windows])
    assert set(np.unique(seen["mean"])) == {0, 0.25, 0.5, 0.75, 1}
    np.testing.assert_array_equal(seen["any"], seen["mean"] > 0)


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
