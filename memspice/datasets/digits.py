"""The 1,797 handwritten 8 x 8 digits that scikit-learn carries.

The package is found but not imported: that would take a second.
"""

from __future__ import annotations

import gzip
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memspice.datasets.images import Images, check_request
from memspice.errors import DataError
from memspice.inputs import read_input

_COUNT, _TRAIN_COUNT = 1797, 1437
_SPLIT_KEY = 1797
#: Of the compressed file, [byte]; it has 58 thousand.
_LARGEST_FILE = 1 << 20


def load_digits(split: str = "test", limit: int | None = None) -> Images:
    """Load the digits.

    Parameters
    ----------
    split : str
        ``"train"``, 1,437 images, or ``"test"``, the other 360; always the same ones.
    limit : int, optional
        Take at most this many, the first ones.

    Returns
    -------
    Images
        Images of shape (n, 1, 8, 8), the 17 grey levels scaled to [0, 1].

    Raises
    ------
    ConfigError
        If ``split`` or ``limit`` is not one of these.
    DataError
        If scikit-learn is not installed, or its file is damaged.

    References
    ----------
    .. [1] E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine
       Learning Repository (1998), test part. doi:10.24432/C50P49
    """
    check_request(split, limit)
    pixels, labels = read_digits()
    chosen = digits_split(split)[:limit]
    return Images(
        (pixels[chosen, np.newaxis] / 16).astype(np.float32),
        labels[chosen],
        name="digits",
        class_names=tuple("0123456789"),
        lossless=True,
        source=f"scikit-learn's digits, fixed {split} split",
        origin=f"digits {split}",
    )


def digits_split(split: str) -> NDArray[np.int64]:
    """Numbers of the training or test images among scikit-learn's 1,797, in memspice's order.

    Whoever trains elsewhere and tests here takes his training images by it:
    ``sklearn.datasets.load_digits().data[digits_split("train")]``.

    Parameters
    ----------
    split : str
        ``"train"``, 1,437 of them, or ``"test"``, the other 360.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    ConfigError
        If there is no such split.
    """
    check_request(split, None)
    # The raw stream of Philox is fixed for ever, unlike Generator.permutation: weights that were
    # trained on one version of NumPy must not meet their training images in the test of another.
    order = np.random.Philox(key=_SPLIT_KEY).random_raw(_COUNT).argsort(kind="stable")
    return order[:_TRAIN_COUNT] if split == "train" else order[_TRAIN_COUNT:]


def read_digits(package: str = "sklearn") -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Grey levels, shape (1797, 8, 8), from 0 to 16, and labels, of scikit-learn's own file.

    Raises
    ------
    DataError
        If it is not there or is damaged.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(f"no digits: {package} is not installed (pip install scikit-learn)")
    path = Path(spec.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    try:
        lines = gzip.decompress(read_input(path, _LARGEST_FILE, DataError)).decode("ascii")
        table = np.array([line.split(",") for line in lines.splitlines()], np.float64)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{path} is damaged: {error}; install scikit-learn again") from error
    if table.shape != (_COUNT, 65) or not np.all((table >= 0) & (table <= 16)):
        raise DataError(f"{path} does not hold {_COUNT} digits; install scikit-learn again")
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)
