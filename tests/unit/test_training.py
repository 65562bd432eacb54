"""Training with the device's activation: gradients, levels, resuming, accuracy."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memspice.datasets.digits import load_digits
from memspice.errors import ConfigError
from memspice.network.ann import ann_scores
from memspice.network.architecture import ARCHITECTURES, Architecture, Conv, Dense, Pool
from memspice.network.weights import Network, load_network, save_network, weight_shapes

# PyTorch is an optional extra of several hundred megabytes, which the tests do not ask for.
HAS_TORCH = importlib.util.find_spec("torch") is not None
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not HAS_TORCH, reason="needs the optional extra memspice[train]"),
    # Raised inside PyTorch, by its own uses of itself.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
]
if HAS_TORCH:
    import torch

    from memspice.training import loop
    from memspice.training.config import PRESETS, Neurons, Phase, TrainConfig
    from memspice.training.loop import train_network
    from memspice.training.model import DRAWS, DeviceNetwork, FakeQuantize, _Switch
    from memspice.training.orthogonal import OrthogonalSteps, orthogonalised

#: Limits of the weighted input of neurons on no crossbar.
RAILS = (-7.0, 2.3)
SMALL = Architecture("small", (1, 8, 8), (Conv(4), Pool(2), Dense(10)))


def quick_config(batch: int = 64, **values: Any) -> TrainConfig:
    """Two epochs a phase of a small convolutional network."""
    normalised = Phase("normalised", 2, 5e-3, batch=batch)
    folded = Phase("folded", 2, 1e-3, kind="folded", batch=batch)
    return TrainConfig((normalised, folded), **values)


def train(folder: Path, config: TrainConfig, lines: list[str] | None = None) -> Network:
    data = load_digits("train", 320)
    report = (lines if lines is not None else []).append
    return train_network(SMALL, data.x, data.labels, config, folder, report)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return train(tmp_path_factory.mktemp("checkpoint"), quick_config())


# --- the model ------------------------------------------------------------------------------------


def test_gradient_of_the_switch_is_that_of_its_probability() -> None:
    z = torch.linspace(-6, 2, 60, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: _Switch.apply(x, 0, *RAILS, 0.0), (z,))
    probability = _Switch.apply(z, 0, *RAILS, 0.0).detach().numpy()
    np.testing.assert_allclose(probability, 1 - np.exp(-np.exp(z.detach().numpy())))


def test_a_share_of_the_gradient_is_a_wide_window() -> None:
    """It keeps neurons learning that always or never spike, and leaves the outputs alone."""
    z = torch.linspace(-8, 6, 15, dtype=torch.float64, requires_grad=True)
    own, mixed, wide = (_Switch.apply(z, 0, *RAILS, share) for share in (0.0, 0.3, 1.0))
    assert (own == mixed).all()
    slopes = [torch.autograd.grad(out.sum(), z)[0] for out in (own, mixed, wide)]
    torch.testing.assert_close(slopes[1], 0.7 * slopes[0] + 0.3 * slopes[2])
    torch.testing.assert_close(slopes[2], 0.25 / torch.cosh((z.detach() + 0.4) / 2))


def test_neurons_begin_with_their_gain_and_bias_between_their_rails() -> None:
    torch.manual_seed(6)
    architecture = Architecture("wide", (1, 8, 8), (Conv(64), Dense(10)))
    neurons = Neurons(gain=2.5, bias=-1.5, low=-2.7, high=1.3)
    stage = next(iter(DeviceNetwork(architecture, neurons).stages()))
    images = torch.rand(200, 1, 8, 8)
    z = stage.norm(stage.linear(images)).detach()
    assert float(z.mean()) == pytest.approx(-1.5, abs=1e-3)
    assert float(z.std()) == pytest.approx(2.5, rel=1e-2)
    out = stage(images, 0).detach()
    for found, limit in ((out.min(), -2.7), (out.max(), 1.3)):
        assert float(found) == pytest.approx(1 - np.exp(-np.exp(limit)))


def test_spikes_use_the_gradient_of_the_probability() -> None:
    gradients = []
    for spiking in (0, 40):
        z = torch.linspace(-3, 2, 40, requires_grad=True)
        out = _Switch.apply(z, spiking, *RAILS, 0.0)
        out.sum().backward()
        gradients.append(z.grad)
        if spiking:
            assert set(out.tolist()) == {0.0, 1.0}
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
def test_spikes_come_with_the_probability(kind: str) -> None:
    """Also where they are rare, and where they are certain but for the rounding of 16 bits."""
    torch.manual_seed(3)
    levels = torch.tensor([-6.0, -2.0, 0.0, 1.0, 2.25], dtype=getattr(torch, kind))
    rate = _Switch.apply(levels.repeat(60000, 1), 60000, *RAILS, 0.0).float().mean(0).numpy()
    expected = 1 - np.exp(-np.exp(levels.double().numpy()))
    error = np.sqrt(expected * (1 - expected) / 60000)
    rounding = 1 / DRAWS + (expected / 2**8 if kind == "bfloat16" else 0)
    assert (np.abs(rate - expected) < 4 * error + rounding).all()


def test_only_the_first_images_spike() -> None:
    z = torch.zeros(6, 50)
    out = _Switch.apply(z, 2, *RAILS, 0.0)
    assert set(out[:2].flatten().tolist()) == {0.0, 1.0}
    assert (out[2:] == 1 - np.exp(-1)).all()


def test_scores_of_spikes_are_the_mean_over_their_cycles() -> None:
    """Their spread falls as one over the root of the cycles, and no image gets another's."""
    torch.manual_seed(4)
    model = DeviceNetwork(SMALL, Neurons()).eval()
    kinds = torch.rand(2, 1, 8, 8)
    images = torch.cat([kinds.repeat_interleave(1000, dim=0), kinds[:1]])
    with torch.no_grad():
        one, nine = model(images, 2000), model(images, 2000, 9)
    torch.testing.assert_close(one[2000], nine[2000])
    for own in (slice(0, 1000), slice(1000, 2000)):
        # The ratio of two standard deviations of 1000 normal values: 1 / 3 within 4 of 0.0316 / 3,
        # and the means agree within 4 standard errors.
        deviation = one[own].std(dim=0)
        assert ((nine[own].std(dim=0) / deviation - 1 / 3).abs() < 0.042).all()
        error = (one[own].mean(dim=0) - nine[own].mean(dim=0)).abs()
        assert (error < 4 * 1.06 * deviation / 1000**0.5).all()


