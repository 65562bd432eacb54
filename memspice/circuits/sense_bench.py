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
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from memspice.circuits.clocks import Clock, add_clocks, clock_trains
from memspice.circuits.deck import Deck, pulse_train
from memspice.circuits.library import Library
from memspice.circuits.signals import Signals, energy_between, source_power
from memspice.circuits.spice import Circuit
from memspice.circuits.timing import Pulse
from memspice.circuits.verilog import VerilogModule

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
    line_level : float, [V]
        What the bit lines are held at; rows rest there.
    rows : tuple of float, [s]
        Begin and end of the rows' pulse, counted from the begin of a cycle.
    line_capacitance : float, [F]
        Of each bit line, wires and all.
    load : tuple of float, [ohm] and [F]
        Resistance and capacitance of the neuron at the drive.
    warm_up : int
        Cycles after switching on that do not count.
    parameters : mapping of str to float
        Of the instance.
    module : VerilogModule, optional
        The module, or a twin of the subcircuit.
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

    @property
    def row_pulse(self) -> Pulse:
        """Pulse of the rows in a cycle."""
        return Pulse(*self.rows, ROW_EDGE)

    def add_around(self, circuit: Circuit, output: str, lines: tuple[str, str], drive: str) -> None:
        """Capacitance of both lines, and the neuron as a load of the drive.

        Parameters
        ----------
        circuit : Circuit
            Section of a deck.
        output : str
            Ends the names of the elements.
        lines, drive : str
            Nodes of the stage.
        """
        for side, line in zip(("p", "m"), lines, strict=True):
            if self.line_capacitance > 0:
                circuit.C(f"line{side}{output}", line, circuit.gnd, self.line_capacitance)
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
    currents : ndarray, shape (cycles, 2), [A]
        Of the plus and the minus line, while the rows are driven; the first `warm_up` cycles have
        those of the first row before them.
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
        """Currents of the warm-up cycles and of those that count, [A]."""
        return np.concatenate([self.currents[:1].repeat(self.stage.warm_up, axis=0), self.currents])

    @property
    def duration(self) -> float:
        """Time of all cycles, [s]."""
        return len(self.all_currents) * self.cycle


def sense_bench_deck(bench: SenseBench) -> Deck:
    """Circuit of a bench; no analysis."""
    stage, cycles = bench.stage, len(bench.all_currents)
    deck = Deck(
        f"memspice sense bench: {stage.subcircuit}, {cycles} cycles",
        "Bit lines as current sources with their conductance and capacitance",
    )
    deck.circuit(stage.library, stage.module)
    rails = deck.section("Supplies and bias lines")
    for name, voltage in stage.supplies.items():
        rails.V(name, name, rails.gnd, voltage)
    rails.V("level", "level", rails.gnd, stage.line_level)
    add_clocks(deck, clock_trains(stage.clocks, bench.cycle, cycles))
    lines = deck.section("Bit lines, and the neuron as a load")
    for number, line in enumerate((PLUS, MINUS)):
        train = pulse_train(stage.row_pulse, bench.all_currents[:, number], bench.cycle)
        lines.I(line, lines.gnd, line, train)
        lines.R(line, line, "level", 1 / bench.line_conductances[number])
    stage.add_around(lines, "", (PLUS, MINUS), DRIVE)
    circuit = deck.section("The stage")
    circuit.X("stage", stage.subcircuit, *stage.terminals, **stage.parameters)
    return deck


def sense_bench_signals(bench: SenseBench) -> list[str]:
    """Names of the signals that `sense_bench_cycles` needs."""
    sources = [*bench.stage.supplies, *bench.stage.clocks]
    return [f"v({node})" for node in (PLUS, MINUS, DRIVE)] + [f"i(v{name})" for name in sources]


@dataclass(frozen=True, eq=False)
class SenseCycles:
    """Cycles of a simulated bench, without its warm-up.

    Parameters
    ----------
    drive : ndarray, shape (cycles,), [V]
        Constant drive that would give the neuron the same hazard integral as the simulated one
        over the flat part of the write pulse.
    droop : ndarray, shape (cycles,), [V]
        Change of the drive over the flat part.
    absorbed : ndarray, shape (cycles,), [J]
        What flowed into the stage at all of its terminals: what it dissipated, in a steady state.
    relief : ndarray, shape (cycles,), [J]
        What the cells of both lines dissipated less than with the lines at their level: all that
        a line is off it, ``u``, changes, ``2 I u - g u^2`` of current and conductance.
    energy : mapping of str to ndarray, shape (cycles,), [J]
        What each supply, bias line and clock delivered, and ``lines``: what the bit lines did.
        What flows back into a source is no use to anyone and does not count.
    """

    drive: np.ndarray
    droop: np.ndarray
    absorbed: np.ndarray
    relief: np.ndarray
    energy: Mapping[str, np.ndarray]

    @property
    def total(self) -> np.ndarray:
        """Energy of every cycle, [J]."""
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
    starts = (stage.warm_up + np.arange(len(bench.currents))) * bench.cycle
    first, last = bench.write.start + bench.write.edge, bench.write.stop - bench.write.edge
    drive = signals.voltage(DRIVE)
    flat = starts[:, None] + (first, last)
    ends = np.interp(flat, time, drive)
    # about its value at the begin, so that nothing overflows
    peak = ends.max()
    weight = energy_between(time, np.exp((drive - peak) / voltage_scale), flat)[:, 0]
    effective = peak + voltage_scale * np.log(weight / (last - first))
    limits = starts[:, None] + (0.0, bench.cycle)

    def energy(power: np.ndarray) -> np.ndarray:
        return energy_between(time, power, limits)[:, 0]

    powers = _powers(bench, signals)
    energies = {name: energy(power) for name, power in powers.items()}
    absorbed = np.asarray(sum(energies.values()))
    for name in stage.clocks:
        energies[name] = energy(np.maximum(powers[name], 0.0))
    positive = {name: np.maximum(values, 0.0) for name, values in energies.items()}
    relief = energy(_relief(bench, signals, 0) + _relief(bench, signals, 1))
    return SenseCycles(effective, ends[:, 1] - ends[:, 0], absorbed, relief, positive)


def _powers(bench: SenseBench, signals: Signals) -> dict[str, np.ndarray]:
    """Power that each source delivers, and ``lines`` that both bit lines do, [W]."""
    stage, cycles = bench.stage, len(bench.all_currents)
    powers = {
        name: source_power(signals, name, voltage) for name, voltage in stage.supplies.items()
    }
    for name, clock in stage.clocks.items():
        wave = np.array(clock.train(bench.cycle, cycles).points).T
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
