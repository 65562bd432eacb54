"""Energy of one inference of the CIFAR-10 network, against CMOS.

Claim: an all-memristor spiking network consumes about 6.4 times less energy than its CMOS
counterpart (Wijesinghe et al., arXiv 1712.01472, abstract; a summary of its first version: 11
times).  The paper's own neuron energies were not available to us; this experiment asks the same
question of our circuits, sense stages and neurons of 45 nm transistors, and of CMOS neurons and
additions of the same transistors beside published energies of the rest, at three scopes.

    .venv/bin/python experiments/cifar_energy/run.py --data DIR

writes ``summary.json`` beside this file; DIR is the folder of the official binary files.  With
``--again`` nothing runs: figures of merit are computed anew from the counts of that file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

import memspice as ms

HERE = Path(__file__).resolve().parent
#: As it stands in the summary: where the images lie on this machine is nobody's business.
COMMAND = ".venv/bin/python experiments/cifar_energy/run.py --data DIR"
sys.path.insert(0, str(HERE.parent))  # experiments are scripts, not a package
from energy_run import DEVICE, SIZE, energy_chip  # noqa: E402
from readme import images_nature, replace_block  # noqa: E402


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the CIFAR-10 binaries.")
@click.option("--images", default=200, show_default=True)
@click.option("--again", is_flag=True, help="Only the figures of merit, from committed counts.")
def main(data: Path | None, images: int, again: bool) -> None:
    """Run the experiment and write its summary."""
    file = HERE / "summary.json"
    summary = with_merit(json.loads(file.read_text("utf-8"))) if again else run(data, images)
    text = json.dumps(summary, indent=1, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8")
    shown = energy_text(summary)
    replace_block("cifar-energy", shown)
    click.echo(shown)


def run(data: Path | None, images: int) -> dict[str, Any]:
    """Summary of the experiment."""
    chip = energy_chip(DEVICE)
    options = ms.RunOptions(execution=ms.Execution(cache=True), command=COMMAND)
    found = ms.cosim(chip, chip.images("test", images, data), **SIZE, options=options)
    summary = found.as_json()
    # Where the images came from on this machine is nobody's business.
    summary["dataset"].pop("source")
    return summary


def with_merit(summary: dict[str, Any]) -> dict[str, Any]:
    """Summary with the figures of merit of its own counts and joules."""
    chip = energy_chip(summary["device"])
    request = chip.request(chip.images("test", 1), **SIZE)  # of any image: circuits are what counts
    found = loaded(summary).with_merit(request.mapped).as_json()
    found["dataset"].pop("source")
    return found


def loaded(summary: dict[str, Any]) -> ms.results.CosimResult:
    """Result of a summary without the place of its images."""
    dataset = {**summary["dataset"], "source": images_nature(summary["dataset"])}
    return ms.results.cosim_from_summary({**summary, "dataset": dataset})


def energy_text(summary: dict[str, Any]) -> str:
    """Summary as ``memspice cosim`` prints it, for the README."""
    result = loaded(summary)
    return f"{result!r}\n{result.against_cmos!r}\n{result.merit!r}"


if __name__ == "__main__":
    main()
