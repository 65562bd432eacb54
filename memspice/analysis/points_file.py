"""Files of measured switching: one row of comma-separated values a point."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memspice.analysis.points import SwitchingCounts, SwitchingPoints, SwitchingTimes
from memspice.errors import ConfigError, DataError
from memspice.inputs import read_input
from memspice.outputs import printable

#: Largest file, [bytes].
LARGEST = 1 << 24
#: Names of each column; values are in SI units.
COLUMNS = {
    "voltage": ("voltage", "voltage_volt", "voltage_v"),
    "pulse_width": ("pulse_width", "pulse_width_second", "pulse_width_s"),
    "switched": ("switched",),
    "trials": ("trials",),
    "probability": ("probability",),
    "switching_time": ("switching_time", "switching_time_second", "switching_time_s"),
}
_EXPECTED = (
    "expected a line of names, voltage and pulse_width with switched and trials, or with "
    "probability and trials, or voltage with switching_time; in volts and seconds"
)


@dataclass(frozen=True, eq=False)
class PointsFile:
    """Points of a file with where they come from.

    ``chosen`` are the values of further columns that all of the points share.
    """

    path: Path
    sha256: str
    points: SwitchingPoints
    chosen: Mapping[str, str]

    @property
    def source(self) -> str:
        """Name and checksum of the file, and which of its points, for a parameter set."""
        which = "".join(f", {name} {value}" for name, value in self.chosen.items())
        count = f"{len(self.points)} points"
        return f"measured: {printable(self.path.name)}{which}, {count}, sha256 {self.sha256}"


def read_points(
    path: Path, where: Mapping[str, str] | None = None, trials: int | None = None
) -> PointsFile:
    """Read measured points of one device.

    Parameters
    ----------
    path : Path
        Comma-separated values under a line of names (see ``COLUMNS``); lines that begin with ``#``
        are comments.  Further columns, such as the device or the direction, tell points apart.
    where : mapping, optional
        Value of further columns that the points must have.
    trials : int, optional
        Pulses a point, where the file has no column of them.

    Raises
    ------
    DataError
        If the file is missing, is none of points, or a value in it is none; the message has its
        line.
    ConfigError
        If no point is as ``where`` says, or points of several devices are.
    """
    content = read_input(path, LARGEST)
    shown = printable(str(path))
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{shown} is no text in UTF-8 ({error}); {_EXPECTED}") from error
    numbered = [
        (number, line)
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    table = _PointsTable(shown, numbered, trials)
    rows, chosen = table.choose(where or {})
    return PointsFile(path, hashlib.sha256(content).hexdigest(), table.points(rows), chosen)


class _PointsTable:
    """Rows of a file, each with the number of its line."""

    def __init__(self, shown: str, numbered: Sequence[tuple[int, str]], trials: int | None) -> None:
        self._shown, self._trials = shown, trials
        if len(numbered) < 2:
            raise DataError(f"{shown} holds no points; {_EXPECTED}")
        try:
            cells = list(csv.reader(io.StringIO("\n".join(line for _, line in numbered))))
        except csv.Error as error:
            raise DataError(f"{shown} is no table: {printable(str(error))}; {_EXPECTED}") from error
        self._names = [name.strip() for name in cells[0]]
        self._check_names()
        self._rows: list[tuple[int, dict[str, str]]] = []
        for (number, _), row in zip(numbered[1:], cells[1:], strict=False):
            if len(row) != len(self._names):
                raise DataError(
                    f"{shown}, line {number}: {len(row)} values under {len(self._names)} names"
                )
            self._rows.append((number, dict(zip(self._names, map(str.strip, row), strict=True))))

    def _check_names(self) -> None:
        known = {name: self._column(name) for name in COLUMNS}
        has = {name for name, column in known.items() if column}
        if "switching_time" in has:
            good = "voltage" in has and not has & {"switched", "probability", "trials"}
        else:
            good = {"voltage", "pulse_width"} <= has and len(has & {"switched", "probability"}) == 1
        if not good or len(set(self._names)) < len(self._names):
            names = ", ".join(printable(name[:30]) for name in self._names)
            raise DataError(f"{self._shown} has the columns {names}; {_EXPECTED}")
        if "switching_time" not in has and "trials" not in has and self._trials is None:
            raise DataError(
                f"{self._shown} has no column trials: give the pulses a point with --trials"
            )
        if "trials" in has and self._trials is not None:
            raise ConfigError(f"{self._shown} has a column trials: leave --trials out")

    def _column(self, name: str) -> str:
        """Name that a column has in the file; nothing where it is missing."""
        return next((found for found in self._names if found.lower() in COLUMNS[name]), "")

    def choose(
        self, where: Mapping[str, str]
    ) -> tuple[list[tuple[int, dict[str, str]]], dict[str, str]]:
        """Rows with some values of further columns, and what those columns say."""
        known = {self._column(name) for name in COLUMNS}
        further = [name for name in self._names if name not in known]
        for name in where:
            if name not in further:
                raise ConfigError(
                    f"{self._shown} has no further column {printable(name)!r} to choose by: it "
                    f"has {', '.join(further) or 'none'}"
                )
        rows = [
            (number, row)
            for number, row in self._rows
            if all(row[name] == value for name, value in where.items())
        ]
        if not rows:
            wanted = ", ".join(f"{name} = {value}" for name, value in where.items())
            raise ConfigError(f"{self._shown} has no point with {printable(wanted)}")
        for name in further:
            found = sorted({row[name] for _, row in rows})
            if len(found) > 1:
                raise ConfigError(
                    f"{self._shown} has points of {len(found)} values of {printable(name)} "
                    f"({', '.join(map(printable, found[:6]))}): choose one with "
                    f"--where {printable(name)}={printable(found[0])}"
                )
        return rows, {name: rows[0][1][name] for name in further}

    def points(self, rows: list[tuple[int, dict[str, str]]]) -> SwitchingPoints:
        """Points of some rows."""
        voltage = self._numbers(rows, "voltage")
        if self._column("switching_time"):
            return SwitchingTimes(voltage, self._numbers(rows, "switching_time", positive=True))
        time = self._numbers(rows, "pulse_width", positive=True)
        trials = self._whole(rows, "trials")
        if self._column("switched"):
            switched = self._whole(rows, "switched")
        else:
            switched = self._from_probability(rows, trials)
        wrong = np.flatnonzero((trials < 1) | (switched < 0) | (switched > trials))
        if wrong.size:
            number = rows[wrong[0]][0]
            raise DataError(
                f"{self._shown}, line {number}: {switched[wrong[0]]} of {trials[wrong[0]]} pulses "
                "switched: give 0 up to the number of trials, and at least one trial"
            )
        return SwitchingCounts(voltage, time, switched, trials)

    def _numbers(
        self, rows: list[tuple[int, dict[str, str]]], name: str, *, positive: bool = False
    ) -> np.ndarray:
        column = self._column(name)
        values = []
        for number, row in rows:
            try:
                value = float(row[column])
            except ValueError:
                value = math.nan
            if not math.isfinite(value) or (positive and value <= 0):
                kind = "a number above 0" if positive else "a finite number"
                raise DataError(
                    f"{self._shown}, line {number}: {column} = {printable(row[column][:30])!r} "
                    f"must be {kind}"
                )
            values.append(value)
        return np.array(values)

    def _whole(self, rows: list[tuple[int, dict[str, str]]], name: str) -> np.ndarray:
        if not self._column(name):
            return np.full(len(rows), self._trials)
        values = self._numbers(rows, name)
        for (number, _), value in zip(rows, values, strict=True):
            if value != round(value):
                raise DataError(
                    f"{self._shown}, line {number}: {name} = {value:g} must be a whole number"
                )
        return values.astype(np.int64)

    def _from_probability(
        self, rows: list[tuple[int, dict[str, str]]], trials: np.ndarray
    ) -> np.ndarray:
        share = self._numbers(rows, "probability")
        counts = np.round(share * trials)
        for (number, _), value, count, of in zip(rows, share, counts, trials, strict=True):
            if abs(value * of - count) > 1e-3 * max(of, 1):
                raise DataError(
                    f"{self._shown}, line {number}: probability = {value:g} of {of} trials is no "
                    "whole number of switches: give the trials that were made"
                )
        return np.asarray(counts, np.int64)
