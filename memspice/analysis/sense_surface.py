"""A sense stage measured in SPICE and kept as a surface: drive and joules over two line currents.

A stage without a closed form is simulated at Chebyshev nodes of (i_plus, i_minus), after its
warm-up cycles and with its held drive weighted by the hazard law; polynomials through the results
stand for the stage where no circuit is solved.  What makes such a surface wrong is looked for
first: a drive that still changes from cycle to cycle, or that depends on what the cycle before
carried.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from memspice.circuits.sense_bench import (
    ClockedStage,
    SenseBench,
    SenseCycles,
    sense_bench_cycles,
    sense_bench_deck,
    sense_bench_signals,
)
from memspice.circuits.timing import Pulse
from memspice.engines.base import SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, IncompleteResults
from memspice.jobs import EngineRequest, Entry, Failure, Runner, Simulation, run_jobs

#: Change of ln H by memory, or from cycle to cycle, above which a stage is refused: half of the
#: margin within which events of the surrogate and of a circuit may differ.
MOST_DRIFT = 0.005
#: On a stage of 25 transistors: 0.3 mV and 0.06 % of energy off a run at 20 ps and reltol 1e-6, at
#: a sixth of its time.
OPTIONS = SolverOptions(reltol=1e-4, chgtol=1e-17, trtol=3.0, vntol=1e-6)
#: Steps a cycle at least.
STEPS = 30
#: Points beside the nodes at which a surface is compared with the circuit.
HELD_OUT = 16
_SEED = 20


@dataclass(frozen=True, eq=False)
class SenseConditions:
    """Under what a stage is measured.

    Parameters
    ----------
    cycle : float, [s]
        Length of a cycle.
    write : Pulse
        Write pulse of the neuron.
    line_conductance, line_capacitance : float, [S] and [F]
        Of each bit line.
    limits : tuple of float, [A]
        Least and largest current of a line.
    voltage_scale : float, [V]
        ``V0`` of the hazard law, as seen at the drive.
    nodes : int
        Chebyshev nodes an axis.
    """

    cycle: float
    write: Pulse
    line_conductance: float
    line_capacitance: float
    limits: tuple[float, float]
    voltage_scale: float
    nodes: int = 13

    def __post_init__(self) -> None:
        """Check the range and the number of nodes."""
        low, high = self.limits
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ConfigError(f"line currents from {low} to {high} A must rise and be finite")
        if self.nodes < 3:
            raise ConfigError(f"nodes = {self.nodes} must be at least 3 an axis")

    def bench(self, stage: ClockedStage, currents: np.ndarray) -> SenseBench:
        """Bench of a stage that carries some currents (cycles, 2) [A]."""
        lines = (self.line_conductance, self.line_capacitance)
        return SenseBench(stage, self.cycle, self.write, currents, *lines)


@dataclass(frozen=True)
class SurfaceError:
    """How far a surface is from the circuit at points that it was not made from.

    ``drive_worst``, ``drive_rms`` are in [V]; ``energy_worst``, ``energy_rms`` relative, [1].
    """

    points: int
    drive_worst: float
    drive_rms: float
    energy_worst: float
    energy_rms: float


@dataclass(frozen=True, eq=False)
class SenseSurface:
    """Drive and energies of a sense stage over the currents of its two lines.

    Parameters
    ----------
    limits : tuple of float, [A]
        Range of both currents.
    drive, supplies, lines : ndarray, shape (degree + 1, degree + 1), [V] and [J]
        Chebyshev coefficients over the range, plus line first: effective write voltage; joules a
        cycle out of supplies, bias lines and clocks; joules a cycle out of the bit lines.
    drift, memory : float, [V]
        Largest change of the drive between the first two cycles that count, and by what the cycle
        before carried.
    droop : float, [V]
        Largest change of the drive while it acts.
    error : SurfaceError
    """

    limits: tuple[float, float]
    drive: np.ndarray
    supplies: np.ndarray
    lines: np.ndarray
    drift: float
    memory: float
    droop: float
    error: SurfaceError

    def drive_voltage(self, currents: np.ndarray) -> np.ndarray:
        """Effective write voltage [V] for currents (..., 2) [A] of plus and minus line.

        Raises
        ------
        ConfigError
            If a current lies outside of the range.
        """
        return self._value(self.drive, currents)

    def energy(self, currents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Joules a cycle of supplies with clocks, and of the lines, for currents (..., 2) [A]."""
        return self._value(self.supplies, currents), self._value(self.lines, currents)

    def _value(self, coefficients: np.ndarray, currents: np.ndarray) -> np.ndarray:
        scaled = _scaled(self.limits, currents)
        if not (np.abs(scaled) <= 1 + 1e-9).all():
            low, high = self.limits
            worst = np.asarray(currents).flat[np.argmax(np.abs(scaled))]
            raise ConfigError(
                f"a line current of {worst:.4g} A is outside of the characterised {low:.4g} to "
                f"{high:.4g} A; widen the range"
            )
        return np.asarray(chebyshev.chebval2d(scaled[..., 0], scaled[..., 1], coefficients))


