"""What a call costs: time, processor time, memory; in this process or in one of its own.

A child process starts clean, can be stopped after a time limit, and cannot take more than its share
of memory.  Each has one thread of BLAS, so that processor time can be compared on a busy machine,
where the wall clock cannot.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from memspice.errors import MemspiceError

if sys.platform != "win32":
    import resource

Result = TypeVar("Result")
Progress = Callable[[str], None]

#: What an engine or the machine does to one run of many: said in its place, and no end of a bench.
FAILURES = (MemspiceError, OSError, MemoryError)
#: What a child runs; its own file, so that nothing else has to be imported first.
_CHILD = "benchmarks.child"
#: A short call is repeated until it took this long, [s], or this often.
ENOUGH, OFTEN = 0.4, 2000
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
#: Names in ``/proc/self/status`` of the resident memory and its peak.
_RESIDENT, _PEAK = "VmRSS", "VmHWM"
#: Wall-clock limit of a child over its limit of processor time: others may use the machine too.
_PATIENCE = 10


@dataclass(frozen=True)
class Spent:
    """Cost of a call.

    Parameters
    ----------
    seconds : float, [s]
        By the wall clock, the least of all calls.
    cpu_seconds : float, [s]
        Of processor time, of this process and of children that it waited for; the mean of all
        calls after the first, because a limit of processor time makes its clock tick coarsely.
    peak_bytes : int
        Most resident memory of this process, or of its largest child.
    growth_bytes : int
        By how much this process grew during the first call, without its children.
    calls : int
        How often it was called.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    growth_bytes: int
    calls: int


def cpu_clock() -> float:
    """Processor time [s] of this process and of the children that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def measure(function: Callable[[], Result]) -> tuple[Result, Spent]:
    """Call a function until its time is known: once if it takes long.

    Returns
    -------
    object
        Result of the first call.
    Spent
    """
    with suppress(OSError):  # sets the peak back to what is resident now; Linux only
        Path("/proc/self/clear_refs").write_text("5")
    before = _own_memory(_RESIDENT)
    begun, cpu_begun = time.perf_counter(), cpu_clock()
    result = function()
    seconds, cpu = time.perf_counter() - begun, cpu_clock() - cpu_begun
    peak = _own_memory(_PEAK)
    calls, total, cpu_begun = 1, seconds, cpu_clock()
    while total < ENOUGH and calls < OFTEN:
        begun = time.perf_counter()
        function()
        last = time.perf_counter() - begun
        seconds = min(seconds, last)
        calls, total = calls + 1, total + last
    if calls > 1:
        cpu = (cpu_clock() - cpu_begun) / (calls - 1)
    largest = max(peak, _maximum(resource.RUSAGE_CHILDREN))
    return result, Spent(seconds, cpu, largest, max(0, peak - before), calls)


def _own_memory(name: str) -> int:
    """Resident memory or its peak, [byte].

    Not ``ru_maxrss``, where there is another way: on Linux a child begins with its parent's.
    """
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return 1024 * int(value.split()[0])
    return _maximum(resource.RUSAGE_SELF)


def _maximum(who: int) -> int:
    """Largest resident memory so far, [byte]; macOS counts bytes, others KiB."""
    return resource.getrusage(who).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def run_child(
    task: Mapping[str, Any], *, limit: float, memory: int, folder: Path | None = None
) -> dict[str, Any]:
    """Run a task of :mod:`benchmarks.child` in a process of its own.

    Parameters
    ----------
    task : mapping
        ``task`` names it; all else is its arguments, as JSON can carry them.
    limit : float, [s]
        Most processor time, of the child and of each process that it starts; it is stopped after
        ten times as long by the wall clock, too.
    memory : int, [byte]
        Most address space; what asks for more gets none.
    folder : Path, optional
        Where the child works and leaves arrays; a temporary folder if not given.

    Returns
    -------
    dict
        What the task gave, with ``status`` ``"ok"`` or ``"missing"``; else ``status``
        ``"stopped"`` or ``"failed"``, and ``reason``.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="memspice-") as name:
            return run_child(task, limit=limit, memory=memory, folder=Path(name))
    answer, log = folder / "answer.json", folder / "log"
    answer.unlink(missing_ok=True)
    command = [sys.executable, "-m", _CHILD, json.dumps({**task, "memory": memory, "limit": limit})]
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        try:
            process.wait(_PATIENCE * limit)
        except subprocess.TimeoutExpired:
            return _stopped(f"longer than {_PATIENCE * limit:g} s by the wall clock")
        finally:
            # SIGTERM first: the child then takes its engine down with it.
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()
    if answer.exists():
        return dict(json.loads(answer.read_text(encoding="utf-8")))
    if process.returncode == -signal.SIGXCPU:
        return _stopped(out_of_time(limit))
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "no message")
    return {"status": "failed", "reason": f"exit status {process.returncode}: {last[:200]}"}


def said(error: BaseException) -> str:
    """First line of what an error says, or its kind where it says nothing."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def out_of_time(limit: float) -> str:
    """Reason of a run that was stopped by its limit [s]."""
    return f"more than the limit of {limit:g} s of processor time"


def _stopped(reason: str) -> dict[str, Any]:
    return {"status": "stopped", "reason": reason}
