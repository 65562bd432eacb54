"""The page: claims and research questions with their verdicts, as HTML and as Markdown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError
from rows import QUESTIONS, Results, Row, rows
from verdicts import CONDITIONS, HOLDS, NOT, OPEN, amount, points, safe_range

import memspice as ms

#: Mark and class of each verdict.
MARKS = {HOLDS: ("✓", "good"), CONDITIONS: ("~", "part"), NOT: ("✗", "bad"), OPEN: ("?", "open")}


def write_page(folder: Path, out: Path, results: Results) -> list[Row]:
    """Write ``page.html`` and ``page.md``.

    Parameters
    ----------
    folder : Path
        Where the scripts' folders with results and figures are.
    out : Path
        Folder of the page.
    results : mapping
        Of :func:`rows.read_results`.

    Raises
    ------
    ms.errors.IncompleteResults
        If a figure or a part of a result is missing; nothing is written then.
    OSError
        If the page cannot be written.
    """
    try:
        found = rows(results)
        context = {"rows": found, **_context(results)}
        pages = {name: _render(name, context, folder, out) for name in ("page.html", "page.md")}
    except (KeyError, IndexError, UndefinedError) as error:
        raise ms.errors.IncompleteResults(
            f"a result lacks {error}: run its script again, or make paper"
        ) from error
    out.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (out / name).write_text(text, encoding="utf-8")
    return found


def _render(name: str, context: Mapping[str, Any], folder: Path, out: Path) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).resolve().parent),
        autoescape=name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def path(script: str, figure: str) -> Path:
        return folder / script / f"{figure}.png"

    environment.filters.update(si=ms.plot.si, points=points, amount=amount, safe_range=safe_range)
    environment.globals.update(
        embed=lambda script, figure: ms.report.embedded(path(script, figure)),
        link=lambda script, figure: os.path.relpath(path(script, figure), out),
        mark=MARKS.__getitem__,
    )
    return environment.get_template(f"{name}.j2").render(**context)


def _context(results: Results) -> dict[str, Any]:
    """What the templates show besides the rows."""
    energy = results["energy_ratio"]
    return {
        "full": all(results[name]["full"] for name in QUESTIONS),
        "device": energy["devices"][0]["device"],
        "notes": list(dict.fromkeys(note for name in QUESTIONS for note in _notes(results[name]))),
        "minutes": sum(results[name]["wall_seconds"] for name in QUESTIONS) / 60,
        "commands": {name: results[name]["command"] for name in QUESTIONS},
        "robustness": results["robustness"],
        "devices": energy["devices"],
        "cmos_neuron": energy["cmos_neuron"],
        "parameters": energy["devices"][0]["parameters"],
    }  # fmt: skip


def _notes(result: Mapping[str, Any]) -> list[str]:
    """What a reader must know of one result, and of each of its devices."""
    devices = (note for item in result.get("devices", ()) for note in item.get("notes", ()))
    return [*result.get("notes", ()), *devices]
