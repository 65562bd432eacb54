"""What a command prints, whatever its terminal, pipe or code page is like.

A result is stored before it is printed.  Printing that fails ends with exit code 5 and says where
the result is; a character that the output cannot hold is written as its escape.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TextIO

import click

from memspice.cli.answer import ANSWER
from memspice.cli.failure import failure
from memspice.errors import IncompleteResults, MemspiceError
from memspice.outputs import printable


class _ClosedOutput(io.TextIOBase):
    """Standard output of a process that was started without any (``>&-``)."""

    def write(self, text: str) -> int:
        raise OSError("it is closed")


def settle_streams() -> None:
    """Make the standard streams ready for any text.

    Those that the process was started without are opened on the null device: a file of ours would
    else take their number, and be written into by whatever prints there.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stdout is None:
        sys.stdout = _ClosedOutput()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if sys.warnoptions:  # as from PYTHONWARNINGS=error: a library's warning must not end a run
        warnings.simplefilter("default")


def command_line() -> str:
    """Command line of this process, as a shell takes it; bytes that are no UTF-8 as escapes."""
    return shlex.join(sys.argv).encode("utf-8", "backslashreplace").decode("utf-8")


def emit(text: str, stored: Iterable[Path | str | None] = ()) -> None:
    """Print a result.

    Parameters
    ----------
    text : str
        Without its last line end.
    stored : iterable of path or None
        Files that hold the result.

    Raises
    ------
    IncompleteResults
        If it cannot be printed.
    """
    try:
        _print(text)
    except OSError as error:
        drop_unwritten()
        places = ", ".join(str(place) for place in stored if place is not None)
        where = f"it is in {places}" if places else "it is not stored: print it elsewhere"
        raise IncompleteResults(
            f"the result could not be written to standard output ({error.strerror or error}); "
            f"{where}"
        ) from error


def emit_list(text: str) -> None:
    """Print what can be asked for again; a reader that left (``| head``) is no error.

    Raises
    ------
    IncompleteResults
        If it cannot be printed for another reason.
    """
    try:
        _print(text)
    except BrokenPipeError:
        drop_unwritten()
    except OSError as error:
        drop_unwritten()
        raise IncompleteResults(
            f"nothing could be written to standard output ({error.strerror or error})"
        ) from error


def first_problem(*checks: Callable[[], object]) -> MemspiceError | None:
    """What makes a result less than it should be: the first error of the checks, if any."""
    try:
        for check in checks:
            check()
    except MemspiceError as error:
        return error
    return None


def report(
    content: Mapping[str, Any],
    text: Callable[[], str],
    *,
    as_json: bool,
    stored: Iterable[Path | str | None] = (),
    problem: MemspiceError | None = None,
) -> None:
    """Print the result of a command, and fail where it is less than it should be.

    Parameters
    ----------
    content : mapping
        The result, as JSON has it.
    text : callable
        Gives the same to read, without its last line end.
    as_json : bool
        Print one JSON object; a problem is then part of it.
    stored : iterable of path or None
        Files that hold the result.
    problem : MemspiceError, optional
        What makes the result less than it should be.

    Raises
    ------
    IncompleteResults
        If the result cannot be printed.
    MemspiceError
        The problem.
    """
    if as_json:
        error = {"error": failure(problem).as_json()} if problem else {}
        emit(json.dumps({**content, **error}, allow_nan=False), stored)
    else:
        emit(text(), stored)
    if problem:
        raise problem


class Checked(Protocol):
    """Finding of a command: it prints itself, and knows whether it is as it should be."""

    def as_json(self) -> dict[str, Any]:
        """Object that ``--json`` prints."""
        ...

    def check(self) -> None:
        """Raise what makes it less than it should be."""
        ...


def report_result(
    result: Checked,
    *,
    as_json: bool,
    text: Callable[[], str] | None = None,
    more: Mapping[str, Any] | None = None,
    stored: Iterable[Path | str | None] = (),
) -> None:
    """Print a result of the library, and fail where it is less than it should be.

    Parameters
    ----------
    result : Checked
        What was found.
    as_json : bool
        Print one JSON object.
    text : callable, optional
        Gives what is printed else; by default the result's own table.
    more : mapping, optional
        What the object has besides.
    stored : iterable of path or None
        Files that hold the result besides its run file.

    Raises
    ------
    IncompleteResults
        If the result cannot be printed, or jobs failed.
    MemspiceError
        What its check raises.
    """
    report(
        {**result.as_json(), **(more or {})},
        text or partial(repr, result),
        as_json=as_json,
        stored=[getattr(result, "out", None), *stored],
        problem=first_problem(result.check),
    )


def _print(text: str) -> None:
    ANSWER.give()
    click.echo(printable(text, lines=True))
    sys.stdout.flush()


def drop_unwritten() -> None:
    """Let Python's own flush at its end not fail again, and end with 120 instead of our code."""
    stream: TextIO = sys.stdout
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
