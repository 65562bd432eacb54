"""CIFAR-10 from each of its places; damaged files are named, and nothing stands in silently."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from memspice.datasets import foolbox, load_cifar10
from memspice.datasets.cifar10 import CLASS_NAMES
from memspice.errors import ConfigError, DataError

RECORD = 3073
#: Labels of the first 20 official test images.
FIRST_LABELS = [3, 8, 8, 0, 6, 6, 1, 6, 3, 1, 0, 9, 5, 7, 9, 8, 5, 7, 8, 6]
#: A port that nothing can listen on, so that a connection is refused at once.
NOWHERE = "http://127.0.0.1:1/archive.tar.gz"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test may see this machine's data, cache or network."""
    monkeypatch.delenv("MEMSPICE_DATA", raising=False)
    monkeypatch.setenv("MEMSPICE_CIFAR10_URL", NOWHERE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def records(rng: np.random.Generator) -> np.ndarray:
    values = rng.integers(0, 256, (60, RECORD), dtype=np.uint8)
    values[:, 0] = rng.permutation(60) % 10
    return values


@pytest.fixture
def folder(records: np.ndarray, tmp_path: Path) -> Path:
    made = tmp_path / "data" / "cifar-10-batches-bin"
    made.mkdir(parents=True)
    for number in range(1, 6):
        records[10 * number - 10 : 10 * number].tofile(made / f"data_batch_{number}.bin")
    records[50:].tofile(made / "test_batch.bin")
    return made


def test_records_become_planes(folder: Path, records: np.ndarray) -> None:
    data = load_cifar10(folder)
    assert (data.name, data.class_names, len(data)) == ("cifar10", CLASS_NAMES, 10)
    assert data.x.shape == (10, 3, 32, 32)
    np.testing.assert_array_equal(data.labels, records[50:, 0])
    # Byte 1 is red, top left; 32 bytes a row; then green from 1025, blue from 2049.
    record = records[53] / np.float32(255)
    assert data.x[3, 0, 0, 0] == record[1]
    assert data.x[3, 0, 1, 0] == record[1 + 32]
    assert data.x[3, 1, 0, 2] == record[1 + 1024 + 2]
    assert data.x[3, 2, 31, 31] == record[3072]


def test_training_files_follow_each_other(folder: Path, records: np.ndarray) -> None:
    data = load_cifar10(folder, "train")
    np.testing.assert_array_equal(data.labels, records[:50, 0])
    few = load_cifar10(folder, "train", 23)
    np.testing.assert_array_equal(few.x, data.x[:23])


def test_parent_folder_and_environment_serve_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = load_cifar10(folder).x
    np.testing.assert_array_equal(load_cifar10(folder.parent).x, expected)
    monkeypatch.setenv("MEMSPICE_DATA", str(folder.parent))
    np.testing.assert_array_equal(load_cifar10().x, expected)


def test_argument_goes_before_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MEMSPICE_DATA", str(tmp_path / "nowhere"))
    assert len(load_cifar10(folder)) == 10


def test_files_of_unknown_origin_are_not_called_lossless(folder: Path) -> None:
    data = load_cifar10(folder)
    assert data.lossless is False
    assert "not verified as the lossless official set" in data.source


@pytest.mark.parametrize("content", ["nothing", "empty", "other"])
def test_wrong_folder_is_an_error_and_not_replaced(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / content
    if content != "nothing":
        wrong.mkdir()
    if content == "other":
        (wrong / "image.png").touch()
    with pytest.raises(DataError, match="holds no file of CIFAR-10") as caught:
        load_cifar10(wrong)
    assert str(wrong) in str(caught.value)
    monkeypatch.setenv("MEMSPICE_DATA", str(wrong))
    with pytest.raises(DataError, match="MEMSPICE_DATA = "):
        load_cifar10()


def test_missing_training_file_is_named(folder: Path) -> None:
    (folder / "data_batch_4.bin").unlink()
    with pytest.raises(DataError, match=r"data_batch_4\.bin does not exist"):
        load_cifar10(folder, "train", 5)
    assert len(load_cifar10(folder)) == 10


@pytest.mark.parametrize("size", [0, 1, RECORD - 1, 4 * RECORD + 7])
def test_cut_file_is_named_with_its_size(folder: Path, size: int) -> None:
    (folder / "test_batch.bin").write_bytes(bytes(size))
    with pytest.raises(DataError, match=rf"test_batch\.bin has {size} bytes"):
        load_cifar10(folder)


def test_impossible_label_is_named_with_its_offset(folder: Path, records: np.ndarray) -> None:
    records[54, 0] = 10
    records[50:].tofile(folder / "test_batch.bin")
    with pytest.raises(DataError, match=rf"label at byte {4 * RECORD} is 10, above 9"):
        load_cifar10(folder)


def test_file_that_is_a_folder_is_an_error(folder: Path) -> None:
    (folder / "data_batch_2.bin").unlink()
    (folder / "data_batch_2.bin").mkdir()
    with pytest.raises(DataError, match=r"data_batch_2\.bin"):
        load_cifar10(folder, "train")


@pytest.mark.parametrize(("split", "limit"), [("validation", None), ("test", 0)])
def test_bad_request_is_refused(folder: Path, split: str, limit: int | None) -> None:
    with pytest.raises(ConfigError, match="must be"):
        load_cifar10(folder, split, limit)


def test_cache_is_used_before_the_network(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "memspice"
    (cache / "cifar10").mkdir(parents=True)
    folder.rename(cache / "cifar10" / "cifar-10-batches-bin")
    assert len(load_cifar10()) == 10
    assert len(load_cifar10(cache=cache)) == 10


@pytest.mark.parametrize("allowed", [True, False])
def test_without_any_place_the_packaged_images_stand_in(allowed: bool) -> None:
    data = load_cifar10(allow_download=allowed)
    assert data.name == "cifar10-foolbox20"
    assert data.lossless is None
    assert data.labels.tolist() == FIRST_LABELS
    assert (NOWHERE if allowed else "downloading was not allowed") in data.source


def test_packaged_images_are_the_official_ones() -> None:
    """Upper left of the first test image (a cat), red, green and blue."""
    data = load_cifar10(limit=3, allow_download=False)
    assert len(data) == 3
    pixels = np.rint(data.x[0, :, 0, :3].T * 255).astype(int)
    assert pixels.tolist() == [[158, 112, 49], [159, 111, 47], [165, 116, 51]]


def test_nothing_stands_in_for_training_images() -> None:
    with pytest.raises(DataError, match="no training images of CIFAR-10: downloading was not"):
        load_cifar10(split="train", allow_download=False)


def test_missing_package_says_how_to_install_it() -> None:
    with pytest.raises(DataError, match="pip install --no-deps no_such_package"):
        foolbox.load_foolbox20(CLASS_NAMES, package="no_such_package")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in for the installed package; unlike there, names do not sort as numbers do."""
    images = tmp_path / "package" / "data"
    images.mkdir(parents=True)
    for number, label in enumerate(FIRST_LABELS):
        Image.new("RGB", (32, 32), (number, 0, 255)).save(images / f"cifar10_{number}_{label}.png")
    spec = ModuleSpec("foolbox", None, is_package=True)
    spec.submodule_search_locations = [str(images.parent)]
    monkeypatch.setattr(foolbox, "find_spec", lambda name: spec)
    return images


def test_package_order_is_by_number(package: Path) -> None:
    data = foolbox.load_foolbox20(CLASS_NAMES)
    assert data.labels.tolist() == FIRST_LABELS
    assert np.rint(data.x[:, 0, 0, 0] * 255).tolist() == list(range(20))


def test_missing_packaged_image_is_an_error(package: Path) -> None:
    (package / "cifar10_7_6.png").unlink()
    with pytest.raises(DataError, match="holds 19 images"):
        foolbox.load_foolbox20(CLASS_NAMES)


@pytest.mark.parametrize("content", [b"", b"not a picture", None])
def test_damaged_packaged_image_is_named(package: Path, content: bytes | None) -> None:
    image = package / "cifar10_3_0.png"
    image.write_bytes(image.read_bytes()[:60] if content is None else content)
    with pytest.raises(DataError, match=r"cifar10_3_0\.png is .*; install its package again"):
        foolbox.load_foolbox20(CLASS_NAMES)


def test_packaged_image_of_another_shape_is_named(package: Path) -> None:
    Image.new("L", (32, 32)).save(package / "cifar10_3_0.png")
    with pytest.raises(DataError, match=r"cifar10_3_0\.png has shape \(1, 32, 32\)"):
        foolbox.load_foolbox20(CLASS_NAMES)


def test_sparse_file_of_thirty_gigabytes_is_not_read(folder: Path) -> None:
    with (folder / "test_batch.bin").open("r+b") as file:
        file.truncate(RECORD * 10_000_000)
    with pytest.raises(DataError, match=r"test_batch\.bin has 30,730,000,000 bytes, more than"):
        load_cifar10(folder)


def test_pipe_in_the_place_of_a_file(folder: Path) -> None:
    (folder / "test_batch.bin").unlink()
    os.mkfifo(folder / "test_batch.bin")
    with pytest.raises(DataError, match=r"test_batch\.bin is a pipe"):
        load_cifar10(folder)
