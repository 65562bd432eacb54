"""A stage that sums row pulses, wired to a neuron of transistors: what its bench says, it gets."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pytest

from memspice.analysis.energy import energy_balance
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.blocks.subcircuit import SubcircuitStage
from memspice.circuits.energy_model import share_switched
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.circuits.port_array_circuit import PortArrayCircuit
from memspice.circuits.power import event_values, layer_power, saved_signals
from memspice.circuits.sense_bench import (
    SenseBench,
    sense_bench_cycles,
)
from memspice.circuits.sense_surface import SenseSurface, Sheet, SurfaceError
from memspice.circuits.stage_table import read_sense
from memspice.circuits.surface_axes import DifferenceAxes
from memspice.engines import find_engine
from memspice.engines.base import Engine, SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path
from memspice.windows.simulated import layer_options
from tests.helpers import changed, switched_set
from tests.sense_helpers import bench_waves

#: Half a volt of rows on lines of 100 uS; currents of both lines in each of two pulses, [A].
PULSES, LINE = 2, 100e-6
ROWS = np.array([[0.05, 0.04, 0.0], [0.03, 0.05, 0.0]])
CELLS = np.array([[60e-6, 40e-6], [30e-6, 50e-6], [10e-6, 10e-6]])
#: What a neuron alone is as a load of its stage, [ohm] and [F].
NEURON = (1e12, 5e-15)
#: What the stage rests at after two pulses, and what a difference of currents makes of it.
REST, GAIN = 0.4390, -110e3


def burst_stage() -> SubcircuitStage:
    """Of bursts of two pulses, with a plane in the place of its surface."""
    path = resource_path("freepdk45", "sense_burst.toml")
    design = read_sense(tomllib.loads(path.read_text(encoding="utf-8"))["sense"], path)
    design = replace(design, stage=replace(design.stage, pulses=PULSES))
    needs = SenseNeeds(1.0, 8e-6, (LINE, LINE), 20e-9, "own", "a test")
    assert isinstance(design.axes, DifferenceAxes)
    drives = REST + GAIN * np.add.outer(design.axes.balance, design.axes.nodes[1])
    flat = Sheet(design.axes.nodes, np.stack([drives, *(3 * [0 * drives])], axis=-1))
    error = SurfaceError(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    axes = (design.axes, design.conductances, design.pair)
    surface = SenseSurface(*axes, flat, (), 0.0, 0.0, 0.0, 0.0, error)
    return replace(design.sized(needs), surface=surface)


def burst_layer(name: str | None = None) -> LayerCircuit:
    """One output behind three rows; by default a neuron behind transistor switches."""
    chosen = load_parameter_set(name or switched_set())
    neuron = chosen.neuron
    if neuron.falls:  # the electrode that makes 1.2 V of what the stage rests at
        neuron = changed(neuron, "path", electrode_voltage=1.2 + REST)
    wires = ("wire_resistance_row", "wire_resistance_col", "driver_resistance")
    layer = LayerCircuit(
        conductances=(CELLS,),
        array=chosen.array.model_copy(update=dict.fromkeys(wires, 0.0)),
        sense=burst_stage(),
        bias_voltage=1.2,
        write_limits=(0.0, 2.0),
        neuron=neuron,
        latch=chosen.latch,
        timing=chosen.timing,
        spiking=True,
    )
    return layer if layer.turned else replace(layer, sense=burst_stage().joined(REST))


def solved(
    layer: LayerCircuit,
    stimulus: Stimulus,
    engine: Engine,
    options: SolverOptions,
    *,
    lumped: bool = False,
) -> Waveforms:
    """Waveforms of the layer's deck behind its warm-up."""
    array = PortArrayCircuit()
    deck = layer_deck(layer, stimulus, array)
    stop = layer.lead + stimulus.laid_out().cycles * layer.schedule.cycle
    return engine.run(
        engine.write(deck.lumped() if lumped else deck),
        Transient(stop, layer.timing.longest_step, from_rest=True),
        save=saved_signals(layer, array, stimulus.burst),
        options=options,
    ).after(layer.lead)


