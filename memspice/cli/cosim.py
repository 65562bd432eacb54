"""``memspice cosim``: network loop and SPICE together, and the report of what they found."""

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
    note_lines,
    parents_option,
    setup_options,
    stages,
    take_setup,
)
from memspice.cli.output import command_line, first_problem, report
from memspice.errors import MemspiceError
from memspice.experiment.cosim import CosimPlan
from memspice.experiment.cosim_run import CosimRun, cosimulate
from memspice.outputs import building
from memspice.quantities import format_si
from memspice.report.cosim_report import COSIM_FILES, STORE, write_cosim_report
from memspice.windows.agreement import check_verdict
from memspice.windows.run_windows import check_complete

#: What ``make cifar-energy`` runs; a preset is a name for these settings.
PRESETS = {"cifar-energy": CosimPlan()}
#: Where the result goes if nobody says.
DEFAULT = Path("results/cosim")


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
    show_default=str(DEFAULT),
    help="Folder of summary, report, figures and waveforms; built beside an earlier result.",
)
@parents_option
@click.option("--resume", is_flag=True, help="Go on with a run into --out that was stopped.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def cosim_command(
    preset: str, out: Path | None, parents: bool, resume: bool, as_json: bool, **options: Any
) -> None:
    """Energy of a network, calibrated by SPICE.

    The network loop runs all images; sampled windows of every layer run in SPICE; what they show is
    fitted and put back into the loop, until energy and rates move no more.
    """
    plan = CosimPlan(**{**vars(PRESETS[preset]), **take_execution(options)})
    setup, command = take_setup(options), command_line()
    parents = parents or out is None  # nobody can have misspelt the default
    with building(out or DEFAULT, COSIM_FILES, parents=parents, resume=resume) as build:
        store = build.path / STORE
        if resume:
            build.adopt(STORE)
        with progress_bar(desc="cosim") as bar:
            run = cosimulate(
                setup, plan, store, command=command, resume=resume, progress=stages(bar)
            )
        write_cosim_report(build.path, run, store)
        problem = _problem(run)
        place = build.place(whole=problem is None)
    if problem and place != build.target:
        problem.add_note(f"{build.target} is still the earlier result; this one is in {place}")
    page = f"report: {place / 'report.html'}"
    if as_json:
        click.echo(page, err=True)
    report(
        run.summary,
        lambda: f"{cosim_text(run.summary)}\n{page}",
        as_json=as_json,
        stored=[place],
        problem=problem,
    )


def _problem(run: CosimRun) -> MemspiceError | None:
    """What makes the result less than it should be."""
    return first_problem(
        partial(check_verdict, run.summary["verdict"]["doubts"]),
        partial(check_complete, run.summary["failures"], run.state.counts["total"]),
    )


def cosim_text(content: Mapping[str, Any]) -> str:
    """Summary for a terminal of 80 columns."""
    dataset, spice = content["dataset"], content["spice"]
    lines = [
        f"{content['network']} on {dataset['images']} images of {dataset['name']}, "
        f"{content['device']}, T = {content['cycles']}",
        textwrap.fill(dataset["source"], 78, initial_indent="  ", subsequent_indent="  "),
        *note_lines(content),
        f"  accuracy     ANN {_percent(content['ann_accuracy'])}",
        f"               SNN {_percent(content['snn_accuracy'])}",
        f"               SNN: network loop {_calibrated(content)}",
        *_energy_lines(content),
        *_against_lines(content),
        f"  SPICE        {spice['windows']} windows ({spice['full_windows']} full), "
        f"{spice['events']} events, {spice['mismatches']} spikes differ",
        f"               worst margin {spice['worst_margin']:.2%}, energy closure "
        f"{spice['closure_max']:.1e}",
        f"  feedback     {len(content['iterations'])} rounds, "
        f"{'settled' if content['settled'] else 'NOT settled'}; {content['wall_seconds']:.0f} s",
    ]
    return "\n".join(lines)


def _calibrated(content: Mapping[str, Any]) -> str:
    """What SPICE did for the network loop: nothing where the verdict on it does not hold."""
    if content["verdict"]["holds"]:
        return f"calibrated by {content['spice']['windows']} windows of SPICE"
    return "not calibrated: SPICE is not to be relied on"


def _energy_lines(content: Mapping[str, Any]) -> list[str]:
    """Total with its two ranges and what it rests on, then the components."""
    total, energy = content["energy_total_joule"], content["energy_per_inference_joule"]
    split = content["sense_split_joule"]
    value, low, high, model_low, model_high = (
        format_si(total[name], "J") for name in ("value", "low", "high", "model_low", "model_high")
    )
    lines = [
        f"  energy       {value} per inference, {content['assumed_fraction']:.0%} of it assumed; "
        f"{content['device_source']} device",
        f"               sampling only: {low} to {high} (95 %)",
        f"               model, one assumption changed: {model_low} to {model_high}",
    ]
    lines += [
        f"    {name:12} {format_si(joule, 'J'):>9}  {joule / total['value']:7.2%}"
        for name, joule in energy.items()
    ]
    quiescent, bit_lines = (format_si(split[name], "J") for name in ("quiescent", "bit_lines"))
    lines.append(f"    of sense, {quiescent} quiescent and {bit_lines} for bit-line currents")
    return lines


def _against_lines(content: Mapping[str, Any]) -> list[str]:
    """Ratios of energy, each with scope, opponent, sensitivity and what is assumed."""
    lines = [
        "  against CMOS, 45 nm: its energy over ours, above 1 we take less",
        "  range: one assumption changed; assumed: share of our joules / of theirs",
        f"    {'scope and opponent':26} {'ours':>7} {'CMOS':>7} {'ratio':>7}  {'range':15} assumed",
    ]
    for scope, ratios in content["ratio"].items():
        lines.append(f"    {scope.replace('_', ' + ')}")
        own = format_si(content["memristive_joule"][scope], "J")
        for name, item in ratios.items():
            other = format_si(content["cmos_baseline_joule"][scope][name], "J")
            shares = f"{item['assumed_fraction']:.0%}/{item['opponent_assumed_fraction']:.0%}"
            ends = [_short(item["sensitivity"][end]["value"]) for end in ("low", "high")]
            lines.append(
                f"      {content['opponents'][name]:24} {own:>7} {other:>7} "
                f"{_times(item['value']):>6}x  {' to '.join(ends):15} {shares}"
            )
    cases = [item["value"] for ratios in content["ratio"].values() for item in ratios.values()]
    verdict = (
        f"  CMOS takes less in {sum(ratio < 1 for ratio in cases)} of these {len(cases)} cases"
    )
    if content["ann_accuracy"]:
        ann, snn = (100 * content[name]["value"] for name in ("ann_accuracy", "snn_accuracy"))
        verdict += f"; right are: ANN {ann:.1f} %, spikes {snn:.1f} %"
    return [*lines, verdict]


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= 0.1 else _short(ratio)


def _short(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio >= 0.01 else f"{ratio:.0e}"


def _percent(item: dict[str, Any] | None) -> str:
    if item is None:
        return "none: the images have no labels"
    return (
        f"{100 * item['value']:.1f} %  (95 %: {100 * item['low']:.1f} to "
        f"{100 * item['high']:.1f}, n = {item['n']})"
    )
