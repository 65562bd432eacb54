"""Parameter set of a measured device: a fitted law, and all else of another set."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memspice.analysis.fitting import FittedLaw
from memspice.analysis.points_file import PointsFile
from memspice.errors import ConfigError
from memspice.inputs import read_input
from memspice.outputs import printable
from memspice.parameters import load_parameter_set
from memspice.parameters.file import LARGEST_FILE, fitted_words
from memspice.resources import resource_path


def fitted_set(
    file: PointsFile, law: FittedLaw, name: str, base: str, changes: Mapping[str, float | str]
) -> str:
    """Text of a parameter set with a fitted law, and all else of another set.

    Parameters
    ----------
    file : PointsFile
        The points.
    law : FittedLaw
        The exponential law fitted to them, which is that of the neuron circuits.
    name : str
        Name of the new set.
    base : str
        Parameter set of the resistances, times and supplies.
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
    about, verdict = content.pop("about"), _verdict(law)
    hazard = {
        field: _measured(law, field, file.source) for field in ("voltage_scale", "time_scale")
    }
    others = {table: content[table] for table in content if table not in ("hazard", "neel_brown")}
    tables: dict[str, dict[str, dict[str, Any]]] = {"hazard": hazard, **others}
    if file.points.pulse is not None:
        source = f"pulse of {printable(file.path.name)}"
        _take_pulse(tables["timing"], file.points.pulse, source, kept.name)
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


def _verdict(law: FittedLaw) -> str:
    word = "REJECTED by the points" if law.rejected else "not rejected"
    return f"exponential law {word}, p = {law.p_value:.2g}"


def _measured(law: FittedLaw, field: str, source: str) -> dict[str, Any]:
    value = next(item for item in law.values if item.quantity.name == field)
    ends = ["not bounded" if end is None else f"{end:.4g}" for end in (value.low, value.high)]
    words = fitted_words(value.value, value.quantity.unit)
    return {
        "value": value.value,
        "unit": value.quantity.unit,
        "label": "M",
        "source": f"{source}; {words}, 95 % interval {' to '.join(ends)}",
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
