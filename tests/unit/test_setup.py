"""What a command starts with: levels of the network file, flat images, levels of the rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from memspice.datasets.digits import load_digits
from memspice.errors import ConfigError
from memspice.experiment.request import Request
from memspice.network.ann import with_mean_inputs
from memspice.network.architecture import Architecture, Conv, Dense
from memspice.network.flaws import FLAWS
from memspice.network.rounding import round_network
from memspice.network.weights import Network, WeightLayer, load_network, save_network
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path
from tests.settings import Setting

DIGITS = load_network("digits-mlp")


def file_of(folder: Path, levels: int = 32, shape: tuple[int, int, int] = (1, 8, 8)) -> str:
    """The shipped network on other levels, for input of another shape, as if it were imported."""
    architecture = Architecture("own", shape, DIGITS.architecture.layers)
    layers = tuple(replace(layer, mean_input=None) for layer in DIGITS.layers)
    path = folder / f"own{levels}.h5"
    save_network(round_network(Network(architecture, layers, {}), levels)[0], path, levels)
    return str(path)


def levels_of(prepared: Request) -> int:
    """Different conductances that the cells of the first layer have."""
    cells = np.concatenate(prepared.mapped.layers[0].circuits[0].conductances)
    return len(np.unique(np.round(cells * 1e12)))


@pytest.mark.parametrize("levels", [4, 8, 100, 128])
def test_levels_of_the_file_are_those_of_the_cells(tmp_path: Path, levels: int) -> None:
    name = file_of(tmp_path, levels)
    prepared = Setting(name, changes={"synapse.variation": 0.0}).request()
    assert levels_of(prepared) <= levels
    assert prepared.mapped.parameter_set.synapse.levels == levels
    assert prepared.notes[0].startswith(f"cells have {levels} conductance levels")
    assert not any("rounded" in note for note in prepared.notes)
    held = prepared.mapped.layers[0].programmed.layer.weight
    np.testing.assert_array_equal(held, prepared.network.layers[0].weight)


def test_levels_of_the_run_come_first_and_what_they_cost_is_said(tmp_path: Path) -> None:
    prepared = Setting(file_of(tmp_path, 8), changes={"synapse.levels": 32}).request()
    assert prepared.mapped.parameter_set.synapse.levels == 32
    assert [note.split(" onto ")[0] for note in prepared.notes[1:3]] == [
        "dense1: weights are rounded",
        "dense2: weights are rounded",
    ]


def test_levels_of_a_set_of_its_own_come_first(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    text = resource_path("fast-memristor.toml").read_text(encoding="utf-8")
    entry = 'levels = { value = 16, unit = "1", label = "A", source = "a test" }'
    own.write_text(f"{text}\n[synapse]\n{entry}\n", encoding="utf-8")
    prepared = Setting(file_of(tmp_path, 8), str(own)).request()
    assert prepared.mapped.parameter_set.synapse.levels == 16
    assert "onto 16 conductance levels" in prepared.notes[0]


def test_levels_that_agree_are_not_worth_a_word(tmp_path: Path) -> None:
    assert Setting(file_of(tmp_path, 32)).request().notes == []
    assert Setting("digits-mlp").request().notes == []
    default = load_parameter_set("fast-memristor")
    assert Setting("digits-mlp").request().mapped.parameter_set == default


def test_flat_input_takes_the_digits_row_by_row(tmp_path: Path) -> None:
    flat = Setting(file_of(tmp_path, shape=(1, 1, 64)), images=5).request()
    assert flat.images.x.shape == (5, 1, 1, 64)
    np.testing.assert_array_equal(flat.images.x.reshape(5, 8, 8), load_digits("test", 5).x[:, 0])
    assert flat.notes == [
        "images of 1x8x8 are flattened to 64 inputs, in the order channel, row, column"
    ]
    results = [
        Setting(file_of(tmp_path, shape=shape), images=100, cycles=8).infer()["snn_accuracy"]
        for shape in ((1, 1, 64), (1, 8, 8))
    ]
    assert results[0] == results[1]


def save(path: Path, shape: tuple[int, int, int], *kinds: Conv | Dense) -> str:
    fan_in = shape[0] * 9 if isinstance(kinds[0], Conv) else int(np.prod(shape))
    layers = [WeightLayer(np.ones((kinds[0].channels, fan_in)), np.zeros(kinds[0].channels), 1.0)]
    if len(kinds) == 2:
        inputs = kinds[0].channels * shape[1] * shape[2]
        layers.append(WeightLayer(np.ones((10, inputs)), np.zeros(10), 1.0))
    save_network(Network(Architecture("odd", shape, kinds), tuple(layers), {}), path, 2)
    return str(path)


@pytest.mark.parametrize("shape", [(1, 1, 65), (8, 8, 1), (64, 1, 1), (1, 16, 4), (3, 1, 1024)])
def test_input_that_no_data_set_has(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    name = save(tmp_path / "odd.h5", shape, Dense(10))
    with pytest.raises(
        ConfigError, match=r"digits of 1x8x8 and cifar10 of 3x32x32: .*--input-shape"
    ):
        Setting(name).request()


def test_convolution_along_a_flat_input_takes_no_images(tmp_path: Path) -> None:
    name = save(tmp_path / "odd.h5", (1, 1, 64), Conv(2), Dense(10))
    with pytest.raises(ConfigError, match="takes images of 1x1x64, and memspice has"):
        Setting(name).request()


def test_own_network_is_trimmed_at_the_levels_of_training_images(tmp_path: Path) -> None:
    prepared = Setting(file_of(tmp_path), images=3, changes=dict(FLAWS)).request()
    assert "taken from 500 training images of digits" in prepared.notes[0]
    expected = with_mean_inputs(DIGITS, load_digits("train", 500).x)
    for found, layer in zip(prepared.network.layers, expected.layers, strict=True):
        assert found.mean_input is not None
        np.testing.assert_allclose(found.mean_input, layer.mean_input, atol=0.02)
    assert all(c.trim is not None for layer in prepared.mapped.layers for c in layer.circuits)


def test_own_network_with_flaws_is_as_accurate_as_the_shipped_one(tmp_path: Path) -> None:
    own, shipped = (
        Setting(name, images=360, cycles=16, changes=dict(FLAWS)).infer()["snn_accuracy"]["value"]
        for name in (file_of(tmp_path), "digits-mlp")
    )
    assert own == pytest.approx(shipped, abs=0.02)
