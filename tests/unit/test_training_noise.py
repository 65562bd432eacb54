"""What makes a network bear the noise of its spikes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from memspice.errors import ConfigError
from memspice.network.architecture import Architecture, Conv, Dense

HAS_TORCH = importlib.util.find_spec("torch") is not None
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not HAS_TORCH, reason="needs the optional extra memspice[train]"),
]
if HAS_TORCH:
    import torch

    from memspice.training.config import Neurons, Phase, TrainConfig
    from memspice.training.loop import parameter_groups, train_network
    from memspice.training.model import DRAWS, DeviceNetwork, _Switch

NET = Architecture("small", (1, 8, 8), (Conv(4), Conv(4), Dense(10)))


def test_a_burst_has_the_mean_and_the_variance_of_its_spikes() -> None:
    """Over 40,000 neurons, to four standard errors: those of K draws of each neuron."""
    torch.manual_seed(5)
    z, burst = torch.full((1, 40000), -1.0), 8
    out = _Switch.apply(z, 1, -7.0, 2.3, 0.0, burst).double()[0]
    p = 1 - np.exp(-np.exp(-1.0))
    variance = p * (1 - p) / burst
    assert abs(float(out.mean()) - p) < 4 * np.sqrt(variance / 40000) + 1 / DRAWS
    # A uniform draw has a kurtosis of 9/5, so its sample variance spreads by (9/5 - 1) / n.
    assert abs(float(out.var()) / variance - 1) < 4 * np.sqrt(0.8 / 40000)


def test_only_weights_decay() -> None:
    """A normalisation's gain that decays leaves rates alike, and spikes drown in their noise."""
    model = DeviceNetwork(NET, Neurons())
    weights = {id(stage.linear.weight) for stage in model.stages()}
    for orthogonal in (False, True):
        phase = Phase("normalised", 2, 5e-3, orthogonal=orthogonal)
        groups = parameter_groups(model, phase)
        free = {id(each) for g in groups if g.get("weight_decay") == 0 for each in g["params"]}
        assert free == {id(each) for each in model.parameters()} - weights


def test_noise_of_weights_spreads_them_while_training_only() -> None:
    """Over 3,600 weights and 20 steps the sample deviation is within 4 x 0.3 %, its own error."""
    torch.manual_seed(6)
    model = DeviceNetwork(Architecture("wide", (40, 8, 8), (Conv(10), Dense(10))), Neurons())
    stage = next(model.stages())
    held = stage.held()[0].detach()
    stage.noise = 0.12
    ratios = torch.stack([stage.effective()[0].detach() / held for _ in range(20)])
    assert abs(float(ratios.std()) / 0.12 - 1) < 0.012
    assert abs(float(ratios.mean()) - 1) < 4 * 0.12 / np.sqrt(72000)
    assert not torch.equal(ratios[0], ratios[1])
    model.eval()
    assert torch.equal(stage.effective()[0].detach(), held)


def test_each_phase_has_its_own_noise_of_weights(tmp_path: Path) -> None:
    images = np.random.default_rng(7).integers(0, 256, (64, 1, 8, 8)).astype(np.uint8)
    ends = []
    for name, noises in (("none", (0.0, 0.0)), ("last", (0.0, 0.3)), ("again", (0.0, 0.3))):
        phases = tuple(
            Phase(kind, 1, 5e-3, kind=kind, batch=8, weight_noise=noise)
            for kind, noise in zip(("normalised", "rounded"), noises, strict=True)
        )
        labels = np.arange(64) % 10
        net = train_network(
            NET, images, labels, TrainConfig(phases), tmp_path / name, lambda _: None
        )
        states = [torch.load(tmp_path / name / f"{phase.name}.pt")["model"] for phase in phases]
        ends.append((states[0]["_stages.0.linear.weight"], net.layers[0].weight))
    (first, plain), (alike, noisy), (_, again) = ends
    assert torch.equal(first, alike)
    assert np.array_equal(noisy, again)
    assert not np.array_equal(plain, noisy)


@pytest.mark.parametrize(("kind", "noise"), [("rounded", -0.1), ("mapped", 0.1)])
def test_noise_of_weights_is_refused_where_it_means_nothing(kind: str, noise: float) -> None:
    with pytest.raises(ConfigError, match=f"phase own: weight_noise = {noise:g} must be"):
        Phase("own", 1, 1e-3, kind=kind, weight_noise=noise)  # type: ignore[arg-type]
