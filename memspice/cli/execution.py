"""Options of how a run is carried out and where it is stored; none of them changes a number."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

import memspice as ms
from memspice.cli.later import import_library
from memspice.cli.options import JOBS, json_option, options_of, parents_option
from memspice.cli.output import command_line
from memspice.outputs import check_file

Command = Callable[..., None]

_EXECUTION = (
    click.option(
        "--jobs",
        "workers",
        type=JOBS,
        help="Decks, or batches of images, at a time.  [default: 2, or 64 on a cluster]",
    ),
    click.option(
        "--scheduler",
        default="local",
        show_default=True,
        help="local, or a Dask scheduler: HOST:PORT, or its --scheduler-file.",
    ),
    click.option(
        "--retries",
        type=click.IntRange(min=0),
        default=1,
        show_default=True,
        help="More attempts for a deck that timed out, crashed or lost its worker.",
    ),
    click.option(
        "--timeout",
        default=900.0,
        show_default=True,
        help="Seconds a deck may take, each time.",
    ),
    click.option(
        "--cache/--no-cache",
        default=True,
        show_default=True,
        help="Take results of the same decks and crossbars from the cache, and keep new ones.",
    ),
)
_KEEP = (
    click.option(
        "--keep",
        type=click.Choice(["none", "sample", "all"]),
        help="Neurons whose waveforms are kept: none, one of each deck, all.  [default: sample]",
    ),
    click.option("--neurons", metavar="N,N,...", help="Keep those of these neurons instead."),
)
_RUN_FILE = (
    click.option(
        "--out",
        type=click.Path(path_type=Path, dir_okay=False),
        help="HDF5 run file; an earlier result there stays until the new one is complete.",
    ),
    parents_option,
    click.option("--resume", is_flag=True, help="Go on with the run in --out instead."),
    json_option,
)


def keep_options(command: Command) -> Command:
    """Give a command its ``keep``: which neurons' waveforms a run file keeps."""

    @wraps(command)
    def wrapped(keep: str | None, neurons: str | None, **values: Any) -> None:
        if keep and neurons:
            raise click.UsageError("--keep and --neurons exclude one another: give one of them")
        command(keep=_numbers(neurons) if neurons else keep or "sample", **values)

    return options_of(*_KEEP)(wrapped)


def _numbers(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d+(,\d+)*", text):
        raise ms.errors.ConfigError(f"--neurons {text!r} must be numbers, for example 0,3")
    return tuple(int(number) for number in text.split(","))


def execution_options(command: Command) -> Command:
    """Give a command its ``execution``, a `memspice.Execution`, from options of its own."""

    @wraps(command)
    def wrapped(**values: Any) -> None:
        command(execution=_take_execution(values), **values)

    return options_of(*_EXECUTION)(wrapped)


def run_options(command: Command) -> Command:
    """Give a command its ``options``, `memspice.RunOptions`, and ``--json``.

    A run file that could not be written is refused before anything is loaded.
    """

    @wraps(command)
    def wrapped(out: Path | None, parents: bool, **values: Any) -> None:
        if out is not None:
            check_file(out, parents=parents)
        execution, resume = _take_execution(values), values.pop("resume")
        options = ms.RunOptions(execution=execution, out=out, resume=resume, command=command_line())
        command(options=options, **values)

    return options_of(*_EXECUTION, *_RUN_FILE)(wrapped)


def _take_execution(values: dict[str, Any]) -> ms.Execution:
    import_library()
    names = ("workers", "scheduler", "retries", "timeout", "cache")
    return ms.Execution(**{name: values.pop(name) for name in names})
