"""A layer on transistors (``--periphery freepdk45``): surrogate and circuit, spike by spike."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from memspice.analysis.energy import energy_balance
from memspice.analysis.sense_surface import OPTIONS, measure_sense_surface, with_surfaces
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.blocks.subcircuit import SubcircuitStage
from memspice.circuits.energy_model import closed_form_energy
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.circuits.port_array_circuit import PortArrayCircuit
from memspice.circuits.power import event_values, layer_power, saved_signals
from memspice.circuits.surface_axes import spread
from memspice.engines import find_engine
from memspice.engines.base import Transient
from memspice.jobs import Execution, open_runner
from memspice.parameters import load_parameter_set

pytestmark = [pytest.mark.ngspice, pytest.mark.slow]

CYCLES, OUTPUTS, ROWS = 16, 4, 24
LINE = 100e-6  # S
#: Of the mean currents of two lines, [A].
MEANS = (2e-6, 8e-6)
#: Without wires and drivers all lines have this conductance to the last digit.
_WIRES = ("wire_resistance_row", "wire_resistance_col", "driver_resistance")


def copier_layer() -> LayerCircuit:
    """Four neurons of which one V0 is 0.4 uA, as in digits-mlp on stronger rows.

    The surface is that of the periphery where this layer needs it, to save two thirds of its decks.
    """
    chosen = load_parameter_set("fast-memristor", periphery="freepdk45")
    usual = load_parameter_set("fast-memristor")  # neurons of transistors have a test of their own
    needs = SenseNeeds(390e3, 8e-6, (LINE, LINE), chosen.timing.settle, "own", "a test")
    stage = chosen.sense.sized(needs)
    assert isinstance(stage, SubcircuitStage)
    nodes = (spread(MEANS, 4), stage.axes.nodes[1])
    axes = replace(stage.axes, limits=MEANS, nodes=nodes, balance=(0.0,) * 4)  # type: ignore[call-arg]
    design = replace(stage.design, axes=axes)
    cells = np.random.default_rng(1).uniform(2e-6, 10e-6, (ROWS, 2 * OUTPUTS))
    layer = LayerCircuit(
        conductances=(cells * LINE / cells.sum(axis=0),),
        array=chosen.array.model_copy(update=dict.fromkeys(_WIRES, 0.0)),
        sense=replace(stage, design=design),
        bias_voltage=1.16,
        write_limits=(0.0, 1.62),
        neuron=usual.neuron,
        latch=usual.latch,
        timing=chosen.timing,
        spiking=True,
    )
    with open_runner(find_engine("ngspice"), Execution()) as runner:
        return with_surfaces([layer], partial(measure_sense_surface, runner=runner))[0]


def test_surrogate_and_transistors_agree_over_64_events() -> None:
    layer, draws = copier_layer(), np.random.default_rng(2)
    rows = 0.11 * (draws.random((CYCLES, ROWS)) < 0.4)
    stimulus = Stimulus(rows, draws.exponential(size=(CYCLES, OUTPUTS)))
    drive = layer.drive_voltage(rows)
    hazard = np.exp(layer.log_hazard(drive))
    # the drives make use of the whole swing, and of more
    assert np.ptp(drive) > 0.6
    engine, array = find_engine("ngspice"), PortArrayCircuit()
    stop = layer.lead + CYCLES * layer.schedule.cycle
    waves = engine.run(
        engine.write(layer_deck(layer, stimulus, array)),
        Transient(stop, layer.timing.longest_step, from_rest=True),
        save=saved_signals(layer, array),
        options=OPTIONS,
    ).after(layer.lead)
    found = event_values(layer, stimulus, waves)
    margin = 0.01  # what the surface may be off
    np.testing.assert_allclose(found["hazard"], hazard, rtol=margin)
    expected = hazard >= stimulus.thresholds
    assert 8 < expected.sum() < 56
    differ = (found["spike"] > 0.5) != expected
    assert (np.abs(hazard / stimulus.thresholds - 1)[differ] < margin).all()
    balance = energy_balance(layer_power(layer, stimulus, array, waves), layer.schedule, CYCLES)
    assert balance.closure < 1e-3
    joules = closed_form_energy(layer, rows, hazard, stimulus.thresholds)
    assert balance.components["sense"].sum() == pytest.approx(joules["sense"].sum(), rel=0.01)
