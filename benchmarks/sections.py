"""``make bench``: one run that measures memspice beside what its users would take instead."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmarks.aims import aims
from benchmarks.ladder import climb, ladder_exponents, ladder_json, ladder_ratios
from benchmarks.measure import FAILURES, Progress, measure, run_child, said
from benchmarks.peers import CONTENDERS, WIRE, peer_versions, random_cells
from benchmarks.plan import Plan
from benchmarks.race import exponents, race, race_ratios
from benchmarks.sweep import measure_sweep
from benchmarks.workers import measure_workers
from memspice.engines import installed_engines
from memspice.engines.base import Engine
from memspice.errors import ConfigError, EngineNotFound
from memspice.solver.reduction import one_blas_thread, port_admittance
from memspice.solver.updates import ChangingCrossbar
from memspice.store import installed_versions

Engines = Mapping[str, Engine]
Content = dict[str, Any]
GIB = 2**30


def run_bench(
    plan: Plan,
    progress: Progress = lambda _: None,
    keep: Callable[[Content], None] = lambda _: None,
    *,
    sections: Sequence[str] | None = None,
    earlier: Mapping[str, Any] | None = None,
) -> Content:
    """Measure what a plan asks for, and compare.

    Parameters
    ----------
    plan : Plan
        `FULL` takes about an hour on two free processors, `QUICK` some seconds.
    progress : callable, optional
        Called with what is going on.
    keep : callable, optional
        Called after each section, and each run of the ladder, with what there is by then.
    sections : sequence of str, optional
        Of `SECTIONS`, which all are measured if not given.
    earlier : mapping, optional
        Bench whose other sections are taken over.

    Returns
    -------
    dict
        As ``bench.json`` holds it.  ``finished`` says whether all sections are there, and
        ``sections`` when and how each was measured.  Peers and engines that are missing, stopped
        or failed are there with the reason, and so is a section that failed.

    Raises
    ------
    ConfigError
        If the earlier bench is of another plan, machine or set of engines.
    """
    engines, missing = installed_engines()
    records = {name: engine.info.as_json() for name, engine in engines.items()}
    content: Content = {"plan": plan.name, "finished": False, "machine": _machine()}
    content |= {"engines": records, "missing": missing, "sections": {}}
    content |= _taken_over(earlier, content)

    def kept() -> None:
        content["finished"] = SECTIONS.keys() <= content["sections"].keys()
        content["aims"] = aims(content)
        keep(content)

    for name in SECTIONS if sections is None else sections:
        record = _started()
        begun = time.monotonic()
        content["sections"].pop(name, None)
        content.pop(name, None)
        with one_blas_thread():
            for part in _until_failure(SECTIONS[name](plan, engines, progress), record):
                content[name] = part
                kept()
        record |= {"load_after": os.getloadavg()[0], "wall_seconds": time.monotonic() - begun}
        content["sections"][name] = record
        kept()
    return content


def _taken_over(earlier: Mapping[str, Any] | None, content: Content) -> Content:
    """Sections of an earlier bench, with what it says of its plan, machine and engines.

    All of that must be so here, too.
    """
    if earlier is None:
        return {}
    kinds = ("plan", "machine", "engines")
    for key in kinds:
        if not _holds(earlier.get(key), content[key]):
            raise ConfigError(
                f"the earlier bench is of another {key}, {earlier.get(key)} and not "
                f"{content[key]}: measure all sections, or name another folder"
            )
    return {name: earlier[name] for name in (*kinds, "sections", *SECTIONS) if name in earlier}


def _holds(said: Any, found: Any) -> bool:
    """Whether all that is said is so; more may be known by now."""
    if isinstance(said, dict) and isinstance(found, dict):
        return all(name in found and _holds(each, found[name]) for name, each in said.items())
    return bool(said == found)


def _started() -> dict[str, Any]:
    """When and with what a section is measured; loads are of the last minute."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "load_before": os.getloadavg()[0],
        "versions": installed_versions() | peer_versions(),
    }


def _until_failure(parts: Iterator[Any], record: dict[str, Any]) -> Iterator[Any]:
    """Parts of a section; what ends them early is noted in its record, and the bench goes on."""
    try:
        yield from parts
        record["status"] = "ok"
    except FAILURES as error:
        record |= {"status": "failed", "reason": said(error)}


def _machine() -> dict[str, Any]:
    """Machine that the numbers belong to."""
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
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


