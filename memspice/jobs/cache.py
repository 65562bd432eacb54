"""Results of earlier simulations, by the hash of everything that decided them.

One file an entry, ``CACHE/ab/abcdef....job``: a line that names the format, a line with the SHA-256
of its key and all that follows, a line of JSON that lists show, and an archive of arrays. A file
appears whole or not at all; so several processes may share a folder. One that is damaged, or lies
under another key than it was written with, is as good as absent.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memspice.errors import ConfigError, StoreError
from memspice.inputs import open_input, parse_json, read_input
from memspice.outputs import TEMPORARY, write_bytes
from memspice.resources import cache_folder

#: Names another folder than ``jobs`` in the user's cache.
VARIABLE = "MEMSPICE_CACHE"
_FORMAT = b"memspice job 2\n"
_SUFFIX = ".job"
#: Largest entry, as a file and unpacked, and largest label of one, [bytes].
LARGEST, LARGEST_LABEL = 1 << 32, 1 << 20
#: A temporary file of this age has no writer any more, [s].
_STALE = 3600.0
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, eq=False)
class Entry:
    """Content of an entry.

    Parameters
    ----------
    facts : mapping
        Everything but the arrays; JSON keeps it (a float to the bit).
    arrays : mapping
        Arrays of numbers, by any names.
    label : mapping
        What a list shows of the entry: small.
    """

    facts: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    label: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CachedFile:
    """A file of the cache: its key, size [bytes] and last use [s since the epoch]."""

    key: str
    path: Path
    size: int
    used: float


def default_folder() -> Path:
    """Folder of the cache: the one that ``MEMSPICE_CACHE`` names, else ``jobs`` in the user's."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else cache_folder() / "jobs"


class JobCache:
    """A folder of results.

    Parameters
    ----------
    folder : Path, optional
        By default `default_folder`; made when something is put into it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = default_folder() if folder is None else folder

    def path(self, key: str) -> Path:
        """File of a key.

        Raises
        ------
        ConfigError
            If the key is not 64 hexadecimal digits.
        """
        if not _KEY.fullmatch(key):
            raise ConfigError(f"{key!r} is no key of the cache: 64 hexadecimal digits")
        return self.folder / key[:2] / f"{key}{_SUFFIX}"

    def get(self, key: str) -> Entry | None:
        """Entry of a key; None if there is none, or it is damaged."""
        path = self.path(key)
        try:
            entry = _decode(read_input(path, LARGEST, StoreError), key)
            os.utime(path)  # prune takes what was not used for long first
        except (OSError, StoreError):
            return None
        return entry

    def put(self, key: str, entry: Entry) -> None:
        """Keep an entry; another process that keeps the same one does no harm.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        path = self.path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not for ever: an entry that a power failure cuts off has a wrong checksum.
            write_bytes(path, _encode(key, entry), durable=False)
        except OSError as error:
            raise StoreError(
                f"the cache {self.folder} could not be written: {error.strerror}; free some "
                f"space with `memspice cache prune`, or set {VARIABLE} to another folder"
            ) from error

    def drop(self, key: str) -> None:
        """Remove the entry of a key, if there is one.

        Raises
        ------
        StoreError
            If its file cannot be removed.
        """
        _remove(self.path(key))

    def files(self) -> list[CachedFile]:
        """Every file, the one used last first."""
        found = []
        for path in self.folder.glob(f"??/*{_SUFFIX}"):
            with suppress(FileNotFoundError):  # pruned meanwhile by another process
                facts = path.stat()
                found.append(CachedFile(path.stem, path, facts.st_size, facts.st_mtime))
        return sorted(found, key=lambda file: (-file.used, file.key))

    def read(self, file: CachedFile) -> Entry:
        """Entry of a file, without counting as a use of it.

        Raises
        ------
        StoreError
            If it is damaged, gone, no file, or was written under another key.
        """
        return _decode(read_input(file.path, LARGEST, StoreError), file.key)

    def label(self, file: CachedFile) -> Mapping[str, Any]:
        """What a list shows of a file, read without the rest; empty if it is damaged."""
        try:
            with open_input(file.path, StoreError) as stream:
                if stream.readline(100) != _FORMAT or not stream.readline(100):
                    return {}
                found = parse_json(stream.readline(LARGEST_LABEL), str(file.path), StoreError)
        except (OSError, StoreError):
            return {}
        return found if isinstance(found, dict) else {}

    def prune(self, largest: float = 0.0, oldest: float = float("inf")) -> list[CachedFile]:
        """Remove what was used longest ago, until the rest is small and young enough.

        Parameters
        ----------
        largest : float, [bytes]
            Size of all that may stay.
        oldest : float, [s]
            Time since the last use of what may stay.

        Returns
        -------
        list of CachedFile
            What was removed.

        Raises
        ------
        StoreError
            If a file cannot be removed.
        """
        now, total, removed = time.time(), 0, []
        for file in self.files():
            total += file.size
            if total > largest or now - file.used > oldest:
                _remove(file.path)
                removed.append(file)
        for path in self._leftovers(now):
            _remove(path)
        return removed

    def _leftovers(self, now: float) -> Iterator[Path]:
        """Half-written files whose writer was killed."""
        for path in self.folder.glob("??/.*"):
            with suppress(FileNotFoundError):
                if TEMPORARY.fullmatch(path.name) and now - path.stat().st_mtime > _STALE:
                    yield path


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path} cannot be removed: {error.strerror}") from error


