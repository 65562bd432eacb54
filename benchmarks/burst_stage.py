"""The sense stage of bursts on a bench: decks of whole bursts, drives in every write, and joules.

Its table (`models/freepdk45/sense_burst.toml`) has clocks of three kinds: in every slot of a row
pulse, once a burst, and in every write cycle.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.periphery import FREEPDK45, NS, VOLTAGE_SCALE, Process
from memspice.circuits.clocks import Clock, add_clocks
from memspice.circuits.deck import ROOM, Deck, PieceWiseLinear
from memspice.circuits.sense_bench import DRIVE, MINUS, PLUS, ROW_EDGE, ClockedStage
from memspice.circuits.signals import energy_between, source_power
from memspice.circuits.stage_table import read_stage
from memspice.engines import find_engine
from memspice.engines.base import DEFAULT_OPTIONS, SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.resources import resource_path

#: Cycle of the neurons of fast-memristor, flat part of its write pulse, and common electrode then.
CYCLE, FLAT, COMMON = 272 * NS, (22 * NS, 122 * NS), 1.65
#: Length of a slot, in which rows are driven once, [s].
SLOT = 28 * NS
#: Conductance of a line that is not filled to one, [S].
LINE = 100e-6
#: Longest step, [s].
STEP = 4 * NS
#: Subcircuits of a wide layer: a front for each tile of rows, and one sum.
FRONT, SUM = "sense_burst_front", "sense_burst_sum"


@dataclass(frozen=True, eq=False)
class BurstStage:
    """A sense stage, and its clocks by when they are high.

    Parameters
    ----------
    stage : ClockedStage
        The circuit; of its clocks only names and levels count.
    slot : float, [s]
        Length of a slot, in which rows are driven once.
    slots, once, writes : mapping of str to list of [start, stop], [s]
        Clocks of every slot, of the begin of a burst, and of every write cycle.
    line : float, [S]
        Conductance of a line: what layers fill it to, if they do.
    """

    stage: ClockedStage
    slot: float
    slots: Mapping[str, list[list[float]]]
    once: Mapping[str, list[list[float]]]
    writes: Mapping[str, list[list[float]]]
    line: float

    def scaled(self, factor: float) -> BurstStage:
        """The same with row pulses, and their clocks, of so many times the length."""
        times = self.stage.rows
        stage = replace(self.stage, rows=(factor * times[0], factor * times[1]))
        slots, once = (
            {
                name: [[factor * time for time in one] for one in high]
                for name, high in table.items()
            }
            for table in (self.slots, self.once)
        )
        return replace(self, stage=stage, slot=factor * self.slot, slots=slots, once=once)

    def clocks(self, pulses: int, cycles: int) -> dict[str, Clock]:
        """Clocks over a burst of some row pulses and some write cycles."""
        ends: dict[str, list[tuple[float, float]]] = {}
        slots = [(number * self.slot, self.slots) for number in range(pulses)]
        later = [(pulses * self.slot + number * CYCLE, self.writes) for number in range(cycles)]
        for begin, table in [(0.0, self.once), *slots, *later]:
            for name, high in table.items():
                ends.setdefault(name, []).extend((begin + a, begin + b) for a, b in high)
        levels = {name: clock.level for name, clock in self.stage.clocks.items()}
        return {name: Clock(tuple(high), level=levels[name]) for name, high in ends.items()}


def burst_stage(
    name: str = "sense_burst",
    corner: str = "",
    process: Process = FREEPDK45,
    temperature: float = ROOM,
    **supplies: float,
) -> BurstStage:
    """The stage of the package, at a corner, [K] and with some bias lines of one's own."""
    path, table = _table(name, process)
    slots, once, writes = table["clocks"], table.pop("once"), table.pop("held")
    del table["pulses"]
    table |= {"corner": corner or process.typical, "supplies": table["supplies"] | supplies}
    table["temperature"] = temperature
    stage = read_stage(table | {"clocks": slots | once | writes}, path)
    return BurstStage(stage, SLOT, slots, once, writes, line_of(name, process))


def line_of(name: str = "sense_burst", process: Process = FREEPDK45) -> float:
    """Conductance of a line: what layers fill it to, if they do, [S]."""
    least, most = _table(name, process)[1]["conductances"]
    return float(most) if least == most else LINE


def _table(name: str, process: Process) -> tuple[Path, dict[str, Any]]:
    path = resource_path(process.name, f"{name}.toml")
    return path, tomllib.loads(path.read_text(encoding="utf-8"))["sense"]


