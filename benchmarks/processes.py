"""``python -m benchmarks.processes``: the same blocks in two processes, side by side, on VACASK."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.periphery import (
    FREEPDK45,
    IHP_SG13G2,
    Process,
    copier_figures,
    gate_area,
    latch,
    row_driver,
)
from benchmarks.periphery_page import write_tables

ENGINE = "vacask"
#: What is measured of each block, and the block whose gates are counted.
BLOCKS = {"latch": latch, "row_driver": row_driver, "sense_copier_driven": copier_figures}


def process_table(old: Process = FREEPDK45, new: Process = IHP_SG13G2) -> Iterator[str]:
    """Lines of the table: a row a figure, and the second process over the first."""
    yield f"| block | figure | {old.name} | {new.name} | ratio |"
    yield "|---|---|---|---|---|"
    for block, measure in BLOCKS.items():
        columns = ([*measure(ENGINE, process), gate_area(block, process)] for process in (old, new))
        for first, second in zip(*columns, strict=True):
            # a memory below 0.1 mV is the solver's noise
            noise = first.unit == "mV" and max(abs(first.value), abs(second.value)) < 0.1
            ratio = "-" if noise else f"{second.value / first.value:.2f}"
            what = f"{first.what}, {first.unit}"
            yield f"| {block} | {what} | {first.value:.4g} | {second.value:.4g} | {ratio} |"


if __name__ == "__main__":
    write_tables({"processes": "\n".join(process_table())})
