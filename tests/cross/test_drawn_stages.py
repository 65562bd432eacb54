"""Sense stages whose transistors differ: decks have the thresholds that were drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memspice.analysis.sense_surface import OPTIONS
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks.subcircuit import SubcircuitStage
from memspice.circuits.drawn_stages import DrawnStages
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.mismatch import StageMismatch, read_mismatch
from memspice.circuits.power import event_values
from memspice.circuits.sense_bench import (
    PLUS,
    SenseBench,
    sense_bench_cycles,
)
from memspice.engines import find_engine
from memspice.engines.waveforms import Waveforms
from memspice.resources import resource_path
from tests.cross.test_burst_layer import PULSES, ROWS, burst_layer, solved
from tests.sense_helpers import bench_waves
from tests.tables import EVERY_ENGINE

#: Drive per difference of the mean currents of a burst: two pulses of the eight, [ohm].
GAIN = -438e3 * PULSES / 8
SPREAD = 2e-9


def table(layer: LayerCircuit) -> StageMismatch:
    sense = layer.sense
    assert isinstance(sense, SubcircuitStage)
    library = sense.design.stage.library
    assert library is not None
    return read_mismatch(resource_path("freepdk45", "sense_burst_mismatch.toml"), library)


def with_stage(layer: LayerCircuit, thresholds: np.ndarray) -> LayerCircuit:
    """The same layer with thresholds (transistors,) of its only stage."""
    own = DrawnStages(table(layer), SPREAD, thresholds[None])
    return replace(layer, sense=replace(layer.sense, transistors=own))  # type: ignore[arg-type]


def waves_of(layer: LayerCircuit, name: str) -> Waveforms:
    stimulus = Stimulus(ROWS, np.full((PULSES, 1), 1e9), burst=PULSES)
    return solved(layer, stimulus, find_engine(name), OPTIONS)


def drive_of(layer: LayerCircuit, waves: Waveforms) -> float:
    """Write voltage of the first write, as events are judged by it, [V]."""
    stimulus = Stimulus(ROWS, np.full((PULSES, 1), 1e9), burst=PULSES)
    return float(event_values(layer, stimulus, waves)["drive"][0, 0])


def bench_drives(layer: LayerCircuit, currents: np.ndarray, name: str) -> tuple[np.ndarray, float]:
    """Drives (drives,) [V] of the layer's stage on its bench, and the level of the plus line."""
    sense = layer.sense
    assert isinstance(sense, SubcircuitStage)
    own = sense.transistors
    stage = replace(
        sense.circuit,
        library=own.library(sense.circuit.library),
        parameters={**sense.circuit.parameters, **own.parameters(0)},
    )
    cycle = (layer.schedule.cycle, layer.schedule.write)
    bench = SenseBench(stage, *cycle, currents, sense.conductances)
    waves = bench_waves(name, bench)
    scale = -layer.neuron.device.hazard.voltage_scale / layer.neuron.write_fraction
    settled = bench.starts[-1] + 12e-9
    level = float(np.interp(settled, waves.time, waves.voltage(PLUS))) - stage.line_level
    return sense_bench_cycles(bench, scale, waves).drive, level


@pytest.mark.ngspice
@pytest.mark.slow
def test_thresholds_of_zero_are_the_nominal_stage_to_the_last_bit() -> None:
    layer = burst_layer()
    zero = with_stage(layer, np.zeros(31))
    plain, drawn = (waves_of(one, "ngspice") for one in (layer, zero))
    assert "charge_sum_an" not in plain.log
    np.testing.assert_array_equal(drawn.time, plain.time)
    np.testing.assert_array_equal(drawn.voltage("held0"), plain.voltage("held0"))


@pytest.mark.slow
@EVERY_ENGINE
def test_a_deck_has_the_stage_that_its_bench_has(engine: str) -> None:
    plain = burst_layer()
    thresholds = table(plain).thresholds((), SPREAD, np.random.default_rng(3))
    layer = with_stage(plain, thresholds)
    currents = (ROWS @ plain.conductances[0]).reshape(1, PULSES, 2)
    (drive,), _ = bench_drives(layer, currents, engine)
    (nominal,), _ = bench_drives(plain, currents, "ngspice")
    assert abs(drive - nominal) > 5e-3
    # as of stages that do not differ: 0.3 % in the hazard
    found = drive_of(layer, waves_of(layer, engine))
    assert found == pytest.approx(layer.neuron.electrode - drive, abs=0.5e-3)


@pytest.mark.ngspice
@pytest.mark.slow
def test_one_threshold_does_what_the_table_says_of_it() -> None:
    layer = burst_layer()
    mismatch = table(layer)
    numbers = {one.name: row for row, one in enumerate(mismatch.transistors)}
    currents = np.array([[[5e-6, 5e-6]] * PULSES, [[5.5e-6, 4.5e-6]] * PULSES])
    (rest, moved), level = bench_drives(layer, currents, "ngspice")
    # load of the sum in writes, mirror, and line amplifier, each off by about three sd
    for name, shift in (("h", 30e-3), ("m2", 15e-3), ("a4", 21e-3)):
        thresholds = np.zeros(31)
        thresholds[numbers[name]] = shift
        off, ratio, apart = mismatch.effect(thresholds)
        (own, own_moved), own_level = bench_drives(
            with_stage(layer, thresholds), currents, "ngspice"
        )
        assert own_level - level == pytest.approx(off, rel=0.05, abs=0.2e-3)
        gain = (own_moved - own) / (moved - rest)
        # 2 % of the gain is what two pulses in the place of eight make of 1 mV
        assert np.log(gain) == pytest.approx(ratio, rel=0.1, abs=0.02)
        if name == "h":
            # nothing of it comes with the pulses: as much as eight of them are said to make of it
            assert own - rest == pytest.approx(apart * GAIN * 8 / PULSES, rel=0.1)
