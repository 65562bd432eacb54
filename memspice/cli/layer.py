"""``memspice simulate-layer``: one layer through SPICE, or in closed form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from memspice.cli.bar import progress_bar
from memspice.cli.execution import execution_options, take_execution
from memspice.cli.options import check_out, chip_options, run_file_options, stages, take_chip
from memspice.cli.output import command_line, report_result


@click.command("simulate-layer")
@click.argument("layer", required=False)
@chip_options(images=1, cycles=8, network="digits-mlp")
@click.option("--positions", default=1, show_default=True, help="Positions of each image.")
@click.option(
    "--fidelity",
    type=click.Choice(["full", "reduced", "surrogate"]),
    default="reduced",
    show_default=True,
    help="What SPICE sees: every cell, the exact port matrix, or nothing.",
)
@execution_options
@run_file_options
def simulate_layer_command(
    layer: str | None,
    out: Path | None,
    parents: bool,
    resume: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Simulate windows of one LAYER.

    LAYER is a name such as conv1 or dense7, by default the first. A window is all neurons of the
    layer at one position of one image, through some cycles.
    """
    check_out(out, parents=parents, resume=resume)
    execution = take_execution(options)
    chip, run = take_chip(options, cache=execution.cache)
    simulated = chip[layer] if layer else next(iter(chip))
    with progress_bar(desc="windows") as bar:
        result = simulated.simulate(
            **run,
            **options,  # positions, fidelity, engine
            execution=execution,
            out=out,
            resume=resume,
            command=command_line(),
            progress=stages(bar),
        )
    report_result(result, as_json=as_json)
