"""``memspice sweep``: one experiment at many points, into one table."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

import memspice as ms
from memspice.cli.bar import shown_progress
from memspice.cli.execution import run_options
from memspice.cli.options import chip_options, parse_changes
from memspice.cli.output import report_result
from memspice.errors import ConfigError
from memspice.outputs import check_file, number_or_word

#: Images of a network, where nobody says how many; of a layer one.
NETWORK_IMAGES = 100
#: ``1..9``: whole numbers; ``0.1..0.5/5``: so many evenly; ``1..100/3log``: in equal ratios.
_RANGE = re.compile(r"([^.,/\s]\S*?)\.\.([^/\s]+?)(?:/(\d+)(log)?)?")
#: Most values of a range.
_MOST = 100_000

Value = float | str


@click.command("sweep")
@click.argument("layer", required=False)
@click.option(
    "--vary",
    multiple=True,
    metavar="NAME=VALUES",
    help="Values of an option (seed, tile, fidelity ...) or of the device (TABLE.NAME): 1,2,5 or "
    "0..19, five from 0.1 to 0.5 as 0.1..0.5/5, three in equal ratios as 1..100/3log. May be "
    "repeated: every combination is a point.",
)
@click.option(
    "--points",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Points one by one instead: a CSV file, a column for each name.",
)
@chip_options(images=1)
@click.option("--positions", default=1, show_default=True, help="Positions of each image.")
@click.option(
    "--fidelity",
    type=click.Choice(["full", "reduced", "surrogate"]),
    help="What SPICE sees.  [default: reduced with LAYER, else surrogate]",
)
@click.option(
    "--csv",
    "table",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file of all points.",
)
@click.option(
    "--figure",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Figure of one measure (.png, .svg, .pdf): a line, or a map over two values.",
)
@click.option("--measure", help="Which one; by default accuracy, or spikes unlike the ideal array.")
@run_options
@click.pass_context
def sweep_command(
    context: click.Context,
    /,
    layer: str | None,
    vary: tuple[str, ...],
    points: Path | None,
    table: Path | None,
    figure: Path | None,
    measure: str | None,
    options: ms.RunOptions,
    as_json: bool,
    **values: Any,
) -> None:
    """Simulate LAYER, or the whole network, at every point of a grid.

    Each point gives the numbers that a command of its own would give: those of simulate-layer with
    LAYER, those of infer without, of 100 images unless --images says otherwise. One that cannot be
    simulated is a row with its reason.
    """
    if bool(vary) == (points is not None):
        raise ConfigError("give --vary NAME=VALUES, as often as you like, or --points FILE.csv")
    for file in (table, figure):
        if file is not None:
            check_file(file, parents=False)
    if layer is None and context.get_parameter_source("images") is not _GIVEN:
        values["images"] = NETWORK_IMAGES
    changes = parse_changes(values.pop("changes"))
    wire_resistance = values.pop("wire_resistance")
    if wire_resistance is not None:
        changes["wire_resistance"] = wire_resistance
    with shown_progress(desc="sweep", unit="point") as progress:
        result = ms.sweep(
            parse_vary(vary) if points is None else points,
            layer=layer,
            changes=changes,
            **values,
            options=replace(options, progress=progress),
        )
    if table is not None:
        result.to_csv(table)
    if figure is not None:
        ms.plot.save(ms.plot.sweep(result, measure), figure)
    stored = [file for file in (table, figure) if file is not None]
    report_result(
        result,
        as_json=as_json,
        text=lambda: "\n".join([repr(result), *map(str, stored)]),
        stored=stored,
    )


_GIVEN = click.core.ParameterSource.COMMANDLINE


def parse_vary(texts: tuple[str, ...]) -> dict[str, list[Value]]:
    """Values by name from ``NAME=VALUES``.

    Raises
    ------
    ConfigError
        If a text is of another form, or two are about the same name.
    """
    found: dict[str, list[Value]] = {}
    for text in texts:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not (name and equals and values):
            raise ConfigError(f"--vary {text!r} must be NAME=VALUES, for example seed=0..4")
        name = name.replace("-", "_")
        if name in found:
            raise ConfigError(f"--vary {name} is given twice: put all its values into one")
        found[name] = [value for part in values.split(",") for value in _values(text, part.strip())]
    return found


def _values(text: str, part: str) -> list[Value]:
    """Values of one part between commas: one, or a range."""
    match = _RANGE.fullmatch(part)
    if match is None:
        if not part:
            raise ConfigError(f"--vary {text!r} has an empty value between its commas")
        return [number_or_word(part)]
    first, last = number_or_word(match[1]), number_or_word(match[2])
    if isinstance(first, str) or isinstance(last, str):
        return [part]  # a path such as ../net.h5
    if match[3] is None:
        if not (isinstance(first, int) and isinstance(last, int) and 0 <= last - first < _MOST):
            raise ConfigError(
                f"--vary {text!r}: {part} must go up in whole numbers; say how many values, as in "
                f"{match[1]}..{match[2]}/5"
            )
        return list(range(first, last + 1))
    return _spaced(text, (first, last), int(match[3]), geometric=match[4] is not None)


def _spaced(text: str, ends: tuple[float, float], count: int, *, geometric: bool) -> list[Value]:
    first, last = ends
    if not 2 <= count <= _MOST or (geometric and first * last <= 0):
        raise ConfigError(
            f"--vary {text!r} needs 2 to {_MOST:,} values, and in equal ratios ends of one sign"
        )
    shares = [number / (count - 1) for number in range(count)]
    if geometric:
        return [first * (last / first) ** share for share in shares]
    return [first + (last - first) * share for share in shares]
