"""A process that opens HDF5 files for another, under limits of memory and processor time.

The HDF5 library may loop for ever within a damaged file, deaf to every signal but the one that
kills, may ask for all the memory there is, or crash. Here it does so alone. This file imports
nothing of memspice, so that it can also be started by itself where a process cannot be forked.

A request is one line of JSON, a reply another, followed by as many bytes as it announces.
"""

from __future__ import annotations

import json
import math
import os
import signal
import stat
import sys
from contextlib import suppress
from typing import Any, BinaryIO

import h5py
import numpy as np

#: Processor time of a request, besides what the sizes of file and answer allow, [s].
SECONDS = 2
#: Memory beyond that of the process at its start, [bytes].
MEMORY = 3 << 30
#: Largest dataset, [bytes], and largest attribute.
LARGEST = 1 << 30
LARGEST_ATTRIBUTE = 1 << 20
#: Most objects of one group, most groups of one file, and deepest nesting of groups.
MOST_ITEMS, MOST_GROUPS, DEEPEST = 100_000, 100_000, 24
#: Bytes that compression may make of one; deflate reaches 1,032.
RATIO = 1100
_BYTES_PER_SECOND = 5e6


class Refused(Exception):
    """A file, or something in it, that is not read."""


class _File:
    """An open file and the groups and datasets that were shown of it, by number."""

    def __init__(self, path: str) -> None:
        # Judged after it was opened, and opened without waiting: a pipe's end may never come.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        self._stream = os.fdopen(os.open(path, flags), "rb")
        if not stat.S_ISREG(os.fstat(self._stream.fileno()).st_mode):
            raise Refused("is no regular file")
        self.size = os.fstat(self._stream.fileno()).st_size
        allow_seconds(self.size / _BYTES_PER_SECOND)
        self._file = h5py.File(self._stream, "r")
        self._known: list[tuple[Any, tuple[Any, ...]]] = [(self._file, ())]
        self._groups = 0

    def close(self) -> None:
        """Close the file."""
        with suppress(Exception):
            self._file.close()
        self._stream.close()

    def group(self, number: int) -> tuple[dict[str, Any], bytes]:
        """Return attributes and items of a group, without the values of datasets."""
        group, ancestors = self._known[number]
        self._groups += 1
        if len(group) > MOST_ITEMS or self._groups > MOST_GROUPS:
            raise Refused(f"has more than {MOST_ITEMS:,} objects in {group.name!r}, or groups")
        address = h5py.h5o.get_info(group.id).addr
        if address in ancestors or len(ancestors) >= DEEPEST:
            raise Refused(f"nests {group.name!r} in itself, or deeper than {DEEPEST} groups")
        values = _Values()
        items = {name: self._item(group, name, (*ancestors, address), values) for name in group}
        return {"attributes": values.attributes(group), "items": items}, values.content()

    def _item(
        self, group: Any, name: str, ancestors: tuple[Any, ...], values: _Values
    ) -> dict[str, Any]:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            return {"kind": "link"}  # leads out of what was judged
        found = group[name]
        if not isinstance(found, h5py.Group | h5py.Dataset):
            return {"kind": type(found).__name__}
        self._known.append((found, ancestors))
        shown = {"number": len(self._known) - 1, "attributes": values.attributes(found)}
        if isinstance(found, h5py.Group):
            return {"kind": "group", **shown}
        return {"kind": "dataset", "shape": _shape(found), "type": _type(found), **shown}

    def dataset(self, number: int) -> tuple[dict[str, Any], bytes]:
        """Return the values of a dataset."""
        dataset, _ = self._known[number]
        if dataset.is_virtual or dataset.external:
            raise Refused(f"keeps {dataset.name!r} in other files")
        size = _size(dataset)
        stored = dataset.id.get_storage_size()
        if size > LARGEST or (
            dataset.dtype.kind != "O" and size > stored * RATIO + LARGEST // 1024
        ):
            raise Refused(
                f"announces {size:,} bytes of {dataset.name!r}, of which {stored:,} are stored"
            )
        values = _Values()
        return {
            "value": values.add(dataset[()], LARGEST, h5py.check_string_dtype(dataset.dtype))
        }, values.content()


