"""``python -m benchmarks.burst_noise``: thermal noise of the stage of bursts, in two ways.

By sensitivities: a small charge is put onto a node at some instant of every pulse, and the drive
that is held tells what became of it.  A white current is such charges at all instants, independent
of each other, so that squares add up.  By chance: random currents at all of these places at once,
burst after burst, and the standard deviation of the drives.  Both have noise by the same law: a
current of ``2 k T g`` (A^2/Hz, on either side of zero), where ``g`` is a line's conductance, two
thirds of a transistor's transconductance in saturation, or the conductance of a switch that is on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats

from benchmarks.burst_stage import BurstBench, BurstStage, burst_stage, run_bursts
from benchmarks.periphery import NS, UA
from benchmarks.periphery_page import write_tables
from memspice.analysis.sense_surface import OPTIONS
from memspice.circuits.deck import ROOM, PieceWiseLinear
from memspice.devices.constants import BOLTZMANN
from memspice.parameters import load_values

ENGINE, PULSES, LEVEL, MV = "ngspice", 8, 4.5 * UA, 1e-3
#: Of noise and decks, [J]; the capacitor of the sum, [F].
KT = BOLTZMANN * ROOM
CAPACITOR = float(load_values("freepdk45/periphery", "charge_sum")["ch"].value)
#: Nodes of the front and of the sum within the stage begin so, as ngspice has them.
FRONT, SUM = "xstage.xfront.xfront.", "xstage.xsum.xsum."
#: Noise of a long transistor in saturation over its transconductance; a short one may have twice.
GAMMA = 2 / 3
#: Instants of a slot at which sensitivities are taken, around what is sampled and integrated, [s].
INSTANTS = NS * np.array(
    [12, 13.2, 13.8, 14.2, 14.6, 14.9, 15.1, 19, 20, 20.6, 21.5, 23, 24.5, 25.6, 26.4, 27.4]
)
#: An instant at which `sample` is off, and how long a kick is, [s].
SAMPLED, KICK = 15.12 * NS, 0.05 * NS
#: Random currents: instants of a slot, and finer ones for the switch that samples, [s].
COARSE, FINE = NS * np.arange(10, 28, 0.2), NS * np.arange(14.9, 15.3, 0.005)
#: Bursts of a deck, decks, and seed of their draws.
BURSTS, DECKS, SEED = 4, 10, 1


@dataclass(frozen=True)
class Place:
    """Noisy elements whose currents flow between the same two nodes.

    ``conductance`` [S] is that of cells; ``signals`` are those of ngspice that are conductances, of
    which ``share`` counts; ``charge`` [C] is what a kick puts there: some mV.
    """

    name: str
    start: str
    stop: str
    charge: float
    conductance: float = 0.0
    signals: tuple[str, ...] = ()
    share: float = GAMMA

    def density(self, instants: np.ndarray, known: Mapping[str, np.ndarray]) -> np.ndarray:
        """White noise of the current at instants of a slot [s], [A^2/Hz].

        ``known`` has the signals over ``time``, of a slot as well.
        """
        parts = [np.interp(instants, known["time"], known[name]) for name in self.signals]
        return np.asarray(2 * KT * (self.conductance + self.share * sum(parts) + 0 * instants))


def _gm(*names: str, part: str = FRONT) -> tuple[str, ...]:
    return tuple(f"@m.{part}x{name}.mchannel[gm]" for name in names)


def places(line: float) -> tuple[Place, ...]:
    """Places of noise, on lines of a conductance [S]."""
    return (
        Place("cells of the plus line", "0", "plus0", 1e-16, line),
        Place("cells of the minus line", "0", "minus0", 1e-16, line),
        Place("mirror, input (`m1`) and bleed", "0", f"{FRONT}b", 1e-16, signals=_gm("m1", "b")),
        Place("mirror, output (`m2`)", "0", f"{FRONT}d", 2e-17, signals=_gm("m2")),
        Place("line amplifier, `a1`", f"{FRONT}pair", f"{FRONT}y", 1e-17, signals=_gm("a1")),
        Place("line amplifier, `a2`", f"{FRONT}pair", f"{FRONT}gate", 1e-17, signals=_gm("a2")),
        Place("line amplifier, `a3`", "0", f"{FRONT}y", 1e-17, signals=_gm("a3")),
        Place("line amplifier, `a4`", "0", f"{FRONT}gate", 1e-17, signals=_gm("a4")),
        Place("copier (`p`)", "0", f"{FRONT}p", 2e-17, signals=_gm("p")),
        Place("amplifier of the sum", "0", "drive", 5e-17, signals=_gm("an", "l", part=SUM)),
    )


#: The switch that samples: its noise ends as a charge on the gate of the copier.
SWITCH = Place(
    "sampling switch", "xstage.x", f"{FRONT}hold", 2e-17, share=1.0,
    signals=(f"@m.{FRONT}xhn.mchannel[gds]", f"@m.{FRONT}xhp.mchannel[gds]"),
)  # fmt: skip


def alike(own: BurstStage, bursts: int, *added: tuple[str, str, PieceWiseLinear]) -> BurstBench:
    """Bench of bursts of equal currents."""
    return BurstBench(own, np.full((bursts, PULSES, 1, 2), LEVEL), 1, {}, added=added)


def quiet(own: BurstStage, engine: str = ENGINE) -> dict[str, np.ndarray]:
    """Signals of all places over the time of a slot in the middle of a burst."""
    names = [name for place in (*places(own.line), SWITCH) for name in place.signals]
    bench = alike(own, 1)
    waves = run_bursts(engine, bench, OPTIONS, names).waves
    begin = bench.period + PULSES // 2 * own.slot
    return {name: waves.signals[name] for name in names} | {"time": waves.time - begin}


def kicks(
    own: BurstStage, place: Place, instants: Sequence[float], first: int = 2
) -> tuple[str, str, PieceWiseLinear]:
    """A current that gives bursts a charge a pulse, each at an instant of its own.

    ``first`` is the first of them: 0 is the warm-up, 1 the one to compare with.
    """
    height, period = place.charge / KICK, alike(own, 1).period
    corners = ((0.0, 0.0), (KICK / 4, height), (KICK, height), (1.25 * KICK, 0.0))
    points = [(0.0, 0.0)]
    for number, instant in enumerate(instants):
        for pulse in range(PULSES):
            begin = (first + number) * period + pulse * own.slot + instant
            points += [(begin + time, value) for time, value in corners]
    return place.start, place.stop, PieceWiseLinear(tuple(points))


def sensitivities(own: BurstStage, place: Place, engine: str = ENGINE) -> np.ndarray:
    """What a charge at each of the instants moves the held drive by, (instants,), [V/C]."""
    bench = alike(own, 1 + len(INSTANTS), kicks(own, place, INSTANTS.tolist()))
    drive = run_bursts(engine, bench, OPTIONS).drive[:, 0]
    return np.asarray((drive[1:] - drive[0]) / (PULSES * place.charge))


def noise_of(place: Place, known: Mapping[str, np.ndarray], moved: np.ndarray) -> float:
    """Noise of a held drive by a place, [V], from sensitivities (instants,) [V/C]."""
    fine = np.linspace(INSTANTS[0], INSTANTS[-1], 4001)
    squares = place.density(fine, known) * np.interp(fine, INSTANTS, moved) ** 2
    return float(np.sqrt(PULSES * np.trapezoid(squares, fine)))


def by_sensitivities(own: BurstStage, engine: str = ENGINE) -> dict[str, float]:
    """Standard deviation of the held drive by what makes it, [V]."""
    known, found = quiet(own, engine), {}
    for place in places(own.line):
        found[place.name] = noise_of(place, known, sensitivities(own, place, engine))
    once = float(np.sqrt(KT / CAPACITOR))
    return found | {"sampling switch": sampled(own, engine).noise, "kT/C of `ch`": once}


@dataclass(frozen=True)
class Sampled:
    """As the sampling switch opens: capacitance at its ends, [F], and what a charge there does.

    ``moved`` is of the held drive by a charge on the copier's gate, in each pulse, [V/C].
    """

    hold: float
    x: float
    moved: float

    @property
    def noise(self) -> float:
        """What the switch leaves in a held drive, [V]: kT of both capacitances in series."""
        series = self.hold * self.x / (self.hold + self.x)
        return abs(self.moved) * float(np.sqrt(PULSES * KT * series))


def sampled(own: BurstStage, engine: str = ENGINE) -> Sampled:
    """Put a charge onto either end of the sampling switch, after it has opened."""
    nodes = (SWITCH.stop, SWITCH.start)
    hold, x = (Place("", "0", node, SWITCH.charge) for node in nodes)
    bench = alike(own, 3, kicks(own, hold, [SAMPLED]), kicks(own, x, [SAMPLED], first=3))
    found = run_bursts(engine, bench, OPTIONS, [f"v({node})" for node in nodes])
    after = bench.period * np.array([1, 2, 3]) + SAMPLED + 1.3 * KICK
    at = [np.interp(after, found.waves.time, found.waves.voltage(node)) for node in nodes]
    moved = float(found.drive[1, 0] - found.drive[0, 0]) / (PULSES * SWITCH.charge)
    charge = SWITCH.charge
    rises = float(at[0][1] - at[0][0]), float(at[1][2] - at[1][0])
    return Sampled(charge / rises[0], charge / rises[1], moved)


def by_chance(own: BurstStage, decks: int = DECKS, engine: str = ENGINE) -> np.ndarray:
    """What random currents at all places move held drives by, (decks * bursts,), [V]."""
    known, draws = quiet(own, engine), np.random.default_rng(SEED)
    found = []
    for _ in range(decks):
        added = [random_current(own, place, COARSE, known, draws) for place in places(own.line)]
        bench = alike(own, 1 + BURSTS, *added, random_current(own, SWITCH, FINE, known, draws))
        drive = run_bursts(engine, bench, OPTIONS).drive[:, 0]
        found.append(drive[1:] - drive[0])
    return np.concatenate(found)


def random_current(
    own: BurstStage,
    place: Place,
    instants: np.ndarray,
    known: Mapping[str, np.ndarray],
    draws: np.random.Generator,
) -> tuple[str, str, PieceWiseLinear]:
    """White current of a place, straight between draws, in every burst but the first."""
    step = float(instants[1] - instants[0])
    period = alike(own, 1).period
    begins = period * (2 + np.arange(BURSTS))[:, None] + own.slot * np.arange(PULSES)
    times = begins.reshape(-1, 1) + instants
    values = np.sqrt(place.density(instants, known) / step) * draws.standard_normal(times.shape)
    values[:, [0, -1]] = 0
    points = zip(times.ravel().tolist(), values.ravel().tolist(), strict=True)
    return place.start, place.stop, PieceWiseLinear(((0.0, 0.0), *points))


def noise_table(parts: Mapping[str, float], drawn: np.ndarray) -> Iterator[str]:
    """Lines of the table: what makes noise of a drive, all of it, and that of random currents.

    Parameters
    ----------
    parts : mapping of str to float, [V]
        As of `by_sensitivities`.
    drawn : ndarray, shape (bursts,), [V]
        As of `by_chance`.
    """
    yield "| from | of the held drive, sd, mV |"
    yield "|---|---|"
    for name, value in sorted(parts.items(), key=lambda item: -item[1]):
        yield f"| {name} | {value / MV:.2f} |"
    whole = float(np.sqrt(sum(value**2 for value in parts.values())))
    low, high = spread(drawn)
    yield f"| all, squares added | {whole / MV:.1f} |"
    yield (
        f"| {len(drawn)} bursts of random currents (95 % interval) | "
        f"{drawn.std(ddof=1) / MV:.1f} ({low / MV:.1f} to {high / MV:.1f}) |"
    )


def spread(drawn: np.ndarray) -> tuple[float, float]:
    """95 % interval of the standard deviation of a normal variate, by chi-squared."""
    free = len(drawn) - 1
    ends = free / scipy.stats.chi2.ppf((0.975, 0.025), free)
    low, high = drawn.std(ddof=1) * np.sqrt(ends)
    return float(low), float(high)


def main() -> None:
    """Measure in both ways, write the table of the page."""
    own = burst_stage()
    lines = noise_table(by_sensitivities(own), by_chance(own))
    write_tables({"burst_noise": "\n".join(lines)})


if __name__ == "__main__":
    main()
