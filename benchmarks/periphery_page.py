"""``python -m benchmarks.periphery_page``: measure the periphery, write the tables of its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.answer import answer
from benchmarks.joined import joined_table
from benchmarks.level_driver import level_driver, level_table
from benchmarks.periphery import (
    FJ,
    UA,
    Corner,
    Measured,
    all_blocks,
    all_corners,
)

DOCS = Path(__file__).parents[1] / "docs"
ENGINES = ("ngspice", "vacask")


def block_table(columns: Sequence[Sequence[Measured]]) -> Iterator[str]:
    """Lines of the table of blocks: a column an engine, the prototype's figures, and the ratio."""
    yield f"| block | figure | {' | '.join(ENGINES)} | prototype | ratio |"
    yield "|---|---|---|---|---|---|"
    for row in zip(*columns, strict=True):
        first = row[0]
        values = " | ".join(f"{item.value:.4g}" for item in row)
        before = "-" if first.prototype is None else f"{first.prototype:.4g}"
        ratio = f"{first.value / first.prototype:.2f}" if first.prototype else "-"
        yield f"| {first.block} | {first.what}, {first.unit} | {values} | {before} | {ratio} |"


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


def write_tables(tables: Mapping[str, str]) -> None:
    """Put tables into the page, each between the marks of its name."""
    page = DOCS / "periphery.md"
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        before, mark, rest = text.partition(f"<!-- {name} -->\n")
        text = f"{before}{mark}{table}\n<!-- end -->{rest.partition('<!-- end -->')[2]}"
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Measure everything, write all tables."""
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
