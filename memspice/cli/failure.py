"""What an error is to the user of the command line: its kind, its message, its exit code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import click

from memspice.cli.answer import INCOMPLETE
from memspice.errors import (
    ConfigError,
    EngineError,
    EngineNotFound,
    EngineVersionError,
    IncompleteResults,
    MemspiceError,
    NetlistError,
    StoreError,
)
from memspice.outputs import printable

#: First match wins; what is not listed is a failed simulation.
EXIT_CODES: tuple[tuple[type[MemspiceError], int], ...] = (
    (ConfigError, 2),
    (EngineNotFound, 3),
    (EngineVersionError, 3),
    (NetlistError, 4),
    (EngineError, 4),
    (StoreError, INCOMPLETE),
    (IncompleteResults, INCOMPLETE),
)
#: Errors that end a command with a message; any other is a fault of memspice.
EXPECTED = (
    click.ClickException, click.Abort, KeyboardInterrupt, MemspiceError, MemoryError, OSError,
)  # fmt: skip


@dataclass(frozen=True)
class CommandFailure:
    """An error in words.

    Parameters
    ----------
    kind : str
        A class of `memspice.errors`, or UsageError, Interrupted, OutOfMemory, FileError, Fault.
    message : str
        What is wrong, where, and what to try; of one or more lines.
    exit_code : int
        Of the process.
    """

    kind: str
    message: str
    exit_code: int

    def as_json(self) -> dict[str, Any]:
        """Value of ``error`` in the object of ``--json``."""
        return asdict(self)


def failure(error: BaseException) -> CommandFailure:
    """Find the words for an error."""
    kind, message, code = _found(error)
    # click puts an Abort in the place of the interrupt
    cause = error.__cause__ if isinstance(error, click.Abort) and error.__cause__ else error
    lines = [message, *getattr(cause, "__notes__", ())]
    return CommandFailure(kind, printable("\n".join(lines), lines=True), code)


def _found(error: BaseException) -> tuple[str, str, int]:
    if isinstance(error, click.ClickException):
        return "UsageError", error.format_message(), 2
    if isinstance(error, MemspiceError):
        return _public_name(error), str(error), exit_code(error)
    if isinstance(error, MemoryError):
        what = str(error) or "none is left"
        return "OutOfMemory", f"not enough memory ({what}): ask for less at once", INCOMPLETE
    if isinstance(error, OSError):
        where = f"{error.filename or 'writing or reading a file'}: {error.strerror or error}"
        return "FileError", f"{where}; check the path, the rights and the space left", INCOMPLETE
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return "Interrupted", "interrupted", INCOMPLETE
    return "Fault", f"a fault of memspice, please report it ({error!r})", 1


def _public_name(error: MemspiceError) -> str:
    """Name of the error's class, or of the nearest one above it that is documented."""
    module = MemspiceError.__module__
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == module)


def exit_code(error: MemspiceError) -> int:
    """Exit code of an error; a path that is not there is bad usage, whoever notices."""
    if isinstance(error, StoreError) and isinstance(error.__cause__, FileNotFoundError):
        return 2
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 4)
