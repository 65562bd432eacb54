"""The digits: real images, and one split for ever."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest

from memspice.datasets import Images, digits_split, load_digits
from memspice.datasets.digits import read_digits
from memspice.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def train() -> Images:
    return load_digits("train")


@pytest.fixture(scope="module")
def test() -> Images:
    return load_digits("test")


def test_shapes_types_and_range(train: Images, test: Images) -> None:
    assert train.x.shape == (1437, 1, 8, 8)
    assert test.x.shape == (360, 1, 8, 8)
    assert train.x.dtype == np.float32
    assert train.x.max() == 1
    assert set(np.unique(train.x * 16)) == set(range(17))
    assert test.class_names == tuple("0123456789")


def test_splits_share_nothing_and_lose_nothing(train: Images, test: Images) -> None:
    from sklearn.datasets import load_digits as load_raw

    raw = load_raw()
    together = np.concatenate([train.x, test.x]).reshape(-1, 64) * 16
    labelled = np.column_stack([together, np.concatenate([train.labels, test.labels])])
    expected = np.column_stack([raw.data, raw.target])
    assert sorted(map(tuple, labelled)) == sorted(map(tuple, expected))


def test_split_never_changes(test: Images) -> None:
    """Committed weights were trained without exactly these test images."""
    pixels = (test.x * 16).astype(np.uint8)
    assert zlib.crc32(pixels.tobytes()) == 3660959436
    assert test.labels[:10].tolist() == [4, 3, 6, 0, 5, 1, 5, 6, 9, 1]


def test_split_tells_which_of_scikit_learns_images_are_whose(train: Images, test: Images) -> None:
    from sklearn.datasets import load_digits as load_raw

    raw = load_raw()
    for split, images in (("train", train), ("test", test)):
        np.testing.assert_array_equal(raw.images[digits_split(split)], 16 * images.x[:, 0])
        np.testing.assert_array_equal(raw.target[digits_split(split)], images.y)
    assert not set(digits_split("train")) & set(digits_split("test"))


def test_every_class_is_in_both(train: Images, test: Images) -> None:
    assert np.bincount(test.labels).min() > 20
    assert np.bincount(train.labels).min() > 120


def test_limit_takes_the_first(test: Images) -> None:
    few = load_digits("test", 7)
    assert len(few) == 7
    np.testing.assert_array_equal(few.x, test.x[:7])
    assert len(load_digits("test", 10_000)) == 360


@pytest.mark.parametrize(("split", "limit"), [("valid", None), ("test", 0), ("test", -3)])
def test_bad_request_is_refused(split: str, limit: int | None) -> None:
    with pytest.raises(ConfigError, match="must be"):
        load_digits(split, limit)
    with pytest.raises(ConfigError, match="must be"):
        digits_split("valid")


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