def test_drive_is_limited_by_the_rails() -> None:
    z = torch.tensor([-50.0, *RAILS, 50.0])
    p = _Switch.apply(z, 0, *RAILS, 0.0)
    assert p[0] == p[1]
    assert p[2] == p[3]


def test_quantised_weights_lie_on_levels_and_pass_gradients_inside() -> None:
    weight = torch.linspace(-2, 2, 401, dtype=torch.float64, requires_grad=True)
    out = FakeQuantize.apply(weight, 1.5, 32)
    steps = (out.detach() / 1.5 * 31).numpy()
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    assert np.abs(steps).max() == pytest.approx(31)
    inside = weight.detach().abs() <= 1.5
    assert ((out - weight).detach().abs()[inside] <= 0.75 / 31 + 1e-9).all()
    out.sum().backward()
    np.testing.assert_array_equal(weight.grad.numpy(), inside.numpy().astype(float))


def test_folding_keeps_the_function_but_for_the_rounding() -> None:
    torch.manual_seed(0)
    model = DeviceNetwork(SMALL, Neurons())
    images = torch.rand(64, 1, 8, 8)
    for _ in range(60):  # lets the running statistics settle
        model(images, 0)
    model.eval()
    with torch.no_grad():
        before = model(images, 0)
        for stage in model.stages():
            stage.fold()
            stage.quantise(2**20, 1e3)
        after = model(images, 0)
    torch.testing.assert_close(after, before, rtol=1e-2, atol=2e-3)


def test_shapes_of_the_twin_are_those_of_the_architecture() -> None:
    for architecture in (*ARCHITECTURES.values(), SMALL):
        stages = DeviceNetwork(architecture, Neurons()).stages()
        shapes = [tuple(stage.linear.weight.flatten(1).shape) for stage in stages]
        assert shapes == weight_shapes(architecture)


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_augmentation_keeps_shape_type_and_range(kind: str) -> None:
    torch.manual_seed(5)
    images = torch.randint(1, 256, (50, 3, 12, 12)).to(getattr(torch, kind))
    out = loop._augment(images)
    assert out.shape == images.shape
    assert out.dtype == images.dtype
    assert out.min() == 0  # black where the image was shifted away
    assert out.max() <= images.max()
    # The centre of an image shifted by up to 4 of 12 pixels is still there.
    for image, moved in zip(images, out, strict=True):
        assert set(moved[:, 5, 5].tolist()) <= set(image.flatten().tolist())