@dataclass(frozen=True, eq=False)
class BurstBench:
    """Bursts of line currents on one stage, or on the tiles of a wide layer.

    Parameters
    ----------
    own : BurstStage
    currents : ndarray, shape (bursts, pulses, tiles, 2), [A]
        Of plus and minus line of each tile; the first burst runs once more before all.
    cycles : int
        Write cycles of a burst.
    parameters : mapping of str to float
        Of the stage, or of the sum of a wide layer.
    kicked : int, optional
        Write cycle in which the neuron draws 0.7 uA from 60 ns on, as one that switches.
    added : tuple of (str, str, PieceWiseLinear), [A]
        More currents, from the first node into the second; nodes within the stage as ngspice
        calls them, and it alone.
    """

    own: BurstStage
    currents: np.ndarray
    cycles: int
    parameters: Mapping[str, float]
    kicked: int | None = None
    added: tuple[tuple[str, str, PieceWiseLinear], ...] = ()

    @property
    def pulses(self) -> int:
        """Row pulses of a burst."""
        return int(self.currents.shape[1])

    @property
    def period(self) -> float:
        """Length of a burst, [s]."""
        return self.pulses * self.own.slot + self.cycles * CYCLE

    @cached_property
    def all_currents(self) -> np.ndarray:
        """Currents with those of the warm-up, [A]."""
        return np.concatenate([self.currents[:1], self.currents])

    @property
    def duration(self) -> float:
        """Time of all bursts, [s]."""
        return len(self.all_currents) * self.period

    @cached_property
    def trains(self) -> dict[str, PieceWiseLinear]:
        """Sources of the clocks."""
        clocks = self.own.clocks(self.pulses, self.cycles)
        return {
            name: clock.train(self.period, len(self.all_currents)) for name, clock in clocks.items()
        }

    @property
    def begins(self) -> np.ndarray:
        """Begin of every write cycle that counts, shape (bursts, cycles), [s]."""
        bursts = (1 + np.arange(len(self.currents)))[:, None] * self.period
        return np.asarray(bursts + self.pulses * self.own.slot + CYCLE * np.arange(self.cycles))


def burst_deck(bench: BurstBench) -> Deck:
    """Circuit of a bench; no analysis."""
    stage, tiles = bench.own.stage, bench.currents.shape[2]
    deck = Deck(f"memspice burst bench: {tiles} tiles, {len(bench.currents)} bursts", "Bursts")
    assert stage.library is not None, "a stage of the package has a subcircuit"
    deck.library(stage.library)
    deck.temperature = stage.temperature
    rails = deck.section("Supplies and bias lines")
    for name, voltage in stage.supplies.items():
        rails.V(name, name, rails.gnd, voltage)
    rails.V("level", "level", rails.gnd, stage.line_level)
    add_clocks(deck, bench.trains)
    circuit = deck.section("Lines, stage, neuron")
    for tile in range(tiles):
        for side, line in enumerate((PLUS, MINUS)):
            node = f"{line}{tile}"
            circuit.I(node, "level", node, _line_train(bench, tile, side))
            circuit.R(node, node, "level", 1 / bench.own.line)
            circuit.C(node, node, circuit.gnd, stage.line_capacitance)
    if tiles == 1:
        ends = [f"{end}0" if end in (PLUS, MINUS) else end for end in stage.terminals]
        own = {**stage.parameters, **bench.parameters}
        circuit.X("stage", stage.subcircuit, *ends, **own)
    else:
        headers = stage.library.headers
        for tile in range(tiles):
            circuit.X(f"tile{tile}", FRONT, f"{PLUS}{tile}", f"{MINUS}{tile}",
                      *headers[FRONT].terminals[2:])  # fmt: skip
        circuit.X("sum", SUM, *headers[SUM].terminals, **bench.parameters)
    _add_neuron(deck, bench)
    for number, (start, stop, current) in enumerate(bench.added):
        circuit.I(f"added{number}", start, stop, current)
    return deck


