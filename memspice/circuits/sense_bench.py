"""A bench of one sense stage: ideal bit lines that carry given currents, cycle after cycle.

A line is a current source with the conductance of its cells and its capacitance in parallel, as the
column of a crossbar whose rows rest at the stage's line level::

    (line) --+-----+-----------+-- stage
             |     |           |
             I     1/g to      C to ground
                   line level
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from memspice.circuits.clocks import Clock, add_clocks, clock_trains, joined
from memspice.circuits.deck import ROOM, Deck, PieceWiseLinear, pulse_train
from memspice.circuits.library import Library
from memspice.circuits.signals import Signals, delivered_between, energy_between, source_power
from memspice.circuits.spice import Circuit
from memspice.circuits.timing import Pulse
from memspice.circuits.verilog import VerilogModule
from memspice.errors import ConfigError

#: Rise and fall of the rows' pulse of a clocked stage, [s].
ROW_EDGE = 0.2e-9
#: Terminals of every sense stage; the others are its supplies and clocks.
PLUS, MINUS, DRIVE = "plus", "minus", "drive"


@dataclass(frozen=True, eq=False)
class ClockedStage:
    """A sense stage as a subcircuit or a Verilog-A module, with clocks.

    Parameters
    ----------
    library : Library or None
        Its text, where it is a subcircuit.
    subcircuit : str
        Its name there, or that of the module.
    terminals : tuple of str
        Name of each terminal, in the subcircuit's order: ``plus``, ``minus``, ``drive``, supplies
        and clocks.
    supplies : mapping of str to float, [V]
        Supplies and bias lines.
    clocks : mapping of str to Clock
        In every cycle in which rows are driven.
    line_level : float, [V]
        What the bit lines are held at; rows rest there.
    rows : tuple of float, [s]
        Begin and end of the rows' pulse, counted from the begin of a cycle.
    line_capacitance : float, [F]
        Of each bit line, wires and all.
    load : tuple of float, [ohm] and [F]
        Resistance and capacitance of the neuron at the drive.
    warm_up : int
        Cycles with row pulses after switching on that do not count.
    parameters : mapping of str to float
        Of the instance.
    module : VerilogModule, optional
        The module, or a twin of the subcircuit.
    pulses : int
        Row pulses, one a cycle, that it makes one drive of; as many cycles follow in which a neuron
        is written from that.  Of one pulse a drive is made and held within a cycle.
    once, held : mapping of str to Clock
        More clocks of a stage of several pulses: once, from the begin of their first cycle, and in
        every cycle in which the drive is held.
    bias : str, optional
        Bias line that moves the drive as a whole, one to one, by some mV.
    output : float, [ohm]
        Resistance of the drive for the current of a device that has switched.
    temperature : float, [K]
        Of its transistors, and of all others of a deck that has it.
    """

    library: Library | None
    subcircuit: str
    terminals: tuple[str, ...]
    supplies: Mapping[str, float]
    clocks: Mapping[str, Clock]
    line_level: float
    rows: tuple[float, float]
    line_capacitance: float
    load: tuple[float, float]
    warm_up: int
    parameters: Mapping[str, float]
    module: VerilogModule | None = None
    pulses: int = 1
    once: Mapping[str, Clock] = field(default_factory=dict)
    held: Mapping[str, Clock] = field(default_factory=dict)
    bias: str | None = None
    output: float = 0.0
    temperature: float = ROOM

    @property
    def all_clocks(self) -> Mapping[str, Clock]:
        """Clocks of all kinds."""
        return {**self.clocks, **self.once, **self.held}

    def check_burst(self, burst: int) -> None:
        """Refuse bursts of another number of row pulses.

        Raises
        ------
        ConfigError
            With the number that it is made for.
        """
        if burst != self.pulses:
            made = f"{self.pulses} row pulse{'s' if self.pulses > 1 else ''}"
            raise ConfigError(
                f"burst = {burst}: the sense stage {self.subcircuit} makes a drive of {made}; use "
                f"burst = {self.pulses}, or another stage"
            )

    @property
    def cycles(self) -> int:
        """Cycles from a drive's first row pulse to the end of the last write from it."""
        return self.pulses if self.pulses == 1 else 2 * self.pulses

    def trains(self, cycle: float, drives: int) -> dict[str, PieceWiseLinear]:
        """Sources of all clocks.

        Parameters
        ----------
        cycle : float, [s]
            Length of a cycle.
        drives : int
            How many are made, one behind the other, after the warm-up.
        """
        each = range(self.warm_up, self.warm_up + drives * self.cycles, self.cycles)
        leads = [(0, self.warm_up)] if self.warm_up else []
        taken = [*leads, *((first, self.pulses) for first in each)]
        trains = {
            name: joined([clock.train(cycle, cycles, first) for first, cycles in taken])
            for name, clock in self.clocks.items()
        }
        once = clock_trains(self.once, self.cycles * cycle, drives)
        trains |= {name: train.delayed(self.warm_up * cycle) for name, train in once.items()}
        return trains | {
            name: joined([clock.train(cycle, self.pulses, first + self.pulses) for first in each])
            for name, clock in self.held.items()
        }

    @property
    def row_pulse(self) -> Pulse:
        """Pulse of the rows in a cycle."""
        return Pulse(*self.rows, ROW_EDGE)

    def add_capacitances(self, circuit: Circuit, output: str, lines: tuple[str, str]) -> None:
        """Capacitance of both lines, which are nodes of the stage; ``output`` ends the names."""
        for side, line in zip(("p", "m"), lines, strict=True):
            if self.line_capacitance > 0:
                circuit.C(f"line{side}{output}", line, circuit.gnd, self.line_capacitance)

    def add_load(self, circuit: Circuit, output: str, drive: str) -> None:
        """The neuron as a load of the drive, a node of the stage; ``output`` ends the names."""
        resistance, capacitance = self.load
        circuit.R(f"load{output}", drive, circuit.gnd, resistance)
        circuit.C(f"load{output}", drive, circuit.gnd, capacitance)