@pytest.mark.parametrize("shape", [(8, 30), (30, 8), (9, 9)])
def test_orthogonal_steps_turn_all_directions_alike(shape: tuple[int, int]) -> None:
    torch.manual_seed(7)
    left = torch.linalg.qr(torch.randn(shape[0], 8))[0]
    right = torch.linalg.qr(torch.randn(shape[1], 8))[0]
    sizes = torch.logspace(-2, 0, 8)
    found = orthogonalised(left @ sizes.diag() @ right.T)
    turned = left.T @ found @ right
    spread = turned.diag()
    assert ((spread > 2 / 3) & (spread < 4 / 3)).all()
    torch.testing.assert_close(turned, spread.diag(), atol=1e-4, rtol=0)
    torch.testing.assert_close(found, left @ turned @ right.T, atol=1e-4, rtol=0)


def test_only_marked_weights_step_orthogonally() -> None:
    """The others exactly as with AdamW; a marked one whatever the size of its gradient."""
    torch.manual_seed(8)
    weights = [torch.randn(6, 4, 3, 3), torch.randn(5)]
    gradients = [1e-6 * torch.randn(6, 4, 3, 3), torch.randn(5)]
    found = []
    for marked in (False, True):
        own = [weight.clone().requires_grad_() for weight in weights]
        groups = [{"params": [own[0]], "orthogonal": marked}, {"params": [own[1]]}]
        optimizer = OrthogonalSteps(groups, lr=0.1, weight_decay=0.01)
        reference = torch.optim.AdamW([torch.nn.Parameter(weights[1])], lr=0.1, weight_decay=0.01)
        for _ in range(3):
            for weight, gradient in zip(own, gradients, strict=True):
                weight.grad = gradient.clone()
            reference.param_groups[0]["params"][0].grad = gradients[1].clone()
            optimizer.step()
            reference.step()
        assert (own[1] == reference.param_groups[0]["params"][0]).all()
        found.append(own[0].detach() - weights[0] * (1 - 0.001) ** 3)
    size = found[1].square().mean().sqrt()  # of three steps the same way
    assert float(size) == pytest.approx(3 * 0.1 * 0.2, rel=0.2)
    assert (found[0] != found[1]).all()


@pytest.mark.parametrize("kind", ["folded", "mapped"])
def test_orthogonal_steps_need_the_normalisation(kind: Any) -> None:
    with pytest.raises(ConfigError, match=f"and a {kind} phase has none: leave orthogonal out"):
        Phase("last", 1, 1e-3, kind=kind, orthogonal=True)


# --- the loop -------------------------------------------------------------------------------------


def test_digits_are_learnt(tmp_path: Path) -> None:
    phases = (
        Phase("normalised", 12, 1e-2, batch=64),
        Phase("folded", 4, 1e-3, kind="folded", batch=64),
    )
    config = replace(PRESETS["digits-mlp"], phases=phases)
    data, test = load_digits("train"), load_digits("test")
    lines: list[str] = []
    found = train_network(
        ARCHITECTURES["digits-mlp"], data.x, data.labels, config, tmp_path, lines.append
    )
    accuracy = np.mean(ann_scores(found, test.x).argmax(axis=1) == test.labels)
    assert accuracy >= 0.9
    assert len(lines) == 16
    assert found.provenance["history"] == lines


def test_weights_lie_on_levels_and_can_be_saved(trained: Network, tmp_path: Path) -> None:
    for layer in trained.layers:
        steps = layer.weight / layer.bound * 31
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
        assert np.abs(steps).max() <= 31 + 1e-4
    path = tmp_path / "small.h5"
    save_network(trained, path, 32)
    back = load_network(str(path))
    for mine, read in zip(trained.layers, back.layers, strict=True):
        np.testing.assert_allclose(read.weight, mine.weight, atol=1e-6)


