"""``memspice fit``: laws fitted to measured points, and a parameter set of the device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import memspice as ms
from memspice.cli.bar import shown_progress
from memspice.cli.options import (
    json_option,
    parents_option,
    parse_changes,
    parse_where,
    set_option,
    trials_option,
    where_option,
)
from memspice.cli.output import report
from memspice.errors import ConfigError
from memspice.outputs import check_file


@click.command("fit")
@click.argument("points", type=click.Path(path_type=Path))
@where_option
@trials_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Parameter set (.toml) with the measured law; never in the place of another file.",
)
@click.option(
    "--base",
    default="ag-asi",
    show_default=True,
    help="Set whose resistances, times and supplies the new one takes.",
)
@set_option
@click.option(
    "--law",
    type=click.Choice(["chosen", "exponential"]),
    default="chosen",
    show_default=True,
    help="exponential: write that law also where the points choose another.",
)
@click.option(
    "--figure", type=click.Path(path_type=Path, dir_okay=False), help="PNG of points and laws."
)
@click.option(
    "--repeats", default=499, show_default=True, help="Sets of points drawn to judge a law."
)
@click.option("--seed", default=0, show_default=True, help="Seed of these draws.")
@parents_option
@json_option
def fit_command(
    points: Path,
    where: tuple[str, ...],
    trials: int | None,
    out: Path | None,
    base: str,
    changes: tuple[str, ...],
    law: str,
    figure: Path | None,
    repeats: int,
    seed: int,
    parents: bool,
    as_json: bool,
) -> None:
    """Fit laws of switching to POINTS, a CSV file.

    Columns: voltage and pulse_width with switched and trials, or with probability and trials; or
    voltage with switching_time. In volts and seconds.
    """
    values = parse_changes(changes)
    if out is None and (values or law != "chosen"):
        raise ConfigError("--set and --law are of the set that --out names: give it")
    _check_places(out, figure, parents=parents)
    chosen: dict[str, Any] = {"where": parse_where(where), "trials": trials}
    with shown_progress(desc="fit", unit="law") as progress:
        found = ms.fit(points, **chosen, repeats=repeats, seed=seed, progress=progress)
    if out is not None:
        found.save_device(out, base=base, changes=values, any_law=law == "exponential")
    if figure is not None:
        ms.plot.save(ms.plot.fit(found), figure)
    stored = [path for path in (out, figure) if path is not None]
    report(
        {**found.as_json(), "out": [str(path) for path in stored]},
        lambda: "\n".join([found.text(), *map(str, stored)]),
        as_json=as_json,
        stored=stored,
    )


def _check_places(out: Path | None, figure: Path | None, *, parents: bool) -> None:
    """Refuse places that could not be written, before the work."""
    if out is not None:
        if out.suffix != ".toml":
            raise ConfigError(f"--out {out} must end in .toml: that is how sets are named")
        check_file(out, parents=parents)
        if out.exists() and out.stat().st_size:
            raise ConfigError(f"{out} is there: remove it or choose another name")
    if figure is not None:
        if figure.suffix != ".png":
            raise ConfigError(f"--figure {figure} must end in .png")
        check_file(figure, parents=parents)
