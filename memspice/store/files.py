"""HDF5 files: opened for reading, and put in place whole; no schema here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py

from memspice.errors import StoreError
from memspice.outputs import DISK_FULL, replacing

# Readable since HDF5 1.10 (2016); half the size of the oldest format for small jobs.
_LIBRARY_VERSION = ("v110", "v110")
# Plain files whatever HDF5_DRIVER says; without locks, which not every file system has: files are
# replaced, never changed.
_ACCESS: dict[str, Any] = {"driver": "sec2", "locking": False}


def open_own(path: Path) -> h5py.File:
    """Open a file that this process has written, or has seen to be whole.

    Raises
    ------
    StoreError
        If it cannot be opened.
    """
    try:
        return h5py.File(path, "r", **_ACCESS)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened any more: {error}") from error


def replace_small(
    path: Path, fill: Callable[[h5py.File], None], folder: Path | None = None
) -> None:
    """Build a small HDF5 file in memory and put it in place of `path` in one step.

    In memory because HDF5 itself cannot be relied on to fail cleanly on a full disk.

    Raises
    ------
    ConfigError, OSError
        As of `memspice.outputs.replacing`; `path` is then as it was.
    """
    options = {"driver": "core", "backing_store": False, "libver": _LIBRARY_VERSION}
    with h5py.File(path.name, "w", **options) as file:
        fill(file)
        file.flush()
        image = file.id.get_file_image()
    with replacing(path, folder) as temporary:
        temporary.write_bytes(image)


def replace_large(
    path: Path, fill: Callable[[h5py.File], None], size: int, folder: Path | None = None
) -> None:
    """Write an HDF5 file of about `size` bytes and put it in place of `path` in one step.

    Raises
    ------
    ConfigError, OSError
        As of `memspice.outputs.replacing`; `path` is then as it was.
    """
    with replacing(path, folder) as temporary:
        _try_space(temporary, size)
        with h5py.File(temporary, "w", libver=_LIBRARY_VERSION, **_ACCESS) as file:
            fill(file)


def _try_space(path: Path, size: int) -> None:
    """Raise the system's own error if so many bytes do not fit: HDF5 may crash where they do not.

    Where the system offers no such question nothing is tried.
    """
    if not size or not hasattr(os, "posix_fallocate"):
        return
    try:
        with open(path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
