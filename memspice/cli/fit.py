"""``memspice fit``: laws fitted to measured points, and a parameter set of the device."""

from __future__ import annotations

import re
import tempfile
import textwrap
from functools import partial
from pathlib import Path

import click

from memspice.analysis.fitting import FittedLaw, FittedValue
from memspice.analysis.points_file import PointsFile, read_points
from memspice.analysis.transfer import drive_voltages
from memspice.cli.bar import shown_progress
from memspice.cli.options import (
    json_option,
    parents_option,
    parse_changes,
    set_option,
)
from memspice.cli.output import report
from memspice.errors import ConfigError, DataError
from memspice.experiment.fit import CRITERION, PointsFit, fit, fitted_set
from memspice.outputs import check_file, write_text
from memspice.parameters import PARAMETER_SETS, load_parameter_set
from memspice.plot.fit_plot import draw_fit
from memspice.plot.style import save
from memspice.quantities import format_si

where_option = click.option(
    "--where",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Only points with this value of a further column; may be repeated.",
)
trials_option = click.option(
    "--trials", type=click.IntRange(min=1), help="Pulses a point, where no column has them."
)


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
    default=PARAMETER_SETS[0],
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
    file = read_points(points, parse_where(where), trials)
    with shown_progress(desc="fit", unit="law") as progress:
        found = fit(file, repeats=repeats, seed=seed, progress=partial(progress, "laws"))
    if out is not None:
        _write_set(found, out, base, values, force=law == "exponential")
    if figure is not None:
        save(draw_fit(found), figure)
    stored = [path for path in (out, figure) if path is not None]
    report(
        {**found.as_json(), "out": [str(path) for path in stored]},
        partial(_text, found, stored),
        as_json=as_json,
        stored=stored,
    )


def parse_where(texts: tuple[str, ...]) -> dict[str, str]:
    """Values of further columns from ``COLUMN=VALUE``.

    Raises
    ------
    ConfigError
        If a text is of another form.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name.strip() and equals):
            raise ConfigError(f"--where {text!r} must be COLUMN=VALUE, for example device=B")
        found[name.strip()] = value.strip()
    return found


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


def _write_set(
    fit: PointsFit, out: Path, base: str, changes: dict[str, float | str], *, force: bool
) -> None:
    """Write the set once it is known to be one."""
    if fit.chosen is not fit.exponential and not force:
        raise ConfigError(
            f"the points choose the law {fit.chosen.law.name} (AICc {fit.chosen.criterion:.1f}, "
            f"against {fit.exponential.criterion:.1f} of the exponential one, p = "
            f"{fit.exponential.p_value:.2g}), and the neuron circuits have the exponential law "
            "alone: no set was written; --law exponential writes it with its verdict"
        )
    text = fitted_set(fit, base, out.stem, changes)
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder, out.name)
        write_text(trial, text)
        try:
            drive_voltages(load_parameter_set(str(trial)), 2)
        except DataError:
            raise
        except ConfigError as error:
            raise ConfigError(
                f"{error}; no set was written: give --set periphery.write_high=VOLT and whatever "
                "else the pulse needs, or another --base"
            ) from error
    write_text(out, text)


def _text(fit: PointsFit, stored: list[Path]) -> str:
    file: PointsFile = fit.file
    where = "".join(f", {name} {value}" for name, value in file.chosen.items())
    lines = [
        f"{file.path}{where}: {len(file.points)} points",
        f"  sha256 {file.sha256}",
        textwrap.fill(f"chosen: {CRITERION}", 80, initial_indent="  ", subsequent_indent="  "),
    ]
    for item in fit.laws:
        lines += _law_lines(item, chosen=item is fit.chosen)
    return "\n".join([*lines, *map(str, stored)])


def _law_lines(item: FittedLaw, *, chosen: bool) -> list[str]:
    words = [word for word, good in (("chosen", chosen), ("REJECTED", item.rejected)) if good]
    title = f"{item.law.name}{' (' + ', '.join(words) + ')' if words else ''}"
    lines = [
        "",
        f"{title}: {item.law.formula}",
        f"  misfit {item.misfit:.2f} on {item.degrees}, p = {item.p_value:.2g}, "
        f"AICc {item.criterion:.2f}",
        f"  judged by {item.judged_by}",
    ]
    return [*lines, *(_value_line(value) for value in item.values)]


def _value_line(value: FittedValue) -> str:
    unit = value.quantity.unit
    ends = ["not bounded" if e is None else _shown(e, unit) for e in (value.low, value.high)]
    name = re.sub("_", " ", value.quantity.name)
    return f"    {name:18}{_shown(value.value, unit):>12}   95 %: {ends[0]} to {ends[1]}"


def _shown(value: float, unit: str) -> str:
    return format_si(value, unit, 4)
