"""``memspice cosim``: network loop and SPICE together, and the report of what they found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import memspice as ms
from memspice.cli.bar import shown_progress
from memspice.cli.execution import execution_options, keep_options
from memspice.cli.options import chip_options, json_option, parents_option, take_chip
from memspice.cli.output import command_line, first_problem, report
from memspice.outputs import building

#: Where the result goes if nobody says.
DEFAULT = Path("results/cosim")


@click.command("cosim")
@chip_options(images=100, network="cifar10-skip")
@keep_options
@execution_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    show_default=str(DEFAULT),
    help="Folder of summary, report, figures and waveforms; built beside an earlier result.",
)
@parents_option
@click.option("--resume", is_flag=True, help="Go on with a run into --out that was stopped.")
@json_option
def cosim_command(
    engine: str,
    keep: str | tuple[int, ...],
    execution: ms.Execution,
    out: Path | None,
    parents: bool,
    resume: bool,
    as_json: bool,
    **values: Any,
) -> None:
    """Energy of a network, calibrated by SPICE.

    The network loop runs all images; sampled windows of every layer run in SPICE; what they show is
    fitted and put back into the loop, until energy and rates move no more.
    """
    parents = parents or out is None  # nobody can have misspelt the default
    files, store = ms.report.COSIM_FILES, ms.report.STORE
    with building(out or DEFAULT, files, parents=parents, resume=resume) as build:
        if resume:
            build.adopt(store)
        with shown_progress(desc="cosim") as progress:
            options = ms.RunOptions(
                execution=execution,
                out=build.path / store,
                resume=resume,
                command=command_line(),
                progress=progress,
            )
            chip, run, options = take_chip(values, options)
            result = ms.cosim(chip, **run, engine=engine, keep=keep, options=options)
        ms.report.write_cosim_report(build.path, result)
        problem = first_problem(result.check)
        place = build.place(whole=problem is None)
    if problem and place != build.target:
        problem.add_note(f"{build.target} is still the earlier result; this one is in {place}")
    page = f"report: {place / 'report.html'}"
    if as_json:
        click.echo(page, err=True)
    report(
        result.as_json(),
        lambda: f"{result!r}\n{result.against_cmos!r}\n{result.merit!r}\n{page}",
        as_json=as_json,
        stored=[place],
        problem=problem,
    )
