"""Whether a deep network can be converted, and what the non-idealities of the circuits cost.

Claims: with a modified training a deep artificial network becomes a spiking one, with "only about
1 % degradation in accuracy with the ANN baseline after incorporating the circuit and device
related non-idealities" (Wijesinghe et al., arXiv 1712.01472, abstract).  Accuracy lost against the
network's own ANN, image by image, for T cycles: on an ideal array (no wires, no spread, cells of
any value) it is that of the conversion, on the real one, with every non-ideality of
``memspice.network.flaws``, that of both.  (How many images of the whole test set are right on one
chip is the question of ``experiments/cifar_accuracy``.)  Beside it the other devices, with the
same flaws, and weights of other trainings and of a wider network (``models/networks/NAME-*.h5``):
what spikes in training buy shows where only they differ.

    .venv/bin/python experiments/conversion/run.py --full --data DIR

writes ``result.json`` and ``conversion.png`` beside this file; without ``--full``, fewer images
and cycles into ``results/paper/conversion``.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from memspice.analysis.paired import paired_difference
from memspice.analysis.statistics import proportion
from memspice.network.flaws import FLAWS
from memspice.parameters import PARAMETER_SETS
from memspice.windows.setup import Setup, prepare

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scripts, not a package
from chips import ann_correct, snn_correct  # noqa: E402
from figure import draw  # noqa: E402
from question import ROOT, Question, accuracy_network, question_command, write_result  # noqa: E402

#: Images, chips and cycles; digits cost hardly anything.
FULL, QUICK, DIGITS = (400, 3, 32), (200, 2, 8), (360, 5, 32)
#: An array without wires and drivers, of cells that take any value and keep it.
IDEAL = {
    "array.wire_resistance_row": 0.0, "array.wire_resistance_col": 0.0,
    "array.driver_resistance": 0.0, "synapse.variation": 0.0, "synapse.levels": 2**20,
}  # fmt: skip


def answer(question: Question) -> None:
    """Run ideal and real array, and write what they lose."""
    network, (images, chips, cycles), notes = accuracy_network(question, FULL, QUICK, DIGITS)
    setup = Setup(
        network, question.device, images=images, cycles=cycles, data=question.data, changes=FLAWS
    )
    ideal, real = losses(replace(setup, changes=IDEAL), chips), losses(setup, chips)
    devices = [name for name in PARAMETER_SETS if name != question.device]
    beside = {name: replace(setup, device=name) for name in devices}
    # Other trainings and widths, where there are some.
    for path in sorted((ROOT / "models" / "networks").glob(f"{network}-*.h5")):
        beside[path.stem.removeprefix(f"{network}-")] = replace(setup, network=str(path))
    result = {
        "network": network, "images": real["images"], "chips": chips, "notes": notes,
        "ann_accuracy": real["ann_accuracy"], "flaws": dict(FLAWS),
        "curves": {"ideal": ideal["curve"], "real": real["curve"]},
        "beside": [
            {"label": label, "network": network, **losses(s, chips)} for label, s in beside.items()
        ],
    }  # fmt: skip
    write_result(question, result, {"conversion": draw(result)})


def losses(setup: Setup, chips: int) -> dict[str, Any]:
    """Loss against the network's own ANN by cycles, over chips of other seeds."""
    prepared = (prepare(replace(setup, seed=seed)) for seed in range(chips))
    runs = [snn_correct(chip, setup.cycles) for chip in prepared]
    ann, curve = ann_correct(setup), []
    for cycles in runs[0]:
        right = np.array([run[cycles] for run in runs])
        loss = paired_difference(np.broadcast_to(ann, right.shape), right)
        curve.append({"cycles": cycles, "accuracy": float(right.mean()), "loss": asdict(loss)})
    return {
        "images": len(ann), "curve": curve,
        "ann_accuracy": asdict(proportion(int(ann.sum()), len(ann))),
    }  # fmt: skip


if __name__ == "__main__":
    question_command("conversion", answer)()