class _Values:
    """Arrays and texts of one reply."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def content(self) -> bytes:
        return b"".join(self._parts)

    def attributes(self, owner: Any) -> dict[str, Any]:
        """Return every attribute; one of a kind that is not read says so."""
        found: dict[str, Any] = {}
        for name in owner.attrs:
            try:
                identity = owner.attrs.get_id(name)
                if (
                    identity.get_storage_size() > LARGEST_ATTRIBUTE
                    or math.prod(identity.shape) > LARGEST_ATTRIBUTE
                ):
                    raise Refused("is too large")
                found[name] = self.add(owner.attrs[name], LARGEST_ATTRIBUTE)
            except (Refused, TypeError, OSError, RuntimeError, ValueError, KeyError) as error:
                found[name] = {"refused": str(error)}
        return found

    def add(self, value: Any, largest: int, string: Any = None) -> dict[str, Any]:
        """Return how a value is written, and keep its bytes."""
        if isinstance(value, h5py.Empty):
            raise Refused("is empty")
        if isinstance(value, str | bytes):
            return {"text": _decoded(value)}
        array = np.asarray(value)
        if array.dtype.kind == "O" or array.dtype.kind in "SU":
            return {
                "texts": [_decoded(text) for text in array.ravel().tolist()],
                "shape": array.shape,
            }
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            raise Refused(f"is of type {array.dtype}, neither numbers nor text")
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        if plain.nbytes > largest:
            raise Refused(f"has {plain.nbytes:,} bytes")
        self._parts.append(plain.tobytes())
        return {"type": plain.dtype.str, "shape": array.shape, "bytes": plain.nbytes}


def _decoded(text: Any) -> str:
    if isinstance(text, bytes):
        return text.decode()
    if not isinstance(text, str):
        raise Refused(f"is a {type(text).__name__}, neither numbers nor text")
    text.encode()  # h5py turns what is no UTF-8 into half characters
    return text


def _shape(dataset: Any) -> list[int] | None:
    return None if dataset.shape is None else list(dataset.shape)


def _type(dataset: Any) -> str:
    """Return NumPy's name of a type of numbers, "text", or what else it is."""
    try:
        kind = dataset.dtype
    except (TypeError, ValueError):
        return "an unknown type"
    if kind.kind == "S" or h5py.check_string_dtype(kind):
        return "text"
    plain = kind.kind in "biuf" and kind.itemsize <= 8
    return kind.name if plain else f"type {str(kind)[:80]}"


def _size(dataset: Any) -> int:
    if dataset.shape is None or " " in _type(dataset):
        raise Refused(f"holds {_type(dataset)} in {dataset.name!r}, neither numbers nor text")
    return int(math.prod(dataset.shape)) * int(dataset.dtype.itemsize)


class _Server:
    """Answers requests until they end."""

    def __init__(self) -> None:
        self._files: dict[int, _File] = {}

    def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the reply to a request and the bytes that follow it."""
        number = request["file"]
        size = self._files[number].size if number in self._files else 0
        allow_seconds((size + request.get("bytes", 0)) / _BYTES_PER_SECOND)
        if request["do"] == "open":
            self._files[number] = _File(request["path"])
            return {}, b""
        if request["do"] == "close":
            if number in self._files:
                self._files.pop(number).close()
            return {}, b""
        file = self._files[number]
        return (file.group if request["do"] == "group" else file.dataset)(request["number"])


def allow_seconds(more: float) -> None:
    """Let the system kill this process when a request takes too much processor time.

    From now on: a limit of the whole process is compared with its ticks, of which one that often
    waits has more than the seconds that it was told it took.
    """
    with suppress(AttributeError):  # not everywhere
        signal.setitimer(signal.ITIMER_PROF, SECONDS + more)


def let_time_kill() -> None:
    """Undo what a process before this one made of the signal of `allow_seconds`."""
    with suppress(AttributeError):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})


def limit_memory() -> None:
    """Limit the memory of this process, where the system can, and leave no core file."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        most = now + MEMORY if hard < 0 else min(now + MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until they end."""
    limit_memory()
    let_time_kill()
    server = _Server()
    for line in requests:
        try:
            reply, content = server.answer(json.loads(line))
        except Refused as error:
            reply, content = {"refused": str(error)}, b""
        except MemoryError:
            reply, content = {"refused": f"asks for more than {MEMORY >> 30} GiB of memory"}, b""
        except Exception as error:  # noqa: BLE001  (a file must not end the server)
            number = error.errno if isinstance(error, OSError) else None
            reply, content = {"error": f"{error}" or type(error).__name__, "errno": number}, b""
        reply["follows"] = len(content)
        replies.write(json.dumps(reply).encode() + b"\n" + content)
        replies.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
