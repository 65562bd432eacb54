"""The three fidelities and both engines on the same layers, with the same draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.fit import fit_power_law
from benchmarks.layer import NUMPY, LayerRun, better, difference, energy, run_once
from benchmarks.measure import Progress
from memspice.engines.base import Engine

Runs = dict[tuple[str, str, int, int], LayerRun]

#: Smallest size of a fit: below it the start of the engine counts.
FIT_FROM = 16
#: Runs longer than this [s] are not repeated.
_LONG = 8.0


class Rung(NamedTuple):
    """One run of the ladder; ``limit`` [s] by the wall clock."""

    engine: str
    fidelity: str
    size: int
    cycles: int
    limit: float = 1800.0


def climb(
    rungs: Sequence[Rung],
    engines: Mapping[str, Engine],
    *,
    repeats: int,
    progress: Progress = lambda _: None,
) -> Iterator[Runs]:
    """Run all rungs whose engine is there, turn by turn; long ones once.

    Parameters
    ----------
    rungs : sequence of Rung
    engines : mapping of str to Engine
        By name; the surrogate needs none.
    repeats : int
        Turns; the least of them counts.
    progress : callable, optional
        Called with what is going on.

    Yields
    ------
    dict of LayerRun
        By engine, fidelity, size and cycles: after each run what there is by then.
    """
    runs: Runs = {}
    for turn in range(repeats):
        for rung in rungs:
            if rung.engine != NUMPY and rung.engine not in engines:
                continue
            earlier = runs.get((rung.engine, rung.fidelity, rung.size, rung.cycles))
            if turn and (earlier is None or earlier.seconds is None or earlier.seconds > _LONG):
                continue
            progress(
                f"{rung.fidelity} on {rung.engine}, {rung.size} x {rung.size}, turn {turn + 1}"
            )
            engine = engines.get(rung.engine)
            run = run_once(engine, rung.fidelity, rung.size, rung.cycles, rung.limit)
            runs[run.key] = better(earlier, run)
            yield runs


def ladder_json(runs: Runs) -> list[dict[str, Any]]:
    """Every run, with its differences from the closed form and from `reduced` on ngspice."""
    found = []
    for run in runs.values():
        item: dict[str, Any] = {
            "engine": run.engine,
            "fidelity": run.fidelity,
            "size": run.size,
            "cycles": run.cycles,
            "status": run.status,
        }
        if run.found is None:
            found.append({**item, "reason": run.reason})
            continue
        differences = [
            difference(run, reference)
            for reference in (_partner(runs, run, name) for name in (NUMPY, "ngspice"))
            if reference is not None and reference.key != run.key
        ]
        item |= {"seconds": run.seconds, "cpu_seconds": run.cpu_seconds}
        item["energy"] = energy(run.found)
        found.append({**item, "differences": differences})
    return found


def _partner(runs: Runs, run: LayerRun, engine: str) -> LayerRun | None:
    """Run to compare with: same size, at least as many cycles, the surrogate or `reduced`."""
    fidelity = "surrogate" if engine == NUMPY else "reduced"
    fitting = [
        other
        for other in runs.values()
        if (other.engine, other.fidelity, other.size) == (engine, fidelity, run.size)
        and other.status == "ok"
        and other.cycles >= run.cycles
    ]
    return min(fitting, key=lambda other: other.cycles, default=None)


def ladder_exponents(runs: Runs) -> list[dict[str, Any]]:
    """Scaling of processor time with size at one number of cycles, and with cycles at one size."""
    found = []
    for variable, fixed in (("size", "cycles"), ("cycles", "size")):
        groups: dict[tuple[str, str, int], dict[int, float]] = {}
        for run in runs.values():
            if run.cpu_seconds:
                key = (run.engine, run.fidelity, getattr(run, fixed))
                groups.setdefault(key, {})[getattr(run, variable)] = run.cpu_seconds
        for (engine, fidelity, value), costs in groups.items():
            large = [size for size in sorted(costs) if variable == "cycles" or size >= FIT_FROM]
            if len(large) < 2:
                continue
            law = fit_power_law(large, [costs[size] for size in large])
            found.append(
                {
                    "engine": engine,
                    "fidelity": fidelity,
                    "variable": variable,
                    fixed: value,
                    **law.as_json(),
                }
            )
    return found


def ladder_ratios(runs: Runs, size: int, cycles: int) -> list[dict[str, Any]]:
    """How much faster each fidelity is than the one above it, at one size.

    ``full`` on ngspice is not run for many cycles.  Its ratio is measured at the cycles that it was
    run for, and scaled to ``cycles`` by the growth with cycles that a smaller array showed; the
    entry then says ``scaled``.
    """
    found: list[dict[str, Any]] = []
    for engine in ("ngspice", "vacask"):
        reduced = runs.get((engine, "reduced", size, cycles))
        found += _ratio(runs.get((engine, "full", size, cycles)), reduced)
        found += _ratio(reduced, runs.get((NUMPY, "surrogate", size, cycles)))
        once = runs.get((engine, "full", size, 1))
        found += _ratio(once, runs.get((engine, "reduced", size, 1)))
        growth = _growth(runs, engine, cycles)
        if growth and (engine, "full", size, cycles) not in runs:
            found += _ratio(once, reduced, *growth)
    for key in ("full", "reduced"):
        for count in (1, cycles):
            slow, fast = (runs.get((engine, key, size, count)) for engine in ("ngspice", "vacask"))
            found += _ratio(slow, fast)
    return found


def _ratio(
    slow: LayerRun | None, fast: LayerRun | None, factor: float = 1.0, note: str = ""
) -> list[dict[str, Any]]:
    """Entry of two runs that ended, with what sets their results apart; else nothing."""
    if not (slow and fast and slow.cpu_seconds and fast.cpu_seconds):
        return []
    apart = difference(slow, fast)
    apart.pop("reference")
    head = {"slow": list(slow.key), "fast": list(fast.key)}
    ratio = factor * slow.cpu_seconds / fast.cpu_seconds
    return [{**head, "ratio": ratio, "scaled": bool(note), "note": note or "measured", **apart}]


def _growth(runs: Runs, engine: str, cycles: int) -> tuple[float, str] | None:
    """Time of ``full`` for many cycles over that for one, from the smaller array measured."""
    for law in ladder_exponents(runs):
        if (law["engine"], law["fidelity"], law["variable"]) == (engine, "full", "cycles"):
            factor = float(cycles ** law["exponent"])
            counts = ", ".join(map(str, law["sizes"]))
            return factor, (
                f"scaled from 1 to {cycles} cycles by {factor:.1f}: exponent "
                f"{law['exponent']:.2f}, measured at {law['size']} x {law['size']} for {counts}"
            )
    return None
