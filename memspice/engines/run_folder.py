"""Folders of runs: marked and locked by their owner, so that those of the dead can be told."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

PREFIX = "memspice-"
#: File that says whose the folder is; its owner holds a lock on it as long as it lives.
MARK = ".memspice-run"
_TEXT = b"A run of memspice. The folder may go when nobody holds a lock on this file.\n"


@contextmanager
def run_folder(place: Path | None = None) -> Iterator[Path]:
    """Make an empty folder for one run of a program; it is gone afterwards.

    The first call of a process removes the folders of processes that were killed.

    Parameters
    ----------
    place : Path, optional
        Where to make it; by default in the system's folder of temporary files (``TMPDIR``).

    Yields
    ------
    Path
    """
    where = tempfile.gettempdir() if place is None else str(place)
    remove_abandoned(where)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=where, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (folder / MARK).open("xb", buffering=0) as mark:
            _lock(mark, wait=True)
            mark.write(_TEXT)  # only now is it a mark: it never was one without a lock
            yield folder


@functools.cache
def remove_abandoned(place: str) -> None:
    """Remove the folders of runs whose owner is dead; once a process and place.

    Only folders that carry the mark, belong to this user, and whose mark nobody has locked.

    Parameters
    ----------
    place : str
        Folder that they are in.
    """
    if sys.platform == "win32":  # no such locks; a folder in use could not be removed anyway
        return
    for folder in Path(place).glob(f"{PREFIX}*"):
        with suppress(OSError):
            facts = folder.lstat()
            if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid():
                _remove_if_abandoned(folder)


def _remove_if_abandoned(folder: Path) -> None:
    descriptor = os.open(folder / MARK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as mark:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and _lock(mark) and mark.read() == _TEXT:
            shutil.rmtree(folder, ignore_errors=True)


def _lock(file: BinaryIO, wait: bool = False) -> bool:
    """Lock a file until it is closed; False if somebody else has it."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