def test_export_computes_what_the_model_computes(trained: Network, tmp_path: Path) -> None:
    images = load_digits("test", 20).x
    scores = ann_scores(trained, images)
    weights = [torch.from_numpy(layer.weight).float() for layer in trained.layers]
    biases = [torch.from_numpy(layer.bias).float() for layer in trained.layers]
    x = torch.nn.functional.conv2d(
        torch.from_numpy(images), weights[0].view(4, 1, 3, 3), biases[0], padding=1
    )
    x = torch.nn.functional.avg_pool2d(1 - torch.exp(-torch.exp(x)), 2).flatten(1)
    np.testing.assert_allclose(scores, (x @ weights[1].T + biases[1]).numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_resumed_run_ends_with_the_same_weights(
    trained: Network, tmp_path: Path, stop_after: int
) -> None:
    lines: list[str] = []

    class Interrupted(list[str]):
        def append(self, line: str) -> None:
            super().append(line)
            if len(self) == stop_after + 1:  # in the epoch after the last one that is saved
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, quick_config(), Interrupted())
    again = train(tmp_path, quick_config(), lines)
    assert any("going on after epoch" in line for line in lines)
    for mine, other in zip(trained.layers, again.layers, strict=True):
        np.testing.assert_array_equal(mine.weight, other.weight)
        np.testing.assert_array_equal(mine.bias, other.bias)
        assert mine.bound == other.bound


@pytest.mark.parametrize(
    "change",
    [
        {"label_smoothing": 0.2},
        {"neurons": {"gain": 2.5}},
        {"neurons": {"bias": -0.5}},
        {"neurons": {"window": 0.5}},
        {"neurons": {"low": -1.0}},
        {"neurons": {"high": 0.0}},
        {"warm_up": 0.5},
        {"orthogonal": True},
    ],
)
def test_every_setting_of_the_recipe_counts(
    trained: Network, tmp_path: Path, change: dict[str, Any]
) -> None:
    config = quick_config()
    if {"warm_up", "orthogonal"} & set(change):
        config = replace(config, phases=(replace(config.phases[0], **change), config.phases[1]))
    elif "neurons" in change:
        config = replace(config, neurons=Neurons(**change["neurons"]))
    else:
        config = replace(config, **change)
    other = train(tmp_path, config)
    assert (other.layers[0].weight != trained.layers[0].weight).any()


def test_another_seed_gives_other_weights(trained: Network, tmp_path: Path) -> None:
    other = train(tmp_path, quick_config(seed=2))
    assert (other.layers[0].weight != trained.layers[0].weight).any()


@pytest.mark.parametrize("change", [{"seed": 2}, {"weight_decay": 0.0}])
def test_checkpoint_of_another_run_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    config = quick_config(batch=32)
    train(tmp_path, config.quick())
    other_start = replace(config.phases[0], epochs=1, learning_rate=2e-3)
    started = replace(config, phases=(other_start, *config.quick().phases[1:]))
    for other in (replace(config.quick(), **change), started):
        with pytest.raises(ConfigError, match="another configuration"):
            train(tmp_path, other)


def test_checkpoint_of_other_images_is_refused(tmp_path: Path) -> None:
    config = quick_config(batch=32).quick()
    train(tmp_path, config)
    data = load_digits("train", 320)
    with pytest.raises(ConfigError, match="other images"):
        train_network(SMALL, 1 - data.x, data.labels, config, tmp_path, [].append)


def test_too_few_images(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="320 images do not fill one batch of 400"):
        train(tmp_path, quick_config(batch=400))


def test_too_few_steps_for_a_cycle_of_the_rate(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="phase normalised has 5 steps of 64 images and needs 6"):
        train(tmp_path, quick_config().quick())


@pytest.mark.parametrize("share", [0.0, -0.1, 1.0, float("nan")])
def test_a_warm_up_is_a_share_of_the_steps(share: float) -> None:
    with pytest.raises(ConfigError, match="phase first: warm_up = .* between 0 and 1"):
        Phase("first", 1, 1e-3, warm_up=share)


def test_quick_keeps_the_phases() -> None:
    for preset in PRESETS.values():
        quick = preset.quick()
        assert [phase.name for phase in quick.phases] == [phase.name for phase in preset.phases]
        assert {phase.epochs for phase in quick.phases} == {1}
        assert [p.kind for p in quick.phases] == [p.kind for p in preset.phases]
