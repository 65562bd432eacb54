"""``python -m benchmarks.burst_page``: measure the sense stage of bursts, write its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.burst_spread import spread_table
from benchmarks.burst_stage import BurstBench, BurstStage, burst_stage, run_bursts
from benchmarks.periphery import FJ, NS, UA, Measured
from benchmarks.periphery_page import DOCS, ENGINES, write_tables
from memspice.plot.style import MUTED, SPICE, SURROGATE, headline, new_figure, save, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Row pulses of a burst, and write cycles.
PULSES, CYCLES = 8, 8
BLOCK = "sense_burst_driven"


def constant(*pairs: tuple[float, float]) -> np.ndarray:
    """Bursts of equal pulses, from the currents of plus and minus line, [uA].

    Returns
    -------
    ndarray, shape (bursts, pulses, 1, 2), [A]
    """
    return np.array(pairs)[:, None, None, :].repeat(PULSES, axis=1) * UA


def unlike(count: int, apart: float = 0.6, seed: int = 1) -> np.ndarray:
    """Bursts of pulses that differ as spikes make them differ: 1 uA sd of their difference.

    Parameters
    ----------
    count : int
    apart : float, [uA]
        Largest mean difference of a burst.
    seed : int

    Returns
    -------
    ndarray, shape (count, pulses, 1, 2), [A]
    """
    draws = np.random.default_rng(seed)
    common = draws.uniform(1.8, 7, (count, 1)) + 0.7 * draws.standard_normal((count, PULSES))
    middle = draws.uniform(-apart, apart, (count, 1))
    difference = np.clip(middle + draws.standard_normal((count, PULSES)), -4, 4)
    lines = np.stack([common + difference / 2, common - difference / 2], axis=-1)
    return np.clip(lines, 0.5, 9)[:, :, None, :] * UA


def transfer_figures(engine: str, own: BurstStage, count: int = 5) -> list[Measured]:
    """Gain, memory and joules in bursts of one write cycle."""
    early, late = constant((4.5, 4.5), (4.5, 4.5))
    early[: PULSES // 2] += np.array([0.5, -0.5]) * UA
    late[PULSES // 2 :] += np.array([0.5, -0.5]) * UA
    alike = constant((4.5, 4.5), (2.5, 2.5), (6.5, 6.5), (4.0, 5.0), (5.0, 4.0), (4.5, 4.5))
    currents = np.concatenate([alike, early[None], late[None], unlike(count)])
    found = run_bursts(engine, BurstBench(own, currents, 1, {}))
    drive, pulse = found.drive[:, 0], {n: e[0, 0] / PULSES for n, e in found.energy.items()}
    fit, off = _surface(currents[:, :, 0].mean(axis=1), drive)
    parts = by_part(own, pulse)
    return [
        Measured(BLOCK, "gain of a burst, mean difference", fit[1] / 1e3, "kohm"),
        Measured(BLOCK, "minus line's gain by the plus line's, less 1", -fit[2] / fit[1] - 1, "1"),
        Measured(BLOCK, "drive at equal currents, 4.5 uA", drive[0], "V"),
        Measured(BLOCK, "drive at 4 and 5 uA", drive[3], "V"),
        Measured(BLOCK, "drive at 5 and 4 uA", drive[4], "V"),
        Measured(BLOCK, "memory from burst to burst", (drive[5] - drive[0]) / 1e-3, "mV"),
        Measured(BLOCK, "forgotten a pulse", _forgotten(drive), "1"),
        Measured(BLOCK, "off a surface of both means, rms", float(off.std()) / 1e-3, "mV"),
        Measured(BLOCK, "off it, worst", float(np.abs(off).max()) / 1e-3, "mV"),
        Measured(BLOCK, "a pulse at 4.5 and 4.5 uA", sum(pulse.values()) / FJ, "fJ"),
        *(Measured(BLOCK, f"of it {name}", part / FJ, "fJ") for name, part in parts.items()),
    ]


def by_part(own: BurstStage, energy: Mapping[str, float]) -> dict[str, float]:
    """Joules of each source as joules of what it is for, [J]."""
    lines = energy["lines"]
    clocks = sum(e for name, e in energy.items() if name not in own.stage.supplies) - lines
    return {
        "line amplifier and copier": energy["vdd"] + energy["vlogic"],
        "amplifier of the sum, start": energy["vamp"] + energy["vrest"],
        "clock drivers": energy["vclock"] + energy["vcas"] + clocks,
        "bit lines": lines,
    }


def draw(engine: str, own: BurstStage) -> Figure:
    """Drive in a burst and a write cycle for three pairs of currents; joules by what takes them."""
    pairs = ((4.0, 5.0), (4.5, 4.5), (5.0, 4.0))
    bench = BurstBench(own, constant(*pairs), 1, {})
    found = run_bursts(engine, bench)
    figure = new_figure(3.4)
    course, joules = figure.subplots(2, 1, height_ratios=(2.2, 1))
    for number, (pair, color) in enumerate(zip(pairs, (SPICE, MUTED, SURROGATE), strict=True)):
        start = (number + 1) * bench.period
        inside = (found.waves.time >= start) & (found.waves.time <= start + bench.period)
        time = (found.waves.time[inside] - start) / NS
        label = f"{pair[0]:.1f}, {pair[1]:.1f} uA"
        course.plot(time, found.waves.voltage("drive")[inside], color=color, label=label)
    course.axvspan(0, PULSES * own.slot / NS, color=MUTED, alpha=0.12, linewidth=0)
    course.text(2, 1.27, f"{PULSES} row pulses", fontsize=8, color="#555555", va="top")
    course.set(xlabel="time, ns", ylabel="drive, V", xlim=(0, bench.period / NS), ylim=(0, 1.3))
    course.legend(frameon=False, fontsize=8, loc="upper right", ncols=3)
    middle = {name: energy[1] / (PULSES, 1) / FJ for name, energy in found.energy.items()}
    pulse, write = (by_part(own, {n: e[k] for n, e in middle.items()}) for k in (0, 1))
    joules.barh(list(pulse), list(pulse.values()), color=SPICE, label="a row pulse")
    left = list(pulse.values())
    joules.barh(
        list(write), list(write.values()), left=left, color=SURROGATE, label="a write cycle"
    )
    joules.legend(frameon=False, fontsize=8)
    joules.set_xlabel("fJ at 4.5 and 4.5 uA")
    for axis in (course, joules):
        tidy(axis)
    headline(figure, "The stage of bursts, of 45 nm transistors")
    return figure


def _surface(means: np.ndarray, drive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Polynomial of second degree of both lines' mean currents, and what bursts are off it.

    Parameters
    ----------
    means : ndarray, shape (bursts, 2), [A]
    drive : ndarray, shape (bursts,), [V]

    Returns
    -------
    ndarray, shape (6,)
        Constant [V], slopes of both lines at 4.5 uA [V/A], curvatures.
    ndarray, shape (bursts,), [V]
    """
    plus, minus = (means - 4.5 * UA).T
    columns = np.column_stack([np.ones(len(means)), plus, minus, plus**2, plus * minus, minus**2])
    size = np.abs(columns).max(axis=0)
    fit = np.linalg.lstsq(columns / size, drive, rcond=None)[0] / size
    return fit, drive - columns @ fit


