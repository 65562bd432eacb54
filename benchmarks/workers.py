"""Two workers against one: the same decks, and beside them what the machine itself has to give."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.layer import square_jobs, square_layer
from benchmarks.measure import cpu_clock
from memspice.engines.base import Engine
from memspice.jobs import run_jobs
from memspice.windows.fidelity import WindowJob
from memspice.windows.kept import Kept
from memspice.windows.outcome import outcome
from memspice.windows.reduced import Reduced

#: Nothing but arithmetic in one process: about as long as a deck.
_SPIN = "total = 0\nfor number in range({count}): total += number * number"
_SPIN_COUNT = 5_000_000


def measure_workers(
    engine: Engine, *, windows: int, size: int, cycles: int, repeats: int
) -> dict[str, Any]:
    """Run decks with one and with two workers, turn by turn with processes of pure arithmetic.

    The arithmetic shows how much faster two processes are than one on this machine at this time:
    2 where it has two free processors, less where others use them.

    Parameters
    ----------
    engine : Engine
        Runs the decks.
    windows : int
        Different inputs of one layer, `reduced`: some decks each.
    size, cycles : int
        Of the layer and of each window.
    repeats : int
        Turns; the shortest counts.

    Returns
    -------
    dict
        ``speedup`` and ``machine_speedup`` by the wall clock, ``cpu_ratio`` of two workers over
        one, ``identical`` whether all events were the same to the bit.
    """
    tasks = [
        job for image in range(windows) for job in square_jobs(size, cycles, Reduced(engine), image)
    ]
    _ = square_layer(size).circuits[0].drive_gain  # all jobs share its port reduction

    def simulate(job: WindowJob, cancel: threading.Event) -> np.ndarray:
        found = outcome(job.fidelity.run(job, cancel=cancel, kept=Kept("none")))
        return np.stack([found.spikes, found.hazard])

    def spin(_: WindowJob, cancel: threading.Event) -> np.ndarray:
        del cancel
        subprocess.run([sys.executable, "-S", "-c", _SPIN.format(count=_SPIN_COUNT)], check=True)
        return np.zeros(0)

    best: dict[tuple[str, int], tuple[float, float]] = {}
    events: dict[int, list[np.ndarray]] = {}
    work: tuple[tuple[str, Callable[..., np.ndarray]], ...] = (("decks", simulate), ("spin", spin))
    for _ in range(repeats):
        for name, function in work:
            for workers in (1, 2):
                begun, cpu_begun = time.perf_counter(), cpu_clock()
                results = run_jobs(function, tasks, workers=workers)
                cost = time.perf_counter() - begun, cpu_clock() - cpu_begun
                earlier = best.get((name, workers), (np.inf, np.inf))
                best[name, workers] = min(earlier[0], cost[0]), min(earlier[1], cost[1])
                if name == "decks":
                    events[workers] = results
    identical = all(map(np.array_equal, events[1], events[2]))
    return {
        "engine": engine.info.name,
        "windows": windows,
        "jobs": len(tasks),
        "size": size,
        "cycles": cycles,
        "seconds": [best["decks", workers][0] for workers in (1, 2)],
        "cpu_seconds": [best["decks", workers][1] for workers in (1, 2)],
        "speedup": best["decks", 1][0] / best["decks", 2][0],
        "machine_speedup": best["spin", 1][0] / best["spin", 2][0],
        "cpu_ratio": best["decks", 2][1] / best["decks", 1][1],
        "identical": identical,
    }
