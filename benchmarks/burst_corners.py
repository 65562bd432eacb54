"""``python -m benchmarks.burst_corners``: the sense stage of bursts over corners and temperatures.

Its bias line is that of its generator in the same corner.  Its clocks are those for 27 C, or as
many times longer as make its gain that of the nominal one: what a delay line does that is set once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.burst_stage import BurstBench, Bursts, BurstStage, burst_stage, run_bursts
from benchmarks.periphery import FJ, UA, bias
from benchmarks.periphery_page import write_tables
from memspice.analysis.sense_surface import OPTIONS
from memspice.circuits.deck import ROOM, ZERO_CELSIUS
from memspice.circuits.freepdk45 import CORNERS

ENGINE, MV = "ngspice", 1e-3
#: Row pulses of a burst, and write cycles behind it.
PULSES = 8
#: Ends of the range that a chip works in, and the temperature that it is made for, [K].
TEMPERATURES = (ZERO_CELSIUS, ROOM, ZERO_CELSIUS + 85)
#: The nominal one first.
CONDITIONS = (
    ("nom", ROOM),
    *((c, t) for c, t in product(CORNERS, TEMPERATURES) if (c, t) != ("nom", ROOM)),
)
#: Currents of both lines alike, [A]: the first is that of all other figures, the next are as far as
#: most lines carry, the last as few do.
ALIKE = np.array([4.5, 0.3, 1.0, 8.0, 12.0]) * UA
#: Mean difference of a burst, either way, for the gain and for drives near both ends, [A].
APART, ENDS = 0.4 * UA, 0.8 * UA
#: Pulses that differ: bursts of them, and standard deviation of their difference, [A].
UNLIKE, SPREAD, SEED = 3, 0.35 * UA, 1


@dataclass(frozen=True)
class Figures:
    """What a stage does somewhere.

    ``gain`` of a burst, of the mean difference, in [ohm]; in [V] ``rest``, the drive at 4.5 uA in
    both lines, ``alike``, the range of drives at others up to 8 uA, ``more``, what 12 uA add to
    ``rest``, ``unlike``, by what bursts of pulses that differ are off those of their means (rms),
    ``memory``, by what the burst before moves a drive, and ``droop``, the largest change from the
    first of eight writes to the last; ``pulse`` and ``write``, of a row pulse and of a write cycle,
    in [J].
    """

    gain: float
    rest: float
    alike: float
    more: float
    unlike: float
    memory: float
    droop: float
    pulse: float
    write: float


def figures(own: BurstStage, engine: str = ENGINE) -> Figures:
    """Measure a stage."""
    alike = _constant(ALIKE, 0 * ALIKE)
    apart = _constant(np.full(2, ALIKE[0]), np.array([APART, -APART]))
    unlike = _unlike()
    means = unlike.mean(axis=1, keepdims=True).repeat(PULSES, axis=1)
    parts = (alike, apart, alike[:1], means, unlike)
    found = _run(engine, own, np.concatenate(parts), 1)
    ends = np.cumsum([len(part) for part in parts])[:-1]
    rests, moved, again, same, unlike_ones = np.split(found.drive[:, 0], ends)
    held = _constant(np.full(3, ALIKE[0]), np.array([0, ENDS, -ENDS]))
    quiet = _run(engine, own, held, PULSES)
    return Figures(
        gain=float(moved[0] - moved[1]) / (2 * APART),
        rest=float(rests[0]),
        alike=float(np.ptp(rests[:-1])),
        more=float(rests[-1] - rests[0]),
        unlike=float(np.sqrt(((unlike_ones - same) ** 2).mean())),
        memory=float(again[0] - rests[0]),
        droop=float(np.abs(quiet.drive[:, -1] - quiet.drive[:, 0]).max()),
        pulse=sum(float(energy[0, 0]) for energy in found.energy.values()) / PULSES,
        write=sum(float(energy[0, 1]) for energy in quiet.energy.values()) / PULSES,
    )


def _run(engine: str, own: BurstStage, currents: np.ndarray, cycles: int) -> Bursts:
    return run_bursts(engine, BurstBench(own, currents[:, :, None, :], cycles, {}), OPTIONS)


def _constant(means: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Bursts of equal pulses, (bursts, pulses, 2) [A], from means and differences (bursts,)."""
    pairs = np.stack([means + apart / 2, means - apart / 2], axis=-1)
    return pairs[:, None, :].repeat(PULSES, axis=1)


def _unlike() -> np.ndarray:
    """Bursts of pulses that differ, (bursts, pulses, 2), [A]."""
    draws = np.random.default_rng(SEED)
    common = draws.uniform(2 * UA, 7 * UA, (UNLIKE, 1))
    common = common + 2 * SPREAD * draws.standard_normal((UNLIKE, PULSES))
    apart = draws.uniform(-APART, APART, (UNLIKE, 1))
    apart = apart + SPREAD * draws.standard_normal((UNLIKE, PULSES))
    return np.stack([common + apart / 2, common - apart / 2], axis=-1)


def corner_table(engine: str = ENGINE) -> Iterator[str]:
    """Lines of the table: corners and temperatures, as they are and with clocks tuned."""
    yield (
        "| corner | C | `vtail`, V | clocks | gain of a burst, kohm | drive at equal currents, V "
        "| of 0.3 to 8 uA, mV | 12 uA, mV | pulses differ, mV rms | burst before, mV "
        "| eight writes, mV | fJ a pulse | fJ a write |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    nominal = 0.0
    for corner, temperature in CONDITIONS:
        own = corner_stage(corner, temperature, engine)
        found = figures(own, engine)
        yield _row(corner, temperature, own, 1.0, found)
        nominal = nominal or found.gain
        factor = nominal / found.gain
        if factor != 1:
            tuned = own.scaled(factor)
            yield _row(corner, temperature, tuned, factor, figures(tuned, engine))


def corner_stage(corner: str, temperature: float, engine: str = ENGINE) -> BurstStage:
    """The stage of a corner at a temperature [K], with its generator's `vtail` there."""
    vtail, _ = bias(engine, corner, temperature)
    return burst_stage(corner=corner, temperature=temperature, vtail=vtail)


def _row(corner: str, temperature: float, own: BurstStage, factor: float, found: Figures) -> str:
    values = (
        corner,
        f"{temperature - ZERO_CELSIUS:.0f}",
        f"{own.stage.supplies['vtail']:.3f}",
        f"{factor:.3f}",
        f"{found.gain / 1e3:.1f}",
        f"{found.rest:.4f}",
        f"{found.alike / MV:.1f}",
        f"{found.more / MV:+.1f}",
        f"{found.unlike / MV:.2f}",
        f"{found.memory / MV:.2f}",
        f"{found.droop / MV:.2f}",
        f"{found.pulse / FJ:.0f}",
        f"{found.write / FJ:.0f}",
    )
    return f"| {' | '.join(values)} |"


def main() -> None:
    """Measure, write the table of the page."""
    write_tables({"burst_corners": "\n".join(corner_table())})


if __name__ == "__main__":
    main()
