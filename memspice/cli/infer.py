"""``memspice infer``: accuracy of the spiking network and of its ANN."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

import memspice as ms
from memspice.cli.bar import shown_progress
from memspice.cli.execution import run_options
from memspice.cli.options import chip_options, take_chip
from memspice.cli.output import report_result


@click.command("infer")
@chip_options(images=100, network="cifar10-skip")
@click.option(
    "--fidelity",
    type=click.Choice(["surrogate", "reduced", "full"]),
    default="surrogate",
    show_default=True,
    help="reduced and full: every spike of a dense network out of SPICE.",
)
@click.option(
    "--chips",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Chips, of the seeds from --seed on, with cells, neurons and draws of their own; mean and "
    "interval over chips and images.",
)
@run_options
def infer_command(
    fidelity: str,
    chips: int,
    engine: str,
    options: ms.RunOptions,
    as_json: bool,
    **values: Any,
) -> None:
    """Classify images: spiking network beside ANN."""
    simulated = fidelity != ms.Surrogate.name
    if chips > 1 and simulated:
        raise ms.errors.ConfigError(
            f"--chips {chips} is for --fidelity surrogate: in {fidelity} run one chip after the "
            "other, each with its --seed"
        )
    chip, run, options = take_chip(values, options)
    with shown_progress(desc="infer", unit="step") as progress:
        run["options"] = replace(options, progress=progress)
        result: ms.results.RunResult
        if simulated:
            result = chip.simulate(**run, fidelity=fidelity, engine=engine)
        else:
            result = ms.Chips(chip, chips).run(**run) if chips > 1 else chip.run(**run)
    report_result(result, as_json=as_json)
