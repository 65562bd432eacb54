"""``memspice bench``: one run that measures memspice beside what its users would take instead."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from memspice.circuits.reduction import port_admittance
from memspice.circuits.updates import ChangingCrossbar
from memspice.engines import ENGINES, find_engine
from memspice.engines.base import Engine
from memspice.errors import EngineNotFound
from memspice.experiment.bench_aims import aims
from memspice.experiment.bench_ladder import (
    NUMPY,
    Rung,
    Runs,
    climb,
    ladder_exponents,
    ladder_json,
    ladder_ratios,
    vars_of,
)
from memspice.experiment.bench_measure import measure, run_child
from memspice.experiment.bench_peers import CONTENDERS, WIRE, random_cells
from memspice.experiment.bench_race import exponents, race, race_ratios
from memspice.experiment.bench_workers import measure_workers
from memspice.experiment.setup import engine_record
from memspice.store import installed_versions

Progress = Callable[[str], None]
GIB = 2**30


@dataclass(frozen=True)
class Plan:
    """What a bench measures.

    Parameters
    ----------
    name : str
        ``full`` or ``quick``.
    contenders, sizes : tuple
        Names, and sides of the crossbars, of the race.
    repeats : int
        Turns of everything that is short.
    limit : float, [s]
        Most processor time of a contender.
    rungs : tuple of Rung
        Runs of the fidelity ladder.
    ladder : tuple of int
        Size and cycles at which fidelities are compared.
    loop : tuple of (int, int)
        Images and cycles of each run of the network loop.
    workers : tuple of int
        Number, size and cycles of the windows for one and two workers.
    changed : tuple of int
        Size of a crossbar, and how many of its cells change.
    """

    name: str
    contenders: tuple[str, ...]
    sizes: tuple[int, ...]
    repeats: int
    limit: float
    rungs: tuple[Rung, ...]
    ladder: tuple[int, int]
    loop: tuple[tuple[int, int], ...]
    workers: tuple[int, int, int]
    changed: tuple[int, int]


def _rungs(sizes: tuple[int, ...], full: tuple[int, ...], cycles: int) -> tuple[Rung, ...]:
    """Every fidelity and engine at some sizes: `full` for one cycle, the others for many."""
    engines = tuple(ENGINES)
    return (
        *(Rung(NUMPY, "surrogate", size, cycles) for size in sizes),
        *(Rung(name, "reduced", size, cycles) for size in sizes for name in engines),
        *(Rung(name, "reduced", full[-1], 1) for name in engines),
        *(Rung(name, "full", size, 1) for size in full for name in engines),
    )


FULL = Plan(
    name="full",
    contenders=tuple(CONTENDERS),
    sizes=(8, 16, 32, 64, 128, 256, 512),
    repeats=3,
    limit=120.0,
    rungs=(
        *_rungs((8, 16, 32, 64, 128), (8, 16, 32, 64), 16),
        Rung("ngspice", "full", 32, 2),
        Rung("ngspice", "full", 32, 4),
        Rung("vacask", "full", 64, 16),
        # Not to end: to see that it does not.
        Rung("ngspice", "full", 128, 16, limit=600.0),
    ),
    ladder=(64, 16),
    loop=((50, 16), (100, 16), (200, 16)),
    workers=(6, 32, 8),
    changed=(256, 16),
)
QUICK = Plan(
    name="quick",
    contenders=tuple(CONTENDERS),
    sizes=(8, 16),
    repeats=1,
    limit=20.0,
    rungs=(*_rungs((4, 8), (4, 8), 2), Rung("ngspice", "full", 4, 2)),
    ladder=(8, 2),
    loop=((1, 2),),
    workers=(2, 4, 1),
    changed=(16, 1),
)


def run_bench(
    plan: Plan,
    progress: Progress = lambda _: None,
    keep: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Measure everything that a plan asks for, and compare.

    Parameters
    ----------
    plan : Plan
        `FULL` takes about an hour on two free processors, `QUICK` some seconds.
    progress : callable, optional
        Called with what is going on.
    keep : callable, optional
        Called after each part with what there is by then.

    Returns
    -------
    dict
        As ``bench.json`` holds it.  Peers and engines that are missing, stopped or failed are
        there with the reason.
    """
    started = time.monotonic()
    content: dict[str, Any] = {"plan": plan.name, "machine": machine_json()}
    engines, missing = _engines()
    content["engines"] = {name: engine_record(engine.info) for name, engine in engines.items()}
    content["missing"] = missing
    content["crossbar"] = _crossbar(plan, progress)
    keep(content)
    content["reuse"] = _reuse(*plan.changed)
    content["loop"] = _loop(plan, progress)
    keep(content)
    if "ngspice" in engines:
        progress("one worker and two")
        number, size, cycles = plan.workers
        content["workers"] = measure_workers(
            engines["ngspice"], windows=number, size=size, cycles=cycles, repeats=plan.repeats
        )
    keep(content)

    def keep_ladder(runs: Runs) -> None:
        content["ladder"] = _ladder_json(plan, runs)
        keep(content)

    keep_ladder(
        climb(plan.rungs, engines, repeats=plan.repeats, progress=progress, keep=keep_ladder)
    )
    content["machine"]["load_after"] = os.getloadavg()[0]
    content["aims"] = aims(content)
    content["wall_seconds"] = time.monotonic() - started
    keep(content)
    return content