def _add_neuron(deck: Deck, bench: BurstBench) -> None:
    """Neuron as a load between drive and common electrode, which is high in the writes alone."""
    resistance, capacitance = bench.own.stage.load
    neuron = deck.section("The neuron, and its common electrode")
    high = [(begin + 21 * NS, begin + 123 * NS) for begin in bench.begins.ravel()]
    points = [(0.0, 0.0)]
    for start, stop in high:
        points += [(start, 0.0), (start + NS, COMMON), (stop - NS, COMMON), (stop, 0.0)]
    neuron.V("common", "common", neuron.gnd, PieceWiseLinear(tuple(points)))
    neuron.R("load", DRIVE, "common", resistance)
    neuron.C("load", DRIVE, neuron.gnd, capacitance)
    if bench.kicked is not None:
        kick = [(0.0, 0.0)]
        for begin in bench.begins[:, bench.kicked]:
            corners = (60, 61, 121, 122)
            kick += [(begin + t * NS, v) for t, v in zip(corners, (0, 7e-7, 7e-7, 0), strict=True)]
        neuron.I("kick", "common", DRIVE, PieceWiseLinear(tuple(kick)))


def _line_train(bench: BurstBench, tile: int, side: int) -> PieceWiseLinear:
    points, rows = [(0.0, 0.0)], bench.own.stage.rows
    corners = (rows[0], rows[0] + ROW_EDGE, rows[1] - ROW_EDGE, rows[1])
    for burst, currents in enumerate(bench.all_currents[:, :, tile, side]):
        for number, current in enumerate(currents.tolist()):
            begin = burst * bench.period + number * bench.own.slot
            heights = (0.0, current, current, 0.0)
            points += [(begin + t, value) for t, value in zip(corners, heights, strict=True)]
    return PieceWiseLinear(tuple(points))


@dataclass(frozen=True, eq=False)
class Bursts:
    """What was measured.

    Parameters
    ----------
    drive : ndarray, shape (bursts, cycles), [V]
        Constant drive that would give the neuron the same hazard integral as the simulated one.
    energy : mapping of str to ndarray, shape (bursts, 2), [J]
        What each source delivered during row pulses, and during write cycles; ``lines``: what the
        bit lines delivered.
    waves : Waveforms
    """

    drive: np.ndarray
    energy: Mapping[str, np.ndarray]
    waves: Waveforms


def run_bursts(
    engine: str,
    bench: BurstBench,
    options: SolverOptions = DEFAULT_OPTIONS,
    save: Sequence[str] = (),
) -> Bursts:
    """Simulate a bench and read its drives and energies; more signals may be saved."""
    simulator, stage = find_engine(engine), bench.own.stage
    lines = [f"{line}{tile}" for tile in range(bench.currents.shape[2]) for line in (PLUS, MINUS)]
    waves = simulator.run(
        simulator.write(burst_deck(bench)),
        Transient(stop=bench.duration, max_step=STEP, from_rest=True),
        save=[
            *(f"v({node})" for node in (DRIVE, *lines)),
            *(f"i(v{name})" for name in (*stage.supplies, *bench.trains)),
            *save,
        ],
        options=options,
    )
    flat = bench.begins[:, :, None] + FLAT
    # a lower drive writes harder; about 0.4 V, so that nothing overflows
    weight = np.exp((0.4 - waves.voltage(DRIVE)) / VOLTAGE_SCALE)
    mean = energy_between(waves.time, weight, flat)[:, :, 0] / (FLAT[1] - FLAT[0])
    bursts = (1 + np.arange(len(bench.currents)))[:, None] * bench.period
    limits = bursts + (0.0, bench.pulses * bench.own.slot, bench.period)
    powers = {name: source_power(waves, name, level) for name, level in stage.supplies.items()}
    for name, train in bench.trains.items():
        wave = np.array(train.points).T
        powers[name] = np.maximum(source_power(waves, name, np.interp(waves.time, *wave)), 0.0)
    energy = {name: energy_between(waves.time, power, limits) for name, power in powers.items()}
    energy["lines"] = np.sum([_line_energy(bench, waves, line, limits) for line in lines], axis=0)
    return Bursts(0.4 - VOLTAGE_SCALE * np.log(mean), energy, waves)


def _line_energy(bench: BurstBench, waves: Waveforms, line: str, limits: np.ndarray) -> np.ndarray:
    """What a bit line delivers to the stage and its wire, [J]."""
    voltage, stage = waves.voltage(line), bench.own.stage
    side, tile = (PLUS, MINUS).index(line.rstrip("0123456789")), int(line.lstrip(PLUS + MINUS))
    train = np.array(_line_train(bench, tile, side).points).T
    current = np.interp(waves.time, *train) - bench.own.line * (voltage - stage.line_level)
    return energy_between(waves.time, voltage * current, limits)
