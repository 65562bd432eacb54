"""One row a point: what a sweep varied, and what it found there."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from memspice.errors import ConfigError
from memspice.experiment.results.run import RunResult, jobs_json
from memspice.experiment.results.table import COLUMNS, Table
from memspice.outputs import write_text
from memspice.store import JobRecord, RunWriter

#: Name and key of the record that has all points as one table.
TABLE = "sweep/table"
#: Points that a table on the terminal has room for.
_SHOWN = 12
_WIDTH = COLUMNS - 2
#: Measures that it shows, as far as there is room, with their headings.
_HEADINGS = {
    "snn_accuracy": "accuracy",
    "spike_rate": "rate",
    "unlike_ideal": "unlike ideal",
    "unlike_ann": "unlike ANN",
    "mismatches": "mismatches",
    "energy_joule": "energy J",
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SweepResult(RunResult):
    """Result of a sweep: what was found at every point.

    Parameters
    ----------
    layer : str or None
        Layer of which windows were simulated; None of a whole network.
    axes : tuple of str
        Names that were varied.
    rows : tuple of mapping
        Of each point its number ``point``, its value of every axis, what was measured in SI units,
        and ``reason``: empty, or why there is nothing.
    **facts
        See `RunResult`; where a point says otherwise, what the others have.
    """

    kind: ClassVar[str] = "sweep"

    layer: str | None
    axes: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of what was measured, at some point or other."""
        apart = {"point", "reason", *self.axes}
        names = dict.fromkeys(name for row in self.rows for name in row)
        return tuple(name for name in names if name not in apart)

    def where(self, **values: Any) -> SweepResult:
        """Points that have some values of axes.

        Raises
        ------
        ConfigError
            If a name is no axis, or no point is so.
        """
        unknown = sorted(set(values) - set(self.axes))
        if unknown:
            raise ConfigError(f"{unknown[0]} is not varied: {', '.join(self.axes)} are")
        kept = tuple(
            row for row in self.rows if all(row[name] == value for name, value in values.items())
        )
        if not kept:
            asked = ", ".join(f"{name} = {value}" for name, value in values.items())
            raise ConfigError(f"no point has {asked}")
        return replace(self, rows=kept)

    def as_json(self) -> dict[str, Any]:
        """Object of ``sweep --json``."""
        return {
            "network": self.network,
            "layer": self.layer,
            "device": self.device,
            "dataset": asdict(self.dataset),
            "notes": list(self.notes),
            "fidelity": self.fidelity,
            "engine": dict(self.engine),
            "seed": self.seed,
            "cycles": self.cycles,
            "burst": self.burst,
            "axes": list(self.axes),
            "points": [dict(row) for row in self.rows],
            **jobs_json(self.failures, self.jobs),
            "wall_seconds": self.wall_seconds,
            "out": self.out,
        }

    def columns(self) -> Mapping[str, Any]:
        """One row a point; None where nothing was measured."""
        names = ("point", *self.axes, *self.measures, "reason")
        return {name: [row.get(name) for row in self.rows] for name in names}

    def csv(self) -> str:
        """The same as comma-separated values under a line of names, every float to the bit."""
        text, columns = io.StringIO(), self.columns()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        return text.getvalue()

    def to_csv(self, path: Path | str) -> None:
        """Write `csv` to a file.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        write_text(Path(path), self.csv())

    def finish(self, writer: RunWriter) -> None:
        """Put the numbers of all points into the run file as one table, and close it."""
        writer.add(self._table_record())
        super().finish(writer)

    def _table_record(self) -> JobRecord:
        """Record whose columns are numbers of the points that have them."""
        rows = [row for row in self.rows if not row["reason"]]
        names = ("point", *self.axes, *self.measures)
        found = {name: [row.get(name) for row in rows] for name in names}
        events = {
            name: (np.array(values), "J" if name.endswith("joule") else "1")
            for name, values in found.items()
            if all(isinstance(value, int | float) for value in values)
        }
        return JobRecord(key="table", name=TABLE, events=events if rows else {})

    def table(self) -> Table:
        """The first points."""
        measures = [name for name in _HEADINGS if name in self.measures]
        lines = [[*self.axes, *(_HEADINGS[name] for name in measures)]]
        shown = self.rows[:_SHOWN]
        for row in shown:
            lines.append([_text(row[name]) for name in self.axes])
            found = [_text(row.get(name)) for name in measures]
            lines[-1] += [row["reason"]] if row["reason"] else found
        rows = [(_cut(line), "") for line in _aligned(lines)]
        if len(self.rows) > len(shown):
            rows.append((f"... {len(self.rows)} points in all: --csv FILE, or .columns()", ""))
        what = self.layer or f"{self.dataset.images} images of {self.dataset.name}"
        engine = f" on {self.engine['name']} {self.engine['version']}"
        title = (
            f"{self.network} {what}, {self.device}: {len(self.rows)} points, "
            f"{self.in_cycles()}, {self.fidelity}{engine}, {self.wall_seconds:.1f} s"
        )
        return Table(title, (*rows, *self.stored_rows()), self.notes)


def _cut(line: str) -> str:
    """Line that fits a terminal."""
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Lines of cells in columns; a reason, which ends its line, widens none."""
    full = [line for line in lines if len(line) == len(lines[0])]
    widths = [max(len(line[k]) for line in full) for k in range(len(lines[0]))]
    return [
        "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=False)).rstrip()
        for line in lines
    ]
