"""``memspice infer``: accuracy and rates of a network, by surrogate or spike by spike in SPICE."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from memspice.analysis.statistics import accuracy_json
from memspice.errors import ConfigError
from memspice.experiment.batch_store import batch_record, stored_batches
from memspice.experiment.simulate_layer import (
    energy_json,
    whole_windows,
)
from memspice.experiment.summary import ann_accuracy
from memspice.jobs import Execution, open_runner
from memspice.network.architecture import Conv
from memspice.network.inference import BatchResult, Window, run_inference
from memspice.network.mapping import MappedLayer
from memspice.store import Provenance, RunWriter, open_store, place_notes
from memspice.windows.agreement import Verdict, judge_all, together
from memspice.windows.fidelities import open_fidelity
from memspice.windows.fidelity import Fidelity, WindowJob, window_jobs
from memspice.windows.outcome import Outcome, join_windows
from memspice.windows.progress import counted
from memspice.windows.run_windows import WindowRuns, check_complete, failures_json
from memspice.windows.setup import (
    Prepared,
    Setup,
    dataset_json,
    engine_record,
    prepare,
    run_config,
)

Progress = Callable[[int, int], None]
Advance = Callable[[int], None]


def infer(
    setup: Setup,
    fidelity: str = "surrogate",
    execution: Execution = Execution(),  # noqa: B008 - frozen
    progress: Progress | None = None,
    out: Path | None = None,
    *,
    resume: bool = False,
    command: str = "",
) -> dict[str, Any]:
    """Classify images; the object of ``infer --json``.

    An image of which a job failed is left out of everything but ``failures``.
    ``snn_accuracy_by_cycles``, of the surrogate, is what runs of fewer bursts would give.  Images
    without labels have no accuracy: it is None, and there is none by cycles.

    Parameters
    ----------
    setup : Setup
        Network, device, images, cycles.
    fidelity : {"surrogate", "reduced", "full"}
        With SPICE every spike of every layer comes out of the engine and is fed to the next:
        for networks of dense layers only.
    execution : Execution
        How decks are carried out.
    progress : callable, optional
        Called with images done and their number.
    out : Path, optional
        HDF5 file of the run: scores and spikes of the images, batch by batch, or with SPICE its
        windows; nothing is stored without.
    resume : bool
        Go on with the run in ``out`` instead of starting anew.
    command : str
        Command line, for the provenance.

    Raises
    ------
    ConfigError
        If SPICE is asked for on a network with convolutions, or for bursts.
    IncompleteResults
        If not one image could be classified.
    StoreError
        If the run cannot be stored.
    """
    execution.check()
    chosen = open_fidelity(fidelity, setup.engine)
    chosen.check_burst(setup.burst)
    engine = chosen.engine
    started = time.monotonic()
    prepared = prepare(setup)
    made = Provenance(
        config=run_config(prepared, {"fidelity": fidelity}),
        seed=setup.seed,
        engine=engine_record(engine.info if engine else None),
        command=command,
    )
    labels = prepared.dataset.y
    advance = counted(progress, len(prepared.dataset) + _steps(prepared, chosen))
    result: dict[str, Any] = {
        "network": prepared.network.name,
        "dataset": dataset_json(prepared),
        "notes": prepared.notes,
        "mapping": {layer.name: layer.programmed.biases_json() for layer in prepared.mapped.layers},
        "device": prepared.mapped.parameter_set.name,
        "fidelity": fidelity,
        "cycles": setup.cycles,
        "burst": setup.burst,
        "seed": setup.seed,
        "ann_accuracy": ann_accuracy(prepared, advance),
    }
    with open_store(out, made, resume=resume) as writer:
        if engine is None:
            scores, found = _by_surrogate(prepared, labels, advance, writer)
        else:
            result["engine"] = engine_record(engine.info)
            with open_runner(engine, execution) as runner:
                runs = WindowRuns.of_store(runner, writer)
                scores, images, found = _by_spice(prepared, chosen, runs, advance)
            labels = None if labels is None else labels[images]
            doubts = found["verdict"]["doubts"]
            result["notes"] = [*result["notes"], *runner.tally.problems, *doubts]
        result |= {
            "classified": len(scores),
            "snn_accuracy": accuracy_json(scores, labels),
            **found,
        }
        if writer:
            holds = found.get("verdict", {}).get("holds", True)
            whole = holds and not found.get("failures")
            writer.finish(result, "complete" if whole else "incomplete")
            result["notes"] = [*result["notes"], *place_notes(writer)]
    place = str(writer.place) if writer else None
    return {**result, "wall_seconds": time.monotonic() - started, "out": place}


def _steps(prepared: Prepared, fidelity: Fidelity) -> int:
    """Steps of the spiking network: images of the loop, or decks of SPICE."""
    images = len(prepared.dataset)
    if fidelity.engine is None:
        return images
    return images * sum(len(fidelity.parts(layer)) for layer in prepared.mapped.layers)


def _by_surrogate(
    prepared: Prepared, labels: np.ndarray | None, advance: Advance, writer: RunWriter | None
) -> tuple[np.ndarray, dict[str, Any]]:
    setup, images = prepared.setup, prepared.dataset.x

    def keep(batch: BatchResult) -> None:
        if writer:
            writer.add(batch_record(batch, setup.cycles, setup.burst, writer.provenance))

    run = run_inference(
        prepared.mapped,
        images,
        setup.cycles,
        setup.seed,
        burst=setup.burst,
        progress=advance,
        known=stored_batches(writer) if writer else {},
        on_batch=keep,
    )
    by_cycles = [
        {"cycles": cycles, **found}
        for cycles, scores in run.scores_at.items()
        if (found := accuracy_json(scores, labels))
    ]
    return run.scores, {"snn_accuracy_by_cycles": by_cycles, "spike_rate": run.spike_rate}


def _by_spice(
    prepared: Prepared, fidelity: Fidelity, runs: WindowRuns, advance: Advance
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Scores (images, classes), the numbers of those images, and what else was found."""
    for layer in prepared.mapped.layers:
        pools = [pool for source in layer.step.sources for pool in source.pools]
        if pools or isinstance(layer.kind, Conv):
            raise ConfigError(
                f"network {prepared.network.name} has convolutions, whose every position would "
                "be a circuit of its own: use --fidelity surrogate, or memspice cosim"
            )
    setup, pixels = prepared.setup, prepared.dataset.x
    state = pixels.reshape(len(pixels), 1, -1).astype(float).repeat(setup.cycles, axis=1)
    images, outputs = np.arange(len(pixels)), [state]
    results: list[LayerOutputs] = []
    rates, total = {}, 0
    for layer in prepared.mapped.layers:
        rows = np.concatenate([outputs[s.number] for s in layer.step.sources], axis=-1)
        jobs = _layer_jobs(layer, images, rows, fidelity, setup.seed)
        total += len(jobs)
        found = _spice_layer(layer, jobs, runs, advance)
        results.append(found)
        outputs = [made[np.isin(images, found.images)] for made in outputs]
        images, state = found.images, found.outputs
        outputs.append(state)
        if not len(images):
            check_complete(_failures(results), total)
        if layer.spiking:
            rates[layer.name] = float(state.mean())
    last = prepared.mapped.layers[-1]
    outcomes = [item for result in results for item in result.outcomes]
    verdict = together([result.verdict for result in results])
    if not verdict.holds:
        runs.runner.forget()
    return (
        last.scores(state.mean(axis=1)),
        images,
        {
            "spike_rate": rates,
            "events": verdict.pathwise.events,
            "mismatches": verdict.pathwise.mismatches,
            "worst_margin": verdict.pathwise.worst_margin,
            **energy_json(outcomes, prepared.mapped.parameter_set),
            "energy_closure": verdict.closure,
            "verdict": verdict.as_json(),
            "jobs": {"total": total, **runs.runner.tally.as_json()},
            "failures": _failures(results),
        },
    )


@dataclass(frozen=True, eq=False)
class LayerOutputs:
    """What a layer made of some images.

    ``images`` are their numbers; ``outputs`` (images, cycles, outputs) are spikes, or drives [V]
    of the last layer. Images of which a job failed are only in ``failures``.
    """

    images: np.ndarray
    outputs: np.ndarray
    outcomes: list[Outcome]
    verdict: Verdict
    failures: list[dict[str, str | int]]


def _failures(results: Sequence[LayerOutputs]) -> list[dict[str, str | int]]:
    return [item for result in results for item in result.failures]


def _layer_jobs(
    layer: MappedLayer, images: np.ndarray, inputs: np.ndarray, fidelity: Fidelity, seed: int
) -> list[WindowJob]:
    """One window per image, from its inputs (images, cycles, fan_in)."""
    return [
        job
        for image, rows in zip(images.tolist(), inputs, strict=True)
        for job in window_jobs(layer, Window(layer.name, image, 0), rows, fidelity, seed)
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
        failures=failures_json(records),
    )
