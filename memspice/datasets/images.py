"""Images, with their classes where these are known; checked once so that nobody after has to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from memspice.errors import ConfigError, DataError, ShapeError
from memspice.outputs import printable

Shape = tuple[int, int, int]


@dataclass(frozen=True, eq=False, repr=False)
class Images:
    """Images, with or without the class of each.

    ``images[:20]`` is the first 20; index arrays and masks choose others.

    Parameters
    ----------
    x : ndarray, shape (n, channels, height, width)
        Intensities: uint8, of which 255 becomes 1, or floats in [0, 1].  Kept as float32.
    y : ndarray of int, shape (n,), optional
        Class of each image, counted from 0.  Without them there is no accuracy.
    name : str
        For reports and messages, for example ``"cifar10"`` or the name of a file.
    class_names : tuple of str, optional
        Name of every class; by default the numbers up to the largest of ``y``.
    lossless : bool or None
        True where a checksum shows that the pixels are those of an official set; False where
        nothing shows it; None where there is no such checksum to compare with.
    source : str
        Where the images come from, in words.
    origin : str, optional
        Which set these are of, kept when some are chosen; by default a SHA-256 of ``x``.  A
        network whose provenance names the same origin has seen them.

    Raises
    ------
    ShapeError
        If the shapes do not fit together.
    DataError
        If there is no image, a type is wrong, an intensity is outside [0, 1] or not finite, or a
        label is negative or has no class.

    Examples
    --------
    >>> images = Images(np.zeros((5, 1, 8, 8), np.uint8), np.array([0, 1, 2, 1, 0]))
    >>> images[:2]
    Images: 2 of 1x8x8, 3 classes
      given as arrays
    """

    x: np.ndarray
    y: np.ndarray | None = None
    name: str = field(default="images", kw_only=True)
    class_names: tuple[str, ...] = field(default=(), kw_only=True)
    lossless: bool | None = field(default=None, kw_only=True)
    source: str = field(default="given as arrays", kw_only=True)
    origin: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        def keep(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        keep("x", _intensities(self.name, np.asarray(self.x)))
        if self.y is not None:
            keep("y", _classes(self.name, np.asarray(self.y), len(self.x)))
            largest = int(self.labels.max())
            if not self.class_names:
                keep("class_names", tuple(map(str, range(largest + 1))))
            if largest >= len(self.class_names):
                raise DataError(
                    f"{self.name}: label {largest} of image {int(self.labels.argmax())} is outside "
                    f"0 to {len(self.class_names) - 1}, the {len(self.class_names)} classes"
                )
        if not self.origin:
            keep("origin", f"sha256:{hashlib.sha256(self.x.tobytes()).hexdigest()}")

    @property
    def shape(self) -> Shape:
        """(channels, height, width) of each image."""
        channels, height, width = self.x.shape[1:]
        return channels, height, width

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class of each image, shape (n,).

        Raises
        ------
        DataError
            If they are not known.
        """
        if self.y is None:
            raise DataError(f"{self.name} has no labels: give the class of each image as y")
        return self.y

    def check_classes(self, count: int, taker: str) -> None:
        """Refuse labels that have no output.

        Parameters
        ----------
        count : int
            Number of outputs.
        taker : str
            What has them, for the message.

        Raises
        ------
        DataError
            If a label is ``count`` or more, or there is none.
        """
        largest = int(self.labels.max())
        if largest >= count:
            raise DataError(
                f"{self.name}: label {largest} of image {int(self.labels.argmax())} has no output "
                f"of {taker}: give classes from 0 to {count - 1}"
            )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.x)

    def __getitem__(self, chosen: slice | np.ndarray) -> Images:
        """Return some of the images, of the same origin."""
        if not isinstance(chosen, slice | np.ndarray):
            raise ConfigError(
                f"images[{chosen!r}] must be a slice or an array, such as images[3:4] or "
                "images[np.array([3])]; images.x[3] is the array of one image"
            )
        x = self.x[chosen]
        if not len(x):
            raise ConfigError(f"{self.name}: images[{chosen!r}] of {len(self)} images is empty")
        return replace(self, x=x, y=None if self.y is None else self.y[chosen])

    def reshaped(self, shape: Shape) -> Images:
        """Return the images with their values in another shape (channels, height, width)."""
        return replace(self, x=self.x.reshape(len(self), *shape))

    def __repr__(self) -> str:
        sides = "x".join(map(str, self.shape))
        classes = "no labels" if self.y is None else f"{len(self.class_names)} classes"
        name = "" if self.name == "images" else f" {self.name}"
        return f"Images{name}: {len(self)} of {sides}, {classes}\n  {self.source}"


def _intensities(name: str, x: np.ndarray) -> NDArray[np.float32]:
    """Intensities as float32 in [0, 1]."""
    if x.ndim != 4:
        raise ShapeError(
            f"{name}: x has shape {x.shape} and must be (n, channels, height, width); of grey "
            "images, x[:, None]"
        )
    if x.size == 0:
        raise DataError(f"{name}: x of shape {x.shape} holds no pixel")
    if x.dtype == np.uint8:
        return np.asarray(np.divide(x, 255, dtype=np.float32))
    if not np.issubdtype(x.dtype, np.floating):
        raise DataError(f"{name}: x is {x.dtype}; give uint8, or floats in [0, 1]")
    low, high = float(x.min()), float(x.max()) + 0.0  # no -0
    if not (low >= 0 and high <= 1):  # written so that NaN fails too
        wrong = int(np.argmax(~((x >= 0) & (x <= 1)).reshape(len(x), -1).all(axis=1)))
        raise DataError(
            f"{name}: x from {low:g} to {high:g}, first in image {wrong}, must lie in [0, 1]: "
            "scale it, or give bytes as uint8"
        )
    return x.astype(np.float32, copy=False)


def _classes(name: str, y: np.ndarray, count: int) -> NDArray[np.int64]:
    """Labels as int64, one an image."""
    if y.shape != (count,):
        raise ShapeError(
            f"{name}: y has shape {y.shape} and must be ({count},), the class of each image"
        )
    if not np.issubdtype(y.dtype, np.integer):
        raise DataError(f"{name}: y is {y.dtype}; give whole numbers, the class of each image")
    if y.min() < 0:
        raise DataError(
            f"{name}: label {y.min()} of image {int(y.argmin())} is below 0; give classes "
            "counted from 0"
        )
    return y.astype(np.int64, copy=False)


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
        raise ConfigError(f"split = {printable(repr(split))} must be 'train' or 'test'")
    if limit is not None and limit < 1:
        raise ConfigError(f"limit = {limit} images must be at least 1")
