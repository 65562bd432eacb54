"""Layers of one square tile, and one run of them at any fidelity, with what it cost."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from benchmarks.measure import FAILURES, cpu_clock, measure, said
from memspice.analysis.comparison import compare_spikes
from memspice.engines.base import Engine
from memspice.errors import ConfigError, EngineTimeout
from memspice.network.architecture import Architecture, Dense
from memspice.network.batch import Window
from memspice.network.mapping import MappedLayer, map_network
from memspice.network.weights import Network, WeightLayer
from memspice.parameters import load_parameter_set
from memspice.windows.fidelities import SIMULATED
from memspice.windows.fidelity import Fidelity, WindowJob, window_jobs
from memspice.windows.kept import Kept
from memspice.windows.outcome import Outcome, join_windows, outcome
from memspice.windows.surrogate import Surrogate, surrogate_events

#: Who runs without an engine.
NUMPY = "numpy"
SEED = 0
#: Cycles that inputs are drawn for; fewer are the first of these, so that spikes can be compared.
MOST_CYCLES = 64
#: Limit of a deck that is begun at the end of the time of its run, [s].
_LEAST_LIMIT = 0.05


@dataclass(frozen=True, eq=False)
class LayerRun:
    """One layer through some cycles.

    Parameters
    ----------
    engine, fidelity, size, cycles
        What was run; ``size`` is rows and columns of the tile.
    status : {"ok", "stopped", "failed"}
        What became of it; all that follows is None unless it is ``"ok"``.
    seconds, cpu_seconds : float or None, [s]
        Least of the repeats, without the port reduction, which every fidelity shares.
    found : Outcome or None
        Spikes, hazard integrals, draws and energies of its one window.
    """

    engine: str
    fidelity: str
    size: int
    cycles: int
    status: str = "ok"
    reason: str = ""
    seconds: float | None = None
    cpu_seconds: float | None = None
    found: Outcome | None = None

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
    return window_jobs(layer, Window(layer.name, image, 0), inputs, fidelity, seed=SEED)


def run_once(
    engine: Engine | None, fidelity: str, size: int, cycles: int, limit: float
) -> LayerRun:
    """Run a square layer once; a run that is stopped at its limit [s] or fails is a result, too."""
    run = LayerRun(engine.info.name if engine else NUMPY, fidelity, size, cycles)
    begun = cpu_clock()
    try:
        return _simulated(run, engine, limit) if engine else _surrogate(run)
    except EngineTimeout:
        spent = cpu_clock() - begun
        reason = f"longer than the limit of {limit:g} s, {spent:.0f} s of processor time"
        return replace(run, status="stopped", reason=reason)
    except FAILURES as error:
        return replace(run, status="failed", reason=said(error))


def _jobs(run: LayerRun, fidelity: Fidelity) -> list[WindowJob]:
    """Jobs of a run, their port reduction already done: it is measured by itself."""
    _ = square_layer(run.size).circuits[0].drive_gain
    return square_jobs(run.size, run.cycles, fidelity)


def _simulated(run: LayerRun, engine: Engine, limit: float) -> LayerRun:
    """All jobs of the window one after the other, within a limit [s] for all of them."""
    jobs, found = _jobs(run, SIMULATED[run.fidelity](engine)), []
    begun, cpu_begun, end = time.perf_counter(), cpu_clock(), time.monotonic() + limit
    for job in jobs:
        left = max(end - time.monotonic(), _LEAST_LIMIT)
        found.append(outcome(job.fidelity.run(job, timeout=left, kept=Kept("none"))))
    seconds, cpu = time.perf_counter() - begun, cpu_clock() - cpu_begun
    return replace(run, seconds=seconds, cpu_seconds=cpu, found=join_windows(found)[0])


def _surrogate(run: LayerRun) -> LayerRun:
    """Closed form; timed are the events with their draws, without their energies."""
    jobs = _jobs(run, Surrogate())
    _, cost = measure(lambda: [_spikes(job) for job in jobs])
    (found,) = join_windows([outcome(job.fidelity.run(job)) for job in jobs])
    return replace(run, seconds=cost.seconds, cpu_seconds=cost.cpu_seconds, found=found)


def _spikes(job: WindowJob) -> np.ndarray:
    return np.asarray(surrogate_events(job)["hazard"] >= job.stimulus().thresholds)


def better(one: LayerRun | None, other: LayerRun) -> LayerRun:
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


def difference(run: LayerRun, reference: LayerRun) -> dict[str, Any]:
    """Spikes, hazard integrals and energy of a run against another, in the cycles of both.

    Energy is compared only where both have as many cycles; it is None elsewhere.
    """
    assert run.found
    assert reference.found
    cycles = slice(min(run.cycles, reference.cycles))
    one, other = run.found, reference.found
    found = compare_spikes(
        one.spikes[cycles],
        other.spikes[cycles],
        one.hazard[cycles],
        other.hazard[cycles],
        other.thresholds[cycles],
    )
    same = run.cycles == reference.cycles
    return {
        "reference": list(reference.key),
        "events": found.events,
        "mismatches": found.mismatches,
        "worst_margin": found.worst_margin,
        "hazard_deviation": found.hazard_deviation,
        "energy": abs(energy(one) / energy(other) - 1) if same else None,
    }


def energy(found: Outcome) -> float:
    """Energy of all components, [J]."""
    return sum(found.energy.values())
