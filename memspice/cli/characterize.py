"""``memspice characterize``: the transfer curve of a neuron circuit, from SPICE."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from memspice.analysis.activation import activation_text
from memspice.analysis.transfer import READ_DISTURB_NOTE, Characterization
from memspice.cli.bar import progress_bar
from memspice.cli.execution import execution_options, take_execution
from memspice.cli.options import (
    counter,
    engine_option,
    note_lines,
    parents_option,
    parse_changes,
    set_option,
)
from memspice.cli.output import first_problem, report
from memspice.engines import find_engine
from memspice.errors import ConfigError, DataError
from memspice.experiment.characterize import characterize
from memspice.inputs import read_input
from memspice.jobs import Execution
from memspice.outputs import check_file, make_folder, write_text
from memspice.parameters import PARAMETER_SETS, ParameterSet, load_parameter_set
from memspice.parameters.file import LARGEST_FILE
from memspice.plot.style import own_style, save
from memspice.plot.transfer_plot import draw_transfer
from memspice.quantities import format_si
from memspice.windows.agreement import check_verdict

_HEADER = (
    "  drive       P       P    95 % interval    spikes /     H SPICE     energy\n"
    "    (V)  closed   SPICE                     events      / H - 1   per event"
)


@click.command("characterize")
@click.option(
    "--device",
    default="ag-asi",
    show_default=True,
    help=f"Parameter set: {', '.join(PARAMETER_SETS)}, or the path of a .toml file.",
)
@set_option
@click.option("--points", default=13, show_default=True, help="Voltages from P = 1 % to 99 %.")
@click.option("--events", default=256, show_default=True, help="Write attempts at each, or more.")
@click.option("--seed", default=0, show_default=True, help="Seed of the thresholds.")
@execution_options
@engine_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for characterize-SET.png and .json.",
)
@click.option(
    "--fit",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file for the activation that training uses, fitted to SPICE.",
)
@parents_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def characterize_command(
    device: str,
    changes: tuple[str, ...],
    points: int,
    events: int,
    seed: int,
    engine: str,
    out: Path | None,
    fit: Path | None,
    parents: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Compare P(V) of SPICE and closed form.

    Each event is a whole cycle of a neuron circuit: write, read and reset, with a random threshold
    of its own; its spike must be the one that the closed form foretells for that threshold.  All
    neurons are the median device: spreads of the parameter set change nothing here.
    """
    parameter_set = load_parameter_set(device, parse_changes(changes))
    simulator = find_engine(engine)
    if out is not None:
        make_folder(out, parents=parents)
    files = _files(parameter_set, out, fit)
    for file in files:
        check_file(file, parents=parents)  # before the work, not after it
    _check_fit(fit)
    execution = Execution(**take_execution(options))
    with progress_bar(desc="characterize", unit="deck") as bar:
        result = characterize(
            parameter_set, points, events, seed, simulator, execution, counter(bar)
        )
    if result.doubts:  # nothing is trained with what is beyond its limits
        files = [file for file in files if file != fit]
    _write(result, files, fit)
    report(
        {**result.as_json(), "out": [str(path) for path in files]},
        partial(_text, result, files),
        as_json=as_json,
        stored=files,
        problem=first_problem(partial(check_verdict, result.doubts)),
    )


def _check_fit(fit: Path | None) -> None:
    """Refuse to put a fit in the place of anything else than an earlier one."""
    if fit is None or not fit.exists() or fit.stat().st_size == 0:
        return
    try:
        tables = tomllib.loads(read_input(fit, LARGEST_FILE, DataError).decode())
    except (DataError, ValueError):
        tables = {}
    if set(tables) != {"activation"}:
        raise ConfigError(
            f"{fit} is no fit of an activation and may be somebody's only copy; not replaced: "
            "remove it or choose another name"
        )


def _files(parameter_set: ParameterSet, out: Path | None, fit: Path | None) -> list[Path]:
    """What will be written: figure, numbers and fit, as far as they are asked for."""
    stem = "characterize-" + re.sub(r"[^\w.-]+", "-", parameter_set.name)
    figures = [out / f"{stem}.png", out / f"{stem}.json"] if out else []
    return [*figures, *([fit] if fit else [])]


def _write(result: Characterization, files: Sequence[Path], fit: Path | None) -> None:
    numbers = json.dumps(result.as_json(), indent=2, allow_nan=False) + "\n"
    for file in files:
        if file == fit:
            write_text(file, activation_text(result))
        elif file.suffix == ".png":
            with own_style():
                save(draw_transfer(result), file)
        else:
            write_text(file, numbers)


def _text(result: Characterization, files: list[Path]) -> str:
    title = f"{result.parameter_set.name}: {result.parameter_set.summary}"
    lines = [textwrap.fill(title, 80), *note_lines(result.as_json()), "", _HEADER]
    for point in result.points:
        energy = sum(point.energy_joule.values())
        lines.append(
            f"{point.voltage:7.4f}  {point.expected:6.4f}  {point.spikes.value:6.4f}"
            f"  {point.spikes.low:5.3f} .. {point.spikes.high:5.3f}"
            f"  {point.count:6d} / {point.spikes.n:<6d}"
            f"{100 * (point.hazard_spice / point.hazard - 1):+7.3f} %"
            f"  {format_si(energy, 'J'):>8}{' rail' if point.rail else ''}"
        )
    return "\n".join([*lines, "", *_summary(result), *map(str, files)])


def _summary(result: Characterization) -> list[str]:
    agreement, engine = result.agreement, result.engine
    margin = f", worst margin {100 * result.worst_margin:.3f} %" if result.mismatches else ""
    return [
        f"spikes         {result.mismatches} of {result.events} differ from the closed form's"
        f"{margin}",
        f"hazard         differs by {100 * result.worst_deviation:.3f} % at most between the rails",
        f"counts         chi-square {agreement.chi_square:.1f} on {agreement.degrees} points, "
        f"p = {agreement.p_value:.2f}; worst |z| = {agreement.worst_z:.1f}",
        f"energy         of a neuron, {result.assumed_fraction:.0%} of it assumed; "
        f"{result.parameter_set.device_source} device",
        f"read disturb   {result.read_disturb:.2g} a read, {READ_DISTURB_NOTE}",
        f"engine         {engine.name} {engine.version}, {result.wall_seconds:.1f} s, "
        f"seed {result.seed}",
    ]
