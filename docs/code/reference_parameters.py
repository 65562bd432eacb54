"""Reference of the parameter files: tables from their classes, values from the shipped files."""

from __future__ import annotations

import contextlib
import inspect
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from unittest.mock import patch

import annotated_types
from pydantic.fields import FieldInfo

from docs.code.markdown import cell, table
from memspice import parameters
from memspice.parameters import PARAMETER_SETS, file, load_parameter_set
from memspice.parameters.file import LABELS
from memspice.quantities import LARGEST, SMALLEST, Parameters, plain_fields, units
from memspice.resources import resource_path

FORM = """
A parameter set is a TOML file with an `[about]` table (`name`, `summary`, `device`, and `periphery`
where transistors stand around the array if a run does not say otherwise) and one table for each
class below. Every entry has the same form:

```toml
[hazard]
voltage_scale = { value = 0.156, unit = "V", label = "R", source = "where it is from" }
```

Units are SI without prefix and must be the ones below: a value in mV is an error, not a thousand
times too large. Beyond the ranges below, each unit has a largest magnitude and, for what must be
positive, a smallest (`LARGEST` and `SMALLEST` in `memspice.quantities`). `label` says how far
the value can be trusted:
""".strip()
#: Of an optional part of a cell, which tables can stand side by side.
OPTIONAL = (("sinh_cell", "access_transistor"), ("cubic_cell", "selector"))
BOUNDS = (
    (annotated_types.Gt, "gt", ">"), (annotated_types.Ge, "ge", "≥"),
    (annotated_types.Lt, "lt", "<"), (annotated_types.Le, "le", "≤"),
)  # fmt: skip


def pages() -> dict[str, str]:
    """Text of the pages of tables and of values."""
    labels = "\n".join(f"`{label}`\n: {cell(meaning)}\n" for label, meaning in LABELS.items())
    tables = ["# Parameter file", FORM, labels]
    for name, models in sorted(models_of_tables().items()):
        tables.append(f"## [{name}]")
        for model in models:
            tables += [summary(model), fields_table(model)]
    values = ["# Shipped parameter sets", "Every value of the files in `models/`, as it is there."]
    for path in sorted(resource_path("crossbar.toml").parent.glob("*.toml")):
        values += values_of(path)
    return {"parameters.md": "\n\n".join(tables), "parameter-sets.md": "\n\n".join(values)}


def models_of_tables() -> dict[str, list[type[Parameters]]]:
    """Classes of every table that a parameter set can have: those that loading one validates."""
    found: dict[str, list[type[Parameters]]] = {}
    validate = file.validate

    def noted(model: type[Any], values: Mapping[str, Any], where: str) -> Any:
        named = re.search(r"\[(\w+)\]", where)
        if named and model not in (known := found.setdefault(named[1], [])):
            known.append(model)
        return validate(model, values, where)

    with contextlib.ExitStack() as patched, tempfile.TemporaryDirectory() as folder:
        for module in (parameters, file):
            patched.enter_context(patch.object(module, "validate", noted))
        for name in PARAMETER_SETS:
            load_parameter_set(name)
        for number, tables in enumerate(OPTIONAL):
            path = Path(folder) / f"{number}.toml"
            path.write_text(with_cells(tables), encoding="utf-8")
            load_parameter_set(str(path))
    return found


def with_cells(tables: tuple[str, ...]) -> str:
    """Shipped set with tables of the template of cells."""
    sections = re.split(r"^(?=\[)", resource_path("cells.toml").read_text("utf-8"), flags=re.M)
    wanted = [part for part in sections if part.startswith(tuple(f"[{name}]" for name in tables))]
    return resource_path("fast-memristor.toml").read_text("utf-8") + "\n" + "\n".join(wanted)


def summary(model: type[Parameters]) -> str:
    """First sentence of a class's docstring, and the class."""
    line = (inspect.getdoc(model) or "").partition("\n\n")[0].replace("``", "`")
    return f"{' '.join(line.split())} Class `{model.__module__}.{model.__name__}`."


def fields_table(model: type[Parameters]) -> str:
    """Every value of a table: unit, range, default, meaning."""
    unit = units(model)
    rows = [
        (
            f"`{name}`",
            "" if unit.get(name) == "1" else unit.get(name, ""),
            cell(allowed(field, unit.get(name, ""))),
            default(field),
            cell(field.description or ""),
        )
        for name in plain_fields(model)
        for field in [model.model_fields[name]]
    ]
    return table(("value", "unit", "range", "default", "meaning"), rows)


def allowed(field: FieldInfo, unit: str) -> str:
    """Range of a number without the limits of its unit, or the words that are allowed."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(map(str, get_args(field.annotation)))
    found = []
    for item in field.metadata:
        for kind, name, sign in BOUNDS:
            if isinstance(item, kind) and abs(limit := getattr(item, name)) != LARGEST.get(unit):
                positive = sign == "≥" and limit == SMALLEST.get(unit)
                found.append("> 0" if positive else f"{sign} {limit:g}")
    return ", ".join(found)


def default(field: FieldInfo) -> str:
    """Default as the file would say it; nothing where a value is required."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def values_of(path: Path) -> Iterator[str]:
    """Heading, summary and values of one file."""
    content = tomllib.loads(path.read_text("utf-8"))
    about = content.pop("about", {})
    yield f"## {path.stem}"
    if about.get("summary"):
        yield cell(str(about["summary"]))
    rows = [
        (
            f"`{name}.{key}`", f"{entry['value']:g}" if isinstance(entry["value"], float)
            else cell(str(entry["value"])), cell(entry["unit"]), entry["label"],
            cell(entry["source"]),
        )
        for name, entries in content.items()
        for key, entry in entries.items()
        if isinstance(entry, dict) and "label" in entry
    ]  # fmt: skip
    if rows:
        yield table(("value", "", "unit", "label", "source"), rows)
