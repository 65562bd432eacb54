"""Ctrl-C: one interrupt that arrives, whatever it meets, and is not cut short by another."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from memspice.cli.answer import SIGNALS, leave

#: Time after which an interrupt that was lost is raised again, [s].
AGAIN_SECONDS = 0.01


@contextmanager
def stopped_once() -> Iterator[None]:
    """Let the first signal raise KeyboardInterrupt, and ignore more of them.

    The stop takes two seconds at most; a second interrupt would leave engines running and the run
    open: the program's watchdog ends what does not stop (see `__main__`).  A signal that comes
    while h5py lets go of an object raises in a callback, from where no exception rises (one in
    fifteen during writing): Python reports it to `sys.unraisablehook`, and it is raised again.

    After an interrupt the signals stay ignored: the process is at its end.
    """
    stopping = False
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    report = sys.unraisablehook

    def stop(*_: Any) -> None:
        nonlocal stopping
        if stopping:
            return
        stopping = True
        sys.setswitchinterval(1e-4)  # a thread that builds a netlist must not hold up the stop
        raise KeyboardInterrupt

    def raise_again(lost: Any) -> None:
        nonlocal stopping
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            report(lost)
            return
        stopping = False
        threading.Timer(AGAIN_SECONDS, signal.raise_signal, [signal.SIGINT]).start()

    sys.unraisablehook = raise_again
    for number in SIGNALS:
        signal.signal(number, stop)
    try:
        yield
    finally:
        sys.unraisablehook = report
        if stopping:
            gc.freeze()  # else the process collects half-built netlists at its end, for seconds
        else:
            for number, handler in handlers.items():
                signal.signal(number, handler)


@contextmanager
def left_at_once() -> Iterator[None]:
    """Let a signal end the process without more ado, while a command is imported.

    An exception that rises through the imports of a library may be lost in it.
    """
    handlers = {number: signal.signal(number, leave) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
