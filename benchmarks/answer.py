"""The class of the highest drive by comparisons alone: a latch for every pair, in SPICE.

Drives are held as stages of bursts hold them: by a floating gate and the transistor behind it.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from benchmarks.periphery import FJ, NS, Bench, Measured, crossing, delivered
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import PieceWiseLinear

#: Drives of the classes [V], the first the highest; the second comes as near as `GAPS` say.
DRIVES = np.array([0.75, 0.75, 0.7, 0.62, 0.6, 0.55, 0.5, 0.4, 0.3, 0.2])
#: How much lower they all are where the answer has the least of scores, [V]: that of 0.
LEAST = 0.32
#: How far the second drive is below the first, decision after decision, [V].
GAPS = (5e-3, 1e-3)
#: By how much a drive comes out below the level that a burst starts from, [V].
BELOW = 0.1067
#: From one decision to the next; when stages start, drive, and latches decide in it; an edge.
PERIOD, EDGE = 100 * NS, 50e-12
START, WRITE, CLOCK = (2 * NS, 18 * NS), (25 * NS, 80 * NS), (60 * NS, 70 * NS)
#: Supplies and bias lines of stages and latches, [V].
RAILS = {"vdd": 1.0, "vbuffer": 1.0, "vamp": 1.0, "vclock": 1.0, "vmid": 0.4, "vtail": 0.585}


def _steps(values: np.ndarray) -> PieceWiseLinear:
    """Source that changes at the begin of periods."""
    points = [(0.0, float(values[0]))]
    for number, (before, after) in enumerate(zip(values[:-1], values[1:], strict=True), start=1):
        points += [(number * PERIOD, float(before)), (number * PERIOD + EDGE, float(after))]
    return PieceWiseLinear(tuple(points))


class AnswerRun:
    """Sums that hold drives, and a latch with its clock's buffer for every pair, on one engine."""

    def __init__(self, engine: str, drives: np.ndarray = DRIVES) -> None:
        self.drives, self.pairs = drives, tuple(combinations(range(len(drives)), 2))
        bench = Bench("latch")
        for name, voltage in {**RAILS, "integrate": 0.0}.items():
            bench.source(name, voltage)
        for name, high in (("start", START), ("write", WRITE), ("tick", CLOCK)):
            bench.source(name, Clock((high,)).train(PERIOD, len(GAPS)))
        for number, drive in enumerate(drives):
            values = np.full(len(GAPS), drive) - (np.array(GAPS) if number == 1 else 0.0)
            bench.source(f"d{number}", _steps(values + BELOW))
            bench.circuit.X(
                f"sum{number}", "sense_burst_sum", "vmid", f"held{number}", "integrate", "start",
                "integrate", "write", "vamp", "vclock", "vmid", f"d{number}", "vtail",
            )  # fmt: skip
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
        held = [f"held{number}" for number in range(len(drives))]
        self.waves = bench.run(engine, len(GAPS) * PERIOD, *nodes, *held)

    def held(self, decision: int) -> np.ndarray:
        """Drives right before a decision, (classes,), [V]."""
        time = decision * PERIOD + CLOCK[0] - 1 * NS
        names = (f"held{number}" for number in range(len(self.drives)))
        return np.array(
            [np.interp(time, self.waves.time, self.waves.voltage(name)) for name in names]
        )

    def wins(self, decision: int) -> np.ndarray:
        """How many comparisons each class has won at the end of a decision, (classes,)."""
        time = decision * PERIOD + CLOCK[1] - 1 * NS
        found = np.zeros(len(self.drives), int)
        for one, other in self.pairs:
            level = np.interp(time, self.waves.time, self.waves.voltage(f"q{one}_{other}"))
            found[one if level > 0.5 else other] += 1
        return found

    def decided(self, decision: int) -> float:
        """Time until the highest drive has won all its comparisons, [s]; else infinite."""
        begin = decision * PERIOD + CLOCK[0]
        own = (f"q0_{number}" for number in range(1, len(self.drives)))
        last = max(crossing(self.waves, node, 0.5, begin) for node in own)
        return last - begin if last < decision * PERIOD + CLOCK[1] else float("inf")

    def joules(self) -> float:
        """What latches and buffers take for a comparison, mean over all, [J]."""
        start, stop = PERIOD + CLOCK[0] - 5 * NS, PERIOD + CLOCK[1] + 5 * NS
        taken = sum(delivered(self.waves, name, 1.0, start, stop) for name in ("vdd", "vbuffer"))
        return taken / len(self.pairs)

    def kick(self) -> float:
        """By how much the highest drive falls while latches decide, [V]."""
        inside = (self.waves.time > CLOCK[0]) & (self.waves.time < CLOCK[1])
        return float(self.held(0)[0] - self.waves.voltage("held0")[inside].min())


def answer(engine: str) -> list[Measured]:
    """Figures of an answer by comparisons, at usual drives and at the lowest that win."""
    found = []
    for drives in (DRIVES, np.maximum(DRIVES - LEAST, 0.05)):
        run, where = AnswerRun(engine, drives), f"highest drive {drives[0]:.2f} V"
        told = [gap for n, gap in enumerate(GAPS) if np.isfinite(run.decided(n))]
        for what, value, unit in (
            ("a comparison, its clock's buffer too", run.joules() / FJ, "fJ"),
            ("smallest difference told", min(told, default=np.inf) / 1e-3, "mV"),
            ("found after", run.decided(1) / 1e-12, "ps"),
            ("falls meanwhile by", run.kick() / 1e-3, "mV"),
        ):
            found.append(Measured("answer", f"{where}: {what}", value, unit))
    return found
