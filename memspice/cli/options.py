"""Options and habits that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

import click

import memspice as ms
from memspice.outputs import number_or_word, parse_tile

#: Values of ``--engine``, as `memspice.engines.ENGINES` has them: without its imports.
ENGINE_NAMES = ("ngspice", "vacask")
#: Values of ``--periphery``, as `memspice.parameters.peripheries.PERIPHERIES` has them.
PERIPHERY_NAMES = ("behavioural", "freepdk45")
#: Most images of a run.
MOST_IMAGES = 10_000_000
#: Options of `chip_options` that make the chip and choose its images.
_CHIP = (
    "network", "device", "periphery", "images", "tile", "wire_resistance", "flaws", "changes",
    "seed", "data",
)  # fmt: skip

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

#: ``--where`` and ``--trials``, for every command that takes measured points.
where_option = click.option(
    "--where",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Only points with this value of a further column; may be repeated.",
)
trials_option = click.option(
    "--trials", type=click.IntRange(min=1), help="Pulses a point, where no column has them."
)

#: ``--parents``, for every command that writes.
parents_option = click.option(
    "--parents", is_flag=True, help="Make the missing folders above what is written."
)

#: ``--engine``, for every command that runs decks on one engine.
engine_option = click.option(
    "--engine",
    type=click.Choice(ENGINE_NAMES),
    default="ngspice",
    show_default=True,
    help="Circuit simulator.",
)


#: ``--periphery``, for every command that takes a device with what is around it.
periphery_option = click.option(
    "--periphery",
    type=click.Choice(PERIPHERY_NAMES),
    help="What stands around the array: models, fast and with assumed joules, or circuits of 45 nm "
    "transistors.  [default: what the device names: freepdk45 for fast-memristor]",
)


def options_of(*options: Callable[[CommandT], CommandT]) -> Callable[[CommandT], CommandT]:
    """Put options on a command, in the order in which its help lists them."""

    def decorate(command: CommandT) -> CommandT:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


#: ``--json``, for every command with a result.
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def chip_options(*, images: int, network: str = "digits-mlp") -> Callable[[CommandT], CommandT]:
    """Options of network, device and images, with a command's own defaults; see `take_chip`."""
    return options_of(
        click.option(
            "--network",
            default=network,
            show_default=True,
            help="digits-mlp, cifar10-skip (in bursts of 8), cifar10-cnn, cifar10-cnn-wide, or "
            "the path of a .h5 or .nir file.",
        ),
        click.option(
            "--device",
            default="fast-memristor",
            show_default=True,
            help="ag-asi, fast-memristor (a what-if), sot-mtj, sot-mtj-measured, or the path of a "
            ".toml file.",
        ),
        periphery_option,
        click.option("--images", default=images, show_default=True, help="Test images."),
        click.option("--cycles", default=8, show_default=True, help="Cycles per image."),
        click.option(
            "--burst",
            type=int,
            help="Cycles in which neurons keep one drive, that of the mean input in as many.  "
            "[default: 1 on models, 8 on transistors where the cycles are whole bursts]",
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
    )


def take_chip(
    values: dict[str, Any], options: ms.RunOptions
) -> tuple[ms.Chip, dict[str, Any], ms.RunOptions]:
    """Chip from the values of `chip_options`, what its runs take of them, and how they are run."""
    taken = {name: values.pop(name) for name in _CHIP}
    images, size = taken["images"], {name: values.pop(name) for name in ("cycles", "burst")}
    ms.Chip.check_size(size["cycles"], 1 if size["burst"] is None else size["burst"])
    if not 1 <= images <= MOST_IMAGES:
        bound = "at least 1" if images < 1 else f"at most {MOST_IMAGES:,}"
        raise ms.errors.ConfigError(f"images = {images} must be {bound}")
    chip = ms.Chip(
        taken["network"],
        _device(taken),
        tile=parse_tile(taken["tile"]),
        seed=taken["seed"],
        training=taken["data"],
        cache=options.execution.cache,
    )
    data = chip.images("test", images, taken["data"])
    if len(data) < images:
        note = f"{images} images asked for, the data set has {len(data)}"
        options = replace(options, notes=(*options.notes, note))
    return chip, {"images": data, **size}, options


def _device(taken: dict[str, Any]) -> ms.Device:
    device = ms.load_device(taken["device"], taken["periphery"])
    if taken["flaws"]:
        device = device.with_flaws()
    changes: dict[str, Any] = parse_changes(taken["changes"])
    if taken["wire_resistance"] is not None:
        changes["wire_resistance"] = taken["wire_resistance"]
    return device.change(**changes)


def parse_where(texts: tuple[str, ...]) -> dict[str, str]:
    """Values of further columns from ``COLUMN=VALUE``.

    Raises
    ------
    ConfigError
        If a text is of another form.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name.strip() and equals):
            raise ms.errors.ConfigError(
                f"--where {text!r} must be COLUMN=VALUE, for example device=B"
            )
        found[name.strip()] = value.strip()
    return found


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
            raise ms.errors.ConfigError(
                f"--set {text!r} must be TABLE.NAME=VALUE, for example synapse.variation=0.1"
            )
        if match[1] in changes:
            raise ms.errors.ConfigError(f"--set {match[1]} is given twice: leave one out")
        changes[match[1]] = number_or_word(match[2])
    return changes