@dataclass(frozen=True, eq=False)
class SenseBench:
    """A stage and what is done to it.

    Parameters
    ----------
    stage : ClockedStage
    cycle : float, [s]
        Length of a cycle.
    write : Pulse
        Write pulse of the neuron: its flat part is when the drive acts.
    currents : ndarray, shape (drives, 2) or (drives, pulses, 2), [A]
        Of the plus and the minus line, in all row pulses of a drive or in each; those of the first
        pulse are there before, for the warm-up.
    line_conductances : tuple of float, [S]
        Of the plus and the minus line.
    """

    stage: ClockedStage
    cycle: float
    write: Pulse
    currents: np.ndarray
    line_conductances: tuple[float, float]

    @cached_property
    def all_currents(self) -> np.ndarray:
        """Currents of every cycle, those of the warm-up first and 0 while a drive is held, [A]."""
        drives = self.currents.reshape(len(self.currents), -1, 2)
        cycles = np.zeros((len(drives), self.stage.cycles, 2))
        cycles[:, : self.stage.pulses] = drives
        lead = drives[0, :1].repeat(self.stage.warm_up, axis=0)
        return np.concatenate([lead, cycles.reshape(-1, 2)])

    @property
    def period(self) -> float:
        """Time from drive to drive, [s]."""
        return self.stage.cycles * self.cycle

    @property
    def trains(self) -> Mapping[str, PieceWiseLinear]:
        """Sources of the clocks."""
        return self.stage.trains(self.cycle, len(self.currents))

    @property
    def duration(self) -> float:
        """Time of all cycles, [s]."""
        return len(self.all_currents) * self.cycle

    @property
    def starts(self) -> np.ndarray:
        """Begin of the first row pulse's cycle of each drive, (drives,), [s]."""
        return self.stage.warm_up * self.cycle + np.arange(len(self.currents)) * self.period

    @property
    def writes(self) -> np.ndarray:
        """Begin and end of the flat part of every write pulse, (drives, writes, 2), [s]."""
        waited = self.stage.cycles - self.stage.pulses
        begins = self.starts[:, None] + self.cycle * (waited + np.arange(self.stage.pulses))
        flat = (self.write.start + self.write.edge, self.write.stop - self.write.edge)
        return np.asarray(begins[:, :, None] + flat)


def sense_bench_deck(bench: SenseBench) -> Deck:
    """Circuit of a bench; no analysis."""
    stage, cycles = bench.stage, len(bench.all_currents)
    deck = Deck(
        f"memspice sense bench: {stage.subcircuit}, {cycles} cycles",
        "Bit lines as current sources with their conductance and capacitance",
    )
    deck.circuit(stage.library, stage.module)
    deck.temperature = stage.temperature
    rails = deck.section("Supplies and bias lines")
    for name, voltage in stage.supplies.items():
        rails.V(name, name, rails.gnd, voltage)
    rails.V("level", "level", rails.gnd, stage.line_level)
    add_clocks(deck, bench.trains)
    lines = deck.section("Bit lines, and the neuron as a load")
    for number, line in enumerate((PLUS, MINUS)):
        train = pulse_train(stage.row_pulse, bench.all_currents[:, number], bench.cycle)
        lines.I(line, lines.gnd, line, train)
        lines.R(line, line, "level", 1 / bench.line_conductances[number])
    stage.add_capacitances(lines, "", (PLUS, MINUS))
    stage.add_load(lines, "", DRIVE)
    circuit = deck.section("The stage")
    circuit.X("stage", stage.subcircuit, *stage.terminals, **stage.parameters)
    return deck


def sense_bench_signals(bench: SenseBench) -> list[str]:
    """Names of the signals that `sense_bench_cycles` needs."""
    sources = [*bench.stage.supplies, *bench.stage.all_clocks]
    return [f"v({node})" for node in (PLUS, MINUS, DRIVE)] + [f"i(v{name})" for name in sources]