def machine_json() -> dict[str, Any]:
    """Machine and versions that the numbers belong to; ``load`` is of the last minute."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": os.getloadavg()[0],
        "versions": installed_versions(),
        "note": "one thread of BLAS a process; ratios are of processor time",
    }


def _processor() -> str:
    """Name of the processor, where the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = (line.partition(":")[2] for line in file if line.startswith("model name"))
            return next(names, "").strip() or platform.processor()
    except OSError:
        return platform.processor()


def _engines() -> tuple[dict[str, Engine], dict[str, str]]:
    """Engines that are there, and why the others are not."""
    found: dict[str, Engine] = {}
    missing: dict[str, str] = {}
    for name in ENGINES:
        try:
            found[name] = find_engine(name)
        except EngineNotFound as error:
            missing[name] = str(error)
    return found, missing


def _memory() -> int:
    """Address space that a contender may take: half of what the machine has, at most 12 GiB."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        there = 8 * GIB
    return min(12 * GIB, there // 2)


def _crossbar(plan: Plan, progress: Progress) -> dict[str, Any]:
    memory = _memory()
    points = race(
        plan.contenders,
        plan.sizes,
        repeats=plan.repeats,
        limit=plan.limit,
        memory=memory,
        progress=progress,
    )
    return {
        "titles": {name: CONTENDERS[name].title for name in plan.contenders},
        "limit_seconds": plan.limit,
        "limit_bytes": memory,
        "points": points,
        "exponents": {name: vars_of(law) for name, law in exponents(points).items()},
        "memory_exponents": {
            name: vars_of(law) for name, law in exponents(points, "growth_bytes").items()
        },
        "ratios": race_ratios(points),
    }


def _reuse(size: int, changed: int) -> dict[str, Any]:
    """New inputs and changed cells of a known crossbar, against a new elimination."""
    cells = random_cells(size)
    ports, whole = measure(lambda: port_admittance(cells, WIRE, WIRE))
    transfer, inputs = ports.terminated(), np.full(size, 0.1)
    _, product = measure(lambda: transfer @ inputs)
    crossbar = ChangingCrossbar.build(cells, WIRE, WIRE)
    rng = np.random.default_rng(0)
    places = np.stack(np.unravel_index(rng.choice(size * size, changed, False), cells.shape), 1)
    values = rng.permutation(cells[tuple(places.T)])[::-1] * 0.5
    update, cost = measure(lambda: crossbar.with_cells(places, values))
    cells[tuple(places.T)] = values
    exact = port_admittance(cells, WIRE, WIRE).row_col
    return {
        "size": size,
        "changed": changed,
        "elimination_seconds": whole.cpu_seconds,
        "product_seconds": product.cpu_seconds,
        "update_seconds": cost.cpu_seconds,
        "update_ratio": whole.cpu_seconds / cost.cpu_seconds,
        "difference": float(np.max(np.abs(update.ports.row_col - exact)) / np.max(np.abs(exact))),
    }


def _loop(plan: Plan, progress: Progress) -> list[dict[str, Any]]:
    found = []
    for images, cycles in plan.loop:
        progress(f"network loop, {images} images")
        task = {"task": "loop", "images": images, "cycles": cycles}
        found.append(run_child(task, limit=plan.limit, memory=_memory()))
    return found


def _ladder_json(plan: Plan, runs: Runs) -> dict[str, Any]:
    size, cycles = plan.ladder
    return {
        "size": size,
        "cycles": cycles,
        "runs": ladder_json(runs),
        "exponents": ladder_exponents(runs),
        "ratios": ladder_ratios(runs, size, cycles),
    }
