"""``python -m benchmarks.burst_mismatch``: what each threshold does to the stage of bursts.

Measures the sensitivities, writes their table beside the stage, compares what they predict with
stages whose thresholds are all drawn, and writes both tables of the page.  About 100 decks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, replace

import numpy as np

from benchmarks.burst_spread import AREA_SPREAD, DRAWN, drawn, shifted_stage, transfer
from benchmarks.burst_stage import BurstStage, burst_stage
from benchmarks.periphery import FJ, FOLDER
from benchmarks.periphery_page import ENGINES, write_tables
from memspice.analysis.sense_surface import OPTIONS
from memspice.circuits.library import Library
from memspice.circuits.mismatch import StageMismatch, circuit_hash, read_mismatch, transistors_of
from memspice.resources import resource_path

#: Shift of a threshold, either way, [V]: as one of a small gate is off.
STEP = 10e-3
#: The trapezoidal rule, in a fraction of gear's time; only differences of these decks count.
FAST = replace(OPTIONS, method="trap", maxord=2, chgtol=1e-15)
#: Stages that are drawn.
SEEDS = range(1, 13)
TABLE = "sense_burst_mismatch.toml"
_HEAD = """\
# Sense stage of bursts (difference_copier and charge_sum of sense_burst.lib): what the threshold of
# each transistor does, per volt of delvto, from 10 mV either way, at 4.5 uA in both lines of 100 uS
# and eight row pulses.  Written by python -m benchmarks.burst_mismatch on ngspice; see
# memspice.circuits.mismatch.
"""


def measured(engine: str, own: BurstStage, library: Library) -> StageMismatch:
    """Sensitivities by central differences, a transistor after the other."""
    transistors, found = transistors_of(library, DRAWN), []
    for one in transistors:
        place = (one.subcircuit, one.name)
        stages = [shifted_stage(own.stage, {place: shift}) for shift in (STEP, -STEP)]
        ends = [transfer(engine, replace(own, stage=stage), FAST) for stage in stages]
        found.append(sensitivity(*ends))
    return StageMismatch(transistors, np.array(found))


def sensitivity(
    above: tuple[float, float, float], below: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Change per volt of drive [V/V], ln gain [1/V] and joules [J/V] between two transfers."""
    rest, gain, joules = zip(above, below, strict=True)
    return (
        (rest[0] - rest[1]) / (2 * STEP),
        float(np.log(gain[0] / gain[1])) / (2 * STEP),
        (joules[0] - joules[1]) / (2 * STEP),
    )


def table_text(library: Library, mismatch: StageMismatch) -> str:
    """File of sensitivities."""
    lines = [
        f'{_HEAD}\n[mismatch]\ncircuit = "{circuit_hash(library, mismatch.transistors)}"',
        "# subcircuit, name, kind, W and L in m; drive in V/V, ln gain in 1/V, a pulse in J/V",
        "transistors = [",
    ]
    for one, row in zip(mismatch.transistors, mismatch.sensitivities.tolist(), strict=True):
        words = [f'"{word}"' for word in astuple(one)[:3]]
        words += [f"{value:.4g}" for value in (one.width, one.length, *row)]
        lines.append(f"    [{', '.join(words)}],")
    return "\n".join([*lines, "]", ""])


def share_table(mismatch: StageMismatch, most: int = 10) -> Iterator[str]:
    """Lines of the table of the transistors that make the spread, the largest share first."""
    yield "| transistor | W by L, nm | its sd, mV | drive, mV | gain, % | a pulse, fJ |"
    yield "|---|---|---|---|---|---|"
    size = np.array([1e3, 1e2, 1 / FJ])
    spreads, whole = mismatch.spreads(AREA_SPREAD), mismatch.spread(AREA_SPREAD) * size
    parts = spreads[:, None] * mismatch.sensitivities * size
    shares = (parts / whole) ** 2
    order = np.argsort(-shares[:, :2].max(axis=1))
    for number in order[:most]:
        one = mismatch.transistors[number]
        own = " | ".join(f"{value:+.1f}" for value in parts[number])
        gate = f"{one.width * 1e9:.0f} by {one.length * 1e9:.0f}"
        yield f"| `{one.name}`, `{one.subcircuit}` | {gate} | {spreads[number] * 1e3:.1f} | {own} |"
    rest = np.sqrt((parts[order[most:]] ** 2).sum(axis=0))
    for name, values in (("all others", rest), ("all", whole)):
        yield f"| {name} | | | {' | '.join(f'{value:.1f}' for value in values)} |"


def residuals(
    nominal: tuple[float, float, float], found: np.ndarray, said: np.ndarray
) -> np.ndarray:
    """What drawn stages are off their prediction.

    Parameters
    ----------
    nominal : tuple of float
        Transfer of the stage itself.
    found : ndarray, shape (stages, 3), [V], [ohm], [J]
        Transfers of the drawn stages.
    said : ndarray, shape (stages, 3), [V], [1], [J]
        As `memspice.circuits.mismatch.StageMismatch.effect`.

    Returns
    -------
    ndarray, shape (stages, 3), [V], [1], [J]
        Of the drive at equal currents, of ln gain, of a pulse.
    """
    rest, gain, joules = nominal
    moved = np.column_stack([found[:, 0] - rest, np.log(found[:, 1] / gain), found[:, 2] - joules])
    return np.asarray(moved - said)


def check_table(
    found: np.ndarray, off: np.ndarray, nominal: tuple[float, float, float]
) -> Iterator[str]:
    """Lines of the table: spread of the drawn stages, and what is left of it."""
    yield f"| of {len(found)} drawn stages | simulated, sd | off the prediction, rms | worst |"
    yield "|---|---|---|---|"
    moved = residuals(nominal, found, np.zeros_like(off))
    names = ("drive at equal currents, mV", "gain, %", "a pulse, fJ")
    for name, size, values, left in zip(names, (1e3, 1e2, 1 / FJ), moved.T, off.T, strict=True):
        rms, worst = np.sqrt(np.mean(left**2)) * size, np.abs(left).max() * size
        yield f"| {name} | {values.std(ddof=1) * size:.1f} | {rms:.2f} | {worst:.2f} |"


def predicted(mismatch: StageMismatch, seeds: range) -> np.ndarray:
    """Effect of the thresholds that `benchmarks.burst_spread.drawn` gives to each seed."""
    draws = [mismatch.thresholds((), AREA_SPREAD, np.random.default_rng(seed)) for seed in seeds]
    return mismatch.effect(np.array(draws))


def main() -> None:
    """Measure on ngspice, write the table of the stage and those of the page."""
    engine, own = ENGINES[0], burst_stage()
    library = own.stage.library
    assert library is not None, "a stage of the package has a subcircuit"
    mismatch = measured(engine, own, library)
    path = resource_path(FOLDER, TABLE)
    path.write_text(table_text(library, mismatch), encoding="utf-8")
    read_mismatch(path, library)
    nominal = transfer(engine, own, FAST)
    found = np.array([transfer(engine, drawn(own, seed), FAST) for seed in SEEDS])
    off = residuals(nominal, found, predicted(mismatch, SEEDS))
    write_tables(
        {
            "mismatch": "\n".join(share_table(mismatch)),
            "mismatch_check": "\n".join(check_table(found, off, nominal)),
        }
    )


if __name__ == "__main__":
    main()
