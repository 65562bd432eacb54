"""Many tasks at once, in threads: the work is done in engines' processes, or on other machines.

`concurrent.futures` would not do: it joins its threads at exit, so that after Ctrl-C a task deaf to
its event holds up the program until it ends (8 s of 8 measured, none here).
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from memspice.engines.base import Cancelled
from memspice.errors import ConfigError

Task = TypeVar("Task")
Result = TypeVar("Result")

#: Longest wait for running tasks after Ctrl-C, [s]; engines stop within 0.1 s.
INTERRUPT_SECONDS = 0.5
#: Longest wait between two looks for Ctrl-C, [s].
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class _Finished(Generic[Result]):
    index: int
    result: Result | None = None
    error: BaseException | None = None


def run_jobs(
    function: Callable[[Task, threading.Event], Result],
    tasks: Sequence[Task],
    *,
    workers: int,
    on_done: Callable[[int, Result], None] | None = None,
    cancel: threading.Event | None = None,
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
    cancel : threading.Event, optional
        Stops everything when set.

    Returns
    -------
    list
        Results in the order of the tasks.

    Raises
    ------
    ConfigError
        If `workers` is below 1.
    Cancelled
        If `cancel` was set.
    Exception
        What the function raised first.
    """
    if workers < 1:
        raise ConfigError(f"workers = {workers} must be at least 1")
    stop = threading.Event()
    finished: queue.SimpleQueue[_Finished[Result]] = queue.SimpleQueue()
    threads = _make_threads(function, tasks, min(workers, len(tasks)), stop, finished)
    results: dict[int, Result] = {}
    delivering = False

    def deliver(outcome: _Finished[Result]) -> None:
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
            if cancel is not None and cancel.is_set():
                raise Cancelled("stopped together with all other runs")
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
    finished: queue.SimpleQueue[_Finished[Result]],
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
                finished.put(_Finished(index, result=function(task, stop)))
            except BaseException as error:  # noqa: BLE001 - raised by the calling thread
                finished.put(_Finished(index, error=error))
                return

    return [threading.Thread(target=work, daemon=True) for _ in range(n_threads)]


def _next(finished: queue.SimpleQueue[_Finished[Result]]) -> _Finished[Result] | None:
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
    finished: queue.SimpleQueue[_Finished[Result]], deliver: Callable[[_Finished[Result]], None]
) -> None:
    """Deliver what finished; later failures only follow from the first one's stop."""
    while not finished.empty():
        outcome = finished.get()
        if outcome.error is None:
            deliver(outcome)
