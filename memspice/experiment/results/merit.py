"""Figures of merit as a summary holds them, and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from memspice.analysis.merit import COUNTS, LAYOUTS, ChipLayout, Merit
from memspice.quantities import format_si


def merit_json(merit: Merit) -> dict[str, Any]:
    """Keys of a summary about operations, time and area."""
    layouts = merit.layouts
    return {
        "synaptic_operations": dict(merit.operations),
        "joule_per_operation": merit.joule_per_operation,
        "tops_per_watt": merit.tops_per_watt,
        "tops_per_watt_with_left_out": merit.with_left_out,
        "layout_latency_seconds": {name: each.latency for name, each in layouts.items()},
        "throughput_hertz": {name: each.throughput for name, each in layouts.items()},
        "power_watt": merit.power,
        "area_m2": {
            name: {**each.area, "total": each.total_area} for name, each in layouts.items()
        },
        "area_constants": [asdict(item) for item in merit.rule],
    }


def merit_fields(summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """Fields of a `Merit` out of a summary; None out of one from before there were any."""
    if "synaptic_operations" not in summary:
        return None
    areas, rates = summary["area_m2"], summary["throughput_hertz"]
    return {
        "operations": summary["synaptic_operations"],
        "energy": summary["energy_total_joule"]["value"],
        "left_out": sum(summary["left_out_joule"].values()),
        "rule": summary["area_constants"],
        "layouts": {
            name: {
                "latency": latency,
                "interval": 1 / rates[name],
                "area": {part: area for part, area in areas[name].items() if part != "total"},
            }
            for name, latency in summary["layout_latency_seconds"].items()
        },
    }


def merit_rows(merit: Merit) -> Iterator[tuple[str, str]]:
    """Rows of a terminal's table."""
    tops, joules = merit.tops_per_watt, merit.joule_per_operation
    yield "operations", "each a multiplication and an addition, 2 operations of TOPS/W"
    for name, words in COUNTS.items():
        yield "", f"{tops[name]:5.3g} TOPS/W {format_si(joules[name], 'J'):>7}  {words}"
    yield "chip", "area by a rule, power, answer after, images a second, pipelined"
    for name, layout in merit.layouts.items():
        latency, power = format_si(layout.latency, "s"), format_si(merit.power[name], "W")
        yield "", f"{_area(layout):>9}, {power}, {latency}, {_rate(layout)}/s: {LAYOUTS[name]}"


def _area(layout: ChipLayout) -> str:
    return f"{1e6 * layout.total_area:.3g} mm2"


def _rate(layout: ChipLayout) -> str:
    """To three digits."""
    return f"{float(f'{layout.throughput:.3g}'):,.10g}"
