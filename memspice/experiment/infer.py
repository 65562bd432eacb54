"""Classes that a network gives to images, by surrogate or spike by spike out of SPICE."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from memspice.analysis.statistics import Proportion, proportion
from memspice.errors import ConfigError
from memspice.experiment.batch_store import batch_record, stored_batches
from memspice.experiment.request import Request
from memspice.experiment.results.chip import ChipResult
from memspice.experiment.results.energy import Energy, SampledEnergy
from memspice.experiment.results.run import JobCounts, check_complete, failed_jobs, run_facts
from memspice.experiment.run_options import RunOptions
from memspice.experiment.simulate_layer import total_energy, whole_windows
from memspice.jobs import open_runner
from memspice.network.ann import ann_scores
from memspice.network.architecture import Conv
from memspice.network.batch import BatchResult, Window
from memspice.network.inference import InferenceResult, ended_notes, run_inference
from memspice.network.mapping import MappedLayer
from memspice.network.switching import Calibration
from memspice.store import JobRecord, Provenance
from memspice.windows.agreement import Verdict, judge_all, together
from memspice.windows.choice import choose_windows
from memspice.windows.closed_form import closed_form_layers
from memspice.windows.fidelity import Fidelity, WindowJob, window_jobs
from memspice.windows.outcome import Outcome, join_windows
from memspice.windows.progress import counted
from memspice.windows.run_windows import WindowRuns
from memspice.windows.surrogate import Surrogate

Advance = Callable[[int], None]
#: Name of what is going on.
STAGE = "infer"


def run_chip(
    request: Request,
    *,
    calibration: Mapping[str, Calibration] | None = None,
    energy_windows: int = 0,
    options: RunOptions = RunOptions(),
) -> ChipResult:
    """Classify images in the network loop, with surrogates of all circuits.

    Parameters
    ----------
    request : Request
        Network, images, cycles.
    calibration : mapping, optional
        Corrections of the surrogate, by layer.
    energy_windows : int
        Images of which one window of each layer gives the closed-form energy of an inference.
    options : RunOptions
        How it is carried out, where it is stored, batch by batch, and who is told.

    Raises
    ------
    ConfigError
        If the closed form of a layer does not hold.
    StoreError
        If the run cannot be stored.
    """
    started = time.monotonic()
    advance = counted(options.progress, STAGE, 2 * len(request.images))
    more = {"fidelity": Surrogate.name, "calibration": calibration or {}}
    made = request.provenance(more, None, options.command)
    ann = ann_scores(request.network, request.images.x, advance)
    records: list[JobRecord] = []
    sampled = sampled_windows(request, energy_windows, request.seed)
    with options.store(made) as writer:

        def keep(batch: BatchResult) -> None:
            records.append(batch_record(batch, request.cycles, request.burst, made, 0))
            if writer:
                writer.add(records[-1])

        loop = run_inference(
            request.mapped,
            request.images.x,
            request.cycles,
            request.seed,
            burst=request.burst,
            windows=[window for each in sampled.values() for window in each],
            calibration=calibration,
            execution=options.execution,
            progress=advance,
            known=stored_batches(writer).get(0, {}) if writer else {},
            on_batch=keep,
        )
        answers = {count: scores.argmax(axis=1) for count, scores in loop.scores_at.items()}
        found = _GivenClasses(np.arange(len(request.images)), ann.argmax(axis=1), answers)
        result = ChipResult(
            **_facts(request, found, made),
            fidelity=Surrogate.name,
            notes=(*request.notes, *loop.notes),
            jobs=JobCounts(0, 0, 0, 0, 0),
            failures=(),
            doubts=(),
            wall_seconds=time.monotonic() - started,
            records=tuple(records),
            spike_rate=loop.spike_rate,
            sampled_energy=sampled_energy(request, sampled, loop) if sampled else None,
            request=None if calibration else request,
        )
        return result.stored(writer)


def simulate_chip(
    request: Request,
    fidelity: Fidelity,
    *,
    options: RunOptions = RunOptions(),
) -> ChipResult:
    """Classify images with every spike of every layer out of SPICE, fed to the next.

    For networks of dense layers alone.  An image of which a job failed is left out of everything
    but the failures.

    Parameters
    ----------
    request : Request
        Network, images, cycles.
    fidelity : Reduced or Full
        What SPICE sees, on which engine.
    options : RunOptions
        How it is carried out, where it is stored, who is told.

    Raises
    ------
    ConfigError
        If the network has convolutions.
    IncompleteResults
        If not one image could be classified.
    StoreError
        If the run cannot be stored.
    """
    started = time.monotonic()
    options.execution.check()
    _refuse_convolutions(request)
    assert fidelity.engine is not None
    made = request.provenance({"fidelity": fidelity.name}, fidelity.engine, options.command)
    advance = counted(options.progress, STAGE, len(request.images) + _decks(request, fidelity))
    ann = ann_scores(request.network, request.images.x, advance)
    with options.store(made) as writer:
        with open_runner(fidelity.engine, options.execution) as runner:
            runs = WindowRuns.of_store(runner, writer)
            layers = _spice_layers(request, fidelity, runs, advance)
            verdict = together([layer.verdict for layer in layers])
            if not verdict.holds:
                runner.forget()
        records = tuple(record for layer in layers for record in layer.records)
        last, failures = layers[-1], failed_jobs(records)
        # A leaky average is held last, of all others the mean is taken.
        drives = last.outputs.mean(axis=1) if request.mapped.share == 1 else last.outputs[:, -1]
        readout = request.mapped.layers[-1].readout
        ended = ended_notes(float(readout.ended(last.outputs).mean()))
        answers = {request.cycles: readout.scores(drives).argmax(axis=1)}
        result = ChipResult(
            **_facts(request, _GivenClasses(last.images, ann.argmax(axis=1), answers), made),
            fidelity=fidelity.name,
            notes=(*request.notes, *ended, *runner.tally.problems, *verdict.doubts),
            jobs=JobCounts(len(records), **runner.tally.as_json()),
            failures=failures,
            doubts=tuple(verdict.doubts),
            wall_seconds=time.monotonic() - started,
            records=records,
            spike_rate={
                layer.name: float(found.outputs.mean())
                for layer, found in zip(request.mapped.layers, layers, strict=True)
                if layer.spiking
            },
            energy=reduce(
                add,
                (
                    total_energy(found.outcomes, request.mapped.parameter_set, layer)
                    for layer, found in zip(request.mapped.layers, layers, strict=True)
                ),
            ),
            verdict=verdict,
            request=request,
        )
        return result.stored(writer)


def sampled_windows(request: Request, count: int, seed: int) -> dict[str, list[Window]]:
    """One window of each layer in each of so many images, chosen by a seed."""
    if not count:
        return {}
    images = min(count, len(request.images))
    return {layer.name: choose_windows(layer, images, 1, seed) for layer in request.mapped.layers}


def sampled_energy(
    request: Request, windows: Mapping[str, Sequence[Window]], loop: InferenceResult
) -> SampledEnergy:
    """Closed-form energy of one inference from sampled windows of every layer."""
    layers = closed_form_layers(
        request.mapped.layers,
        windows,
        loop,
        cycles=request.cycles,
        seed=request.seed,
        burst=request.burst,
    )
    half_width = float(np.sqrt(sum(layer.half_width**2 for layer in layers.values())))
    values = request.mapped.parameter_set
    energy = reduce(
        add,
        (
            Energy.of(layers[layer.name].components, values, layer.circuits[0])
            for layer in request.mapped.layers
        ),
    )
    return SampledEnergy(energy, half_width, len(next(iter(windows.values()))))


@dataclass(frozen=True, eq=False)
class _GivenClasses:
    """Classes given to some images: by the ANN to all of them, by the spikes to these."""

    images: np.ndarray
    ann: np.ndarray
    by_cycles: Mapping[int, np.ndarray]


def _facts(request: Request, found: _GivenClasses, made: Provenance) -> dict[str, Any]:
    """What surrogate and SPICE have in common."""
    labels = request.images.y
    kept = None if labels is None else labels[found.images]
    return {
        **run_facts(request, made),
        "mapping": {layer.name: layer.programmed.biases_json() for layer in request.mapped.layers},
        "ann_accuracy": None if labels is None else _right(found.ann, labels),
        "accuracy_at": (
            {}
            if kept is None
            else {count: _right(each, kept) for count, each in found.by_cycles.items()}
        ),
        "labels": kept,
        "ann_answers": found.ann[found.images],
        "answers_at": found.by_cycles,
    }


def _right(answers: np.ndarray, labels: np.ndarray) -> Proportion:
    return proportion(int(np.sum(answers == labels)), len(labels))


def _decks(request: Request, fidelity: Fidelity) -> int:
    """Decks of SPICE for all images."""
    each = [len(fidelity.parts(layer)) for layer in request.mapped.layers]
    return len(request.images) * sum(each)


def _refuse_convolutions(request: Request) -> None:
    for layer in request.mapped.layers:
        pools = [pool for source in layer.step.sources for pool in source.pools]
        if pools or isinstance(layer.kind, Conv):
            raise ConfigError(
                f"network {request.network.name} has convolutions, whose every position would "
                "be a circuit of its own: use --fidelity surrogate, or memspice cosim"
            )


def _spice_layers(
    request: Request, fidelity: Fidelity, runs: WindowRuns, advance: Advance
) -> list[LayerOutputs]:
    """What each layer makes of the images that all layers before it have finished."""
    pixels = request.images.x
    flat = pixels.reshape(len(pixels), -1).astype(float)
    pulses = request.mapped.code.pulses(flat, range(request.cycles))
    state = pulses.reshape(len(pixels), -1, flat.shape[1])
    state = state.repeat(request.cycles // state.shape[1], axis=1)
    images, outputs = np.arange(len(pixels)), [state]
    results: list[LayerOutputs] = []
    for layer in request.mapped.layers:
        rows = np.concatenate([outputs[s.number] for s in layer.step.sources], axis=-1)
        jobs = _layer_jobs(layer, images, rows, fidelity, request)
        found = _spice_layer(layer, jobs, runs, advance)
        results.append(found)
        outputs = [made[np.isin(images, found.images)] for made in outputs]
        images = found.images
        outputs.append(found.outputs)
        if not len(images):
            records = [record for result in results for record in result.records]
            check_complete(failed_jobs(records), len(records))
    return results


@dataclass(frozen=True, eq=False)
class LayerOutputs:
    """Outputs of a layer for some images.

    ``images`` are their numbers; ``outputs`` (images, cycles, outputs) are spikes, or drives [V]
    of the last layer.  Images of which a job failed are only in ``records``.
    """

    images: np.ndarray
    outputs: np.ndarray
    outcomes: list[Outcome]
    verdict: Verdict
    records: Sequence[JobRecord]


def _layer_jobs(
    layer: MappedLayer,
    images: np.ndarray,
    inputs: np.ndarray,
    fidelity: Fidelity,
    request: Request,
) -> list[WindowJob]:
    """One window per image, from its inputs (images, cycles, fan_in)."""
    seed, burst = request.seed, request.burst
    return [
        job
        for image, rows in zip(images.tolist(), inputs, strict=True)
        for job in window_jobs(
            layer, Window(layer.name, image, 0), rows, fidelity, seed=seed, burst=burst
        )
    ]


def _spice_layer(
    layer: MappedLayer, jobs: list[WindowJob], runs: WindowRuns, advance: Advance
) -> LayerOutputs:
    records = runs.run(jobs, lambda _: advance(1))
    whole, found = whole_windows(jobs, records)
    windows = join_windows(found)
    outputs = [item.spikes.astype(float) if layer.spiking else item.drive for item in windows]
    return LayerOutputs(
        images=np.array([item.window.image for item in windows], dtype=int),
        outputs=np.array(outputs),
        outcomes=found,
        verdict=judge_all(whole, found),
        records=records,
    )