def _forgotten(drive: np.ndarray) -> float:
    """Share that a pulse loses by each later one, from a difference early and late in a burst."""
    early, late = drive[6] - drive[0], drive[7] - drive[0]
    return float(1 - (early / late) ** (2 / PULSES))


def hold_figures(engine: str, own: BurstStage) -> list[Measured]:
    """What a drive loses in its write cycles, what a neuron that switches does to it, joules."""
    currents = constant((4.5, 4.5), (4.1, 4.9), (4.9, 4.1))
    quiet = run_bursts(engine, BurstBench(own, currents, CYCLES, {}))
    kicked = run_bursts(engine, BurstBench(own, currents, 3, {}, kicked=0))
    lost = (quiet.drive[:, -1] - quiet.drive[:, 0]) / 1e-3
    moved = np.abs(kicked.drive[:, 1] - quiet.drive[:, 1]).max() / 1e-3
    cycle = {name: e[:, 1].mean() / CYCLES for name, e in quiet.energy.items()}
    return [
        Measured(BLOCK, "change in 8 write cycles, worst", float(np.abs(lost).max()), "mV"),
        Measured(BLOCK, "change by a neuron that switched", float(moved), "mV"),
        Measured(BLOCK, "a write cycle", sum(cycle.values()) / FJ, "fJ"),
        Measured(BLOCK, "of it amplifier of the sum", cycle["vamp"] / FJ, "fJ"),
        Measured(BLOCK, "of it clock drivers", cycle["vclock"] / FJ, "fJ"),
    ]


def tile_table(engine: str, own: BurstStage) -> Iterator[str]:
    """Lines of the table of wide layers: fronts of several tiles on one sum.

    Tiles have 3.5 uA a line.  In the last burst currents of tiles and pulses differ by 1.5 uA
    either way, with the same mean over all as in the first.
    """
    yield (
        "| tiles | `ch`, fF | gain of a burst, sum of differences, kohm | "
        "unlike tiles and pulses, mV | fJ a pulse and tile |"
    )
    yield "|---|---|---|---|---|"
    for tiles in (2, 4):
        alike = np.full((2, PULSES, tiles, 2), 3.5 * UA)
        alike += np.array([0.15, -0.15])[:, None, None, None] * (UA, -UA)
        apart = np.random.default_rng(1).uniform(-1.5, 1.5, (PULSES, tiles, 2)) * UA
        last = alike[0] + apart - apart.mean(axis=(0, 1))
        sizes = {"ch": 50e-15 * tiles, "wl": 0.6e-6 * tiles}
        bench = BurstBench(own, np.concatenate([alike, last[None]]), 1, sizes)
        found = run_bursts(engine, bench)
        drive = found.drive[:, 0]
        gain = (drive[0] - drive[1]) / (0.6 * tiles * UA)
        joules = sum(e[:2, 0].mean() for e in found.energy.values()) / (PULSES * tiles)
        yield (
            f"| {tiles} | {sizes['ch'] / FJ:.0f} | {gain / 1e3:.1f} | "
            f"{(drive[2] - drive[0]) / 1e-3:+.2f} | {joules / FJ:.0f} |"
        )


def burst_table(columns: Sequence[Sequence[Measured]]) -> Iterator[str]:
    """Lines of the table: a column an engine."""
    yield f"| figure | {' | '.join(ENGINES)} |"
    yield "|---|---|---|"
    for row in zip(*columns, strict=True):
        values = " | ".join(f"{item.value:.4g}" for item in row)
        yield f"| {row[0].what}, {row[0].unit} | {values} |"


def main() -> None:
    """Measure on both engines, write the tables and the figure of the page."""
    own = burst_stage()
    save(draw(ENGINES[0], own), DOCS / "figures" / "periphery.svg")
    columns = [transfer_figures(name, own) + hold_figures(name, own) for name in ENGINES]
    write_tables(
        {
            "bursts": "\n".join(burst_table(columns)),
            "tiles": "\n".join(tile_table(ENGINES[0], own)),
            "burst_spread": "\n".join(spread_table(ENGINES[0])),
        }
    )


if __name__ == "__main__":
    main()
