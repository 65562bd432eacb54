"""``memspice infer``: accuracy and rates of a network, by surrogate or spike by spike in SPICE."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from memspice.analysis.comparison import PathwiseComparison, merge
from memspice.analysis.statistics import proportion
from memspice.engines.base import Engine
from memspice.errors import ConfigError
from memspice.experiment.setup import (
    Prepared,
    Setup,
    dataset_json,
    engine_record,
    open_engine,
    prepare,
)
from memspice.experiment.simulate_layer import compare_with_surrogate, energy_json
from memspice.experiment.summary import ann_accuracy
from memspice.experiment.window import Fidelity, Outcome, WindowJob, outcome, run_job, window_jobs
from memspice.jobs import run_jobs
from memspice.network.architecture import Conv, Pool
from memspice.network.inference import Window, run_inference
from memspice.network.mapping import MappedLayer

Progress = Callable[[int, int], None]
Advance = Callable[[int], None]


def infer(
    setup: Setup,
    fidelity: Fidelity = "surrogate",
    workers: int = 2,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Classify images; the object of ``infer --json``.

    Parameters
    ----------
    setup : Setup
        Network, device, images, cycles.
    fidelity : {"surrogate", "reduced", "full"}
        With SPICE every spike of every layer comes out of the engine and is fed to the next:
        for networks of dense layers only.
    workers : int
        Decks at a time.
    progress : callable, optional
        Called with images done and their number.

    Raises
    ------
    ConfigError
        If SPICE is asked for on a network with convolutions.
    """
    started = time.monotonic()
    prepared = prepare(setup)
    labels = prepared.dataset.labels
    advance = _counter(progress, len(labels) + _steps(prepared, fidelity))
    result: dict[str, Any] = {
        "network": prepared.network.name,
        "dataset": dataset_json(prepared),
        "notes": prepared.notes,
        "device": prepared.mapped.parameter_set.name,
        "fidelity": fidelity,
        "cycles": setup.cycles,
        "seed": setup.seed,
        "ann_accuracy": asdict(ann_accuracy(prepared, advance)),
    }
    if fidelity == "surrogate":
        scores, found = _by_surrogate(prepared, advance)
    else:
        engine = open_engine(setup.engine, fidelity)
        assert engine is not None
        result["engine"] = engine_record(engine.info)
        scores, found = _by_spice(prepared, fidelity, engine, workers, advance)
    correct = int(np.sum(scores.argmax(axis=1) == labels))
    result["snn_accuracy"] = asdict(proportion(correct, len(labels)))
    return {**result, **found, "wall_seconds": time.monotonic() - started}


def _steps(prepared: Prepared, fidelity: Fidelity) -> int:
    """Steps of the spiking network: images of the loop, or decks of SPICE."""
    images = len(prepared.dataset.labels)
    if fidelity == "surrogate":
        return images
    return images * sum(len(layer.circuits) for layer in prepared.mapped.layers)


def _counter(progress: Progress | None, total: int) -> Advance:
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(done, total)

    return advance


def _by_surrogate(prepared: Prepared, advance: Advance) -> tuple[np.ndarray, dict[str, Any]]:
    setup, images = prepared.setup, prepared.dataset.images
    run = run_inference(prepared.mapped, images, setup.cycles, setup.seed, progress=advance)
    return run.scores, {"spike_rate": run.spike_rate}


def _by_spice(
    prepared: Prepared,
    fidelity: Fidelity,
    engine: Engine,
    workers: int,
    advance: Advance,
) -> tuple[np.ndarray, dict[str, Any]]:
    for step in prepared.mapped.steps:
        if isinstance(step, Pool) or isinstance(step.kind, Conv):
            raise ConfigError(
                f"network {prepared.network.name} has convolutions, whose every position would "
                "be a circuit of its own: use --fidelity surrogate, or memspice cosim"
            )
    setup, images = prepared.setup, prepared.dataset.images
    state = images.reshape(len(images), 1, -1).astype(float).repeat(setup.cycles, axis=1)
    outcomes: list[Outcome] = []
    comparisons: list[PathwiseComparison] = []
    rates = {}
    for layer in prepared.mapped.layers:
        jobs = _layer_jobs(layer, state, fidelity, setup.seed)
        state, found, comparison = _spice_layer(layer, jobs, engine, workers, advance)
        outcomes += found
        comparisons.append(comparison)
        if layer.spiking:
            rates[layer.name] = float(state.mean())
    last = prepared.mapped.layers[-1]
    together = merge(comparisons)
    return state.mean(axis=1) / last.volts_per_unit, {
        "spike_rate": rates,
        "events": together.events,
        "mismatches": together.mismatches,
        "worst_margin": together.worst_margin,
        "energy_joule": energy_json(outcomes),
        "energy_closure": max(item.closure or 0.0 for item in outcomes),
    }


def _layer_jobs(
    layer: MappedLayer, inputs: np.ndarray, fidelity: Fidelity, seed: int
) -> list[WindowJob]:
    """One window per image, from its inputs (images, cycles, rows - 1)."""
    return [
        job
        for image, rows in enumerate(inputs)
        for job in window_jobs(layer, Window(layer.name, image, 0), rows, fidelity, seed)
    ]


def _spice_layer(
    layer: MappedLayer,
    jobs: list[WindowJob],
    engine: Engine,
    workers: int,
    advance: Advance,
) -> tuple[np.ndarray, list[Outcome], PathwiseComparison]:
    """Outputs (images, cycles, outputs) of a layer: spikes, or drives [V] of the last layer."""
    records = run_jobs(
        lambda job, cancel: run_job(job, engine, cancel=cancel),
        jobs,
        workers=workers,
        on_done=lambda *_: advance(1),
    )
    found = [outcome(record) for record in records]
    groups = len(layer.circuits)
    parts = [item.spikes.astype(float) if layer.spiking else item.drive for item in found]
    outputs = [
        np.concatenate(parts[start : start + groups], axis=1)
        for start in range(0, len(parts), groups)
    ]
    return np.stack(outputs), found, compare_with_surrogate(jobs, found)
