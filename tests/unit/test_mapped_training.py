"""Training on crossbars: the model computes what the circuits of an inference compute."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from memspice.cli.train import train_command
from memspice.datasets.digits import load_digits
from memspice.errors import ConfigError
from memspice.network.ann import ann_scores, with_mean_inputs
from memspice.network.architecture import ARCHITECTURES, Architecture, Conv, Dense, Pool
from memspice.network.effective import effective_layer
from memspice.network.inference import run_inference
from memspice.network.mapping import map_network
from memspice.network.rounding import round_network
from memspice.network.weights import Network, WeightLayer, load_network
from memspice.parameters import load_parameter_set

HAS_TORCH = importlib.util.find_spec("torch") is not None
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not HAS_TORCH, reason="needs the optional extra memspice[train]"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
]
if HAS_TORCH:
    import torch

    from memspice.training.config import PRESETS, Hardware, Neurons, Phase, TrainConfig
    from memspice.training.crossbars import Crossbars, held_layers, load_activation
    from memspice.training.loop import train_network
    from memspice.training.model import DeviceNetwork

SMALL = Architecture("small", (1, 8, 8), (Conv(4), Pool(2), Conv(6), Dense(10)))
SEED = 11


def folded(architecture: Architecture = SMALL, levels: int = 32) -> Any:
    """Model of random weights as a mapped phase finds it."""
    torch.manual_seed(2)
    model = DeviceNetwork(architecture, Neurons())
    images = torch.rand(64, *architecture.input_shape)
    for _ in range(60):  # lets the running statistics settle
        model(images, 0)
    for stage in model.stages():
        stage.fold()
        stage.quantise(levels, 3.0)
    return model.eval()


def put(crossbars: Any, model: Any, seed: int) -> None:
    """All layers on the crossbars of one draw, as an inference has them."""
    for stage, flaws in zip(model.stages(), crossbars.draw(model, seed), strict=True):
        stage.flaws = flaws


#: Images that give the mean levels of rows.
LEVELS = load_digits("train", 64).x


def small(device: str = "fast-memristor") -> Any:
    return Hardware(device, tile=(30, 8), refresh=3, pool=2)


def config(batch: int = 64, **values: Any) -> TrainConfig:
    normalised = Phase("normalised", 2, 5e-3, batch=batch)
    mapped = Phase("mapped", 2, 1e-3, kind="mapped", batch=batch)
    return TrainConfig(**{"phases": (normalised, mapped), "hardware": small(), **values})


def train(folder: Path, config: TrainConfig, lines: list[str] | None = None) -> Network:
    data = load_digits("train", 320)
    report = (lines if lines is not None else []).append
    return train_network(SMALL, data.x, data.labels, config, folder, report)


# --- the model on crossbars -----------------------------------------------------------------------


@pytest.mark.parametrize("device", ["ag-asi", "fast-memristor", "sot-mtj"])
def test_every_drive_is_that_of_the_circuits(device: str) -> None:
    """Weights to float32, and random inputs of every layer to the distance of law and line."""
    hardware = Hardware(device, tile=(30, 8))
    model, crossbars = folded(), Crossbars(hardware, LEVELS)
    network = with_mean_inputs(Network(SMALL, held_layers(model), {}), LEVELS)
    put(crossbars, model, SEED)
    mapped = map_network(network, crossbars.parameter_set, hardware.tile, SEED)
    draws = np.random.default_rng(0)
    for stage, layer in zip(model.stages(), mapped.layers, strict=True):
        x = draws.random((20, layer.fan_in))
        weight, bias = (values.detach().double().numpy() for values in stage.effective())
        exact = effective_layer(layer, crossbars.activation)
        weight = weight.reshape(len(weight), -1)
        # A factor near zero times a weight, and what is added to it, round apart: 1e-6.
        np.testing.assert_allclose(weight, exact.weight, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(bias, exact.bias, rtol=1e-6, atol=1e-6)
        line = x @ weight.T + bias
        low, high = (limit.double().numpy().ravel() for limit in stage.flaws[3:])
        voltage = layer.row_voltage(x)
        drive = [circuit.drive_voltage(voltage) for circuit in layer.circuits]
        if layer.spiking:
            found = [c.log_hazard(d) for c, d in zip(layer.circuits, drive, strict=True)]
        else:
            found = [d / layer.volts_per_unit for d in drive]
        # Where neurons differ their laws are lines to 5e-3 of ln H near P = 63 %, not at P = 1e-3.
        expected = np.concatenate(found, axis=1)
        near = expected > -5
        assert near.mean() > 0.3
        np.testing.assert_allclose(np.clip(line, low, high)[near], expected[near], atol=1e-2)


def test_scores_are_those_of_the_network_loop() -> None:
    """Without neurons between there is no chance: equal to float32."""
    architecture = Architecture("line", (1, 8, 8), (Dense(10),))
    model = folded(architecture)
    crossbars = Crossbars(Hardware(), LEVELS)
    network = with_mean_inputs(Network(architecture, held_layers(model), {}), LEVELS)
    images = load_digits("test", 30).x
    plain = ann_scores(network, images)
    put(crossbars, model, SEED)
    mapped = map_network(network, crossbars.parameter_set, seed=SEED)
    expected = run_inference(mapped, images, 1, 0).scores
    scores = model(torch.from_numpy(images).float(), 0).detach().numpy()
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-5)
    assert np.abs(scores - plain).max() > 0.01  # the flaws are in it


def test_mean_scores_of_spikes_are_those_of_the_network_loop() -> None:
    """One cycle of the model is one of the loop: means over 400 draws agree within 5 sigma."""
    model, crossbars = folded(), Crossbars(Hardware(tile=(30, 8)), LEVELS)
    network = with_mean_inputs(Network(SMALL, held_layers(model), {}), LEVELS)
    put(crossbars, model, SEED)
    images = load_digits("test", 3).x
    mapped = map_network(network, crossbars.parameter_set, (30, 8), SEED)
    expected = run_inference(mapped, images, 400, 1).scores
    many = torch.from_numpy(images).float().repeat(400, 1, 1, 1)
    with torch.no_grad():
        scores = model(many, 1200).numpy().reshape(400, 3, 10)
    error = scores.std(axis=0) * np.sqrt(2 / 400)
    assert (np.abs(scores.mean(axis=0) - expected) < 5 * error).all()


def test_gradient_sees_flaws_that_are_factors_and_steps_count_at_once() -> None:
    changes = {"synapse.variation": 0.2, "synapse.stuck_on": 0.1}
    model, crossbars = folded(), Crossbars(Hardware(changes=changes, tile=(30, 8)), LEVELS)
    put(crossbars, model, SEED)
    stage = next(iter(model.stages()))
    before = stage.effective()[0].detach().clone()
    stage.effective()[0].sum().backward()
    inside = stage.linear.weight.detach().abs() <= stage.bound
    factor = (before / stage.held()[0]).detach()
    kept = (factor > 0.5) & (factor < 2)  # not of stuck cells, nor of weights at zero
    assert 0.5 < float(kept.float().mean()) < 1
    expected = torch.where(kept, factor, 1.0) * inside
    torch.testing.assert_close(stage.linear.weight.grad, expected)
    step = stage.bound / (stage.levels - 1)
    with torch.no_grad():
        smallest = stage.linear.weight.abs().argmin()
        stage.linear.weight.view(-1)[smallest] += step
        moved = (stage.effective()[0] - before).view(-1)
    assert float(moved[smallest]) == pytest.approx(
        step * float(expected.view(-1)[smallest]), rel=1e-4
    )
    assert int((moved.abs() > step / 2).sum()) == 1


def test_steps_choose_among_the_latest_draws() -> None:
    model, crossbars = folded(), Crossbars(Hardware(tile=(30, 8), refresh=2, pool=3), LEVELS)
    torch.manual_seed(0)
    stages, drawn = list(model.stages()), []
    crossbars.draw, plain = lambda *of: drawn.append(plain(*of)) or drawn[-1], crossbars.draw
    for number, expected in enumerate((3, 3, 4, 4, 5)):
        crossbars.step(model, number)
        assert len(drawn) == expected
        for k, stage in enumerate(stages):
            assert any(stage.flaws is flaws[k] for flaws in drawn[-3:])
    crossbars.step(model, 0)  # a new epoch, as a resumed run begins it
    assert len(drawn) == 8


def test_other_seed_other_flaws_and_none_once_lifted() -> None:
    model, crossbars = folded(), Crossbars(Hardware(tile=(30, 8)), LEVELS)
    stage = next(iter(model.stages()))
    held = stage.held()[0].detach().clone()
    found = []
    for seed in (1, 2, 1):
        put(crossbars, model, seed)
        found.append(stage.effective()[0].detach().clone())
    assert (found[0] != found[1]).any()
    assert (found[0] == found[2]).all()
    stage.flaws = None
    assert (stage.effective()[0] == held).all()


def test_held_weights_lie_on_levels_within_the_bound() -> None:
    for layer in held_layers(folded()):
        steps = layer.weight / layer.bound * 31
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-12)
        assert np.abs(layer.weight).max() <= layer.bound


# --- the loop -------------------------------------------------------------------------------------


def accuracy(network: Network, hardware: Any) -> float:
    """Mean over circuits that no training has seen."""
    values, test = load_parameter_set(hardware.device, hardware.changes), load_digits("test")
    right = [
        run_inference(map_network(network, values, seed=seed), test.x, 4, seed).scores
        for seed in range(90, 94)
    ]
    return float(np.mean(np.argmax(right, axis=2) == test.labels))


def test_mapped_phase_makes_robust(tmp_path: Path) -> None:
    """On flawed circuits the network is better than one that was only rounded."""
    data, network = load_digits("train"), ARCHITECTURES["digits-mlp"]
    first = Phase("normalised", 8, 1e-2, batch=64)
    hardware = Hardware(changes={"synapse.variation": 0.5, "synapse.stuck_off": 0.05}, pool=4)
    found = []
    for phases in ((first,), (first, Phase("mapped", 6, 3e-2, kind="mapped", batch=64))):
        settings = TrainConfig(phases, augment=False, hardware=hardware, clip_sigma=3.0)
        trained = train_network(network, data.x, data.labels, settings, tmp_path, [].append)
        found.append(accuracy(trained, hardware))
    assert found[1] > found[0] + 0.03


@pytest.mark.parametrize("stop_after", [1, 3])
def test_resumed_mapped_run_ends_with_the_same_weights(tmp_path: Path, stop_after: int) -> None:
    class Interrupted(list[str]):
        def append(self, line: str) -> None:
            super().append(line)
            if len(self) == stop_after + 1:
                raise KeyboardInterrupt

    whole = train(tmp_path / "whole", config())
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", config(), Interrupted())
    for mine, other in zip(whole.layers, train(tmp_path / "cut", config()).layers, strict=True):
        np.testing.assert_array_equal(mine.weight, other.weight)
        np.testing.assert_array_equal(mine.bias, other.bias)
        assert mine.bound == other.bound


def test_devices_share_the_phases_before_them(tmp_path: Path) -> None:
    lines: list[str] = []
    one = train(tmp_path, config())
    other = train(tmp_path, config(hardware=small("sot-mtj")), lines)
    assert "normalised.pt: going on after epoch 2" in lines
    assert sum("mapped epoch" in line for line in lines) == 2
    names = {"normalised.pt", "mapped-fast-memristor.pt", "mapped-sot-mtj.pt"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert (one.layers[0].bias != other.layers[0].bias).any()


@pytest.mark.parametrize(
    "change", [{"refresh": 4}, {"changes": {}}, {"tile": (20, 8)}, {"pool": 3}]
)
def test_mapped_checkpoint_of_other_hardware_is_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    train(tmp_path, config(batch=32).quick())
    hardware = replace(config().hardware, **change)
    with pytest.raises(ConfigError, match=r"mapped-fast-memristor\.pt belongs to a run with"):
        train(tmp_path, config(batch=32, hardware=hardware).quick())


def test_later_settings_leave_the_earlier_phases_valid() -> None:
    settings = config()
    other = replace(settings, phases=(settings.phases[0], Phase("folded", 9, 1.0, kind="folded")))
    changed = replace(other, levels=16, hardware=Hardware("ag-asi"))
    assert changed.behind(changed.phases[0]) == settings.behind(settings.phases[0])
    assert replace(settings, seed=2).behind(settings.phases[0]) != settings.behind(
        settings.phases[0]
    )


def test_hardware_is_known_before_the_work_begins(tmp_path: Path) -> None:
    lines: list[str] = []
    for hardware, words in (
        (Hardware("no-such"), "'no-such' is unknown"),
        (Hardware(changes={"synapse.nothing": 1.0}), "synapse.nothing cannot be changed"),
    ):
        with pytest.raises(ConfigError, match=words):
            train(tmp_path, config(hardware=hardware), lines)
    assert lines == []


def test_set_without_a_fitted_activation_is_refused() -> None:
    with pytest.raises(ConfigError, match="no activation was fitted to parameter set mine: run"):
        load_activation("mine")


# --- conversion after the fact --------------------------------------------------------------------


def test_posthoc_network_is_the_rounded_one_of_plain_training(tmp_path: Path) -> None:
    settings = config().posthoc()
    assert [phase.name for phase in settings.phases] == ["normalised"]
    assert {phase.sampled_fraction for phase in settings.phases} == {0.0}
    network = train(tmp_path, settings)
    assert network.provenance["levels"] == settings.levels
    again = round_network(network, settings.levels)[0]
    for mine, other in zip(network.layers, again.layers, strict=True):
        assert isinstance(mine, WeightLayer)
        np.testing.assert_allclose(mine.weight, other.weight, atol=1e-12)


@pytest.mark.parametrize("conversion", ["device-aware", "posthoc"])
def test_command_trains_either_way(tmp_path: Path, conversion: str) -> None:
    out = tmp_path / "net.h5"
    options = ["--quick", "--conversion", conversion, "--checkpoint", str(tmp_path)]
    outcome = CliRunner().invoke(train_command, ["digits-mlp", *options, "--out", str(out)])
    assert outcome.exit_code == 0, outcome.output
    training = load_network(str(out)).provenance["training"]
    plain = [phase["sampled_fraction"] == 0 for phase in training["phases"]]
    assert plain == ([True] if conversion == "posthoc" else [False, False])
    folder = "digits-mlp" if conversion == "device-aware" else "digits-mlp-posthoc"
    assert (tmp_path / folder / "normalised.pt").exists()


def test_first_phases_alone_end_on_levels_too(tmp_path: Path) -> None:
    out = tmp_path / "net.h5"
    options = ["--quick", "--phases", "1", "--checkpoint", str(tmp_path), "--out", str(out)]
    outcome = CliRunner().invoke(train_command, ["digits-mlp", *options])
    assert outcome.exit_code == 0, outcome.output
    provenance = load_network(str(out)).provenance
    assert [phase["name"] for phase in provenance["training"]["phases"]] == ["normalised"]
    assert provenance["levels"] == 32


def test_presets_end_on_levels() -> None:
    for preset in PRESETS.values():
        assert preset.phases[-1].kind != "normalised"
        assert preset.posthoc().phases
