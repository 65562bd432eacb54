"""``memspice fit``: laws fitted to measured points."""

from __future__ import annotations

import re
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from memspice.analysis.fitting import FittedLaw, FittedValue, fit_laws
from memspice.analysis.points_file import PointsFile, read_points
from memspice.analysis.statistics import LEVEL
from memspice.analysis.transfer import drive_voltages
from memspice.devices.switching_laws import ExponentialLaw
from memspice.errors import ConfigError, DataError
from memspice.experiment.fitted_set import fitted_set
from memspice.experiment.results.base import Shown
from memspice.experiment.results.table import Table
from memspice.outputs import write_text
from memspice.parameters import PARAMETER_SETS, load_parameter_set
from memspice.quantities import format_si
from memspice.windows.progress import Progress

#: Fewest sets of points by which a law can be rejected.
FEWEST_REPEATS = round(1 / LEVEL) - 1
#: How a law is chosen; printed beside the choice.
CRITERION = (
    "least AICc (misfit, parameters and few points weighed); a law is rejected where points as far "
    f"off would have p <= {LEVEL:g}"
)


@dataclass(frozen=True, eq=False, repr=False)
class PointsFit(Shown):
    """Laws fitted to the points of a file, the chosen one first."""

    file: PointsFile
    laws: tuple[FittedLaw, ...]

    @property
    def chosen(self) -> FittedLaw:
        """The law of least ``AICc``."""
        return self.laws[0]

    @property
    def exponential(self) -> FittedLaw:
        """The law that the neuron circuits have."""
        return next(item for item in self.laws if item.law.name == ExponentialLaw.name)

    def as_json(self) -> dict[str, Any]:
        """All that was found as plain values, SI units."""
        points = self.file.points
        return {
            "file": str(self.file.path),
            "sha256": self.file.sha256,
            "where": dict(self.file.chosen),
            "points": len(points),
            "reference_time_second": points.reference_time,
            "criterion": CRITERION,
            "chosen": self.chosen.law.name,
            "laws": [_law_json(item) for item in self.laws],
        }

    def table(self) -> Table:
        """A line for each law."""
        rows = [
            (
                item.law.name,
                f"p = {item.p_value:.2g}, AICc {item.criterion:.2f}{_words(self, item)}",
            )
            for item in self.laws
        ]
        return Table(self._title(), tuple(rows))

    def text(self) -> str:
        """Every law with its values and their intervals."""
        lines = [
            self._title(),
            f"  sha256 {self.file.sha256}",
            textwrap.fill(f"chosen: {CRITERION}", 80, initial_indent="  ", subsequent_indent="  "),
        ]
        for item in self.laws:
            lines += _law_lines(item, _words(self, item))
        return "\n".join(lines)

    def _title(self) -> str:
        file = self.file
        where = "".join(f", {name} {value}" for name, value in file.chosen.items())
        return f"{file.path}{where}: {len(file.points)} points"

    def save_device(
        self,
        path: Path | str,
        *,
        base: str = PARAMETER_SETS[0],
        changes: Mapping[str, float | str] | None = None,
        any_law: bool = False,
    ) -> None:
        """Write a parameter set with the exponential law, once it is known to be one.

        Parameters
        ----------
        path : Path or str
            File to write, ``.toml``.
        base : str
            Set whose resistances, times and supplies it takes.
        changes : mapping, optional
            Values in the place of the base's by ``"table.name"``, in SI units.
        any_law : bool
            Also where the points choose another law, with the verdict.

        Raises
        ------
        ConfigError
            If the points choose another law, or the set would be none.
        """
        out = Path(path)
        if self.chosen is not self.exponential and not any_law:
            raise ConfigError(
                f"the points choose the law {self.chosen.law.name} (AICc "
                f"{self.chosen.criterion:.1f}, against {self.exponential.criterion:.1f} of the "
                f"exponential one, p = {self.exponential.p_value:.2g}), and the neuron circuits "
                "have the exponential law alone: no set was written; --law exponential writes it "
                "with its verdict"
            )
        text = fitted_set(self.file, self.exponential, out.stem, base, changes or {})
        with tempfile.TemporaryDirectory() as folder:
            trial = Path(folder, out.name)
            write_text(trial, text)
            try:
                drive_voltages(load_parameter_set(str(trial)), 2)
            except DataError:
                raise
            except ConfigError as error:
                raise ConfigError(
                    f"{error}; no set was written: give --set periphery.write_high=VOLT and "
                    "whatever else the pulse needs, or another --base"
                ) from error
        write_text(out, text)


def fit(
    points: Path | str,
    *,
    where: Mapping[str, str] | None = None,
    trials: int | None = None,
    repeats: int = 499,
    seed: int = 0,
    progress: Progress | None = None,
) -> PointsFit:
    """Laws of switching, each fitted to measured points, the best one first.

    Parameters
    ----------
    points : Path or str
        CSV file of the points of one device, see `memspice.analysis.points_file.read_points`.
    where : mapping, optional
        Only points with these values of further columns.
    trials : int, optional
        Pulses a point, where no column has them.
    repeats, seed : int
        Of the sets of points drawn to judge a law, where its deviance is no chi-square.
    progress : Progress, optional
        Is told how far it is.

    Raises
    ------
    ConfigError
        If there are too few points, or they cannot tell a law.
    DataError
        If the file is none of points.
    """
    if repeats < FEWEST_REPEATS:
        raise ConfigError(
            f"repeats = {repeats} must be at least {FEWEST_REPEATS}: a verdict at p = {LEVEL:g} "
            "needs them"
        )
    file = read_points(Path(points), where, trials)
    told = partial(progress, "laws") if progress else None
    laws = fit_laws(file.points, repeats=repeats, seed=seed, progress=told)
    return PointsFit(file, tuple(laws))


def _law_json(item: FittedLaw) -> dict[str, Any]:
    return {
        "law": item.law.name,
        "formula": item.law.formula,
        "misfit": item.misfit,
        "degrees": item.degrees,
        "p_value": item.p_value,
        "judged_by": item.judged_by,
        "rejected": item.rejected,
        "aicc": item.criterion,
        "values": {
            value.quantity.name: {
                "value": value.value,
                "low": value.low,
                "high": value.high,
                "unit": value.quantity.unit,
            }
            for value in item.values
        },
    }


def _words(fit: PointsFit, item: FittedLaw) -> str:
    """Verdict on a law, in brackets."""
    words = [
        word for word, good in (("chosen", item is fit.chosen), ("REJECTED", item.rejected)) if good
    ]
    return f" ({', '.join(words)})" if words else ""


def _law_lines(item: FittedLaw, words: str) -> list[str]:
    lines = [
        "",
        f"{item.law.name}{words}: {item.law.formula}",
        f"  misfit {item.misfit:.2f} on {item.degrees}, p = {item.p_value:.2g}, "
        f"AICc {item.criterion:.2f}",
        f"  judged by {item.judged_by}",
    ]
    return [*lines, *(_value_line(value) for value in item.values)]


def _value_line(value: FittedValue) -> str:
    unit = value.quantity.unit
    ends = ["not bounded" if e is None else _shown(e, unit) for e in (value.low, value.high)]
    name = re.sub("_", " ", value.quantity.name)
    return f"    {name:18}{_shown(value.value, unit):>12}   95 %: {ends[0]} to {ends[1]}"


def _shown(value: float, unit: str) -> str:
    return format_si(value, unit, 4)
