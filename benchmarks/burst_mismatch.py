"""``python -m benchmarks.burst_mismatch``: what each threshold does to the stage of bursts.

Measures the sensitivities, compares what they predict with stages whose thresholds are all drawn,
writes the table beside the stage, and both tables of the page.  About 80 decks, 20 minutes of a
processor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from functools import cached_property

import numpy as np
import scipy

from benchmarks.burst_spread import AREA_SPREAD, DRAWN, shifted_stage
from benchmarks.periphery import FOLDER, NS, UA
from benchmarks.periphery_page import write_tables
from memspice.analysis.sense_surface import OPTIONS, STEPS, SenseConditions, conditions_of
from memspice.analysis.shipped_surfaces import shipped_surface
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.library import Library
from memspice.circuits.mismatch import (
    StageMismatch,
    Transistor,
    circuit_hash,
    read_mismatch,
    transistors_of,
)
from memspice.circuits.sense_bench import (
    MINUS,
    PLUS,
    ClockedStage,
    SenseBench,
    SenseCycles,
    sense_bench_cycles,
    sense_bench_deck,
    sense_bench_signals,
)
from memspice.circuits.sense_surface import SenseSurface
from memspice.circuits.signals import Signals
from memspice.circuits.surface_axes import APART
from memspice.circuits.timing import schedule
from memspice.engines import find_engine
from memspice.engines.base import Transient
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path

#: Means and differences of both lines' currents at which a threshold is moved, [A].
MOVED = np.array([3.0, 6.0, 12.0]) * UA, np.array([-0.4, 0.4]) * UA
#: Between which means, and which differences, stages whose thresholds are all drawn are compared at
#: points of their own, drawn evenly: half of what lines of layers carry, and as far as the drive
#: does not end, [A].
COMPARED = (1.5 * UA, 10 * UA), (-1.2 * UA, 1.0 * UA)
POINTS = 6
#: The other spread that is recalled, [V m].
MOST_SPREAD = 3.5e-9
#: Conductance of both lines: that of most layers, [S].
LINE = 240e-6
#: Current on which a drawn stage acts, below which its loop of amplifier and mirror has not settled
#: and its drive is off by up to 0.3 V: such drives do not count, [A].
LEAST = 1.5 * UA
#: Effects [V], [1], [A] of one standard deviation from which the other way is simulated as well.
SMALL = np.array([1e-3, 0.01, 3e-9])
#: When a line has settled in a row pulse, [s].
SETTLED = {PLUS: (9 * NS, 12.5 * NS), MINUS: (16 * NS, 19.5 * NS)}
#: Only differences of these decks count: charges are not as fine as for a surface.
FAST = replace(OPTIONS, chgtol=1e-15, trtol=3.0)
#: Stages that are drawn; half of them at the other spread.
SEEDS = range(101, 117)
#: A transistor of the line amplifier, which moves the lines and little else.
AMPLIFIER = "a4"
#: In the place of what is not known yet of a stage: residual, least current, time.
UNSAID = (AREA_SPREAD, 0.0, 0.0), LEAST, 0.0
TABLE = "sense_burst_mismatch.toml"
_HEAD = """\
# Sense stage of bursts (difference_copier and charge_sum of sense_burst.lib): what the threshold of
# each transistor does, per volt of delvto, from one standard deviation either way of 2 mV um over
# the root of its gate's area, at 3, 6 and 12 uA in both lines and 0.4 uA between them.  residual is
# of 16 stages whose thresholds are all drawn.  Written by python -m benchmarks.burst_mismatch on
# ngspice; see memspice.circuits.mismatch.
"""


@dataclass(frozen=True, eq=False)
class Bench:
    """The stage of bursts as layers have it, and its surface."""

    stage: ClockedStage
    conditions: SenseConditions
    surface: SenseSurface

    @cached_property
    def lines(self) -> np.ndarray:
        """Conductances of both lines, [S]."""
        return np.full(2, LINE)

    @property
    def library(self) -> Library:
        """Text of the stage."""
        assert self.stage.library is not None, "a stage of the package has a subcircuit"
        return self.stage.library

    def measured(self, stage: ClockedStage, currents: np.ndarray) -> tuple[SenseCycles, float]:
        """Bursts at currents (points, 2) [A], and what lines are off their level, [V]."""
        ways = self.conditions
        bench = SenseBench(stage, ways.cycle, ways.write, currents, (LINE, LINE))
        engine = find_engine("ngspice")
        waves = engine.run(
            engine.write(sense_bench_deck(bench)),
            Transient(bench.duration, bench.cycle / STEPS, from_rest=True),
            save=sense_bench_signals(bench),
            options=FAST,
        )
        found = sense_bench_cycles(bench, ways.voltage_scale, waves)
        return found, line_level(bench, waves) - stage.line_level


def burst_bench() -> Bench:
    """The stage of the package, without mismatch, as ``fast-memristor`` has it."""
    chosen = load_parameter_set("fast-memristor", periphery="freepdk45")
    design = chosen.sense.for_bursts(8)
    needs = SenseNeeds(1e5, 5 * UA, (100e-6, 100e-6), 30 * NS, "own", "a bench")
    stage = design.sized(needs).unmeasured
    assert stage is not None, "the stage of bursts has no closed form"
    conditions = conditions_of(stage, schedule(chosen.timing), chosen.neuron)
    surface = shipped_surface(stage.circuit, conditions)
    assert surface is not None, "the surface is that of this circuit: make surfaces"
    return Bench(stage.circuit, conditions, surface)


def line_level(bench: SenseBench, signals: Signals) -> float:
    """Mean level of both lines once they have settled in a row pulse, [V]."""
    pulses = bench.starts[:, None] + bench.cycle * np.arange(bench.stage.pulses)
    levels = []
    for line, (begin, end) in SETTLED.items():
        times = pulses[..., None] + np.linspace(begin, end, 20)
        levels.append(np.interp(times, signals.time, signals.voltage(line)).mean())
    return float(np.mean(levels))


def pairs(means: np.ndarray, differences: np.ndarray) -> np.ndarray:
    """Currents (points, 2) [A] of both lines, (points,) each."""
    return np.asarray(means[:, None] + differences[:, None] * APART)


def sensitivities(bench: Bench, transistors: tuple[Transistor, ...]) -> np.ndarray:
    """Those of `StageMismatch`, a transistor after the other."""
    points = pairs(*(each.ravel() for each in np.meshgrid(*MOVED)))
    nominal = bench.measured(bench.stage, points)
    rows = []
    for number, one in enumerate(transistors):
        size = one.spread(AREA_SPREAD)

        def moved(shift: float, number: int = number) -> np.ndarray:
            thresholds = np.zeros(len(transistors))
            thresholds[number] = shift
            own = shifted_stage(bench.stage, transistors, thresholds)
            return numbers(bench, points, nominal, bench.measured(own, points))

        found = moved(size)
        if np.any(np.abs(found) > SMALL):
            found = (found - moved(-size)) / 2
        rows.append(found / size)
    return np.array(rows)


def numbers(
    bench: Bench,
    points: np.ndarray,
    nominal: tuple[SenseCycles, float],
    other: tuple[SenseCycles, float],
) -> np.ndarray:
    """The three numbers of a stage, from drives and line level of it and of the nominal one."""
    off = other[1] - nominal[1]
    moved = other[0].drive - nominal[0].drive
    unit = np.array([0.01, 10e-9])  # so that both are about 1

    def unlike(pair: np.ndarray) -> np.ndarray:
        effect = np.array([off, *(pair * unit)])
        return np.asarray((surface_change(bench, points, effect) - moved) * 1e3)

    found = scipy.optimize.least_squares(unlike, np.zeros(2)).x
    return np.array([off, *(found * unit)])


def surface_change(bench: Bench, points: np.ndarray, effect: np.ndarray) -> np.ndarray:
    """Change of the drive by the surface, (points,) [V], for the three numbers of a stage."""
    alone = StageMismatch((), np.eye(3), *UNSAID)
    acting = np.clip(alone.acting(effect, points, bench.lines), *bench.surface.axes.limits)
    drives = [bench.surface.drive_voltage(each, bench.lines) for each in (acting, points)]
    return np.asarray(drives[0] - drives[1])


def held_time(bench: Bench, transistors: tuple[Transistor, ...]) -> float:
    """How long a line is held in a row pulse, [s], by what its cells dissipate off its level."""
    points = pairs(*(each.ravel() for each in np.meshgrid(*MOVED)))
    thresholds = np.array(
        [one.spread(AREA_SPREAD) * (one.name == AMPLIFIER) for one in transistors]
    )
    own = shifted_stage(bench.stage, transistors, thresholds)
    (nominal, level), (other, moved) = (bench.measured(each, points) for each in (bench.stage, own))
    off = moved - level
    power = (off * (2 * points - bench.lines * off)).sum(axis=-1)
    return float(((other.relief - nominal.relief) / power).mean() / bench.stage.pulses)


@dataclass(frozen=True, eq=False)
class DrawnStages:
    """Stages whose thresholds are all drawn, each at points of its own; (stages, points).

    Parameters
    ----------
    moved : ndarray, [V]
        Drives less those of the nominal stage.
    off : ndarray, [V]
        Drives less what is said of them by the surface and the numbers of each.
    joules : ndarray, [1]
        Joules over those of the nominal stage on such currents.
    inside : ndarray of bool
        Whether all such currents are from `LEAST` to the end of the surface.
    """

    moved: np.ndarray
    off: np.ndarray
    joules: np.ndarray
    inside: np.ndarray

    @property
    def residual(self) -> tuple[float, float]:
        """Root of the mean square of what drives [V] and joules [1] are off."""
        return rms(self.off[self.inside]), rms(self.joules[self.inside] - 1)


def drawn_stages(
    bench: Bench,
    mismatch: StageMismatch,
    spread: float,
    seeds: range = SEEDS,
    count: int = POINTS,
) -> DrawnStages:
    """Simulate stages of a spread [V m], one of each seed, each at so many points."""
    rows = []
    for seed in seeds:
        thresholds = mismatch.thresholds((), spread, np.random.default_rng(seed))
        own = shifted_stage(bench.stage, mismatch.transistors, thresholds)
        points = drawn_points(np.random.default_rng(1000 + seed), count)
        found, _ = bench.measured(own, points)
        acting = mismatch.acting(thresholds, points, bench.lines)
        low, high = mismatch.least, bench.surface.axes.limits[1]
        drive, joules, *_ = np.moveaxis(
            bench.surface.values(np.clip(acting, 0, high), bench.lines), -1, 0
        )
        nominal = bench.surface.drive_voltage(points, bench.lines)
        inside = ((acting >= low) & (acting <= high)).all(axis=-1)
        rows.append((found.drive - nominal, found.drive - drive, found.absorbed / joules, inside))
    moved, off, ratio, inside = map(np.array, zip(*rows, strict=True))
    return DrawnStages(moved, off, ratio, inside)


def drawn_points(rng: np.random.Generator, count: int) -> np.ndarray:
    """Currents (points, 2) [A] of both lines."""
    return pairs(*(rng.uniform(*ends, count) for ends in COMPARED))


def table_text(library: Library, mismatch: StageMismatch) -> str:
    """File of sensitivities."""
    residual = ", ".join(f"{value:.3g}" for value in mismatch.residual)
    lines = [
        f'{_HEAD}\n[mismatch]\ncircuit = "{circuit_hash(library, mismatch.transistors)}"',
        "# standard deviations of drive, V, and joules, relative, with thresholds of so many V m",
        f"residual = [{residual}]",
        "# A, of either line's current on which such a stage acts, from which on that is so",
        f"least = {mismatch.least:g}",
        "# s of a row pulse for which a line is held",
        f"held = {mismatch.held:.3g}",
        "# subcircuit, name, kind, W and L in m; u in V/V, ln ratio in 1/V, apart in A/V",
        "transistors = [",
    ]
    for one, row in zip(mismatch.transistors, mismatch.sensitivities.tolist(), strict=True):
        words = [f'"{word}"' for word in astuple(one)[:3]]
        words += [f"{value:.4g}" for value in (one.width, one.length, *row)]
        lines.append(f"    [{', '.join(words)}],")
    return "\n".join([*lines, "]", ""])


def share_table(mismatch: StageMismatch, most: int = 10) -> Iterator[str]:
    """Lines of the table of the transistors that make the spread, the largest share first."""
    yield "| transistor | W by L, nm | its sd, mV | lines, mV | ratio, % | apart, nA |"
    yield "|---|---|---|---|---|---|"
    size = np.array([1e3, 1e2, 1e9])
    spreads, whole = mismatch.spreads(AREA_SPREAD), mismatch.spread(AREA_SPREAD) * size
    parts = spreads[:, None] * mismatch.sensitivities * size
    order = np.argsort(-((parts / whole) ** 2).max(axis=1))
    for number in order[:most]:
        one = mismatch.transistors[number]
        own = " | ".join(f"{value:+.1f}" for value in parts[number])
        gate = f"{one.width * 1e9:.0f} by {one.length * 1e9:.0f}"
        yield f"| `{one.name}`, `{one.subcircuit}` | {gate} | {spreads[number] * 1e3:.1f} | {own} |"
    rest = np.sqrt((parts[order[most:]] ** 2).sum(axis=0))
    for name, values in (("all others", rest), ("all", whole)):
        yield f"| {name} | | | {' | '.join(f'{value:.1f}' for value in values)} |"


def check_line(spread: float, found: DrawnStages) -> str:
    """Line of the table: how far drawn stages are off what is said of them."""
    inside = found.inside
    counted, sd = f"{inside.sum()} of {inside.size}", found.moved[inside].std() * 1e3
    drive, joules = found.residual
    worst, more = np.abs(found.off[inside]).max() * 1e3, found.joules[inside].mean() - 1
    return (
        f"| {spread * 1e9:g} | {counted} | {sd:.1f} | {drive * 1e3:.2f} | {worst:.2f} | "
        f"{more:+.1%} | {joules:.1%} |"
    )


def rms(values: np.ndarray) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(values**2)))


def main() -> None:
    """Measure on ngspice, write the table of the stage and those of the page."""
    bench = burst_bench()
    transistors = transistors_of(bench.library, DRAWN)
    found = StageMismatch(transistors, sensitivities(bench, transistors), *UNSAID)
    compare(bench, replace(found, held=held_time(bench, transistors)))


def compare(bench: Bench, found: StageMismatch) -> None:
    """Stages whose thresholds are all drawn: the residuals, the table of the stage, the page's."""
    path = resource_path(FOLDER, TABLE)
    drawn = drawn_stages(bench, found, AREA_SPREAD)
    most = drawn_stages(bench, found, MOST_SPREAD, SEEDS[::2])
    found = replace(found, residual=(AREA_SPREAD, *drawn.residual))
    path.write_text(table_text(bench.library, found), encoding="utf-8")
    read_mismatch(path, bench.library)
    lines = [
        "| V, mV um | drives | simulated, sd, mV | off the prediction, rms | worst | joules, mean "
        "| off, rms |",
        "|---|---|---|---|---|---|---|",
        check_line(AREA_SPREAD, drawn),
        check_line(MOST_SPREAD, most),
    ]
    tables = {"mismatch": "\n".join(share_table(found)), "mismatch_check": "\n".join(lines)}
    write_tables(tables)


if __name__ == "__main__":
    main()
