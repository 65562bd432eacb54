"""Calls on a Dask cluster: the only module that knows Dask.

The client keeps the jobs, the retries, the cache and the store; the cluster only carries out calls
that depend on nothing but their arguments. So it does not matter which worker does what, or when.
"""

from __future__ import annotations

import importlib
import os
import re
import socket
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from memspice.engines.base import Cancelled
from memspice.errors import ConfigError, IncompleteResults
from memspice.inputs import read_json
from memspice.jobs.attempts import WorkerLost
from memspice.outputs import printable

Result = TypeVar("Result")

#: Calls in flight where nobody says how many: enough to keep a cluster busy, and to make one that
#: grows with its queue grow.
CLUSTER_WORKERS = 64
#: Longest wait for the scheduler to answer, [s].
CONNECT_SECONDS = 15.0
#: Longest time between two looks at a call and at its `cancel`, [s].
POLL_SECONDS = 0.05
#: Time between a worker's looks at whether its call is still wanted, [s].
WATCH_SECONDS = 0.5
_ADDRESS = re.compile(
    r"(?P<protocol>[a-z][a-z0-9+.-]*://)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^\s/:\[\]]+):(?P<port>\d{1,5})/?"
)
_LAST_PORT = 65535
#: A scheduler's file names its workers, too, [bytes].
_LARGEST_FILE = 10**8
INSTALL = "pip install 'memspice[cluster]'"


def scheduler_address(name: str) -> str:
    """Address of the Dask scheduler that a text names, in the form that Dask itself gives it.

    Parameters
    ----------
    name : str
        ``tcp://host:8786`` or another of Dask's protocols, with or without a slash behind it;
        ``host:8786``; or the file that ``dask scheduler --scheduler-file`` writes.

    Raises
    ------
    ConfigError
        If it is none of them, or the file is not there or holds no address.
    """
    found = _ADDRESS.fullmatch(name)
    if found and int(found["port"]) <= _LAST_PORT:
        return f"{found['protocol'] or 'tcp://'}{found['host']}:{found['port']}"
    if "://" in name:
        raise ConfigError(
            f"no Dask scheduler answers at {printable(name)!r}: an address is such as "
            "tcp://host:8786, with a port of at most 65535"
        )
    if not (name.endswith(".json") or os.path.exists(name)):
        raise ConfigError(
            f"scheduler {printable(name)!r} is unknown: use local, or the address of a Dask "
            "scheduler such as tcp://host:8786, or the file that it writes with --scheduler-file"
        )
    content = read_json(name, _LARGEST_FILE, ConfigError)
    address = content.get("address") if isinstance(content, dict) else None
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        raise ConfigError(
            f"{printable(name)} holds no address of a Dask scheduler: name the file that `dask "
            "scheduler --scheduler-file FILE` writes"
        )
    return address


class DaskScheduler:
    """Calls on the workers of a Dask scheduler.

    Parameters
    ----------
    name : str
        See `scheduler_address`.

    Raises
    ------
    ConfigError
        If Dask is not installed, or no scheduler answers there.
    """

    workers = CLUSTER_WORKERS

    def __init__(self, name: str) -> None:
        self._address = address = scheduler_address(name)
        self._dask = _distributed()
        # A whole layer travels with each call: a few MB, by design.
        importlib.import_module("dask").config.set(
            {"distributed.admin.large-graph-warning-threshold": "1GB"}
        )
        try:
            # First without Dask: a client that finds nobody may hang the next one when collected.
            place = self._dask.comm.get_address_host_port(address)
            socket.create_connection(place, CONNECT_SECONDS).close()
            self._client = self._dask.Client(
                address, set_as_default=False, timeout=CONNECT_SECONDS, name="memspice"
            )
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(
                f"no Dask scheduler answers at {address} ({error}); start one with `dask "
                "scheduler`, and give the address that it prints, or its --scheduler-file"
            ) from error

    def call(
        self, function: Callable[..., Result], *arguments: Any, cancel: threading.Event
    ) -> Result:
        """Call the function on a worker; see `Scheduler.call`."""
        future = self._client.submit(
            call_here, function, arguments, pure=False, key=f"memspice-{uuid.uuid4().hex}"
        )
        try:
            while not future.done():
                if self._client.status not in ("running", "connecting"):
                    raise self._gone()
                if cancel.wait(POLL_SECONDS):
                    raise Cancelled("the run was cancelled")
            found: Result = self._result(future)
        finally:
            future.release()
        return found

    def _result(self, future: Any) -> Any:
        try:
            return future.result()
        except self._dask.scheduler.KilledWorker as error:
            raise WorkerLost(f"every worker that was given the job died: {error}") from error
        except CancelledError as error:
            if getattr(error, "reason", "") == "scheduler-connection-lost":
                raise self._gone() from error
            raise WorkerLost(f"the cluster lost the job: {error}") from error
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"a worker of {self._address} has no module {error.name!r}: install the same "
                "memspice on every machine of the cluster"
            ) from error

    def _gone(self) -> IncompleteResults:
        return IncompleteResults(
            f"the Dask scheduler at {self._address} is gone; what was finished is kept: start it "
            "again and resume the run"
        )

    def close(self) -> None:
        """Leave the cluster; calls not yet finished are dropped there."""
        self._client.close(timeout=CONNECT_SECONDS)


def call_here(function: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
    """Call a function in a worker; ends it soon when nobody wants its result any more.

    Parameters
    ----------
    function : callable
        Takes the arguments and an event that says when to stop.
    arguments : tuple
    """
    distributed = _distributed()
    worker = distributed.get_worker()
    key = worker.get_current_task()
    stop, ended = threading.Event(), threading.Event()

    def watch() -> None:
        while not ended.wait(WATCH_SECONDS):
            task = worker.state.tasks.get(key)
            if task is None or task.state == "cancelled":
                stop.set()
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        return function(*arguments, stop)
    except Exception as error:
        error.add_note(f"On the worker {worker.address}")
        raise
    finally:
        ended.set()


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        raise ConfigError(
            f"another machine is reached through Dask, which is not installed: {INSTALL}"
        ) from error
