"""``memspice characterize``: the transfer curve of a neuron circuit, from SPICE."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import click

import memspice as ms
from memspice.cli.bar import shown_progress
from memspice.cli.execution import execution_options
from memspice.cli.options import (
    engine_option,
    json_option,
    parents_option,
    parse_changes,
    parse_where,
    periphery_option,
    set_option,
    trials_option,
    where_option,
)
from memspice.cli.output import report_result
from memspice.outputs import check_file, make_folder, write_text


@click.command("characterize")
@click.option(
    "--device",
    default="ag-asi",
    show_default=True,
    help="Parameter set: ag-asi, fast-memristor (a what-if), sot-mtj, sot-mtj-measured, or the "
    "path of a .toml file.",
)
@periphery_option
@set_option
@click.option(
    "--points",
    default="13",
    show_default=True,
    metavar="N|FILE.csv",
    help="Voltages from P = 1 % to 99 %; or a CSV file of measured points, at which SPICE stands.",
)
@where_option
@trials_option
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
@json_option
def characterize_command(
    device: str,
    periphery: str | None,
    changes: tuple[str, ...],
    points: str,
    where: tuple[str, ...],
    trials: int | None,
    events: int,
    seed: int,
    engine: str,
    out: Path | None,
    fit: Path | None,
    parents: bool,
    as_json: bool,
    execution: ms.Execution,
) -> None:
    """Compare P(V) of SPICE and closed form.

    Each event is a whole cycle of a neuron circuit: write, read and reset, with a random threshold
    of its own; its spike must be the one that the closed form foretells for that threshold.  All
    neurons are the median device: spreads of the parameter set change nothing here.
    """
    chosen = ms.load_device(device, periphery).change(**parse_changes(changes))
    if out is not None:
        make_folder(out, parents=parents)
    files = _files(chosen.parameters.name, out, fit)
    for file in files:
        check_file(file, parents=parents)  # before the work, not after it
    if fit is not None:
        ms.results.Characterization.check_place(fit)
    with shown_progress(desc="characterize", unit="deck") as progress:
        result = ms.characterize(
            chosen,
            points=int(points) if re.fullmatch(r"[+-]?\d+", points) else points,
            where=parse_where(where),
            trials=trials,
            events=events,
            seed=seed,
            engine=engine,
            execution=execution,
            progress=progress,
        )
    if result.doubts:  # nothing is trained with what is beyond its limits
        files = [file for file in files if file != fit]
    _write(result, files, fit)
    report_result(
        result,
        as_json=as_json,
        text=lambda: "\n".join([repr(result), *map(str, files)]),
        more={"out": [str(path) for path in files]},
        stored=files,
    )


def _files(name: str, out: Path | None, fit: Path | None) -> list[Path]:
    """What will be written: figure, numbers and fit, as far as they are asked for."""
    stem = "characterize-" + re.sub(r"[^\w.-]+", "-", name)
    figures = [out / f"{stem}.png", out / f"{stem}.json"] if out else []
    return [*figures, *([fit] if fit else [])]


def _write(result: ms.results.Characterization, files: Sequence[Path], fit: Path | None) -> None:
    for file in files:
        if file == fit:
            write_text(file, result.activation_toml())
        elif file.suffix == ".png":
            ms.plot.save(ms.plot.transfer(result), file)
        else:
            write_text(file, json.dumps(result.as_json(), indent=2, allow_nan=False) + "\n")
