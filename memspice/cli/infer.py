"""``memspice infer``: accuracy of the spiking network and of its ANN."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from memspice.cli.bar import progress_bar
from memspice.cli.execution import execution_options, take_execution
from memspice.cli.options import (
    check_out,
    counter,
    energy_line,
    in_cycles,
    note_lines,
    parents_option,
    setup_options,
    take_setup,
)
from memspice.cli.output import command_line, first_problem, report
from memspice.errors import MemspiceError
from memspice.experiment.infer import infer
from memspice.jobs import Execution
from memspice.windows.agreement import check_verdict
from memspice.windows.fidelities import FIDELITIES
from memspice.windows.run_windows import check_complete


@click.command("infer")
@setup_options(images=100, cycles=32)
@click.option(
    "--fidelity",
    type=click.Choice(FIDELITIES),
    default="surrogate",
    show_default=True,
    help="reduced and full: every spike of a dense network out of SPICE.",
)
@execution_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="HDF5 run file; an earlier result there stays until the new one is complete.",
)
@parents_option
@click.option("--resume", is_flag=True, help="Go on with the run in --out instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def infer_command(
    fidelity: Any, out: Path | None, parents: bool, resume: bool, as_json: bool, **options: Any
) -> None:
    """Classify images: spiking network beside ANN."""
    execution = Execution(**take_execution(options))
    setup = take_setup(options)
    check_out(out, parents=parents, resume=resume)
    with progress_bar(desc="infer", unit="step") as bar:
        result = infer(
            setup,
            fidelity,
            execution,
            counter(bar),
            out,
            resume=resume,
            command=command_line(),
        )
    report(
        result,
        partial(infer_text, result),
        as_json=as_json,
        stored=[result["out"]],
        problem=_problem(result) if "failures" in result else None,
    )


def _problem(result: Mapping[str, Any]) -> MemspiceError | None:
    """What makes a result out of SPICE less than it should be."""
    return first_problem(
        partial(check_verdict, result["verdict"]["doubts"]),
        partial(check_complete, result["failures"], result["jobs"]["total"]),
    )


def infer_text(result: Mapping[str, Any]) -> str:
    """Result for a terminal of 80 columns."""
    dataset = result["dataset"]
    lines = [
        f"{result['network']} on {dataset['images']} images of {dataset['name']}, "
        f"{in_cycles(result)}",
        textwrap.fill(dataset["source"], 78, initial_indent="  ", subsequent_indent="  "),
        *note_lines(result),
        f"  ANN accuracy {_percent(result['ann_accuracy'])}",
        f"  SNN accuracy {_percent(result['snn_accuracy'])}",
    ]
    lines += [
        f"    after {item['cycles']:5} cycles {_percent(item)}"
        for item in result.get("snn_accuracy_by_cycles", ())[:-1]
    ]
    for name, rate in result["spike_rate"].items():
        lines.append(f"  {name}: {rate:.4f} spikes per event")
    if "energy_joule" in result:
        lines += [
            f"  energy of {result['classified']} images: {energy_line(result)}",
            f"  closure {result['energy_closure']:.1e}, {result['mismatches']} of "
            f"{result['events']} spikes differ from the closed form",
        ]
    stored = [f"  stored in {result['out']}"] if result["out"] else []
    return "\n".join([*lines, f"  {result['wall_seconds']:.1f} s", *stored])


def _percent(item: Mapping[str, float] | None) -> str:
    if item is None:
        return "none: the images have no labels"
    low, high = 100 * item["low"], 100 * item["high"]
    return f"{100 * item['value']:.2f} %  (95 %: {low:.2f} to {high:.2f})"
