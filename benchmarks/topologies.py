"""``python -m benchmarks.topologies``: all sense stages by the same figures; table and figure.

A stage is asked for its drive at line currents of one mean and several differences.  All decks are
ngspice's, nominal, with a driver for each clock but where the prototype had none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from benchmarks.burst_page import CYCLES, PULSES
from benchmarks.burst_spread import drawn, drawn_stage
from benchmarks.burst_stage import BurstBench, burst_stage, line_of, run_bursts
from benchmarks.joined import LINE as TILE_LINE
from benchmarks.joined import joined
from benchmarks.periphery import FJ, UA, VOLTAGE_SCALE, sense, stage
from benchmarks.periphery_page import DOCS, write_tables
from memspice.plot.style import MUTED, SPICE, SURROGATE, headline, new_figure, save, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENGINE = "ngspice"
#: Differences of both lines, in parts of a topology's reach; those within half of it are fitted.
STEPS = np.linspace(-1, 1, 9)
#: What both lines share moves by so much either way, [A].
SHARED = 2 * UA
#: Points of a deck of bursts, or of joined stages.
DECK = 4
#: Stages whose thresholds are drawn.
DRAWS = 12
MV, KOHM = 1e-3, 1e3


@dataclass(frozen=True, eq=False)
class Response:
    """Drives of some points (points,) [V], joules of the first event [J], worst droop [V]."""

    drive: np.ndarray
    energy: float
    droop: float | None


@dataclass(frozen=True)
class Topology(ABC):
    """A stage, or several joined ones, on its bench.

    Parameters
    ----------
    name, what : str
        Block, and in words.
    conductance : float, [S]
        Of a line of one stage.
    mean, reach : float, [A]
        Mean current of both lines, and the difference at which the drive ends.
    """

    name: str
    what: str
    conductance: float
    mean: float
    reach: float

    #: Whether it is one stage, whose thresholds can be drawn.
    alone: ClassVar[bool] = True

    @property
    def stages(self) -> int:
        """Whose differences add up in the drive."""
        return 1

    def hold(self) -> tuple[float, float | None]:
        """Joules of a write cycle beyond the row pulse's [J], and what the drive loses in all [V].

        By default nothing is done to hold a drive, and a response says what it loses.
        """
        return 0.0, None

    @abstractmethod
    def respond(
        self, pairs: np.ndarray, *, capacitance: float = 1.0, seed: int | None = None
    ) -> Response:
        """Drives at line currents.

        Parameters
        ----------
        pairs : ndarray, shape (points, 2), [A]
            Of plus and minus line.
        capacitance : float, [1]
            Factor of the line's.
        seed : int, optional
            Of the thresholds of all transistors; None for nominal ones.
        """

    def pairs(self, differences: Sequence[float] | np.ndarray, shared: float = 0.0) -> np.ndarray:
        """Line currents (points, 2) [A] of differences [A], their mean moved by ``shared`` [A]."""
        halves = np.asarray(differences)[:, None] * (0.5, -0.5)
        return np.asarray(self.mean + shared + halves)


@dataclass(frozen=True)
class Single(Topology):
    """One stage that makes a drive of one row pulse."""

    def respond(
        self, pairs: np.ndarray, *, capacitance: float = 1.0, seed: int | None = None
    ) -> Response:
        """The second cycle of two at the first point counts, one of each other."""
        own = stage(self.name)
        if seed is not None:
            own = drawn_stage(own, (self.name.removesuffix("_driven"),), seed)
        own = replace(own, line_capacitance=capacitance * own.line_capacitance)
        found, _ = sense(ENGINE, own, pairs, (self.conductance, self.conductance))
        return Response(found.drive, float(found.total[0]), float(np.abs(found.droop).max()))


@dataclass(frozen=True)
class Burst(Topology):
    """The stage that sums a burst of row pulses and holds it over as many write cycles."""

    def respond(
        self, pairs: np.ndarray, *, capacitance: float = 1.0, seed: int | None = None
    ) -> Response:
        """Bursts of equal pulses and one write cycle; joules of a pulse."""
        own = burst_stage()
        own = own if seed is None else drawn(own, seed)
        lines = replace(own.stage, line_capacitance=capacitance * own.stage.line_capacitance)
        currents = pairs[:, None, None, :].repeat(PULSES, axis=1)
        found = [
            run_bursts(ENGINE, BurstBench(replace(own, stage=lines), few, 1, {}))
            for few in _few(currents)
        ]
        pulse = sum(float(energy[0, 0]) for energy in found[0].energy.values()) / PULSES
        return Response(np.concatenate([deck.drive[:, 0] for deck in found]), pulse, None)

    def hold(self) -> tuple[float, float | None]:
        """Of as many write cycles as pulses."""
        currents = self.pairs([0.0])[:, None, None, :].repeat(PULSES, axis=1)
        found = run_bursts(ENGINE, BurstBench(burst_stage(), currents, CYCLES, {}))
        write = sum(float(energy[0, 1]) for energy in found.energy.values()) / CYCLES
        return write, float(abs(found.drive[0, -1] - found.drive[0, 0]))


@dataclass(frozen=True)
class JoinedStages(Topology):
    """Stages of several tiles, their drives joined; currents are those of one of them."""

    count: int = 4
    alone: ClassVar[bool] = False

    @property
    def stages(self) -> int:
        """All of them."""
        return self.count

    def respond(
        self, pairs: np.ndarray, *, capacitance: float = 1.0, seed: int | None = None
    ) -> Response:
        """All tiles alike; joules of a stage."""
        currents = pairs[:, None, :].repeat(self.count, axis=1)
        found = [joined(few, capacitance) for few in _few(currents)]
        drives = np.concatenate([deck.drive for deck in found])
        return Response(drives, float(found[0].energy[0]) / self.count, None)


def _few(points: np.ndarray) -> list[np.ndarray]:
    """Points of one deck each: a deck of many takes longer than an engine may."""
    return np.array_split(points, range(DECK, len(points), DECK))


TOPOLOGIES: tuple[Topology, ...] = (
    Single("sense_e3", "lines in turn, clocks ideal", 150e-6, 5 * UA, 6 * UA),
    Single("sense_e3_driven", "lines in turn", 150e-6, 5 * UA, 6 * UA),
    Single("sense_copier", "difference by a copier", 70e-6, 4.5 * UA, 1.6 * UA),
    JoinedStages("sense_copier", "four of them joined", TILE_LINE, 3.5 * UA, 1.6 * UA),
    Burst("sense_burst", f"sum of {PULSES} pulses", line_of(), 4.5 * UA, 1.2 * UA),
)


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of a topology, SI; None where it was not asked.

    Parameters
    ----------
    topology : Topology
    drive : ndarray, shape (steps,), [V]
        At `STEPS` of its reach.
    energy : float, [J]
        Of an event: a row pulse, and a write cycle where the stage drives the neuron itself.
    gain, bent : float, [ohm] and [1]
        Slope of the drive over the sum of all stages' differences, within half of the reach; what
        it is off a line there, of its change.
    shared, settled, memory : float, [V]
        Worst change of the drive by what lines share, by twice the line's capacitance, and by the
        event before.
    offset, droop : float, [V]
        Standard deviation of the drive at equal currents, thresholds drawn, and worst change while
        it is held.
    """

    topology: Topology
    drive: np.ndarray
    energy: float
    gain: float
    bent: float
    shared: float
    settled: float
    memory: float
    offset: float | None
    droop: float | None

    @property
    def span(self) -> float:
        """Range of the drive, [V]."""
        return float(np.ptp(self.drive))


