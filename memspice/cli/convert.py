"""``memspice convert``: a network of another framework as a memspice network file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

import memspice as ms
from memspice.cli.options import json_option, parents_option
from memspice.cli.output import report
from memspice.errors import ConfigError


@click.command("convert")
@click.argument("model", metavar="MODEL.nir", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write."
)
@parents_option
@click.option("--input-shape", help="CHANNELSxROWSxCOLUMNS, instead of the file's, such as 1x8x8.")
@click.option(
    "--neurons",
    type=click.Choice(["exact", "stochastic"]),
    default="exact",
    show_default=True,
    help="stochastic: put stochastic neurons in the place of IF, LIF and CubaLIF.",
)
@click.option("--time-step", type=float, help="Time that one cycle stands for, in the file's s.")
@click.option("--levels", default=32, show_default=True, help="Conductance levels of a cell.")
@click.option(
    "--clip-sigma", type=float, help="Clip weights beyond so many standard deviations of a layer."
)
@json_option
def convert_command(
    model: Path,
    out: Path,
    input_shape: str | None,
    neurons: Any,
    time_step: float | None,
    levels: int,
    clip_sigma: float | None,
    parents: bool,
    as_json: bool,
) -> None:
    """Make a network file of MODEL.nir, a NIR graph.

    The other commands take it with --network. Needs the extra memspice[nir].
    """
    if out.suffix != ".h5":
        raise ConfigError(f"--out {out} must end in .h5, for --network to take it")
    ms.results.Conversion.check_place(out, parents=parents)
    result = ms.convert(
        model,
        input_shape=parse_shape(input_shape) if input_shape else None,
        neurons=neurons,
        time_step=time_step,
        levels=levels,
        clip_sigma=clip_sigma,
    )
    result.save(out)
    report(
        {**result.as_json(), "out": str(out)},
        lambda: f"{result!r}\nwrote {out}",
        as_json=as_json,
        stored=[out],
    )


def parse_shape(text: str) -> tuple[int, ...]:
    """Sides of ``1x8x8``.

    Raises
    ------
    ConfigError
        If the text is none.
    """
    if not re.fullmatch(r"\d+(x\d+){0,2}", text):
        raise ConfigError(f"--input-shape {text!r} must be CHANNELSxROWSxCOLUMNS, such as 1x8x8")
    return tuple(int(side) for side in text.split("x"))
