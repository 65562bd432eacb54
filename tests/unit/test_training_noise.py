"""What makes a network bear the noise of its spikes."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from memspice.network.architecture import Architecture, Conv, Dense

HAS_TORCH = importlib.util.find_spec("torch") is not None
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not HAS_TORCH, reason="needs the optional extra memspice[train]"),
]
if HAS_TORCH:
    import torch

    from memspice.training.config import Neurons, Phase
    from memspice.training.loop import parameter_groups
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