def _checksum(key: str, body: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\n" + body).hexdigest().encode()


def _encode(key: str, entry: Entry) -> bytes:
    facts = {"facts": dict(entry.facts), "names": list(entry.arrays)}
    packed = {f"a{number}": values for number, values in enumerate(entry.arrays.values())}
    text = np.frombuffer(json.dumps(facts, allow_nan=False).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    _write_archive(buffer, {"facts": text, **packed})
    body = json.dumps(dict(entry.label)).encode() + b"\n" + buffer.getvalue()
    return _FORMAT + _checksum(key, body) + b"\n" + body


def _write_archive(buffer: io.BytesIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write what `numpy.load` reads, with one date on any day.

    A zip archive has no date before 1980, where the clock of a machine without battery may stand.
    """
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, values in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(values), allow_pickle=False)


def _decode(content: bytes, key: str) -> Entry:
    """Entry of a file's bytes.

    Raises
    ------
    StoreError
        If they are not what was once written under this key.
    """
    start = len(_FORMAT) + 65
    checksum, body = content[len(_FORMAT) : start - 1], content[start:]
    if not content.startswith(_FORMAT) or _checksum(key, body) != checksum:
        raise StoreError("the entry does not have the checksum it was written with")
    try:
        label, _, archive = body.partition(b"\n")
        with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
            if sum(item.file_size for item in arrays.zip.infolist()) > LARGEST:
                raise StoreError(f"the entry unpacks to more than {LARGEST:,} bytes")
            facts = parse_json(arrays["facts"].tobytes(), "the entry", StoreError)
            values = [arrays[f"a{number}"] for number in range(len(facts["names"]))]
        names = parse_json(label, "the entry's label", StoreError)
        if not isinstance(facts["facts"], dict) or not isinstance(names, dict):
            raise TypeError("its facts are no table")
        if len(arrays.files) != len(set(facts["names"])) + 1:
            raise TypeError("it has two arrays of one name, or one without")
        return Entry(facts["facts"], dict(zip(facts["names"], values, strict=True)), names)
    except (KeyError, ValueError, TypeError, AttributeError, OSError, EOFError, MemoryError,
            zipfile.BadZipFile, zlib.error, RuntimeError) as error:  # fmt: skip
        raise StoreError(f"the entry is none of this memspice: {error}") from error
