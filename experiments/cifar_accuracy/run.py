"""Accuracy of the CIFAR-10 network on the whole test set: ANN, and SNN against cycles.

Claim: the spiking network loses "only about 1 %" against its ANN with every non-ideality of circuit
and device (Wijesinghe et al., arXiv 1712.01472, abstract).  One chip of each device, with the flaws
of ``memspice.network.flaws``; what chips of other seeds do is in ``experiments/conversion``.

    .venv/bin/python experiments/cifar_accuracy/run.py --data DIR

writes ``result.json`` beside this file; DIR is the folder of the official binary files.  Each entry
is what ``memspice infer --flaws --json`` prints.
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
from readme import replace_block  # noqa: E402

NATURE = "official layout, pixels compressed once as JPEG"
#: Cycles of each device.
RUNS = {"fast-memristor": 64, "sot-mtj": 16, "ag-asi": 16}


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the CIFAR-10 binaries.")
@click.option("--images", default=10_000, show_default=True)
def main(data: Path | None, images: int) -> None:
    """Run the experiment and write its result."""
    results = []
    for device, cycles in RUNS.items():
        with tqdm(desc=f"{device}, T = {cycles}", unit="step") as bar:
            setup = Setup(device=device, images=images, cycles=cycles, data=data, changes=FLAWS)
            result = infer(setup, progress=counter(bar))
        result["dataset"].pop("source")
        results.append(result)
        text = json.dumps(results, indent=1, allow_nan=False)
        (HERE / "result.json").write_text(text + "\n", encoding="utf-8")
    replace_block("cifar-accuracy", _table(results))


def _table(results: list[dict[str, Any]]) -> str:
    ann = results[0]["ann_accuracy"]
    lines = [f"ANN, activation of the device       {_percent(ann)}"]
    for result in results:
        rows = result["snn_accuracy_by_cycles"]
        # Of the other devices the last number of cycles is enough here.
        for item in rows if result is results[0] else rows[-1:]:
            name = f"SNN, {result['device']}, T = {item['cycles']}"
            lines.append(f"{name:35} {_percent(item)}")
    lines.append(f"{ann['n']} test images, every non-ideality; {NATURE}")
    return "\n".join(lines)


def _percent(item: dict[str, Any]) -> str:
    value, low, high = (100 * item[key] for key in ("value", "low", "high"))
    return f"{value:.2f} %  (95 %: {low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
