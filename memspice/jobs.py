"""Many runs at once: a local pool of threads, and a job's identity.

Threads are enough, because the work is done in the engines' processes and in NumPy.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from memspice.errors import ConfigError

Task = TypeVar("Task")
Result = TypeVar("Result")

#: Longest wait for running tasks after Ctrl-C, [s]; engines stop within 0.1 s.
INTERRUPT_SECONDS = 0.5
#: Longest wait between two looks for Ctrl-C, [s].
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class _Outcome(Generic[Result]):
    index: int
    result: Result | None = None
    error: BaseException | None = None


def run_jobs(
    function: Callable[[Task, threading.Event], Result],
    tasks: Sequence[Task],
    *,
    workers: int,
    on_done: Callable[[int, Result], None] | None = None,
) -> list[Result]:
    """Call a function for every task, several at a time.

    The first failure stops the rest: tasks not begun are dropped, running ones see the event set.
    What had finished by then is still delivered, then the failure is raised. Ctrl-C does the
    same, but waits at most `INTERRUPT_SECONDS` for tasks that do not look at their event.

    Parameters
    ----------
    function : callable
        Takes a task and an event, which it hands to the engine as `cancel`; called in a thread.
    tasks : sequence
    workers : int
        How many at a time.
    on_done : callable, optional
        Takes a task's index and its result, in the order of completion; called in this thread, so
        it may write a file or move a progress bar. If it raises or is interrupted, everything
        stops and nothing more is delivered to it.

    Returns
    -------
    list
        Results in the order of the tasks.

    Raises
    ------
    ConfigError
        If `workers` is below 1.
    Exception
        What the function raised first.
    """
    if workers < 1:
        raise ConfigError(f"workers = {workers} must be at least 1")
    stop = threading.Event()
    finished: queue.SimpleQueue[_Outcome[Result]] = queue.SimpleQueue()
    threads = _make_threads(function, tasks, min(workers, len(tasks)), stop, finished)
    results: dict[int, Result] = {}
    delivering = False

    def deliver(outcome: _Outcome[Result]) -> None:
        nonlocal delivering
        if outcome.error is not None:
            raise outcome.error
        results[outcome.index] = outcome.result  # type: ignore[assignment]  # no error: a result
        if on_done is not None:
            delivering = True
            on_done(outcome.index, results[outcome.index])
            delivering = False

    try:
        for thread in threads:
            thread.start()
        while len(results) < len(tasks):
            outcome = _next(finished)
            if outcome is not None:
                deliver(outcome)
    except BaseException as error:
        stop.set()
        limit = math.inf if isinstance(error, Exception) else INTERRUPT_SECONDS
        _join(threads, limit)
        if not delivering:
            _deliver_rest(finished, deliver)
        raise
    return [results[index] for index in range(len(tasks))]


def _make_threads(
    function: Callable[[Task, threading.Event], Result],
    tasks: Sequence[Task],
    n_threads: int,
    stop: threading.Event,
    finished: queue.SimpleQueue[_Outcome[Result]],
) -> list[threading.Thread]:
    """Threads, not yet started; daemons, so that a task deaf to its event cannot hold up exit."""
    waiting: queue.SimpleQueue[tuple[int, Task]] = queue.SimpleQueue()
    for item in enumerate(tasks):
        waiting.put(item)

    def work() -> None:
        while not stop.is_set():
            try:
                index, task = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                finished.put(_Outcome(index, result=function(task, stop)))
            except BaseException as error:  # noqa: BLE001 - raised by the calling thread
                finished.put(_Outcome(index, error=error))
                return

    return [threading.Thread(target=work, daemon=True) for _ in range(n_threads)]


def _next(finished: queue.SimpleQueue[_Outcome[Result]]) -> _Outcome[Result] | None:
    try:
        return finished.get(timeout=POLL_SECONDS)
    except queue.Empty:
        return None


def _join(threads: Sequence[threading.Thread], limit: float) -> None:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        running = [thread for thread in threads if thread.is_alive()]
        if not running:
            return
        running[0].join(timeout=0.05)


def _deliver_rest(
    finished: queue.SimpleQueue[_Outcome[Result]], deliver: Callable[[_Outcome[Result]], None]
) -> None:
    """Deliver what finished; later failures only follow from the first one's stop."""
    while not finished.empty():
        outcome = finished.get()
        if outcome.error is None:
            deliver(outcome)


def content_hash(*parts: object) -> str:
    """Identity of a job: equal content gives an equal hash, in any process and on any machine.

    Numbers hash by value (``1``, ``1.0`` and ``numpy.float64(1)`` alike), arrays by type, shape
    and values, lists and tuples by their items in order, mappings regardless of order, data
    classes by class name and fields.

    Parameters
    ----------
    *parts : None, bool, number, str, bytes, ndarray, dataclass, sequence or mapping of such

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.

    Raises
    ------
    ConfigError
        If a part is of another type, or not a number (NaN), which equals nothing.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_digest(part))
    return digest.hexdigest()


def _digest(part: object) -> bytes:
    """32 bytes a part: fixed length, so that neighbours cannot run into each other."""
    tag, content = _canonical(part)
    return hashlib.sha256(tag.encode() + b"\0" + content).digest()


def _canonical(part: object) -> tuple[str, bytes]:
    if part is None or isinstance(part, bool | np.bool_):
        return "constant", str(part).encode()
    if isinstance(part, str):
        return "text", part.encode()
    if isinstance(part, bytes | bytearray | memoryview):
        return "bytes", bytes(part)
    if isinstance(part, int | float | np.integer | np.floating):
        return "number", _canonical_number(part)
    if isinstance(part, np.ndarray):
        return _canonical_array(part)
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        fields = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
        return f"dataclass {type(part).__qualname__}", _digest(fields)
    if isinstance(part, Mapping):
        pairs = sorted(_digest(key) + _digest(value) for key, value in part.items())
        return "mapping", b"".join(pairs)
    if isinstance(part, list | tuple):
        return "sequence", b"".join(_digest(item) for item in part)
    raise ConfigError(
        f"a {type(part).__name__} has no canonical content to hash; pass text, numbers, arrays or "
        "data classes"
    )


def _canonical_number(number: Any) -> bytes:
    if number != number:
        raise ConfigError("a number to hash is NaN, which equals nothing; remove its cause")
    if isinstance(number, float | np.floating):
        value = float(number)
        if not value.is_integer():
            return value.hex().encode()
    return str(int(number)).encode()


def _canonical_array(array: np.ndarray[Any, Any]) -> tuple[str, bytes]:
    if array.dtype.kind not in "biufcSU":
        raise ConfigError(f"an array of dtype {array.dtype} has no canonical content to hash")
    if array.dtype.kind in "fc" and np.isnan(array).any():
        raise ConfigError("an array to hash holds NaN, which equals nothing; remove its cause")
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return f"array {little.dtype.str} {array.shape}", little.tobytes()
