"""``memspice simulate-layer``: one layer of a network through SPICE, against the surrogate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from memspice.analysis.assumed import assumed_fraction
from memspice.analysis.comparison import PathwiseComparison
from memspice.analysis.spikes import SpikeStatistics, spike_statistics
from memspice.circuits.energy_model import COMPONENTS
from memspice.errors import ConfigError
from memspice.jobs import Execution, Runner, open_runner
from memspice.network.closed_form_check import closed_form_refusals
from memspice.network.inference import run_inference
from memspice.network.mapping import MappedLayer
from memspice.parameters import ParameterSet
from memspice.store import JobRecord, Provenance, open_store, place_notes
from memspice.windows.agreement import Verdict, judge_all
from memspice.windows.fidelities import open_fidelity
from memspice.windows.fidelity import Fidelity, WindowJob, window_jobs
from memspice.windows.outcome import Outcome, join_windows, outcome
from memspice.windows.progress import counted
from memspice.windows.run_windows import WindowRuns, check_complete, failures_json
from memspice.windows.setup import (
    Prepared,
    Setup,
    choose_windows,
    dataset_json,
    engine_record,
    prepare,
    run_config,
)
from memspice.windows.surrogate import surrogate_events

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class LayerRun(Execution):
    """Settings of a layer simulation, besides those of :class:`Setup`."""

    layer: str | None = None
    positions: int = 1
    fidelity: str = "reduced"


@dataclass(frozen=True, eq=False)
class LayerResult:
    """What a layer simulation found; ``json`` is the object of ``--json``.

    A window of which a job failed is left out of everything but the counts of jobs and the store.
    """

    json: dict[str, Any]
    statistics: SpikeStatistics | None
    verdict: Verdict
    outcomes: list[Outcome]

    def check_complete(self) -> None:
        """Fail if jobs did.

        Raises
        ------
        IncompleteResults
            If any did; the message names some and says why.
        """
        check_complete(self.json["failures"], self.json["jobs"]["total"])


def simulate_layer(
    setup: Setup,
    run: LayerRun,
    out: Path | None,
    *,
    resume: bool = False,
    command: str = "",
    progress: Progress | None = None,
) -> LayerResult:
    """Simulate windows of one layer, store them, compare them with the surrogate.

    Parameters
    ----------
    setup, run
        What to simulate.
    out : Path, optional
        HDF5 file of the run; nothing is stored without.
    resume : bool
        Go on with the run in ``out`` instead of starting anew.
    command : str
        Command line, for the provenance.
    progress : callable, optional
        Called with what is going on, steps done and steps to do.

    Raises
    ------
    MemspiceError
        As config, engine or store say; what was finished is in ``out``.
    IncompleteResults
        If not one window could be simulated.
    """
    started = time.monotonic()
    run.check()
    fidelity = open_fidelity(run.fidelity, setup.engine)
    fidelity.check_burst(setup.burst)
    prepared = prepare(setup)
    name = run.layer or prepared.mapped.layers[0].name
    layer = prepared.mapped.layer(name)
    engine = fidelity.engine
    jobs = _jobs(prepared, layer, run, fidelity, progress)
    total = len(jobs)
    record = engine_record(engine.info if engine else None)
    provenance = Provenance(
        config=run_config(prepared, {"layer": name, **_run_config(run)}),
        seed=setup.seed,
        engine=record,
        command=command,
    )
    with (
        open_runner(engine, run) as runner,
        open_store(out, provenance, resume=resume) as writer,
    ):
        advance = counted(progress and partial(progress, "windows"), total)
        records = WindowRuns.of_store(runner, writer).run(jobs, lambda _: advance(1))
        failures = failures_json(records)
        jobs, outcomes = whole_windows(jobs, records)
        verdict = judge_all(jobs, outcomes)
        if writer:
            summary = {"jobs": total, "failed": len(failures)}
            whole = verdict.holds and not failures
            writer.finish(summary, "complete" if whole else "incomplete")
    if not jobs:
        check_complete(failures, total)
    if not verdict.holds:
        runner.forget()
    statistics = layer_statistics(layer, outcomes)
    result = {
        "fidelity": run.fidelity,
        "engine": record,
        "seed": setup.seed,
        "network": prepared.network.name,
        "dataset": dataset_json(prepared),
        "notes": [
            *prepared.notes,
            *_notes(layer, run, runner, failures),
            *verdict.doubts,
            *place_notes(writer),
        ],
        "layer": name,
        "rows": layer.rows,
        "cols": 2 * layer.outputs,
        "cycles": setup.cycles,
        "burst": setup.burst,
        "windows": len({job.window for job in jobs}),
        "jobs": {"total": total, **runner.tally.as_json()},
        "failures": failures,
        "events": verdict.pathwise.events,
        "spikes": _spike_json(statistics, verdict.pathwise),
        "scores": _score_json(layer, jobs, outcomes),
        **energy_json(outcomes, prepared.mapped.parameter_set),
        "energy_closure": verdict.closure,
        "verdict": verdict.as_json(),
        "wall_seconds": time.monotonic() - started,
        "out": str(writer.place) if writer else None,
    }
    return LayerResult(result, statistics, verdict, outcomes)


def _notes(
    layer: MappedLayer, run: LayerRun, runner: Runner, failures: Sequence[object]
) -> list[str]:
    """Where the run is smaller than asked for."""
    asked, found, notes = run.positions, layer.positions, list(runner.tally.problems)
    if found < asked:
        notes.append(f"{asked} positions asked for, {layer.name} has {found}")
    if failures:
        notes.append(f"{len(failures)} jobs failed: their windows are left out")
    return notes


def whole_windows(
    jobs: Sequence[WindowJob], records: Iterable[JobRecord]
) -> tuple[list[WindowJob], list[Outcome]]:
    """Jobs and outcomes of the windows of which no job failed, in their order."""
    pairs = list(zip(jobs, records, strict=True))
    broken = {(job.window, job.fidelity) for job, record in pairs if record.failed}
    kept = [pair for pair in pairs if (pair[0].window, pair[0].fidelity) not in broken]
    return [job for job, _ in kept], [outcome(record) for _, record in kept]


def _run_config(run: LayerRun) -> dict[str, object]:
    return {"positions": run.positions, "fidelity": run.fidelity}


def _jobs(
    prepared: Prepared,
    layer: MappedLayer,
    run: LayerRun,
    fidelity: Fidelity,
    progress: Progress | None,
) -> list[WindowJob]:
    """Jobs of the chosen windows; their inputs come from the network loop."""
    setup, images = prepared.setup, prepared.dataset.x
    advance = counted(progress and partial(progress, "network loop"), len(images))
    windows = choose_windows(layer, len(images), run.positions, setup.seed)
    if fidelity.exact:
        _check_inputs(prepared, layer)
    loop = run_inference(
        prepared.mapped,
        images,
        setup.cycles,
        setup.seed,
        burst=setup.burst,
        windows=windows,
        checked=not fidelity.exact,  # then only what comes before the layer counts
        progress=advance,
    )
    return [
        job
        for window in windows
        for job in window_jobs(
            layer, window, loop.windows[window], fidelity, setup.seed, setup.burst
        )
    ]


def _check_inputs(prepared: Prepared, layer: MappedLayer) -> None:
    """Refuse inputs out of a loop that has no closed form of the layers before this one."""
    refused = closed_form_refusals(prepared.mapped, prepared.dataset.x)
    for before in prepared.mapped.layers[: layer.number]:
        if before.name in refused:
            raise ConfigError(
                f"inputs of {layer.name} would come from the network loop, but "
                f"{refused[before.name]} (memspice infer --fidelity full simulates every layer of "
                "a dense network)"
            )


def layer_statistics(layer: MappedLayer, outcomes: Sequence[Outcome]) -> SpikeStatistics | None:
    """Spike statistics over all windows; None for an accumulating layer."""
    if not layer.spiking or not outcomes:
        return None
    windows = join_windows(outcomes)
    spikes, hazard, thresholds = (
        np.stack([getattr(window, name) for window in windows])
        for name in ("spikes", "hazard", "thresholds")
    )
    return spike_statistics(spikes, hazard, thresholds, layer.circuits[0].timing.write)


def energy_json(outcomes: Sequence[Outcome], parameter_set: ParameterSet) -> dict[str, Any]:
    """Energy of all outcomes together: by component, in all [J], and what it rests on."""
    energy = {name: sum(item.energy[name] for item in outcomes) for name in COMPONENTS}
    return {
        "energy_joule": energy,
        "energy_total_joule": sum(energy.values()),
        "assumed_fraction": assumed_fraction(energy, parameter_set.provenance),
        "device_source": parameter_set.device_source,
    }


def _spike_json(
    statistics: SpikeStatistics | None, comparison: PathwiseComparison
) -> dict[str, Any]:
    found: Mapping[str, Any] = {}
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
    empty = {"count": 0, "rate": None, "expected_rate": None}
    return {
        **(found or empty),
        "mismatches": comparison.mismatches,
        "worst_margin": comparison.worst_margin,
        "hazard_deviation": comparison.hazard_deviation,
    }


def _score_json(
    layer: MappedLayer, jobs: Sequence[WindowJob], outcomes: Sequence[Outcome]
) -> dict[str, float] | None:
    """Deviation of an accumulating layer's scores from the closed form; None with neurons.

    The relative one is that of the largest score, or of 1 where all are smaller.
    """
    if layer.spiking:
        return None
    expected = [surrogate_events(job)["drive"] for job in jobs]
    deviation = max(
        float(np.max(np.abs(result.drive - drive)))
        for result, drive in zip(outcomes, expected, strict=True)
    )
    largest = max(layer.volts_per_unit, *(float(np.max(np.abs(drive))) for drive in expected))
    return {
        "volts_per_unit": layer.volts_per_unit,
        "worst_deviation": deviation / layer.volts_per_unit,
        "relative_deviation": deviation / largest,
    }
