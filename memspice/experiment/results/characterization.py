"""Transfer curve of a neuron circuit: what simulated write attempts say of the closed form."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from memspice.analysis.assumed import assumed_fraction
from memspice.analysis.statistics import LEVEL, Agreement
from memspice.analysis.transfer import RESOLVED, TransferPoint
from memspice.devices.activation import Activation
from memspice.engines.base import EngineInfo
from memspice.errors import ConfigError, DataError
from memspice.experiment.results.base import Result
from memspice.experiment.results.table import Table
from memspice.inputs import read_input
from memspice.parameters import ParameterSet
from memspice.parameters.file import LARGEST_FILE
from memspice.quantities import format_si, units
from memspice.windows.agreement import check_verdict

#: Voltages that a table has room for.
_MOST_POINTS = 10
_MEASURED_HEADER = "  drive    pulse      P  SPICE   95 % range  meas.   95 % range   H/H - 1"
_HEADER = "  drive       P       P   95 % range   spikes/events  H/H - 1    energy"


@dataclass(frozen=True, eq=False, repr=False)
class Characterization(Result):
    """P(V) of the neuron of a parameter set.

    ``points`` rise in voltage; ``agreement`` and ``worst_deviation`` are over all points and over
    the sweep: at the lower rail the integral is of the order of the solver's tolerance.
    ``read_disturb`` is the probability that a read pulse sets an unswitched device; ``doubts`` say
    where SPICE is beyond a limit of the verdict.  Where the points are measured ones, ``measured``
    says how well the closed form fits them, and ``source`` where they are from.
    """

    parameter_set: ParameterSet
    engine: EngineInfo
    seed: int
    points: tuple[TransferPoint, ...]
    agreement: Agreement
    read_disturb: float
    wall_seconds: float
    doubts: tuple[str, ...] = ()
    measured: Agreement | None = None
    source: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def events(self) -> int:
        """Number of simulated write attempts."""
        return sum(point.spikes.n for point in self.points)

    @property
    def sweep(self) -> tuple[TransferPoint, ...]:
        """The points between the rails."""
        return tuple(point for point in self.points if not point.rail)

    @property
    def worst_deviation(self) -> float:
        """Largest ``|hazard_spice / hazard - 1|`` of an event of the sweep, [1].

        Of those points at which it says something: `TransferPoint.resolved`.
        """
        told = [point for point in self.sweep if point.resolved]
        return max((max(-p.deviation_low, p.deviation_high, 0.0) for p in told), default=0.0)

    @property
    def worst_probability_change(self) -> float:
        """Largest change of a probability where the ratio of the integrals says nothing, [1]."""
        changes = (abs(p.probability_change) for p in self.points if not p.resolved)
        return max(changes, default=0.0)

    @property
    def mismatches(self) -> int:
        """Events whose spike is not the surrogate's."""
        return sum(point.mismatches for point in self.points)

    @property
    def worst_margin(self) -> float:
        """Largest ``|hazard / E - 1|`` of the mismatches, [1]; 0 if there is none."""
        return max(point.worst_margin for point in self.points)

    @property
    def assumed_fraction(self) -> float:
        """Share of the energy of all points that rests on assumed constants, [1]."""
        energy = {
            f"neuron_{phase}": sum(point.energy_joule[phase] for point in self.points)
            for phase in ("write", "read", "reset")
        }
        return assumed_fraction(energy, self.parameter_set.provenance)

    def as_json(self) -> dict[str, Any]:
        """All results as plain values, SI units."""
        return {
            "parameter_set": self.parameter_set.name,
            "notes": list(self.notes),
            "device": self.parameter_set.neuron.kind,
            "engine": self.engine.as_json(),
            "seed": self.seed,
            "events": self.events,
            "points": [asdict(point) for point in self.points],
            "assumed_fraction": self.assumed_fraction,
            "device_source": self.parameter_set.device_source,
            "agreement": asdict(self.agreement),
            "measured": asdict(self.measured) if self.measured else None,
            "measured_source": self.source or None,
            "worst_deviation": self.worst_deviation,
            "worst_probability_change": self.worst_probability_change,
            "mismatches": self.mismatches,
            "worst_margin": self.worst_margin,
            "read_disturb": {
                "probability": self.read_disturb,
                "note": self.parameter_set.neuron.disturb_note,
            },
            "wall_seconds": self.wall_seconds,
        }

    def check(self) -> None:
        """Fail where a number is beyond a limit of the verdict.

        Raises
        ------
        EngineError
            If any is.
        """
        check_verdict(self.doubts)

    def activation(self) -> Activation:
        """Activation that a network trains with: ``ln H`` of the sweep as a line in the drive.

        As SPICE integrated it; no parameter of the hazard law enters.  A point counts as
        ``dP / d ln H = H exp(-H)``: where the probability depends on the hazard integral, there
        the line must be closest.

        Raises
        ------
        DataError
            If a simulated hazard integral is not above 0, or they do not grow with the drive; or
            if the points are measured ones, which are no even sweep.
        """
        if self.measured:
            raise DataError(
                f"{self.parameter_set.name}: an activation is fitted to an even sweep, not at "
                "measured points: give a number of points"
            )
        drive = np.array([point.voltage for point in self.sweep])
        hazard = np.array([point.hazard_spice for point in self.sweep])
        if not (hazard[0] > 0 and (np.diff(hazard) > 0).all()):
            raise DataError(
                f"{self.parameter_set.name}: the simulated hazard integrals of {drive[0]:.4g} to "
                f"{drive[-1]:.4g} V do not grow from above 0: look at the points with "
                "memspice characterize --out, and at the engine's tolerances"
            )
        slope, intercept = np.polyfit(drive, np.log(hazard), 1, w=hazard * np.exp(-hazard))
        error = np.abs(np.exp(-np.exp(slope * drive + intercept)) - np.exp(-hazard))
        return Activation(
            unit_drive=float(-intercept / slope),
            drive_scale=float(1 / slope),
            lowest_drive=float(drive[0]),
            highest_drive=float(drive[-1]),
            error=float(error.max()),
        )

    @staticmethod
    def check_place(fit: Path) -> None:
        """Refuse to put a fit in the place of anything else than an earlier one.

        Raises
        ------
        ConfigError
            If another file is there.
        """
        if not fit.exists() or fit.stat().st_size == 0:
            return
        try:
            tables = tomllib.loads(read_input(fit, LARGEST_FILE, DataError).decode())
        except (DataError, ValueError):
            tables = {}
        if set(tables) != {"activation"}:
            raise ConfigError(
                f"{fit} is no fit of an activation and may be somebody's only copy; not replaced: "
                "remove it or choose another name"
            )

    def activation_toml(self) -> str:
        """Fitted activation as TOML, each value with unit, label and source."""
        activation, engine, name = self.activation(), self.engine, self.parameter_set.name
        source = (
            f"fit to hazard integrals of {engine.name} {engine.version}: {len(self.sweep)} drives, "
            f"{sum(point.spikes.n for point in self.sweep)} write pulses, seed {self.seed}"
        )
        lines = [
            f"# Activation of the neurons of {name}, simulated and fitted by",
            f"#     memspice characterize --device {name} --fit FILE",
            "# as training uses it: ln H = (drive - unit_drive) / drive_scale.",
            "",
            "[activation]",
        ]
        for field, unit in units(activation).items():
            value = f"{getattr(activation, field):.6g}"
            rest = f'unit = "{unit}", label = "D", source = "{source}"'
            lines.append(f"{field} = {{ value = {value}, {rest} }}")
        return "\n".join(lines) + "\n"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know besides the name of the set."""
        return (*self.parameter_set.notes, *self.remarks, *self.doubts)

    def columns(self) -> Mapping[str, Any]:
        """One row a drive voltage."""
        return {
            "voltage": [point.voltage for point in self.points],
            "expected": [point.expected for point in self.points],
            "spike_rate": [point.spikes.value for point in self.points],
            "low": [point.spikes.low for point in self.points],
            "high": [point.spikes.high for point in self.points],
            "events": [point.spikes.n for point in self.points],
            "hazard": [point.hazard for point in self.points],
            "hazard_spice": [point.hazard_spice for point in self.points],
            "energy_joule": [sum(point.energy_joule.values()) for point in self.points],
            "pulse": [point.pulse for point in self.points],
            "measured": [point.measured.value if point.measured else None for point in self.points],
        }

    def table(self) -> Table:
        """P(V) at every voltage, and how well it fits the closed form."""
        agreement, engine = self.agreement, self.engine
        margin = f", worst margin {100 * self.worst_margin:.3f} %" if self.mismatches else ""
        step = math.ceil(len(self.points) / _MOST_POINTS)
        line = _measured_line if self.measured else _line
        header = _MEASURED_HEADER if self.measured else _HEADER
        rows = [(header, ""), *((line(point), "") for point in self.points[::step])]
        if step > 1:
            rows.append((f"one of {step} of the {len(self.points)} voltages is shown", ""))
        rows += [
            ("spikes", f"{self.mismatches} of {self.events} differ from the closed form's{margin}"),
            ("hazard", self._hazard_words()),
            (
                "counts",
                f"chi-square {agreement.chi_square:.1f} on {agreement.degrees} points, "
                f"p = {agreement.p_value:.2f}; worst |z| = {agreement.worst_z:.1f}",
            ),
            (
                "energy",
                f"of a neuron, {self.assumed_fraction:.0%} of it assumed; "
                f"{self.parameter_set.device_source} device",
            ),
            (
                "read disturb",
                f"{self.read_disturb:.2g} a read, {self.parameter_set.neuron.disturb_note}",
            ),
            (
                "engine",
                f"{engine.name} {engine.version}, {self.wall_seconds:.1f} s, seed {self.seed}",
            ),
        ]
        if self.measured:
            rows.insert(-3, ("measured", _measured_words(self.measured)))
        title = f"{self.parameter_set.name}: {self.parameter_set.summary}"
        return Table(title, tuple(rows), self.notes)

    def _hazard_words(self) -> str:
        where = "" if self.measured else " between the rails"
        words = f"differs by {100 * self.worst_deviation:.3f} % at most{where}"
        if all(point.resolved for point in self.points):
            return words
        low, high = RESOLVED
        return (
            f"{words}; where H is below {low:g} or above {high:g}, SPICE changes P by "
            f"{self.worst_probability_change:.1g} at most"
        )


def _deviation(point: TransferPoint) -> str:
    """What SPICE makes of the hazard integral; nothing where the ratio says nothing."""
    if not point.resolved:
        return f"H {point.hazard:.0e}"
    return f"{100 * (point.hazard_spice / point.hazard - 1):+.3f} %"


def _measured_words(found: Agreement) -> str:
    verdict = "REJECTED by the points" if found.p_value <= LEVEL else "not rejected"
    return (
        f"the set's law is {verdict}: chi-square {found.chi_square:.1f} on {found.degrees} points, "
        f"p = {found.p_value:.2g}; worst |z| = {found.worst_z:.1f}"
    )


def _measured_line(point: TransferPoint) -> str:
    assert point.measured
    share = point.measured
    return (
        f"{point.voltage:7.4f}  {format_si(point.pulse, 's'):>7}  {point.expected:5.3f}"
        f"  {point.spikes.value:5.3f}  {point.spikes.low:5.3f}..{point.spikes.high:5.3f}"
        f"  {share.value:5.3f}  {share.low:5.3f}..{share.high:5.3f}  {_deviation(point):>9}"
    )


def _line(point: TransferPoint) -> str:
    energy = sum(point.energy_joule.values())
    return (
        f"{point.voltage:7.4f}  {point.expected:6.4f}  {point.spikes.value:6.4f}"
        f"  {point.spikes.low:5.3f}..{point.spikes.high:5.3f}"
        f"  {point.count:6d}/{point.spikes.n:<6d}"
        f"{_deviation(point):>9}"
        f"  {format_si(energy, 'J'):>8}{' rail' if point.rail else ''}"
    )
