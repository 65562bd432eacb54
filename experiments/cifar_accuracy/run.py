"""Accuracy of the CIFAR-10 networks on the whole test set: ANN, and SNN against cycles.

Claim: the spiking network loses "only about 1 %" against its ANN with every non-ideality of circuit
and device (Wijesinghe et al., arXiv 1712.01472, abstract).  One chip with the flaws of
``Device.with_flaws``: how many images are right, with one drive a cycle, and in one burst of all
cycles, for which ``cifar10-skip`` was trained.  What that loses against the ANN, image by image and
over chips of other seeds, and how other devices and trainings fare, is the question of
``experiments/conversion``, on fewer images.

    .venv/bin/python experiments/cifar_accuracy/run.py --data DIR

writes a file of each run beside this one, which is what ``memspice infer --network NETWORK
--periphery behavioural --cycles T --burst K --flaws --json`` prints; DIR is the folder of the
official binary files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

import memspice as ms

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # experiments are scripts, not a package
from readme import images_nature, replace_block  # noqa: E402


@dataclass(frozen=True)
class Run:
    """A network, its cycles and how many of them are a burst."""

    network: str
    cycles: int = 64
    burst: int = 1

    @property
    def result(self) -> Path:
        """File of the result."""
        end = f"-burst-{self.burst}" if self.burst > 1 else ""
        return HERE / f"{self.network}{end}.json"


#: Runs of each column of the table.
COLUMNS = {
    "cifar10-cnn": (Run("cifar10-cnn"),),
    "cifar10-cnn-wide": (Run("cifar10-cnn-wide"),),
    "cifar10-skip, K = T": tuple(Run("cifar10-skip", 1 << n, 1 << n) for n in range(6)),
}
NETWORKS = tuple(dict.fromkeys(run.network for runs in COLUMNS.values() for run in runs))


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the CIFAR-10 binaries.")
@click.option("--images", default=10_000, show_default=True)
@click.option("--network", "networks", multiple=True, default=NETWORKS, show_default=True)
def main(data: Path | None, images: int, networks: tuple[str, ...]) -> None:
    """Run the experiment and write its results."""
    for run in (run for runs in COLUMNS.values() for run in runs if run.network in networks):
        chip = ms.Chip(
            run.network, ms.load_device("fast-memristor", "behavioural").with_flaws(), cache=True
        )
        result = measured(chip, chip.images("test", images, data), run)
        result["dataset"].pop("source")
        text = json.dumps(result, indent=1, allow_nan=False)
        run.result.write_text(text + "\n", encoding="utf-8")
    replace_block("cifar-accuracy", accuracy_table(committed()))


def measured(chip: ms.Chip, images: ms.Images, run: Run) -> dict[str, Any]:
    """Result of one run, with a bar while it lasts."""
    with tqdm(desc=f"accuracy of {run.result.stem}", unit="step") as bar:

        def show(_: str, done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        options = ms.RunOptions(progress=show)
        found = chip.run(images, cycles=run.cycles, burst=run.burst, options=options)
        return found.as_json()


def committed() -> dict[str, list[dict[str, Any]]]:
    """Results beside this file, by columns of the table."""
    return {
        head: [json.loads(run.result.read_text(encoding="utf-8")) for run in runs]
        for head, runs in COLUMNS.items()
    }


def accuracy_table(columns: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Accuracies with their intervals, by cycles, as the README shows them."""
    lines = [f"{'':14}" + "".join(f"{head:27}" for head in columns)]
    cells = [_cells(results) for results in columns.values()]
    lines += [
        f"{name:14}" + "".join(f"{column.get(name, '-'):27}" for column in cells)
        for name in dict.fromkeys(name for column in cells for name in column)
    ]
    (end,) = {
        f"{result['ann_accuracy']['n']} test images, {_sourced(result['device'])}, every "
        f"non-ideality; {images_nature(result['dataset'])}"
        for results in columns.values()
        for result in results
    }
    return "\n".join([*(line.rstrip() for line in lines), end])


def _cells(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """A column's accuracies by the names of their rows."""
    found = {"ANN": _percent(results[0]["ann_accuracy"])}
    for item in (item for result in results for item in result["snn_accuracy_by_cycles"]):
        found[f"SNN, T = {item['cycles']}"] = _percent(item)
    return found


def _sourced(device: str) -> str:
    """Name of a shipped set and what it rests on."""
    return f"{device} ({ms.load_device(device).parameters.device_source})"


def _percent(item: Mapping[str, Any]) -> str:
    value, low, high = (100 * item[key] for key in ("value", "low", "high"))
    return f"{value:.2f} %  ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
