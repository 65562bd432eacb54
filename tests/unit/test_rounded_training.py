"""Training on levels before the normalisation is folded: the levels of the end."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memspice.datasets.digits import load_digits
from memspice.network.architecture import Architecture, Conv, Dense, Pool

HAS_TORCH = importlib.util.find_spec("torch") is not None
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not HAS_TORCH, reason="needs the optional extra memspice[train]"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
]
if HAS_TORCH:
    import torch

    from memspice.training.config import Neurons, Phase, TrainConfig
    from memspice.training.crossbars import held_layers
    from memspice.training.loop import train_network
    from memspice.training.model import DeviceNetwork

NET = Architecture("net", (2, 8, 8), (Conv(6), Pool(2), Conv(9), Dense(12), Dense(10)))


def settled() -> Any:
    """Model whose running statistics are those of random images, evaluating."""
    torch.manual_seed(4)
    model = DeviceNetwork(NET, Neurons())
    images = torch.rand(64, *NET.input_shape)
    for _ in range(60):
        model(images, 0)
    return model.eval()


def test_weights_rounded_before_folding_are_those_after() -> None:
    model = settled()
    images = torch.rand(32, *NET.input_shape)
    with torch.no_grad():
        plain = model(images, 0)
        for stage in model.stages():
            stage.quantise(8, 2.0)
        before = model(images, 0)
        for stage in model.stages():
            stage.fold()
        after = model(images, 0)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)
    assert (before - plain).abs().max() > 0.01  # so few levels are felt
    for layer in held_layers(model):
        steps = layer.weight / layer.bound * 7
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)


def test_bound_follows_the_weights_until_folding() -> None:
    model = settled()
    stage = next(model.stages())
    stage.quantise(8, 2.0)
    stage.held()
    first = stage.bound
    with torch.no_grad():
        stage.norm.weight *= 3
    stage.held()
    assert stage.bound == pytest.approx(3 * first, rel=1e-5)
    stage.fold()
    folded = stage.bound
    assert folded == pytest.approx(3 * first, rel=1e-5)
    with torch.no_grad():
        stage.linear.weight *= 2
    stage.held()
    assert stage.bound == folded


def test_gradient_of_rounded_weights_is_that_of_the_weights_within_the_bound() -> None:
    stage = list(settled().stages())[0]  # noqa: RUF015  pixels: not centred
    stage.quantise(8, 1.0)
    held, _ = stage.held()
    held.sum().backward()
    inside = (stage.linear.weight * stage._scale()).abs() <= stage.bound
    assert 0.2 < float(inside.float().mean()) < 0.95
    torch.testing.assert_close(stage.linear.weight.grad, inside.float())


# --- the loop -------------------------------------------------------------------------------------

PHASES = [
    {"name": "normalised", "epochs": 2, "learning_rate": 1e-2},
    {"name": "rounded", "epochs": 2, "learning_rate": 5e-3, "kind": "rounded"},
    {"name": "folded", "epochs": 2, "learning_rate": 1e-3, "kind": "folded"},
]
SMALL = Architecture("small", (1, 8, 8), (Conv(6), Pool(2), Dense(10)))


def train(folder: Path, phases: int, report: Any = None) -> Any:
    config = TrainConfig(tuple(Phase(**values, batch=64) for values in PHASES[:phases]))
    data = load_digits("train", 320)
    return train_network(SMALL, data.x, data.labels, config, folder, report or [].append)


@pytest.mark.parametrize("phases", [1, 2, 3])
def test_network_of_each_phase_lies_on_levels(tmp_path: Path, phases: int) -> None:
    network = train(tmp_path, phases)
    assert network.architecture == SMALL
    for layer in network.layers:
        steps = layer.weight / layer.bound * 31
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)


@pytest.mark.parametrize("stop_after", [1, 2, 3, 4])
def test_resumed_run_ends_with_the_same_weights(tmp_path: Path, stop_after: int) -> None:
    lines: list[str] = []

    def interrupt(line: str) -> None:
        lines.append(line)
        if len(lines) == stop_after + 1:
            raise KeyboardInterrupt

    whole = train(tmp_path / "whole", 3)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", 3, interrupt)
    for mine, other in zip(whole.layers, train(tmp_path / "cut", 3).layers, strict=True):
        np.testing.assert_array_equal(mine.weight, other.weight)
        np.testing.assert_array_equal(mine.bias, other.bias)
        assert mine.bound == other.bound
