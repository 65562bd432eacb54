"""Accuracy and energy against every non-ideality of cells, wires and neurons, one at a time.

Claims: the network is "robust to certain variations" and loses "only about 1 %" against its ANN
with the non-idealities of circuit and device in it (Wijesinghe et al., arXiv 1712.01472,
abstract).  Research questions: how do accuracy and energy hold under variation, and how robust is
the network to variations of resistance and of switching.

    .venv/bin/python experiments/robustness/run.py --full --data DIR

writes ``result.json`` and one figure a sweep beside this file (200 images, T = 8, three chips a
point).  Without ``--full`` fewer images, into ``results/paper/robustness``.  ``sweeps.py`` has the
ranges and their sources.  Energy is that of the closed form at sampled windows.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

import memspice as ms

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scripts, not a package
from figure import draw  # noqa: E402
from measure import Measured, Point, compared, measure  # noqa: E402
from question import Question, accuracy_network, question_command, write_result  # noqa: E402
from sweeps import SWEEPS, Sweep  # noqa: E402

#: Images and chips of a point.  Digits cost hardly anything: all test images, and chips enough for
#: a narrow interval.
FULL, QUICK, DIGITS = (200, 3), (100, 2), (360, 5)
CYCLES = 8


def answer(question: Question) -> None:
    """Measure every sweep and write the result with its figures."""
    network, (images, chips), notes = accuracy_network(question, FULL, QUICK, DIGITS)
    chip = ms.Chip(network, question.device)
    data = chip.images("test", images, question.data)
    point, ann = Point(network, chip.device, data, CYCLES), chip.run(data, cycles=1).ann_correct()
    nominal = measure(point, chips)
    with tqdm(total=sum(len(sweep.values) for sweep in SWEEPS), desc="robustness") as bar:
        sweeps = [sweep_json(sweep, point, chips, nominal, ann, bar) for sweep in SWEEPS]
    result = {
        "network": network, "images": images, "chips": chips, "cycles": CYCLES, "notes": notes,
        "ann_accuracy": float(ann.mean()), "nominal": compared(nominal, nominal, ann),
        "sweeps": sweeps,
    }  # fmt: skip
    write_result(question, result, {item["name"]: draw(item, result) for item in sweeps})


def sweep_json(
    sweep: Sweep, point: Point, chips: int, nominal: Measured, ann: np.ndarray, bar: tqdm
) -> dict[str, Any]:
    """All points of a sweep, and the value that the nominal setting has."""
    own = sweep.nominal(point.device, point.tile)
    points = []
    for value in sweep.values:
        device = point.device.change(**sweep.changes(value))
        changed = replace(point, device=device, tile=sweep.tile(value, point.tile))
        points.append({"value": value, **_point(changed, chips, nominal, ann, bool(points))})
        bar.update()
    return {**asdict(sweep), "nominal": own, "points": points}


def _point(
    point: Point, chips: int, nominal: Measured, ann: np.ndarray, may_refuse: bool
) -> dict[str, Any]:
    """One point; a setting with which no working circuit can be built is a result, too."""
    try:
        return compared(measure(point, chips), nominal, ann)
    except ms.errors.ConfigError as error:
        if not may_refuse:  # the mildest value: the sweep itself makes no sense
            raise
        return {"refused": str(error)}


if __name__ == "__main__":
    question_command("robustness", answer)()
