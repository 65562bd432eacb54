"""What the windows of one layer ended with, in SPICE or in closed form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

from memspice.analysis.comparison import PathwiseComparison
from memspice.analysis.spikes import SpikeStatistics
from memspice.analysis.statistics import Proportion
from memspice.errors import ConfigError
from memspice.experiment.results.energy import Energy
from memspice.experiment.results.events import Events, PairedEvents
from memspice.experiment.results.run import RunResult, jobs_json
from memspice.experiment.results.table import Table
from memspice.experiment.results.trace import NeuronWaveforms
from memspice.network.batch import Window
from memspice.quantities import format_si
from memspice.store import JobRecord
from memspice.windows.agreement import Verdict
from memspice.windows.outcome import Outcome, join_windows, outcome


@dataclass(frozen=True)
class ScoreDeviation:
    """Deviation of the scores of a layer without neurons from the closed form.

    Parameters
    ----------
    volts_per_unit : float, [V]
        Drive that stands for a score of one.
    worst_deviation : float, [1]
        Largest difference of a score.
    relative_deviation : float, [1]
        The same relative to the largest score, or to 1 where all are smaller.
    """

    volts_per_unit: float
    worst_deviation: float
    relative_deviation: float


class Answers(Protocol):
    """A result that can answer to the events of another."""

    def events_of(self, windows: Sequence[Window], cycles: int) -> Events:
        """Events of windows of one layer, through the first cycles.

        Parameters
        ----------
        windows : sequence of Window
            All of one layer.
        cycles : int
            From the first on.

        Raises
        ------
        ConfigError
            If the result does not know them.
        """
        ...


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LayerResult(RunResult):
    """Result of the sampled windows of a layer, beside the closed form.

    A window is all neurons of the layer at one position of one image, through all cycles.  One of
    which a job failed is left out of everything but `jobs`, `failures` and `records`.

    Parameters
    ----------
    layer : str
        Its name.
    rows, cols : int
        Lines of its array, bias rows included; two columns an output.
    statistics : SpikeStatistics or None
        Counts, rates and times of spikes; None of a layer without neurons.
    scores : ScoreDeviation or None
        Of a layer without neurons.
    energy : Energy, [J]
        Of all events together.
    verdict : Verdict
        Distances from the closed form, each the worst of all jobs.
    closed_form : Events
        What it says of the same events.
    against_ideal : Proportion or None
        Share of spikes that are others on the ideal array, with the same inputs and draws
        (`memspice.network.ideal`); None of a layer without neurons.
    **facts
        See `RunResult`.
    """

    kind: ClassVar[str] = "layer"

    layer: str
    rows: int
    cols: int
    statistics: SpikeStatistics | None
    scores: ScoreDeviation | None
    energy: Energy
    verdict: Verdict
    closed_form: Events
    against_ideal: Proportion | None

    @cached_property
    def outcomes(self) -> list[Outcome]:
        """What each whole window ended with."""
        done = [record for record in self.records if not record.failed]
        joined = join_windows([outcome(record) for record in done])
        broken = {_window(record) for record in self.records if record.failed}
        return [item for item in joined if item.window not in broken]

    @cached_property
    def events(self) -> Events:
        """Arrays (windows, cycles, neurons) of all events: ``spike, hazard, draw, drive``."""
        return Events.of(self.outcomes)

    @property
    def fast_events(self) -> Events:
        """Closed form of the same events."""
        return self.closed_form

    @property
    def closure(self) -> float | None:
        """``|delivered - dissipated - stored| / delivered`` of the worst deck, [1].

        None of the surrogate, whose energies are closed forms.
        """
        return self.verdict.closure

    @property
    def pathwise(self) -> PathwiseComparison:
        """Spikes and hazard integrals against the closed form, event by event."""
        return self.verdict.pathwise

    def paired_events(self) -> dict[str, PairedEvents]:
        """Events beside their closed form, by layer; empty where there are no neurons."""
        if not self.events.spiking:
            return {}
        found, model = self.events, self.closed_form
        arrays = (found.hazard, model.hazard, found.draw, found.spike)
        return {self.layer: PairedEvents(*(each.ravel() for each in arrays))}

    def energy_by_layer(self) -> dict[str, Mapping[str, float]]:
        """Energy of all events by layer and component, [J]."""
        return {self.layer: self.energy.components}

    def events_of(self, windows: Sequence[Window], cycles: int) -> Events:
        """Events of some of the windows; see `Answers.events_of`."""
        return self.events.of_windows(windows, cycles)

    def compare(self, reference: Answers) -> PathwiseComparison:
        """Compare with another answer to the same events, spike by spike.

        Parameters
        ----------
        reference : LayerResult or ChipResult
            Of the same seed, images and layer, and of as many windows and cycles or more.

        Returns
        -------
        PathwiseComparison
            Number of ``mismatches`` and their ``worst_margin``: two answers may differ only where
            the hazard integral lies within 1 % of its threshold.

        Raises
        ------
        ConfigError
            If it has not these events.
        """
        own = self.events
        return own.compare(reference.events_of(own.windows, own.spike.shape[1]))

    def waveforms(self, *, image: int, neuron: int, position: int | None = None) -> NeuronWaveforms:
        """Waveforms of one neuron in one window.

        Parameters
        ----------
        image, neuron : int
            Numbers from zero: of the image among those simulated, of the output within the layer.
        position : int, optional
            Of the window; may be left out where the image has one.

        Raises
        ------
        ConfigError
            If there is no such window, or its waveforms were not kept.
        """
        record, local = self._record(image, neuron, position)
        return NeuronWaveforms.of(record, local)

    def window(self, image: int, position: int | None = None) -> Window:
        """Window of an image, and of a position where the image has several.

        Raises
        ------
        ConfigError
            If there is not one such window.
        """
        windows = [item for item in self.events.windows if item.image == image]
        chosen = [item for item in windows if position in (None, item.position)]
        if len(chosen) != 1:
            known = ", ".join(str(item.position) for item in windows)
            raise ConfigError(
                f"image {image}, position {position} is {len(chosen)} windows of this result"
                + (f": its positions are {known}" if known else ": it has none of that image")
            )
        return chosen[0]

    def _record(self, image: int, neuron: int, position: int | None) -> tuple[JobRecord, int]:
        """Record that has a neuron, and the neuron's number in it."""
        window = self.window(image, position)
        for record in self.records:
            facts = record.attributes
            local = neuron - int(facts["first_output"])
            if _window(record) == window and 0 <= local < int(facts["outputs"]):
                return record, local
        raise ConfigError(
            f"{self.layer} has no neuron {neuron}: its neurons are 0 to {self.cols // 2 - 1}"
        )

    def as_json(self) -> dict[str, Any]:
        """Object of ``simulate-layer --json``."""
        return {
            "fidelity": self.fidelity,
            "engine": dict(self.engine),
            "seed": self.seed,
            "network": self.network,
            "dataset": asdict(self.dataset),
            "notes": list(self.notes),
            "layer": self.layer,
            "rows": self.rows,
            "cols": self.cols,
            "cycles": self.cycles,
            "burst": self.burst,
            "windows": len(self.events.windows),
            **jobs_json(self.failures, self.jobs),
            "events": self.pathwise.events,
            "spikes": _spikes_json(self.statistics, self.pathwise, self.against_ideal),
            "scores": asdict(self.scores) if self.scores else None,
            **self.energy.as_json(),
            "energy_closure": self.closure,
            "verdict": self.verdict.as_json(),
            "wall_seconds": self.wall_seconds,
            "out": self.out,
        }

    def measures(self) -> dict[str, float]:
        """What a sweep keeps of it: plain numbers by name, SI units."""
        found, ideal = self.statistics, self.against_ideal
        spikes: dict[str, float] = {}
        if found and ideal:
            spikes = {
                "spikes": found.count,
                "spike_rate": found.rate,
                "spike_rate_expected": found.expected_rate,
                "spike_rate_error": found.rate_error,
                "mismatches": self.pathwise.mismatches,
                "worst_margin": self.pathwise.worst_margin,
                "unlike_ideal": ideal.value,
                "unlike_ideal_low": ideal.low,
                "unlike_ideal_high": ideal.high,
            }
        if self.scores:
            spikes["score_deviation"] = self.scores.worst_deviation
        closure = {} if self.closure is None else {"energy_closure": self.closure}
        return {"events": self.pathwise.events, **spikes, **self.energy.measures(), **closure}

    def columns(self) -> Mapping[str, Any]:
        """One row an event."""
        return self.events.columns()

    def table(self) -> Table:
        """What the terminal shows."""
        rows = [
            (
                "windows",
                f"{len(self.events.windows)} of {self.in_cycles()}, {self.pathwise.events} events, "
                f"{self.wall_seconds:.1f} s",
            ),
            *_spike_rows(self.statistics, self.pathwise, self.against_ideal),
        ]
        if self.scores:
            far = f"within {self.scores.worst_deviation:.1e} of the closed form"
            rows.append(("scores", far))
        rows += [("energy", self.energy.headline()), *self.energy.rows()]
        if self.closure is not None:
            rows.append(("closure", f"{self.closure:.1e}"))
        title = (
            f"{self.network} {self.layer}: {self.rows} rows, {self.cols} columns, {self.fidelity} "
            f"on {self.engine['name']} {self.engine['version']}"
        )
        return Table(title, (*rows, *self.stored_rows()), self.notes)


