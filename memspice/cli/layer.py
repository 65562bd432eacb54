"""``memspice simulate-layer``: one layer through SPICE, or in closed form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

import memspice as ms
from memspice.cli.bar import shown_progress
from memspice.cli.estimate import tell_estimate
from memspice.cli.execution import keep_options, run_options
from memspice.cli.options import chip_options, take_chip
from memspice.cli.output import report_result


@click.command("simulate-layer")
@click.argument("layer", required=False)
@chip_options(images=1)
@click.option("--positions", default=1, show_default=True, help="Positions of each image.")
@click.option(
    "--fidelity",
    type=click.Choice(["full", "reduced", "surrogate"]),
    default="reduced",
    show_default=True,
    help="What SPICE sees: every cell, the exact port matrix, or nothing.",
)
@keep_options
@run_options
def simulate_layer_command(
    layer: str | None, options: ms.RunOptions, as_json: bool, **values: Any
) -> None:
    """Simulate windows of one LAYER.

    LAYER is a name such as conv1 or dense7, by default the first. A window is all neurons of the
    layer at one position of one image, through some cycles.
    """
    chip, run, options = take_chip(values, options)
    simulated = chip[layer] if layer else next(iter(chip))
    tell_estimate(
        chip,
        simulated.name,
        images=len(run["images"]),
        cycles=run["cycles"],
        asked=values,
    )
    with shown_progress(desc="windows") as progress:
        result = simulated.simulate(
            **run,
            **values,  # positions, fidelity, engine, keep
            options=replace(options, progress=progress),
        )
    report_result(result, as_json=as_json)
