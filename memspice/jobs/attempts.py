"""Which failures are worth another attempt, which are a result, and which stop the run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from memspice.engines.base import Cancelled
from memspice.errors import (
    ConfigError,
    ConvergenceError,
    EngineError,
    EngineNotFound,
    EngineVersionError,
)

Result = TypeVar("Result")


class WorkerLost(EngineError):
    """The process or machine that ran the job is gone; the job itself may be sound."""


@dataclass(frozen=True)
class Failure:
    """A job that failed every time it was tried.

    Parameters
    ----------
    reason : str
        What the last attempt raised, without the engine's log.
    log : str
        The engine's log of that attempt.
    attempts : int
        How often it was tried.
    """

    reason: str
    log: str
    attempts: int


@dataclass(frozen=True)
class Attempted(Generic[Result]):
    """A result or a failure, and how many attempts it took."""

    result: Result | Failure
    attempts: int


def attempt(
    call: Callable[[], Result], retries: int, stop: threading.Event | None = None
) -> Attempted[Result]:
    """Call a function until it succeeds, or has failed too often.

    Worth another attempt: a time limit reached, an engine that crashed or left half an answer, a
    worker that died. A solver that gave up is a failure at once: it would do so again. Every other
    error (a bad setting or netlist, a missing engine, a bug) is about the run, not about the job.

    Parameters
    ----------
    call : callable
    retries : int
        Attempts after the first.
    stop : threading.Event, optional
        No further attempt once it is set.

    Returns
    -------
    Attempted

    Raises
    ------
    ConfigError
        If `retries` is below 0.
    Exception
        What is not about the job alone.
    """
    if retries < 0:
        raise ConfigError(f"retries = {retries} must be at least 0")
    number = 0
    while True:
        number += 1
        try:
            return Attempted(call(), number)
        except (EngineNotFound, EngineVersionError, Cancelled):
            raise
        except EngineError as error:
            if stop is not None and stop.is_set():
                raise
            if number > retries or isinstance(error, ConvergenceError):
                return Attempted(Failure(_reason(error), error.log, number), number)


def _reason(error: EngineError) -> str:
    """Message without the end of the log, which is kept whole beside it."""
    notes = getattr(error, "__notes__", ())
    return "\n".join([str(error).split("\n--- end of the engine's log", 1)[0], *notes])
