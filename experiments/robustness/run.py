"""Accuracy and energy against every non-ideality of cells, wires and neurons, one at a time.

Claims: the network is "robust to certain variations" and loses "only about 1 %" against its ANN
with the non-idealities of circuit and device in it (Wijesinghe et al., arXiv 1712.01472,
abstract).  Research questions: how do accuracy and energy hold under variation, and how robust is
the network to variations of resistance and of switching.

    .venv/bin/python experiments/robustness/run.py --full --data DIR

writes ``result.json`` and one figure a sweep beside this file (2,000 images, one burst of 8 cycles,
eight chips a point: two minutes of processor time).  Without ``--full`` fewer images, into
``results/paper/robustness``.  A run that was stopped goes on with ``--resume``,
point by point and within a point batch by batch.

A sweep begins at its harshest value and ends at the first one that is safe: its whole 95 % interval
lies below the limit of the verdicts.  Milder values are then safe too, and are not measured.
``sweeps.py`` has the ranges and their sources.  Energy is that of the closed form at sampled
windows.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

import memspice as ms

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scripts, not a package
from energy_run import SIZE  # noqa: E402
from figure import draw  # noqa: E402
from measure import Measured, Point, compared, measure  # noqa: E402
from paper.verdicts import is_safe  # noqa: E402
from points import Points  # noqa: E402
from question import Question, accuracy_network, question_command, write_result  # noqa: E402
from sweeps import SWEEPS, Sweep  # noqa: E402

#: Images and chips of a point.  Digits cost hardly anything: all test images, and chips enough for
#: a narrow interval.
FULL, QUICK, DIGITS = (2000, 8), (100, 2), (360, 5)


def answer(question: Question) -> None:
    """Measure every sweep and write the result with its figures."""
    network, (images, chips), notes = accuracy_network(question, FULL, QUICK, DIGITS)
    chip = ms.Chip(network, question.models)
    data = chip.images("test", images, question.data)
    point, ann = Point(network, chip.device, data, SIZE), chip.run(data, cycles=1).ann_correct()
    points = Points(question.out / "points", resume=question.resume)
    nominal = measure(point, chips, points.run_file("nominal"))
    against = Against(point, chips, nominal, ann, points)
    with tqdm(total=sum(len(sweep.values) for sweep in SWEEPS), desc="robustness") as bar:
        sweeps = [sweep_json(sweep, against, bar) for sweep in SWEEPS]
    result = {
        "network": network, "images": images, "chips": chips, **SIZE, "notes": notes,
        "ann_accuracy": float(ann.mean()), "nominal": compared(nominal, nominal, ann),
        "sweeps": sweeps,
    }  # fmt: skip
    write_result(question, result, {item["name"]: draw(item, result) for item in sweeps})
    points.done()


@dataclass(frozen=True, eq=False)
class Against:
    """What every point is measured against: the nominal setting on the same chips and images."""

    point: Point
    chips: int
    nominal: Measured
    ann: np.ndarray
    points: Points

    def measure(self, name: str, changed: Point) -> dict[str, Any]:
        """A point as JSON; a setting with which no working circuit can be built is a result."""
        setting = {
            "nominal": self.nominal.setting,
            "changes": dict(changed.device.changes),
            "tile": list(changed.tile),
        }

        def work(run: Path) -> dict[str, Any]:
            try:
                return compared(measure(changed, self.chips, run), self.nominal, self.ann)
            except ms.errors.ConfigError as error:
                return {"refused": str(error)}

        return self.points.measure(name, setting, work)


def sweep_json(sweep: Sweep, against: Against, bar: tqdm) -> dict[str, Any]:
    """Points of a sweep, the harshest last, and the value that the nominal setting has."""
    point = against.point
    points: list[dict[str, Any]] = []
    for value in reversed(sweep.values):
        device = point.device.change(**sweep.changes(value))
        changed = replace(point, device=device, tile=sweep.tile(value, point.tile))
        points.insert(0, {"value": value, **against.measure(f"{sweep.name}-{value:g}", changed)})
        bar.update()
        if is_safe(points[0]):
            bar.update(len(sweep.values) - len(points))
            break
    if len(points) == len(sweep.values) and "refused" in points[0]:  # the sweep makes no sense
        raise ms.errors.ConfigError(f"sweep {sweep.name}: {points[0]['refused']}")
    own = sweep.nominal(point.device, point.tile)
    return {**asdict(sweep), "nominal": own, "points": points}


if __name__ == "__main__":
    question_command("robustness", answer)()
