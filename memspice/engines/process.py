"""Run one external program in its own process group, and leave none of it behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from memspice.engines.base import Cancelled
from memspice.engines.run_folder import MARK
from memspice.errors import ConfigError, EngineError, EngineTimeout
from memspice.outputs import printable

#: Longest time between two looks at the clock and at `cancel`, [s].
POLL_SECONDS = 0.05
#: Most that a program may say, and most that it may write in all, [bytes].
OUTPUT_LIMIT = 64 * 2**20
FOLDER_LIMIT = 32 * 2**30
#: Files that hold what it says.
WORDS = ("log", "stderr", "stdout")
#: Longest wait for killed children to be gone, [s].
LEAVE_SECONDS = 0.2
#: Variable that names the run to whom it starts.
RUN = "MEMSPICE_RUN"


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

    Whatever ends this call (also Ctrl-C), the program and its children are gone afterwards, and if
    this process is killed, they are, too, and the folder with them if it is one of
    `memspice.engines.run_folder`.

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
        If the program could not be started, or wrote more than `OUTPUT_LIMIT` in words or
        `FOLDER_LIMIT` in all.
    """
    check_timeout(timeout)
    deadline = time.monotonic() + timeout
    ours, its = socket.socketpair()
    with ours, (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        try:
            with its:
                process = subprocess.Popen(
                    [*_leash(folder), *command],
                    cwd=folder,
                    env=clean_environment(folder),
                    stdin=subprocess.DEVNULL if sys.platform == "win32" else its.fileno(),
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
        except OSError as error:
            raise EngineError(f"cannot start {command[0]}: {error.strerror}") from error
        try:
            status = _wait(process, folder, deadline, timeout, cancel)
            _check_output(folder)
        finally:
            _kill_all(process, ours, folder)
    if status in _NOT_STARTED and sys.platform != "win32":
        said = (folder / "stderr").read_bytes()[-500:].decode("utf-8", "replace").strip()
        raise EngineError(f"cannot start {command[0]} (exit status {status}): {printable(said)}")
    return status


#: Exit status of a shell for a program that it cannot start.
_NOT_STARTED = (126, 127)
#: Holds the program on a leash: a socket on descriptor 3, whose other end this process has.  When
#: it closes, however this process ends, the watcher kills who was started with the run's name in
#: its environment, removes the folder, and kills the group, itself included.
_LEASH = f"""
run=$1; shift; exec 3<&0 0</dev/null
( ( read -r _ <&3
    cd /; grep -laF "{RUN}=$run" /proc/[0-9]*/environ | while IFS=/ read -r _ _ id _
    do kill -KILL "$id"; done
    test -f "$run/{MARK}" && rm -rf -- "$run"
    kill -KILL 0 ) >/dev/null 2>&1 & )
export {RUN}="$run"; exec "$@"
"""


def _leash(folder: Path) -> list[str]:
    if sys.platform == "win32":
        return []
    return ["/bin/sh", "-c", _LEASH, "memspice", str(folder.absolute())]


def _wait(
    process: subprocess.Popen[bytes],
    folder: Path,
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
            _check_output(folder)
            if time.monotonic() > deadline:
                raise EngineTimeout(
                    f"the engine ran longer than its limit of {timeout:g} s and was stopped; "
                    "raise timeout, shorten the run or allow longer steps"
                ) from None


def _check_output(folder: Path) -> None:
    """Stop a program that fills the disk with words or numbers."""
    words = total = 0
    for entry in os.scandir(folder):
        with contextlib.suppress(FileNotFoundError):
            size = entry.stat(follow_symlinks=False).st_size
            total += size
            words += size * (entry.name in WORDS)
    for size, limit, what in ((words, OUTPUT_LIMIT, "words"), (total, FOLDER_LIMIT, "files")):
        if size > limit:
            with (folder / "stdout").open("rb") as file:
                said = file.read(500).decode("utf-8", "replace")
            raise EngineError(
                f"the engine wrote {size / 2**20:.0f} MiB of {what}, above the limit of "
                f"{limit / 2**20:.0f} MiB, and was stopped; save fewer signals, or see what it "
                "says",
                printable(said, lines=True),
            )


def _kill_all(process: subprocess.Popen[bytes], ours: socket.socket, folder: Path) -> None:
    """Kill the program, its children, and theirs, also those that left its group."""
    if sys.platform == "win32":
        process.kill()
        process.wait()
        return
    # no such group: the program ended by itself and left no child, not even the watcher
    # (macOS answers EPERM for a group of zombies)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    ours.settimeout(LEAVE_SECONDS)
    try:
        ours.recv(1)  # the end of file: nobody has the other end any more
    except TimeoutError:
        _kill_by_name(folder)
    except OSError:
        return


def _kill_by_name(folder: Path) -> None:
    """Kill who was started with the run's name in its environment (Linux)."""
    name = f"{RUN}={folder.absolute()}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if name in entry.read_bytes().split(b"\0"):
                os.kill(int(entry.parent.name), signal.SIGKILL)