def measure_sense_surface(
    stage: ClockedStage,
    conditions: SenseConditions,
    runner: Runner,
    on_done: Callable[[], None] = lambda: None,
) -> SenseSurface:
    """Measure a stage; results are kept in the cache of the runner.

    Parameters
    ----------
    stage : ClockedStage
    conditions : SenseConditions
    runner : Runner
        With an engine.
    on_done : callable, optional
        Called after each deck.

    Returns
    -------
    SenseSurface

    Raises
    ------
    ConfigError
        If the stage has not settled after its warm-up, or has a memory.
    IncompleteResults
        If decks failed for good.
    NetlistError, EngineError
        As of the engine.
    """

    def measured(rows: Iterator[np.ndarray]) -> _Measured:
        decks = list(rows)
        found = run_jobs(
            partial(_run, runner, stage, conditions),
            decks,
            workers=runner.workers,
            on_done=lambda _, __: on_done(),
        )
        return list(zip(decks, _complete(found), strict=True))

    drift, memory = _refuse_drift(stage, conditions, measured(_corners(conditions.limits)))
    nodes, others = measured(_node_rows(conditions)), measured(_held_out(conditions))
    return _fit(conditions, nodes, others, drift, memory)


#: Currents of each deck and what came of them.
_Measured = list[tuple[np.ndarray, SenseCycles]]


def _corners(limits: tuple[float, float]) -> Iterator[np.ndarray]:
    """Currents of the checks: a corner twice, another one, the first again."""
    corners = [(plus, minus) for plus in limits for minus in limits]
    for corner, other in zip(corners, reversed(corners), strict=True):
        yield np.array([corner, corner, other, corner])


def _node_rows(conditions: SenseConditions) -> Iterator[np.ndarray]:
    low, high = conditions.limits
    nodes = (low + high + (high - low) * chebyshev.chebpts2(conditions.nodes)) / 2
    for plus in nodes:
        yield _twice(np.stack(np.broadcast_arrays(plus, nodes), axis=-1))


def _twice(currents: np.ndarray) -> np.ndarray:
    """Every point for two cycles, of which the second counts.

    The charge that lines and wells keep from the cycle before would otherwise count among the
    joules of a cycle (1.3 % on the stage of the tests); over many cycles it cancels.
    """
    return currents.repeat(2, axis=0)


def _held_out(conditions: SenseConditions) -> Iterator[np.ndarray]:
    low, high = conditions.limits
    points = np.random.default_rng(_SEED).uniform(low, high, (HELD_OUT, 2))
    yield from (_twice(part) for part in np.array_split(points, 2))


def _run(
    runner: Runner,
    stage: ClockedStage,
    conditions: SenseConditions,
    currents: np.ndarray,
    cancel: threading.Event,
) -> SenseCycles | Failure:
    bench = conditions.bench(stage, currents)
    request = EngineRequest(
        runner.engine.write(sense_bench_deck(bench)),
        Transient(stop=bench.duration, max_step=bench.cycle / STEPS, from_rest=True),
        tuple(sense_bench_signals(bench)),
        OPTIONS,
    )
    scale = conditions.voltage_scale
    simulation = Simulation(
        name=f"{stage.subcircuit} at {currents[0, 0] * 1e6:.4g} uA",
        request=request,
        identity=("sense bench", bench, scale),
        evaluate=partial(_evaluate, bench, scale),
        codec=_CyclesCodec(),
    )
    return runner.run(simulation, cancel)


def _evaluate(bench: SenseBench, scale: float, waves: Waveforms) -> SenseCycles:
    return sense_bench_cycles(bench, scale, waves)


