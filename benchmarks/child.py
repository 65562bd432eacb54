"""One measurement in a process of its own: ``python -m benchmarks.child TASK``.

TASK is a JSON object; the answer goes to ``answer.json`` in the working folder, because some peers
write to standard output.
"""

from __future__ import annotations

import json
import math
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bursts import measure_bursts
from benchmarks.loop import measure_loop
from benchmarks.measure import measure, out_of_time
from benchmarks.peers import CONTENDERS, MissingPeer, random_cells
from memspice.errors import EngineError, EngineNotFound

if sys.platform != "win32":
    import resource

#: Where a task leaves an array.
ARRAY = "result.npy"


def run_contender(contender: str, size: int) -> dict[str, Any]:
    """Solve the same crossbar as every other contender does."""
    solve = CONTENDERS[contender].prepare()
    cells = random_cells(size)
    current, cost = measure(lambda: solve(cells))
    np.save(ARRAY, current)
    return asdict(cost)


def run_loop(images: int, cycles: int) -> dict[str, Any]:
    """Run the network loop, and take its matrix products out of it."""
    found, cost = measure(lambda: measure_loop(images, cycles))
    return {**found, "peak_bytes": cost.peak_bytes}


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "contender": run_contender,
    "loop": run_loop,
    "bursts": measure_bursts,
}


def main(text: str) -> None:
    """Run a task and write its answer; memory is what the task says at most."""
    # A terminated child ends by an exception, and so takes an engine that it started with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    task = json.loads(text)
    limit, memory = task.pop("limit"), task.pop("memory")
    seconds = math.ceil(limit)
    with suppress(ValueError, OSError):  # a system may know no such limits
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        answer = {"status": "ok", **TASKS[task.pop("task")](**task)}
    except (MissingPeer, EngineNotFound) as error:
        answer = {"status": "missing", "reason": str(error)}
    except MemoryError:
        reason = f"more memory than the limit of {memory / 2**30:.1f} GiB"
        answer = {"status": "stopped", "reason": reason}
    except EngineError as error:
        if f"signal {signal.SIGXCPU.value} " not in str(error):
            raise
        answer = {"status": "stopped", "reason": out_of_time(limit)}
    Path("answer.json").write_text(json.dumps(answer, allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
