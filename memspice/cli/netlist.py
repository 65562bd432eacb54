"""``memspice netlist``: readable example netlists of every circuit."""

from __future__ import annotations

from pathlib import Path

import click

from memspice import verification
from memspice.cli.options import ENGINE_NAMES, parents_option
from memspice.cli.output import emit_list
from memspice.outputs import check_file, make_folder, write_text


@click.command("netlist")
@click.argument(
    "name",
    required=False,
    metavar="[NAME]",
    type=click.Choice(sorted(verification.EXAMPLES)),
)
@click.option(
    "--engine",
    type=click.Choice(sorted(ENGINE_NAMES)),
    default="ngspice",
    show_default=True,
    help="Dialect; no engine is needed.",
)
@click.option("--golden", type=click.Path(path_type=Path), help="Write all examples to a folder.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@parents_option
def netlist_command(
    name: str | None, engine: str, golden: Path | None, out: Path | None, parents: bool
) -> None:
    """Write the example netlist NAME, or list the names."""
    if golden and (name or out or engine != "ngspice"):
        raise click.UsageError(
            "--golden writes all examples for ngspice: it takes neither NAME nor --out nor --engine"
        )
    if out and name is None:
        raise click.UsageError("--out needs the NAME of the example to write")
    if golden:
        make_folder(golden, parents=parents)
        paths = verification.write_golden(golden)
        emit_list("\n".join(map(str, paths)))
        return
    if name is None:
        examples = verification.EXAMPLES
        emit_list("\n".join(f"{key:28} {examples[key]().title}" for key in sorted(examples)))
        return
    text = verification.example_text(name, engine)
    if out:
        check_file(out, parents=parents)
        write_text(out, text)
    else:
        emit_list(text.removesuffix("\n"))