class _CyclesCodec:
    """Keeps the cycles of a bench in the cache of results."""

    def pack(self, cycles: SenseCycles) -> Entry:
        energies = {f"energy {name}": values for name, values in cycles.energy.items()}
        return Entry({}, {"drive": cycles.drive, "droop": cycles.droop, **energies})

    def unpack(self, entry: Entry) -> SenseCycles:
        arrays: dict[str, Any] = dict(entry.arrays)
        drive, droop = arrays.pop("drive"), arrays.pop("droop")
        return SenseCycles(drive, droop, {k.removeprefix("energy "): v for k, v in arrays.items()})


def _complete(found: list[SenseCycles | Failure]) -> list[SenseCycles]:
    failed = [item for item in found if isinstance(item, Failure)]
    if failed:
        raise IncompleteResults(
            f"{len(failed)} of {len(found)} decks of the sense stage failed, the first after "
            f"{failed[0].attempts} attempts: {failed[0].reason}"
        )
    return [item for item in found if not isinstance(item, Failure)]


def _refuse_drift(
    stage: ClockedStage, conditions: SenseConditions, checks: _Measured
) -> tuple[float, float]:
    """Largest drift and memory of the drive, [V]; refuse a stage that has too much of them."""
    limit = MOST_DRIFT * conditions.voltage_scale
    drift = np.array([cycles.drive[1] - cycles.drive[0] for _, cycles in checks])
    memory = np.array([cycles.drive[3] - cycles.drive[1] for _, cycles in checks])
    advice = (
        (
            memory,
            "depends on what the cycle before carried",
            "give every node that keeps a charge a way to a fixed level within a cycle",
        ),
        (drift, "changes from the first cycle that counts to the next", "raise warm_up"),
    )
    for change, what, remedy in advice:
        worst = int(np.argmax(np.abs(change)))
        if abs(change[worst]) > limit:
            plus, minus = checks[worst][0][0] * 1e6
            raise ConfigError(
                f"the drive of the sense stage {stage.subcircuit} {what}: by "
                f"{change[worst] * 1e3:.3g} mV at {plus:.3g} and {minus:.3g} uA, and "
                f"{limit * 1e3:.2g} mV are allowed ({MOST_DRIFT:.1%} in the hazard); {remedy}"
            )
    return float(np.abs(drift).max()), float(np.abs(memory).max())


def _fit(
    conditions: SenseConditions,
    nodes: _Measured,
    others: _Measured,
    drift: float,
    memory: float,
) -> SenseSurface:
    # a few nodes more than coefficients, so that the solver's noise is averaged
    degree = conditions.nodes - 1 - conditions.nodes // 6
    points, drive, supplies, lines = _values(nodes)
    scaled = _scaled(conditions.limits, points)
    matrix = chebyshev.chebvander2d(scaled[:, 0], scaled[:, 1], [degree, degree])
    targets = np.stack([drive, supplies, lines], axis=-1)
    solved = np.linalg.lstsq(matrix, targets, rcond=None)[0]
    values = solved.T.reshape(3, degree + 1, degree + 1)
    droop = max(float(np.abs(cycles.droop).max()) for _, cycles in nodes)
    blank = SurfaceError(0, 0.0, 0.0, 0.0, 0.0)
    limits = conditions.limits
    surface = SenseSurface(limits, values[0], values[1], values[2], drift, memory, droop, blank)
    return replace(surface, error=_error(surface, others))


def _error(surface: SenseSurface, others: _Measured) -> SurfaceError:
    points, drive, supplies, lines = _values(others)
    apart = surface.drive_voltage(points) - drive
    energy = np.add(*surface.energy(points)) / (supplies + lines) - 1
    return SurfaceError(len(points), _worst(apart), _rms(apart), _worst(energy), _rms(energy))


def _values(measured: _Measured) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Currents (points, 2) [A]; drive [V], joules of supplies and of lines, each (points,)."""
    points = np.concatenate([currents[1::2] for currents, _ in measured])
    drive = np.concatenate([cycles.drive[1::2] for _, cycles in measured])
    lines = np.concatenate([cycles.energy["lines"][1::2] for _, cycles in measured])
    total = np.concatenate([cycles.total[1::2] for _, cycles in measured])
    return points, drive, total - lines, lines


def _scaled(limits: tuple[float, float], currents: np.ndarray) -> np.ndarray:
    """Currents over their range, -1 to 1."""
    low, high = limits
    return np.asarray((2 * np.asarray(currents) - low - high) / (high - low))


def _worst(values: np.ndarray) -> float:
    return float(np.abs(values).max())


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))
