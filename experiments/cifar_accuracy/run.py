"""Accuracy of the CIFAR-10 network: ANN with the device's activation, and SNN against cycles.

Claim: the spiking network on crossbars, with wires, drivers, limited levels and spread, loses about
one point against its ANN (Wijesinghe et al., arXiv 1712.01472, abstract).

    .venv/bin/python experiments/cifar_accuracy/run.py --data DIR

writes ``result.json`` beside this file; DIR is the folder of the official binary files.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from memspice.cli_options import counter
from memspice.experiment.infer import infer
from memspice.experiment.setup import Setup

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # experiments are scripts, not a package
from readme import replace_block  # noqa: E402

NATURE = "official layout, pixels compressed once as JPEG"
CYCLES = (16, 4, 1)


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
    replace_block("cifar-accuracy", _table(results))


def _table(results: list[dict[str, Any]]) -> str:
    ann = results[0]["ann_accuracy"]
    lines = [f"ANN, activation of the device   {_percent(ann)}"]
    lines += [
        f"SNN on crossbars, T = {r['cycles']:<9} {_percent(r['snn_accuracy'])}" for r in results
    ]
    return "\n".join([*lines, f"{ann['n']} test images, {results[0]['device']}; {NATURE}"])


def _percent(item: dict[str, Any]) -> str:
    value, low, high = (100 * item[key] for key in ("value", "low", "high"))
    return f"{value:.2f} %  (95 %: {low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
