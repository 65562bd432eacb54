"""``python -m benchmarks.burst_mismatch``: what each threshold does to the stage of bursts.

Measures the sensitivities, writes their table beside the stage, compares what they predict with
stages whose thresholds are all drawn, and writes both tables of the page.  About 50 decks.
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
from memspice.circuits.mismatch import (
    StageMismatch,
    Transistor,
    circuit_hash,
    read_mismatch,
    transistors_of,
)
from memspice.resources import resource_path

#: Shift of a threshold, either way, [V]: as one of a small gate is off.
STEP = 10e-3
#: Changes [V], [1], [J] from which a shift is simulated the other way as well.
SMALL = np.array([1e-3, 0.01, 5e-15])
#: Only differences of these decks count: charges are not as fine as for a surface.
FAST = replace(OPTIONS, chgtol=1e-15, trtol=3.0)
#: Stages that are drawn.
SEEDS = range(1, 9)
#: Drive at equal currents [V], gain of a burst [ohm], joules of a pulse [J].
Transfer = tuple[float, float, float]
TABLE = "sense_burst_mismatch.toml"
_HEAD = """\
# Sense stage of bursts (difference_copier and charge_sum of sense_burst.lib): what the threshold of
# each transistor does, per volt of delvto, from 10 mV either way, at 4.5 uA in both lines of 100 uS
# and eight row pulses.  Written by python -m benchmarks.burst_mismatch on ngspice; see
# memspice.circuits.mismatch.
"""


def measured(engine: str, own: BurstStage, nominal: Transfer) -> StageMismatch:
    """Sensitivities, a transistor after the other: central differences where they are large."""
    assert own.stage.library is not None, "a stage of the package has a subcircuit"
    transistors = transistors_of(own.stage.library, DRAWN)

    def moved(one: Transistor, shift: float) -> np.ndarray:
        stage = shifted_stage(own.stage, {(one.subcircuit, one.name): shift})
        return change(nominal, transfer(engine, replace(own, stage=stage), FAST))

    found = []
    for one in transistors:
        per_volt = moved(one, STEP) / STEP
        if np.any(np.abs(per_volt) * STEP > SMALL):
            per_volt = (per_volt - moved(one, -STEP) / STEP) / 2
        found.append(per_volt)
    return StageMismatch(transistors, np.array(found))


def change(nominal: Transfer, other: Transfer) -> np.ndarray:
    """Change of the drive at equal currents [V], of ln gain [1] and of a pulse [J]."""
    (rest, gain, joules), (rest0, gain0, joules0) = other, nominal
    return np.array([rest - rest0, np.log(gain / gain0), joules - joules0])


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


def check_table(moved: np.ndarray, said: np.ndarray) -> Iterator[str]:
    """Lines of the table: spread of drawn stages, and how far they are off what is said of them.

    Parameters
    ----------
    moved, said : ndarray, shape (stages, 3), [V], [1], [J]
        As of `change`, and of `memspice.circuits.mismatch.StageMismatch.effect`.
    """
    yield f"| of {len(moved)} drawn stages | simulated, sd | off the prediction, rms | worst |"
    yield "|---|---|---|---|"
    size = np.array([1e3, 1e2, 1 / FJ])
    names = ("drive at equal currents, mV", "gain, %", "a pulse, fJ")
    spread, off = moved.std(axis=0, ddof=1) * size, (moved - said) * size
    rms, worst = np.sqrt(np.mean(off**2, axis=0)), np.abs(off).max(axis=0)
    for name, *values in zip(names, spread, rms, worst, strict=True):
        yield f"| {name} | {values[0]:.1f} | {values[1]:.2f} | {values[2]:.2f} |"


def predicted(mismatch: StageMismatch, seeds: range) -> np.ndarray:
    """Effect of the thresholds that `benchmarks.burst_spread.drawn` gives to each seed."""
    draws = [mismatch.thresholds((), AREA_SPREAD, np.random.default_rng(seed)) for seed in seeds]
    return mismatch.effect(np.array(draws))


def main() -> None:
    """Measure on ngspice, write the table of the stage and those of the page."""
    engine, own = ENGINES[0], burst_stage()
    library = own.stage.library
    assert library is not None, "a stage of the package has a subcircuit"
    nominal = transfer(engine, own, FAST)
    mismatch = measured(engine, own, nominal)
    path = resource_path(FOLDER, TABLE)
    path.write_text(table_text(library, mismatch), encoding="utf-8")
    read_mismatch(path, library)
    stages = [transfer(engine, drawn(own, seed), FAST) for seed in SEEDS]
    moved = np.array([change(nominal, found) for found in stages])
    write_tables(
        {
            "mismatch": "\n".join(share_table(mismatch)),
            "mismatch_check": "\n".join(check_table(moved, predicted(mismatch, SEEDS))),
        }
    )


if __name__ == "__main__":
    main()
