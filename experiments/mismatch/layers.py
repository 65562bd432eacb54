"""One chip whose transistors differ, in ``reduced``: decks of every layer beside what is said.

Claim of ours, to be tested: the network loop knows a chip of 45 nm transistors by three numbers a
neuron, but for a residual of its drives.  Seed 0 of the chips of ``run.py``, thresholds of 2 mV um:
neurons of every spiking layer of ``cifar10-skip``, each in a window of an image of its own, in one
burst of 8, in decks of transistors that have the same draws.  A spike may differ where the hazard
integral is within 4 standard deviations of the stated residual from its threshold, and so many
should as follow from it.

    .venv/bin/python experiments/mismatch/layers.py --data DIR

writes ``layers.json`` beside this file, and the table of ``docs/periphery.md``; a quarter of an
hour of two processors.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

import memspice as ms
from benchmarks.drawn_layers import chance, drawn_decks, summary, within

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # scripts, not a package
from readme import replace_block  # noqa: E402
from setting import CYCLES, NETWORK, POINTS  # noqa: E402

POINT = "2 mV um"
#: Of the first layer, whose neurons have one stage each, and of every other one.
FIRST, OTHERS = 24, 10
PAGE = HERE.parents[1] / "docs" / "periphery.md"
_COLUMNS = "{:8}{:>6}{:>7}{:>6}{:>8}{:>10}{:>9}{:>20}{:>8}{:>12}"
_COUNTED = ("decks", "events", "apart", "mismatches", "expected", "outside")


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of CIFAR-10's binaries.")
@click.option("--jobs", default=2, show_default=True, help="Decks at a time.")
def main(data: Path | None, jobs: int) -> None:
    """Run all decks and write what they found; those that are in the cache are not run again."""
    chip = ms.Chip(NETWORK, ms.load_device("fast-memristor", "freepdk45").change(**POINTS[POINT]))
    images = ms.load_images(data or "cifar10", "test", max(FIRST, OTHERS))
    request = chip.request(images, cycles=CYCLES, burst=CYCLES)
    execution = ms.Execution(workers=jobs, cache=True)
    names = [layer.name for layer in chip if layer.spiking]
    counts = dict.fromkeys(names, OTHERS) | {names[0]: FIRST}
    decks = drawn_decks(request, counts, execution=execution, progress=tell)
    made = request.provenance({}, ms.Ngspice(), "")
    result = {
        "network": NETWORK, "device": "fast-memristor, freepdk45", "changes": dict(POINTS[POINT]),
        "seed": chip.seed, "cycles": CYCLES, "engine": f"ngspice {ms.Ngspice().info.version}",
        "layers": {name: summary(each) for name, each in decks.items()},
        "config": made.config_sha256, "versions": dict(made.versions),
    }  # fmt: skip
    text = json.dumps(result, indent=1, allow_nan=False) + "\n"
    (HERE / "layers.json").write_text(text, encoding="utf-8")
    click.echo(table(result))
    replace_block("mismatch_layers", table(result), PAGE)


def tell(stage: str, done: int, total: int) -> None:
    """Say how far it is, a line each."""
    click.echo(f"{stage}: {done} of {total}", err=True)


def table(result: Mapping[str, Any]) -> str:
    """What decks say, by layer and of all."""
    layers = result["layers"]
    lines = [
        f"{result['network']}, thresholds of {POINT}, chip of seed {result['seed']}, "
        f"{result['engine']}",
        _COLUMNS.format("layer", "decks", "events", "apart", "spikes", "expected", "outside",
                        "drive off, mV, rms", "worst", "stated, mV"),
    ]  # fmt: skip
    lines += [_row(name, [item]) for name, item in layers.items()]
    return "\n".join([*lines, _row("all", list(layers.values()))])


def _row(name: str, layers: Sequence[Mapping[str, Any]]) -> str:
    """Row of one layer or of all."""
    off, stated = (
        1e3 * np.array([value for item in layers for value in item[key]])
        for key in ("off", "residual")
    )
    count = {key: sum(item[key] for item in layers) for key in _COUNTED}
    return _COLUMNS.format(
        name,
        count["decks"],
        count["events"],
        count["apart"],
        count["mismatches"],
        f"{count['expected']:.2f}",
        count["outside"],
        f"{rms(off):.2f}",
        f"{np.abs(off).max(initial=0.0):.2f}",
        f"{rms(stated):.2f}",
    )


def rms(values: np.ndarray) -> float:
    """Root of the mean square, 0 of none."""
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0


def sentences(result: Mapping[str, Any]) -> list[str]:
    """What the page says of it, figures and all."""
    layers = list(result["layers"].values())
    found, expected = (sum(item[key] for item in layers) for key in ("mismatches", "expected"))
    near, apart = within(layers)
    count = sum(len(item["off"]) for item in layers)
    shares = [
        sum(item[key] * len(item["off"]) for item in layers) / count
        for key in ("share", "share_expected")
    ]
    worst = max(abs(value) for item in layers for value in (0.0, *item["apart_off"]))
    return [
        f"{found} spikes differ where {expected:.1f} are expected (as far off or further: "
        f"{chance(found, expected):.0%} of all times)",
        "of all draws {:.2%} would end an event otherwise, {:.2%} by a normal residual".format(
            *shares
        ),
        f"{near} of {apart} drives apart are within the margin all the same, "
        f"the worst is {worst:.2f} V off",
    ]


if __name__ == "__main__":
    main()
