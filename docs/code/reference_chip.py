"""What a chip designer asks: tables of the committed run and of published macros."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docs.code.markdown import cell, table
from memspice.analysis.macros import published_macros
from memspice.analysis.merit import COUNTS, LAYOUTS, PARTS
from memspice.experiment.merit import load_area_rule
from memspice.quantities import format_si

SUMMARY = Path(__file__).parents[2] / "experiments" / "cifar_energy" / "summary.json"


def pages() -> dict[str, str]:
    """Text of the tables, which other pages include."""
    summary = json.loads(SUMMARY.read_text(encoding="utf-8"))
    return {
        "operations.md": operations(summary),
        "layouts.md": layouts(summary),
        "area.md": area(),
        "macros.md": macros(),
    }


def operations(summary: dict[str, Any]) -> str:
    """Joules and TOPS/W by what counts as an operation."""
    rows = [
        (
            cell(words),
            f"{summary['synaptic_operations'][name] / 1e6:.1f}",
            format_si(summary["joule_per_operation"][name], "J"),
            f"{summary['tops_per_watt'][name]:.3g}",
            f"{summary['tops_per_watt_with_left_out'][name]:.3g}",
        )
        for name, words in COUNTS.items()
    ]
    head = ("counted", "millions an inference", "joules each", "TOPS/W", "with what is left out")
    return table(head, rows)


def layouts(summary: dict[str, Any]) -> str:
    """Time, power and area by layout."""
    rows = [
        (
            words,
            format_si(summary["layout_latency_seconds"][name], "s"),
            f"{float(format(summary['throughput_hertz'][name], '.3g')):,.0f}",
            format_si(summary["power_watt"][name], "W"),
            *(f"{1e6 * summary['area_m2'][name][part]:.3g}" for part in (*PARTS, "total")),
        )
        for name, words in LAYOUTS.items()
    ]
    areas = (f"{part}, mm2" for part in (*PARTS, "all"))
    return table(("layout", "answer after", "images a second", "power", *areas), rows)


def area() -> str:
    """Constants of the rule of areas."""
    rows = [
        (f"`{item.name}`", f"{item.value:g} {item.unit}", item.label, cell(item.source))
        for item in load_area_rule().provenance
    ]
    return table(("constant", "value", "label", "source"), rows)


def macros() -> str:
    """Published macros."""
    rows = [
        tuple(
            map(
                cell,
                (m.name, m.process, m.range, m.precision, m.how, m.includes, m.label, m.source),
            )
        )
        for m in published_macros()
    ]
    head = ("macro", "process", "TOPS/W", "operands", "how", "what is in it", "label", "source")
    return table(head, rows)
