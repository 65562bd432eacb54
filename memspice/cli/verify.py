"""``memspice verify``: the same decks on every engine, and a table of who differs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from memspice import verification
from memspice.cli.bar import shown_progress
from memspice.cli.options import ENGINE_NAMES, json_option
from memspice.cli.output import first_problem, report
from memspice.errors import ConfigError
from memspice.inputs import read_input
from memspice.outputs import check_file, write_text

_BEGIN, _END = "<!-- verify -->", "<!-- /verify -->"


@click.command("verify")
@click.option(
    "--engine",
    "names",
    multiple=True,
    type=click.Choice(sorted(ENGINE_NAMES)),
    help="Only this engine; may be repeated.  [default: all that are found]",
)
@click.option(
    "--device", help="Parameter set, or the path of its .toml: run this device alone, at steps."
)
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="Page to update.")
@json_option
def verify_command(
    names: Sequence[str], device: str | None, page: Path | None, as_json: bool
) -> None:
    """Run the same decks on every engine and compare.

    From an RC step to a whole layer: charge and energy of every port and the course of every state
    within 0.5 %, spikes one by one, hazard integrals within 1 %. The Verilog-A and behavioural form
    of each model must also have the same terminals, parameters and defaults.

    With --device, the neuron of a parameter set, such as a circuit of your own, goes through write,
    read and reset with longest steps of 1 to 8 times: hazard, energy and spikes must be the same.
    """
    if device:
        _verify_device(device, names, page, as_json=as_json)
        return
    if page:
        check_file(page)
    before, after = _around_table(page) if page else ("", "")
    with shown_progress(desc="verify") as progress:
        found = verification.verify_engines(names, progress=progress)
    problem = first_problem(found.check)
    if page and not problem:
        block = before + table_block(found.text()) + after
        problem = first_problem(partial(write_text, page, block))
    report(found.as_json(), found.text, as_json=as_json, problem=problem)


def _verify_device(device: str, names: Sequence[str], page: Path | None, *, as_json: bool) -> None:
    if page:
        raise ConfigError("--page is for the decks of all engines: leave it out, or --device")
    with shown_progress(desc="verify") as progress:
        found = verification.verify_device(device, names, progress=progress)
    report(found.as_json(), found.text, as_json=as_json, problem=first_problem(found.check))


def _around_table(page: Path) -> tuple[str, str]:
    """Text of a page before and behind its table; without both marks there is no place for one."""
    try:
        text = read_input(page, 1 << 26, ConfigError).decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{page} is not in UTF-8 ({error}); name a page") from error
    if text.count(_BEGIN) != 1 or text.count(_END) != 1 or text.index(_BEGIN) > text.index(_END):
        raise ConfigError(f"{page} needs one {_BEGIN} and behind it one {_END} for the table")
    return text[: text.index(_BEGIN)], text[text.index(_END) + len(_END) :]


def table_block(table: str) -> str:
    """Table as it stands in a page, between its marks."""
    indented = "\n".join(f"    {line}".rstrip() for line in table.splitlines())
    return f"{_BEGIN}\n\n{indented}\n\n{_END}"
