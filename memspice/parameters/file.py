"""One parameter file: tables of values with unit, label and source, and what a run changes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memspice.errors import ConfigError, DataError
from memspice.inputs import read_input
from memspice.outputs import printable
from memspice.quantities import Parameters, ParametersT, plain_fields, units, validate

#: Largest parameter file, [bytes], and longest line in it.
LARGEST_FILE, LONGEST_LINE = 1 << 20, 4000
#: A source that says which value was fitted.
FITTED = re.compile(r"maximum likelihood (\S+) ")
#: Source of a value that a run has changed.
CHANGED = "changed for this run"
LABELS = {
    "M": "measured: fitted to points",
    "S": "read at the source",
    "R": "literature, unverified",
    "D": "derived",
    "A": "assumed",
}


@dataclass(frozen=True)
class SourcedValue:
    """One entry of a set file, for documents and stored runs."""

    table: str
    name: str
    value: float | str
    unit: str
    label: str
    source: str


def fitted_words(value: float, unit: str) -> str:
    """Value as the source of a fit says it; `FITTED` finds it there."""
    return f"maximum likelihood {value:.6g} {unit}"


def _by_table(changes: Mapping[str, float | str]) -> dict[str, dict[str, float | str]]:
    """Changes ``table.name`` by table, then by name."""
    tables: dict[str, dict[str, float | str]] = {}
    for key, value in changes.items():
        table, dot, name = key.partition(".")
        if not (table and dot and name):
            raise ConfigError(f"{key!r} must be TABLE.NAME, for example synapse.variation")
        tables.setdefault(table, {})[name] = value
    return tables


def _line(where: str, text: object) -> str:
    """Return a text that is one line, and can be shown as it is."""
    if not isinstance(text, str):
        raise DataError(f"{where} is a {type(text).__name__}, and must be a line of text")
    if printable(text) != text:
        raise DataError(f"{where} = {text[:60]!r} holds characters that cannot be shown")
    return text


def _flat(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Entries of a table, those of a table in it by both names."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value


def _changed(content: Mapping[str, Any], changes: Mapping[str, float | str]) -> dict[str, Any]:
    """Copy of a table with other values, by the names of `_flat`."""
    copy = {name: dict(v) if isinstance(v, dict) else v for name, v in content.items()}
    for full, value in changes.items():
        name, _, inner = full.partition(".")
        owner = copy[name] if inner else copy
        owner[inner or name] = value
    return copy


class SetFile:
    """One TOML file, read table by table; collects the provenance of what was used."""

    def __init__(self, path: Path, changes: Mapping[str, float | str] | None = None) -> None:
        self.path = path
        self.provenance: list[SourcedValue] = []
        self._changes = _by_table(changes or {})
        self._read: set[str] = set()
        try:
            # Editors on Windows put a byte order mark before UTF-8.
            text = read_input(path, LARGEST_FILE).decode("utf-8-sig")
            if max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
                raise ValueError(f"a line has more than {LONGEST_LINE} characters")
            # As a file opened as text is read: both line ends are one.
            self._content: dict[str, Any] = tomllib.loads(text.replace("\r\n", "\n"))
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path} cannot be read as TOML: it is not in UTF-8 ({error}); save it as UTF-8"
            ) from error
        except (ValueError, RecursionError) as error:  # also of a number with too many digits
            if isinstance(error, DataError):
                raise
            raise DataError(f"{path} cannot be read as TOML: {error}") from error

    def replace_tables(self, path: Path) -> None:
        """Take the tables of another file in the place of its own; of ``[about]`` the entries."""
        other = tomllib.loads(read_input(path, LARGEST_FILE).decode("utf-8"))
        about = {**self._content.get("about", {}), **other.pop("about", {})}
        self._content = {**self._content, **other, "about": about}

    def drop_table(self, name: str) -> None:
        """Set aside a table of its own, if there is one: something else stands in its place."""
        self._content.pop(name, None)

    def says(self, key: str) -> bool:
        """Whether the ``[about]`` table has an entry."""
        about = self._content.get("about")
        return isinstance(about, dict) and key in about

    def about(self, key: str) -> str:
        """Entry of the ``[about]`` table."""
        if not self.says(key):
            raise DataError(f"{self.path}: [about] needs {key!r}")
        return _line(f"{self.path}: about.{key}", self._content["about"][key])

    def has(self, table: str) -> bool:
        """Whether the file has a table of this name."""
        self._read.add(table)
        return table in self._content or table in self._changes

    def word(self, table: str, name: str, default: str) -> Any:
        """Value of one entry, as given: the file's, or the one in its place for this run."""
        content = self._content.get(table)
        entry = content.get(name) if isinstance(content, dict) else None
        own = entry.get("value") if isinstance(entry, dict) else entry
        return self._changes.get(table, {}).get(name, default if own is None else own)

    def plain(self, table: str, source: str) -> dict[str, Any]:
        """Entries of a table that is no list of sourced values: a circuit of the user's own.

        Its numbers have the ``label`` and ``source`` that the table gives; without, they count as
        assumed, with ``source`` as what they come from.  Those of tables in it are called
        ``parameters.r_on``; a run may change them, and nothing else.
        """
        self._read.add(table)
        content, changes = self._content[table], self._changes.get(table, {})
        numbers = [name for name, value in _flat(content) if isinstance(value, int | float)]
        for name in changes:
            if name not in numbers:
                raise ConfigError(
                    f"{table}.{name} cannot be changed for a run: [{table}] of {self.path} names a "
                    f"circuit, and has the numbers {', '.join(numbers)}"
                )
        content = _changed(content, changes)
        label = content.get("label", "A")
        source = _line(f"{self.path}: {table}.source", content.get("source", source))
        if label not in LABELS or not source:
            raise DataError(
                f"{self.path}: [{table}] needs a label of {', '.join(LABELS)} and a source"
            )
        self.provenance += [
            SourcedValue(
                table=table,
                name=name,
                value=value,
                unit="",
                label="A" if name in changes else label,
                source=CHANGED if name in changes else source,
            )
            for name, value in _flat(content)
            if isinstance(value, str | int | float)
        ]
        return content

    def values(
        self, table: str, model: type[Parameters], *, optional: bool = False
    ) -> dict[str, Any]:
        """Values of one table; of an optional one that is missing, none."""
        self._read.add(table)
        entries = self._content.get(table, {} if optional or table in self._changes else None)
        if not isinstance(entries, dict):
            raise DataError(f"{self.path}: table [{table}] is missing")
        declared = units(model)
        values = {
            name: self._value(table, name, entry, declared.get(name))
            for name, entry in entries.items()
        }
        return values | self._changed(table, model)

    def _changed(self, table: str, model: type[Parameters]) -> dict[str, float | str]:
        """Values of one table that are changed for a run."""
        changes, declared, known = self._changes.get(table, {}), units(model), plain_fields(model)
        for name, value in changes.items():
            if name not in known:
                raise ConfigError(
                    f"{table}.{name} cannot be changed, there is no such value: "
                    f"{table} has {', '.join(known)}"
                )
            unit = declared.get(name, "")
            kept = [old for old in self.provenance if (old.table, old.name) != (table, name)]
            changed = SourcedValue(
                table=table, name=name, value=value, unit=unit, label="A", source=CHANGED
            )
            self.provenance = [*kept, changed]
        return changes

    def table(self, table: str, model: type[ParametersT], **extra: Any) -> ParametersT:
        """Values of one table as an instance of its parameter class."""
        values = {**self.values(table, model), **extra}
        return validate(model, values, self.where(table))

    def where(self, table: str) -> str:
        """Where the values of a table come from, for messages."""
        changed = " as changed for this run" if table in self._changes else ""
        return f"{self.path.name} [{table}]{changed}"

    def check_all_used(self) -> None:
        """Refuse tables that nothing was read from: their values would be without effect."""
        unread = sorted(set(self._changes) - self._read)
        if unread:
            raise ConfigError(
                f"{unread[0]}.{next(iter(self._changes[unread[0]]))} cannot be changed, there is "
                f"no such table: this set has {', '.join(sorted(self._read))}"
            )
        unused = set(self._content) - {"about"} - {value.table for value in self.provenance}
        if unused:
            raise DataError(
                f"{self.path}: nothing reads [{'], ['.join(sorted(unused))}]; remove it "
                "or correct its name (array and synapse are in crossbar.toml, too)"
            )

    def _value(self, table: str, name: str, entry: Any, unit: str | None) -> Any:
        where = f"{self.path}: {table}.{name}"
        needed = {"value", "unit", "label", "source"}
        if not isinstance(entry, dict) or set(entry) != needed:
            raise DataError(f"{where} must be {{ value, unit, label, source }}")
        if unit is not None and entry["unit"] != unit:
            raise DataError(f"{where} is in {entry['unit']!r}, but its unit is {unit!r}")
        for key in ("unit", "label", "source"):
            _line(f"{where}, {key}", entry[key])
        if not isinstance(entry["value"], str | int | float):
            kind = type(entry["value"]).__name__
            raise DataError(f"{where}: its value is a {kind}, no number or word")
        if entry["label"] not in LABELS or not entry["source"]:
            raise DataError(f"{where} needs a label of {', '.join(LABELS)} and a source")
        self.provenance.append(SourcedValue(table, name, **entry))
        return entry["value"]
