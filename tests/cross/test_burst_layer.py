"""A stage that sums row pulses, in a layer: what its bench says, is what neurons get."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pytest

from memspice.analysis.energy import energy_balance
from memspice.analysis.sense_surface import OPTIONS, STEPS
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.blocks.subcircuit import SubcircuitStage
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.circuits.port_array_circuit import PortArrayCircuit
from memspice.circuits.power import event_values, layer_power, saved_signals
from memspice.circuits.sense_bench import (
    SenseBench,
    sense_bench_cycles,
    sense_bench_deck,
    sense_bench_signals,
)
from memspice.circuits.sense_surface import SenseSurface, Sheet, SurfaceError
from memspice.circuits.stage_table import read_sense
from memspice.engines import find_engine
from memspice.engines.base import Transient
from memspice.errors import ConfigError
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path

pytestmark = [pytest.mark.ngspice, pytest.mark.slow]

#: Half a volt of rows on lines of 100 uS; currents of both lines in each of two pulses, [A].
PULSES, LINE = 2, 100e-6
ROWS = np.array([[0.05, 0.04, 0.0], [0.03, 0.05, 0.0]])
CELLS = np.array([[60e-6, 40e-6], [30e-6, 50e-6], [10e-6, 10e-6]])
REST = 0.45


def burst_stage() -> SubcircuitStage:
    """Of bursts of two pulses; no surface is asked for, but for what it rests at."""
    path = resource_path("freepdk45", "sense_burst.toml")
    design = read_sense(tomllib.loads(path.read_text(encoding="utf-8"))["sense"], path)
    design = replace(design, stage=replace(design.stage, pulses=PULSES))
    needs = SenseNeeds(1.0, 8e-6, (LINE, LINE), 20e-9, "own", "a test")
    flat = Sheet(design.axes.nodes, np.full((*map(len, design.axes.nodes), 3), REST))
    error = SurfaceError(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    axes = (design.axes, design.conductances, design.pair)
    surface = SenseSurface(*axes, flat, (), 0.0, 0.0, 0.0, 0.0, error)
    return replace(design.sized(needs), surface=surface)


def burst_layer() -> LayerCircuit:
    chosen = load_parameter_set("fast-memristor")
    wires = ("wire_resistance_row", "wire_resistance_col", "driver_resistance")
    return LayerCircuit(
        conductances=(CELLS,),
        array=chosen.array.model_copy(update=dict.fromkeys(wires, 0.0)),
        sense=burst_stage(),
        bias_voltage=1.2,
        write_limits=(0.0, 2.0),
        neuron=chosen.neuron,
        latch=chosen.latch,
        timing=chosen.timing,
        spiking=True,
    )


def test_a_burst_in_a_layer_is_that_of_the_bench() -> None:
    layer, engine, array = burst_layer(), find_engine("ngspice"), PortArrayCircuit()
    stimulus = Stimulus(ROWS, np.full((PULSES, 1), 1e9), burst=PULSES)
    laid_out = stimulus.laid_out().cycles
    waves = engine.run(
        engine.write(layer_deck(layer, stimulus, array)),
        Transient(
            layer.lead(PULSES) + laid_out * layer.schedule.cycle,
            layer.timing.longest_step,
            from_rest=True,
        ),
        save=saved_signals(layer, array, PULSES),
        options=OPTIONS,
    ).after(layer.lead(PULSES))
    scale = layer.neuron.device.hazard.voltage_scale / layer.neuron.write_fraction
    drive = event_values(layer, stimulus, waves)["drive"][:, 0]
    power = layer_power(layer, stimulus, array, waves)
    balance = energy_balance(power, layer.schedule, laid_out)
    assert balance.closure < 1e-3

    bench = SenseBench(
        layer.sense.circuit,  # type: ignore[attr-defined]
        layer.schedule.cycle,
        layer.schedule.write,
        (ROWS @ CELLS).reshape(1, PULSES, 2),
        (LINE, LINE),
    )
    found = sense_bench_cycles(
        bench,
        -scale,
        engine.run(
            engine.write(sense_bench_deck(bench)),
            Transient(bench.duration, bench.cycle / STEPS, from_rest=True),
            save=sense_bench_signals(bench),
            options=OPTIONS,
        ),
    )
    # a lower drive of the circuit writes harder; the neuron looks at it in the middle of a write
    expected = layer.bias_voltage - (found.drive[0] - REST)
    assert drive == pytest.approx(np.full(PULSES, expected), abs=2e-3)
    assert found.sag[0] < 1e-3
    assert balance.components["sense"].sum() == pytest.approx(found.absorbed[0], rel=0.02)


def test_decks_of_several_bursts_are_refused() -> None:
    stimulus = Stimulus(ROWS.repeat(2, axis=0), np.ones((2 * PULSES, 1)), burst=PULSES)
    with pytest.raises(ConfigError, match="need a pause between them"):
        layer_deck(burst_layer(), stimulus, PortArrayCircuit())
