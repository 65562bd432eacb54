"""Accuracy of the CIFAR-10 networks on the whole test set: ANN, and SNN against cycles.

Claim: the spiking network loses "only about 1 %" against its ANN with every non-ideality of circuit
and device (Wijesinghe et al., arXiv 1712.01472, abstract).  One chip with the flaws of
``Device.with_flaws``: how many images are right.  What that loses against the ANN, image by
image and over chips of other seeds, and how other devices and trainings fare, is the question of
``experiments/conversion``, on fewer images.

    .venv/bin/python experiments/cifar_accuracy/run.py --data DIR

writes ``NETWORK.json`` of each network beside this file, which is what ``memspice infer --network
NETWORK --flaws --json`` prints; DIR is the folder of the official binary files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

import memspice as ms

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # experiments are scripts, not a package
from readme import images_nature, replace_block  # noqa: E402

NETWORKS = ("cifar10-cnn", "cifar10-cnn-wide")
CYCLES = 64


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the CIFAR-10 binaries.")
@click.option("--images", default=10_000, show_default=True)
@click.option("--network", "networks", multiple=True, default=NETWORKS, show_default=True)
def main(data: Path | None, images: int, networks: tuple[str, ...]) -> None:
    """Run the experiment and write its results."""
    for network in networks:
        chip = ms.Chip(network, ms.load_device("fast-memristor").with_flaws())
        with tqdm(desc=f"accuracy of {network}", unit="step") as bar:

            def show(_: str, done: int, total: int, bar: tqdm = bar) -> None:
                bar.total = total
                bar.update(done - bar.n)

            chosen = chip.images("test", images, data)
            run = chip.run(chosen, cycles=CYCLES, options=ms.RunOptions(progress=show))
        result = run.as_json()
        result["dataset"].pop("source")
        text = json.dumps(result, indent=1, allow_nan=False)
        (HERE / f"{network}.json").write_text(text + "\n", encoding="utf-8")
    replace_block("cifar-accuracy", accuracy_table(committed()))


def committed() -> list[dict[str, Any]]:
    """Results beside this file, in the order of the networks."""
    return [json.loads((HERE / f"{name}.json").read_text(encoding="utf-8")) for name in NETWORKS]


def accuracy_table(results: Sequence[dict[str, Any]]) -> str:
    """Accuracies with their intervals, a column each network, as the README shows them."""
    lines = [f"{'':20}" + "".join(f"{result['network']:28}" for result in results)]
    columns = [[result["ann_accuracy"], *result["snn_accuracy_by_cycles"]] for result in results]
    for row in zip(*columns, strict=True):
        (name,) = {f"SNN, T = {item['cycles']}" if "cycles" in item else "ANN" for item in row}
        lines.append(f"{name:20}" + "".join(f"{_percent(item):28}" for item in row))
    (end,) = {
        f"{result['ann_accuracy']['n']} test images, {_sourced(result['device'])}, every "
        f"non-ideality; {images_nature(result['dataset'])}"
        for result in results
    }
    return "\n".join([*(line.rstrip() for line in lines), end])


def _sourced(device: str) -> str:
    """Name of a shipped set and what it rests on."""
    return f"{device} ({ms.load_device(device).parameters.device_source})"


def _percent(item: dict[str, Any]) -> str:
    value, low, high = (100 * item[key] for key in ("value", "low", "high"))
    return f"{value:.2f} %  ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
