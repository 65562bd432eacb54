"""Options of how simulations are carried out; none of them changes a result."""

from __future__ import annotations

from typing import Any

import click

import memspice as ms
from memspice.cli.later import import_library
from memspice.cli.options import JOBS, options_of

_OPTIONS = (
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


#: Options of `memspice.Execution`; a test compares their defaults with its own.
execution_options = options_of(*_OPTIONS)


def take_execution(options: dict[str, Any]) -> ms.Execution:
    """Execution from the values of `execution_options`."""
    import_library()
    names = ("workers", "scheduler", "retries", "timeout", "cache")
    return ms.Execution(**{name: options.pop(name) for name in names})
