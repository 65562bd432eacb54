"""Figures of merit of an inference: joules an operation, TOPS/W, time, power, area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from memspice.analysis.merit import COUNTS, LAYOUTS, ChipLayout
from memspice.experiment.results.base import Result
from memspice.experiment.results.table import Table
from memspice.parameters.file import SourcedValue
from memspice.quantities import format_si

#: Operations of a multiplication and its addition.
OPERATIONS = 2


@dataclass(frozen=True, eq=False, repr=False)
class Merit(Result):
    """Figures of merit of an inference, as a chip designer asks for them.

    Parameters
    ----------
    operations : mapping of str to float, [1]
        Synaptic operations by `memspice.analysis.merit.COUNTS`.
    energy : float, [J]
        Of all components.
    left_out : float, [J]
        Estimate of what is not in ``energy`` (`memspice.analysis.left_out`).
    layouts : mapping of str to ChipLayout
        By `memspice.analysis.merit.LAYOUTS`.
    rule : tuple of SourcedValue
        Constants of the areas, with their sources.
    """

    operations: Mapping[str, float]
    energy: float
    left_out: float
    layouts: Mapping[str, ChipLayout]
    rule: tuple[SourcedValue, ...]

    @property
    def joule_per_operation(self) -> dict[str, float]:
        """Energy of a synaptic operation by count, [J]."""
        return {name: self.energy / count for name, count in self.operations.items()}

    @property
    def tops_per_watt(self) -> dict[str, float]:
        """Tera-operations a second and watt by count, two operations each, [1e12/J]."""
        return _tops_per_watt(self.operations, self.energy)

    @property
    def with_left_out(self) -> dict[str, float]:
        """The same with what is left out, as it is estimated."""
        return _tops_per_watt(self.operations, self.energy + self.left_out)

    @property
    def power(self) -> dict[str, float]:
        """Mean power at full throughput by layout, [W]."""
        return {name: self.energy * each.throughput for name, each in self.layouts.items()}

    def as_json(self) -> dict[str, Any]:
        """Keys of a summary about operations, time and area."""
        ways = self.layouts.items()
        return {
            "synaptic_operations": dict(self.operations),
            "joule_per_operation": self.joule_per_operation,
            "tops_per_watt": self.tops_per_watt,
            "tops_per_watt_with_left_out": self.with_left_out,
            "layout_latency_seconds": {name: each.latency for name, each in ways},
            "layout_interval_seconds": {name: each.interval for name, each in ways},
            "throughput_hertz": {name: each.throughput for name, each in ways},
            "power_watt": self.power,
            "area_m2": {name: {**each.area, "total": each.total_area} for name, each in ways},
            "area_constants": [asdict(item) for item in self.rule],
        }

    def columns(self) -> Mapping[str, Any]:
        """One row a count of operations."""
        return {
            "counted": list(COUNTS.values()),
            "operations": [self.operations[name] for name in COUNTS],
            "joule_per_operation": [self.joule_per_operation[name] for name in COUNTS],
            "tops_per_watt": [self.tops_per_watt[name] for name in COUNTS],
        }

    def table(self) -> Table:
        """Operations, then layouts."""
        rows = [("operations", "each a multiplication and an addition, 2 of TOPS/W")]
        for name, words in COUNTS.items():
            tops, joule = self.tops_per_watt[name], self.joule_per_operation[name]
            rows.append(("", f"{tops:5.3g} TOPS/W {format_si(joule, 'J'):>7}  {words}"))
        rows.append(("chip", "area by a rule, power, answer after, images a second, pipelined"))
        for name, words in LAYOUTS.items():
            layout, power = self.layouts[name], format_si(self.power[name], "W")
            latency, rate = format_si(layout.latency, "s"), _rate(layout)
            rows.append(("", f"{_area(layout):>9}, {power}, {latency}, {rate}/s: {words}"))
        return Table(
            "what a chip designer asks: docs/chip.md has definitions and rule", tuple(rows)
        )


def _tops_per_watt(operations: Mapping[str, float], joule: float) -> dict[str, float]:
    return {name: OPERATIONS * count / joule / 1e12 for name, count in operations.items()}


def _area(layout: ChipLayout) -> str:
    return f"{1e6 * layout.total_area:.3g} mm2"


def _rate(layout: ChipLayout) -> str:
    """To three digits."""
    return f"{float(f'{layout.throughput:.3g}'):,.10g}"
