"""Network files: what is written is read back, and nothing that does not fit is accepted."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest

from memspice.errors import ConfigError, DataError
from memspice.network.architecture import ARCHITECTURES, CIFAR10_CNN, Architecture, Dense, Pool
from memspice.network.weights import (
    Network,
    WeightLayer,
    content_digest,
    load_network,
    save_network,
    trained_networks,
    weight_shapes,
)

LEVELS = 32
SMALL = Architecture("small", (1, 8, 8), (Pool(2), Dense(4), Dense(10)))


def small_network(seed: int = 0) -> Network:
    """Random weights on the levels."""
    rng = np.random.default_rng(seed)
    layers = []
    for outputs, fan_in in weight_shapes(SMALL):
        bound = float(rng.uniform(0.5, 2))
        steps = rng.integers(1 - LEVELS, LEVELS, (outputs, fan_in))
        weight = steps * bound / (LEVELS - 1)
        layers.append(WeightLayer(weight, rng.normal(size=outputs), bound))
    return Network(SMALL, tuple(layers), {"seed": seed, "note": "random"})


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "small.h5"
    save_network(small_network(), path, LEVELS)
    return path


def test_round_trip(stored: Path) -> None:
    network, back = small_network(), load_network(str(stored))
    assert back.architecture == network.architecture
    assert back.provenance == network.provenance
    assert back.name == "small"
    for mine, read in zip(network.layers, back.layers, strict=True):
        np.testing.assert_allclose(read.weight, mine.weight, rtol=1e-14, atol=0)
        np.testing.assert_array_equal(read.bias, mine.bias)
        assert read.bound == mine.bound


def test_file_is_replaced_and_nothing_else_is_left(stored: Path) -> None:
    save_network(small_network(7), stored, LEVELS)
    assert load_network(str(stored)).provenance["seed"] == 7
    assert list(stored.parent.iterdir()) == [stored]


def test_digits_network_fits_its_architecture_and_its_levels() -> None:
    network = load_network("digits-mlp")
    assert network.architecture == ARCHITECTURES["digits-mlp"]
    for layer in network.layers:
        steps = layer.weight / layer.bound * (LEVELS - 1)
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
        assert np.abs(layer.weight).max() <= layer.bound * (1 + 1e-12)


def test_weight_shapes_of_the_cnn_by_hand() -> None:
    assert weight_shapes(CIFAR10_CNN) == [
        (32, 27),
        (32, 288),
        (64, 288),
        (64, 576),
        (128, 576),
        (128, 1152),
        (10, 128 * 4 * 4),
    ]


@pytest.mark.parametrize("name", ["vgg", "digits", ""])
def test_unknown_name(name: str) -> None:
    with pytest.raises(
        ConfigError, match=f"unknown: use {', '.join(trained_networks())} or the path"
    ):
        load_network(name)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        load_network(str(tmp_path / "none.h5"))


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7, 0.99])
def test_truncated_file(stored: Path, share: float) -> None:
    content = stored.read_bytes()
    stored.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match="is damaged|is truncated|is no HDF5 file"):
        load_network(str(stored))


def test_random_bytes_end_in_a_network_or_a_data_error(stored: Path) -> None:
    content, refused = stored.read_bytes(), 0
    rng = np.random.default_rng(3)
    for _ in range(60):
        spoilt = bytearray(content)
        start = int(rng.integers(len(content) - 16))
        spoilt[start : start + 16] = rng.bytes(16)
        stored.write_bytes(bytes(spoilt))
        try:
            load_network(str(stored))
        except DataError:
            refused += 1
    assert refused > 5  # most of a small HDF5 file is empty space


def test_flipped_bit_of_a_weight(stored: Path) -> None:
    with h5py.File(stored, "r") as file:
        chunk = file["layer0/steps"].id.get_chunk_info(0)
    content = bytearray(stored.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    stored.write_bytes(bytes(content))
    with pytest.raises(DataError, match="is damaged|is truncated|is no HDF5 file"):
        load_network(str(stored))


def test_text_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.h5"
    path.write_text("not HDF5")
    with pytest.raises(DataError, match="is damaged|is truncated|is no HDF5 file"):
        load_network(str(path))


def without_format(file: h5py.File) -> None:
    del file.attrs["format"]


def other_format(file: h5py.File) -> None:
    file.attrs["format"] = "memspice-network-0"


def without_layer(file: h5py.File) -> None:
    del file["layer1"]


def wrong_shape(file: h5py.File) -> None:
    steps = file["layer0/steps"][:, :-1]
    del file["layer0/steps"]
    file["layer0/steps"] = steps


def wrong_bias_shape(file: h5py.File) -> None:
    del file["layer0/bias"]
    file["layer0/bias"] = np.zeros(3)


def bias_not_a_number(file: h5py.File) -> None:
    file["layer0/bias"][1] = np.nan


def step_not_a_number(file: h5py.File) -> None:
    file["layer0"].attrs["step"] = np.nan


def infinite_bound(file: h5py.File) -> None:
    file["layer1"].attrs["bound"] = np.inf


def negative_bound(file: h5py.File) -> None:
    file["layer1"].attrs["bound"] = -1.0


def weight_beyond_bound(file: h5py.File) -> None:
    file["layer1"].attrs["bound"] = 1e-3


def unknown_kind(file: h5py.File) -> None:
    content = json.loads(file.attrs["architecture"])
    content["layers"][0]["kind"] = "recurrent"
    file.attrs["architecture"] = json.dumps(content)


def broken_json(file: h5py.File) -> None:
    file.attrs["architecture"] = "{"


def list_for_architecture(file: h5py.File) -> None:
    file.attrs["architecture"] = "[1, 2]"


def without_bias(file: h5py.File) -> None:
    del file["layer0/bias"]


SPOILERS: list[Callable[[h5py.File], None]] = [
    without_format,
    other_format,
    without_layer,
    wrong_shape,
    wrong_bias_shape,
    bias_not_a_number,
    step_not_a_number,
    infinite_bound,
    negative_bound,
    weight_beyond_bound,
    unknown_kind,
    broken_json,
    list_for_architecture,
    without_bias,
]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_spoilt_file(stored: Path, spoil: Callable[[h5py.File], None]) -> None:
    with h5py.File(stored, "a") as file:
        spoil(file)
        with suppress(KeyError):  # sealed again, so that the checksum is not what tells
            file.attrs["sha256"] = content_digest(file)
    with pytest.raises(DataError, match=str(stored)):
        load_network(str(stored))


@pytest.mark.parametrize("levels", [1, 129])
def test_levels_that_a_byte_cannot_hold(tmp_path: Path, levels: int) -> None:
    with pytest.raises(ConfigError, match="levels"):
        save_network(small_network(), tmp_path / "small.h5", levels)


def test_weights_beside_the_levels_are_not_rounded_in_silence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="levels"):
        save_network(small_network(), tmp_path / "small.h5", LEVELS - 5)
    assert not list(tmp_path.iterdir())
