"""Switching probability of a neuron circuit against its drive: SPICE beside the closed form."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from memspice.analysis.points import SwitchingCounts
from memspice.analysis.points_file import PointsFile, read_points
from memspice.analysis.statistics import Agreement, compare_counts
from memspice.analysis.transfer import (
    Station,
    TransferPoint,
    measured_stations,
    read_disturb,
    swept_stations,
    transfer_point,
)
from memspice.circuits.blocks.neuron import HAZARD_CHARGE_PER_SECOND
from memspice.circuits.neuron_bench import (
    BenchEvents,
    NeuronBench,
    bench_deck,
    bench_events,
    bench_signals,
)
from memspice.devices.draws import event_thresholds
from memspice.engines import find_engine
from memspice.engines.base import Engine, SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, IncompleteResults
from memspice.experiment.device import Device, load_device
from memspice.experiment.results.characterization import Characterization
from memspice.experiment.surfaces import measured_neuron
from memspice.jobs import (
    EngineRequest,
    Entry,
    Execution,
    Failure,
    Runner,
    Simulation,
    open_runner,
    run_jobs,
)
from memspice.parameters import ParameterSet
from memspice.windows.agreement import judge_bench, together
from memspice.windows.progress import Progress, counted

#: Largest deck: the engine's time goes with neurons times cycles, and a lost deck is lost work.
MOST_NEURONS, MOST_CYCLES = 16, 32
#: Most events of a characterisation.
MOST_EVENTS = 10_000_000
#: Layer number of the bench's draws: the last that a key has room for, so no layer shares them.
BENCH_LAYER = 2**24 - 1


@dataclass(frozen=True, eq=False)
class _BenchRun:
    """One run of the engine: some neurons at one voltage."""

    point: int
    bench: NeuronBench


def characterize(
    device: Device | ParameterSet | str,
    *,
    points: int | PointsFile | Path | str = 13,
    where: Mapping[str, str] | None = None,
    trials: int | None = None,
    events: int = 256,
    seed: int = 0,
    engine: Engine | str = "ngspice",
    execution: Execution = Execution(),
    progress: Progress | None = None,
) -> Characterization:
    """Simulate write attempts of a neuron at several drive voltages, beside the closed form.

    Every neuron stands at an ideal drive voltage and goes through write, read and reset cycle
    after cycle; its threshold is drawn anew for every event.

    Parameters
    ----------
    device : Device, ParameterSet or str
        Device, neuron circuit and timing.
    points : int, PointsFile, Path or str
        Voltages of the sweep, evenly from P = 1 % to 99 % as far as the rails of the drive allow;
        these are added.  Or
        measured points, or the CSV file that has them: SPICE then stands at their voltages and
        pulses.
    where, trials
        Which points of such a file; see `memspice.analysis.points_file.read_points`.
    events : int
        Write attempts at each voltage; rounded up to fill the decks evenly.
    seed : int
        Seed of the thresholds, 0 to 2**64 - 1.
    engine : Engine or str
        Circuit simulator.
    execution : Execution
        How decks are carried out.
    progress : Progress, optional
        Is told how far it is.

    Returns
    -------
    Characterization

    Raises
    ------
    ConfigError
        If there are fewer than 2 points or 1 event, the seed is out of range, or the device's P
        between the rails is below 1 % or above 99 %.
    IncompleteResults
        If decks failed for good, after all others were simulated.
    """
    start = time.monotonic()
    asked = _parameter_set(device)
    stations, notes, source = _stations(asked, points, where, trials)
    parameter_set = measured_neuron(asked)  # stations may have pulses of their own
    _check(len(stations), events, seed)
    execution.check()
    engine = find_engine(engine)
    decks = [
        deck
        for number, station in enumerate(stations)
        for deck in _decks(number, station, events=events, seed=seed)
    ]
    advance = counted(progress, "transfer curve", len(decks))
    with open_runner(engine, execution) as runner:
        found = run_jobs(
            partial(_run, runner),
            decks,
            workers=runner.workers,
            on_done=lambda _, __: advance(1),
        )
    results = list(zip(decks, _complete(found), strict=True))
    verdict = together([judge_bench(deck.bench, events) for deck, events in results])
    if not verdict.holds:
        runner.forget()
    transfer = tuple(
        _point(station, [result for result in results if result[0].point == number])
        for number, station in enumerate(stations)
    )
    return Characterization(
        parameter_set=parameter_set,
        engine=engine.info,
        seed=seed,
        points=transfer,
        agreement=compare_counts(
            [point.count for point in transfer],
            [point.spikes.n for point in transfer],
            [point.expected for point in transfer],
        ),
        measured=_against_measured(transfer),
        source=source,
        remarks=tuple(notes),
        read_disturb=read_disturb(parameter_set),
        wall_seconds=time.monotonic() - start,
        doubts=tuple(verdict.doubts),
    )


def _parameter_set(device: Device | ParameterSet | str) -> ParameterSet:
    if isinstance(device, ParameterSet):
        return device
    return (load_device(device) if isinstance(device, str) else device).parameters


def _stations(
    parameter_set: ParameterSet,
    points: int | PointsFile | Path | str,
    where: Mapping[str, str] | None,
    trials: int | None,
) -> tuple[list[Station], list[str], str]:
    """Where neurons stand, what is said of points left out, and the file of measured ones."""
    if isinstance(points, int):
        if points < 2:
            raise ConfigError(f"points = {points} must be at least 2, the ends of the sweep")
        if where or trials is not None:
            raise ConfigError("where and trials choose among measured points: name their file")
        return *swept_stations(measured_neuron(parameter_set), points), ""
    file = points if isinstance(points, PointsFile) else read_points(Path(points), where, trials)
    if not isinstance(file.points, SwitchingCounts):
        raise ConfigError(
            f"{file.path} has times of switching, and neurons are written with pulses: give "
            "voltage, pulse_width, switched and trials"
        )
    stations, notes = measured_stations(parameter_set, file.points)
    pulses = {station.parameter_set.timing.write: station.parameter_set for station in stations}
    known = {pulse: measured_neuron(chosen) for pulse, chosen in pulses.items()}
    stations = [
        replace(station, parameter_set=known[station.parameter_set.timing.write])
        for station in stations
    ]
    return stations, notes, file.source


def _against_measured(points: Sequence[TransferPoint]) -> Agreement | None:
    """How well the closed form fits measured points, if there are any."""
    found = [(point.measured, point.expected) for point in points if point.measured]
    if not found:
        return None
    return compare_counts(
        [round(share.value * share.n) for share, _ in found],
        [share.n for share, _ in found],
        [expected for _, expected in found],
    )


def _check(points: int, events: int, seed: int) -> None:
    if events < 1:
        raise ConfigError(f"events per point = {events} must be at least 1")
    if points * events > MOST_EVENTS:
        raise ConfigError(
            f"points = {points} of {events} events each are more than {MOST_EVENTS:,} events in all"
        )
    if not 0 <= seed < 2**64:
        raise ConfigError(f"seed = {seed} must be from 0 to 2**64 - 1")


def _decks(point: int, station: Station, *, events: int, seed: int) -> list[_BenchRun]:
    """Benches for at least so many events at one voltage, all of one size."""
    parameter_set = station.parameter_set
    count = math.ceil(events / (MOST_NEURONS * MOST_CYCLES))
    each = math.ceil(events / count)
    cycles = math.ceil(each / MOST_NEURONS)
    neurons = math.ceil(each / cycles)
    # The point stands for the image, the deck for the position.
    draws = np.stack(
        [
            event_thresholds(
                seed, BENCH_LAYER, image=point, cycle=cycle, first=0, count=count * neurons
            )
            for cycle in range(cycles)
        ]
    )
    return [
        _BenchRun(
            point,
            NeuronBench(
                parameter_set.neuron,
                parameter_set.latch,
                parameter_set.timing,
                np.full(neurons, station.voltage),
                draws[:, number * neurons : (number + 1) * neurons],
            ),
        )
        for number in range(count)
    ]


def _run(runner: Runner, deck: _BenchRun, cancel: threading.Event) -> BenchEvents | Failure:
    bench, write = deck.bench, deck.bench.timing.write
    charge = HAZARD_CHARGE_PER_SECOND * write
    request = EngineRequest(
        runner.engine.write(bench_deck(bench)),
        Transient(stop=bench.duration, max_step=bench.timing.longest_step, from_rest=True),
        tuple(bench_signals(bench)),
        SolverOptions(method="gear", reltol=1e-5, chgtol=0.1 * charge),
    )
    simulation = Simulation(
        name=f"{bench.neurons} neurons at {bench.drive_voltage[0]:.4g} V",
        request=request,
        identity=("bench 2", bench),
        evaluate=partial(_evaluate, bench),
        codec=_EventsCodec(),
        accept=lambda events: judge_bench(bench, events).holds,
    )
    return runner.run(simulation, cancel)


def _evaluate(bench: NeuronBench, waves: Waveforms) -> BenchEvents:
    return bench_events(bench, waves)


class _EventsCodec:
    """Keeps the events of a deck in the cache of results."""

    def pack(self, events: BenchEvents) -> Entry:
        return Entry({}, {"hazard": events.hazard, "spike": events.spike, "energy": events.energy})

    def unpack(self, entry: Entry) -> BenchEvents:
        return BenchEvents(**entry.arrays)


def _complete(found: list[BenchEvents | Failure]) -> list[BenchEvents]:
    """All events; refuse to draw a curve with holes."""
    events = [item for item in found if not isinstance(item, Failure)]
    failed = [item for item in found if isinstance(item, Failure)]
    if failed:
        raise IncompleteResults(
            f"{len(failed)} of {len(found)} decks failed, the first after {failed[0].attempts} "
            f"attempts: {failed[0].reason}\nWith the cache, the same command tries only these again"
        )
    return events


def _point(station: Station, results: list[tuple[_BenchRun, BenchEvents]]) -> TransferPoint:
    """Put the events of one voltage together."""
    return transfer_point(
        station,
        thresholds=np.concatenate([deck.bench.thresholds.ravel() for deck, _ in results]),
        spike=np.concatenate([events.spike.ravel() for _, events in results]),
        hazard_spice=np.concatenate([events.hazard.ravel() for _, events in results]),
        energy=np.sum([events.energy.sum(axis=0) for _, events in results], axis=0),
    )
