"""Whether a deep network can be converted, and what the non-idealities of the circuits cost.

Claims: with a modified training a deep artificial network becomes a spiking one, with "only about
1 % degradation in accuracy with the ANN baseline after incorporating the circuit and device
related non-idealities" (Wijesinghe et al., arXiv 1712.01472, abstract).  Accuracy lost against the
network's own ANN, image by image, for one burst of T cycles (K = T): on an ideal array (no wires,
no spread, cells of any value) it is that of the conversion, on the real one, with every
non-ideality of ``Device.with_flaws``, that of both.  (How many images of the whole test set are
right on one chip is the question of ``experiments/cifar_accuracy``.)  Beside it, at one T, the
other devices with the same flaws, and other networks: what spikes in training buy shows where only
they differ (``cifar10-cnn-28-spikes`` and ``-posthoc``).

    .venv/bin/python experiments/conversion/run.py --full --data DIR

writes ``result.json`` and ``conversion.png`` beside this file (2,000 images, eight chips, T = K = 1
to 32: some forty minutes of processor time); without ``--full``, fewer images and cycles into
``results/paper/conversion``.  A run that was stopped goes on with ``--resume``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import memspice as ms

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scripts, not a package
from chips import run_chips  # noqa: E402
from figure import draw  # noqa: E402
from points import Points  # noqa: E402
from question import ROOT, Question, accuracy_network, question_command, write_result  # noqa: E402

#: Images, chips and most cycles; digits cost hardly anything.
FULL, QUICK, DIGITS = (2000, 8, 32), (200, 2, 8), (360, 5, 32)
#: Of which what stands beside has so many.
BESIDE = 16
#: Networks beside those of CIFAR-10: smaller, wider, and trained alike but for the spikes.
NETWORKS = ("cifar10-cnn", "cifar10-cnn-wide", "cifar10-cnn-28-spikes", "cifar10-cnn-28-posthoc")
#: An array without wires and drivers, of cells that take any value and keep it.
IDEAL = {
    "array.wire_resistance_row": 0.0, "array.wire_resistance_col": 0.0,
    "array.driver_resistance": 0.0, "synapse.variation": 0.0, "synapse.levels": 2**20,
}  # fmt: skip


def answer(question: Question) -> None:
    """Run ideal and real array, and write what they lose."""
    network, (images, chips, most), notes = accuracy_network(question, FULL, QUICK, DIGITS)
    data = ms.Chip(network).images("test", images, question.data)
    every = tuple(1 << k for k in range(most.bit_length()))
    points = Points(question.out / "points", resume=question.resume)

    def lost(
        name: str, device: ms.Device, weights: str = network, counts: Sequence[int] = every
    ) -> dict[str, Any]:
        runs = {count: points.run_file(f"{name}-{count}") for count in counts}
        return losses(ms.Chip(weights, device, cache=True), data, chips=chips, runs=runs)

    plain = question.models
    flawed = plain.with_flaws()
    real, ideal = lost("real", flawed), lost("ideal", plain.change(**IDEAL))
    one = (min(BESIDE, most),)
    devices = ("ag-asi", "fast-memristor", "sot-mtj")
    beside = {
        name: lost(name, ms.load_device(name, "behavioural").with_flaws(), counts=one)
        for name in devices
        if name != question.device
    }
    if network.startswith("cifar10"):
        folder = ROOT / "models" / "networks"
        for name in NETWORKS:
            beside[name] = lost(name, flawed, str(folder / f"{name}.h5"), one)
    result = {
        "network": network, "images": real["images"], "chips": chips, "notes": notes,
        "ann_accuracy": real["ann_accuracy"], "flaws": dict(flawed.changes),
        "curves": {"ideal": ideal["curve"], "real": real["curve"]},
        "beside": [{"label": label, **found} for label, found in beside.items()],
    }  # fmt: skip
    write_result(question, result, {"conversion": draw(result)})
    points.done()


def losses(
    chip: ms.Chip, data: ms.Images, *, chips: int, runs: Mapping[int, Path]
) -> dict[str, Any]:
    """Loss against the network's own ANN over chips of other seeds, by cycles in one burst.

    ``runs`` has the run file of each number of cycles.
    """
    ann, curve = np.zeros(0, bool), []
    for count, run in runs.items():
        found = run_chips(chip, chips, data, run, cycles=count, burst=count)
        ann, right = found.ann_correct(), found.correct()
        loss = ms.statistics.paired_difference(np.broadcast_to(ann, right.shape), right)
        curve.append({"cycles": count, "accuracy": float(right.mean()), "loss": asdict(loss)})
    accuracy = ms.statistics.proportion(int(ann.sum()), len(ann))
    return {"images": len(ann), "curve": curve, "ann_accuracy": asdict(accuracy)}


if __name__ == "__main__":
    question_command("conversion", answer)()
