"""Images in an ``.npz`` file of NumPy."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from memspice.datasets.images import Images, Shape
from memspice.errors import DataError, ShapeError
from memspice.inputs import open_input
from memspice.outputs import printable

Fits = Callable[[Shape], bool]

#: Most bytes that the arrays of a file may take in memory.
LARGEST = 16 << 30
_ARRAYS = ("x", "y", "layout")
#: What NumPy and zipfile raise on files that are damaged, encrypted or packed in another way.
_DAMAGED = (
    ValueError, OSError, EOFError, KeyError, MemoryError, RuntimeError, SyntaxError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_LAYOUTS = {"nchw": (0, 1, 2, 3), "nhwc": (0, 3, 1, 2)}
#: Channels of grey and of colour images.
_CHANNELS = (1, 3)
_EXPECTED = (
    "expected x, of shape (n, channels, height, width) or (n, height, width, channels), uint8 or "
    "floats in [0, 1], and where the classes are known y, of shape (n,), whole numbers from 0"
)


def load_archive(path: Path, limit: int | None = None, fits: Fits = lambda _: True) -> Images:
    """Load images that :func:`numpy.savez` wrote.

    Parameters
    ----------
    path : Path
        File with the array ``x`` and, where the classes are known, ``y``; see `Images`.  ``x`` may
        be (n, channels, height, width) or (n, height, width, channels); where both would do, an
        entry ``layout`` of the file says which: ``"nchw"`` or ``"nhwc"``.
    limit : int, optional
        Take at most this many images, the first ones.
    fits : callable, optional
        Whether images of a shape (channels, height, width) can be used; it tells layouts apart.

    Returns
    -------
    Images

    Raises
    ------
    DataError, ShapeError
        If the file is missing, damaged, of another kind, or holds anything else; nothing in it is
        unpickled.
    """
    shown = printable(str(path))
    arrays = _read(path, shown)
    x = arrays["x"]
    if x.ndim != 4:
        raise ShapeError(f"{shown}: x has shape {x.shape}; {_EXPECTED}")
    layout = _layout(x.shape, arrays.get("layout"), fits, shown)
    images = Images(
        x.transpose(_LAYOUTS[layout]), arrays.get("y"), name=shown, source=f"the file {shown}"
    )
    return images if limit is None or limit >= len(images) else images[:limit]


def _read(path: Path, shown: str) -> dict[str, np.ndarray]:
    """Arrays of a file, those that are expected and no other."""
    with open_input(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                size = sum(member.file_size for member in archive.infolist())
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise DataError(f"{shown} is no .npz file ({printable(str(error))})") from error
        if size > LARGEST:
            raise DataError(f"{shown} unpacks to {size:,} bytes, more than {LARGEST:,}")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as content:
                _check_names(content.files, shown)
                arrays = {name: content[name] for name in content.files}
        except DataError:
            raise
        except _DAMAGED as error:
            reason = printable(str(error))
            if "allow_pickle" in reason:
                reason = "it holds Python objects, which are not read: save plain arrays"
            raise DataError(f"{shown} cannot be used: {reason}") from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # NumPy hands out the bytes of any other member
            raise DataError(f"{shown}: {name} is no array of NumPy; {_EXPECTED}")
    return arrays


def _check_names(names: list[str], shown: str) -> None:
    others = [name for name in names if name not in _ARRAYS]
    if others or "x" not in names:
        held = ", ".join(printable(name) for name in names) or "nothing"
        raise DataError(f"{shown} holds {held}; {_EXPECTED}")


def _layout(shape: tuple[Any, ...], given: np.ndarray | None, fits: Fits, shown: str) -> str:
    """Which axis of ``x`` is that of the channels."""
    if given is not None:
        if str(given) not in _LAYOUTS:
            raise DataError(
                f"{shown}: layout = {printable(str(given)[:40])!r} must be 'nchw' or 'nhwc'"
            )
        return str(given)
    shapes = {name: (shape[c], shape[h], shape[w]) for name, (_, c, h, w) in _LAYOUTS.items()}
    telling = [name for name, sides in shapes.items() if fits(sides)] or list(shapes)
    if len(telling) > 1:
        telling = [name for name in telling if shapes[name][0] in _CHANNELS]
    if len(telling) != 1:
        raise ShapeError(
            f"{shown}: x of shape {shape} may be (n, channels, height, width) or "
            "(n, height, width, channels): save layout='nchw' or layout='nhwc' beside it"
        )
    return telling[0]