@dataclass(frozen=True, eq=False)
class SenseCycles:
    """Drives of a simulated bench, without its warm-up.

    Parameters
    ----------
    drive : ndarray, shape (drives,), [V]
        Constant drive that would give the neuron the same hazard integral as the simulated one
        over the flat parts of the write pulses.
    droop : ndarray, shape (drives,), [V]
        Change of the drive from the begin of the first flat part to the end of the last.
    sag : ndarray, shape (drives,), [V]
        By how much the drives of single write pulses differ.
    absorbed : ndarray, shape (drives,), [J]
        What flowed into the stage at all of its terminals: what it dissipated, in a steady state.
    relief : ndarray, shape (drives,), [J]
        What the cells of both lines dissipated less than with the lines at their level: all that
        a line is off it, ``u``, changes, ``2 I u - g u^2`` of current and conductance.
    excursion : ndarray, shape (drives,), [V^2 s]
        Square of what lines are off their level, integrated, of both together: times a conductance,
        the joules of idle cells.
    energy : mapping of str to ndarray, shape (drives,), [J]
        What each supply, bias line and clock delivered, and ``lines``: what the bit lines did.
        What flows back into a source is no use to anyone and does not count.
    """

    drive: np.ndarray
    droop: np.ndarray
    sag: np.ndarray
    absorbed: np.ndarray
    relief: np.ndarray
    excursion: np.ndarray
    energy: Mapping[str, np.ndarray]

    @property
    def total(self) -> np.ndarray:
        """Energy for every drive, [J]."""
        return np.asarray(sum(self.energy.values()))


def sense_bench_cycles(bench: SenseBench, voltage_scale: float, signals: Signals) -> SenseCycles:
    """Drive and energies of a simulated bench.

    Parameters
    ----------
    bench : SenseBench
        What the netlist was made from.
    voltage_scale : float, [V]
        ``V0`` of the hazard law, as seen at the drive.
    signals : Signals
        At least those of `sense_bench_signals`.
    """
    stage, time = bench.stage, signals.time
    drive, flat = signals.voltage(DRIVE), bench.writes
    ends = np.interp(flat, time, drive)
    # about its value at the begin, so that nothing overflows
    peak = ends.max()
    weight = energy_between(time, np.exp((drive - peak) / voltage_scale), flat)[..., 0]
    each = peak + voltage_scale * np.log(weight / np.diff(flat)[..., 0])
    effective = voltage_scale * np.log(np.exp(each / voltage_scale).mean(axis=-1))
    limits = bench.starts[:, None] + (0.0, bench.period)

    def energy(power: np.ndarray) -> np.ndarray:
        return energy_between(time, power, limits)[:, 0]

    powers = _powers(bench, signals)
    energies = {name: energy(power) for name, power in powers.items()}
    absorbed = np.asarray(sum(energies.values()))
    for name in stage.all_clocks:
        energies[name] = delivered_between(time, powers[name], limits)[:, 0]
    positive = {name: np.maximum(values, 0.0) for name, values in energies.items()}
    relief = energy(_relief(bench, signals, 0) + _relief(bench, signals, 1))
    off = [signals.voltage(line) - stage.line_level for line in (PLUS, MINUS)]
    excursion = energy(off[0] ** 2 + off[1] ** 2)
    return SenseCycles(
        drive=effective,
        droop=ends[:, -1, 1] - ends[:, 0, 0],
        sag=np.ptp(each, axis=-1),
        absorbed=absorbed,
        relief=relief,
        excursion=excursion,
        energy=positive,
    )


def _powers(bench: SenseBench, signals: Signals) -> dict[str, np.ndarray]:
    """Power that each source delivers, and ``lines`` that both bit lines do, [W]."""
    stage = bench.stage
    powers = {
        name: source_power(signals, name, voltage) for name, voltage in stage.supplies.items()
    }
    for name, train in bench.trains.items():
        wave = np.array(train.points).T
        powers[name] = source_power(signals, name, np.interp(signals.time, *wave))
    lines = [_line_power(bench, signals, number) for number in (0, 1)]
    return powers | {"lines": lines[0] + lines[1]}


def _line_power(bench: SenseBench, signals: Signals, line: int) -> np.ndarray:
    """Power that flows from one line's source and conductance into the stage and the wire."""
    voltage = signals.voltage((PLUS, MINUS)[line])
    off = voltage - bench.stage.line_level
    current = _line_current(bench, signals.time, line)
    return np.asarray(voltage * (current - bench.line_conductances[line] * off))


def _relief(bench: SenseBench, signals: Signals, line: int) -> np.ndarray:
    """Power that the cells of a line do not dissipate because it is off its level."""
    off = signals.voltage((PLUS, MINUS)[line]) - bench.stage.line_level
    current = _line_current(bench, signals.time, line)
    return np.asarray(off * (2 * current - bench.line_conductances[line] * off))


def _line_current(bench: SenseBench, time: np.ndarray, line: int) -> np.ndarray:
    values = bench.all_currents[:, line]
    number = np.minimum((time // bench.cycle).astype(int), len(values) - 1)
    return np.asarray(values[number] * bench.stage.row_pulse.at(np.mod(time, bench.cycle)))
