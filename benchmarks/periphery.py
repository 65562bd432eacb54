"""Every block of a periphery, measured in SPICE; `benchmarks.periphery_page` writes it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from memspice.analysis.sense_surface import OPTIONS, STEPS
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import ROOM, Deck
from memspice.circuits.freepdk45 import CORNERS
from memspice.circuits.library import library_text, read_library
from memspice.circuits.processes import PROCESSES
from memspice.circuits.sense_bench import (
    ClockedStage,
    SenseBench,
    SenseCycles,
    sense_bench_cycles,
    sense_bench_deck,
    sense_bench_signals,
)
from memspice.circuits.signals import energy_between
from memspice.circuits.silicon import silicon
from memspice.circuits.stage_table import read_stage
from memspice.circuits.timing import Pulse
from memspice.engines import find_engine
from memspice.engines.base import Transient
from memspice.engines.waveforms import Waveforms
from memspice.parameters import load_values
from memspice.resources import resource_path

NS, UA, FJ = 1e-9, 1e-6, 1e-15
FOLDER = "freepdk45"
#: Cycle, and write pulse with 100 ns of flat part, of the sense stages.
CYCLE, WRITE = 150 * NS, Pulse(23 * NS, 125 * NS, 1 * NS)
#: Slope of the memristor's hazard law, by which a held drive is weighted, [V].
VOLTAGE_SCALE = 0.156
#: Conductance of both lines, [S].
LINES = (150e-6, 150e-6)


@dataclass(frozen=True)
class Process:
    """Transistors of a name, whose blocks are in a folder of ``models/`` of that name.

    Parameters
    ----------
    name : str
    supply : float, [V]
        Of core transistors, and the level of clocks.
    typical : str
        Corner.
    """

    name: str
    supply: float
    typical: str


FREEPDK45 = Process("freepdk45", 1.0, "nom")
IHP_SG13G2 = Process("ihp-sg13g2", 1.2, "tt")


@dataclass(frozen=True)
class Measured:
    """A figure of a block: what it is, its value and unit, and the prototype's where it has one."""

    block: str
    what: str
    value: float
    unit: str
    prototype: float | None = None


class Bench:
    """A deck around one block, its sources by their names, and what was measured on it."""

    def __init__(self, block: str, process: Process = FREEPDK45, corner: str = "") -> None:
        path = resource_path(process.name, "periphery.lib")
        self.block, self.process = block, process
        corner = corner or process.typical
        self.deck = Deck(f"memspice periphery: {block}, {corner}", "A block and its sources")
        self.deck.library(read_library(path, PROCESSES[process.name](corner)))
        self.circuit = self.deck.section("Bench")
        self.names: list[str] = []

    def source(self, name: str, value: Any) -> None:
        """Voltage source of a name, from the node of that name to ground."""
        self.circuit.V(name, name, self.circuit.gnd, value)
        self.names.append(name)

    def instance(self, *nodes: str) -> None:
        """The block, with the sizes of ``periphery.toml``."""
        self.circuit.X("block", self.block, *nodes, **self.sizes)

    @property
    def sizes(self) -> dict[str, Any]:
        """Of the block, as ``periphery.toml`` has them."""
        table = load_values(f"{self.process.name}/periphery", self.block)
        return {name: value.value for name, value in table.items()}

    def run(self, engine: str, stop: float, *nodes: str) -> Waveforms:
        """Transient from rest, with the currents of all sources and some nodes."""
        simulator = find_engine(engine)
        names = [f"i(v{name})" for name in self.names] + [f"v({node})" for node in nodes]
        analysis = Transient(stop=stop, max_step=stop / 200, from_rest=True)
        netlist = simulator.write(self.deck)
        return simulator.run(netlist, analysis, save=names, options=OPTIONS)


def gate_area(block: str, process: Process) -> Measured:
    """Drawn area of all gates of a block."""
    library = library_text(resource_path(process.name, "periphery.lib"))
    return Measured(block, "gates", silicon(library, block).gate / 1e-12, "um^2")


