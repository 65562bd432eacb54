"""``memspice cosim``: network loop and SPICE together, and the report of what they found."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from memspice.circuits.energy_model import COMPONENTS
from memspice.cli_execution import execution_options, take_execution
from memspice.cli_options import (
    note_lines,
    setup_options,
    stages,
    take_setup,
)
from memspice.cli_output import command_line, emit
from memspice.experiment.agreement import check_verdict
from memspice.experiment.cosim import CosimPlan
from memspice.experiment.cosim_run import cosimulate
from memspice.experiment.run_windows import check_complete
from memspice.quantities import format_si
from memspice.report.cosim_report import write_cosim_report

#: What ``make cifar-energy`` runs; a preset is a name for these settings.
PRESETS = {"cifar-energy": CosimPlan()}


@click.command("cosim")
@setup_options(images=100, cycles=32)
@click.option(
    "--preset",
    type=click.Choice(sorted(PRESETS)),
    default="cifar-energy",
    show_default=True,
    help="How much goes through SPICE.",
)
@execution_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results/cosim"),
    show_default=True,
    help="Folder of summary, report, figures and waveforms.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def cosim_command(preset: str, out: Path, as_json: bool, **options: Any) -> None:
    """Energy of a network, calibrated by SPICE.

    The network loop runs all images; sampled windows of every layer run in SPICE; what they show is
    fitted and put back into the loop, until energy and rates move no more.
    """
    plan = CosimPlan(**{**vars(PRESETS[preset]), **take_execution(options)})
    store = out / "waveforms.h5"
    setup, command = take_setup(options), command_line()
    with tqdm(desc="cosim", delay=2.0, leave=False) as bar:
        run = cosimulate(setup, plan, store, command=command, progress=stages(bar))
    write_cosim_report(out, run, store)
    emit(json.dumps(run.summary, allow_nan=False) if as_json else cosim_text(run.summary), [out])
    click.echo(f"report: {out / 'report.html'}", err=as_json)
    check_verdict(run.summary["verdict"]["doubts"])
    check_complete(run.summary["failures"], run.state.counts["total"])


def cosim_text(content: Mapping[str, Any]) -> str:
    """Summary for a terminal of 80 columns."""
    dataset, energy = content["dataset"], content["energy_per_inference_joule"]
    low, high = (format_si(value, "J") for value in energy["ci95"])
    lines = [
        f"{content['network']} on {dataset['images']} images of {dataset['name']}, "
        f"{content['device']}, T = {content['cycles']}",
        textwrap.fill(dataset["source"], 78, initial_indent="  ", subsequent_indent="  "),
        *note_lines(content),
        f"  accuracy     ANN {_percent(content['ann_accuracy'])}",
        f"               SNN {_percent(content['snn_accuracy'])}",
        f"  energy       {format_si(energy['total'], 'J')} per inference (95 %: {low} to {high})",
    ]
    lines += [
        f"    {name:12} {format_si(energy[name], 'J'):>9}  {energy[name] / energy['total']:7.2%}"
        for name in COMPONENTS
    ]
    lines.append(f"  {'scope':16} {'memristive':>11} {'CMOS 45 nm':>11} {'ratio':>8}")
    for scope, ratio in content["ratio"].items():
        shown = f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"
        own, other = content["memristive_joule"][scope], content["cmos_baseline_joule"][scope]
        lines.append(
            f"    {scope:14} {format_si(own, 'J'):>11} {format_si(other, 'J'):>11} {shown:>7}x"
        )
    spice = content["spice"]
    lines += [
        f"  SPICE        {spice['windows']} windows ({spice['full_windows']} full), "
        f"{spice['events']} events, {spice['mismatches']} spikes differ",
        f"               worst margin {spice['worst_margin']:.2%}, energy closure "
        f"{spice['closure_max']:.1e}",
        f"  feedback     {len(content['iterations'])} rounds, "
        f"{'settled' if content['settled'] else 'NOT settled'}; {content['wall_seconds']:.0f} s",
    ]
    return "\n".join(lines)


def _percent(item: dict[str, Any]) -> str:
    return (
        f"{100 * item['value']:.1f} %  (95 %: {100 * item['low']:.1f} to "
        f"{100 * item['high']:.1f}, n = {item['n']})"
    )
