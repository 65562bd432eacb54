"""``python -m benchmarks.periphery_page``: measure the periphery, write its page and figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.answer import answer
from benchmarks.joined import joined_table
from benchmarks.level_driver import level_driver, level_table
from benchmarks.periphery import (
    CYCLE,
    FJ,
    NS,
    UA,
    Corner,
    Measured,
    all_blocks,
    all_corners,
    sense,
    stage,
)
from memspice.plot.style import MUTED, SPICE, SURROGATE, headline, new_figure, save, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOCS = Path(__file__).parents[1] / "docs"
ENGINES = ("ngspice", "vacask")


def block_table(columns: Sequence[Sequence[Measured]]) -> Iterator[str]:
    """Lines of the table of blocks: a column an engine, and the prototype's figures."""
    yield f"| block | figure | {' | '.join(ENGINES)} | prototype |"
    yield "|---|---|---|---|---|"
    for row in zip(*columns, strict=True):
        first = row[0]
        values = " | ".join(f"{item.value:.4g}" for item in row)
        before = "-" if first.prototype is None else f"{first.prototype:.4g}"
        yield f"| {first.block} | {first.what}, {first.unit} | {values} | {before} |"


def corner_table(corners: Sequence[Corner]) -> Iterator[str]:
    """Lines of the table of corners."""
    yield (
        "| corner | vtail made, V | generator, uA | gain at 0.585 V, kohm | gain at vtail, kohm | "
        "fJ at 5 and 5 uA |"
    )
    yield "|---|---|---|---|---|---|"
    for corner in corners:
        yield (
            f"| {corner.name} | {corner.vtail:.3f} | {corner.generator_current / UA:.1f} | "
            f"{corner.fixed_gain / 1e3:.1f} | {corner.gain / 1e3:.1f} | {corner.energy / FJ:.0f} |"
        )


def draw() -> Figure:
    """Drive within a cycle for three pairs of currents; joules of a cycle by where they go."""
    figure = new_figure(3.2)
    course, joules = figure.subplots(1, 2, width_ratios=(1.6, 1))
    own = stage("sense_e3_driven")
    points = np.array([(8, 2), (5, 5), (2, 8)]) * UA
    cycles, waves = sense("ngspice", own, points)
    for number, (point, color) in enumerate(zip(points, (SPICE, MUTED, SURROGATE), strict=True)):
        start = (number + 1) * CYCLE
        inside = (waves.time >= start) & (waves.time <= start + 60 * NS)
        label = f"{point[0] / UA:.0f} and {point[1] / UA:.0f} uA"
        time = (waves.time[inside] - start) / NS
        course.plot(time, waves.voltage("drive")[inside], color=color, label=label)
    course.set_xlabel("time in a cycle, ns")
    course.set_ylabel("drive, V")
    course.legend(frameon=False, title="plus and minus line")
    parts = {
        "amplifier, dump": ("vdd", "vlogic"),
        "bit lines": ("lines",),
        "vmid": ("vmid",),
        "clock drivers": ("vclock", *own.clocks),
    }
    values = [sum(float(cycles.energy[name][1]) for name in names) / FJ for names in parts.values()]
    joules.barh(list(parts), values, color=SPICE)
    joules.set_xlabel("fJ a cycle at 5 and 5 uA")
    for axis in (course, joules):
        tidy(axis)
    headline(figure, "Sense stage E3 of 45 nm transistors")
    return figure


def write_tables(tables: Mapping[str, str]) -> None:
    """Put tables into the page, each between the marks of its name."""
    page = DOCS / "periphery.md"
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        before, mark, rest = text.partition(f"<!-- {name} -->\n")
        text = f"{before}{mark}{table}\n<!-- end -->{rest.partition('<!-- end -->')[2]}"
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Measure everything, write the figure and all tables."""
    save(draw(), DOCS / "figures" / "periphery.svg")
    levels = [level_driver(engine) for engine in ENGINES]
    columns = [
        [*all_blocks(engine), *figures, *answer(engine)]
        for engine, (figures, _) in zip(ENGINES, levels, strict=True)
    ]
    tables = {
        "blocks": "\n".join(block_table(columns)),
        "levels": "\n".join(level_table(levels[0][1])),
        "corners": "\n".join(corner_table(all_corners(ENGINES[0]))),
        "joined": "\n".join(joined_table()),
    }
    write_tables(tables)


if __name__ == "__main__":
    main()
