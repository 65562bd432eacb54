"""What the numbers of a bench were meant to be, and whether they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

#: Port matrix of a square crossbar: size, at most [s], aim [s].
_PORTS = ((128, 0.1, 0.03), (256, 0.6, 0.25), (512, 6.0, 3.0))


@dataclass(frozen=True)
class Aim:
    """One number, what it must be at least (or at most), and whether it is.

    ``basis`` says what was measured: processor time, the wall clock, or a scaled number.
    """

    what: str
    value: float
    limit: float
    aim: float | None
    unit: str
    more_is_better: bool
    basis: str

    @property
    def reached(self) -> bool:
        """Whether the limit is kept."""
        return self.value >= self.limit if self.more_is_better else self.value <= self.limit


def aims(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Judge the numbers of a bench that its plan measured.

    Parameters
    ----------
    content : mapping
        Of :func:`~benchmarks.sections.run_bench`; sections that are missing are left out.

    Returns
    -------
    list of dict
        Fields of `Aim`, and ``reached``.
    """
    judges: dict[str, Callable[[Any], Iterator[Aim]]] = {
        "crossbar": _crossbar_aims,
        "ladder": _ladder_aims,
        "loop": _loop_aims,
        "bursts": _burst_aims,
        "workers": _worker_aims,
        "sweep": _sweep_aims,
    }
    sections = [(judge, content[name]) for name, judge in judges.items() if name in content]
    found = [aim for judge, section in sections for aim in judge(section)]
    return [{**asdict(aim), "reached": aim.reached} for aim in found]


def _crossbar_aims(crossbar: Mapping[str, Any]) -> Iterator[Aim]:
    ended = {(p["contender"], p["size"]): p for p in crossbar["points"] if p["status"] == "ok"}
    for size, limit, aim in _PORTS:
        if point := ended.get(("memspice", size)):
            seconds = point["cpu_seconds"]
            yield Aim(f"port matrix {size} x {size}", seconds, limit, aim, "s", False, "processor")
    if point := ended.get(("memspice-sinh", 128)):
        what = "operating point of 128 x 128 sinh cells"
        yield Aim(what, point["cpu_seconds"], 1.0, None, "s", False, "processor")
    for ratio in crossbar["ratios"]:
        if (ratio["peer"], ratio["size"]) == ("badcrossbar", 256):
            what = "badcrossbar over memspice, 256 x 256"
            yield Aim(what, ratio["ratio"], 15.0, None, "x", True, "processor")


def _ladder_aims(ladder: Mapping[str, Any]) -> Iterator[Aim]:
    for ratio in ladder["ratios"]:
        slow, fast = ratio["slow"], ratio["fast"]
        if fast[2:] != [64, 16] or slow[0] != fast[0]:
            continue
        basis = "processor, scaled" if ratio["scaled"] else "processor"
        if (slow[1], fast[1], fast[0]) == ("full", "reduced", "ngspice"):
            what = "full over reduced, ngspice, 64 x 64, 16 cycles"
            yield Aim(what, ratio["ratio"], 200.0, 2000.0, "x", True, basis)
    for ratio in ladder["ratios"]:
        if ratio["slow"][1:] == ["reduced", 64, 16] and ratio["fast"][1] == "surrogate":
            what = f"reduced on {ratio['slow'][0]} over surrogate, 64 x 64, 16 cycles"
            yield Aim(what, ratio["ratio"], 1000.0, None, "x", True, "processor")
    for run in ladder["runs"]:
        tile = (run["fidelity"], run["size"], run["cycles"]) == ("reduced", 128, 16)
        if tile and run["status"] == "ok":
            what = f"128 x 128, 64 neurons, 16 cycles, reduced on {run['engine']}"
            yield Aim(what, run["cpu_seconds"], 15.0, None, "s", False, "processor")


def _loop_aims(loop: Sequence[Mapping[str, Any]]) -> Iterator[Aim]:
    ended = [item for item in loop if item["status"] == "ok"]
    if ended:
        what = "network loop, share of products at the machine's rate"
        yield Aim(what, ended[-1]["share"], 0.6, None, "1", True, "processor")


def _burst_aims(bursts: Mapping[str, Any]) -> Iterator[Aim]:
    if bursts["status"] == "ok" and bursts["cycles"] == 16:
        what = "images a second, one burst of 16 over 16 cycles"
        yield Aim(what, bursts["ratio"], 3.0, None, "x", True, "processor")


def _sweep_aims(sweep: Mapping[str, Any]) -> Iterator[Aim]:
    what = f"{sweep['points']} single commands over a sweep of as many points"
    yield Aim(what, sweep["ratio"], 2.0, None, "x", True, "wall clock")
    yield Aim("the same numbers in both", float(sweep["same"]), 1.0, None, "1", True, "to the bit")


def _worker_aims(workers: Mapping[str, Any]) -> Iterator[Aim]:
    yield Aim("two workers over one", workers["speedup"], 1.7, None, "x", True, "wall clock")
    what = "the same, over what two processes of arithmetic gain"
    share = 2 * workers["speedup"] / workers["machine_speedup"]
    yield Aim(what, share, 1.7, None, "x of 2", True, "wall clock, scaled")
