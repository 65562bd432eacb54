"""The digits: real images, and one split for ever."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest

from memspice.datasets import Dataset, load_digits
from memspice.datasets.digits import read_digits
from memspice.errors import ConfigError, DataError, ShapeError


@pytest.fixture(scope="module")
def train() -> Dataset:
    return load_digits("train")


@pytest.fixture(scope="module")
def test() -> Dataset:
    return load_digits("test")


def test_shapes_types_and_range(train: Dataset, test: Dataset) -> None:
    assert train.images.shape == (1437, 1, 8, 8)
    assert test.images.shape == (360, 1, 8, 8)
    assert train.images.dtype == np.float32
    assert train.images.max() == 1
    assert set(np.unique(train.images * 16)) == set(range(17))
    assert test.class_names == tuple("0123456789")


def test_splits_share_nothing_and_lose_nothing(train: Dataset, test: Dataset) -> None:
    from sklearn.datasets import load_digits as load_raw

    raw = load_raw()
    together = np.concatenate([train.images, test.images]).reshape(-1, 64) * 16
    labelled = np.column_stack([together, np.concatenate([train.labels, test.labels])])
    expected = np.column_stack([raw.data, raw.target])
    assert sorted(map(tuple, labelled)) == sorted(map(tuple, expected))


def test_split_never_changes(test: Dataset) -> None:
    """Committed weights were trained without exactly these test images."""
    pixels = (test.images * 16).astype(np.uint8)
    assert zlib.crc32(pixels.tobytes()) == 3660959436
    assert test.labels[:10].tolist() == [4, 3, 6, 0, 5, 1, 5, 6, 9, 1]


def test_every_class_is_in_both(train: Dataset, test: Dataset) -> None:
    assert np.bincount(test.labels).min() > 20
    assert np.bincount(train.labels).min() > 120


def test_limit_takes_the_first(test: Dataset) -> None:
    few = load_digits("test", 7)
    assert len(few) == 7
    np.testing.assert_array_equal(few.images, test.images[:7])
    assert len(load_digits("test", 10_000)) == 360


@pytest.mark.parametrize(("split", "limit"), [("valid", None), ("test", 0), ("test", -3)])
def test_bad_request_is_refused(split: str, limit: int | None) -> None:
    with pytest.raises(ConfigError, match="must be"):
        load_digits(split, limit)


WHOLE = gzip.compress(b"1,2\n")


@pytest.mark.parametrize("content", [b"", b"nothing", WHOLE, WHOLE[:-9], gzip.compress(b"a,b\n")])
def test_damaged_package_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    path = tmp_path / "damaged_digits" / "datasets" / "data" / "digits.csv.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DataError, match="install scikit-learn again"):
        read_digits("damaged_digits")


def test_missing_package_is_said() -> None:
    with pytest.raises(DataError, match="pip install scikit-learn"):
        read_digits("no_such_digits")


def made(**changes: object) -> Dataset:
    values: dict[str, object] = {
        "name": "made",
        "images": np.zeros((2, 1, 3, 3), np.float32),
        "labels": np.array([0, 1]),
        "class_names": ("a", "b"),
        "lossless": True,
        "source": "made",
    }
    return Dataset(**(values | changes))  # type: ignore[arg-type]


def test_dataset_has_a_length() -> None:
    assert len(made()) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"images": np.zeros((2, 9), np.float32)},
        {"labels": np.array([0, 1, 1])},
        {"labels": np.array([[0], [1]])},
    ],
)
def test_wrong_shapes_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ShapeError, match="made: images"):
        made(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": np.zeros((2, 1, 3, 3))}, "images are float64"),
        ({"labels": np.array([0.0, 1.0])}, "labels float64"),
        ({"images": np.zeros((0, 1, 3, 3), np.float32), "labels": np.zeros(0, int)}, "no pixel"),
        ({"images": np.full((2, 1, 3, 3), np.float32(1.01))}, r"must lie in \[0, 1\]"),
        ({"images": np.full((2, 1, 3, 3), np.float32(-0.5))}, r"must lie in \[0, 1\]"),
        ({"images": np.full((2, 1, 3, 3), np.float32("nan"))}, r"must lie in \[0, 1\]"),
        ({"labels": np.array([0, 2])}, "do not fit 2 classes"),
        ({"labels": np.array([-1, 1])}, "do not fit 2 classes"),
    ],
)
def test_wrong_values_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        made(**changes)
