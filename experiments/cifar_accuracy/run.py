"""Accuracy of the CIFAR-10 network on the whole test set: ANN, and SNN against cycles.

Claim: the spiking network loses "only about 1 %" against its ANN with every non-ideality of circuit
and device (Wijesinghe et al., arXiv 1712.01472, abstract).  One chip with the flaws of
``memspice.network.flaws``: how many images are right.  What that loses against the ANN, image by
image and over chips of other seeds, and how other devices and trainings fare, is the question of
``experiments/conversion``, on fewer images.

    .venv/bin/python experiments/cifar_accuracy/run.py --data DIR

writes ``result.json`` beside this file, which is what ``memspice infer --flaws --json`` prints; DIR
is the folder of the official binary files.
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
from memspice.network.flaws import FLAWS

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # experiments are scripts, not a package
from readme import images_nature, replace_block  # noqa: E402

CYCLES = 64


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the CIFAR-10 binaries.")
@click.option("--images", default=10_000, show_default=True)
def main(data: Path | None, images: int) -> None:
    """Run the experiment and write its result."""
    with tqdm(desc="accuracy", unit="step") as bar:
        setup = Setup(images=images, cycles=CYCLES, data=data, changes=FLAWS)
        result = infer(setup, progress=counter(bar))
    result["dataset"].pop("source")
    text = json.dumps(result, indent=1, allow_nan=False)
    (HERE / "result.json").write_text(text + "\n", encoding="utf-8")
    replace_block("cifar-accuracy", accuracy_table(result))


def accuracy_table(result: dict[str, Any]) -> str:
    """Accuracies with their intervals, as the README shows them."""
    ann = result["ann_accuracy"]
    rows = {"ANN, activation of the device": ann}
    rows |= {f"SNN, T = {item['cycles']}": item for item in result["snn_accuracy_by_cycles"]}
    lines = [f"{name:32}{_percent(item)}" for name, item in rows.items()]
    nature = images_nature(result["dataset"])
    lines.append(f"{ann['n']} test images, {result['device']}, every non-ideality; {nature}")
    return "\n".join(lines)


def _percent(item: dict[str, Any]) -> str:
    value, low, high = (100 * item[key] for key in ("value", "low", "high"))
    return f"{value:.2f} %  (95 %: {low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
