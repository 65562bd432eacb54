"""A neuron of the user's own measured in SPICE: hazard integral and joules against its drive.

Neurons stand on a bench at even distances of write voltage and go through cycles whose draws are
chosen: one that nothing reaches, twice, so that each ends with its full integral; then draws at a
thousandth of that, at nothing's reach again, and a little below and above.  So what would make the
curve wrong is seen first: a neuron that does not spike just where its integral reaches the draw,
does not forget the cycle before, or bends too much between the points.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from memspice.analysis.comparison import MARGIN
from memspice.circuits import nodes
from memspice.circuits.blocks.latch import Latch
from memspice.circuits.blocks.neuron import (
    HAZARD_CHARGE_PER_SECOND,
    MeasurableNeuron,
    Neuron,
    instance,
)
from memspice.circuits.neuron_bench import NeuronBench, bench_deck
from memspice.circuits.neuron_curve import NeuronCurve
from memspice.circuits.signals import energy_between
from memspice.circuits.timing import Timing
from memspice.devices.measured_hazard import MeasuredHazard
from memspice.engines.base import SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, IncompleteResults
from memspice.jobs import EngineRequest, Entry, Failure, Runner, Simulation

#: A draw that no hazard integral reaches.
NEVER = 1e6
#: Share of the integral at which a draw counts as reached at once.
AT_ONCE = 1e-3
#: Draws beside the integral, relative: outside of the margin by which spikes may differ.
BELOW, ABOVE = 1 - 2 * MARGIN, 1 + 2 * MARGIN
#: Change of ln H by memory, and between the points of a curve, above which a neuron is refused:
#: half of the margin.
MOST = MARGIN / 2
#: Integrals beyond these decide no event: draws below 1e-5 and above 20 come once in 100,000
#: events; a device that has switched for good need not go on counting.
DECIDING = (1e-5, 20.0)


@dataclass(frozen=True, eq=False)
class NeuronCycles:
    """Cycles of neurons on a bench.

    Parameters
    ----------
    hazard : ndarray, shape (cycles, neurons), [1]
        Integral at the end of the write phase.
    spike : ndarray of bool, shape (cycles, neurons)
    grown : ndarray, shape (cycles, neurons), [1]
        What the integral gained from there to the end of the read pulse.
    level : ndarray, shape (cycles, neurons), [V]
        Read node when the latch looks.
    energy : ndarray, shape (cycles, neurons, 3), [J]
        What flowed into each in the write, read and reset phase, without its latch.
    """

    hazard: np.ndarray
    spike: np.ndarray
    grown: np.ndarray
    level: np.ndarray
    energy: np.ndarray


def measure_neuron(
    neuron: MeasurableNeuron, latch: Latch, timing: Timing, runner: Runner
) -> MeasurableNeuron:
    """Neuron with its curve; results are kept in the cache of the runner.

    Parameters
    ----------
    neuron, latch, timing
        The circuit, and the cycle it goes through.
    runner : Runner
        With an engine that can run it.

    Raises
    ------
    ConfigError
        If spikes are not where the integral reaches the draw, the neuron has a memory, or its
        integral does not rise, or bends too much between the points.
    IncompleteResults
        If the engine failed.
    """
    # every second one is held out: the curve between the points is judged there
    drives = np.linspace(*neuron.write_limits, 2 * neuron.curve_points - 1)
    run = partial(run_bench, neuron, latch, timing, drives, runner=runner)
    quiet = run(np.full((2, len(drives)), NEVER))
    hazard = quiet.hazard[1]
    _refuse_dead(neuron, drives, hazard)
    draws = np.maximum(hazard, DECIDING[0] / 2) * np.array([AT_ONCE, np.nan, BELOW, ABOVE])[:, None]
    told = run(np.where(np.isnan(draws), NEVER, draws))
    deciding = (hazard > DECIDING[0]) & (hazard < DECIDING[1])
    _refuse_falling(neuron, drives, hazard, deciding)
    memory = _refuse_memory(neuron, drives, [quiet.hazard[0], told.hazard[1], hazard], deciding)
    _refuse_spikes(neuron, drives, quiet, told, deciding)
    curve = _curve(drives[::2], hazard[::2], timing)
    error = _refuse_bends(neuron, curve, drives[1::2], hazard[1::2], deciding[1::2])
    at_once = np.nonzero(told.spike[0])[0]
    return neuron.with_curve(
        NeuronCurve(
            timing=timing,
            hazard=curve,
            write=np.stack([quiet.energy[1, ::2, 0], told.energy[0, ::2, 0]]),
            read=np.array([quiet.energy[1, :, 1].mean(), told.energy[0, at_once, 1].mean()]),
            reset=np.array([quiet.energy[1, :, 2].mean(), told.energy[0, at_once, 2].mean()]),
            levels=np.array([quiet.level[1].max(), told.level[0, at_once].min()]),
            disturb=float(-np.expm1(-max(quiet.grown[1].max(), 0.0))),
            error=error,
            memory=memory,
        )
    )


def run_bench(
    neuron: Neuron,
    latch: Latch,
    timing: Timing,
    drives: np.ndarray,
    draws: np.ndarray,
    *,
    runner: Runner,
    steps: float = 1.0,
    options: SolverOptions | None = None,
) -> NeuronCycles:
    """Simulate neurons at some drives (neurons,) [V] with draws (cycles, neurons) [1].

    Parameters
    ----------
    neuron, latch, timing, drives, draws
        The bench.
    runner : Runner
    steps : float, [1]
        Longest step of the solver, in that of a run.
    options : SolverOptions, optional
        Tolerances; by default those of `bench_options`.

    Raises
    ------
    IncompleteResults
        If the engine failed.
    """
    bench = NeuronBench(neuron, latch, timing, drives, draws)
    signals = [name for n in range(bench.neurons) for name in neuron.signals(instance(n))]
    signals += [f"v({nodes.spike(n)})" for n in range(bench.neurons)]
    request = EngineRequest(
        runner.engine.write(bench_deck(bench)),
        Transient(stop=bench.duration, max_step=steps * timing.longest_step, from_rest=True),
        tuple(signals),
        options or bench_options(timing),
    )
    simulation = Simulation(
        name=f"neuron {neuron.name}",
        request=request,
        identity=("own neuron", bench),
        evaluate=partial(_cycles, bench),
        codec=_NeuronCodec(),
    )
    found = runner.run(simulation, threading.Event())
    if isinstance(found, Failure):
        raise IncompleteResults(
            f"the neuron {neuron.name} could not be simulated, after {found.attempts} "
            f"attempts: {found.reason}"
        )
    return found


def bench_options(timing: Timing) -> SolverOptions:
    """Tolerances with which a bench is simulated; see `memspice.windows.simulated`."""
    charge = 1e-3 * HAZARD_CHARGE_PER_SECOND * timing.write
    return SolverOptions(method="gear", reltol=1e-5, vntol=1e-6, chgtol=charge)


def _cycles(bench: NeuronBench, waves: Waveforms) -> NeuronCycles:
    schedule, neurons, starts = bench.schedule, range(bench.neurons), bench.starts

    def sample(names: Sequence[str], instant: float) -> np.ndarray:
        courses = [waves.voltage(name) for name in names]
        return np.stack([np.interp(starts + instant, waves.time, v) for v in courses], axis=-1)

    limits = starts[:, None] + np.array([0.0, *schedule.phase_ends])
    block = bench.neuron
    powers = [block.power(waves, instance(n)) for n in neurons]
    reads = [block.read_voltage(waves, instance(n)) for n in neurons]
    looked = starts + schedule.strobe.stop - schedule.strobe.edge
    spikes = sample([nodes.spike(n) for n in neurons], schedule.read.stop)
    hazards = [block.hazard_signal(instance(n)) for n in neurons]
    written, read = (sample(hazards, each.stop) for each in (schedule.rows, schedule.read))
    return NeuronCycles(
        hazard=written,
        grown=read - written,
        spike=bench.latch.fired(spikes),
        level=np.stack([np.interp(looked, waves.time, read) for read in reads], axis=-1),
        energy=np.stack([energy_between(waves.time, power, limits) for power in powers], axis=1),
    )


class _NeuronCodec:
    """Keeps the cycles of a bench in the cache of results."""

    def pack(self, cycles: NeuronCycles) -> Entry:
        return Entry({}, {name: getattr(cycles, name) for name in _ARRAYS})

    def unpack(self, entry: Entry) -> NeuronCycles:
        return NeuronCycles(**{name: entry.arrays[name] for name in _ARRAYS})


_ARRAYS = ("hazard", "spike", "grown", "level", "energy")


def _refuse_dead(neuron: MeasurableNeuron, drives: np.ndarray, hazard: np.ndarray) -> None:
    if not (np.isfinite(hazard).all() and hazard[-1] > 0):
        worst = int(np.argmin(np.where(np.isfinite(hazard), hazard, -np.inf)))
        raise ConfigError(
            f"the hazard integral of the neuron {neuron.name} ends the write phase with "
            f"{hazard[worst]:.3g} at a drive of {drives[worst]:.3g} V: its terminal 'hazard' must "
            "hold a number above 0 until clear"
        )


def _refuse_falling(
    neuron: MeasurableNeuron, drives: np.ndarray, hazard: np.ndarray, deciding: np.ndarray
) -> None:
    both = deciding[:-1] & deciding[1:]
    falls = np.nonzero(both & (np.diff(hazard) <= 0))[0]
    if len(falls):
        low, high = drives[falls[0]], drives[falls[0] + 1]
        raise ConfigError(
            f"the hazard integral of the neuron {neuron.name} does not rise from a drive of "
            f"{low:.3g} V, where it is {hazard[falls[0]]:.4g}, to {high:.3g} V, where it is "
            f"{hazard[falls[0] + 1]:.4g}: narrow neuron.drive to where it does"
        )


def _refuse_memory(
    neuron: MeasurableNeuron, drives: np.ndarray, found: Sequence[np.ndarray], deciding: np.ndarray
) -> float:
    """Largest change of ln H between cycles that should be alike."""
    apart = np.zeros_like(drives)
    for one in found[:-1]:
        change = np.abs(np.log(np.maximum(one, 1e-30) / np.maximum(found[-1], 1e-30)))
        apart = np.maximum(apart, np.where(deciding, change, 0.0))
    worst = int(np.argmax(apart))
    if apart[worst] > MOST:
        raise ConfigError(
            f"the hazard integral of the neuron {neuron.name} depends on what the cycle "
            f"before did: by {apart[worst]:.2%} at a drive of {drives[worst]:.3g} V, and "
            f"{MOST:.1%} are allowed; clear every state while 'reset' and 'clear' are 1"
        )
    return float(apart[worst])


def _refuse_spikes(
    neuron: MeasurableNeuron,
    drives: np.ndarray,
    quiet: NeuronCycles,
    told: NeuronCycles,
    deciding: np.ndarray,
) -> None:
    """Refuse a neuron whose spikes are not where its integral reaches the draw."""
    for spikes, expected, draw in (
        (quiet.spike[1], False, "beyond reach"),
        (told.spike[0], True, f"of {AT_ONCE:g} of its integral"),
        (told.spike[1], False, "beyond reach, in the cycle after a spike"),
        (told.spike[2], True, f"of {BELOW:g} of its integral"),
        (told.spike[3], False, f"of {ABOVE:g} of its integral"),
    ):
        wrong = np.nonzero(deciding & (spikes != expected))[0]
        if len(wrong):
            at = wrong[0]
            raise ConfigError(
                f"the neuron {neuron.name} {'does not spike' if expected else 'spikes'} at "
                f"a drive of {drives[at]:.3g} V (H = {quiet.hazard[1, at]:.3g}), its draw {draw}: "
                "it must switch when its hazard integral reaches 'draw', be told by 'out' in the "
                "read phase, and be reset before the next cycle"
            )


def _curve(drives: np.ndarray, hazard: np.ndarray, timing: Timing) -> MeasuredHazard:
    floor = np.maximum(hazard, DECIDING[0] * 1e-3)
    return MeasuredHazard(drives, np.log(floor), timing.write, timing.edge)


def _refuse_bends(
    neuron: MeasurableNeuron,
    curve: MeasuredHazard,
    drives: np.ndarray,
    hazard: np.ndarray,
    deciding: np.ndarray,
) -> float:
    """Largest deviation of ln H between the points of a curve."""
    expected = curve.log_hazard_integral(drives, curve.flat, curve.edge)
    apart = np.where(deciding, np.abs(expected - np.log(np.maximum(hazard, 1e-30))), 0.0)
    worst = int(np.argmax(apart))
    if apart[worst] > MOST:
        raise ConfigError(
            f"the hazard integral of the neuron {neuron.name} bends so much at a drive of "
            f"{drives[worst]:.3g} V that its curve is {apart[worst]:.2%} off there, and "
            f"{MOST:.1%} are allowed: raise neuron.points = {neuron.curve_points}"
        )
    return float(apart[worst])
