"""The HTML report of a co-simulation: one file that needs nothing else, not even a script."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from memspice.analysis.assumed import assumed_fraction
from memspice.analysis.cmos import SCOPE_COMPONENTS, SCOPES
from memspice.analysis.comparison import MARGIN
from memspice.analysis.macros import published_macros
from memspice.analysis.merit import COUNTS, LAYOUTS, PARTS
from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.errors import IncompleteResults
from memspice.experiment.results.against_cmos import SENSE_PARTS
from memspice.outputs import write_bytes, writing
from memspice.parameters.file import SourcedValue
from memspice.plot.style import COMPONENT_COLORS, COMPONENT_NAMES, si
from memspice.report.summary_check import check_summary
from memspice.windows.agreement import CLOSURE_LIMIT

#: Below this many images an accuracy says little: its 95 % interval is wider than 6 points.
_FEW_IMAGES = 1000
_LABELS = {
    "M": "measured: fitted to points",
    "S": "read in the source named",
    "R": "known from the literature, not verified at the source",
    "D": "derived from cited values",
    "A": "assumed by memspice, for lack of a published value",
}
_SCOPE_NAMES = {
    "neuron": "neuron",
    "neuron_synapse": "neuron + synapse",
    "system": "system",
}
#: Operations that each scope adds: of the spiking networks, and of the artificial one.
_CMOS_SCOPES = {
    "neuron": (
        "random draw, activation table and comparison for every event",
        "look-up of the activation, once a neuron",
    ),
    "neuron_synapse": (
        "and an addition for each synapse that a spike reaches; in the first layer a product for "
        "each synapse, once per image",
        "and a product and an addition for each synapse, once per image",
    ),
    "system": ("and the fetches of weights from SRAM", "and the fetches of weights from SRAM"),
}
_DEVICE_WORDS = {
    "measured": "its constants were read at their sources",
    "literature": "some of its constants are recalled from the literature",
    "what-if": "some of its constants are assumed",
}
#: Kind of a picture and how its file begins, by suffix.
_PICTURES = {
    ".png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    ".svg": ("image/svg+xml", b"<?xml"),
}


class ReportFigure(NamedTuple):
    """A figure of the page: its files, the first to be embedded, lie beside the page."""

    title: str
    caption: str
    files: Sequence[Path]


def write_report(path: Path, summary: Mapping[str, Any], figures: Sequence[ReportFigure]) -> None:
    """Write the report: headline, figures, tables, in one file.

    Parameters
    ----------
    path : Path
        HTML file; replaced when it exists, missing folders are made.
    summary : mapping
        What ``summary.json`` holds; its ``ratio`` is CMOS over memristive energy.
    figures : sequence of ReportFigure
        In this order.

    Raises
    ------
    IncompleteResults
        If a key of the summary is missing or not finite, or a figure is missing or no picture.
        Nothing is written then.
    StoreError
        If the page cannot be written.
    """
    check_summary(summary)
    images = [
        {
            "title": shown.title,
            "caption": shown.caption,
            "data": embedded(shown.files[0]),
            "files": [file.name for file in shown.files],
        }
        for shown in figures
    ]
    page = _environment().get_template("report.html.j2").render(**_context(summary), figures=images)
    with writing(path, lambda: "Name another folder"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, page.encode())


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("memspice.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        si=_si,
        percent=_percent,
        share=_share,
        seconds=_seconds,
        ratio=_ratio,
        value=_value,
        significant=_significant,
    )
    return environment


def _context(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Names that the template uses."""
    parameters = [
        (table, list(rows))
        for table, rows in groupby(summary["parameters"], key=lambda row: row["table"])
    ]
    images = summary["dataset"]["images"]
    cases = [item["value"] for ratios in summary["ratio"].values() for item in ratios.values()]
    return {
        "s": summary,
        "components": NETWORK_COMPONENTS,
        "assumed_components": _assumed_components(summary),
        "sense_parts": SENSE_PARTS,
        "device_words": _DEVICE_WORDS[summary["device_source"]],
        "names": COMPONENT_NAMES,
        "colors": COMPONENT_COLORS,
        "scopes": SCOPES,
        "scope_names": _SCOPE_NAMES,
        "scope_parts": _scope_parts(),
        "cmos_scopes": _CMOS_SCOPES,
        "cmos_wins": sum(ratio < 1 for ratio in cases),
        "cases": len(cases),
        "labels": _LABELS,
        "counts": COUNTS,
        "layouts": LAYOUTS,
        "area_parts": PARTS,
        "macros": published_macros(),
        "parameters": parameters,
        "few_images": images < _FEW_IMAGES,
        "headline": _headline(summary),
        "settling": _settling(summary["iterations"]),
        "commands": _commands(summary),
        "margin": MARGIN,
        "closure_limit": CLOSURE_LIMIT,
    }


