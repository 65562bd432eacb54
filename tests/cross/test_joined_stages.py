"""Lines of more conductance than a stage bears: stages side by side, drives joined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memspice.analysis.energy import energy_balance
from memspice.analysis.sense_surface import OPTIONS
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.library import Library
from memspice.circuits.sense_bench import (
    ClockedStage,
    SenseBench,
    SenseCycles,
    sense_bench_cycles,
)
from memspice.circuits.sense_surface import SenseSurface, Sheet, SurfaceError
from memspice.engines import find_engine
from tests.cross.test_own_sense import unmeasured_layer
from tests.helpers import simulate
from tests.sense_helpers import CYCLE, UA, V0, WRITE, bench_waves, e3_table, read

pytestmark = [pytest.mark.ngspice, pytest.mark.vacask, pytest.mark.slow]

COUNT = 3
#: Resistances that would not go down with the lines'.
_WIRES = ("wire_resistance_row", "wire_resistance_col", "driver_resistance")


def side_by_side(stage: ClockedStage) -> ClockedStage:
    """A subcircuit of so many of a stage, all their terminals joined; lines and loads too."""
    assert stage.library is not None
    terminals = " ".join(stage.library.headers[stage.subcircuit].terminals)
    inner = "\n".join(f"X{n} {terminals} {stage.subcircuit}" for n in range(COUNT))
    text = f"{stage.library.text}\n.subckt joined {terminals}\n{inner}\n.ends joined\n"
    resistance, capacitance = stage.load
    return replace(
        stage,
        library=Library("joined", text, stage.library.cards),
        subcircuit="joined",
        line_capacitance=COUNT * stage.line_capacitance,
        load=(resistance / COUNT, COUNT * capacitance),
    )


def cycles(engine: str, stage: ClockedStage, count: int) -> SenseCycles:
    points = count * np.array([(4, 4), (4.4, 3.7), (4, 5), (4.4, 3.7)]) * UA
    bench = SenseBench(stage, CYCLE, WRITE, points, (count * 150e-6, count * 150e-6))
    return sense_bench_cycles(bench, V0, bench_waves(engine, bench))


@pytest.mark.parametrize("engine", ["ngspice", "vacask"])
def test_joined_stages_are_one_stage_with_its_share(engine: str) -> None:
    stage = read(e3_table())
    one, joined = cycles(engine, stage, 1), cycles(engine, side_by_side(stage), COUNT)
    # steps of the two decks are not the same: 0.1 mV and 0.1 %
    assert joined.drive == pytest.approx(one.drive, abs=2e-4)
    assert joined.absorbed == pytest.approx(COUNT * one.absorbed, rel=2e-3)


def layer_of(count: int) -> LayerCircuit:
    """Two neurons; what a surface says, is not asked for, but for what the stage rests at."""
    layer = unmeasured_layer(outputs=2, count=count)
    stage = layer.sense.unmeasured
    assert stage is not None
    assert stage.multiplicity == count
    flat = Sheet(stage.axes.nodes, np.full((*map(len, stage.axes.nodes), 3), 0.61))
    error = SurfaceError(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    surface = SenseSurface(stage.axes, stage.conductances, 2.0, flat, (), 0.0, 0.0, 0.0, 0.0, error)
    array = layer.array.model_copy(update=dict.fromkeys(_WIRES, 0.0))
    return replace(layer, sense=stage.with_surface(surface), array=array)


@pytest.mark.parametrize("engine", ["ngspice", "vacask"])
def test_a_layer_of_joined_stages_repeats_one_on_lines_of_one_share(engine: str) -> None:
    """The deck has one of the stages, and a source that takes the others' currents."""
    draws = np.random.default_rng(5)
    rows, thresholds = 0.08 * (draws.random((2, 24)) < 0.35), draws.exponential(size=(2, 2))
    found = []
    for count in (1, COUNT):
        layer = layer_of(count)
        stimulus = Stimulus(rows, thresholds)
        ran = simulate(layer, stimulus, "reduced", OPTIONS, find_engine(engine))
        balance = energy_balance(ran.power, layer.schedule, 2)
        assert balance.closure < 1e-3
        found.append((ran.hazard, balance.components))
    (hazard, energy), (joined, more) = found
    np.testing.assert_allclose(joined, hazard, rtol=2e-3)
    for part in ("sense", "crossbar"):
        assert more[part].sum() == pytest.approx(COUNT * energy[part].sum(), rel=2e-3)
