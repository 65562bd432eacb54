"""``memspice fit``: laws fitted to measured points, and the parameter set of a measured device."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memspice.analysis.fitting import LEVEL, FittedLaw, fit_laws
from memspice.analysis.points_file import PointsFile, read_points
from memspice.devices.switching_laws import ExponentialLaw
from memspice.errors import ConfigError
from memspice.inputs import read_input
from memspice.outputs import printable
from memspice.parameters import load_parameter_set
from memspice.parameters.file import LARGEST_FILE
from memspice.resources import resource_path

#: Fewest sets of points by which a law can be rejected.
FEWEST_REPEATS = round(1 / LEVEL) - 1
#: How a law is chosen; printed beside the choice.
CRITERION = (
    "least AICc (misfit, parameters and few points weighed); a law is rejected where points as far "
    f"off would have p <= {LEVEL:g}"
)


@dataclass(frozen=True, eq=False)
class PointsFit:
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


def fit(
    points: PointsFile | str | Path,
    *,
    repeats: int = 499,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> PointsFit:
    """Laws of switching, each fitted to measured points, the best one first.

    Parameters
    ----------
    points : PointsFile, str or Path
        The points, or the CSV file that has them (`memspice.analysis.points_file`).
    repeats, seed : int
        Of the sets of points drawn to judge a law, where its deviance is no chi-square.
    progress : callable, optional
        Takes the number of laws done and of all.

    Raises
    ------
    ConfigError
        If there are too few points, or they cannot tell a law.
    """
    if repeats < FEWEST_REPEATS:
        raise ConfigError(
            f"repeats = {repeats} must be at least {FEWEST_REPEATS}: a verdict at p = {LEVEL:g} "
            "needs them"
        )
    file = points if isinstance(points, PointsFile) else read_points(Path(points))
    laws = fit_laws(file.points, repeats=repeats, seed=seed, progress=progress)
    return PointsFit(file, tuple(laws))


def fitted_set(fit: PointsFit, base: str, name: str, changes: Mapping[str, float | str]) -> str:
    """Text of a parameter set with the fitted law, and all else of another set.

    Parameters
    ----------
    fit : PointsFit
        The fit; its exponential law is written, which is that of the neuron circuits.
    base : str
        Parameter set of the resistances, times and supplies.
    name : str
        Name of the new set.
    changes : mapping
        Values in the place of the base's by ``"table.name"``, in SI units, labelled ``A``.

    Raises
    ------
    ConfigError
        If a change is of a value that the base does not have.
    """
    path = Path(base) if base.endswith(".toml") else resource_path(f"{base}.toml")
    kept = load_parameter_set(base)  # refuses what is none
    content = tomllib.loads(read_input(path, LARGEST_FILE).decode("utf-8-sig"))
    about, law, verdict = content.pop("about"), fit.exponential, _verdict(fit)
    hazard = {
        field: _measured(law, field, fit.file.source) for field in ("voltage_scale", "time_scale")
    }
    others = {table: content[table] for table in content if table not in ("hazard", "neel_brown")}
    tables: dict[str, dict[str, dict[str, Any]]] = {"hazard": hazard, **others}
    if fit.file.points.pulse is not None:
        file = printable(fit.file.path.name)
        _take_pulse(tables["timing"], fit.file.points.pulse, f"pulse of {file}", kept.name)
    for key, value in changes.items():
        table, _, field = key.partition(".")
        if field not in tables.get(table, {}):
            raise ConfigError(f"{key} is no value of {kept.name}, whose tables it takes")
        tables[table][field] |= {"value": value, "label": "A", "source": "given to memspice fit"}
    head = [
        f"# Measured law of {name}, by memspice fit; all else as in {kept.name}.",
        f"# {verdict}",
        "",
        "[about]",
        f"name = {json.dumps(name)}",
        f"device = {json.dumps(about['device'])}",
        f"summary = {json.dumps(f'measured law, {verdict}; all else as in {kept.name}')}",
    ]
    return "\n".join([*head, *_table_lines(tables)]) + "\n"


def _take_pulse(timing: dict[str, dict[str, Any]], pulse: float, source: str, base: str) -> None:
    """Write with the pulse of the points, its edges in proportion."""
    edge = timing["edge"]["value"] * pulse / timing["write"]["value"]
    timing["write"] |= {"value": pulse, "label": "M", "source": source}
    share = f"as large a part of the pulse as in {base}"
    timing["edge"] |= {"value": edge, "label": "D", "source": share}


def _verdict(fit: PointsFit) -> str:
    law = fit.exponential
    word = "REJECTED by the points" if law.rejected else "not rejected"
    return f"exponential law {word}, p = {law.p_value:.2g}"


def _measured(law: FittedLaw, field: str, source: str) -> dict[str, Any]:
    value = next(item for item in law.values if item.quantity.name == field)
    ends = ["not bounded" if end is None else f"{end:.4g}" for end in (value.low, value.high)]
    return {
        "value": value.value,
        "unit": value.quantity.unit,
        "label": "M",
        "source": f"{source}; maximum likelihood, 95 % interval {' to '.join(ends)}",
    }


def _table_lines(tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Tables of a set as TOML."""
    lines = []
    for table, entries in tables.items():
        lines += ["", f"[{table}]"]
        for field, entry in entries.items():
            lines.append(f"{field} = {_toml(entry)}")
    return lines


def _toml(value: Any) -> str:
    """Value of a TOML file as it writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