def delivered(waves: Waveforms, source: str, voltage: float, start: float, stop: float) -> float:
    """Energy [J] that a constant source delivered between two instants [s]."""
    power = -voltage * waves.current(f"v{source}")
    return float(energy_between(waves.time, power, np.array([start, stop]))[0])


def crossing(waves: Waveforms, node: str, level: float, after: float) -> float:
    """First instant after another one at which a node is above a level, [s]."""
    above = (waves.time > after) & (waves.voltage(node) > level)
    return float(waves.time[above][0]) if above.any() else float("inf")


def row_driver(engine: str, process: Process = FREEPDK45) -> list[Measured]:
    """A pulse of 20 ns into 1 kohm: energy of the gates, resistance, rise."""
    bench, supply = Bench("row_driver", process), process.supply
    for name, voltage in (("vdd", supply), ("vread", 0.4), ("vlevel", 0.3)):
        bench.source(name, voltage)
    bench.source("spike", Clock(((20 * NS, 40 * NS),), level=supply).train(100 * NS, 2))
    bench.instance("spike", "row", "vdd", "vread", "vlevel")
    bench.circuit.R("load", "row", "vlevel", 1e3)
    bench.circuit.C("load", "row", bench.circuit.gnd, 20e-15)
    waves = bench.run(engine, 200 * NS, "row")
    row, current = (
        float(np.interp(130 * NS, waves.time, values))
        for values in (waves.voltage("row"), -waves.current("vvread"))
    )
    rise = crossing(waves, "row", 0.3 + 0.9 * (row - 0.3), 120 * NS) - 120 * NS
    idle = delivered(waves, "vdd", supply, 160 * NS, 199 * NS) / (39 * NS)
    pulse = delivered(waves, "vdd", supply, 100 * NS, 200 * NS) - idle * 100 * NS
    return [
        Measured("row_driver", "gates and buffers, a pulse", pulse / FJ, "fJ", 115),
        Measured("row_driver", "idle", idle / 1e-9, "nW"),
        Measured("row_driver", "resistance", (0.4 - row) / current, "ohm", 63),
        Measured("row_driver", "rise to 90 %", rise / 1e-12, "ps"),
    ]


def latch(engine: str, process: Process = FREEPDK45, difference: float = 50e-3) -> list[Measured]:
    """One decision at a difference above half of the supply, with the buffer of its clock."""
    bench, supply = Bench("latch", process), process.supply
    half, edge = supply / 2, 25 * NS
    inputs = {"inp": half + difference, "inn": half}
    for name, voltage in ({"vdd": supply, "vbuffer": supply} | inputs).items():
        bench.source(name, voltage)
    bench.source("tick", Clock(((5 * NS, 10 * NS),), level=supply).train(20 * NS, 2))
    bench.circuit.X("buffer", "buffer", "tick", "clock", "vbuffer", b1=300e-9, b2=1e-6)
    bench.instance("inp", "inn", "clock", "q", "qn", "vdd")
    for node in ("q", "qn"):
        bench.circuit.C(node, node, bench.circuit.gnd, 1e-15)
    waves = bench.run(engine, 40 * NS, "q", "qn", "clock")
    delay = crossing(waves, "q", half, edge) - crossing(waves, "clock", half, edge)
    energy = [delivered(waves, name, supply, 20 * NS, 40 * NS) / FJ for name in ("vdd", "vbuffer")]
    return [
        Measured("latch", "a decision", energy[0], "fJ", 12.8),
        Measured("latch", "its clock's buffer", energy[1], "fJ", 17.5),
        Measured("latch", "from the clock to q, 50 mV", delay / 1e-12, "ps", 36),
    ]


