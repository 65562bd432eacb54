"""The class of the highest drive by comparisons alone: a latch for every pair, in SPICE."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from benchmarks.periphery import FJ, NS, Bench, Measured, delivered
from memspice.circuits.deck import PieceWiseLinear

#: Drives of the classes [V], the first the highest; the second comes as near as `GAPS` say.
DRIVES = np.array([0.75, 0.75, 0.7, 0.62, 0.6, 0.55, 0.5, 0.4, 0.3, 0.2])
#: How far the second drive is below the first, decision after decision, [V].
GAPS = (5e-3, 1e-3)
#: A drive is held on a capacitance [F]; a resistance [ohm] charges it long before a decision.
HELD, CHARGED_BY = 30e-15, 1e6
#: From one decision to the next, and when the latches' clock is high in between.
PERIOD, CLOCK, EDGE = 300 * NS, (250 * NS, 260 * NS), 50e-12


def _steps(values: np.ndarray) -> PieceWiseLinear:
    """Source that changes at the begin of periods."""
    points = [(0.0, float(values[0]))]
    for number, (before, after) in enumerate(zip(values[:-1], values[1:], strict=True), start=1):
        points += [(number * PERIOD, float(before)), (number * PERIOD + EDGE, float(after))]
    return PieceWiseLinear(tuple(points))


def _clock() -> PieceWiseLinear:
    points = [(0.0, 0.0)]
    for start in np.arange(len(GAPS)) * PERIOD:
        for time, before in zip(CLOCK, (0.0, 1.0), strict=True):
            points += [(start + time, before), (start + time + EDGE, 1 - before)]
    return PieceWiseLinear(tuple(points))


class AnswerRun:
    """Held drives, and a latch with the buffer of its clock for every pair, on one engine."""

    def __init__(self, engine: str, drives: np.ndarray = DRIVES) -> None:
        self.drives, self.pairs = drives, tuple(combinations(range(len(drives)), 2))
        bench = Bench("latch")
        for name in ("vdd", "vbuffer"):
            bench.source(name, 1.0)
        bench.source("tick", _clock())
        for number, drive in enumerate(drives):
            values = np.full(len(GAPS), drive) - (np.array(GAPS) if number == 1 else 0.0)
            bench.source(f"d{number}", _steps(values))
            bench.circuit.R(f"d{number}", f"d{number}", f"held{number}", CHARGED_BY)
            bench.circuit.C(f"held{number}", f"held{number}", bench.circuit.gnd, HELD)
        for one, other in self.pairs:
            pair = f"{one}_{other}"
            bench.circuit.X(
                f"buffer{pair}", "buffer", "tick", f"clock{pair}", "vbuffer", b1=300e-9, b2=1e-6
            )
            bench.circuit.X(
                f"latch{pair}", "latch", f"held{one}", f"held{other}", f"clock{pair}",
                f"q{pair}", f"qn{pair}", "vdd", **bench.sizes,
            )  # fmt: skip
        nodes = [f"q{one}_{other}" for one, other in self.pairs]
        self.waves = bench.run(engine, len(GAPS) * PERIOD, *nodes, "held0", "held1")

    def wins(self, decision: int) -> np.ndarray:
        """How many comparisons each class has won at the end of a decision, (classes,)."""
        time = decision * PERIOD + CLOCK[1] - 1 * NS
        found = np.zeros(len(self.drives), int)
        for one, other in self.pairs:
            level = np.interp(time, self.waves.time, self.waves.voltage(f"q{one}_{other}"))
            found[one if level > 0.5 else other] += 1
        return found

    def joules(self) -> float:
        """What latches and buffers take for a comparison, mean over all, [J]."""
        start, stop = PERIOD + CLOCK[0] - 5 * NS, PERIOD + CLOCK[1] + 5 * NS
        taken = sum(delivered(self.waves, name, 1.0, start, stop) for name in ("vdd", "vbuffer"))
        return taken / len(self.pairs)

    def kick(self) -> float:
        """Largest change of the highest drive while latches decide, [V]."""
        inside = (self.waves.time > CLOCK[0]) & (self.waves.time < CLOCK[1])
        return float(np.abs(self.waves.voltage("held0")[inside] - self.drives[0]).max())


def answer(engine: str) -> list[Measured]:
    """Figures of an answer by comparisons."""
    run, name = AnswerRun(engine), "answer"
    order = list(range(len(DRIVES)))[::-1]
    told = [gap for number, gap in enumerate(GAPS) if run.wins(number).tolist() == order]
    return [
        Measured(name, "a comparison, its clock's buffer too", run.joules() / FJ, "fJ"),
        Measured(name, "smallest difference told", min(told, default=np.inf) / 1e-3, "mV"),
        Measured(name, "kick on each of ten held drives of 30 fF", run.kick() / 1e-3, "mV"),
    ]
