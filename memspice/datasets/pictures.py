"""Picture files, and folders with a folder of them for each class."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from memspice.datasets.images import Images
from memspice.errors import DataError
from memspice.inputs import open_input
from memspice.outputs import printable

#: What a folder of images holds; the content decides how each is read.
SUFFIXES = (
    ".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp",
)  # fmt: skip
#: How each mode of Pillow is read without loss, as grey or as red, green and blue.
_MODES = {"1": "L", "L": "L", "RGB": "RGB", "P": "RGB"}


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read one picture of 8 bit, grey or in colour.

    Parameters
    ----------
    path : Path
        A file that Pillow can read.

    Returns
    -------
    ndarray of uint8, shape (channels, height, width)
        One channel, or red, green and blue.

    Raises
    ------
    DataError
        If it is missing, damaged, too large, of more than one picture, or of another mode.
    """
    shown = printable(str(path))
    try:
        with open_input(path) as file, Image.open(file) as image:
            frames = getattr(image, "n_frames", 1)
            mode = "" if "transparency" in image.info else _MODES.get(image.mode, "")
            usable = mode and frames == 1
            pixels = np.asarray(image.convert(mode) if usable else [], np.uint8)
    except UnidentifiedImageError as error:
        raise DataError(f"{shown} is no image that Pillow can read") from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        if isinstance(error, DataError):
            raise
        # Pillow's word for a damaged PNG is SyntaxError
        raise DataError(f"{shown} is damaged: {printable(str(error))}") from error
    if frames > 1:
        raise DataError(f"{shown} holds {frames} pictures: save each as a file of its own")
    if not mode:
        clear = " with transparency" if "transparency" in image.info else ""
        raise DataError(
            f"{shown} has the mode {image.mode}{clear}: save it as grey or RGB with 8 bit a channel"
        )
    return pixels[np.newaxis] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def load_folder(folder: Path, limit: int | None = None) -> Images:
    """Load a folder with a folder of images for each class.

    Parameters
    ----------
    folder : Path
        Its folders are the classes, in the order of their names; the images of a class are in the
        order of theirs.  Entries whose names begin with a dot are left out.
    limit : int, optional
        Take at most this many images: the first of every class, then the second of every class.

    Returns
    -------
    Images
        With labels, in the order in which a limit takes them.

    Raises
    ------
    DataError
        If there is no class, a class has no image, something lies there that is no image, or two
        images differ in size or in colour.
    """
    classes = {path: _pictures(path) for path in _classes(folder)}
    ranked = sorted(
        (rank, label, path)
        for label, paths in enumerate(classes.values())
        for rank, path in enumerate(paths)
    )
    chosen = ranked[:limit]
    pixels = [read_picture(path) for _, _, path in chosen]
    for (_, _, path), item in zip(chosen, pixels, strict=True):
        if item.shape != pixels[0].shape:
            raise DataError(
                f"{printable(str(path))} has {_sides(item)}, but {printable(str(chosen[0][2]))} "
                f"has {_sides(pixels[0])}: all images of a folder must be alike"
            )
    return Images(
        np.stack(pixels),
        np.array([label for _, label, _ in chosen]),
        name=printable(str(folder)),
        class_names=tuple(printable(path.name) for path in classes),
        source=f"{len(chosen)} of the {len(ranked)} images in the folder {printable(str(folder))}",
        origin=_digest([path for _, _, path in ranked]),
    )


def _classes(folder: Path) -> list[Path]:
    """Folders of the classes."""
    shown = printable(str(folder))
    expected = f"{shown} must hold a folder of images for each class"
    entries = _entries(folder)
    if strays := [path for path in entries if not path.is_dir()]:
        raise DataError(f"{expected}, but there is the file {printable(strays[0].name)}")
    if not entries:
        raise DataError(f"{expected}, but is empty")
    return entries


def _pictures(folder: Path) -> list[Path]:
    """Images of one class."""
    shown = printable(str(folder))
    entries = _entries(folder)
    if not entries:
        raise DataError(f"{shown} holds no image: remove the folder, or fill it")
    for path in entries:
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(
                f"{printable(str(path))} is no image: the folder of a class holds files of "
                f"{', '.join(SUFFIXES)} and nothing else"
            )
    return entries


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, by name, without hidden files."""
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise DataError(f"{printable(str(folder))} cannot be read: {error.strerror}") from error
    return [folder / name for name in names]


def _sides(pixels: NDArray[np.uint8]) -> str:
    channels, height, width = pixels.shape
    return f"{height} x {width} pixels of {channels} channel{'s' if channels > 1 else ''}"


def _digest(paths: list[Path]) -> str:
    """Origin of a folder: the content of all its files, in order."""
    digest = hashlib.sha256()
    for path in paths:
        with open_input(path) as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"
