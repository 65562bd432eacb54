"""Options of how simulations are carried out; none of them changes a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

from memspice.cli.options import JOBS
from memspice.jobs import Execution

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--jobs",
        "workers",
        type=JOBS,
        help="Decks at a time.  [default: 2, or 64 on a cluster]",
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
        default=Execution.retries,
        show_default=True,
        help="More attempts for a deck that timed out, crashed or lost its worker.",
    ),
    click.option(
        "--timeout",
        default=Execution.timeout,
        show_default=True,
        help="Seconds a deck may take, each time.",
    ),
    click.option(
        "--cache/--no-cache",
        default=True,
        show_default=True,
        help="Take results of the same decks from the cache, and keep new ones there.",
    ),
)


def execution_options(command: CommandT) -> CommandT:
    """Options of :class:`~memspice.jobs.Execution`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_execution(options: dict[str, Any]) -> dict[str, Any]:
    """Take the values of `execution_options` out of a command's options."""
    return {field.name: options.pop(field.name) for field in fields(Execution)}
