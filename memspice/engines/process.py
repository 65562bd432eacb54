"""Run one external program in its own process group, and leave none of it behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from memspice.engines.base import Cancelled
from memspice.errors import ConfigError, EngineError, EngineTimeout

#: Longest time between two looks at the clock and at `cancel`, [s].
POLL_SECONDS = 0.05


def clean_environment(folder: Path) -> dict[str, str]:
    """Copy this process's environment without what would change an engine's answer.

    Every ``SPICE*``, ``NGSPICE*`` and ``SIM_*`` variable goes (start-up scripts, search paths),
    numbers are written the C way, and one run uses one thread: parallelism is over runs.  Home is
    the run's own folder: ngspice 39 crashes without any, as services and containers start it.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    dict of str to str
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("SPICE", "NGSPICE", "SIM_"))
    }
    # ngspice with OSDI asks OpenMP for two threads whatever OMP_NUM_THREADS says, and on a busy
    # machine they wait for each other: 17 s instead of 0.2 s.  The limit it cannot raise.
    threads = {"OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1"}
    return kept | threads | {"LC_ALL": "C", "HOME": str(folder)}


def check_timeout(timeout: float) -> None:
    """Refuse a limit that could not be held.

    Parameters
    ----------
    timeout : float, [s]

    Raises
    ------
    ConfigError
        If it is no number, or below `POLL_SECONDS`.
    """
    if not timeout >= POLL_SECONDS:  # NaN fails too
        raise ConfigError(
            f"timeout = {timeout} s must be at least {POLL_SECONDS} s, the time between two looks "
            "at a run"
        )


def run_process(
    command: Sequence[str],
    folder: Path,
    *,
    timeout: float,
    cancel: threading.Event | None = None,
) -> int:
    """Run a program to its end in `folder`; its output goes to ``stdout`` and ``stderr`` there.

    Whatever ends this call (also Ctrl-C), the program and its children are gone afterwards.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        Working directory.
    timeout : float, [s]
        Longest wall-clock time.
    cancel : threading.Event, optional
        Stops the program within `POLL_SECONDS` after it is set.

    Returns
    -------
    int
        Exit status; negative: the signal that ended it.

    Raises
    ------
    ConfigError
        If the timeout is shorter than `POLL_SECONDS`.
    EngineTimeout
        If it took longer than `timeout`.
    Cancelled
        If `cancel` was set.
    EngineError
        If the program could not be started.
    """
    check_timeout(timeout)
    deadline = time.monotonic() + timeout
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=clean_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        except OSError as error:
            raise EngineError(f"cannot start {command[0]}: {error.strerror}") from error
        try:
            return _wait(process, deadline, timeout, cancel)
        finally:
            _kill_group(process)


def _wait(
    process: subprocess.Popen[bytes],
    deadline: float,
    timeout: float,
    cancel: threading.Event | None,
) -> int:
    while True:
        if cancel is not None and cancel.is_set():
            raise Cancelled("the run was cancelled")
        try:
            return process.wait(timeout=POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise EngineTimeout(
                    f"the engine ran longer than its limit of {timeout:g} s and was stopped; "
                    "raise timeout, shorten the run or allow longer steps"
                ) from None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the program and its children, also those that outlive it."""
    if sys.platform == "win32":
        process.kill()
    else:
        # no such group is the usual case: the program ended by itself and left no child
        # (macOS answers EPERM for a group of zombies)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
