"""Whether the stochasticity of a device can be the neuron, with no noise from outside.

Claim: the inherent stochasticity of a nanoscale device is the neuron of a deep spiking network
(Wijesinghe et al., arXiv 1712.01472, abstract; for an MTJ Sengupta et al., arXiv 1605.04494).
Two answers.  The switching probability of each device's circuit in SPICE, against the law that is
the network's activation.  And the network with its devices' luck taken away: its neurons then
switch whenever P is above 1/2, the same in every cycle.

    .venv/bin/python experiments/stochastic_neuron/run.py --full --data DIR

writes ``result.json`` and its figures beside this file; without ``--full``, less of it into
``results/paper/stochastic_neuron``.
"""

from __future__ import annotations

import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

import memspice as ms

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scripts, not a package
import numpy as np  # noqa: E402
from figure import draw_luck  # noqa: E402
from question import Question, accuracy_network, question_command, write_result  # noqa: E402

#: Voltages of a transfer curve and events at each.
FULL_CURVE, QUICK_CURVE = (13, 2048), (7, 256)
#: Images of the network and chips; digits cost hardly anything.
FULL, QUICK, DIGITS = (2000, 3), (200, 2), (360, 10)
CYCLES = 8
#: How much steeper than the device's the switching is that leaves nothing to luck.
STEEP = 1000.0


def answer(question: Question) -> None:
    """Characterize the devices, run the network with luck and without."""
    points, events = FULL_CURVE if question.full else QUICK_CURVE
    names = dict.fromkeys(("ag-asi", "fast-memristor", "sot-mtj", question.device))
    found = []
    for seed, name in enumerate(names):  # each with luck of its own
        click.echo(f"transfer curve of {name}", err=True)
        found.append(
            ms.characterize(
                ms.load_device(name, "behavioural"), points=points, events=events, seed=seed
            )
        )
    network, (images, chips), notes = accuracy_network(question, FULL, QUICK, DIGITS)
    data = ms.Chip(network).images("test", images, question.data)
    made = [ms.Chip(network, question.models, seed=seed) for seed in range(chips)]
    result = {"devices": [_device(item) for item in found], "notes": notes, **luck(made, data)}
    figures = {f"transfer-{item.parameter_set.name}": ms.plot.transfer(item) for item in found}
    write_result(question, result, {**figures, "luck": draw_luck(result)})


def _device(found: ms.results.Characterization) -> dict[str, Any]:
    """Curve with the constants of the law it is compared with."""
    constants = [asdict(value) for value in found.parameter_set.provenance]
    return {**found.as_json(), "parameters": constants}


def luck(chips: list[ms.Chip], data: ms.Images) -> dict[str, Any]:
    """Accuracy by cycles with the devices' stochasticity, and once without."""
    still = np.array(
        [chip.run(data, cycles=1, calibration=steep(chip)).correct() for chip in chips]
    )
    rows = []
    runs = [chip.run(data, cycles=CYCLES) for chip in chips]
    for cycles in runs[0].answers_at:
        right = np.array([run.correct(cycles) for run in runs])
        gain = asdict(ms.statistics.paired_difference(right, still))
        rows.append({"cycles": cycles, "accuracy": accuracy(right), "gain": gain})
    return {
        "network": chips[0].network.name,
        "images": still.shape[1],
        "chips": len(chips),
        "stochastic": rows,
        "still_accuracy": accuracy(still),
    }


def accuracy(right: np.ndarray) -> dict[str, Any]:
    """Mean accuracy of chips that are right about images or not."""
    return asdict(ms.statistics.chips_accuracy(right))


def steep(chip: ms.Chip) -> dict[str, ms.results.Calibration]:
    """Correction that makes every neuron switch where P is above 1/2, and only there."""
    median = math.log(math.log(2))  # ln H at P = 1/2
    steeper = ms.results.Calibration(log_hazard_gain=STEEP, log_hazard_offset=-STEEP * median)
    return {layer.name: steeper for layer in chip if layer.spiking}


if __name__ == "__main__":
    question_command("stochastic_neuron", answer)()
