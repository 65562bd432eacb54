"""HDF5 files as plain groups, numbers and texts, read by a process of its own.

One such process serves the whole command: starting it takes some ten milliseconds. It is killed
where a file makes it take too long, and the next file gets another. See `hdf5_server`.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from memspice.errors import DataError, MemspiceError
from memspice.inputs import hdf5_server
from memspice.inputs.files import open_input
from memspice.inputs.hdf5_client import Ended, ask
from memspice.outputs import printable

_numbers = itertools.count()
#: Groups of a file that are kept: those on the way to the next one, not every one there is.
_KEPT = 64


@dataclass(frozen=True)
class _Hdf5File:
    """The file that a group or dataset is in."""

    path: Path
    number: int
    error: type[MemspiceError]

    def ask(self, what: str, number: int, size: int = 0) -> tuple[dict[str, Any], bytes]:
        request = {"do": what, "file": self.number, "number": number, "bytes": size}
        return _checked(self.path, self.error, request)

    @cached_property
    def group(self) -> Callable[[str, int], Group]:
        """Group of a place and number.

        One that many lie in is listed once: a listing of n items for each of them takes n^2.
        """
        return lru_cache(_KEPT)(partial(Group, self))


class _Named:
    """Something with a place in a file and attributes."""

    def __init__(self, source: _Hdf5File, place: str, attributes: Mapping[str, Any]) -> None:
        self._source = source
        self.place = place
        self.attributes = attributes

    @property
    def where(self) -> str:
        """The file and the place in it, for messages."""
        return f"{printable(str(self._source.path))}, {printable(self.place)}"

    def refuse(self, what: str) -> NoReturn:
        """Raise the error of this file, with the place."""
        raise self._source.error(f"{self.where}: {what}")

    def attribute(self, name: str) -> Any:
        """Return an attribute: text, a number, a bool, or an array.

        Raises
        ------
        MemspiceError
            If it is missing, or of another kind.
        """
        if name not in self.attributes:
            self.refuse(f"the attribute {name!r} is missing")
        value = self.attributes[name]
        if isinstance(value, _Unread):
            self.refuse(f"the attribute {name!r} {value.reason}")
        return value

    def text(self, name: str) -> str:
        """Return an attribute that is text."""
        value = self.attribute(name)
        if not isinstance(value, str):
            self.refuse(f"the attribute {name!r} is {_shown(value)}, not text")
        return value

    def line(self, name: str) -> str:
        """Return an attribute that is one line of printable text."""
        value = self.text(name)
        if printable(value) != value:
            self.refuse(f"the attribute {name!r} holds characters that cannot be shown: {value!r}")
        return value

    def whole(self, name: str, low: int, high: int) -> int:
        """Return an attribute that is a whole number within bounds."""
        value = self.attribute(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.refuse(
                f"the attribute {name!r} is {_shown(value)}, not a whole number "
                f"from {low} to {high}"
            )
        return value

    def real(self, name: str, low: float, high: float) -> float:
        """Return an attribute that is a number within bounds."""
        value = self.attribute(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(f"the attribute {name!r} is {_shown(value)}, not a number")
        if not low <= value <= high:
            self.refuse(f"the attribute {name!r} = {value:g} must be {low:g} to {high:g}")
        return float(value)


class Hdf5Dataset(_Named):
    """A dataset; its values are read when they are asked for."""

    def __init__(self, source: _Hdf5File, place: str, facts: Mapping[str, Any]) -> None:
        super().__init__(source, place, facts["attributes"])
        self._number: Final[int] = facts["number"]
        self.shape: tuple[int, ...] | None = facts["shape"] and tuple(facts["shape"])
        if facts["shape"] == []:
            self.shape = ()
        self.kind: str = facts["type"]

    def numbers(
        self, kinds: str = "biuf", shape: tuple[int | None, ...] | None = None
    ) -> NDArray[Any]:
        """Return numbers of one of the kinds of NumPy, in a shape.

        Parameters
        ----------
        kinds : str
            NumPy's letters of the kinds that may be: ``b`` truth values, ``i`` and ``u`` whole
            numbers, ``f`` real ones, which are finite.
        shape : tuple, optional
            Expected shape, None for any length; any shape of at most four sides by default.

        Raises
        ------
        MemspiceError
            Naming what is there and what was expected.
        """
        where = "" if shape is None else f" of shape {_shape_text(shape)}"
        expected = f"expected {_kind_words(kinds)}{where}"
        kind = np.dtype(self.kind).kind if self._has_numbers else ""
        fits = self.shape is not None and (
            len(self.shape) <= 4
            if shape is None
            else len(shape) == len(self.shape)
            and all(b in (None, a) for a, b in zip(self.shape, shape, strict=True))
        )
        if not kind or kind not in kinds or not fits:
            self.refuse(f"found {self.kind} of shape {self.shape}, {expected}")
        values = np.asarray(self._read())
        if kind == "f" and not np.isfinite(values).all():
            self.refuse(f"holds numbers that are not finite, {expected}, finite")
        return values

    def texts(self) -> list[str]:
        """Return texts in one list, whatever their shape."""
        if self.kind != "text":
            self.refuse(f"found {self.kind} of shape {self.shape}, expected text")
        value = self._read()
        return [value] if isinstance(value, str) else [str(text) for text in np.ravel(value)]

    def value(self) -> Any:
        """Return numbers or text as they are: a scalar, or an array."""
        return self._read()

    @property
    def _has_numbers(self) -> bool:
        return self.kind != "text" and " " not in self.kind

    def _read(self) -> Any:
        item = np.dtype(self.kind).itemsize if self._has_numbers else 8
        size = int(np.prod(self.shape or (), dtype=float)) * item
        reply, content = self._source.ask("dataset", self._number, min(size, hdf5_server.LARGEST))
        return _value(reply["value"], iter([content]))


class Group(_Named):
    """A group; its items and their attributes are known, values of datasets are not yet read."""

    def __init__(self, source: _Hdf5File, place: str, number: int) -> None:
        reply, content = source.ask("group", number)
        parts = _split(reply, content)
        # In the order in which the server wrote them: items first.
        self._items = {name: _with_values(facts, parts) for name, facts in reply["items"].items()}
        super().__init__(source, place, _values(reply["attributes"], parts))

    def __contains__(self, name: str) -> bool:
        """Whether there is an item of this name."""
        return name in self._items

    @property
    def names(self) -> list[str]:
        """Names of the items, in the order they were stored or of the alphabet."""
        return list(self._items)

    def kind_of(self, name: str) -> str:
        """Return "group", "dataset", "link" or another word; "nothing" where it is missing."""
        return str(self._items[name]["kind"]) if name in self._items else "nothing"

    def group(self, name: str) -> Group:
        """Return an inner group.

        Raises
        ------
        MemspiceError
            If there is none of this name.
        """
        return self._source.group(self._inner(name), self._item(name, "group")["number"])

    def dataset(self, name: str) -> Hdf5Dataset:
        """Return a dataset.

        Raises
        ------
        MemspiceError
            If there is none of this name.
        """
        return Hdf5Dataset(self._source, self._inner(name), self._item(name, "dataset"))

    def _inner(self, name: str) -> str:
        return f"{self.place.rstrip('/')}/{name}"

    def _item(self, name: str, kind: str) -> dict[str, Any]:
        if self.kind_of(name) != kind:
            found = "is missing" if name not in self else f"is a {self.kind_of(name)}"
            self.refuse(f"{name!r} {found}, expected a {kind}")
        return self._items[name]


@contextmanager
def open_hdf5(path: Path, error: type[MemspiceError] = DataError) -> Iterator[Group]:
    """Open an HDF5 file from outside and yield its root.

    Parameters
    ----------
    path : Path
        A regular file.
    error : type
        Class of the errors, also of those that are raised while the file is read.

    Raises
    ------
    MemspiceError
        If the file is missing, no regular file, no HDF5 file, damaged, or takes more than the
        stated processor time or memory to open.
    """
    open_input(path, error).close()  # for the system's own words
    number = next(_numbers)
    absolute = os.path.abspath(path)
    _checked(path, error, {"do": "open", "file": number, "path": absolute})
    try:
        yield Group(_Hdf5File(path, number, error), "/", 0)
    finally:
        with suppress(Ended):
            ask({"do": "close", "file": number})


_KNOWN = {
    "truncated file": "is truncated",
    "signature not found": "is no HDF5 file",
}


def _checked(
    path: Path, error: type[MemspiceError], request: Mapping[str, Any]
) -> tuple[dict[str, Any], bytes]:
    shown = printable(str(path))
    try:
        reply, content = ask(request)
    except Ended as end:
        raise error(f"{shown} {end}") from end
    if "refused" in reply:
        raise error(f"{shown} {printable(reply['refused'])}")
    if "error" in reply:
        said = printable(reply["error"])[:300]
        words = next((text for sign, text in _KNOWN.items() if sign in said), "is damaged")
        raise error(f"{shown} {words} ({said})")
    return reply, content


class _Unread:
    """An attribute of a kind that is not read."""

    def __init__(self, reason: str) -> None:
        self.reason = printable(reason)


def _split(reply: Mapping[str, Any], content: bytes) -> Iterator[bytes]:
    """Yield the bytes of each array in a reply, in the order in which they were written."""
    view = memoryview(content)
    facts = [f for item in reply["items"].values() for f in item.get("attributes", {}).values()]
    for fact in [*facts, *reply["attributes"].values()]:
        if "bytes" in fact:
            yield bytes(view[: fact["bytes"]])
            view = view[fact["bytes"] :]


def _values(facts: Mapping[str, Any], parts: Iterator[bytes]) -> dict[str, Any]:
    return {name: _value(fact, parts) for name, fact in facts.items()}


def _with_values(facts: dict[str, Any], parts: Iterator[bytes]) -> dict[str, Any]:
    return {**facts, "attributes": _values(facts.get("attributes", {}), parts)}


def _value(fact: Mapping[str, Any], parts: Iterator[bytes]) -> Any:
    if "refused" in fact:
        return _Unread(fact["refused"])
    if "text" in fact:
        return fact["text"]
    if "texts" in fact:
        return np.array(fact["texts"], dtype=object).reshape(fact["shape"])
    array = np.frombuffer(next(parts), fact["type"]).reshape(fact["shape"])
    return array.astype(array.dtype.newbyteorder("=")) if array.shape else array.item()


def _shown(value: Any) -> str:
    return repr(value)[:60] if isinstance(value, str | int | float) else "an array"


def _shape_text(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if side is None else str(side) for side in shape) + ")"


def _kind_words(kinds: str) -> str:
    words = {"b": "truth values", "i": "whole numbers", "u": "whole numbers", "f": "real numbers"}
    return " or ".join(dict.fromkeys(words[kind] for kind in kinds))
