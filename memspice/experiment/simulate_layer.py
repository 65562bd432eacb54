"""One layer of a network through SPICE, window by window, beside the closed form."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from memspice.analysis.spikes import SpikeStatistics, spike_statistics
from memspice.analysis.statistics import Proportion, proportion
from memspice.circuits.energy_model import COMPONENTS
from memspice.errors import ConfigError
from memspice.experiment.request import Request
from memspice.experiment.results.energy import Energy
from memspice.experiment.results.events import Events
from memspice.experiment.results.layer import LayerResult, ScoreDeviation
from memspice.experiment.results.run import (
    FailedJob,
    JobCounts,
    check_complete,
    failed_jobs,
    run_facts,
)
from memspice.experiment.run_options import RunOptions
from memspice.jobs import Runner, open_runner
from memspice.network.closed_form_check import closed_form_refusals
from memspice.network.ideal import ideal_hazard
from memspice.network.inference import run_inference
from memspice.network.mapping import MappedLayer
from memspice.parameters import ParameterSet
from memspice.store import JobRecord
from memspice.windows.agreement import judge_all
from memspice.windows.choice import choose_windows
from memspice.windows.fidelity import Fidelity, WindowJob, window_jobs
from memspice.windows.kept import Kept
from memspice.windows.outcome import Outcome, join_windows, outcome
from memspice.windows.progress import Progress, counted
from memspice.windows.run_windows import WindowRuns
from memspice.windows.surrogate import surrogate_events


def simulate_layer(
    request: Request,
    layer: MappedLayer,
    fidelity: Fidelity,
    *,
    positions: int = 1,
    keep: str | Iterable[int] = "sample",
    options: RunOptions = RunOptions(),
) -> LayerResult:
    """Simulate windows of one layer, store them, compare them with the surrogate.

    Parameters
    ----------
    request : Request
        Network, images, cycles.
    layer : MappedLayer
        One of the network's.
    fidelity : Fidelity
        What SPICE sees, on which engine.
    positions : int
        Windows of each image, chosen by the seed.
    keep : str or iterable of int
        Neurons whose waveforms are kept; see `memspice.windows.kept.Kept`.
    options : RunOptions
        How it is carried out, where it is stored, who is told.

    Raises
    ------
    MemspiceError
        As config, engine or store say; what was finished is in the run file.
    IncompleteResults
        If not one window could be simulated.
    """
    started = time.monotonic()
    options.execution.check()
    kept = Kept.of(keep)
    kept.check(layer.name, layer.outputs)
    jobs = _jobs(request, layer, fidelity, positions, options.progress)
    more = {"layer": layer.name, "positions": positions, "fidelity": fidelity.name}
    more |= kept.as_config()
    provenance = request.provenance(more, fidelity.engine, options.command)
    with (
        open_runner(fidelity.engine, options.execution) as runner,
        options.store(provenance) as writer,
    ):
        advance = counted(options.progress, "windows", len(jobs))
        runs = WindowRuns.of_store(runner, writer, kept)
        records = runs.run(jobs, lambda _: advance(1))
        failures = failed_jobs(records)
        whole, outcomes = whole_windows(jobs, records)
        if not whole:
            if writer:
                writer.finish({}, "incomplete")
            check_complete(failures, len(jobs))
        verdict = judge_all(whole, outcomes)
        if not verdict.holds:
            runner.forget()
        result = LayerResult(
            **run_facts(request, provenance),
            fidelity=fidelity.name,
            notes=(
                *request.notes,
                *_notes(layer, positions, runner, failures),
                *verdict.doubts,
            ),
            jobs=JobCounts(len(jobs), **runner.tally.as_json()),
            failures=failures,
            doubts=tuple(verdict.doubts),
            wall_seconds=time.monotonic() - started,
            records=tuple(records),
            layer=layer.name,
            rows=layer.rows,
            cols=2 * layer.outputs,
            statistics=layer_statistics(layer, outcomes),
            scores=_score_deviation(layer, whole, outcomes),
            energy=total_energy(outcomes, request.mapped.parameter_set, layer),
            verdict=verdict,
            closed_form=closed_form_events(whole, outcomes),
            against_ideal=against_ideal(request, layer, whole, outcomes),
        )
        return result.stored(writer)


def _notes(
    layer: MappedLayer, positions: int, runner: Runner, failures: Sequence[FailedJob]
) -> list[str]:
    """Where the run is smaller than asked for."""
    found, notes = layer.positions, list(runner.tally.problems)
    if found < positions:
        notes.append(f"{positions} positions asked for, {layer.name} has {found}")
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


def _jobs(
    request: Request,
    layer: MappedLayer,
    fidelity: Fidelity,
    positions: int,
    progress: Progress | None,
) -> list[WindowJob]:
    """Jobs of the chosen windows; their inputs come from the network loop."""
    images = request.images.x
    windows = choose_windows(layer, len(images), positions, request.seed)
    if fidelity.exact:
        _check_inputs(request, layer)
    loop = run_inference(
        request.mapped,
        images,
        request.cycles,
        request.seed,
        burst=request.burst,
        windows=windows,
        scored=False,
        checked=not fidelity.exact,  # then only what comes before the layer counts
        progress=counted(progress, "network loop", len(images)),
    )
    return [
        job
        for window in windows
        for job in window_jobs(
            layer, window, loop.windows[window], fidelity, seed=request.seed, burst=request.burst
        )
    ]


def _check_inputs(request: Request, layer: MappedLayer) -> None:
    """Refuse inputs out of a loop that has no closed form of the layers before this one."""
    before = request.mapped.layers[: layer.number]
    for reason in closed_form_refusals(before, request.images.x, request.burst).values():
        raise ConfigError(
            f"inputs of {layer.name} would come from the network loop, but {reason} (memspice "
            "infer --fidelity full simulates every layer of a dense network)"
        )


def closed_form_events(jobs: Sequence[WindowJob], outcomes: Sequence[Outcome]) -> Events:
    """Closed form of the events of jobs, in the place of what they ended with."""
    each = []
    for job, found in zip(jobs, outcomes, strict=True):
        model = surrogate_events(job)
        spikes = model["hazard"] >= found.thresholds
        each.append(replace(found, drive=model["drive"], hazard=model["hazard"], spikes=spikes))
    return Events.of(join_windows(each))


def against_ideal(
    request: Request, layer: MappedLayer, jobs: Sequence[WindowJob], outcomes: Sequence[Outcome]
) -> Proportion | None:
    """Share of spikes that are none on the ideal array, or lack there: same inputs, same draws.

    None of a layer without neurons; see `memspice.network.ideal`.
    """
    if not layer.spiking:
        return None
    inputs = {job.window: job.inputs for job in jobs}
    wrong = events = 0
    for item in join_windows(outcomes):
        hazard = ideal_hazard(
            request.network, request.mapped, layer.name, inputs[item.window], request.burst
        )
        wrong += int(np.count_nonzero(item.spikes != (hazard >= item.thresholds)))
        events += item.spikes.size
    return proportion(wrong, events)


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


def total_energy(
    outcomes: Sequence[Outcome], parameter_set: ParameterSet, layer: MappedLayer
) -> Energy:
    """Energy of all outcomes of a layer together."""
    parts = {name: sum(item.energy[name] for item in outcomes) for name in COMPONENTS}
    return Energy.of(parts, parameter_set, layer.circuits[0])


def _score_deviation(
    layer: MappedLayer, jobs: Sequence[WindowJob], outcomes: Sequence[Outcome]
) -> ScoreDeviation | None:
    """Deviation of an accumulating layer's scores from the closed form; None with neurons."""
    if layer.spiking:
        return None
    expected = [surrogate_events(job)["drive"] for job in jobs]
    deviation = max(
        float(np.max(np.abs(result.drive - drive)))
        for result, drive in zip(outcomes, expected, strict=True)
    )
    largest = max(layer.volts_per_unit, *(float(np.max(np.abs(drive))) for drive in expected))
    return ScoreDeviation(
        layer.volts_per_unit, deviation / layer.volts_per_unit, deviation / largest
    )
