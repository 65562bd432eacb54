"""What a co-simulation found: accuracy, energy by layer and component, and SPICE's share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

from memspice.analysis.statistics import Proportion
from memspice.experiment.cosim_state import CosimState
from memspice.experiment.merit import figures_of_merit
from memspice.experiment.request import Request
from memspice.experiment.results.against_cmos import CmosComparison
from memspice.experiment.results.characterization import Characterization
from memspice.experiment.results.energy import Energy
from memspice.experiment.results.events import PairedEvents, joined
from memspice.experiment.results.merit import Merit
from memspice.experiment.results.plain import APART
from memspice.experiment.results.run import RunResult, jobs_json
from memspice.experiment.results.table import Table
from memspice.network.mapping import MappedNetwork
from memspice.network.switching import Calibration
from memspice.parameters.file import SourcedValue
from memspice.quantities import format_si
from memspice.windows.agreement import Verdict
from memspice.windows.surrogate import surrogate_events


@dataclass(frozen=True)
class LayerWindows:
    """Windows of a layer, or of all, that went through SPICE, and how they agree."""

    windows: int
    full_windows: int
    events: int
    mismatches: int
    worst_margin: float
    closure_max: float


@dataclass(frozen=True)
class Round:
    """One round of network loop and SPICE.

    Parameters
    ----------
    number : int
        From one.
    accuracy : float or None
        Of the spiking network; None without labels.
    energy, half_width : float, [J]
        Per inference, and half of its 95 % interval.
    mean_rate : float
        Mean over the layers of their spikes per event.
    mismatches : int
        Spikes that differ from the closed form, of all rounds so far.
    worst_margin : float, [1]
        Of those.
    windows : int
        In SPICE so far.
    """

    number: int
    accuracy: float | None
    energy: float
    half_width: float
    mean_rate: float
    mismatches: int
    worst_margin: float
    windows: int

    def as_json(self) -> dict[str, Any]:
        """Entry of ``iterations``."""
        return {
            "iteration": self.number,
            "snn_accuracy": self.accuracy,
            "energy_joule": self.energy,
            "energy_ci95": [self.energy - self.half_width, self.energy + self.half_width],
            "mean_rate": self.mean_rate,
            "mismatches": self.mismatches,
            "worst_margin": self.worst_margin,
            "windows": self.windows,
        }


@dataclass(frozen=True)
class SpiceShare:
    """Part of a co-simulation that went through SPICE: all of it, and layer by layer.

    ``hazard_deviation`` [1] and ``wall_seconds`` [s] are of all windows.
    """

    total: LayerWindows
    layers: Mapping[str, LayerWindows]
    hazard_deviation: float
    wall_seconds: float

    def as_json(self) -> dict[str, Any]:
        """Value of ``spice``."""
        return {
            **asdict(self.total),
            "hazard_deviation": self.hazard_deviation,
            "wall_seconds": self.wall_seconds,
            "layers": {name: asdict(item) for name, item in self.layers.items()},
        }


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CosimResult(RunResult):
    """Energy of one inference of a network, calibrated by SPICE, beside that of CMOS.

    Parameters
    ----------
    latency : float, [s]
        From the first row pulse to the answer: layers one behind the other, cycle by cycle or burst
        by burst, with circuits of their own at every position.
    ann_accuracy, accuracy : Proportion or None
        Of the network as an ANN, and of the spiking one; None without labels.
    spike_rate : mapping of str to float, [1]
        Spikes per event, by layer.
    energy : Energy, [J]
        Per inference, of all layers.
    layers : mapping of str to mapping of str to float, [J]
        The same by layer and component.
    against_cmos : CmosComparison
        Ratios like for like, with all that must stand beside them.
    spice : SpiceShare
        What went through SPICE.
    verdict : Verdict
        Of all windows.
    settled : bool
        Whether energy and rates moved no more.
    rounds : tuple of Round
        One each time that loop and SPICE taught each other.
    calibration : mapping of str to Calibration
        What SPICE taught the surrogates, by layer; empty where it is not to be relied on.
    excluded : tuple of str
        What the joules leave out without an estimate.
    left_out : mapping of str to float, [J]
        What else they leave out, estimated (`memspice.analysis.left_out`); not in `energy`.
    merit : Merit
        Joules an operation, TOPS/W, time and area.
    parameters, cmos_constants : tuple of SourcedValue
        Every value of both sides, with its source.
    versions : mapping of str to str
        Of the libraries and the engine.
    transfer : Characterization or None
        P(V) of the neuron; like `request` and `state` not kept in a run file.
    request : Request or None
        Network and images.
    state : CosimState or None
        Every job with its outcome.
    **facts
        See `RunResult`.
    """

    kind: ClassVar[str] = "cosim"

    latency: float
    ann_accuracy: Proportion | None
    accuracy: Proportion | None
    spike_rate: Mapping[str, float]
    energy: Energy
    layers: Mapping[str, Mapping[str, float]]
    against_cmos: CmosComparison
    spice: SpiceShare
    verdict: Verdict
    settled: bool
    rounds: tuple[Round, ...]
    calibration: Mapping[str, Calibration]
    excluded: tuple[str, ...]
    left_out: Mapping[str, float]
    merit: Merit
    parameters: tuple[SourcedValue, ...]
    cmos_constants: tuple[SourcedValue, ...]
    versions: Mapping[str, str]
    transfer: Characterization | None = field(default=None, metadata=APART)
    request: Request | None = field(default=None, metadata=APART)
    state: CosimState | None = field(default=None, metadata=APART)

    def paired_events(self) -> dict[str, PairedEvents]:
        """Events beside their closed form, by layer with neurons; empty of a loaded result."""
        pairs: dict[str, list[PairedEvents]] = {}
        for job, found in self.state.pairs() if self.state else ():
            if found.spiking:
                arrays = (found.hazard, surrogate_events(job)["hazard"])
                each = (*arrays, found.thresholds, found.spikes)
                pair = PairedEvents(*(values.ravel() for values in each))
                pairs.setdefault(job.window.layer, []).append(pair)
        return {name: joined(each) for name, each in pairs.items()}

    def with_merit(self, mapped: MappedNetwork) -> CosimResult:
        """The same result, its figures of merit anew from its own counts and joules.

        Parameters
        ----------
        mapped : MappedNetwork
            Its network on crossbars, as of a `Chip`.
        """
        merit = figures_of_merit(
            mapped,
            self.cycles,
            self.burst,
            against=self.against_cmos,
            left_out=self.left_out,
        )
        return replace(self, merit=merit)

    def energy_by_layer(self) -> Mapping[str, Mapping[str, float]]:
        """Energy of an inference by layer and component, [J]."""
        return self.layers

    def as_json(self) -> dict[str, Any]:
        """Object of ``cosim --json`` and of ``summary.json``."""
        return {
            "dataset": asdict(self.dataset),
            "notes": list(self.notes),
            "network": self.network,
            "device": self.device,
            "cycles": self.cycles,
            "burst": self.burst,
            "latency_seconds": self.latency,
            "seed": self.seed,
            "ann_accuracy": asdict(self.ann_accuracy) if self.ann_accuracy else None,
            "snn_accuracy": asdict(self.accuracy) if self.accuracy else None,
            "spike_rate": dict(self.spike_rate),
            "energy_per_inference_joule": dict(self.energy.components),
            "energy_by_layer_joule": {name: dict(each) for name, each in self.layers.items()},
            **self.against_cmos.as_json(),
            "cmos_constants": [asdict(item) for item in self.cmos_constants],
            "spice": self.spice.as_json(),
            "verdict": {
                **self.verdict.as_json(), "holds": not self.doubts, "doubts": list(self.doubts)
            },
            "settled": self.settled,
            "iterations": [item.as_json() for item in self.rounds],
            "calibration": {name: item._asdict() for name, item in self.calibration.items()},
            "parameters": [asdict(item) for item in self.parameters],
            "excluded": list(self.excluded),
            "left_out_joule": dict(self.left_out),
            **self.merit.as_json(),
            "engine": dict(self.engine),
            "command": self.provenance.command,
            "versions": dict(self.versions),
            "wall_seconds": self.wall_seconds,
            **jobs_json(self.failures, self.jobs),
        }  # fmt: skip

    def _sense_parts(self) -> list[tuple[str, str]]:
        """What takes the joules of the sense stages, where it is more than one thing."""
        words = {"quiescent": "quiescent", "bit_lines": "for bit-line currents"}
        split = self.against_cmos.sense_split.items()
        parts = [f"{format_si(j, 'J')} {words.get(name, f'by {name}')}" for name, j in split]
        return [("  of sense", ", ".join(parts))] if len(parts) > 1 else []

    def columns(self) -> Mapping[str, Any]:
        """One row a layer and component."""
        rows = [(layer, name, j) for layer, each in self.layers.items() for name, j in each.items()]
        return dict(
            zip(("layer", "component", "energy_joule"), zip(*rows, strict=True), strict=True)
        )

    def table(self) -> Table:
        """Accuracy, energy and SPICE; `against_cmos` and `merit` have tables of their own."""
        spice, total = self.spice.total, self.against_cmos.total
        value, low, high, model_low, model_high = (
            format_si(end, "J")
            for end in (total.value, total.low, total.high, total.model_low, total.model_high)
        )
        if self.verdict.holds:
            loop = f"calibrated by {spice.windows} windows of SPICE"
        else:
            loop = "not calibrated, SPICE is not to be relied on"
        rows = [
            ("images", self.dataset.source),
            ("ANN accuracy", _percent(self.ann_accuracy)),
            ("SNN accuracy", _percent(self.accuracy)),
            ("network loop", f"{loop}; answer after {format_si(self.latency, 's')}"),
            ("energy", self.energy.headline(" per inference")),
            ("", f"sampling only: {low} to {high} (95 %){self._left_out()}"),
            ("", f"model, one assumption changed: {model_low} to {model_high}"),
            *self.energy.rows(),
            *self._sense_parts(),
            (
                "SPICE",
                f"{spice.windows} windows ({spice.full_windows} full), {spice.events} events, "
                f"{spice.mismatches} spikes differ",
            ),
            (
                "",
                f"worst margin {spice.worst_margin:.2%}, energy closure {spice.closure_max:.1e}; "
                f"{len(self.rounds)} rounds, {'settled' if self.settled else 'NOT settled'}; "
                f"{self.wall_seconds:.0f} s",
            ),
        ]
        title = (
            f"{self.network}, {self.dataset.images} images of {self.dataset.name}, "
            f"{self.device} ({self.energy.device_source}), T = {self.cycles}{self._bursts()}"
        )
        return Table(title, tuple(rows), self.notes)

    def _left_out(self) -> str:
        """Sum of the estimates; nothing where there are none."""
        total = sum(self.left_out.values())
        return f"; left out {format_si(total, 'J')}" if total else ""

    def _bursts(self) -> str:
        return f", K = {self.burst}" if self.burst > 1 else ""


def _percent(found: Proportion | None) -> str:
    if found is None:
        return "none: the images have no labels"
    value, low, high = (100 * end for end in (found.value, found.low, found.high))
    return f"{value:.1f} %  (95 %: {low:.1f} to {high:.1f}, n = {found.n})"
