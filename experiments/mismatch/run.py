"""What transistors that differ cost a network: 20 chips with drawn thresholds.

Claim of ours, to be tested: a sense stage in 45 nm whose thresholds differ by 2 or 3.5 mV um over
the root of each gate's area (both recalled for such a node, not read), and is trimmed as chips are,
still classifies.  ``cifar10-skip`` in one burst of 8 on the periphery ``freepdk45``; every
transistor of every neuron's stage is drawn from the chip's seed, and nothing else of it differs.
The same images and chips at every point, so that losses are of pairs.

    .venv/bin/python experiments/mismatch/run.py --data DIR

writes ``result.json`` beside this file, and the table of ``docs/periphery.md``: half an hour of a
processor for 300 images.  With ``--only`` points that are not named stay as they were found before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
import scipy

import memspice as ms

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # scripts, not a package
from chips import run_chips, setting_of  # noqa: E402
from readme import replace_block  # noqa: E402
from setting import CYCLES, NETWORK, POINTS  # noqa: E402

CHIPS, IMAGES = 20, 300
ALIKE = "alike"


def measured(data: ms.Images, out: Path, only: Collection[str]) -> Iterator[dict[str, Any]]:
    """Points of some names, each with what it loses against stages that are alike."""
    alike = None
    for name, changes in POINTS.items():
        if name not in {ALIKE, *only}:
            continue
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
            "between_chips": between_chips(alike, right),
            "chips": right.mean(axis=1).tolist(),
            **setting_of(found),
        }


def between_chips(alike: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """Standard deviation of what chips lose, without what their images and draws make of it, [1].

    Means of chips differ by that of chips and by chance of single answers, which is what is left of
    these once means of chips and images are taken away (analysis of variance, two ways, no
    repetition).  ``low`` and ``high`` are the 95 % interval, by chi squared of the means; ``half``
    is what chips alone, by Student, leave open of the mean loss.

    Parameters
    ----------
    alike, right : ndarray of bool, shape (chips, images)
        Whether answers were right, with stages alike and with drawn ones.
    """
    lost = np.asarray(alike, float) - right
    chips, images = lost.shape
    means = lost.mean(axis=1, keepdims=True)
    rest = lost - means - lost.mean(axis=0) + lost.mean()
    chance = (rest**2).sum() / ((chips - 1) * (images - 1)) / images
    squares = float(((means - lost.mean()) ** 2).sum())
    ends = scipy.stats.chi2.ppf([0.975, 0.025], chips - 1)
    value, low, high = (
        float(np.sqrt(max(squares / count - chance, 0.0))) for count in (chips - 1, *ends)
    )
    half = scipy.stats.t.ppf(0.975, chips - 1) * np.sqrt(squares / (chips - 1) / chips)
    return {
        "value": value,
        "low": low,
        "high": high,
        "chance": float(np.sqrt(chance)),
        "half": float(half),
    }


def table(result: Mapping[str, Any]) -> str:
    """Right answers and losses by point."""
    lines = [
        f"{result['network']}, {result['chips']} chips, one burst of {result['cycles']}",
        f"{'thresholds':22}{'images':8}{'right, %':22}{'of single chips':18}{'points lost':15}"
        "sd between chips",
    ]
    for item in result["points"]:
        right, loss, between = item["accuracy"], item["loss"], item.get("between_chips")
        ends = " to ".join(f"{100 * end(item['chips']):.0f}" for end in (min, max))
        value, low, high = (100 * right[key] for key in ("value", "low", "high"))
        half = 50 * (loss["high"] - loss["low"])
        lost = spread = "-"
        if item["point"] != ALIKE:
            lost = f"{100 * loss['value']:.1f} +- {half:.1f}"
        if item["point"] != ALIKE and between:
            spread = "{:.1f} ({:.1f} to {:.1f})".format(
                *(100 * between[key] for key in ("value", "low", "high"))
            )
        interval = f"{value:.1f} ({low:.1f} to {high:.1f})"
        lines.append(
            f"{item['point']:22}{right['images']:<8}{interval:22}{ends:18}{lost:15}{spread}"
        )
    return "\n".join(lines)


def sentences(result: Mapping[str, Any]) -> list[str]:
    """What the page says of each point, figures and all."""
    found = []
    for item in result["points"]:
        loss, between = item["loss"], item.get("between_chips")
        if item["point"] != ALIKE and between:
            lost, half = 100 * loss["value"], 50 * (loss["high"] - loss["low"])
            spread, low, high, own = (
                f"{100 * between[key]:.1f}" for key in ("value", "low", "high", "half")
            )
            found.append(
                f"{item['point']}: the mean chip loses {lost:.1f} +- {half:.1f} points, "
                f"+- {own} by chips alone, and chips differ by {spread} ({low} to {high})"
            )
    return found


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of CIFAR-10's binaries.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results/mismatch"))
@click.option("--only", multiple=True, type=click.Choice(list(POINTS)), help="Leave others as is.")
def main(data: Path | None, out: Path, only: tuple[str, ...]) -> None:
    """Run points and write what they found; a run that was stopped goes on."""
    out.mkdir(parents=True, exist_ok=True)
    images = ms.load_images(data or "cifar10", "test", IMAGES)
    file = HERE / "result.json"
    known = {each["point"]: each for each in json.loads(file.read_text("utf-8"))["points"]}
    found = {each["point"]: each for each in measured(images, out, only or list(POINTS))}
    result = {
        "network": NETWORK,
        "device": "fast-memristor, freepdk45",
        "chips": CHIPS,
        "cycles": CYCLES,
        "points": [{**known, **found}[name] for name in POINTS],
    }
    text = json.dumps(result, indent=1, allow_nan=False) + "\n"
    file.write_text(text, encoding="utf-8")
    sys.stdout.write(table(result) + "\n")
    replace_block("mismatch_chips", table(result), HERE.parents[1] / "docs" / "periphery.md")


if __name__ == "__main__":
    main()