def _memory() -> int:
    """Address space that a contender may take: half of what the machine has, at most 12 GiB."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        there = 8 * GIB
    return min(12 * GIB, there // 2)


def _crossbar(plan: Plan, _: Engines, progress: Progress) -> Iterator[dict[str, Any]]:
    memory = _memory()
    points = race(
        plan.contenders,
        plan.sizes,
        repeats=plan.repeats,
        limit=plan.limit,
        memory=memory,
        progress=progress,
    )
    laws, memory_laws = exponents(points), exponents(points, "growth_bytes")
    yield {
        "titles": {name: CONTENDERS[name].title for name in plan.contenders},
        "limit_seconds": plan.limit,
        "limit_bytes": memory,
        "points": points,
        "exponents": {name: law.as_json() for name, law in laws.items()},
        "memory_exponents": {name: law.as_json() for name, law in memory_laws.items()},
        "ratios": race_ratios(points),
    }


def _reuse(plan: Plan, _: Engines, progress: Progress) -> Iterator[dict[str, Any]]:
    """New inputs and changed cells of a known crossbar, against a new elimination."""
    size, changed = plan.changed
    progress(f"{changed} changed cells of {size} x {size}")
    cells = random_cells(size)
    ports, whole = measure(lambda: port_admittance(cells, WIRE, WIRE))
    transfer, inputs = ports.terminated(), np.full(size, 0.1)
    _result, product = measure(lambda: transfer @ inputs)
    crossbar = ChangingCrossbar.build(cells, WIRE, WIRE)
    rng = np.random.default_rng(0)
    places = np.stack(np.unravel_index(rng.choice(size * size, changed, False), cells.shape), 1)
    values = rng.permutation(cells[tuple(places.T)])[::-1] * 0.5
    update, cost = measure(lambda: crossbar.with_cells(places, values))
    cells[tuple(places.T)] = values
    exact = port_admittance(cells, WIRE, WIRE).row_col
    yield {
        "size": size,
        "changed": changed,
        "elimination_seconds": whole.cpu_seconds,
        "product_seconds": product.cpu_seconds,
        "update_seconds": cost.cpu_seconds,
        "update_ratio": whole.cpu_seconds / cost.cpu_seconds,
        "difference": float(np.max(np.abs(update.ports.row_col - exact)) / np.max(np.abs(exact))),
    }


def _loop(plan: Plan, _: Engines, progress: Progress) -> Iterator[list[dict[str, Any]]]:
    found = []
    for images, cycles in plan.loop:
        progress(f"network loop, {images} images")
        task = {"task": "loop", "images": images, "cycles": cycles}
        found.append(run_child(task, limit=plan.limit, memory=_memory()))
    yield found


def _bursts(plan: Plan, _: Engines, progress: Progress) -> Iterator[dict[str, Any]]:
    images, cycles = plan.bursts
    progress(f"network loop, one burst of {cycles} beside {cycles} cycles, {images} images")
    task = {"task": "bursts", "images": images, "cycles": cycles, "repeats": plan.repeats}
    yield run_child(task, limit=plan.limit, memory=_memory())


def _workers(plan: Plan, engines: Engines, progress: Progress) -> Iterator[dict[str, Any]]:
    if "ngspice" not in engines:
        raise EngineNotFound("two workers are measured with ngspice, which is missing")
    progress("one worker and two")
    windows, size, cycles = plan.workers
    yield measure_workers(
        engines["ngspice"], windows=windows, size=size, cycles=cycles, repeats=plan.repeats
    )


def _sweep(plan: Plan, engines: Engines, progress: Progress) -> Iterator[dict[str, Any]]:
    if "ngspice" not in engines:
        raise EngineNotFound("a sweep is measured with ngspice, which is missing")
    wires, seeds, cycles = plan.sweep
    progress(f"a sweep of {wires * seeds} points, and as many single commands")
    yield measure_sweep(tuple(range(1, wires + 1)), seeds, cycles)


def _ladder(plan: Plan, engines: Engines, progress: Progress) -> Iterator[dict[str, Any]]:
    size, cycles = plan.ladder
    for runs in climb(plan.rungs, engines, repeats=plan.repeats, progress=progress):
        yield {
            "size": size,
            "cycles": cycles,
            "runs": ladder_json(runs),
            "exponents": ladder_exponents(runs),
            "ratios": ladder_ratios(runs, size, cycles),
        }


#: Parts of a bench in their order; each yields its content, once or as far as it has come.
SECTIONS: dict[str, Callable[[Plan, Engines, Progress], Iterator[Any]]] = {
    "crossbar": _crossbar,
    "reuse": _reuse,
    "loop": _loop,
    "bursts": _bursts,
    "workers": _workers,
    "sweep": _sweep,
    "ladder": _ladder,
}