def _window(record: JobRecord) -> Window:
    facts = record.attributes
    return Window(str(facts["layer"]), int(facts["image"]), int(facts["position"]))


def _spikes_json(
    statistics: SpikeStatistics | None,
    comparison: PathwiseComparison,
    ideal: Proportion | None,
) -> dict[str, Any]:
    found: Mapping[str, Any] = {"count": 0, "rate": None, "expected_rate": None}
    if statistics:
        found = {
            "count": statistics.count,
            "rate": statistics.rate,
            "expected_rate": statistics.expected_rate,
            "rate_standard_error": statistics.rate_error,
            "neuron_rates": [float(rate) for rate in statistics.neuron_rates],
            "latency_mean": statistics.latency_mean,
            "latency_median": statistics.latency_median,
            "interval_mean": statistics.interval_mean,
            "fano_factor": statistics.fano_factor,
        }
    return {
        **found,
        "mismatches": comparison.mismatches,
        "expected_mismatches": comparison.expected,
        "apart": comparison.apart,
        "worst_margin": comparison.worst_margin,
        "hazard_deviation": comparison.hazard_deviation,
        "against_ideal": asdict(ideal) if ideal else None,
    }


def _outlook(pathwise: PathwiseComparison) -> str:
    """What drawn transistors leave open, in words; nothing where none were."""
    if pathwise.expected == pathwise.apart == 0:
        return ""
    return f" of {pathwise.expected:.1f} expected, {pathwise.apart} events apart"


def _spike_rows(
    found: SpikeStatistics | None, pathwise: PathwiseComparison, ideal: Proportion | None
) -> list[tuple[str, str]]:
    if found is None or ideal is None:
        return []
    return [
        (
            "spikes",
            f"{found.count}, rate {found.rate:.4f}, expected {found.expected_rate:.4f} "
            f"+- {found.rate_error:.4f} ({found.deviation:+.1f} sigma)",
        ),
        (
            "surrogate",
            f"{pathwise.mismatches} spikes differ{_outlook(pathwise)}, worst margin "
            f"{pathwise.worst_margin:.2%}, hazard within {pathwise.hazard_deviation:.2%}",
        ),
        (
            "ideal array",
            f"{round(ideal.value * ideal.n)} spikes differ, {ideal.value:.2%} "
            f"(95 %: {ideal.low:.2%} to {ideal.high:.2%})",
        ),
        (
            "latency",
            f"{_or_none(found.latency_mean, 's')} mean, {_or_none(found.latency_median, 's')} "
            f"median; Fano factor {_or_none(found.fano_factor, '1')}",
        ),
    ]


def _or_none(value: float | None, unit: str) -> str:
    return "too few spikes" if value is None else format_si(value, unit)
