"""Imported weights onto levels, and ``memspice convert`` from a file to the network loop."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from memspice.cli.convert import convert_command, parse_shape
from memspice.datasets.digits import load_digits
from memspice.errors import ConfigError, DataError
from memspice.importers.nir_import import import_nir
from memspice.network.ann import ann_scores
from memspice.network.architecture import Architecture, Dense
from memspice.network.rounding import round_network
from memspice.network.weights import Network, WeightLayer, load_network, save_network
from tests.nir_helpers import affine, conv, flatten, lif, pool, switch, write
from tests.settings import Setting


def random_network(seed: int = 0) -> Network:
    rng = np.random.default_rng(seed)
    shapes = ((32, 64), (10, 32))
    layers = tuple(
        WeightLayer(rng.normal(size=shape), rng.normal(size=shape[0]), 9.0) for shape in shapes
    )
    return Network(Architecture("random", (1, 8, 8), (Dense(32), Dense(10))), layers, {"from": "x"})


# --- rounding -------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [4, 32, 128])
def test_weights_lie_on_levels_within_half_a_step(levels: int) -> None:
    network = random_network()
    rounded, roundings = round_network(network, levels)
    for before, after, item in zip(network.layers, rounded.layers, roundings, strict=True):
        assert after.bound == item.bound == np.max(np.abs(before.weight))
        step = item.bound / (levels - 1)
        np.testing.assert_allclose(after.weight / step, np.round(after.weight / step), atol=1e-9)
        assert np.max(np.abs(after.weight - before.weight)) <= step / 2 * (1 + 1e-12)
        np.testing.assert_array_equal(after.bias, before.bias)
        assert item.clipped == 0
        change = np.sum((after.weight - before.weight) ** 2) / np.sum(before.weight**2)
        assert item.error == pytest.approx(np.sqrt(change))
    assert rounded.provenance["from"] == "x"
    assert rounded.provenance["levels"] == levels
    assert rounded.provenance["rounding"][1]["bound"] == roundings[1].bound


@pytest.mark.parametrize("sigma", [None, 1.5])
def test_biases_make_up_for_the_mean_of_what_rounding_changes(sigma: float | None) -> None:
    """At the mean inputs nothing changes; near them much less than without the correction."""
    rng = np.random.default_rng(3)
    network = random_network()
    means = [rng.uniform(0.2, 0.8, layer.weight.shape[1]) for layer in network.layers]
    pairs = zip(network.layers, means, strict=True)
    layers = tuple(replace(layer, mean_input=mean) for layer, mean in pairs)
    known, roundings = round_network(replace(network, layers=layers), 8, sigma)
    plain, none = round_network(network, 8, sigma)
    for before, after, bare, mean, item in zip(
        network.layers, known.layers, plain.layers, means, roundings, strict=True
    ):
        exact = before.weight @ mean + before.bias
        np.testing.assert_allclose(after.weight @ mean + after.bias, exact, rtol=1e-12)
        np.testing.assert_array_equal(after.weight, bare.weight)
        np.testing.assert_array_equal(after.mean_input, mean)
        assert 0 < item.bias_change == pytest.approx(np.max(np.abs(after.bias - before.bias)))
        x = np.clip(mean + rng.normal(0, 0.1, (500, len(mean))), 0, 1)
        true = x @ before.weight.T + before.bias
        errors = [x @ net.weight.T + net.bias - true for net in (after, bare)]
        # Rows have a mean square of 0.28 and a variance of 0.01: a fifth of the error is left.
        assert np.std(errors[0]) < 0.3 * np.sqrt(np.mean(np.square(errors[1])))
    assert [item.bias_change for item in none] == [0, 0]


def test_clipping_is_counted() -> None:
    network = random_network()
    rounded, roundings = round_network(network, 128, 2.0)
    weight = network.layers[0].weight
    assert roundings[0].bound == pytest.approx(2 * weight.std())
    assert roundings[0].clipped == np.mean(np.abs(weight) > roundings[0].bound)
    # A normal distribution has 4.55 % beyond two sigma; of 2048, 0.46 % is the standard error.
    assert roundings[0].clipped == pytest.approx(0.0455, abs=3 * 0.0046)
    assert np.max(np.abs(rounded.layers[0].weight)) == pytest.approx(roundings[0].bound)


def test_clip_beyond_the_largest_weight_changes_nothing() -> None:
    network = random_network()
    mine, other = round_network(network, 32, 100.0)[0], round_network(network, 32)[0]
    np.testing.assert_array_equal(mine.layers[0].weight, other.layers[0].weight)


def test_equal_weights_have_a_bound() -> None:
    layer = WeightLayer(np.full((10, 64), 0.5), np.zeros(10), 1.0)
    network = Network(Architecture("flat", (1, 8, 8), (Dense(10),)), (layer,), {})
    rounded, (item,) = round_network(network, 32, 3.0)
    assert (item.bound, item.error) == (0.5, 0.0)
    np.testing.assert_array_equal(rounded.layers[0].weight, layer.weight)


def test_rounding_refuses_nonsense() -> None:
    network = random_network()
    with pytest.raises(ConfigError, match="levels = 1"):
        round_network(network, 1)
    for sigma in (0.0, -1.0, float("nan")):
        with pytest.raises(ConfigError, match="clip_sigma"):
            round_network(network, 32, sigma)
    zero = replace(network.layers[0], weight=np.zeros((32, 64)))
    with pytest.raises(ConfigError, match="nothing but zeros"):
        round_network(replace(network, layers=(zero, network.layers[1])))


def test_rounded_network_is_saved_and_read(tmp_path: Path) -> None:
    rounded, _ = round_network(random_network(), 32)
    save_network(rounded, tmp_path / "net.h5", 32)
    back = load_network(str(tmp_path / "net.h5"))
    for mine, read in zip(rounded.layers, back.layers, strict=True):
        np.testing.assert_allclose(read.weight, mine.weight, rtol=1e-12, atol=1e-15)


# --- the command ----------------------------------------------------------------------------------


def convert(*arguments: object) -> Result:
    return CliRunner().invoke(
        convert_command, [str(argument) for argument in arguments], catch_exceptions=True
    )


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Convolution, pooling, product over images of digits."""
    rng = np.random.default_rng(2)
    return write(
        tmp_path / "digits.nir", (1, 8, 8),
        conv(rng, 4, 1, 3, input_shape=(8, 8)), switch(rng, 4, 8, 8), pool("AvgPool2d", 2),
        flatten((4, 4, 4)), affine(rng, 10, 64),
    )  # fmt: skip


