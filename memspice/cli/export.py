"""``memspice export``: what circuits taught, as a file for other tools."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

import memspice as ms
from memspice.cli.bar import shown_progress
from memspice.cli.execution import execution_options
from memspice.cli.options import chip_options, json_option, parents_option, take_chip
from memspice.cli.output import command_line, report


@click.command("export")
@click.argument("layer", required=False)
@chip_options(images=20)
@click.option("--positions", default=1, show_default=True, help="Positions of each image.")
@click.option(
    "--fidelity",
    type=click.Choice(["full", "reduced", "surrogate"]),
    default="surrogate",
    show_default=True,
    help="Where the numbers come from: SPICE, or the closed forms that it agrees with.",
)
@click.option(
    "--to",
    "targets",
    multiple=True,
    type=click.Choice(["aihwkit", "crosssim", "neurosim"]),
    help="Input of another tool, beside the file; may be repeated.",
)
@execution_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="JSON file to write.",
)
@parents_option
@json_option
def export_command(
    layer: str | None,
    targets: tuple[str, ...],
    out: Path,
    parents: bool,
    as_json: bool,
    execution: ms.Execution,
    **values: Any,
) -> None:
    """Write what circuits taught of a network, or of one LAYER.

    Gain, offset and noise of every output against its trained weights, P(V) of the neuron, joules
    an event and the IR drop, each with unit and source, in one JSON file.
    """
    targets = tuple(dict.fromkeys(targets))
    ms.results.Export.check_place(out, targets, parents=parents)  # before the work, not after it
    options = ms.RunOptions(execution=execution, command=command_line())
    chip, run, options = take_chip(values, options)
    with shown_progress(desc="windows") as progress:
        result = ms.export(
            chip,
            run.pop("images"),
            layer=layer,
            **run,
            **values,  # positions, fidelity, engine
            options=replace(options, progress=progress),
        )
    result.save(out, targets)
    files = [str(place) for place in result.places(out, targets)]
    report(
        {**result.as_json(), "out": files},
        lambda: "\n".join([repr(result), *files]),
        as_json=as_json,
        stored=files,
    )