def offset(topology: Topology, draws: int = DRAWS) -> float | None:
    """Standard deviation of the drive at equal currents, thresholds drawn, [V]; None if joined."""
    if not topology.alone:
        return None
    rest = topology.pairs([0.0])
    found = [topology.respond(rest, seed=seed).drive[0] for seed in range(1, draws + 1)]
    return float(np.std(found, ddof=1))


def figures(topology: Topology) -> Figures:
    """Measure a topology."""
    rest = topology.pairs([0.0])
    course = topology.pairs(topology.reach * STEPS)
    shared = [topology.pairs([0.0], move) for move in (-SHARED, SHARED)]
    found = topology.respond(np.concatenate([rest, course, *shared, rest]))
    drive, alike = found.drive[1 : 1 + len(STEPS)], found.drive[-3:-1]
    inner = np.abs(STEPS) <= 0.5
    fit = np.polyfit(topology.reach * STEPS[inner], drive[inner], 1)
    off = drive[inner] - np.polyval(fit, topology.reach * STEPS[inner])
    few = np.concatenate([rest, topology.pairs([topology.reach / 2])])
    slow = topology.respond(few, capacitance=2.0).drive
    nominal = np.array([found.drive[0], drive[STEPS == 0.5][0]])
    write, lost = topology.hold()
    return Figures(
        topology,
        drive,
        found.energy + write,
        gain=float(fit[0]) / topology.stages,
        bent=float(np.abs(off).max() / np.ptp(drive[inner])),
        shared=float(np.abs(alike - found.drive[0]).max()),
        settled=float(np.abs(slow - nominal).max()),
        memory=float(abs(found.drive[-1] - found.drive[0])),
        offset=offset(topology),
        droop=found.droop if lost is None else lost,
    )