def reset(engine: str) -> list[Measured]:
    """A pulse of 5 ns at 2 V into 1 Mohm; the joules of the device are apart."""
    bench = Bench("reset")
    for name, voltage in (("vdd", 1.0), ("vh", 2.0)):
        bench.source(name, voltage)
    bench.source("pulse", Clock(((20 * NS, 25 * NS),)).train(CYCLE, 2))
    bench.instance("pulse", "electrode", "vdd", "vh")
    bench.circuit.R("device", "electrode", bench.circuit.gnd, 1e6)
    bench.circuit.C("device", "electrode", bench.circuit.gnd, 3e-15)
    waves = bench.run(engine, 2 * CYCLE, "electrode")
    power = waves.voltage("electrode") ** 2 / 1e6
    device = float(energy_between(waves.time, power, np.array([CYCLE, 2 * CYCLE]))[0])

    def rails(start: float, stop: float) -> float:
        return sum(delivered(waves, name, v, start, stop) for name, v in (("vh", 2), ("vdd", 1)))

    idle = rails(CYCLE + 70 * NS, CYCLE + 140 * NS) / (70 * NS)
    top = float(np.interp(CYCLE + 24 * NS, waves.time, waves.voltage("electrode")))
    rise = crossing(waves, "electrode", 0.9 * top, CYCLE + 20 * NS) - CYCLE - 20 * NS
    return [
        Measured("reset", "on the electrode", top, "V", 1.997),
        Measured("reset", "rise to 90 %", rise / NS, "ns", 0.23),
        Measured("reset", "in the device", device / FJ, "fJ", 20),
        Measured("reset", "in the periphery", (rails(CYCLE, 2 * CYCLE) - device) / FJ, "fJ", 100),
        Measured("reset", "idle", idle / 1e-9, "nW", 33),
    ]


def bias(engine: str, corner: str, temperature: float = ROOM) -> tuple[float, float]:
    """Bias line vtail [V] and current of the generator [A] at a corner and [K], settled."""
    bench = Bench("bias", corner=corner)
    bench.deck.temperature = temperature
    bench.source("vdd", 1.0)
    bench.instance("vtail", "vdd")
    bench.circuit.C("tail", "vtail", bench.circuit.gnd, 1e-12)
    waves = bench.run(engine, 3e-6, "vtail")
    return float(waves.voltage("vtail")[-1]), float(-waves.current("vvdd")[-1])


def stage(
    name: str, corner: str = "", process: Process = FREEPDK45, **supplies: float
) -> ClockedStage:
    """A sense stage of the package, at a corner and with some bias lines of one's own."""
    path = resource_path(process.name, f"{name}.toml")
    table = tomllib.loads(path.read_text(encoding="utf-8"))["sense"]
    table |= {"corner": corner or process.typical, "supplies": table["supplies"] | supplies}
    return read_stage(table, path)


def sense(
    engine: str,
    own: ClockedStage,
    currents: np.ndarray,
    lines: tuple[float, float] = LINES,
) -> tuple[SenseCycles, Waveforms]:
    """Cycles of a sense stage on lines of some conductances [S] and 30 fF, and its waveforms."""
    # the write pulse begins when the rows have gone
    late = max(0.0, own.rows[1] + 1 * NS - WRITE.start)
    write = Pulse(WRITE.start + late, WRITE.stop + late, WRITE.edge)
    bench = SenseBench(own, CYCLE, write, currents, lines)
    simulator = find_engine(engine)
    waves = simulator.run(
        simulator.write(sense_bench_deck(bench)),
        Transient(stop=bench.duration, max_step=CYCLE / STEPS, from_rest=True),
        save=sense_bench_signals(bench),
        options=OPTIONS,
    )
    return sense_bench_cycles(bench, VOLTAGE_SCALE, waves), waves


#: Line currents of the stage's figures, plus and minus.
POINTS = np.array([(5, 5), (8, 2), (2, 8), (2, 2), (5, 5)]) * UA


