"""Energy of one inference of the CIFAR-10 network, against CMOS.

Claim: an all-memristor spiking network consumes about 6.4 times less energy than its CMOS
counterpart (Wijesinghe et al., arXiv 1712.01472, abstract; a summary of its first version: 11
times).  The paper's own neuron energies were not available to us; this experiment asks the same
question of our circuits and of published energies per CMOS operation, at three scopes.

    .venv/bin/python experiments/cifar_energy/run.py --data DIR

writes ``summary.json`` beside this file; DIR is the folder of the official binary files.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from memspice.cli.cosim import cosim_text
from memspice.experiment.cosim import CosimPlan
from memspice.experiment.cosim_run import cosimulate
from memspice.outputs import write_text
from memspice.windows.setup import Setup

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # experiments are scripts, not a package
from readme import images_nature, replace_block  # noqa: E402


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the CIFAR-10 binaries.")
@click.option("--images", default=200, show_default=True)
@click.option("--cycles", default=32, show_default=True)
def main(data: Path | None, images: int, cycles: int) -> None:
    """Run the experiment and write its summary."""
    setup = Setup(images=images, cycles=cycles, data=data)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "waveforms.h5"
        run = cosimulate(setup, CosimPlan(cache=True), store, progress=lambda *_: None)
    # Where the images came from on this machine is nobody's business.
    run.summary["dataset"].pop("source")
    text = json.dumps(run.summary, indent=1, allow_nan=False)
    write_text(HERE / "summary.json", text + "\n")
    shown = energy_text(run.summary)
    replace_block("cifar-energy", shown)
    click.echo(shown)


def energy_text(summary: dict[str, Any]) -> str:
    """Summary as ``memspice cosim`` prints it, for the README."""
    dataset = {**summary["dataset"], "source": images_nature(summary["dataset"])}
    return cosim_text({**summary, "dataset": dataset})


if __name__ == "__main__":
    main()
