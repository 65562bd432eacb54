"""CIFAR-10 in its official binary version: from a folder, a cache or the network.

Where none of these has it, the 20 test images that the ``foolbox`` package carries.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memspice.datasets.download import (
    Progress,
    Unreachable,
    download_folder,
    file_md5,
    read_provenance,
)
from memspice.datasets.foolbox import load_foolbox20
from memspice.datasets.images import Images, check_request
from memspice.errors import DataError
from memspice.inputs import open_input
from memspice.resources import cache_folder

CLASS_NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip

#: As published beside the archive.
ARCHIVE_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
ARCHIVE_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"

_FOLDER = "cifar-10-batches-bin"
_FILES = {
    "train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    "test": ("test_batch.bin",),
}
_SIDE = 32  # pixels
#: Most records of one file.
MOST_RECORDS = 1_000_000
_RECORD = 1 + 3 * _SIDE**2  # bytes: the label; then the red, the green and the blue plane


def load_cifar10(
    data: Path | None = None,
    split: str = "test",
    limit: int | None = None,
    *,
    cache: Path | None = None,
    allow_download: bool = True,
    progress: Progress | None = None,
    archive_md5: str = ARCHIVE_MD5,
) -> Images:
    """Load CIFAR-10 from the first place that has it.

    The places are ``data``; the folder that the variable ``MEMSPICE_DATA`` names; the cache; the
    network (once, into the cache; ``MEMSPICE_CIFAR10_URL`` names another address); and, for the
    test split only, the 20 images in the package ``foolbox``.  A folder that is named but cannot
    be used is an error: no other place stands in for it.

    Parameters
    ----------
    data : Path, optional
        Folder with the official binary files, or the parent of ``cifar-10-batches-bin``.
    split : str
        ``"train"`` or ``"test"``.
    limit : int, optional
        Take at most this many images, the first ones.
    cache : Path, optional
        Folder of the cache; by default ``memspice`` in ``XDG_CACHE_HOME`` or ``~/.cache``.
    allow_download : bool
        Whether the network may be used.
    progress : callable, optional
        Called with (bytes received, bytes in all or None) while downloading.
    archive_md5 : str
        Checksum of the archive; another one for another archive.

    Returns
    -------
    Images
        Images of shape (n, 3, 32, 32).  ``lossless`` is True only where the files were extracted
        from the archive with that checksum; files of unknown origin may have gone through a lossy
        format and count as False.

    Raises
    ------
    ConfigError
        If ``split`` or ``limit`` is not one of these.
    DataError
        If a named folder, a file, or the downloaded archive cannot be used, or no place has it.
    """
    check_request(split, limit)
    if named := _named_folder(data):
        return _read_folder(*named, split, limit, archive_md5)
    cached = (cache or cache_folder()) / "cifar10" / _FOLDER
    if cached.is_dir():
        return _read_folder(cached, f"the cache {cached}", split, limit, archive_md5)
    url = os.environ.get("MEMSPICE_CIFAR10_URL") or ARCHIVE_URL
    reason = "downloading was not allowed"
    if allow_download:
        members = [f"{_FOLDER}/{name}" for names in _FILES.values() for name in names]
        try:
            download_folder(url, archive_md5, members, cached, progress)
            return _read_folder(cached, f"downloaded from {url}", split, limit, archive_md5)
        except Unreachable as error:
            reason = str(error)
    if split == "test":
        return load_foolbox20(CLASS_NAMES, limit, reason)
    raise DataError(f"no training images of CIFAR-10: {reason}; name a folder that holds them")


def _named_folder(data: Path | None) -> tuple[Path, str] | None:
    """Return the folder that the caller or the environment names, and who named it."""
    variable = os.environ.get("MEMSPICE_DATA")
    if data is None and not variable:
        return None
    named, by = (Path(data), "") if data is not None else (Path(variable or ""), "MEMSPICE_DATA = ")
    if folder := find_binaries(named):
        return folder, f"the folder {folder}"
    raise DataError(
        f"{by}{named} holds no file of CIFAR-10 ({', '.join(_FILES['test'] + _FILES['train'])}), "
        f"neither itself nor in {_FOLDER}; name the folder of the unpacked binary version"
    )


def find_binaries(named: Path) -> Path | None:
    """Folder of the official binary files, ``named`` or within it; None if there is none."""
    for folder in (named, named / _FOLDER):
        if any((folder / name).exists() for names in _FILES.values() for name in names):
            return folder
    return None


def _read_folder(
    folder: Path, source: str, split: str, limit: int | None, archive_md5: str
) -> Images:
    paths = [folder / name for name in _FILES[split]]
    records = _read_records(paths, limit)
    lossless = _is_official(folder, paths, archive_md5)
    doubt = "" if lossless else ", not verified as the lossless official set"
    return Images(
        records[:, 1:].reshape(-1, 3, _SIDE, _SIDE),
        records[:, 0],
        name="cifar10",
        class_names=CLASS_NAMES,
        lossless=lossless,
        source=f"CIFAR-10 {split} images, {source}{doubt}",
        origin=f"cifar10 {split}",
    )


def _read_records(paths: Sequence[Path], limit: int | None) -> NDArray[np.uint8]:
    """Read the first records of several files, shape (n, 3073); every file is checked."""
    counts = [_count_records(path) for path in paths]
    left = sum(counts) if limit is None else limit
    parts = []
    for path, count in zip(paths, counts, strict=True):
        taken = min(count, left)
        parts.append(_read_file(path, taken))
        left -= taken
    return np.concatenate(parts)


def _count_records(path: Path) -> int:
    try:
        with open_input(path) as file:
            size = os.fstat(file.fileno()).st_size
    except DataError as error:
        raise DataError(f"{error}; unpack the archive {ARCHIVE_URL} again") from error
    if size > MOST_RECORDS * _RECORD:
        raise DataError(
            f"{path} has {size:,} bytes, more than {MOST_RECORDS:,} records of {_RECORD} bytes "
            "(the official file has 10,000): it is of another kind"
        )
    if size == 0 or size % _RECORD:
        raise DataError(
            f"{path} has {size} bytes, not a whole number of records of {_RECORD} bytes (the "
            f"official file has 10,000), the last starts at byte {size // _RECORD * _RECORD}; "
            "the file is cut or of another kind: get it again"
        )
    return size // _RECORD


def _read_file(path: Path, count: int) -> NDArray[np.uint8]:
    try:
        with open_input(path) as file:
            records = np.fromfile(file, np.uint8, count * _RECORD).reshape(count, _RECORD)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    wrong = np.flatnonzero(records[:, 0] >= len(CLASS_NAMES))
    if wrong.size:
        raise DataError(
            f"{path}: the label at byte {wrong[0] * _RECORD} is {records[wrong[0], 0]}, above "
            f"{len(CLASS_NAMES) - 1}; the file is damaged or of another kind: get it again"
        )
    return records


def _is_official(folder: Path, paths: Sequence[Path], archive_md5: str) -> bool:
    """Whether a checksum ties these files to the archive; changed ones are an error."""
    provenance = read_provenance(folder)
    if provenance is None:
        return False
    for path in paths:
        if provenance["files"].get(path.name) != file_md5(path):
            raise DataError(f"{path} has changed since it was extracted; delete {folder}")
    return provenance["archive"].get("md5") == archive_md5
