"""``python -m benchmarks.burst_page``: measure the sense stage of bursts, write its tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.burst_stage import BurstBench, BurstStage, burst_stage, run_bursts
from benchmarks.periphery import FJ, UA, Measured
from benchmarks.periphery_page import ENGINES, write_tables

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
    clocks = sum(e for name, e in pulse.items() if name not in own.stage.supplies) - pulse["lines"]
    parts = {
        "line amplifier and copier": pulse["vdd"] + pulse["vlogic"],
        "amplifier of the sum, start": pulse["vamp"] + pulse["vrest"],
        "clock drivers": pulse["vclock"] + pulse["vcas"] + clocks,
        "bit lines": pulse["lines"],
    }
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


def _surface(means: np.ndarray, drive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Plane of both lines' mean currents, bent along their difference; what bursts are off it.

    Parameters
    ----------
    means : ndarray, shape (bursts, 2), [A]
    drive : ndarray, shape (bursts,), [V]

    Returns
    -------
    ndarray, shape (5,)
        Constant [V], slopes of both lines [ohm], and two powers of the difference.
    ndarray, shape (bursts,), [V]
    """
    difference = (means[:, 0] - means[:, 1]) / UA
    columns = np.column_stack([np.ones(len(means)), means, difference**2, difference**3])
    fit, *_ = np.linalg.lstsq(columns, drive, rcond=None)
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


def burst_table(columns: Sequence[Sequence[Measured]]) -> Iterator[str]:
    """Lines of the table: a column an engine."""
    yield f"| figure | {' | '.join(ENGINES)} |"
    yield "|---|---|---|"
    for row in zip(*columns, strict=True):
        values = " | ".join(f"{item.value:.4g}" for item in row)
        yield f"| {row[0].what}, {row[0].unit} | {values} |"


def main() -> None:
    """Measure on both engines and write the table."""
    own = burst_stage()
    columns = [transfer_figures(name, own) + hold_figures(name, own) for name in ENGINES]
    write_tables({"bursts": "\n".join(burst_table(columns))})


if __name__ == "__main__":
    main()
