"""Stage E3 as the package has it, and what tests change of it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from memspice.analysis.sense_surface import OPTIONS, STEPS, SenseConditions
from memspice.circuits.sense_bench import (
    ClockedStage,
    SenseBench,
    SenseCycles,
    sense_bench_cycles,
    sense_bench_deck,
    sense_bench_signals,
)
from memspice.circuits.stage_table import read_stage
from memspice.circuits.surface_axes import LineAxes, spread
from memspice.circuits.timing import Pulse
from memspice.engines import find_engine
from memspice.engines.base import Transient
from memspice.engines.waveforms import Waveforms
from memspice.resources import resource_path

NS, UA = 1e-9, 1e-6
CYCLE = 150 * NS
#: 100 ns flat, from 24 ns on.
WRITE = Pulse(23 * NS, 125 * NS, 1 * NS)
#: Slope of the memristor's hazard law, [V].
V0 = 0.156


def e3_table() -> dict[str, Any]:
    text = resource_path("freepdk45", "sense_e3.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["sense"]


def read(table: Mapping[str, Any], folder: Path | None = None) -> ClockedStage:
    place = resource_path("freepdk45") if folder is None else folder
    return read_stage(table, place / "set.toml")


def conditions(nodes: int, share: float = 0.0) -> SenseConditions:
    """2 to 8 uA on lines of 150 uS, give or take a share."""
    conductances = (150e-6 * (1 - share), 150e-6 * (1 + share))
    limits = (2 * UA, 8 * UA)
    axes = LineAxes(limits, (spread(limits, nodes),) * 2)
    return SenseConditions(CYCLE, WRITE, conductances, (1 + share) / (1 - share), axes, V0)


def bench_waves(engine: str, bench: SenseBench) -> Waveforms:
    """Waveforms of a bench, with the tolerances of a surface."""
    simulator = find_engine(engine)
    return simulator.run(
        simulator.write(sense_bench_deck(bench)),
        Transient(stop=bench.duration, max_step=bench.cycle / STEPS, from_rest=True),
        save=sense_bench_signals(bench),
        options=OPTIONS,
    )


def simulate(engine: str, stage: ClockedStage, currents: np.ndarray) -> SenseCycles:
    """Cycles of a stage on lines of 150 uS and 30 fF."""
    bench = SenseBench(stage, CYCLE, WRITE, currents, (150e-6, 150e-6))
    return sense_bench_cycles(bench, V0, bench_waves(engine, bench))
