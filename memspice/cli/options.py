"""Options and habits that several commands share."""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from memspice.engines import ENGINES
from memspice.errors import ConfigError
from memspice.network.flaws import FLAWS
from memspice.outputs import check_file
from memspice.quantities import format_si
from memspice.windows.setup import Setup

#: Type of ``--jobs``.
JOBS = click.IntRange(min=1)

#: Of ``--data``.
DATA_HELP = (
    "digits, cifar10, an .npz file with x and y, a folder with a folder of images for each class, "
    "or one with CIFAR-10's binary files (also MEMSPICE_DATA)."
)

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

#: ``--set``, for every command that takes a parameter set; :func:`parse_changes` reads it.
set_option = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="TABLE.NAME=VALUE",
    help="Value in SI units instead of the parameter set's; may be repeated.",
)

#: ``--parents``, for every command that writes.
parents_option = click.option(
    "--parents", is_flag=True, help="Make the missing folders above what is written."
)

#: ``--engine``, for every command that runs decks on one engine.
engine_option = click.option(
    "--engine",
    type=click.Choice(sorted(ENGINES)),
    default="ngspice",
    show_default=True,
    help="Circuit simulator.",
)


def setup_options(
    *, images: int, cycles: int, network: str = "cifar10-cnn"
) -> Callable[[CommandT], CommandT]:
    """Options of :class:`~memspice.windows.setup.Setup`, with a command's own defaults."""
    options = [
        click.option(
            "--network",
            default=network,
            show_default=True,
            help="digits-mlp, cifar10-cnn, cifar10-cnn-wide, or the path of a .h5 file.",
        ),
        click.option(
            "--device",
            default="fast-memristor",
            show_default=True,
            help="ag-asi, fast-memristor, sot-mtj, or the path of a .toml file.",
        ),
        click.option("--images", default=images, show_default=True, help="Test images."),
        click.option("--cycles", default=cycles, show_default=True, help="Cycles per image."),
        click.option(
            "--burst",
            default=1,
            show_default=True,
            help="Cycles in which neurons keep one drive, that of the mean input in as many; "
            "above 1 in the surrogate alone.",
        ),
        engine_option,
        click.option("--tile", default="128x128", show_default=True, help="Rows x columns."),
        click.option(
            "--wire-resistance", type=float, help="Ohm per cell, instead of the parameter set's."
        ),
        click.option(
            "--flaws", is_flag=True, help="Every non-ideality of cells and neurons at once."
        ),
        set_option,
        click.option("--seed", default=0, show_default=True, help="Seed of every draw."),
        click.option("--data", help=DATA_HELP),
    ]

    def decorate(command: CommandT) -> CommandT:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def check_out(out: Path | None, *, parents: bool, resume: bool) -> None:
    """Refuse a run file that could not be written, before the work.

    Raises
    ------
    ConfigError
        See `memspice.outputs.check_file`; or if there is nothing to resume from.
    StoreError
        If the system does not let a file be made there.
    """
    if out is not None:
        check_file(out, parents=parents)
    elif resume:
        raise ConfigError("--resume needs --out: the run to go on with")


def take_setup(options: dict[str, Any]) -> Setup:
    """Setup from the values of :func:`setup_options`."""
    changes = parse_changes(options["changes"])
    if options.pop("flaws"):
        changes = {**FLAWS, **changes}
    return Setup(**{**options, "tile": parse_tile(options["tile"]), "changes": changes})


def parse_tile(text: str) -> tuple[int, int]:
    """Rows and columns of ``ROWSxCOLS``."""
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match:
        raise ConfigError(f"--tile {text!r} must be ROWSxCOLS, for example 128x128")
    return int(match[1]), int(match[2])


def parse_changes(texts: Iterable[str]) -> dict[str, float | str]:
    """Changes of a parameter set from ``TABLE.NAME=VALUE``.

    Raises
    ------
    ConfigError
        If a text is of another form, or two are about the same value.
    """
    changes: dict[str, float | str] = {}
    for text in texts:
        match = re.fullmatch(r"\s*([^\s=]+)\s*=\s*(\S+)\s*", text)
        if not match:
            raise ConfigError(
                f"--set {text!r} must be TABLE.NAME=VALUE, for example synapse.variation=0.1"
            )
        if match[1] in changes:
            raise ConfigError(f"--set {match[1]} is given twice: leave one out")
        changes[match[1]] = _number_or_word(match[2])
    return changes


def _number_or_word(text: str) -> float | str:
    """A whole number stays one: some quantities are counts; a word names a kind."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def note_lines(content: Mapping[str, Any]) -> list[str]:
    """Lines of a result's text that say where it is less than what was asked for."""
    return [
        textwrap.fill(note, 80, initial_indent="  note         ", subsequent_indent=15 * " ")
        for note in content.get("notes", ())
    ]


def in_cycles(content: Mapping[str, Any]) -> str:
    """Cycles of a result in words, and its bursts where it has any."""
    bursts = f" in bursts of {content['burst']}" if content["burst"] > 1 else ""
    return f"{content['cycles']} cycles{bursts}"


def energy_line(content: Mapping[str, Any]) -> str:
    """A result's total in words: joules, how much of them is assumed, what device they are of."""
    total = format_si(content["energy_total_joule"], "J")
    assumed, source = content["assumed_fraction"], content["device_source"]
    return f"{total}, {assumed:.0%} of it assumed; {source} device"


def stages(bar: Any) -> Callable[[str, int, int], None]:
    """Progress callback that names the stage on a bar, which starts anew with each."""

    def show(stage: str, done: int, total: int) -> None:
        if bar.disable:  # as by TQDM_DISABLE; it then lacks most of what a bar has
            return
        if stage != bar.desc.removesuffix(": "):
            # Not bar.reset(): that draws at once, and a short stage needs no bar.
            bar.n = bar.last_print_n = 0
            bar.start_t = bar.last_print_t = time.time()
            bar.set_description(stage, refresh=False)
        bar.total = total
        bar.update(done - bar.n)

    return show


def counter(bar: Any) -> Callable[[int, int], None]:
    """Progress callback that moves a bar to ``done`` of ``total``."""

    def show(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return show
