"""Every claim of the paper and every research question, on one page with a verdict each.

    make paper                                                        # quick, about ten minutes
    .venv/bin/python experiments/paper/run.py --full --data DIR       # hours: the committed page

runs the scripts of all questions one after the other and writes ``page.html`` and ``page.md`` from
their result files; a script that fails fails the whole.  ``--page`` runs none and only writes the
page anew.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import click
from page import write_page
from rows import QUESTIONS, Row, read_results

import memspice as ms

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.append(str(HERE.parent))  # scripts, not a package
from readme import replace_block  # noqa: E402


@click.command()
@click.option("--full", is_flag=True, help="All images and seeds; results beside the scripts.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of CIFAR-10's binaries.")
@click.option("--device", default="fast-memristor", show_default=True, help="Set or .toml file.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder, instead of results/paper.")
@click.option(
    "--resume", is_flag=True, help="Go on with scripts that were stopped, where they can."
)
@click.option("--page", is_flag=True, help="Only write the page again.")
def main(
    full: bool, data: Path | None, device: str, out: Path | None, resume: bool, page: bool
) -> None:
    """Answer all questions and write the page."""
    folder = out or ROOT / ("experiments" if full else "results/paper")
    options = ["--device", device, *["--full"] * full, *(["--data", str(data)] if data else [])]
    options += ["--resume"] * resume
    for name in () if page else QUESTIONS:
        click.echo(f"== {name}", err=True)
        run_script(name, [*options, "--out", str(folder / name)])
    target = HERE if full and out is None else folder
    try:
        found = write_page(folder, target, read_results(folder))
    except ms.errors.MemspiceError as error:
        raise click.ClickException(str(error)) from error
    table = verdict_table(found)
    if target == HERE:
        replace_block("paper", table)
    click.echo(f"{table}\npage: {target / 'page.html'}")


def verdict_table(found: Sequence[Row]) -> str:
    """Claims and verdicts for a terminal, and for the README.

    A verdict on a ratio of energies carries its reason: scope, opponent, what is assumed.
    """
    lines = []
    for row in found:
        lines.append(f"{row.verdict.word:29} {row.statement}")
        if row.script == "energy_ratio":
            lines += textwrap.wrap(
                row.verdict.reason, 96, initial_indent=30 * " ", subsequent_indent=30 * " "
            )
    return "\n".join(lines)


def run_script(name: str, options: list[str]) -> None:
    """Run the script of one question; its failure is the page's."""
    script = ROOT / "experiments" / name / "run.py"
    code = subprocess.run([sys.executable, str(script), *options], check=False).returncode
    if code:
        raise click.ClickException(f"experiments/{name}/run.py failed with exit code {code}")


if __name__ == "__main__":
    main()
