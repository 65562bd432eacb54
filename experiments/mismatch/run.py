"""What transistors that differ cost a network: 20 chips with drawn thresholds.

Claim of ours, to be tested: a sense stage in 45 nm whose thresholds differ by 2 or 3.5 mV um over
the root of each gate's area (both recalled for such a node, not read), and is trimmed as chips are,
still classifies.  ``cifar10-skip`` in one burst of 8 on the periphery ``freepdk45``; every
transistor of every neuron's stage is drawn from the chip's seed, and nothing else of it differs.
The same images and chips at every point, so that losses are of pairs.

    .venv/bin/python experiments/mismatch/run.py --data DIR

writes ``result.json`` beside this file, and the table of ``docs/periphery.md``.  ``apart`` is the
share of events of a layer, at sampled windows of the first chip, whose stage is brought to currents
at which its drive is not known.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

import memspice as ms

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # scripts, not a package
from chips import run_chips, setting_of  # noqa: E402
from readme import replace_block  # noqa: E402

NETWORK, CHIPS, IMAGES, CYCLES = "cifar10-skip", 20, 60, 8
#: Windows that say which events are apart.
WINDOWS = {"images": 4, "positions": 4}
TRIM = {"periphery.trim_step": 5e-3, "periphery.trim_range": 0.5}
#: By their names: spread of a threshold times the root of its gate's area, [V m], and the trim.
POINTS: Mapping[str, Mapping[str, float]] = {
    "alike": {},
    "2 mV um": {"mismatch.area_spread": 2e-9},
    "2 mV um, trimmed": {"mismatch.area_spread": 2e-9, **TRIM},
    "3.5 mV um, trimmed": {"mismatch.area_spread": 3.5e-9, **TRIM},
}


def measured(data: ms.Images, out: Path) -> Iterator[dict[str, Any]]:
    """Points, each with what it loses against stages that are alike."""
    alike = None
    for name, changes in POINTS.items():
        chip = ms.Chip(NETWORK, ms.load_device("fast-memristor", "freepdk45").change(**changes))
        run = out / f"{name.replace(' ', '-')}.h5"
        found = run_chips(chip, CHIPS, data, run, cycles=CYCLES, burst=CYCLES)
        right = found.correct()
        alike = right if alike is None else alike
        yield {
            "point": name,
            "changes": dict(changes),
            "accuracy": asdict(ms.statistics.chips_accuracy(right)),
            "loss": asdict(ms.statistics.paired_difference(alike, right)),
            "chips": right.mean(axis=1).tolist(),
            "apart": apart(chip, data) if "trim" not in name else None,
            **setting_of(found),
        }


def apart(chip: ms.Chip, data: ms.Images) -> dict[str, float]:
    """Share of the events of each spiking layer that are beyond what was measured."""
    found = {}
    for layer in (layer for layer in chip if layer.spiking):
        seen = layer.simulate(
            data[: WINDOWS["images"]],
            positions=WINDOWS["positions"],
            cycles=CYCLES,
            burst=CYCLES,
            fidelity="surrogate",
        ).pathwise
        found[layer.name] = seen.apart / (seen.apart + seen.events)
    return found


def table(result: Mapping[str, Any]) -> str:
    """Right answers and losses by point."""
    lines = [
        f"{result['network']}, {result['images']} test images, {result['chips']} chips, one burst "
        f"of {result['cycles']}",
        f"{'thresholds':22}{'right, %':22}{'of single chips':18}points lost",
    ]
    for item in result["points"]:
        right, loss = item["accuracy"], item["loss"]
        ends = " to ".join(f"{100 * end(item['chips']):.0f}" for end in (min, max))
        value, low, high = (100 * right[key] for key in ("value", "low", "high"))
        half = 50 * (loss["high"] - loss["low"])
        lost = "-" if item["point"] == "alike" else f"{100 * loss['value']:.1f} +- {half:.1f}"
        interval = f"{value:.1f} ({low:.1f} to {high:.1f})"
        lines.append(f"{item['point']:22}{interval:22}{ends:18}{lost}")
    return "\n".join(lines)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of CIFAR-10's binaries.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results/mismatch"))
def main(data: Path | None, out: Path) -> None:
    """Run all points and write what they found; a run that was stopped goes on."""
    out.mkdir(parents=True, exist_ok=True)
    images = ms.load_images(data or "cifar10", "test", IMAGES)
    points = list(measured(images, out))
    result = {
        "network": NETWORK,
        "device": "fast-memristor, freepdk45",
        "chips": CHIPS,
        "images": len(images),
        "cycles": CYCLES,
        "points": points,
    }
    text = json.dumps(result, indent=1, allow_nan=False) + "\n"
    (HERE / "result.json").write_text(text, encoding="utf-8")
    sys.stdout.write(table(result) + "\n")
    replace_block("mismatch_chips", table(result), HERE.parents[1] / "docs" / "periphery.md")


if __name__ == "__main__":
    main()
