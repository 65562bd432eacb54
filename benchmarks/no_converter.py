"""``python -m benchmarks.no_converter DIR``: a network without converters beside one with them.

On images of CIFAR-10 in DIR: accuracy by the way rows carry pixels, joules of drivers and
converters, and what the offsets of the latches that compare the drives do to the answer.  Writes
two tables of ``docs/periphery.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

import memspice as ms
from benchmarks.periphery_page import write_tables
from memspice.experiment.against_cmos import load_cmos
from memspice.experiment.infer import sampled_energy, sampled_windows
from memspice.experiment.operations import comparison_energy, converter_energy
from memspice.network.inference import run_inference

NETWORK, IMAGES, CYCLES = "cifar10-skip", 2000, 8
#: Images of which one window of each layer gives the joules.
WINDOWS = 24
#: Standard deviations of a latch's offset [V], and sets of latches drawn.
OFFSETS, SETS = (1e-3, 5e-3, 10e-3, 20e-3), 20


@dataclass(frozen=True, eq=False)
class Coded:
    """A run: images that are right, drives of the last layer [V], joules by what takes them."""

    right: np.ndarray
    drives: np.ndarray
    joules: Mapping[str, float]


def models() -> ms.Device:
    """Device with models of amplifiers."""
    return ms.load_device("fast-memristor", "behavioural")


def run(images: ms.Images, pixels: np.ndarray, changes: Mapping[str, str]) -> Coded:
    """Every flaw, one burst; ``pixels`` in the place of those of the images."""
    chip = ms.Chip(NETWORK, models().with_flaws().change(**changes))
    request = chip.request(images, cycles=CYCLES, burst=CYCLES)
    windows = sampled_windows(request, WINDOWS, request.seed)
    each = [window for found in windows.values() for window in found]
    loop = run_inference(request.mapped, pixels, CYCLES, request.seed, burst=CYCLES, windows=each)
    state = cast(Any, SimpleNamespace(iterations=[SimpleNamespace(inference=loop)]))
    converters = converter_energy(request, state, load_cmos().converters.values)
    joules = {
        "drivers": sampled_energy(request, windows, loop).energy.components["driver"],
        "converters": sum(mean for mean, _ in converters.values()),
        "latches": sum(comparison_energy(request).values()),
    }
    readout = request.mapped.layers[-1].readout
    drives = (loop.scores - readout.offset) * readout.volts_per_unit
    return Coded(loop.scores.argmax(axis=1) == images.y, drives, joules)


def runs(images: ms.Images) -> dict[str, Coded]:
    """Runs by how rows carry pixels; the first has converters."""
    x, rng = images.x, np.random.default_rng(7)
    switches = {"row_driver.kind": "levels", "answer.kind": "latches"}
    spikes = {
        "spikes, evenly spread": np.rint(CYCLES * x) / CYCLES,
        "spikes, by chance": rng.binomial(CYCLES, x) / CYCLES,
    }
    return {
        "any level, by converters": run(images, x, {"row_driver.kind": "buffered"}),
        "five levels, coded": run(images, x, switches),
        # a burst takes in the mean of its spikes
        **{
            name: run(images, np.asarray(mean, np.float32), switches)
            for name, mean in spikes.items()
        },
    }


def row_table(found: Mapping[str, Coded]) -> Iterator[str]:
    """Lines of the table of ways to carry pixels."""
    heads = ("right, %", "points lost", "drivers, nJ", "converters, nJ", "latches, nJ")
    yield f"| rows carry pixels as | {' | '.join(heads)} |"
    yield "|---|---|---|---|---|---|"
    first = next(iter(found.values()))
    for name, coded in found.items():
        loss = ms.statistics.paired_difference(first.right[None], coded.right[None])
        shown = (
            "-"
            if coded is first
            else f"{100 * loss.value:.2f} +- {50 * (loss.high - loss.low):.2f}"
        )
        joules = " | ".join(f"{value / 1e-9:.4g}" for value in coded.joules.values())
        yield f"| {name} | {100 * coded.right.mean():.2f} | {shown} | {joules} |"


def answers(drives: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Class that wins all comparisons, (images,); -1 where none does.

    ``offsets`` (classes, classes) [V] are those of the latches, added to the first of each pair:
    antisymmetric.
    """
    wins = (drives[:, :, None] - drives[:, None, :] + offsets > 0).sum(axis=2)
    return np.where(wins.max(axis=1) == len(offsets) - 1, wins.argmax(axis=1), -1)


def offset_table(drives: np.ndarray, labels: np.ndarray) -> Iterator[str]:
    """Lines of the table of offsets."""
    yield "| offset sd, mV | points lost, mean | worst | other answer, % | none, % |"
    yield "|---|---|---|---|---|"
    rng, ideal = np.random.default_rng(0), drives.argmax(axis=1)
    for sd in OFFSETS:
        given = []
        for _ in range(SETS):
            half = np.triu(rng.normal(0, sd, (drives.shape[1],) * 2), 1)
            given.append(answers(drives, half - half.T))
        lost = [100 * ((ideal == labels).mean() - (each == labels).mean()) for each in given]
        other, none = (
            100 * np.mean(item) for item in (np.array(given) != ideal, np.array(given) < 0)
        )
        values = (np.mean(lost), max(lost), other, none)
        yield f"| {sd / 1e-3:g} | {' | '.join(f'{value:.2f}' for value in values)} |"


def main() -> None:
    """Measure, and write both tables."""
    images = ms.Chip(NETWORK, models()).images("test", IMAGES, sys.argv[1])
    found = runs(images)
    coded = found["five levels, coded"]
    assert images.y is not None
    write_tables(
        {
            "pixels": "\n".join(row_table(found)),
            "offsets": "\n".join(offset_table(coded.drives, images.y)),
        }
    )


if __name__ == "__main__":
    main()
