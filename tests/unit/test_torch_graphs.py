"""PyTorch models that join channels, stride, group and pool by maximum: scores, and refusals."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from memspice.errors import ConfigError
from memspice.network.ann import ann_scores
from memspice.network.architecture import Conv, Dense, Pool

HAS_TORCH = importlib.util.find_spec("torch") is not None
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not HAS_TORCH, reason="needs the optional extra memspice[train]"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
]
if HAS_TORCH:
    import torch
    from torch import nn

    from memspice.importers.torch_sequential import (
        AnySpike,
        SwitchingProbability,
        import_sequential,
    )

    class Joined(nn.Module):
        """Each layer takes those before it: the image beside spikes, and not the last one first."""

        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), SwitchingProbability())
            self.second = nn.Sequential(nn.Conv2d(5, 4, 3, padding=1), SwitchingProbability())
            self.third = nn.Sequential(nn.Conv2d(7, 6, 2, stride=2), SwitchingProbability())
            self.pool = AnySpike(2)
            self.norm = nn.BatchNorm2d(6)
            self.dense = nn.Linear(36, 5)
            self.scores = nn.Linear(5, 3)
            self.spike = SwitchingProbability()

        def forward(self, x: Any) -> Any:
            one = self.first(x)
            two = self.second(torch.cat([x, one], dim=1))
            three = self.third(torch.cat((one, two), 1))
            flat = torch.flatten(self.norm(self.pool(three)), 1)
            return self.scores(self.spike(self.dense(flat)))


INPUT = (2, 8, 12)


def pictures(count: int = 5) -> np.ndarray:
    return np.random.default_rng(3).random((count, *INPUT))


def reference(model: nn.Module, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model.double().eval()(torch.from_numpy(images)).numpy()


def seeded(make: Any) -> Any:
    torch.manual_seed(4)
    return make().eval()


def test_joined_channels_are_rows_in_our_order() -> None:
    model = seeded(Joined)
    with torch.no_grad():
        model.norm.running_mean.uniform_(-1, 1)
    network = import_sequential(model, INPUT)
    assert network.architecture.layers == (
        Conv(3),
        Conv(4, also=(0,)),
        Conv(6, 2, (1,), 2, 0),
        Pool(2, "any"),
        Dense(5),
        Dense(3),
    )
    images = pictures()
    np.testing.assert_allclose(
        ann_scores(network, images), reference(model, images), rtol=1e-5, atol=1e-5
    )


def test_strides_paddings_and_groups() -> None:
    def make() -> nn.Module:
        return nn.Sequential(
            nn.BatchNorm2d(2),  # shifted: only in front of a convolution without padding
            nn.Conv2d(2, 4, 3, stride=2, groups=2), SwitchingProbability(),
            nn.Conv2d(4, 8, 3, padding=1, groups=4), SwitchingProbability(),
            nn.Conv2d(8, 6, 2, padding=2, stride=3), SwitchingProbability(),
            nn.Conv2d(6, 6, 3, padding="same", groups=6), nn.BatchNorm2d(6), SwitchingProbability(),
            nn.Flatten(), nn.LazyLinear(4),
        )  # fmt: skip

    model = seeded(make)
    with torch.no_grad():
        model[0].running_mean.uniform_(-1, 1)
        model(torch.zeros(1, *INPUT))  # makes the lazy layer
    model[-1].__class__ = nn.Linear
    network = import_sequential(model, INPUT)
    kinds = network.architecture.layers
    assert kinds[:4] == (
        Conv(4, 3, (), 2, 0, 2), Conv(8, 3, groups=4), Conv(6, 2, (), 3, 2), Conv(6, 3, groups=6)
    )  # fmt: skip
    images = pictures()
    np.testing.assert_allclose(
        ann_scores(network, images), reference(model, images), rtol=1e-5, atol=1e-5
    )


def test_maximum_of_spikes_is_whether_there_is_any() -> None:
    """Neurons that are certain of what they do: their probabilities are spikes."""

    def make() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1), SwitchingProbability(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(4 * 4 * 6, 3),
        )  # fmt: skip

    model = seeded(make)
    with torch.no_grad():
        model[0].weight.mul_(1e4)
    network = import_sequential(model, INPUT)
    assert network.architecture.layers[1] == Pool(2, "any")
    (change,) = network.provenance["changes"]
    assert "module 2 (MaxPool2d): one spike where any of a block spikes" in change
    images = pictures()
    found, expected = ann_scores(network, images), reference(model, images)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    exact = nn.Sequential(*model[:2], AnySpike(2), *model[3:])
    np.testing.assert_allclose(reference(exact, images), expected, rtol=1e-9)
    assert import_sequential(exact, INPUT).provenance["changes"] == []


# --- refusals -------------------------------------------------------------------------------------


def residual(m: Any, x: Any) -> Any:
    return m.end(m.flat(m.b(m.a(x)) + x))


def parallel(m: Any, x: Any) -> Any:
    one, two = m.a(x), m.b(x)
    return m.end(m.flat(m.spike(m.c(torch.cat([one, two], 1)))))


def rows_on_rows(m: Any, x: Any) -> Any:
    return m.end(m.flat(torch.cat([x, m.a(x)], dim=2)))


def two_sizes(m: Any, x: Any) -> Any:
    return m.end(m.flat(torch.cat([m.pool(m.a(x)), x], 1)))


def two_pools(m: Any, x: Any) -> Any:
    one = m.a(x)
    return m.small(m.flat(torch.cat([m.pool(m.b(one)), m.mean(one)], 1)))


def deciding(m: Any, x: Any) -> Any:
    return m.end(m.flat(m.a(x))) if x.sum() > 0 else x


def several(m: Any, x: Any) -> Any:
    return m.a(x), m.b(x)


def function(m: Any, x: Any) -> Any:
    return m.end(m.flat(torch.relu(m.a(x))))


def twice(m: Any, x: Any) -> Any:
    potential = m.c(torch.cat([m.a(x), x], 1))
    return m.small(m.flat(m.pool(torch.cat([m.spike(potential), m.spike(potential)], 1))))


def unused(m: Any, x: Any) -> Any:
    one = m.a(x)
    m.pool(one)
    return m.end(m.flat(one))


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (residual, r"function add .*: it adds up what rows carry.*\[W, W\] on the joined rows"),
        (parallel, r"module b.0 \(Conv2d\): it is weight layer 2 and does not take .* of layer 1"),
        (rows_on_rows, "function cat .*: it joins another axis than the channels"),
        (two_sizes, "function cat .*: it joins 2x4x6 and 2x8x12; rows side by side"),
        (
            two_pools,
            r"module small .*: it takes layer 2 \(pooled: any of 2x2\) and layer 1 \(pooled",
        ),
        (deciding, r"the forward\(\) of Model: it cannot be followed"),
        (several, r"the forward\(\) of Model: it takes or gives several tensors"),
        (function, "function relu .*: a forward"),
        (twice, r"module c \(Conv2d\): it branches in front of its neurons"),
        (unused, r"module pool \(AnySpike\): nothing takes what it gives"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_refusals_name_the_place_and_the_way_out(forward: Any, message: str) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), SwitchingProbability())
            self.b = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), SwitchingProbability())
            self.c = nn.Conv2d(4, 2, 3, padding=1)
            self.spike, self.pool, self.mean = SwitchingProbability(), AnySpike(2), nn.AvgPool2d(2)
            self.flat, self.end, self.small = nn.Flatten(), nn.Linear(192, 3), nn.Linear(96, 3)

        def forward(self, x: Any) -> Any:
            return forward(self, x)

    with pytest.raises(ConfigError, match=message):
        import_sequential(seeded(Model), INPUT)
