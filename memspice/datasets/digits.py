"""The 1,797 handwritten 8 x 8 digits that scikit-learn carries."""

from __future__ import annotations

import numpy as np

from memspice.datasets.dataset import Dataset, check_request

_TRAIN_COUNT = 1437
_SPLIT_KEY = 1797


def load_digits(split: str = "test", limit: int | None = None) -> Dataset:
    """Load the digits.

    Parameters
    ----------
    split : str
        ``"train"``, 1,437 images, or ``"test"``, the other 360; always the same ones.
    limit : int, optional
        Take at most this many, the first ones.

    Returns
    -------
    Dataset
        Images of shape (n, 1, 8, 8), the 17 grey levels scaled to [0, 1].

    Raises
    ------
    ConfigError
        If ``split`` or ``limit`` is not one of these.

    References
    ----------
    .. [1] E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine
       Learning Repository (1998), test part. doi:10.24432/C50P49
    """
    check_request(split, limit)
    # Loaded on use: it takes a second that commands without digits need not wait for.
    from sklearn.datasets import load_digits as load_raw

    raw = load_raw()
    # The raw stream of Philox is fixed for ever, unlike Generator.permutation: weights that were
    # trained on one version of NumPy must not meet their training images in the test of another.
    order = np.random.Philox(key=_SPLIT_KEY).random_raw(len(raw.target)).argsort(kind="stable")
    chosen = (order[:_TRAIN_COUNT] if split == "train" else order[_TRAIN_COUNT:])[:limit]
    return Dataset(
        name="digits",
        images=(raw.images[chosen, np.newaxis] / 16).astype(np.float32),
        labels=raw.target[chosen].astype(np.int64),
        class_names=tuple(str(name) for name in raw.target_names),
        lossless=True,
        source=f"scikit-learn's digits, fixed {split} split",
    )
