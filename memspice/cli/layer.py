"""``memspice simulate-layer``: one layer through SPICE, and how its result reads in a terminal."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from memspice.circuits.energy_model import COMPONENTS
from memspice.cli.bar import progress_bar
from memspice.cli.execution import execution_options, take_execution
from memspice.cli.options import (
    check_out,
    energy_line,
    in_cycles,
    note_lines,
    parents_option,
    setup_options,
    stages,
    take_setup,
)
from memspice.cli.output import command_line, first_problem, report
from memspice.experiment.simulate_layer import LayerResult, LayerRun, simulate_layer
from memspice.quantities import format_si
from memspice.windows.agreement import check_verdict
from memspice.windows.fidelities import FIDELITIES


@click.command("simulate-layer")
@click.argument("layer", required=False)
@setup_options(images=1, cycles=8, network="digits-mlp")
@click.option("--positions", default=1, show_default=True, help="Positions of each image.")
@click.option(
    "--fidelity",
    type=click.Choice(FIDELITIES),
    default="reduced",
    show_default=True,
    help="What SPICE sees: every cell, the exact port matrix, or nothing.",
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
def simulate_layer_command(
    layer: str | None,
    positions: int,
    fidelity: Any,
    out: Path | None,
    resume: bool,
    parents: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Simulate windows of one LAYER.

    LAYER is a name such as conv1 or dense7, by default the first. A window is all neurons of the
    layer at one position of one image, through some cycles.
    """
    check_out(out, parents=parents, resume=resume)
    run = LayerRun(layer, positions, fidelity, **take_execution(options))
    setup = take_setup(options)
    with progress_bar(desc="windows") as bar:
        result = simulate_layer(
            setup,
            run,
            out,
            resume=resume,
            command=command_line(),
            progress=stages(bar),
        )
    report(
        result.json,
        partial(layer_text, result),
        as_json=as_json,
        stored=[result.json["out"]],
        problem=first_problem(partial(check_verdict, result.verdict.doubts), result.check_complete),
    )


def layer_text(result: LayerResult) -> str:
    """Result for a terminal of 80 columns."""
    content, found, pathwise = result.json, result.statistics, result.verdict.pathwise
    engine = content["engine"]
    lines = [
        f"{content['network']} {content['layer']}: {content['rows']} rows, "
        f"{content['cols']} columns, {content['fidelity']} on {engine['name']} {engine['version']}",
        f"  {content['windows']} windows of {in_cycles(content)}, "
        f"{content['events']} events, {content['wall_seconds']:.1f} s",
        *note_lines(content),
    ]
    if found:
        lines += [
            f"  spikes      {found.count}, rate {found.rate:.4f}, expected "
            f"{found.expected_rate:.4f} +- {found.rate_error:.4f} ({found.deviation:+.1f} sigma)",
            f"  against surrogate: {pathwise.mismatches} spikes differ, worst margin "
            f"{pathwise.worst_margin:.2%}, hazard within "
            f"{pathwise.hazard_deviation:.2%}",
            f"  latency     {_or_none(found.latency_mean, 's')} mean, "
            f"{_or_none(found.latency_median, 's')} median; Fano factor "
            f"{_or_none(found.fano_factor, '1')}",
        ]
    if content["scores"]:
        deviation = content["scores"]["worst_deviation"]
        lines.append(f"  scores      within {deviation:.1e} of the closed form")
    energy, total = content["energy_joule"], content["energy_total_joule"]
    lines.append(f"  energy      {energy_line(content)}")
    for name in COMPONENTS:
        share = energy[name] / total
        lines.append(f"    {name:12}{format_si(energy[name], 'J'):>10}  {share:7.2%}")
    if content["energy_closure"] is not None:
        lines.append(f"  closure     {content['energy_closure']:.1e}")
    if content["out"]:
        lines.append(f"  stored in {content['out']}; look at it with: memspice waves ls")
    return "\n".join(lines)


def _or_none(value: float | None, unit: str) -> str:
    return "too few spikes" if value is None else format_si(value, unit)
