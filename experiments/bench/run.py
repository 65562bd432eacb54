"""What memspice costs beside its peers, and what a network of ImageNet's size would cost.

Claims.  (1) The port matrix of a wired crossbar takes at most 0.1, 0.6 and 6 s at 128, 256 and 512
cells a side, and at 256 with all 256 inputs is at least 15 times as fast as badcrossbar (Joksas and
Mehonic, SoftwareX 12, 100617 (2020)), to 1e-9 of its currents.  (2) ``reduced`` gives the spikes of
``full``, at least 200 times as fast at 64 x 64 cells.  (3) The network loop spends at least 60 % of
its time in matrix products at the machine's float32 rate, and does at least 3 times as many images
a second in one burst of 16 cycles as cycle by cycle.  (4) Two workers are at least 1.7 times as
fast as one.  ``bench.json`` says of each whether it held in this run, on what machine, under
what load, and whether the number was measured or scaled.

    .venv/bin/python -m benchmarks --out experiments/bench
    .venv/bin/python experiments/bench/run.py

The first measures into ``bench.json`` and ``bench.png``, for an hour or more; the second writes the
tables of ``docs/scale.md`` from it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from benchmarks.command import bench_text
from benchmarks.scale import WorkStage, bottleneck, stages
from memspice import plot

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))  # scripts, not a package
from readme import replace_block  # noqa: E402

PAGE = HERE.parents[1] / "docs" / "scale.md"
SIDES = (128, 256, 512)
PROCESSORS = (2, 64)
_COLUMNS = "{:34}{:>8}{:>10}{:>11}{:>9}{:>9}"


@click.command()
def main() -> None:
    """Write the tables of the page on scale."""
    content = json.loads((HERE / "bench.json").read_text(encoding="utf-8"))
    for name, text in tables(content).items():
        replace_block(name, text, PAGE)


def tables(content: Mapping[str, Any]) -> dict[str, str]:
    """Text of each block of the page."""
    return {"bench": bench_text(content), "scale": scale_text(content)}


def scale_text(content: Mapping[str, Any]) -> str:
    """Tables of the stages for each side of a tile."""
    heads = [f"h on {count}" for count in PROCESSORS]
    lines = []
    for side in SIDES:
        work = stages(content, side=side)
        title = f"tiles of {side} x {side}"
        lines.append(_COLUMNS.format(title, "pieces", "each", "proc. h", *heads))
        for stage in work:
            lines += _rows(stage)
        first = bottleneck([stage for stage in work if "full" not in stage.name])
        lines += [f"  without full windows, first: {first.name}, {first.hours:.3g} processor h", ""]
    return "\n".join(lines[:-1])


def _rows(stage: WorkStage) -> Iterator[str]:
    hours = [f"{stage.hours_on(count):.3g}" for count in PROCESSORS]
    each = plot.si(stage.cost.seconds, "s")
    yield _COLUMNS.format(f"  {stage.name}", stage.pieces, each, f"{stage.hours:.3g}", *hours)
    yield f"    {stage.cost.basis}"
    if stage.interval:
        low, high = stage.interval
        yield f"    95 %: {low:.3g} to {high:.3g} h"


if __name__ == "__main__":
    main()
