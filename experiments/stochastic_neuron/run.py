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
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from memspice.analysis.paired import paired_difference
from memspice.analysis.transfer import Characterization
from memspice.engines import find_engine
from memspice.experiment.characterize import characterize
from memspice.network.switching import Calibration
from memspice.parameters import PARAMETER_SETS, load_parameter_set
from memspice.plot.transfer_plot import draw_transfer
from memspice.windows.setup import Prepared, Setup, prepare

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # scripts, not a package
from chips import chips_accuracy, snn_correct  # noqa: E402
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
    devices = {
        item.name: item for item in map(load_parameter_set, (*PARAMETER_SETS, question.device))
    }
    engine, found = find_engine("ngspice"), []
    for seed, (name, device) in enumerate(devices.items()):  # each with luck of its own
        click.echo(f"transfer curve of {name}", err=True)
        found.append(characterize(device, points, events, seed, engine))
    network, (images, chips), notes = accuracy_network(question, FULL, QUICK, DIGITS)
    setup = Setup(network, question.device, images=images, cycles=CYCLES, data=question.data)
    result = {"devices": [_device(item) for item in found], "notes": notes, **luck(setup, chips)}
    figures = {f"transfer-{item.parameter_set.name}": draw_transfer(item) for item in found}
    write_result(question, result, {**figures, "luck": draw_luck(result)})


def _device(found: Characterization) -> dict[str, Any]:
    """Curve with the constants of the law it is compared with."""
    constants = [asdict(value) for value in found.parameter_set.provenance]
    return {**found.as_json(), "parameters": constants}


def luck(setup: Setup, chips: int) -> dict[str, Any]:
    """Accuracy by cycles with the devices' stochasticity, and once without."""
    prepared = [prepare(replace(setup, seed=seed)) for seed in range(chips)]
    still = np.array([snn_correct(chip, 1, steep(chip))[1] for chip in prepared])
    runs, rows = [snn_correct(chip, setup.cycles) for chip in prepared], []
    for cycles in runs[0]:
        right = np.array([run[cycles] for run in runs])
        gain = asdict(paired_difference(right, still))
        rows.append({"cycles": cycles, "accuracy": chips_accuracy(right), "gain": gain})
    return {
        "network": prepared[0].network.name,
        "images": still.shape[1],
        "chips": chips,
        "stochastic": rows,
        "still_accuracy": chips_accuracy(still),
    }


def steep(prepared: Prepared) -> dict[str, Calibration]:
    """Correction that makes every neuron switch where P is above 1/2, and only there."""
    median = math.log(math.log(2))  # ln H at P = 1/2
    steeper = Calibration(log_hazard_gain=STEEP, log_hazard_offset=-STEEP * median)
    return {layer.name: steeper for layer in prepared.mapped.layers if layer.spiking}


if __name__ == "__main__":
    question_command("stochastic_neuron", answer)()
