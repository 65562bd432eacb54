"""The one JSON object that ``--json`` asks for: a result, or what went wrong.

Little is imported here: this must work before anything else does.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

#: Ctrl-C, and what batch systems send before they kill.
SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Exit code of what was interrupted, and of other results that are not complete.
INCOMPLETE = 5
#: What is said of an interruption where nothing more is known.
INTERRUPTED = b'{"error": {"kind": "Interrupted", "message": "interrupted", "exit_code": 5}}\n'


class CommandAnswer:
    """Answer of a command: whether the process still owes an object on standard output.

    A command line that fails asks for it too, hence it is not read by the parser.
    """

    def __init__(self) -> None:
        self._asked = self._given = False

    def begin(self, arguments: Sequence[str]) -> None:
        """Note what a command line asks for."""
        options = [*arguments, "--"]
        self._asked = "--json" in options[: options.index("--")]
        self._given = False

    def give(self) -> bool:
        """Note that the object is printed now; False where none is owed, or any more."""
        owed = self._asked and not self._given
        self._given = True
        return owed


ANSWER = CommandAnswer()


def leave(*_: Any) -> None:
    """End on a signal while nothing is under way yet, or any more."""
    with suppress(OSError):
        os.write(2, b"memspice: interrupted\n")
    if ANSWER.give():
        with suppress(OSError):
            os.write(1, INTERRUPTED)
    os._exit(INCOMPLETE)
