"""Layers of one square tile, and one run of them at any fidelity, with what it cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from memspice.analysis.comparison import compare_spikes
from memspice.engines.base import Engine
from memspice.errors import ConfigError, EngineError, EngineTimeout
from memspice.experiment.bench_measure import cpu_clock, measure
from memspice.experiment.outcome import Outcome, join_windows, outcome
from memspice.experiment.window import (
    Fidelity,
    WindowJob,
    run_job,
    surrogate_events,
    window_jobs,
)
from memspice.network.architecture import Architecture, Dense
from memspice.network.inference import Window
from memspice.network.mapping import MappedLayer, map_network
from memspice.network.weights import Network, WeightLayer
from memspice.parameters import load_parameter_set

SEED = 0
#: Cycles that inputs are drawn for; fewer are the first of these, so that spikes can be compared.
MOST_CYCLES = 64
#: Limit of a deck that is begun at the end of the time of its run, [s].
_LEAST_LIMIT = 0.05


@dataclass(frozen=True)
class Run:
    """One layer through some cycles.

    Parameters
    ----------
    engine, fidelity, size, cycles
        What was run; ``size`` is rows and columns of the tile.
    status : {"ok", "stopped", "failed"}
        What became of it; all that follows is None unless it is ``"ok"``.
    seconds, cpu_seconds : float or None, [s]
        Least of the repeats, without the port reduction, which every fidelity shares.
    spikes, hazard, thresholds : ndarray or None, shape (cycles, outputs)
        Of the events.
    energy : float or None, [J]
        Of all components.
    """

    engine: str
    fidelity: Fidelity
    size: int
    cycles: int
    status: str = "ok"
    reason: str = ""
    seconds: float | None = None
    cpu_seconds: float | None = None
    spikes: np.ndarray | None = None
    hazard: np.ndarray | None = None
    thresholds: np.ndarray | None = None
    energy: float | None = None

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What was run."""
        return self.engine, self.fidelity, self.size, self.cycles


@cache
def square_layer(size: int) -> MappedLayer:
    """First layer of a network of random weights: ``size`` rows and columns, the bias row included.

    Half of the columns' pairs are neurons; each sees about the spread of inputs of a trained one.
    """
    if size < 4 or size % 2:
        raise ConfigError(f"size = {size} must be even and at least 4: columns come in pairs")
    rng = np.random.default_rng([SEED, size])
    outputs, bound = size // 2, 2 / np.sqrt(size)
    network = Network(
        Architecture("bench", (1, 1, size - 1), (Dense(outputs), Dense(2))),
        (
            WeightLayer(
                rng.uniform(-bound, bound, (outputs, size - 1)), _bias(rng, outputs), bound
            ),
            WeightLayer(rng.uniform(-bound, bound, (2, outputs)), _bias(rng, 2), bound),
        ),
        {},
    )
    return map_network(network, load_parameter_set("fast-memristor"), (size, size), SEED).layers[0]


def _bias(rng: np.random.Generator, outputs: int) -> np.ndarray:
    """Biases with which about every other event is a spike."""
    return rng.uniform(-0.8, 0.0, outputs)


def square_jobs(size: int, cycles: int, fidelity: Fidelity, image: int = 0) -> list[WindowJob]:
    """Jobs of a window of :func:`square_layer`, half of its inputs spiking."""
    if not 1 <= cycles <= MOST_CYCLES:
        raise ConfigError(f"cycles = {cycles} must be 1 to {MOST_CYCLES}")
    layer = square_layer(size)
    rng = np.random.default_rng([SEED, size, image])
    inputs = (rng.random((MOST_CYCLES, size - 1)) < 0.5)[:cycles].astype(float)
    return window_jobs(layer, Window(layer.name, image, 0), inputs, fidelity, SEED)


def run_once(
    engine: Engine | None, fidelity: Fidelity, size: int, cycles: int, limit: float
) -> Run:
    """Run a square layer once; a run that is stopped at its limit [s] or fails is a result, too."""
    jobs = square_jobs(size, cycles, fidelity)
    name = engine.info.name if engine else "numpy"
    run = Run(name, fidelity, size, cycles)
    _ = square_layer(size).circuits[0].drive_gain  # port reduction: measured by itself
    if engine is None:
        return _surrogate(run, jobs)
    begun, cpu_begun = time.perf_counter(), cpu_clock()
    try:
        found = _simulated(jobs, engine, limit)
    except EngineTimeout:
        spent = cpu_clock() - cpu_begun
        reason = f"longer than the limit of {limit:g} s, {spent:.0f} s of processor time"
        return replace(run, status="stopped", reason=reason)
    except EngineError as error:  # one run of many: said, and the others go on
        return replace(run, status="failed", reason=str(error).splitlines()[0])
    return replace(
        run,
        seconds=time.perf_counter() - begun,
        cpu_seconds=cpu_clock() - cpu_begun,
        spikes=found.spikes,
        hazard=found.hazard,
        thresholds=found.thresholds,
        energy=sum(found.energy.values()),
    )


def _simulated(jobs: Sequence[WindowJob], engine: Engine, limit: float) -> Outcome:
    """Outcome of a window, its jobs one after the other, within a limit [s] for all of them."""
    end, found = time.monotonic() + limit, []
    for job in jobs:
        left = max(end - time.monotonic(), _LEAST_LIMIT)
        found.append(outcome(run_job(job, engine, timeout=left, stored_neurons=0)))
    return join_windows(found)[0]


def _surrogate(run: Run, jobs: Sequence[WindowJob]) -> Run:
    """Closed form of the events, draws included; energies are not part of what is timed."""
    events, cost = measure(lambda: [surrogate_events(job)["hazard"] for job in jobs])
    thresholds = np.concatenate([job.stimulus().thresholds for job in jobs], axis=1)
    hazard = np.concatenate(events, axis=1)
    return replace(
        run,
        seconds=cost.seconds,
        cpu_seconds=cost.cpu_seconds,
        spikes=hazard >= thresholds,
        hazard=hazard,
        thresholds=thresholds,
        energy=sum(sum(run_job(job, None).energy.values()) for job in jobs),
    )


def better(one: Run | None, other: Run) -> Run:
    """The same run with the least times of both; one that ended counts before one that did not."""
    if one is None or one.cpu_seconds is None or one.seconds is None:
        return other
    if other.cpu_seconds is None or other.seconds is None:
        return one
    return replace(
        one,
        seconds=min(one.seconds, other.seconds),
        cpu_seconds=min(one.cpu_seconds, other.cpu_seconds),
    )


def difference(run: Run, reference: Run) -> dict[str, Any]:
    """Spikes, hazard integrals and energy of a run against another, in the cycles of both.

    Energy is compared only where both have as many cycles; it is None elsewhere.
    """
    cycles = min(run.cycles, reference.cycles)
    parts = []
    for item in (run, reference):
        assert item.spikes is not None
        assert item.hazard is not None
        parts.append((item.spikes[:cycles], item.hazard[:cycles]))
    assert reference.thresholds is not None
    (spikes, hazard), (other_spikes, other_hazard) = parts
    found = compare_spikes(
        spikes, other_spikes, hazard, other_hazard, reference.thresholds[:cycles]
    )
    same = run.cycles == reference.cycles and run.energy and reference.energy
    return {
        "reference": list(reference.key),
        "events": found.events,
        "mismatches": found.mismatches,
        "worst_margin": found.worst_margin,
        "hazard_deviation": found.hazard_deviation,
        "energy": abs(run.energy / reference.energy - 1) if same else None,  # type: ignore[operator]
    }
