"""``python -m benchmarks.processes``: the same blocks in two processes, side by side, on VACASK."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from benchmarks.burst_page import BLOCK, PULSES, by_part, constant
from benchmarks.burst_stage import BurstBench, burst_stage, run_bursts
from benchmarks.periphery import (
    FJ,
    FREEPDK45,
    IHP_SG13G2,
    UA,
    Measured,
    Process,
    copier_figures,
    gate_area,
    latch,
    row_driver,
)
from benchmarks.periphery_page import write_tables

ENGINE = "vacask"


def burst_figures(engine: str, process: Process) -> list[Measured]:
    """Bursts of eight equal pulses on the stage that sums them, and one write cycle."""
    own, pairs = burst_stage(process=process), ((4.5, 4.5), (4.0, 5.0), (5.0, 4.0))
    found = run_bursts(engine, BurstBench(own, constant(*pairs), 1, {}))
    alike, low, high = found.drive[:, 0]
    pulse = {name: joules[0, 0] / PULSES for name, joules in found.energy.items()}
    write = sum(joules[0, 1] for joules in found.energy.values())
    figures = (
        ("gain of a burst, mean difference", (high - low) / (2 * UA) / 1e3, "kohm"),
        ("drive at equal currents, 4.5 uA", alike, "V"),
        ("drive at 4 and 5 uA", low, "V"),
        ("drive at 5 and 4 uA", high, "V"),
        ("a pulse at 4.5 and 4.5 uA", sum(pulse.values()) / FJ, "fJ"),
        *((f"of it {name}", part / FJ, "fJ") for name, part in by_part(own, pulse).items()),
        ("the first write cycle", write / FJ, "fJ"),
    )
    return [Measured(BLOCK, what, value, unit) for what, value, unit in figures]


#: What is measured of each block.
BLOCKS: Mapping[str, Callable[[str, Process], list[Measured]]] = {
    "latch": latch,
    "row_driver": row_driver,
    "sense_copier_driven": copier_figures,
    BLOCK: burst_figures,
}


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
