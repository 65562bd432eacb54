"""A small plan, and children and engines of the bench that cost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from benchmarks.ladder import Rung
from benchmarks.plan import QUICK
from memspice.circuits.deck import Deck
from memspice.engines.base import EngineInfo

Answer = dict[str, Any]

#: Tiny decks: what a test has time for.
TINY = replace(
    QUICK,
    contenders=("memspice", "superlu"),
    sizes=(4,),
    rungs=(Rung("numpy", "surrogate", 4, 1), Rung("ngspice", "reduced", 4, 1)),
    ladder=(4, 1),
    loop=(),
    bursts=(1, 1),
    workers=(1, 4, 1),
)


class BrokenEngine:
    """An ngspice by name, whose every run ends with the same error."""

    info = EngineInfo("ngspice", "0", "nowhere", osdi=False, klu=False)

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def write(self, deck: Deck) -> str:
        return str(deck)

    def run(self, *_: Any, **__: Any) -> NoReturn:
        raise self.error


class FakeChildren:
    """In the place of `run_child`: costs of ``exponent``, and some that are stopped."""

    def __init__(self, stopped: Mapping[str, int], apart: float = 0.0) -> None:
        self.stopped, self.apart, self.tasks = stopped, apart, list[tuple[str, int]]()

    def __call__(self, task: Mapping[str, Any], *, folder: Path, **_: Any) -> Answer:
        name, size = task["contender"], task["size"]
        self.tasks.append((name, size))
        if size >= self.stopped.get(name, 10**9):
            return {"status": "stopped", "reason": "more than the limit"}
        ours = name == "memspice"
        np.save(folder / "result.npy", np.eye(size) + (0 if ours else self.apart))
        seconds = size**3 * (1e-6 if ours else 2e-5) * (1 + 0.1 * (len(self.tasks) % 2))
        cost = {"seconds": seconds, "cpu_seconds": seconds, "peak_bytes": 9, "growth_bytes": size}
        return {"status": "ok", "calls": 1, **cost}