def sense_figures(engine: str, name: str) -> list[Measured]:
    """Drives, joules and memory of a sense stage of the package."""
    cycles, _ = sense(engine, stage(name), POINTS)
    clocks = sum(float(cycles.energy[clock][0]) for clock in stage(name).clocks)
    drivers = float(cycles.energy["vclock"][0]) if "vclock" in cycles.energy else 0.0
    known = (153, 0.78, 0.44, 0.0, 16.0) if not drivers else (None,) * 5
    return [
        Measured(name, "a cycle at 5 and 5 uA", cycles.total[0] / FJ, "fJ", known[0]),
        Measured(name, "of it clocks and their drivers", (clocks + drivers) / FJ, "fJ", known[4]),
        Measured(name, "drive at 8 and 2 uA", cycles.drive[1], "V", known[1]),
        Measured(name, "drive at 2 and 8 uA", cycles.drive[2], "V", known[2]),
        Measured(name, "memory", (cycles.drive[4] - cycles.drive[0]) / 1e-3, "mV", known[3]),
        Measured(name, "droop in 100 ns, worst", np.abs(cycles.droop).max() / 1e-3, "mV",
                 4.2 if known[0] else None),
    ]  # fmt: skip


#: Line currents of the copier's figures: equal ones of three sizes, then differences.
COPIER_POINTS = np.array(
    [(4.5, 4.5), (2.5, 2.5), (6.5, 6.5), (4.6, 4.4), (4.4, 4.6), (6, 3), (3, 6), (4.5, 4.5)]
) * UA  # fmt: skip


def copier_figures(engine: str, process: Process = FREEPDK45) -> list[Measured]:
    """What the stage with a current copier makes of a difference, and of what lines share.

    Each point is run twice, and the second cycle counts; the lines have 70 uS.
    """
    name, points = "sense_copier_driven", COPIER_POINTS.repeat(2, axis=0)
    own, lines = stage("sense_copier", process=process), (70e-6, 70e-6)
    cycles, _ = sense(engine, own, points, lines)
    drive, energy = cycles.drive[1::2], cycles.total[1::2]
    off = replace(own, supplies={**own.supplies, "vref": own.supplies["vref"] + 1e-3})
    moved = sense(engine, off, points[:2], lines)[0].drive[1] - drive[0]
    common = np.abs(drive[1:3] - drive[0]).max() / (2 * UA)
    return [
        Measured(name, "a cycle at 4.5 and 4.5 uA", energy[0] / FJ, "fJ"),
        Measured(name, "gain of a difference", (drive[3] - drive[4]) / (0.4 * UA) / 1e3, "kohm"),
        Measured(name, "gain of what lines share", common / 1e3, "kohm"),
        Measured(name, "drive at 6 and 3 uA", drive[5], "V"),
        Measured(name, "drive at 3 and 6 uA", drive[6], "V"),
        Measured(name, "drive an amplifier's offset", moved / 1e-3, "V/V"),
        Measured(name, "memory", (drive[7] - drive[0]) / 1e-3, "mV"),
        Measured(name, "droop in 100 ns, worst", np.abs(cycles.droop).max() / 1e-3, "mV"),
    ]


@dataclass(frozen=True)
class Corner:
    """What a corner does to the stage: with vtail fixed, and with the generator's."""

    name: str
    vtail: float
    generator_current: float
    fixed_gain: float
    gain: float
    energy: float


def corner_figures(engine: str, name: str) -> Corner:
    """Gain (drive a difference of currents, [ohm]) and joules of the stage at a corner."""
    vtail, current = bias(engine, name)
    ends = np.array([(8, 2), (2, 8), (5, 5)]) * UA
    gains, energy = [], 0.0
    for level in (0.585, vtail):
        cycles, _ = sense(engine, stage("sense_e3", name, vtail=level), ends)
        gains.append(float(cycles.drive[0] - cycles.drive[1]) / (12 * UA))
        energy = float(cycles.total[2])
    return Corner(name, vtail, current, gains[0], gains[1], energy)


def all_blocks(engine: str) -> list[Measured]:
    """Figures of every block on one engine, nominal."""
    return [
        *sense_figures(engine, "sense_e3"),
        *sense_figures(engine, "sense_e3_driven"),
        *copier_figures(engine),
        *row_driver(engine),
        *latch(engine),
        *reset(engine),
    ]


def all_corners(engine: str) -> list[Corner]:
    """The stage with its bias generator at every corner."""
    return [corner_figures(engine, name) for name in CORNERS]
