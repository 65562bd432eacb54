"""The race of all contenders on the same crossbars, size after size and turn by turn."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.child import ARRAY
from benchmarks.fit import PowerLaw, fit_power_law
from benchmarks.measure import Progress, run_child
from benchmarks.peers import CONTENDERS, ROW_VOLTAGE
from memspice.errors import ConfigError

Point = dict[str, Any]

#: Runs longer than this share of the limit are not repeated.
_LONG = 0.1
#: Smallest size of a fit: below it calls cost more than arithmetic.
FIT_FROM = 64
_COSTS = ("seconds", "cpu_seconds", "peak_bytes", "growth_bytes")


def race(
    names: Sequence[str],
    sizes: Sequence[int],
    *,
    repeats: int,
    limit: float,
    memory: int,
    progress: Progress = lambda _: None,
) -> list[Point]:
    """Let contenders solve the same crossbars, each in a process of its own.

    They take turns, so that a busy moment of the machine hits all of them; the least of the turns
    counts.  Who was stopped at a size is not tried at larger ones, and the result says so.

    Parameters
    ----------
    names : sequence of str
        Of `CONTENDERS`; memspice's own solver of each problem must be among them.
    sizes : sequence of int
        Sides of the crossbars, ascending.
    repeats : int
        Turns; one that took a tenth of the limit is not repeated.
    limit : float, [s]
    memory : int, [byte]
        Of each process.
    progress : callable, optional
        Called with what is going on.

    Returns
    -------
    list of dict
        One a contender and size: ``contender``, ``problem``, ``size``, ``status`` and either costs
        and ``difference`` (largest, relative to the largest current, against memspice) or
        ``reason``.

    Raises
    ------
    ConfigError
        If a contender is unknown.
    """
    for name in names:
        if name not in CONTENDERS:
            raise ConfigError(f"contender {name!r} is unknown: use {', '.join(CONTENDERS)}")
    out: dict[str, str] = {}
    points: list[Point] = []
    with tempfile.TemporaryDirectory(prefix="memspice-") as folder:
        for size in sizes:
            found: dict[str, Point] = {}
            for turn in range(repeats):
                for name in names:
                    point = found.get(name)
                    if name in out or (turn and _settled(point, limit)):
                        continue
                    progress(f"{name}, {size} x {size}, turn {turn + 1}")
                    place = Path(folder) / name
                    place.mkdir(exist_ok=True)
                    task = {"task": "contender", "contender": name, "size": size}
                    answer = run_child(task, limit=limit, memory=memory, folder=place)
                    found[name] = _least(point, answer)
            points += _compared(names, found, out, size, Path(folder))
            out |= {
                name: f"{point['status']} at {size}, {point['reason']}"
                for name, point in found.items()
                if point["status"] != "ok"
            }
    return points


def _settled(point: Point | None, limit: float) -> bool:
    """Whether another turn would tell nothing, or take too long."""
    return point is not None and (point["status"] != "ok" or point["seconds"] > _LONG * limit)


def _least(point: Point | None, answer: Point) -> Point:
    if point is None or point["status"] != "ok" or answer["status"] != "ok":
        return answer
    return {**answer, **{key: min(point[key], answer[key]) for key in _COSTS}}


def _compared(
    names: Sequence[str], found: dict[str, Point], out: dict[str, str], size: int, folder: Path
) -> Iterator[Point]:
    """Points of a size, with their differences from memspice."""
    for name in names:
        problem = CONTENDERS[name].problem
        head: Point = {"contender": name, "problem": problem, "size": size}
        if name not in found:
            yield {**head, "status": "not tried", "reason": out[name]}
            continue
        point = {**head, **found[name]}
        ours = "memspice-sinh" if problem == "sinh" else "memspice"
        if point["status"] == "ok" and found.get(ours, {}).get("status") == "ok":
            reference = np.load(folder / ours / ARRAY)
            if problem == "read":
                reference = ROW_VOLTAGE * reference.sum(axis=1)
            current = np.load(folder / name / ARRAY)
            apart = np.max(np.abs(current - reference)) / np.max(np.abs(reference))
            point["difference"] = None if name == ours else float(apart)
        yield point


def finished(points: Sequence[Point], name: str) -> dict[int, Point]:
    """Points of a contender that ended, by size."""
    return {p["size"]: p for p in points if p["contender"] == name and p["status"] == "ok"}


def exponents(points: Sequence[Point], key: str = "cpu_seconds") -> dict[str, PowerLaw]:
    """Scaling of each contender, from the sizes of at least ``FIT_FROM`` (else from all)."""
    laws = {}
    for name in dict.fromkeys(point["contender"] for point in points):
        costs = {size: point[key] for size, point in finished(points, name).items() if point[key]}
        large = {size: cost for size, cost in costs.items() if size >= FIT_FROM}
        chosen = large if len(large) >= 2 else costs
        if len(chosen) >= 2:
            laws[name] = fit_power_law(list(chosen), list(chosen.values()))
    return laws


def race_ratios(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Each peer over memspice at every size that both ended, with the difference of results."""
    found = []
    for name in dict.fromkeys(point["contender"] for point in points):
        ours = "memspice-sinh" if CONTENDERS[name].problem == "sinh" else "memspice"
        if name == ours:
            continue
        own = finished(points, ours)
        for size, point in finished(points, name).items():
            if size not in own:
                continue
            found.append(
                {
                    "peer": name,
                    "size": size,
                    "ratio": point["cpu_seconds"] / own[size]["cpu_seconds"],
                    "wall_ratio": point["seconds"] / own[size]["seconds"],
                    "memory_ratio": None  # the engine's memory is another process's
                    if name.startswith("ngspice")
                    else point["growth_bytes"] / max(1, own[size]["growth_bytes"]),
                    "difference": point["difference"],
                }
            )
    return found
