"""Whether a deep network can be converted, and what the non-idealities of the circuits cost.

Claims: with a modified training a deep artificial network becomes a spiking one, with "only about
1 % degradation in accuracy with the ANN baseline after incorporating the circuit and device
related non-idealities" (Wijesinghe et al., arXiv 1712.01472, abstract).  Accuracy lost against the
network's own ANN, image by image, for T cycles: on an ideal array (no wires, no spread, cells of
any value) it is that of the conversion, on the real one, with every non-ideality of
``Device.with_flaws``, that of both.  (How many images of the whole test set are right on one
chip is the question of ``experiments/cifar_accuracy``.)  Beside it the other devices, with the
same flaws, and weights of other trainings and of a wider network (``models/networks/NAME-*.h5``):
what spikes in training buy shows where only they differ.

    .venv/bin/python experiments/conversion/run.py --full --data DIR

writes ``result.json`` and ``conversion.png`` beside this file (2,000 images, eight chips, T = 32:
some seven minutes for each device and training on two idle cores); without ``--full``, fewer images
and cycles into ``results/paper/conversion``.  A run that was stopped goes on with ``--resume``.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import memspice as ms

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scripts, not a package
from chips import right_by_cycles, run_chips  # noqa: E402
from figure import draw  # noqa: E402
from points import Points  # noqa: E402
from question import ROOT, Question, accuracy_network, question_command, write_result  # noqa: E402

#: Images, chips and cycles; digits cost hardly anything.
FULL, QUICK, DIGITS = (2000, 8, 32), (200, 2, 8), (360, 5, 32)
#: An array without wires and drivers, of cells that take any value and keep it.
IDEAL = {
    "array.wire_resistance_row": 0.0, "array.wire_resistance_col": 0.0,
    "array.driver_resistance": 0.0, "synapse.variation": 0.0, "synapse.levels": 2**20,
}  # fmt: skip


def answer(question: Question) -> None:
    """Run ideal and real array, and write what they lose."""
    network, (images, chips, cycles), notes = accuracy_network(question, FULL, QUICK, DIGITS)
    data = ms.Chip(network).images("test", images, question.data)

    points = Points(question.out / "points", resume=question.resume)

    def lost(name: str, device: ms.Device, weights: str = network) -> dict[str, Any]:
        run = points.run_file(name)
        return losses(weights, device, data, chips=chips, cycles=cycles, run=run)

    plain = ms.load_device(question.device)
    flawed = plain.with_flaws()
    real, ideal = lost("real", flawed), lost("ideal", plain.change(**IDEAL))
    names = ("ag-asi", "fast-memristor", "sot-mtj")
    others = [name for name in names if name != question.device]
    beside = {name: lost(name, ms.load_device(name).with_flaws()) for name in others}
    # Other trainings and widths, where there are some.
    for path in sorted((ROOT / "models" / "networks").glob(f"{network}-*.h5")):
        beside[path.stem.removeprefix(f"{network}-")] = lost(path.stem, flawed, str(path))
    result = {
        "network": network, "images": real["images"], "chips": chips, "notes": notes,
        "ann_accuracy": real["ann_accuracy"], "flaws": dict(flawed.changes),
        "curves": {"ideal": ideal["curve"], "real": real["curve"]},
        "beside": [
            {"label": label, "network": network, **found} for label, found in beside.items()
        ],
    }  # fmt: skip
    write_result(question, result, {"conversion": draw(result)})
    points.done()


def losses(
    network: str, device: ms.Device, data: ms.Images, *, chips: int, cycles: int, run: Path
) -> dict[str, Any]:
    """Loss against the network's own ANN by cycles, over chips of other seeds."""
    found = run_chips(ms.Chip(network, device), chips, data, run, cycles=cycles)
    ann, curve = found.ann_correct(), []
    for count, right in right_by_cycles(found).items():
        loss = ms.statistics.paired_difference(np.broadcast_to(ann, right.shape), right)
        curve.append({"cycles": count, "accuracy": float(right.mean()), "loss": asdict(loss)})
    accuracy = ms.statistics.proportion(int(ann.sum()), len(ann))
    return {"images": len(ann), "curve": curve, "ann_accuracy": asdict(accuracy)}


if __name__ == "__main__":
    question_command("conversion", answer)()
