"""A bench of neurons without a layer: each at its own ideal drive voltage, cycle after cycle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.blocks.latch import Latch
from memspice.circuits.blocks.neuron import Neuron, instance
from memspice.circuits.clocks import add_clocks, add_sources, clock_trains
from memspice.circuits.deck import Deck
from memspice.circuits.signals import Signals, energy_between
from memspice.circuits.timing import Schedule, Timing, schedule
from memspice.errors import ConfigError, ShapeError


@dataclass(frozen=True, eq=False)
class NeuronBench:
    """Neurons and what is done to them.

    Parameters
    ----------
    neuron, latch, timing
        The neuron, its latch, and the phases of a cycle.
    drive_voltage : ndarray, shape (neurons,), [V]
        Write voltage of each neuron through all cycles, out of a source in place of a sense stage.
    thresholds : ndarray, shape (cycles, neurons), [1]
        Draws ``E ~ Exp(1)``, one an event.

    Raises
    ------
    ShapeError
        If the two arrays do not fit together, or there is no event.
    ConfigError
        If a drive is not finite, or a threshold not finite and above 0.
    """

    neuron: Neuron
    latch: Latch
    timing: Timing
    drive_voltage: np.ndarray
    thresholds: np.ndarray

    def __post_init__(self) -> None:
        """Check the arrays."""
        drive, draws = self.drive_voltage, self.thresholds
        if drive.ndim != 1 or draws.ndim != 2 or draws.shape[1:] != drive.shape or not draws.size:
            raise ShapeError(
                f"drive_voltage of shape {drive.shape} and thresholds of shape {draws.shape} must "
                "be (neurons,) and (cycles, neurons), with at least one of each"
            )
        if not np.isfinite(drive).all():
            raise ConfigError(f"drive_voltage {drive} V must be finite")
        bad = draws[~(np.isfinite(draws) & (draws > 0))]
        if bad.size:
            raise ConfigError(f"a threshold of {bad[0]} must be finite and above 0: draw Exp(1)")

    @cached_property
    def schedule(self) -> Schedule:
        """Pulses of one cycle."""
        return schedule(self.timing)

    def source_resistance(self, drive: np.ndarray) -> np.ndarray:
        """None: drives are sources."""
        return np.zeros_like(drive)

    @property
    def cycles(self) -> int:
        """Number of cycles."""
        return len(self.thresholds)

    @property
    def warm_up(self) -> int:
        """Cycles before that do not count: in the first, nodes of transistors are charged."""
        return int(self.neuron.fine)

    @property
    def starts(self) -> np.ndarray:
        """Begin of each cycle that counts, (cycles,), [s]."""
        return (self.warm_up + np.arange(self.cycles)) * self.schedule.cycle

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return len(self.drive_voltage)

    @property
    def supplies(self) -> dict[str, float]:
        """Supplies of neurons and latches, [V]."""
        return {**self.neuron.supplies, **self.latch.supplies}

    @property
    def duration(self) -> float:
        """Time of all cycles, [s]."""
        return (self.warm_up + self.cycles) * self.schedule.cycle


@dataclass(frozen=True, eq=False)
class BenchEvents:
    """Events of a simulated bench: hazards, spikes and energies.

    Parameters
    ----------
    hazard : ndarray, shape (cycles, neurons), [1]
        Hazard integral at the end of the write phase.
    spike : ndarray of bool, shape (cycles, neurons)
        Whether the latch held a spike at the end of the read pulse.
    energy : ndarray, shape (cycles, 3), [J]
        What the supplies delivered to all neurons in the write, read and reset phases; to their
        latches in a whole cycle, with the read.
    """

    hazard: np.ndarray
    spike: np.ndarray
    energy: np.ndarray


def bench_deck(bench: NeuronBench) -> Deck:
    """Circuit of a bench; no analysis."""
    kind = bench.neuron.kind
    deck = Deck(
        f"memspice neuron bench: {bench.neurons} {kind} neurons, {bench.cycles} cycles",
        "Each neuron is driven by an ideal source instead of a crossbar and a sense stage; "
        "a cycle is write, read and reset",
    )
    add_sources(deck, "Supplies: neuron drivers, comparator and latch", bench.supplies)
    schedule = bench.schedule
    clocks = {**bench.neuron.clocks(schedule), **bench.latch.clocks(schedule)}
    add_clocks(deck, clock_trains(clocks, schedule.cycle, bench.warm_up + bench.cycles))
    drives = deck.section("Drive voltages: what a sense stage would put out")
    for number, level in enumerate(bench.neuron.drive_for(bench.drive_voltage).tolist()):
        drives.V(nodes.drive(number), nodes.drive(number), drives.gnd, level)
    lead = bench.thresholds[:1].repeat(bench.warm_up, axis=0)
    draws = np.concatenate([lead, bench.thresholds])
    bench.neuron.add(deck, bench.latch, (bench.timing, schedule), draws)
    return deck


def bench_signals(bench: NeuronBench) -> list[str]:
    """Names of the signals that `bench_events` needs."""
    names = []
    for number in range(bench.neurons):
        hazard = bench.neuron.hazard_signal(instance(number))
        names += [f"v({hazard})", f"v({nodes.spike(number)})"]
        names += bench.neuron.ammeters(instance(number)) + bench.latch.ammeters(instance(number))
    return [*names, *(f"i(v{name})" for name in bench.supplies)]


def bench_events(bench: NeuronBench, signals: Signals) -> BenchEvents:
    """Events and energies of a simulated bench.

    Parameters
    ----------
    bench : NeuronBench
        What the netlist was made from.
    signals : Signals
        At least those of `bench_signals`.
    """
    starts = bench.starts

    def sample(names: list[str], instant: float) -> np.ndarray:
        voltages = [signals.voltage(name) for name in names]
        return np.stack([np.interp(starts + instant, signals.time, v) for v in voltages], axis=-1)

    numbers = range(bench.neurons)
    level = sample([nodes.spike(n) for n in numbers], bench.schedule.read.stop)
    hazards = [bench.neuron.hazard_signal(instance(n)) for n in numbers]
    return BenchEvents(
        hazard=sample(hazards, bench.schedule.rows.stop),
        spike=bench.latch.fired(level),
        energy=_delivered_energy(bench, signals),
    )


def _delivered_energy(bench: NeuronBench, signals: Signals) -> np.ndarray:
    """Energy [J] out of the supplies by cycle and phase, (cycles, 3); of latches all in the read.

    They decide there; a latch of transistors takes as much again when it is cleared.
    """
    schedule = bench.schedule
    instances = [instance(n) for n in range(bench.neurons)]
    limits = bench.starts[:, None] + np.array([0.0, *schedule.phase_ends])
    neurons = bench.neuron.delivered(signals, instances)
    energy = energy_between(signals.time, neurons, limits)
    latches = bench.latch.delivered(signals, instances)
    energy[:, 1] += energy_between(signals.time, latches, limits[:, [0, -1]])[:, 0]
    return energy
