"""Images of anyone's own through the commands: with labels, without, and those seen before."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from memspice.datasets import Images, load_images
from memspice.errors import ConfigError, DataError, ShapeError
from memspice.experiment.cosim import CosimPlan
from memspice.experiment.train import _images, _pixels
from memspice.network.architecture import ARCHITECTURES, Architecture, Conv, Dense, Pool
from memspice.network.rounding import round_network
from memspice.network.weights import Network, WeightLayer, load_network, save_network
from memspice.report.html import write_report
from tests.cli_helpers import ON_MODELS, call
from tests.settings import Setting

Capture = pytest.CaptureFixture[str]

SHAPE = (1, 12, 12)


@pytest.fixture
def network(tmp_path: Path) -> str:
    """A network for images of 12 x 12, with random weights."""
    rng = np.random.default_rng(3)
    layers = tuple(
        WeightLayer(rng.normal(0, 0.1, shape), np.zeros(shape[0]), 1.0)
        for shape in ((6, 144), (3, 6))
    )
    architecture = Architecture("own", SHAPE, (Dense(6), Dense(3)))
    path = tmp_path / "own.h5"
    save_network(round_network(Network(architecture, layers, {}), 32)[0], path, 32)
    return str(path)


def file_of(path: Path, shape: tuple[int, ...] = (20, 12, 12, 1), labels: int = 3) -> str:
    """An ``.npz`` of random images; ``labels`` classes, none for 0."""
    rng = np.random.default_rng(5)
    x = rng.integers(0, 256, shape, dtype=np.uint8)
    named = {"y": rng.integers(0, labels, shape[0])} if labels else {}
    np.savez(path, x=x, **named)
    return str(path)


def test_own_images_run_through_the_loop(network: str, tmp_path: Path) -> None:
    data = file_of(tmp_path / "own.npz")
    found = Setting(network, images=20, cycles=4, data=data).infer()
    assert found["dataset"] == {
        "name": data, "images": 20, "lossless": None, "source": f"the file {data}",
    }  # fmt: skip
    assert found["ann_accuracy"]["n"] == found["snn_accuracy"]["n"] == 20
    prepared = Setting(network, images=20, data=data).request()
    np.testing.assert_array_equal(prepared.images.x, load_images(data).x)


def test_without_labels_there_are_rates_and_no_accuracy(network: str, tmp_path: Path) -> None:
    known, unknown = (
        Setting(
            network, images=20, cycles=4, data=file_of(tmp_path / "own.npz", labels=labels)
        ).run()
        for labels in (3, 0)
    )
    assert unknown.spike_rate == known.spike_rate
    assert unknown.ann_accuracy is unknown.accuracy is None
    assert unknown.as_json()["snn_accuracy_by_cycles"] == []
    assert unknown.as_json()["classified"] == 20
    assert repr(unknown).count("none: the images have no labels") == 2
    with pytest.raises(ConfigError, match="no labels"):
        unknown.correct()


@pytest.mark.parametrize(
    ("shape", "labels", "words"),
    [
        ((4, 1, 8, 8), 3, "images of 1x8x8 do not fit network own, which takes 1x12x12"),
        ((4, 3, 12, 12), 3, "images of 3x12x12 do not fit"),
        ((4, 1, 12, 12), 9, "has no output of network own: give classes from 0 to 2"),
    ],
)
def test_images_that_a_network_cannot_take(
    shape: tuple[int, ...], labels: int, words: str, network: str, tmp_path: Path
) -> None:
    data = file_of(tmp_path / "other.npz", shape, labels)
    with pytest.raises((ShapeError, DataError), match=words) as caught:
        Setting(network, data=data).request()
    assert data in str(caught.value)


def test_network_that_no_data_set_fits_asks_for_data(network: str) -> None:
    with pytest.raises(ConfigError, match="takes images of 1x12x12, .* name your own with --data"):
        Setting(network).request()


def seen(network: str, path: Path, origin: str) -> str:
    """The same network, trained on images of an origin."""
    known = load_network(network)
    save_network(replace(known, provenance={"trained_on": origin}), path, 32)
    return str(path)


def test_images_of_the_training_are_said_to_be_so(network: str, tmp_path: Path) -> None:
    data = file_of(tmp_path / "own.npz")
    trained = seen(network, tmp_path / "trained.h5", load_images(data).origin)
    prepared = Setting(trained, images=5, data=data).request()
    assert any("was trained on these images" in note for note in prepared.notes)
    other = file_of(tmp_path / "other.npz", (21, 1, 12, 12))
    assert not Setting(trained, data=other).request().remarks
    assert not Setting("digits-mlp").request().remarks


def test_images_of_a_file_give_the_levels_of_its_rows(network: str, tmp_path: Path) -> None:
    """Their mean levels, which the trim needs, are those of the file."""
    data = file_of(tmp_path / "own.npz")
    prepared = Setting(network, data=data, changes={"periphery.trim_step": 0.01}).request()
    assert f"20 training images of {data}" in " ".join(prepared.notes)
    expected = load_images(data).x.reshape(20, -1).mean(axis=0)
    np.testing.assert_allclose(prepared.network.layers[0].mean_input, expected, atol=1e-6)


@pytest.mark.ngspice
def test_own_images_without_labels_go_through_spice(
    network: str, tmp_path: Path, capsys: Capture
) -> None:
    data = file_of(tmp_path / "own.npz", labels=0)
    common = [*ON_MODELS, "--network", network, "--data", data, "--images", "2", "--cycles", "2"]
    reply = call(capsys, "simulate-layer", *common, "--json")
    found = json.loads(reply.out)
    assert (reply.code, found["dataset"]["name"], found["events"]) == (0, data, 2 * 2 * 6)
    reply = call(capsys, "infer", *common, "--fidelity", "reduced", "--json")
    found = json.loads(reply.out)
    assert (reply.code, found["snn_accuracy"], found["mismatches"]) == (0, None, 0)
    assert found["energy_total_joule"] > 0


@pytest.mark.ngspice
def test_cosim_of_images_without_labels(network: str, tmp_path: Path) -> None:
    data = file_of(tmp_path / "own.npz", labels=0)
    plan = CosimPlan(
        spice_windows=2, spice_cycles=1, model_windows=2, full_windows=0, showcase_cycles=1,
        max_iterations=2, transfer_points=2, transfer_events=4,
    )  # fmt: skip
    run = Setting(network, images=3, cycles=2, data=data).cosim(plan)
    assert run.ann_accuracy is run.accuracy is None
    assert run.energy.total > 0
    assert repr(run).count("none: the images have no labels") == 2
    write_report(tmp_path / "report.html", run.as_json(), [])
    assert "the images have no labels" in (tmp_path / "report.html").read_text()


def test_training_and_test_images_are_told_apart(tmp_path: Path) -> None:
    mlp = ARCHITECTURES["digits-mlp"]
    own, other = file_of(tmp_path / "own.npz"), file_of(tmp_path / "other.npz", (9, 1, 12, 12))
    named = [images and images.origin for images in _images(mlp, None, None)]
    assert named == ["digits train", "digits test"]
    train, test = _images(mlp, own, other)
    assert test
    assert (len(train), len(test)) == (20, 9)
    assert _images(mlp, own, None)[1] is None
    with pytest.raises(ConfigError, match="not tested on what it was trained on"):
        _images(mlp, own, own)


@pytest.mark.parametrize(
    ("data", "test", "words"),
    [
        (((5, 12, 12, 1), 0), ((4, 12, 12, 1), 3), r"train\.npz has no labels"),
        (((5, 12, 12, 1), 3), ((4, 12, 12, 1), 0), r"test\.npz has no labels"),
        (((5, 12, 12, 1), 3), ((9, 12, 12, 1), 9), "has no output of the network: give classes"),
        (((4, 12, 12, 1), 3), ((4, 8, 8, 1), 3), "test images of 1x8x8, but training images of 1x"),
    ],
)
def test_images_that_cannot_train_are_refused_before_anything_is_trained(
    data: tuple[tuple[int, ...], int],
    test: tuple[tuple[int, ...], int],
    words: str,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    files = [
        file_of(tmp_path / f"{name}.npz", *of) for name, of in (("train", data), ("test", test))
    ]
    command = ["train", "digits-mlp", "--data", files[0], "--test-data", files[1]]
    reply = call(capsys, *command, "--out", tmp_path / "out.h5")
    assert (reply.code, reply.out) == (2, "")
    assert re.search(words, " ".join(reply.err.split()))


def test_intensities_are_kept_as_bytes_where_these_say_the_same() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    kept = _pixels(Images(grey).x)
    assert kept.dtype == np.uint8
    np.testing.assert_array_equal(kept, grey)
    digits = load_images("digits").x  # sixteenths
    assert _pixels(digits) is digits


def test_architecture_fits_other_images() -> None:
    mlp = ARCHITECTURES["digits-mlp"]
    assert mlp.fitted((1, 8, 8), 10) is mlp
    own = mlp.fitted(SHAPE, 3)
    assert (own.name, own.input_shape) == ("digits-mlp-1x12x12-3", SHAPE)
    assert [step.layer.channels for step in own.shapes()] == [32, 3]
    assert [step.fan_in for step in own.shapes()] == [144, 32]
    with pytest.raises(ConfigError, match="makes images of 1x4x4 smaller than a pixel"):
        ARCHITECTURES["cifar10-cnn"].fitted((1, 4, 4), 3)
    with pytest.raises(ConfigError, match="ends in a pool"):
        Architecture("odd", SHAPE, (Conv(2), Pool(2))).fitted(SHAPE, 2)