def test_converted_network_runs_in_the_loop(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "sub" / "net.h5"
    content = json.loads(
        convert(model, "--out", out, "--json", "--parents", "--levels", 128).stdout
    )
    assert content["network"] == "digits"
    assert [layer["name"] for layer in content["layers"]] == ["conv1", "dense2"]
    assert [(layer["outputs"], layer["fan_in"]) for layer in content["layers"]] == [
        (4, 9), (10, 64)
    ]  # fmt: skip
    assert content["changes"] == []
    network, images = load_network(str(out)), load_digits("test", 20).x
    exact = ann_scores(import_nir(model), images)
    assert network.provenance["imported_from"] == "digits.nir"
    # 128 levels: weights off by 0.3 % of the bound, some 64 of them to a score of about one.
    np.testing.assert_allclose(ann_scores(network, images), exact, atol=0.05)
    found = Setting(network=str(out), images=20, cycles=4).infer()
    assert set(found["spike_rate"]) == {"conv1"}
    assert 0 < found["spike_rate"]["conv1"] < 1


def test_text_names_layers_and_changes(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    path = write(tmp_path / "flat.nir", (64,), affine(rng, 6, 64), lif(6), affine(rng, 10, 6))
    options = ("--neurons", "stochastic", "--time-step", 1e-3, "--input-shape", "1x8x8")
    result = convert(path, "--out", tmp_path / "net.h5", "--clip-sigma", 2, *options)
    assert result.exit_code == 0, result.exception
    lines = result.stdout.splitlines()
    assert lines[0] == "flat, input 1x8x8"
    text = " ".join(result.stdout.split())
    assert "dense1 6 x 64, bound " in text
    assert "% clipped" in text
    assert "note dense2: biases are added to the accumulated scores" in text
    assert "changed node 'n1' (LIF): replaced" in text
    assert lines[-1] == f"wrote {tmp_path / 'net.h5'}"
    assert max(map(len, lines[:-1])) <= 80


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--out", "net.nir"), "must end in .h5"),
        (("--out", "net.h5", "--input-shape", "8,8"), "CHANNELSxROWSxCOLUMNS"),
        (("--out", "net.h5", "--input-shape", "1x4x16"), "made for images of 8x8"),
        (("--out", "net.h5", "--levels", 129), "levels = 129 must be 2 to 128"),
        (("--out", "net.h5", "--clip-sigma", 0), "clip_sigma = 0"),
    ],
)
def test_command_refuses(
    model: Path, options: tuple[object, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model.parent)
    result = convert(model, *options)
    assert isinstance(result.exception, ConfigError)
    assert message in str(result.exception)
    assert not Path("net.h5").exists()


def test_only_a_network_is_replaced(model: Path, tmp_path: Path) -> None:
    graph = tmp_path / "graph.h5"
    graph.write_bytes(model.read_bytes())
    for words in ("", "my notes"):
        (tmp_path / "notes.h5").write_text(words)
        reply = convert(graph, "--out", tmp_path / "notes.h5")
        assert (reply.exit_code == 0) == (not words)
    reply = convert(graph, "--out", graph)
    assert isinstance(reply.exception, ConfigError)
    assert graph.read_bytes() == model.read_bytes()
    assert convert(graph, "--out", tmp_path / "net.h5").exit_code == 0
    assert convert(graph, "--out", tmp_path / "net.h5").exit_code == 0


def test_missing_model(tmp_path: Path) -> None:
    result = convert(tmp_path / "none.nir", "--out", tmp_path / "net.h5")
    assert isinstance(result.exception, DataError)


@pytest.mark.parametrize("text", ["", "8x", "x8", "1x8x8x8", "-1x8x8", "a"])
def test_shapes_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match="CHANNELSxROWSxCOLUMNS"):
        parse_shape(text)
    assert parse_shape("3x32x32") == (3, 32, 32)
