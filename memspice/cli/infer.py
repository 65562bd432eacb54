"""``memspice infer``: accuracy of the spiking network and of its ANN."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import memspice as ms
from memspice.cli.bar import progress_bar
from memspice.cli.execution import execution_options, take_execution
from memspice.cli.options import check_out, chip_options, run_file_options, stages, take_chip
from memspice.cli.output import command_line, report_result


@click.command("infer")
@chip_options(images=100, cycles=32)
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
@execution_options
@run_file_options
def infer_command(
    fidelity: str,
    chips: int,
    engine: str,
    out: Path | None,
    parents: bool,
    resume: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Classify images: spiking network beside ANN."""
    if chips > 1 and fidelity != "surrogate":
        raise ms.errors.ConfigError(
            f"--chips {chips} is for --fidelity surrogate: in {fidelity} run one chip after the "
            "other, each with its --seed"
        )
    check_out(out, parents=parents, resume=resume)
    execution = take_execution(options)
    chip, run = take_chip(options, cache=execution.cache)
    run |= {"out": out, "resume": resume, "command": command_line()}
    with progress_bar(desc="infer", unit="step") as bar:
        run |= {"execution": execution, "progress": stages(bar)}
        result: ms.results.RunResult
        if chips > 1:
            result = ms.Chips(chip, chips).run(**run)
        elif fidelity == "surrogate":
            result = chip.run(**run)
        else:
            result = chip.simulate(**run, fidelity=fidelity, engine=engine)
    report_result(result, as_json=as_json)
