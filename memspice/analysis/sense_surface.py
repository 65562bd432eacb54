"""A sense stage measured in SPICE: a surface of drive and joules over its two line currents.

A stage without a closed form is simulated at the nodes of its surface (`SurfaceAxes`), after its
warm-up cycles and with its held drive weighted by the hazard law; splines through the results stand
for the stage where no circuit is solved.  What makes a surface wrong is looked for first: a drive
that still changes from cycle to cycle, or that depends on what the one before carried.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from memspice.analysis.surface_fit import (
    BenchCurrents,
    Measured,
    flat_surface,
    surface_error,
    with_lines,
)
from memspice.analysis.surface_limits import refuse_rough, refuse_sag
from memspice.circuits.blocks.neuron import Neuron
from memspice.circuits.blocks.sense import MeasuredStage
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.sense_bench import (
    ClockedStage,
    SenseBench,
    SenseCycles,
    sense_bench_cycles,
    sense_bench_deck,
    sense_bench_signals,
)
from memspice.circuits.sense_surface import SenseSurface, middle
from memspice.circuits.surface_axes import SurfaceAxes, spread
from memspice.circuits.timing import Pulse, Schedule
from memspice.engines.base import SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, IncompleteResults
from memspice.jobs import EngineRequest, Entry, Failure, Runner, Simulation, run_jobs

#: Change of ln H by memory, or from cycle to cycle, above which a stage is refused: half of the
#: margin within which events of the surrogate and of a circuit may differ.
MOST_DRIFT = 0.005
#: Of benches, and of windows of such circuits, where charges of 0.01 fC count.  ``trtol * reltol *
#: chgtol``, 1.6e-19 C, is what a step may be wrong by: the drive of a burst of eight is within
#: 0.3 mV, joules within 0.1 %, of a tight run (reltol 3e-5, chgtol 1e-17; Gear's rule is 1 mV off).
#: By its tight ``reltol`` ngspice may leave out what rests (`memspice.engines.deck.BYPASS_RELTOL`).
OPTIONS = SolverOptions(reltol=1e-5, chgtol=4e-15, trtol=4.0, vntol=1e-6, method="trap")
#: Steps a cycle at least.
STEPS = 30
#: Points beside the nodes at which a surface is compared with the circuit, at least: no fewer than
#: there are gaps between nodes along either coordinate.
HELD_OUT, HELD_OUT_DECKS = 16, 4
#: Relative range of conductances below which lines are alike: 0.1 mV on the same stage.
SAME = 0.01
#: Conductances at which each line is measured.
LINES = 4
#: By how much pulses of a burst differ there from their mean, at most, of the range of currents:
#: 0.35 uA sd of 20.  In cifar10-skip it is 0.2 to 0.3 uA, at single outputs up to 1.3.
UNLIKE = 0.035
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
    conductances : tuple of float, [S]
        Least and largest conductance of a bit line.
    pair : float, [1]
        Largest ratio of the conductances of two lines.
    axes : SurfaceAxes
        Coordinates of the line currents, and their nodes.
    voltage_scale : float, [V]
        ``V0`` of the hazard law, as seen at the drive; below 0 where a lower drive writes harder.
    """

    cycle: float
    write: Pulse
    conductances: tuple[float, float]
    pair: float
    axes: SurfaceAxes
    voltage_scale: float

    def __post_init__(self) -> None:
        """Check the range of conductances."""
        low, high = self.conductances
        if not (math.isfinite(high) and 0 < low <= high):
            raise ConfigError(f"line conductances from {low} to {high} S must be above 0 and rise")
        if not self.pair >= 1:
            raise ConfigError(f"pair = {self.pair} must be a ratio, 1 or more")

    @property
    def conductance(self) -> float:
        """Geometric mean of the range of conductances, [S]."""
        return middle(self.conductances)

    def conductance_at(self, share: float) -> float:
        """Conductance at a share of the range of their logarithms, [S]."""
        low, high = self.conductances
        return float(low * (high / low) ** share)


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
        If the stage has not settled after its warm-up, or has a memory, or if the surface does not
        follow it.
    IncompleteResults
        If decks failed for good.
    NetlistError, EngineError
        As of the engine.
    """

    def measured(decks: Iterator[BenchCurrents]) -> Measured:
        listed = list(decks)
        if stage.pulses > 1:
            # what lines keep from the drive before counts for one of many pulses
            listed = [replace(deck, repeats=1) for deck in listed]
        found = run_jobs(
            partial(_run, runner, stage, conditions),
            listed,
            workers=runner.workers,
            on_done=lambda _, __: on_done(),
        )
        return list(zip(listed, _complete(found), strict=True))

    drift, memory = _refuse_drift(stage, conditions, measured(_corners(conditions)))
    surface = flat_surface(
        conditions.axes, conditions.conductances, conditions.pair, measured(_grid(conditions))
    )
    low, high = conditions.conductances
    if high - low > SAME * high:
        surface = with_lines(surface, [measured(_line(conditions, number)) for number in (0, 1)])
    alike = list(_held_out(conditions))
    unlike = _unlike(alike, conditions.axes.limits, stage.pulses) if stage.pulses > 1 else iter(())
    error = surface_error(surface, measured(iter(alike)), measured(unlike))
    refuse_rough(stage.subcircuit, error, conditions.voltage_scale)
    refuse_sag(stage.subcircuit, surface.sag, conditions.voltage_scale)
    return replace(surface, drift=drift, memory=memory, error=error)


def conditions_of(stage: MeasuredStage, schedule: Schedule, neuron: Neuron) -> SenseConditions:
    """Conditions under which a stage works in front of a neuron, in the cycle of a layer."""
    scale = neuron.device.hazard.voltage_scale / neuron.write_fraction
    return SenseConditions(
        cycle=schedule.cycle,
        write=schedule.write,
        conductances=stage.conductances,
        pair=stage.pair,
        axes=stage.axes,
        voltage_scale=stage.slope * scale,
    )


def with_surfaces(
    circuits: Sequence[LayerCircuit],
    surface_of: Callable[[ClockedStage, SenseConditions], SenseSurface],
) -> tuple[LayerCircuit, ...]:
    """Circuits of one layer, with a surface of their sense stage where it has no closed form.

    Parameters
    ----------
    circuits : sequence of LayerCircuit
        Column groups, whose sense stages differ by their transistors alone.
    surface_of : callable
        Such as `measure_sense_surface` with a runner; errors are its own.

    Returns
    -------
    tuple of LayerCircuit
        The limits of their drives are those of the stage, in the place of a model's rails.
    """
    first = circuits[0]
    stage = first.sense.unmeasured
    if stage is None:
        return tuple(circuits)
    surface = surface_of(stage.circuit, conditions_of(stage, first.schedule, first.neuron))
    joined = first.spiking and not first.turned
    level = float(first.drive_for(np.array(first.bias_voltage)))
    own = [(circuit.sense.unmeasured or stage).with_surface(surface) for circuit in circuits]
    stages = [sense.joined(level) for sense in own] if joined else own
    bias = np.concatenate([circuit.output_bias for circuit in circuits])
    low, high = stages[0].span
    limits = float(bias.min() + low), float(bias.max() + high)
    return tuple(
        replace(circuit, sense=sense, known_ports=circuit.ports, write_limits=limits)
        for circuit, sense in zip(circuits, stages, strict=True)
    )


def _corners(conditions: SenseConditions) -> Iterator[BenchCurrents]:
    """Decks of the checks: a corner twice, another one, the first again."""
    mean, corners = conditions.conductance, conditions.axes.corners
    for corner, other in zip(corners, reversed(corners), strict=True):
        yield BenchCurrents(np.array([corner, corner, other, corner]), (mean, mean), repeats=1)


def _grid(conditions: SenseConditions) -> Iterator[BenchCurrents]:
    mean = conditions.conductance
    for currents in conditions.axes.rows:
        yield BenchCurrents(currents, (mean, mean))


def _line(conditions: SenseConditions, number: int) -> Iterator[BenchCurrents]:
    """Decks in which one line has conductances over the range, and both the same currents."""
    alike = conditions.axes.alike
    for share in spread((0.0, 1.0), LINES):
        lines = [conditions.conductance] * 2
        lines[number] = conditions.conductance_at(share)
        yield BenchCurrents(np.stack([alike, alike], axis=-1), (lines[0], lines[1]))


def _held_out(conditions: SenseConditions) -> Iterator[BenchCurrents]:
    """Decks of points between the nodes, on lines of any conductances."""
    draws, gaps = np.random.default_rng(_SEED), max(map(len, conditions.axes.nodes)) - 1
    count = HELD_OUT_DECKS * math.ceil(max(HELD_OUT, gaps) / HELD_OUT_DECKS)
    for points in np.split(conditions.axes.draw(draws, count), HELD_OUT_DECKS):
        yield BenchCurrents(points, _two_lines(conditions, draws))


def _two_lines(conditions: SenseConditions, draws: np.random.Generator) -> tuple[float, float]:
    """Conductances [S] of two lines, even in their logarithms and not too far apart."""
    low, high = conditions.conductances
    plus = conditions.conductance_at(draws.random())
    ratio = conditions.pair ** draws.uniform(-1, 1)
    return plus, float(np.clip(plus * ratio, low, high))


def _unlike(
    decks: Sequence[BenchCurrents], limits: tuple[float, float], pulses: int
) -> Iterator[BenchCurrents]:
    """The same with pulses that differ, and the points as their means."""
    (low, high), draws = limits, np.random.default_rng(_SEED)
    for deck in decks:
        apart = draws.uniform(-1, 1, (len(deck.points), pulses, 2))
        apart = apart - apart.mean(axis=1, keepdims=True)
        room = np.minimum(deck.points - low, high - deck.points) / np.abs(apart).max(axis=1)
        apart *= np.minimum(room, UNLIKE * (high - low))[:, None]
        yield replace(deck, unlike=deck.points[:, None] + apart)


def _run(
    runner: Runner,
    stage: ClockedStage,
    conditions: SenseConditions,
    deck: BenchCurrents,
    cancel: threading.Event,
) -> SenseCycles | Failure:
    bench = SenseBench(
        stage,
        conditions.cycle,
        conditions.write,
        deck.currents,
        deck.conductances,
    )
    request = EngineRequest(
        runner.engine.write(sense_bench_deck(bench)),
        Transient(stop=bench.duration, max_step=bench.cycle / STEPS, from_rest=True),
        tuple(sense_bench_signals(bench)),
        OPTIONS,
    )
    scale = conditions.voltage_scale
    simulation = Simulation(
        name=f"{stage.subcircuit} at {deck.points[0, 0] * 1e6:.4g} uA",
        request=request,
        identity=("sense bench 4", bench, scale),
        evaluate=partial(_evaluate, bench, scale),
        codec=_CyclesCodec(),
    )
    return runner.run(simulation, cancel)


def _evaluate(bench: SenseBench, scale: float, waves: Waveforms) -> SenseCycles:
    return sense_bench_cycles(bench, scale, waves)


#: Arrays of `SenseCycles` that are no energies by name.
_PLAIN = ("drive", "droop", "sag", "absorbed", "relief", "excursion")


class _CyclesCodec:
    """Keeps the cycles of a bench in the cache of results."""

    def pack(self, cycles: SenseCycles) -> Entry:
        energies = {f"energy {name}": values for name, values in cycles.energy.items()}
        plain = {name: getattr(cycles, name) for name in _PLAIN}
        return Entry({}, {**plain, **energies})

    def unpack(self, entry: Entry) -> SenseCycles:
        arrays: dict[str, Any] = dict(entry.arrays)
        plain = {name: arrays.pop(name) for name in _PLAIN}
        energy = {name.removeprefix("energy "): values for name, values in arrays.items()}
        return SenseCycles(**plain, energy=energy)


def _complete(found: list[SenseCycles | Failure]) -> list[SenseCycles]:
    failed = [item for item in found if isinstance(item, Failure)]
    if failed:
        raise IncompleteResults(
            f"{len(failed)} of {len(found)} decks of the sense stage failed, the first after "
            f"{failed[0].attempts} attempts: {failed[0].reason}"
        )
    return [item for item in found if not isinstance(item, Failure)]


def _refuse_drift(
    stage: ClockedStage, conditions: SenseConditions, checks: Measured
) -> tuple[float, float]:
    """Largest drift and memory of the drive, [V]; refuse a stage that has too much of them."""
    limit = MOST_DRIFT * abs(conditions.voltage_scale)
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
            plus, minus = checks[worst][0].points[0] * 1e6
            raise ConfigError(
                f"the drive of the sense stage {stage.subcircuit} {what}: by "
                f"{change[worst] * 1e3:.3g} mV at {plus:.3g} and {minus:.3g} uA on lines of "
                f"{conditions.conductance * 1e6:.3g} uS, and "
                f"{limit * 1e3:.2g} mV are allowed ({MOST_DRIFT:.1%} in the hazard); {remedy}"
            )
    return float(np.abs(drift).max()), float(np.abs(memory).max())