def _headline(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was run, in pairs of a word and its value."""
    cycles, burst, engine = summary["cycles"], summary["burst"], summary["engine"]
    return [
        ("images", f"{summary['dataset']['images']:,} of {summary['dataset']['name']}"),
        ("cycles", f"T = {cycles}, " + (f"in bursts of {burst}" if burst > 1 else "no bursts")),
        ("answer after", _si(summary["latency_seconds"], "s")),
        ("periphery", _periphery(summary)),
        ("engine", f"{engine['name']} {engine['version']}"),
        ("seed", str(summary["seed"])),
    ]


def _periphery(summary: Mapping[str, Any]) -> str:
    """Sense stages in words: a circuit of one's own, transistors that memspice has, or models."""
    rows = [row for row in summary["parameters"] if row["table"] == "sense"]
    own = [str(row["value"]) for row in rows if row["name"] in ("subcircuit", "veriloga")]
    if own:
        return f"sense stage {own[0]}"
    return (
        "transistors" if summary["sense_split_joule"].get("transistors") else "behavioural models"
    )


def _settling(iterations: Sequence[Mapping[str, Any]]) -> str:
    """How much the last round moved what should stop moving."""
    if len(iterations) < 2:
        return "There was one round: nothing tells how much another would change."
    before, last = iterations[-2:]
    moved = [
        f"the energy by {100 * (last['energy_joule'] / before['energy_joule'] - 1):+.2f}\u00a0%"
    ]
    if last["snn_accuracy"] is not None and before["snn_accuracy"] is not None:
        points = 100 * (last["snn_accuracy"] - before["snn_accuracy"])
        moved.append(f"the accuracy by {points:+.2f} points")
    moved.append(
        f"the mean rate by {last['mean_rate'] - before['mean_rate']:+.4f} spikes per event"
    )
    return f"The last of {len(iterations)} rounds moved {', '.join(moved)}."


def _commands(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What to type for each number of the page, in the folder of the page but for the first."""
    device = f"memspice characterize --device {summary['device']} --seed {summary['seed']}"
    return [
        ("every number, figure and file of this page", summary["command"]),
        ("each SPICE window: events, energies, netlist", "memspice waves ls waveforms.h5"),
        ("its waveforms, to look at", "memspice waves view waveforms.h5"),
        ("its waveforms, for another program", "memspice waves export waveforms.h5 JOB --out FILE"),
        ("the switching probability", device),
        ("the tables, in Python", 'import memspice as ms; ms.load("summary.json")'),
    ]


def _assumed_components(summary: Mapping[str, Any]) -> set[str]:
    """Components that rest on an assumed constant."""
    rows = (*summary["parameters"], *summary["cmos_constants"])
    provenance = [SourcedValue(**row) for row in rows]
    return {name for name in NETWORK_COMPONENTS if assumed_fraction({name: 1.0}, provenance)}


def _scope_parts() -> dict[str, str]:
    """Components of each scope, in words."""
    return {
        scope: ("" if scope == SCOPES[0] else "and ")
        + ", ".join(COMPONENT_NAMES[name] for name in SCOPE_COMPONENTS[scope])
        for scope in SCOPES
    }


def embedded(file: Path) -> str:
    """Return a PNG or SVG file as a data URI.

    Raises
    ------
    IncompleteResults
        If the file cannot be read, or is no such picture.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise IncompleteResults(f"figure {file} cannot be read: {error}; draw it first") from error
    kind, start = _PICTURES.get(file.suffix, ("", b"\0"))
    if not data.startswith(start):
        raise IncompleteResults(f"figure {file} is no PNG or SVG file; draw it again")
    return f"data:{kind};base64," + base64.b64encode(data).decode("ascii")


def _si(value: float, unit: str = "J", digits: int = 3) -> str:
    """Value with unit, kept on one line."""
    return si(value, unit, digits).replace(" ", "\u00a0")


def _significant(value: float, digits: int = 3) -> str:
    """Number to some digits, thousands apart."""
    return f"{float(f'{value:.{digits}g}'):,.10g}"


def _percent(fraction: float, digits: int = 1) -> str:
    if 0 < fraction < 0.5 * 10.0 ** (-digits - 2):
        return f"<\u00a0{10.0**-digits:g}\u00a0%"
    return f"{100 * fraction:.{digits}f}\u00a0%"


def _share(fraction: float) -> str:
    """Small fraction in percent, to two significant digits."""
    return f"{100 * fraction:.2g}\u00a0%"


def _seconds(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f}\u00a0s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}\u00a0min {rest}\u00a0s"


def _ratio(ratio: float) -> str:
    """A ratio to as many digits as it has meaning."""
    return f"{ratio:.3g}"


def _value(row: Mapping[str, Any]) -> str:
    """Value of a parameter with its unit; prefixes only where a unit takes them."""
    value, unit = row["value"], str(row["unit"])
    if isinstance(value, bool | str) or value is None:
        return str(value)
    if isinstance(value, int) and unit in ("", "1"):
        return f"{value:,}"
    if any(mark in unit for mark in "^*23 "):
        return f"{value:g} {unit}"
    return _si(float(value), unit)
