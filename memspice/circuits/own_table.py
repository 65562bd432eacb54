"""Entries of a table that names a circuit of the user's own, each checked as it is read."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memspice.circuits.clocks import Clock
from memspice.circuits.processes import PROCESSES
from memspice.circuits.transistor_card import TransistorCard
from memspice.errors import ConfigError, DataError


@dataclass(frozen=True)
class OwnTable:
    """A table as the TOML file has it.

    All that reads an entry raises a `DataError` where it is of the wrong kind.

    Parameters
    ----------
    name : str
        Of the table: the kind of block.
    entries : mapping
    file : Path
        The TOML file; the circuit's own files are beside it.
    """

    name: str
    entries: Mapping[str, Any]
    file: Path

    def place(self, entry: str) -> str:
        """Where an entry stands, for messages."""
        return f"{self.file}: {self.name}.{entry}"

    def check(self, needed: Sequence[str], optional: Sequence[str]) -> None:
        """Refuse entries that are missing, and those that mean nothing.

        Raises
        ------
        DataError
            With the nearest entry that there is.
        """
        for name in needed:
            if name not in self.entries:
                raise DataError(f"{self.file}: [{self.name}] needs {name!r}")
        for name in self.entries:
            if name not in (*needed, *optional):
                raise DataError(
                    f"{self.file}: [{self.name}] has the entry {name!r}, which means nothing"
                    + nearest(name, (*needed, *optional))
                )

    def path(self, entry: str) -> Path:
        """A file beside the table's."""
        return self.file.parent / str(self.entries[entry])

    def number(self, entry: str, default: float | None = None) -> float:
        """A finite number, in SI units."""
        return _number(self.entries.get(entry, default), self.place(entry))

    def count(self, entry: str, default: int | None = None) -> int:
        """A whole number, 0 or more."""
        value = self.entries.get(entry, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise DataError(f"{self.place(entry)} = {value!r} must be a whole number, 0 or more")
        return value

    def interval(self, entry: str) -> tuple[float, float]:
        """Two numbers."""
        return _interval(self.entries[entry], self.place(entry))

    def row(self, entry: str) -> tuple[float, ...]:
        """A list of numbers."""
        values = self.entries[entry]
        if not isinstance(values, list):
            raise DataError(f"{self.place(entry)} must be a list of numbers")
        return tuple(_number(value, self.place(entry)) for value in values)

    def names(self, entry: str) -> list[str]:
        """A list of names, in lower case."""
        names = self.entries[entry]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise DataError(f"{self.place(entry)} must be a list of names")
        return [name.lower() for name in names]

    def numbers(self, entry: str) -> dict[str, float]:
        """Numbers by name, in lower case; none where there is no such entry."""
        return {
            name: _number(value, self.place(f"{entry}.{name}"))
            for name, value in self._inner(entry).items()
        }

    def clocks(self, entry: str = "clocks") -> dict[str, Clock]:
        """Clocks by name, from the intervals in which they are high.

        Raises
        ------
        ConfigError
            If one has no edges.
        """
        edge, level = self.number("clock_edge", 50e-12), self.number("clock_level", 1.0)
        clocks = {}
        for name, intervals in self._inner(entry).items():
            place = self.place(f"{entry}.{name}")
            if not isinstance(intervals, list) or not intervals:
                raise ConfigError(
                    f"{place} is a clock without edges; say when it is high: "
                    "[[start, stop], ...] in s"
                )
            clocks[name] = Clock(tuple(_interval(part, place) for part in intervals), edge, level)
        return clocks

    def cards(self) -> Mapping[str, TransistorCard]:
        """Transistors of the process; none where no process is named."""
        if "process" not in self.entries:
            return {}
        if self.entries["process"] not in PROCESSES:
            raise DataError(
                f"{self.place('process')} = {self.entries['process']!r} is unknown; use "
                + ", ".join(PROCESSES)
            )
        corner = {"corner": str(self.entries["corner"])} if "corner" in self.entries else {}
        return PROCESSES[self.entries["process"]](**corner)

    def _inner(self, entry: str) -> dict[str, Any]:
        values = self.entries.get(entry, {})
        if not isinstance(values, dict):
            raise DataError(f"{self.place(entry)} must be a table {{ name = value, ... }}")
        return {name.lower(): value for name, value in values.items()}


def nearest(name: str, known: Iterable[str]) -> str:
    """Words that ask for the nearest of what is known; none where nothing is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _interval(value: Any, place: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise DataError(f"{place}: {value!r} must be two numbers in brackets, [start, stop]")
    return _number(value[0], place), _number(value[1], place)


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"{place} = {value!r} must be a finite number, in SI units")
    return float(value)
