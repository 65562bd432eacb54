"""The program ``memspice``: it can be stopped from its first line to its last.

The command line itself is imported late: that takes a second, in which Ctrl-C must not end in a
traceback.  A watchdog, a process of a few lines that costs some milliseconds, ends the program at a
second signal even where it is within a library that does not come back: Python's own handlers would
wait for that library.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from memspice.cli.answer import ANSWER, SIGNALS, leave

#: What arrives so soon after a signal is the same one: a terminal or a batch system often sends it
#: to the program and to its group, [s].
SAME_SECONDS = 0.25
#: Time that a stop may take after a second signal, [s].
GRACE_SECONDS = 2.0


def main() -> None:
    """Run the command line of this process."""
    ANSWER.begin(sys.argv[1:])
    with _watchdog():
        for number in SIGNALS:
            signal.signal(number, leave)
        importlib.import_module("memspice.cli.main").main()


@contextmanager
def _watchdog() -> Iterator[None]:
    """Let another process see the signals of this one, and kill it after the second."""
    if not hasattr(os, "fork"):
        yield
        return
    reader, writer = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        try:
            os.close(writer)
            _watch(reader, parent)
        finally:
            os._exit(0)
    os.close(reader)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        os.close(writer)  # its end
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _watch(reader: int, parent: int) -> None:
    """Kill the parent some time after its second signal; return when it has ended."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    first = 0.0
    while received := os.read(reader, 1):
        if received[0] not in SIGNALS:
            continue
        if not first:
            first = time.monotonic()
        elif time.monotonic() - first > SAME_SECONDS:
            break
    else:
        return
    time.sleep(GRACE_SECONDS)
    if os.getppid() == parent:
        with suppress(OSError):
            os.write(2, b"memspice: ended by a second signal\n")
        os.kill(parent, signal.SIGKILL)


if __name__ == "__main__":
    main()
