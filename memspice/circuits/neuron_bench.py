"""A bench of neurons without a layer: each at its own ideal drive voltage, cycle after cycle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from memspice.circuits.clocks import add_clocks
from memspice.circuits.deck import Deck
from memspice.circuits.neuron import add_neuron_supplies, add_neurons, neuron_clocks
from memspice.circuits.parameters import NeuronPeriphery, Timing
from memspice.circuits.signals import Signals, energy_between, source_power
from memspice.circuits.timing import Schedule, schedule
from memspice.devices.neurons import NeuronDevice
from memspice.errors import ConfigError, ShapeError

_SUPPLIES = ("neuron_p", "neuron_n", "logic")


@dataclass(frozen=True, eq=False)
class NeuronBench:
    """Neurons and what is done to them.

    Parameters
    ----------
    device, periphery, timing
        The neuron, its circuit, and the phases of a cycle.
    drive_voltage : ndarray, shape (neurons,), [V]
        Voltage of the source in place of each neuron's sense stage, through all cycles.
    thresholds : ndarray, shape (cycles, neurons), [1]
        Draws ``E ~ Exp(1)``, one an event.

    Raises
    ------
    ShapeError
        If the two arrays do not fit together, or there is no event.
    ConfigError
        If a drive is not finite, or a threshold not finite and above 0.
    """

    device: NeuronDevice
    periphery: NeuronPeriphery
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

    @property
    def cycles(self) -> int:
        """Number of cycles."""
        return len(self.thresholds)

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return len(self.drive_voltage)

    @property
    def duration(self) -> float:
        """Time of all cycles, [s]."""
        return self.cycles * self.schedule.cycle


@dataclass(frozen=True, eq=False)
class BenchEvents:
    """What a simulated bench did.

    Parameters
    ----------
    hazard : ndarray, shape (cycles, neurons), [1]
        Hazard integral at the end of the write phase.
    spike : ndarray of bool, shape (cycles, neurons)
        Whether the latch held a spike at the end of the read pulse.
    energy : ndarray, shape (cycles, 3), [J]
        What the supplies delivered to all neurons in the write, read and reset phases.
    """

    hazard: np.ndarray
    spike: np.ndarray
    energy: np.ndarray


def bench_deck(bench: NeuronBench) -> Deck:
    """Circuit of a bench; no analysis."""
    kind = bench.device.kind
    deck = Deck(
        f"memspice neuron bench: {bench.neurons} {kind} neurons, {bench.cycles} cycles",
        "Each neuron is driven by an ideal source instead of a crossbar and a sense stage; "
        "a cycle is write, read and reset",
    )
    supplies = deck.section("Supplies: neuron drivers, comparator and latch")
    add_neuron_supplies(supplies, bench.periphery)
    add_clocks(deck, neuron_clocks(bench.schedule), bench.schedule.cycle, bench.cycles)
    drives = deck.section("Drive voltages: what a sense stage would put out")
    for number, voltage in enumerate(bench.drive_voltage):
        drives.V(f"drive{number}", f"drive{number}", drives.gnd, float(voltage))
    add_neurons(deck, bench, bench.thresholds)
    return deck


def bench_signals(bench: NeuronBench) -> list[str]:
    """Names of the signals that `bench_events` needs."""
    nodes = [name for n in range(bench.neurons) for name in (f"v(xneuron{n}.h)", f"v(spike{n})")]
    return [*nodes, *(f"i(v{name})" for name in _SUPPLIES)]


def bench_events(bench: NeuronBench, signals: Signals) -> BenchEvents:
    """Events and energies of a simulated bench.

    Parameters
    ----------
    bench : NeuronBench
        What the netlist was made from.
    signals : Signals
        At least those of `bench_signals`.
    """
    starts = np.arange(bench.cycles) * bench.schedule.cycle

    def sample(node: str, instant: float) -> np.ndarray:
        nodes = [signals.voltage(node.format(number)) for number in range(bench.neurons)]
        return np.stack([np.interp(starts + instant, signals.time, v) for v in nodes], axis=-1)

    level = sample("spike{}", bench.schedule.read.stop)
    return BenchEvents(
        hazard=sample("xneuron{}.h", bench.schedule.rows.stop),
        spike=level > 0.5 * bench.periphery.logic_voltage,
        energy=_delivered_energy(bench, signals),
    )


def _delivered_energy(bench: NeuronBench, signals: Signals) -> np.ndarray:
    """Energy [J] out of the supplies by cycle and phase, (cycles, 3)."""
    periphery, schedule = bench.periphery, bench.schedule
    voltages = (periphery.supply_positive, periphery.supply_negative, periphery.logic_voltage)
    rails = zip(_SUPPLIES, voltages, strict=True)
    power = np.sum([source_power(signals, name, voltage) for name, voltage in rails], axis=0)
    starts = np.arange(bench.cycles)[:, None] * schedule.cycle
    limits = starts + np.array([0.0, *schedule.phase_ends])
    return energy_between(signals.time, power, limits)