@pytest.mark.slow
@pytest.mark.ngspice
def test_what_windows_save_costs_a_drive_less_than_a_third_of_a_millivolt() -> None:
    layer, engine, array = burst_layer(), find_engine("ngspice"), PortArrayCircuit()
    stimulus = Stimulus(ROWS, np.full((PULSES, 1), 1e9), burst=PULSES)
    tight = SolverOptions(reltol=3e-5, chgtol=1e-17, trtol=1.0, vntol=1e-6, method="trap")
    drives, joules = [], []
    for options, lumped in ((tight, False), (layer_options(layer), True)):
        waves = solved(layer, stimulus, engine, options, lumped=lumped)
        power = layer_power(layer, stimulus, array, waves)
        balance = energy_balance(power, layer.schedule, stimulus.laid_out().cycles)
        hazard = event_values(layer, stimulus, waves)["hazard"]
        drives.append(
            np.log(hazard) * layer.neuron.device.hazard.voltage_scale / layer.neuron.write_fraction
        )
        joules.append(sum(part.sum() for part in balance.components.values()))
    # Each pulse may be off by as much: 0.3 mV are allowed in eight of them.
    np.testing.assert_allclose(drives[1], drives[0], atol=0.3e-3 * PULSES / 8)
    assert joules[1] == pytest.approx(joules[0], rel=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ngspice", "vacask"])
def test_neurons_get_what_the_bench_says_and_the_stage_sinks_their_current(
    name: str, request: pytest.FixtureRequest
) -> None:
    request.applymarker(getattr(pytest.mark, name))
    layer, engine, array = burst_layer(), find_engine(name), PortArrayCircuit()
    # the neuron switches in the middle of the first write, and not at all in the second
    stimulus = Stimulus(ROWS, np.array([[0.3], [1e9]]), burst=PULSES)
    laid_out = stimulus.laid_out().cycles
    waves = solved(layer, stimulus, engine, layer_options(layer), lumped=True)
    events = event_values(layer, stimulus, waves)
    assert (events["spike"].ravel() > 0.5).tolist() == [True, False]
    power = layer_power(layer, stimulus, array, waves)
    balance = energy_balance(power, layer.schedule, laid_out)
    assert balance.closure < 1e-3
    # without what the stage sinks of the electrode's power, 2 % of all, nothing closes
    sunk = waves.voltage("held0") * waves.current("vshift0")
    less = energy_balance(replace(power, sense=power.sense - sunk), layer.schedule, laid_out)
    assert less.closure > 0.01
    sense = layer.sense
    assert isinstance(sense, SubcircuitStage)
    currents = (ROWS @ CELLS).reshape(1, PULSES, 2)
    cycle = (layer.schedule.cycle, layer.schedule.write)
    bench = SenseBench(sense.circuit, *cycle, currents, sense.conductances)
    scale = -layer.neuron.device.hazard.voltage_scale / layer.neuron.write_fraction
    found = sense_bench_cycles(bench, scale, bench_waves(name, bench))
    # What events are judged by is the voltage that sets the device; tolerances take 0.3 mV off
    # either run, 0.4 % in the hazard.  When it has switched its current moves the drive by 68 mV,
    # which is no matter to anything but joules.
    expected = layer.neuron.electrode - found.drive[0]
    assert events["drive"] == pytest.approx(np.full((PULSES, 1), expected), abs=0.7e-3)
    hazard = np.exp(layer.log_hazard(events["drive"]))
    assert events["hazard"] == pytest.approx(hazard, rel=0.01)
    assert found.sag[0] < 1e-3
    joules = balance.components["sense"]
    quiet = joules.sum() - joules[PULSES] + joules[PULSES + 1]
    # The table's load is less than a neuron, which joined stages share, and leaves 1.7 fJ a write
    # out; with a whole one nothing is left.
    whole = replace(bench, stage=replace(sense.circuit, load=NEURON))
    taken = sense_bench_cycles(whole, scale, bench_waves(name, whole)).absorbed[0]
    assert quiet == pytest.approx(taken, rel=0.005)
    assert quiet - found.absorbed[0] == pytest.approx(PULSES * 1.65e-15, rel=0.3)
    # the electrode's power of a switched device goes to device and resistor, and to the stage
    on = share_switched(events["hazard"], stimulus.thresholds)
    source = layer.source_resistance(events["drive"])
    given = [
        power(events["drive"], on, source) * layer.schedule.write.area
        for power in (layer.neuron.write_power, layer.neuron.sunk_power)
    ]
    written = balance.components["neuron_write"]
    taken = [written[PULSES] - written[PULSES + 1], joules[PULSES] - joules[PULSES + 1]]
    expected = [each[0] - each[1] for each in given]
    # a switch of 1 ns, which the closed form has at once
    assert taken[0] == pytest.approx(expected[0], rel=0.02)
    # 0.6 % of what the stage takes an event: its own currents move with the drive
    assert taken[1] == pytest.approx(expected[1], abs=0.006 * quiet / PULSES)


@pytest.mark.slow
@pytest.mark.ngspice
def test_a_drive_at_ground_stays_there_when_its_device_switches() -> None:
    """Where the stage ends it has no resistance: a write takes 8 % more than with its table's."""
    layer, array = burst_layer(), PortArrayCircuit()
    rows = np.array([[0.33, 0.0, 0.0], [0.33, 0.0, 0.0]])
    stimulus = Stimulus(rows, np.array([[1.0], [1e9]]), burst=PULSES)
    waves = solved(layer, stimulus, find_engine("ngspice"), layer_options(layer), lumped=True)
    events = event_values(layer, stimulus, waves)
    assert layer.drive_for(events["drive"]).max() < 0.01
    power = layer_power(layer, stimulus, array, waves)
    balance = energy_balance(power, layer.schedule, stimulus.laid_out().cycles)
    written = balance.components["neuron_write"]
    on = share_switched(events["hazard"], stimulus.thresholds)
    source = layer.source_resistance(events["drive"])
    expected = layer.neuron.write_power(events["drive"], on, source) * layer.schedule.write.area
    # the closed form has a switch at once
    taken = written[PULSES] - written[PULSES + 1]
    assert taken == pytest.approx(expected[0] - expected[1], rel=0.025)


def test_the_resistance_of_a_drive_ends_at_ground() -> None:
    stage = burst_stage()
    level = np.array([0.0, 1e-4, 1e-3, 0.01, 0.1, 0.3, 1.0])
    found = stage.source_resistance(level)
    assert found[0] == 0.0
    assert (np.diff(found) > 0).all()
    assert found[-1] == pytest.approx(stage.circuit.output / stage.multiplicity)
    # a transistor's channel: as the voltage over it, below k T / q
    assert found[1] / found[-1] == pytest.approx(1e-4 / 25.9e-3, rel=0.01)


def test_decks_of_several_bursts_are_refused() -> None:
    stimulus = Stimulus(ROWS.repeat(2, axis=0), np.ones((2 * PULSES, 1)), burst=PULSES)
    with pytest.raises(ConfigError, match="need a pause between them"):
        layer_deck(burst_layer(), stimulus, PortArrayCircuit())
