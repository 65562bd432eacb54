"""What corners of the process, and temperature, cost a network on transistors.

Question of ours: a chip is made for nominal transistors at 27 C; what does it answer elsewhere,
when it is not told, and when two of its numbers are set again?

    .venv/bin/python -m benchmarks.corner_chips --data DIR
    .venv/bin/python experiments/corners/run.py

The first measures into ``result.json`` beside this file, the second writes the table of
``docs/periphery.md`` from it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # scripts, not a package
from readme import replace_block  # noqa: E402


def table(result: Mapping[str, Any]) -> str:
    """Right answers, losses and joules by point."""
    lines = [
        f"{result['network']}, {result['images']} test images, one burst of {result['cycles']}",
        f"{'':22}{'rests at, V':13}{'gain, kohm':12}{'surface off, mV':17}{'right, %':10}"
        f"{'points lost':14}{'spikes an event':17}uJ",
    ]
    return "\n".join([*lines, *map(row, result["points"])])


def row(point: Mapping[str, Any]) -> str:
    """Line of a point."""
    loss = point["loss"]
    lost = f"{100 * loss['value']:.1f} +- {50 * (loss['high'] - loss['low']):.1f}"
    return (
        f"{point['corner']:5}{point['celsius']:2} C  {point['way']:11}"
        f"{point['rest']:<13.3f}{point['gain'] / 1e3:<12.0f}{point['off'] / 1e-3:<17.1f}"
        f"{100 * point['accuracy']['value']:<10.1f}"
        f"{'-' if point['way'] == 'as made' else lost:14}"
        f"{point['spikes']:<17.3f}{point['joule'] / 1e-6:.2f}"
    )


@click.command()
def main() -> None:
    """Write the table."""
    text = table(json.loads((HERE / "result.json").read_text(encoding="utf-8")))
    sys.stdout.write(text + "\n")
    replace_block("corner_chips", text, HERE.parents[1] / "docs" / "periphery.md")


if __name__ == "__main__":
    main()
