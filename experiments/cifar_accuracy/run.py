"""Accuracy of the CIFAR-10 network: ANN with the device's activation, and SNN against cycles.

Claim: the spiking network on crossbars, with wires, drivers, limited levels and spread, loses about
one point against its ANN (Wijesinghe et al., arXiv 1712.01472, abstract).

    .venv/bin/python experiments/cifar_accuracy/run.py --data DIR

writes ``result.json`` beside this file; DIR is the folder of the official binary files.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
from tqdm import tqdm

from memspice.cli_options import counter
from memspice.experiment.infer import infer
from memspice.experiment.setup import Setup

HERE = Path(__file__).resolve().parent
CYCLES = (1, 4, 16)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the CIFAR-10 binaries.")
@click.option("--images", default=10_000, show_default=True)
def main(data: Path | None, images: int) -> None:
    """Run the experiment and write its result."""
    results = []
    for cycles in CYCLES:
        with tqdm(desc=f"T = {cycles}", unit="image") as bar:
            setup = Setup(images=images, cycles=cycles, data=data)
            result = infer(setup, progress=counter(bar))
        result["dataset"].pop("source")
        results.append(result)
        click.echo(f"T = {cycles}: {result['ann_accuracy']} {result['snn_accuracy']}")
    text = json.dumps(results, indent=1, allow_nan=False)
    (HERE / "result.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
