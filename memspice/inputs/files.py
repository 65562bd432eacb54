"""Opening what a user names: a regular file of a sensible size, and nothing else."""

from __future__ import annotations

import json
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any

from memspice.errors import DataError, MemspiceError
from memspice.outputs import printable

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_input(path: Path | str, error: type[MemspiceError] = DataError) -> BufferedReader:
    """Open a regular file for reading; never wait, as opening a pipe would.

    What was opened is judged, not what bore the name a moment before.

    Parameters
    ----------
    path : Path or str
        The file; symbolic links are followed.
    error : type
        Class of the errors.

    Raises
    ------
    MemspiceError
        Of the class ``error``, if the file is missing, may not be read, or is a folder, pipe,
        socket or device.
    """
    shown = printable(str(path))
    try:
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
    except FileNotFoundError as cause:
        raise error(f"{shown} does not exist: check the path") from cause
    except (OSError, ValueError) as cause:  # a socket cannot be opened; a NUL is a ValueError
        kind = _kind(path)
        raise error(f"{shown} {kind or f'cannot be read ({_words(cause)})'}") from cause
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        kind = _kind_of(os.fstat(descriptor).st_mode)
        os.close(descriptor)
        raise error(f"{shown} {kind}")
    return os.fdopen(descriptor, "rb")


def read_input(path: Path | str, largest: int, error: type[MemspiceError] = DataError) -> bytes:
    """Return the content of a regular file of at most ``largest`` bytes.

    Raises
    ------
    MemspiceError
        As :func:`open_input`, or if the file is larger or cannot be read.
    """
    with open_input(path, error) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            content = file.read(size) if size <= largest else b""
        except OSError as cause:
            raise error(f"{printable(str(path))} cannot be read ({_words(cause)})") from cause
    if size > largest:
        raise error(
            f"{printable(str(path))} has more than {largest:,} bytes, the most that such a file "
            "may have: it is of another kind"
        )
    return content


def read_json(path: Path | str, largest: int, error: type[MemspiceError] = DataError) -> Any:
    """Return the value of a JSON file.

    Raises
    ------
    MemspiceError
        As :func:`read_input`, or if it is no JSON, names a key twice, holds a number that is not
        finite, or nests too deeply.
    """
    return parse_json(read_input(path, largest, error), printable(str(path)), error)


def parse_json(text: bytes | str, where: str, error: type[MemspiceError] = DataError) -> Any:
    """Return the value of a JSON text; see :func:`read_json`."""

    def refuse_constant(name: str) -> Any:
        raise ValueError(f"{name} is no finite number")

    def refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"the key {twice!r} stands twice in one object")
        return found

    try:
        content = text.decode() if isinstance(text, bytes) else text
        return json.loads(content, parse_constant=refuse_constant, object_pairs_hook=refuse_twice)
    except (ValueError, RecursionError) as cause:
        raise error(f"{where} is no JSON that can be used: {cause}") from cause


def _kind(path: Path | str) -> str:
    try:
        return _kind_of(os.stat(path).st_mode)
    except (OSError, ValueError):
        return ""


def _kind_of(mode: int) -> str:
    if stat.S_ISREG(mode):
        return ""
    kind = next((words for test, words in _KINDS if test(mode)), "no regular file")
    return f"is {kind}: name a regular file"


def _words(cause: OSError | ValueError) -> str:
    return (cause.strerror if isinstance(cause, OSError) else "") or str(cause)