def topology_table(found: Sequence[Figures]) -> Iterator[str]:
    """Lines of the table of topologies."""
    yield (
        "| stage | | lines, uS and uA | fJ an event | gain, kohm | span, V0 | off a line, % | "
        "lines alike +-2 uA, mV | twice the line's capacitance, mV | event before, mV | "
        "offset sd, mV and uA | droop, mV |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for item in found:
        one, offset = item.topology, "-"
        if item.offset is not None:
            offset = f"{item.offset / MV:.1f}, {abs(item.offset / item.gain) / UA:.3f}"
        droop = "-" if item.droop is None else f"{item.droop / MV:.1f}"
        yield (
            f"| {one.name} | {one.what} | {one.conductance / UA:.0f}, {one.mean / UA:.1f} | "
            f"{item.energy / FJ:.0f} | {item.gain / KOHM:.1f} | {item.span / VOLTAGE_SCALE:.1f} | "
            f"{100 * item.bent:.1f} | {item.shared / MV:.0f} | {item.settled / MV:.1f} | "
            f"{item.memory / MV:.2f} | {offset} | {droop} |"
        )


#: Figures of the prototype's stage E3, without clock drivers, on 29 Nov 2026: joules, gain of a
#: difference (mean of both lines' gains), range over 2 to 8 uA, droop, and offset at 4 and 4 uA,
#: where its phases are balanced; name, unit and scale.
PROTOTYPE = {
    ("energy", "fJ", FJ): 153 * FJ,
    ("gain", "kohm", KOHM): 28.5 * KOHM,
    ("span", "mV", MV): 340 * MV,
    ("droop", "mV", MV): 4.2 * MV,
    ("offset", "mV", MV): 7.0 * MV,
}
#: Mean current of that offset, [A], and how many stages were drawn.
BALANCED, PROTOTYPE_DRAWS = 4 * UA, 24


def balanced(item: Figures) -> Figures:
    """The same figures with the offset where the prototype has it."""
    return replace(item, offset=offset(replace(item.topology, mean=BALANCED), PROTOTYPE_DRAWS))


def prototype_table(item: Figures) -> Iterator[str]:
    """Lines of the table that sets a stage beside its prototype."""
    yield f"| {item.topology.name} | now | prototype | ratio |"
    yield "|---|---|---|---|"
    for (name, unit, scale), before in PROTOTYPE.items():
        value = getattr(item, name)
        yield (
            f"| {name}, {unit} | {value / scale:.3g} | {before / scale:.3g} | "
            f"{value / before:.2f} |"
        )


#: Stages of the prototype that are not built: joules [fJ], gain [kohm], offset sd [mV].
NOT_BUILT = (
    ("C, a mirror for each line", 180.0, 141.0, 246.0),
    ("D, C sampled twice", 290.0, 90.0, 188.0),
    ("E, ideal switches", 125.0, 84.0, 47.0),
)
_COLORS = (MUTED, SPICE, SURROGATE, "#009e73", "#cc79a7")


def draw(found: Sequence[Figures]) -> Figure:
    """Drives over differences; joules of an event against what an offset is at the input."""
    figure = new_figure(4.0)
    course, costs = figure.subplots(1, 2, width_ratios=(1.25, 1))
    for item, color in zip(found, _COLORS, strict=True):
        one = item.topology
        course.plot(
            one.reach * STEPS / UA, item.drive, "o-", color=color, markersize=3,
            label=f"{one.name.removesuffix('_driven')}, {one.what}",
        )  # fmt: skip
        if item.offset is not None:
            costs.plot(item.energy / FJ, abs(item.offset / item.gain) / UA, "o", color=color)
    for name, energy, gain, spread in NOT_BUILT:
        place = (energy, spread / gain)
        costs.plot(*place, "o", color=MUTED, markerfacecolor="white")
        costs.annotate(name[0], place, xytext=(5, 3), textcoords="offset points", fontsize=8)
    course.set(xlabel="difference of line currents, uA", ylabel="drive, V")
    costs.set(
        xlabel="fJ an event", ylabel="offset at the input, sd, uA", yscale="log", xlim=(0, 450)
    )
    costs.yaxis.set_major_formatter("{x:g}")
    costs.set_title("hollow: prototype, not built", fontsize=8, loc="left")
    for axis in (course, costs):
        tidy(axis)
    headline(figure, "Sense stages of 45 nm transistors", course, ncols=2, fontsize=8.5)
    return figure


def main() -> None:
    """Measure all topologies, write the figure and both tables."""
    found = [figures(topology) for topology in TOPOLOGIES]
    save(draw(found), DOCS / "figures" / "topologies.svg")
    write_tables(
        {
            "topologies": "\n".join(topology_table(found)),
            "prototype": "\n".join(prototype_table(balanced(found[0]))),
        }
    )


if __name__ == "__main__":
    main()
