"""The process that reads HDF5 files for this one: started when needed, ended when it is stuck."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from memspice.inputs import hdf5_server

#: Time of a request on a busy machine, besides what the size of its answer allows, [s].
PATIENCE = 60.0
_BYTES_PER_SECOND = 5e6


class Ended(Exception):
    """The server has ended, and why."""


def ask(request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the server's reply to a request, and the bytes that follow it.

    Raises
    ------
    Ended
        If it took too long, or died.
    """
    return _client().ask(request)


class _Client:
    """A server and the connection to it."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._lock = threading.Lock()
        mine, other = socket.socketpair()
        self.process = _forked(other, mine) if _may_fork() else _started(other)
        other.close()
        self._socket = mine
        self._buffer = bytearray()

    @property
    def closed(self) -> bool:
        """Whether the server is gone."""
        return self._socket.fileno() < 0

    def ask(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the reply to a request.

        Raises
        ------
        Ended
            If the server took too long or died; it is then gone.
        """
        patience = PATIENCE + request.get("bytes", 0) / _BYTES_PER_SECOND
        with self._lock:
            try:
                deadline = time.monotonic() + patience
                self._socket.sendall(json.dumps(request).encode() + b"\n")
                reply = json.loads(self._line(deadline))
                return reply, self._take(reply["follows"], deadline)
            except (OSError, EOFError, TimeoutError) as error:
                raise Ended(self.end()) from error
            except BaseException:
                self.end()  # an answer nobody waits for would be taken for that of the next
                raise

    def end(self) -> str:
        """Kill the server; return what became of it."""
        self._socket.close()
        limit = f"{hdf5_server.SECONDS} s of processor time"
        number = self.process.end()
        if number == getattr(signal, "SIGPROF", -1):
            return f"is damaged: the HDF5 library did not come back within about {limit}"
        if number in (0, getattr(signal, "SIGKILL", -1)):
            return "cannot be read: the HDF5 library did not answer in time, or was killed"
        return f"is damaged: the HDF5 library crashed on it (signal {number})"

    def _line(self, deadline: float) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._receive(deadline)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _take(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            self._receive(deadline)
        content = bytes(self._buffer[:size])
        del self._buffer[:size]
        return content

    def _receive(self, deadline: float) -> None:
        ready, _, _ = select.select([self._socket], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        received = self._socket.recv(1 << 20)
        if not received:
            raise EOFError
        self._buffer += received


class _Forked:
    """A server that was forked from this process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def end(self) -> int:
        """End it if it lives; return the signal that ended it, 0 if none."""
        for _ in range(20):  # what killed it may still be at work
            found, status = _wait(self.pid, getattr(os, "WNOHANG", 0))
            if found:
                return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            time.sleep(0.005)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        _wait(self.pid, 0)
        return 0


class _Started:
    """A server that was started as a program of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.pid = process.pid
        self._process = process

    def end(self) -> int:
        """End it if it lives; return the signal that ended it, 0 if none."""
        with suppress(subprocess.TimeoutExpired):
            return max(0, -self._process.wait(0.1))
        self._process.kill()
        self._process.wait()
        return 0


def _wait(pid: int, flags: int) -> tuple[int, int]:
    try:
        return os.waitpid(pid, flags)
    except ChildProcessError:  # somebody else has waited for it
        return pid, 0


def _may_fork() -> bool:
    """Whether a copy of this process would do: threads are not copied, but their locks are."""
    return hasattr(os, "fork") and threading.active_count() == 1


def _forked(other: socket.socket, mine: socket.socket) -> _Forked:
    with warnings.catch_warnings():
        # Threads of BLAS alone are left, which nothing of the server uses.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return _Forked(pid)
    try:
        _become_server(other, mine)
    finally:
        os._exit(0)


def _become_server(other: socket.socket, mine: socket.socket) -> None:
    """Serve, in the copy of the process: without its files, locks, signals and outputs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who ends this
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    descriptor = os.dup2(other.fileno(), 3) if other.fileno() != 3 else 3
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.closerange(4, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") > 0 else 4096)
    connection = socket.socket(fileno=descriptor)
    hdf5_server.serve(connection.makefile("rb"), connection.makefile("wb"))


def _started(other: socket.socket) -> _Started:
    command = [sys.executable, "-I", hdf5_server.__file__]
    end = other.fileno()
    return _Started(subprocess.Popen(command, stdin=end, stdout=end, stderr=subprocess.DEVNULL))


_current: _Client | None = None
_starting = threading.Lock()


def _client() -> _Client:
    """Return the server of this process; start it where there is none."""
    global _current
    with _starting:
        if _current is None or _current.owner != os.getpid() or _current.closed:
            _current = _Client()
        return _current


@atexit.register
def _end_server() -> None:
    if _current is not None and _current.owner == os.getpid():
        _current.end()
