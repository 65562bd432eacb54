"""Where a simulation runs: in this process's own threads, or on a Dask cluster."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from memspice.engines.process import check_timeout
from memspice.errors import ConfigError
from memspice.jobs.cluster import DaskScheduler, scheduler_address

Result = TypeVar("Result")

LOCAL = "local"
#: Clusters that are connected, by name, with the number of those who use them.
_OPEN: dict[str, tuple[DaskScheduler, int]] = {}
_LOCK = threading.Lock()
#: Decks at a time where nobody says how many.
LOCAL_WORKERS = 2


class Scheduler(Protocol):
    """Carries out calls; several threads may wait for theirs at once."""

    @property
    def workers(self) -> int:
        """How many calls at a time make sense where nobody says how many."""
        ...

    def call(
        self, function: Callable[..., Result], *arguments: Any, cancel: threading.Event
    ) -> Result:
        """Call ``function(*arguments, cancel)`` somewhere, and wait for what it returns.

        Parameters
        ----------
        function : callable
            A function of a module; what it takes and returns can be pickled.
        *arguments
        cancel : threading.Event
            Ends the wait, and the function where it looks at its last argument.

        Raises
        ------
        Cancelled
            If `cancel` was set.
        WorkerLost
            If whoever called it died.
        Exception
            What the function raised.
        """
        ...


class LocalScheduler:
    """Calls in the thread that asks: the work is done in the engine's process."""

    workers = LOCAL_WORKERS

    def call(
        self, function: Callable[..., Result], *arguments: Any, cancel: threading.Event
    ) -> Result:
        """Call the function; see `Scheduler.call`."""
        return function(*arguments, cancel)


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Ways and means of carrying simulations out; nothing of them changes a result.

    Parameters
    ----------
    workers : int, optional
        Simulations at a time; by default `LOCAL_WORKERS`, or what keeps a cluster busy.
    scheduler : str
        ``local``, or a Dask scheduler: its address or file, see `scheduler_address`.
    retries : int
        Attempts after the first for a job that timed out, crashed or lost its worker.
    timeout : float, [s]
        Longest run of the engine in one attempt.
    cache : bool
        Keep results in the user's cache, and take them from there.
    cancel : threading.Event, optional
        Ends what is carried out when set, as by whoever has started several runs.
    """

    workers: int | None = None
    scheduler: str = LOCAL
    retries: int = 1
    timeout: float = 900.0
    cache: bool = False
    cancel: threading.Event | None = field(default=None, compare=False, repr=False)

    def check(self) -> None:
        """Refuse settings that make no sense.

        Raises
        ------
        ConfigError
            If a number is out of range, or the scheduler is none.
        """
        if self.workers is not None and self.workers < 1:
            raise ConfigError(f"workers = {self.workers} must be at least 1")
        if self.retries < 0:
            raise ConfigError(f"retries = {self.retries} must be at least 0")
        check_timeout(self.timeout)
        if self.scheduler != LOCAL:
            scheduler_address(self.scheduler)


@contextmanager
def open_scheduler(name: str) -> Iterator[Scheduler]:
    """Scheduler of a name or address; whoever opens it meanwhile shares the connection.

    Parameters
    ----------
    name : str
        As of `Execution`.

    Yields
    ------
    Scheduler

    Raises
    ------
    ConfigError
        If Dask is not installed, or no scheduler answers there.
    """
    if name == LOCAL:
        yield LocalScheduler()
        return
    with _LOCK:
        cluster, users = _OPEN.get(name) or (DaskScheduler(name), 0)
        _OPEN[name] = cluster, users + 1
    try:
        yield cluster
    finally:
        with _LOCK:
            cluster, users = _OPEN.pop(name)
            if users > 1:
                _OPEN[name] = cluster, users - 1
            else:
                cluster.close()
