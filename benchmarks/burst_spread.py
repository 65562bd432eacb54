"""The sense stage of bursts with thresholds that differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.burst_stage import BurstBench, BurstStage, burst_stage, run_bursts
from benchmarks.periphery import FJ, UA
from memspice.circuits.mismatch import Transistor, transistors_of
from memspice.circuits.sense_bench import ClockedStage
from memspice.circuits.thresholds import threshold_parameter, with_thresholds
from memspice.engines.base import DEFAULT_OPTIONS, SolverOptions

#: Row pulses of a burst; its mean difference for the gain, [A].
PULSES, APART = 8, 0.4 * UA
#: Standard deviation of a threshold times the root of the gate's area, [V m]; recalled.
AREA_SPREAD = 2e-9
#: Subcircuits whose transistors count.
DRAWN = ("difference_copier", "charge_sum")


def transfer(
    engine: str, own: BurstStage, options: SolverOptions = DEFAULT_OPTIONS
) -> tuple[float, float, float]:
    """Drive at equal currents [V], gain of a burst [ohm], joules of a pulse [J]."""
    pairs = np.array([(0.0, 0.0), (APART, -APART)]) / 2 + 4.5 * UA
    currents = pairs[:, None, None, :].repeat(PULSES, axis=1)
    found = run_bursts(engine, BurstBench(own, currents, 1, {}), options)
    rest, moved = found.drive[:, 0]
    joules = sum(float(energy[0, 0]) for energy in found.energy.values()) / PULSES
    return float(rest), float(moved - rest) / APART, joules


def shifted_stage(
    stage: ClockedStage, transistors: Sequence[Transistor], thresholds: np.ndarray
) -> ClockedStage:
    """The same stage with thresholds of its own (transistors,) [V], off the nominal ones."""
    assert stage.library is not None, "a stage of the package has a subcircuit"
    own = dict(zip(map(threshold_parameter, transistors), thresholds.tolist(), strict=True))
    library = with_thresholds(stage.library, transistors)
    return replace(stage, library=library, parameters={**stage.parameters, **own})


def drawn(own: BurstStage, seed: int) -> BurstStage:
    """The same stage with a threshold drawn for each transistor of front and sum."""
    return replace(own, stage=drawn_stage(own.stage, DRAWN, seed))


def drawn_stage(stage: ClockedStage, subcircuits: Sequence[str], seed: int) -> ClockedStage:
    """The same stage with a threshold drawn for each transistor of some of its subcircuits."""
    assert stage.library is not None, "a stage of the package has a subcircuit"
    transistors = transistors_of(stage.library, subcircuits)
    draws = np.random.default_rng(seed).standard_normal(len(transistors))
    spreads = np.array([one.spread(AREA_SPREAD) for one in transistors])
    return shifted_stage(stage, transistors, draws * spreads)


def spread_table(engine: str, count: int = 12) -> Iterator[str]:
    """Lines of the table of stages whose thresholds are drawn: mean and standard deviation."""
    own = burst_stage()
    found = np.array([transfer(engine, drawn(own, seed)) for seed in range(1, count + 1)])
    yield f"| of {count} stages | mean | standard deviation |"
    yield "|---|---|---|"
    names = ("drive at equal currents, V", "gain of a burst, kohm", "fJ a pulse")
    for name, values in zip(names, (found / (1.0, 1e3, FJ)).T, strict=True):
        yield f"| {name} | {values.mean():.4g} | {values.std(ddof=1):.2g} |"
