"""The sense stage of bursts at corners of the process, and with thresholds that differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.burst_stage import BurstBench, BurstStage, burst_stage, run_bursts
from benchmarks.periphery import FJ, UA, bias
from memspice.circuits.freepdk45 import CORNERS
from memspice.circuits.library import Library
from memspice.circuits.sense_bench import ClockedStage
from memspice.circuits.silicon import evaluated

#: Row pulses of a burst; its mean difference for the gain, [A].
PULSES, APART = 8, 0.4 * UA
#: Standard deviation of a threshold times the root of the gate's area, [V m]; recalled.
AREA_SPREAD = 2e-9
#: Instances of a transistor: its kind, width and length.
_TRANSISTOR = re.compile(r"^X\w+ .* [np]_vt[gh] w=(\S+)(?: l=(\S+))?$", re.MULTILINE)
#: Subcircuits whose transistors count.
_DRAWN = ("difference_copier", "charge_sum")
_SUBCIRCUIT = re.compile(r"^\.subckt (\w+).*?^\.ends", re.MULTILINE | re.DOTALL)


def transfer(engine: str, own: BurstStage) -> tuple[float, float, float]:
    """Drive at equal currents [V], gain of a burst [ohm], joules of a pulse [J]."""
    pairs = np.array([(0.0, 0.0), (APART, -APART)]) / 2 + 4.5 * UA
    currents = pairs[:, None, None, :].repeat(PULSES, axis=1)
    found = run_bursts(engine, BurstBench(own, currents, 1, {}))
    rest, moved = found.drive[:, 0]
    joules = sum(float(energy[0, 0]) for energy in found.energy.values()) / PULSES
    return float(rest), float(moved - rest) / APART, joules


def drawn(own: BurstStage, seed: int) -> BurstStage:
    """The same stage with a threshold drawn for each transistor of front and sum."""
    return replace(own, stage=drawn_stage(own.stage, _DRAWN, seed))


def drawn_stage(stage: ClockedStage, subcircuits: Sequence[str], seed: int) -> ClockedStage:
    """The same stage with a threshold drawn for each transistor of some of its subcircuits."""
    library, draws = stage.library, np.random.default_rng(seed)
    assert library is not None, "a stage of the package has a subcircuit"

    def subcircuit(found: re.Match[str]) -> str:
        if found[1] not in subcircuits:
            return found[0]
        header = library.headers[found[1]]
        sizes = {name: evaluated(text, {}, found[1]) for name, text in header.parameters.items()}

        def shifted(line: re.Match[str]) -> str:
            width, length = (evaluated(text or "50n", sizes, line[0]) for text in line.groups())
            spread = AREA_SPREAD / np.sqrt(width * length)
            return f"{line[0]} shift={spread * draws.standard_normal():.6g}"

        return _TRANSISTOR.sub(shifted, found[0])

    text = _SUBCIRCUIT.sub(subcircuit, library.text)
    text = text.replace("w=1u l=50n", "w=1u l=50n shift=0").replace(
        "w={w} l={l}\n", "w={w} l={l} delvto={shift}\n"
    )
    return replace(stage, library=Library(library.origin, text, library.cards))


def corner_table(engine: str) -> Iterator[str]:
    """Lines of the table of corners, with `vtail` from its generator."""
    yield "| corner | vtail, V | gain of a burst, kohm | drive at equal currents, V | fJ a pulse |"
    yield "|---|---|---|---|---|"
    for corner in CORNERS:
        vtail, _ = bias(engine, corner)
        rest, gain, joules = transfer(engine, burst_stage(corner=corner, vtail=vtail))
        yield f"| {corner} | {vtail:.3f} | {gain / 1e3:.1f} | {rest:.4f} | {joules / FJ:.0f} |"


def spread_table(engine: str, count: int = 12) -> Iterator[str]:
    """Lines of the table of stages whose thresholds are drawn: mean and standard deviation."""
    own = burst_stage()
    found = np.array([transfer(engine, drawn(own, seed)) for seed in range(1, count + 1)])
    yield f"| of {count} stages | mean | standard deviation |"
    yield "|---|---|---|"
    names = ("drive at equal currents, V", "gain of a burst, kohm", "fJ a pulse")
    for name, values in zip(names, (found / (1.0, 1e3, FJ)).T, strict=True):
        yield f"| {name} | {values.mean():.4g} | {values.std(ddof=1):.2g} |"
