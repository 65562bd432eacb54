"""Which part of what drawn thresholds do moves neurons, and what a trim or larger gates reach.

Thresholds move three numbers of a stage: what its lines are off their level, the ratio of its
mirror, a difference behind it.  Chips of 2 mV um with one of them alone, with all, and with a half
of one, which gates of four times the area leave: the line amplifier's four, or the mirror's two.
Neurons of sampled windows have the inputs of a chip whose stages are alike; what counts is by how
much their chance of a spike differs from that chip's, which has no trim.  Trims are those of
``run.py``.

    .venv/bin/python experiments/mismatch/parts.py --data DIR

writes ``parts.json`` beside this file, and the table of ``docs/periphery.md``; minutes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

import memspice as ms
from benchmarks.drawn_parts import ALIKE, Neurons, Parts, inputs_of, neurons_with

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # scripts, not a package
from readme import replace_block  # noqa: E402
from setting import CYCLES, NETWORK, POINTS, TRIM  # noqa: E402

CHIPS, IMAGES, POSITIONS = 3, 8, 2
#: By the words behind a comma: steps and range of a trim.
TRIMS: Mapping[str, Mapping[str, float]] = {
    "": {},
    "trimmed": TRIM,
    "steps of 1 mV": {**TRIM, "periphery.trim_step": 1e-3},
}
#: By their names: factors of the three numbers.
PARTS: Mapping[str, Parts] = {
    "alike, trimmed": ALIKE,
    "lines alone": (1, 0, 0),
    "ratio alone": (0, 1, 0),
    "difference alone": (0, 0, 1),
    "all": (1, 1, 1),
    "lines alone, trimmed": (1, 0, 0),
    "ratio alone, trimmed": (0, 1, 0),
    "difference alone, trimmed": (0, 0, 1),
    "all, trimmed": (1, 1, 1),
    "all, steps of 1 mV": (1, 1, 1),
    "larger amplifier": (0.5, 1, 1),
    "larger mirror": (1, 0.5, 1),
    "larger amplifier, trimmed": (0.5, 1, 1),
    "larger mirror, trimmed": (1, 0.5, 1),
    "both larger, trimmed": (0.5, 0.5, 1),
}


def measured(data: ms.Images) -> Iterator[tuple[str, dict[str, float], dict[str, float]]]:
    """Of each chip and part what neurons are off a chip whose stages are alike, by layer."""
    for seed in range(CHIPS):
        requests = {trim: request_of(changes, seed, data) for trim, changes in TRIMS.items()}
        inputs = inputs_of(requests[""], POSITIONS)
        alike = neurons_with(requests[""], ALIKE, inputs)
        for name, parts in PARTS.items():
            found = neurons_with(requests[name.partition(", ")[2]], parts, inputs)
            yield name, *off(alike, found)
        click.echo(f"chip {seed}", err=True)


def request_of(trim: Mapping[str, float], seed: int, data: ms.Images) -> Any:
    """Images on a chip with drawn thresholds."""
    device = ms.load_device("fast-memristor", "freepdk45")
    chip = ms.Chip(NETWORK, device.change(**POINTS["2 mV um"], **trim), seed=seed)
    return chip.request(data, cycles=CYCLES, burst=CYCLES)


def off(alike: Neurons, found: Neurons) -> tuple[dict[str, float], dict[str, float]]:
    """Mean change of the chance of a spike [1], and mean square of that of the drive [V^2]."""
    chance = {name: float(np.abs(found[name][1] - alike[name][1]).mean()) for name in alike}
    square = {name: float(((found[name][0] - alike[name][0]) ** 2).mean()) for name in alike}
    return chance, square


def summary(each: Sequence[tuple[str, dict[str, float], dict[str, float]]]) -> list[dict[str, Any]]:
    """Means over chips, by part and layer."""
    return [
        {
            "part": name,
            "chance": means([chance for part, chance, _ in each if part == name]),
            "drive": {
                layer: value**0.5
                for layer, value in means([sq for part, _, sq in each if part == name]).items()
            },
        }
        for name in PARTS
    ]


def means(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each entry."""
    return {name: float(np.mean([one[name] for one in each])) for name in each[0]}


def chance(item: Mapping[str, Any]) -> float:
    """Mean over layers, [1]."""
    return float(np.mean(list(item["chance"].values())))


def drive(item: Mapping[str, Any]) -> float:
    """Root of the mean square over layers, [V]."""
    return float(np.mean([value**2 for value in item["drive"].values()]) ** 0.5)


def table(result: Mapping[str, Any]) -> str:
    """Chances and drives by part."""
    first = next(iter(result["parts"][0]["chance"]))
    lines = [
        f"{result['network']}, 2 mV um, {result['chips']} chips, {result['images']} images",
        f"{'what of it':28}{'spikes moved, %':17}{f'of {first}, %':14}drive, mV rms",
    ]
    lines += [
        f"{item['part']:28}{100 * chance(item):<17.2f}"
        f"{100 * item['chance'][first]:<14.2f}{1e3 * drive(item):.1f}"
        for item in result["parts"]
    ]
    return "\n".join(lines)


def sentences(result: Mapping[str, Any]) -> list[str]:
    """What the page says of it, figures and all."""
    moved = {item["part"]: f"{100 * chance(item):.2f}" for item in result["parts"]}
    volts = {item["part"]: f"{1e3 * drive(item):.1f}" for item in result["parts"]}
    return [
        f"a trim moves {moved['alike, trimmed']} % of the spikes of a chip whose stages are alike, "
        f"drawn thresholds without one {moved['all']} %",
        f"drives by {volts['alike, trimmed']} mV rms where stages are alike, "
        f"{volts['all, trimmed']} where they are drawn, {volts['lines alone, trimmed']} where "
        f"lines alone are, {volts['ratio alone, trimmed']} the ratio, "
        f"{volts['difference alone, trimmed']} the "
        "difference",
        f"steps of 1 mV in the place of 5 change nothing ({volts['all, steps of 1 mV']} mV)",
        f"an amplifier of four times the area leaves {volts['larger amplifier']} mV of "
        f"{volts['all']} without a trim, such a mirror {volts['larger mirror']}",
    ]


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of CIFAR-10's binaries.")
def main(data: Path | None) -> None:
    """Run all points and write what they found."""
    images = ms.load_images(data or "cifar10", "test", IMAGES)
    result = {
        "network": NETWORK,
        "device": "fast-memristor, freepdk45",
        "chips": CHIPS,
        "images": len(images),
        "positions": POSITIONS,
        "cycles": CYCLES,
        "parts": summary(list(measured(images))),
    }
    text = json.dumps(result, indent=1, allow_nan=False) + "\n"
    (HERE / "parts.json").write_text(text, encoding="utf-8")
    click.echo(table(result))
    replace_block("mismatch_parts", table(result), HERE.parents[1] / "docs" / "periphery.md")


if __name__ == "__main__":
    main()
