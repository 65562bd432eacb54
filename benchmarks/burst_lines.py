"""``python -m benchmarks.burst_lines DIR``: what layers of a network ask of the stage of bursts.

DIR is a folder of CIFAR-10.  No circuit is solved: currents are those of the network loop.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

import memspice as ms
from benchmarks.periphery import UA
from benchmarks.periphery_page import write_tables
from memspice.circuits.blocks.subcircuit import SubcircuitStage
from memspice.network.inference import InferenceResult, run_inference
from memspice.network.mapping import MappedLayer
from memspice.windows.choice import choose_windows
from memspice.windows.fidelity import window_jobs

NETWORK, SET, PERIPHERY, BURST = "cifar10-skip", "fast-memristor", "freepdk45", 8
#: Images, and positions of each in every layer.
IMAGES, POSITIONS, SEED = 8, 6, 0
HEAD = (
    "| layer | stages | rows, V | line, uS | line carries, uA | half of them "
    "| 98 % of differences, uA | pulses differ, uA sd | at most |"
)


def line_table(data: str) -> Iterator[str]:
    """Lines of the table, a row a spiking layer."""
    chip = ms.Chip(NETWORK, ms.load_device(SET, PERIPHERY))
    request = chip.request(chip.images(limit=IMAGES, data=data), cycles=BURST, burst=BURST)
    layers = request.mapped.layers[:-1]
    chosen = [w for layer in layers for w in choose_windows(layer, IMAGES, POSITIONS, SEED)]
    loop = run_inference(
        request.mapped, request.images.x, BURST, SEED, burst=BURST, windows=chosen, scored=False
    )
    yield HEAD
    yield "|" + "---|" * HEAD.count(" | ") + "---|"
    for layer in layers:
        yield row(layer, currents(layer, loop))


def currents(layer: MappedLayer, loop: InferenceResult) -> np.ndarray:
    """Currents of the lines of one stage in each pulse, (pulses, pairs of lines, 2), [A]."""
    found = []
    for window in choose_windows(layer, IMAGES, POSITIONS, SEED):
        inputs = loop.windows[window]
        for job in window_jobs(layer, window, inputs, ms.Surrogate(), seed=SEED, burst=BURST):
            lines = job.circuit.line_current(job.row_voltage)
            found.append(lines.reshape(BURST, -1, 2) / stage(layer).multiplicity)
    return np.concatenate(found, axis=1)


def stage(layer: MappedLayer) -> SubcircuitStage:
    """Sense stage of a layer."""
    sense = layer.circuits[0].sense
    assert isinstance(sense, SubcircuitStage), "the periphery has stages of transistors"
    return sense


def row(layer: MappedLayer, carried: np.ndarray) -> str:
    """Row of a layer."""
    sense, volts = stage(layer), layer.circuits[0].array.read_voltage
    own = np.concatenate([part.line_conductance for part in layer.circuits]) / sense.multiplicity
    mean, spread = carried.mean(axis=0) / UA, carried.std(axis=0) / UA
    low, high = np.percentile(mean[:, 0] - mean[:, 1], (1, 99))
    values = (
        layer.name,
        sense.multiplicity,
        f"{volts:.2f}",
        f"{own.min() * 1e6:.0f} to {own.max() * 1e6:.0f}",
        f"{mean.min():.1f} to {mean.max():.1f}",
        f"{np.median(mean):.1f}",
        f"{low:.1f} to {high:.1f}",
        f"{spread.mean():.2f}",
        f"{spread.max():.2f}",
    )
    return f"| {' | '.join(map(str, values))} |"


if __name__ == "__main__":
    write_tables({"burst_lines": "\n".join(line_table(sys.argv[1]))})
