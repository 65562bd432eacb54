"""The level driver in SPICE: joules of a row from each of its five levels to each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from math import comb

import numpy as np

from benchmarks.periphery import FJ, NS, Bench, Measured, crossing, delivered
from memspice.circuits.deck import PieceWiseLinear
from memspice.circuits.signals import energy_between

#: Quarters of the read voltage that a row may have: 0 to 4.
LEVELS = 5
#: Lines change in the begin of a cycle, and rows are driven in its second half.
CYCLE, ON, EDGE = 40 * NS, (15 * NS, 35 * NS), 50e-12
#: Supplies: line level, and rails of a read voltage of 0.1 V.
RAILS = {"vdd": 1.0, "vlevel": 0.3, "v1": 0.325, "v2": 0.35, "v3": 0.375, "v4": 0.4}
#: Of the row, [ohm].
LOAD = 1e3
#: Spikes a neuron and cycle for which a pulse has one price.
RATE = 0.2


def every_transition() -> list[int]:
    """Levels in an order in which each follows each other one, and itself, just once."""
    left = {level: list(range(LEVELS)) for level in range(LEVELS)}
    order, path = list[int](), [0]
    while path:  # a way along all edges, by Hierholzer
        if left[path[-1]]:
            path.append(left[path[-1]].pop())
        else:
            order.append(path.pop())
    return order[::-1]


def spike_lines(levels: Sequence[int]) -> np.ndarray:
    """Which of four lines carry a spike, (cycles, 4): the choices for a level take turns."""
    lines = np.zeros((len(levels), 4))
    for cycle, level in enumerate(levels):
        choices = list(combinations(range(4), level))
        lines[cycle, list(choices[cycle % len(choices)])] = 1.0
    return lines


def _held(values: np.ndarray) -> PieceWiseLinear:
    """Source of a line that changes at the begin of cycles."""
    points = [(0.0, float(values[0]))]
    for cycle, (before, after) in enumerate(pairwise(values), start=1):
        if before != after:
            points += [(cycle * CYCLE, float(before)), (cycle * CYCLE + EDGE, float(after))]
    return PieceWiseLinear(tuple(points))


def _opened(cycles: int) -> PieceWiseLinear:
    """Source of ``on``."""
    points = [(0.0, 0.0)]
    for start in np.arange(cycles) * CYCLE:
        for time, before in zip(ON, (0.0, 1.0), strict=True):
            points += [(start + time, before), (start + time + EDGE, 1 - before)]
    return PieceWiseLinear(tuple(points))


class LevelRun:
    """A level driver on one engine, with spikes on its lines (cycles, 4).

    The first cycle is one to settle, without spikes.
    """

    def __init__(self, engine: str, lines: np.ndarray) -> None:
        self.levels: list[int] = lines.sum(axis=1).astype(int).tolist()
        bench = Bench("level_driver")
        for name, voltage in RAILS.items():
            bench.source(name, voltage)
        for name, line in zip("abcd", lines.T, strict=True):
            bench.source(name, _held(line))
        bench.source("on", _opened(len(self.levels)))
        bench.instance(*"abcd", "on", "row", *RAILS)
        bench.circuit.R("load", "row", "vlevel", LOAD)
        bench.circuit.C("load", "row", bench.circuit.gnd, 20e-15)
        self.waves = bench.run(engine, len(self.levels) * CYCLE, "row")

    def joules(self) -> np.ndarray:
        """What ``vdd`` delivers in each cycle but the first, [J]."""
        power = -RAILS["vdd"] * self.waves.current("vvdd")
        starts = np.arange(1, len(self.levels) + 1) * CYCLE
        return energy_between(self.waves.time, power, starts)

    def row(self) -> np.ndarray:
        """Word line in the middle of each row pulse, above the line level, [V]."""
        return np.array([self._row(n * CYCLE + sum(ON) / 2) for n in range(len(self.levels))])

    def resistance(self, level: int) -> float:
        """Of the switch of a level that is not 0, [ohm]."""
        row = float(self.row()[self.levels.index(level)])
        return (RAILS[f"v{level}"] - RAILS["vlevel"] - row) * LOAD / row

    def leakage(self) -> float:
        """Power of a row at rest, [W]."""
        start, stop = CYCLE + 5 * NS, CYCLE + 14 * NS  # the first cycle is one to settle
        return delivered(self.waves, "vdd", RAILS["vdd"], start, stop) / (stop - start)

    def rise(self) -> float:
        """From ``on`` to 90 % of the highest level, [s]."""
        start = self.levels.index(LEVELS - 1) * CYCLE + ON[0]
        level = RAILS["vlevel"] + 0.9 * self._row(start + 10 * NS)
        return crossing(self.waves, "row", level, start) - start

    def _row(self, time: float) -> float:
        row = np.interp(time, self.waves.time, self.waves.voltage("row"))
        return float(row) - RAILS["vlevel"]


def pulse_joules(joules: np.ndarray, rate: float) -> float:
    """Mean joules a pulse, where four neurons spike independently at a rate, [J].

    ``joules`` are of a cycle, (level before, level); those of a row that stays at 0 are of none.
    """
    share = np.array([comb(4, n) * rate**n * (1 - rate) ** (4 - n) for n in range(LEVELS)])
    return float((share @ joules @ share - share[0] * joules[0, 0]) / (1 - share[0]))


def level_driver(engine: str) -> tuple[list[Measured], np.ndarray]:
    """Figures of the level driver, and its joules in a cycle (level before, level) [J]."""
    levels, name = [0, *every_transition()], "level_driver"
    run = LevelRun(engine, spike_lines(levels))
    joules = np.empty((LEVELS, LEVELS))
    joules[levels[:-1], levels[1:]] = run.joules()
    figures = [
        Measured(name, f"a pulse, spikes at rate {RATE:g}", pulse_joules(joules, RATE) / FJ, "fJ"),
        Measured(name, "a pulse, spikes at rate 0.05", pulse_joules(joules, 0.05) / FJ, "fJ"),
        Measured(name, "a pulse, spikes at rate 0.5", pulse_joules(joules, 0.5) / FJ, "fJ"),
        Measured(name, "at rest", run.leakage() / 1e-9, "nW"),
        Measured(name, "resistance, level 1", run.resistance(1), "ohm"),
        Measured(name, "resistance, level 4", run.resistance(4), "ohm", 63),
        Measured(name, "rise to 90 %", run.rise() / 1e-12, "ps"),
    ]
    return figures, joules


def level_table(joules: np.ndarray) -> Iterator[str]:
    """Lines of the table of joules: a row for the level before."""
    yield f"| fJ a cycle, from | {' | '.join(f'to {n}' for n in range(LEVELS))} |"
    yield "|---" * (LEVELS + 1) + "|"
    for level, row in enumerate(joules / FJ):
        yield f"| {level} | {' | '.join(f'{value:.1f}' for value in row)} |"
