"""Files that appear whole or not at all, and system errors said in words; no schema here."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py

from memspice.errors import StoreError

#: End of the name of a file that is still being written.
TEMPORARY = ".tmp"

# Readable since HDF5 1.10 (2016); half the size of the oldest format for small jobs.
_LIBRARY_VERSION = ("v110", "v110")
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def writing(path: Path, advice: Callable[[], str] = str) -> Iterator[None]:
    """Turn a system error while writing `path` into a `StoreError` that ends in the advice."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # h5py raises either
        number = _error_number(error)
        if number in _DISK_FULL:
            free = shutil.disk_usage(next(p for p in path.parents if p.exists())).free
            raise StoreError(
                f"disk full: {path} could not be written ({os.strerror(number)}; "
                f"{free / 1e6:.1f} MB free there). {advice()}"
            ) from error
        raise StoreError(f"{path} could not be written: {error}. {advice()}".strip()) from error


def _error_number(error: Exception) -> int | None:
    """System's number of an error; HDF5 gives it only in its text when closing a file fails."""
    if number := getattr(error, "errno", None):
        return int(number)
    found = re.search(r"errno = (\d+)", str(error))
    return int(found[1]) if found else None


def open_own(path: Path) -> h5py.File:
    """Open a file that this process has written, or has seen to be whole.

    Raises
    ------
    StoreError
        If it cannot be opened.
    """
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise StoreError(f"{path} cannot be opened any more: {error}") from error


def replace_small(path: Path, fill: Callable[[h5py.File], None]) -> None:
    """Build a small HDF5 file in memory and put it in place of `path` in one step.

    In memory because HDF5 itself cannot be relied on to fail cleanly on a full disk.

    Raises
    ------
    OSError
        If it cannot be written; `path` is then as it was.
    """
    options = {"driver": "core", "backing_store": False, "libver": _LIBRARY_VERSION}
    with h5py.File(path.name, "w", **options) as file:
        fill(file)
        file.flush()
        image = file.id.get_file_image()
    replace_bytes(path, image)


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file beside `path` and put it in its place in one step.

    Raises
    ------
    OSError
        If it cannot be written; `path` is then as it was.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    with _removed_on_failure(temporary):
        temporary.write_bytes(content)
        install(temporary, path)


def replace_large(path: Path, fill: Callable[[h5py.File], None], size: int) -> None:
    """Write an HDF5 file of about `size` bytes beside `path` and put it in its place in one step.

    Raises
    ------
    OSError
        If it cannot be written; `path` is then as it was.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    with _removed_on_failure(temporary):
        _try_space(temporary, size)
        with h5py.File(temporary, "w", libver=_LIBRARY_VERSION) as file:
            fill(file)
        install(temporary, path)


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
        if error.errno in _DISK_FULL:
            raise


def install(temporary: Path, path: Path) -> None:
    """Give a finished file its name, also if the power fails."""
    _synchronize(temporary)
    os.replace(temporary, path)
    _synchronize(path.parent)


def lock(path: Path) -> int:
    """Return a descriptor that holds `path` for this process; the system frees it at its end.

    Raises
    ------
    StoreError
        If another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StoreError(f"{path.parent} is in use: another process is writing this run") from error
    return descriptor


@contextmanager
def _removed_on_failure(temporary: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _synchronize(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
