"""Labelled images, checked once so that nobody after has to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memspice.errors import ConfigError, DataError, ShapeError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images with their labels.

    Attributes
    ----------
    name : str
        For reports, for example ``"cifar10"``.
    images : ndarray of float32, shape (n, channels, height, width)
        Intensities in [0, 1], one image at least.
    labels : ndarray of int64, shape (n,)
        Index into ``class_names``.
    class_names : tuple of str
        Name of every class.
    lossless : bool or None
        True where a checksum shows that the pixels are those of the official set; False where
        nothing shows it; None where they are stored without loss but no checksum covers them.
    source : str
        Where the images come from, in words.

    Raises
    ------
    ShapeError
        If the shapes do not fit together.
    DataError
        If there is no image, a type is wrong, an intensity is outside [0, 1] or not finite, or a
        label has no class.
    """

    name: str
    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    lossless: bool | None
    source: str

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.ndim != 4 or labels.shape != images.shape[:1]:
            raise ShapeError(
                f"{self.name}: images {images.shape} and labels {labels.shape} must have the "
                "shapes (n, channels, height, width) and (n,)"
            )
        if images.dtype != np.float32 or labels.dtype != np.int64:
            raise DataError(
                f"{self.name}: images are {images.dtype} and labels {labels.dtype}; "
                "convert them to float32 and int64"
            )
        if images.size == 0:
            raise DataError(f"{self.name}: images {images.shape} hold no pixel")
        low, high = float(images.min()), float(images.max())
        if not (low >= 0 and high <= 1):  # written so that NaN fails too
            raise DataError(
                f"{self.name}: intensities from {low:g} to {high:g} must lie in [0, 1]; scale them"
            )
        if labels.min() < 0 or labels.max() >= len(self.class_names):
            raise DataError(
                f"{self.name}: labels from {labels.min()} to {labels.max()} do not fit "
                f"{len(self.class_names)} classes"
            )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)


def check_request(split: str, limit: int | None) -> None:
    """Refuse a split or a number of images that no data set has.

    Parameters
    ----------
    split : str
        ``"train"`` or ``"test"``.
    limit : int or None
        Largest number of images, at least 1; None for all.

    Raises
    ------
    ConfigError
        If either is something else.
    """
    if split not in ("train", "test"):
        raise ConfigError(f"split = {split!r} must be 'train' or 'test'")
    if limit is not None and limit < 1:
        raise ConfigError(f"limit = {limit} images must be at least 1")
