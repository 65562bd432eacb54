"""A layer on transistors (``--periphery freepdk45``): surrogate and circuit, spike by spike."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.analysis.energy import energy_balance
from memspice.analysis.sense_surface import OPTIONS, with_surfaces
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.energy_model import closed_form_energy
from memspice.circuits.layer import LayerCircuit
from memspice.parameters import load_parameter_set
from tests.cross.test_last_layer import shipped
from tests.helpers import simulate

pytestmark = [pytest.mark.ngspice, pytest.mark.slow]

CYCLES, OUTPUTS, ROWS = 8, 2, 24
LINE = 100e-6  # S
#: Without wires and drivers all lines have this conductance to the last digit.
_WIRES = ("wire_resistance_row", "wire_resistance_col", "driver_resistance")


def copier_layer(*, spiking: bool = True) -> LayerCircuit:
    """Two outputs, with neurons where one V0 is 0.4 uA, as in digits-mlp on stronger rows."""
    chosen = load_parameter_set("fast-memristor", periphery="freepdk45")
    needs = SenseNeeds(390e3, 8e-6, (LINE, LINE), chosen.timing.settle, "own", "a test")
    cells = np.random.default_rng(1).uniform(2e-6, 10e-6, (ROWS, 2 * OUTPUTS))
    layer = LayerCircuit(
        conductances=(cells * LINE / cells.sum(axis=0),),
        array=chosen.array.model_copy(update=dict.fromkeys(_WIRES, 0.0)),
        sense=chosen.sense.sized(needs),
        bias_voltage=1.16 if spiking else 0.0,
        write_limits=(0.0, 1.62),
        neuron=chosen.neuron,
        latch=chosen.latch,
        timing=chosen.timing,
        spiking=spiking,
    )
    return with_surfaces([layer], shipped)[0]


def row_voltages(draws: np.random.Generator) -> np.ndarray:
    return np.asarray(0.11 * (draws.random((CYCLES, ROWS)) < 0.4))


def test_surrogate_and_transistors_agree_event_by_event() -> None:
    layer, draws = copier_layer(), np.random.default_rng(6)
    rows = row_voltages(draws)
    stimulus = Stimulus(rows, draws.exponential(size=(CYCLES, OUTPUTS)))
    drive = layer.drive_voltage(rows)
    hazard = np.exp(layer.log_hazard(drive))
    # the drives make use of the whole swing, and of more
    assert np.ptp(drive) > 0.6
    found = simulate(layer, stimulus, "reduced", OPTIONS)
    margin = 0.01  # what the surface may be off
    np.testing.assert_allclose(found.hazard, hazard, rtol=margin)
    expected = hazard >= stimulus.thresholds
    assert 3 < expected.sum() < 13
    differ = found.spikes != expected
    assert (np.abs(hazard / stimulus.thresholds - 1)[differ] < margin).all()
    balance = energy_balance(found.power, layer.schedule, CYCLES)
    assert balance.closure < 1e-3
    joules = closed_form_energy(layer, rows, hazard, stimulus.thresholds)
    assert balance.components["sense"].sum() == pytest.approx(joules["sense"].sum(), rel=0.01)


def test_scores_are_the_mean_of_what_droops() -> None:
    layer, rows = copier_layer(spiking=False), 1.4 * row_voltages(np.random.default_rng(1))[:2]
    found = simulate(layer, Stimulus(rows, np.ones((2, OUTPUTS))), "reduced", OPTIONS)
    drive = layer.drive_voltage(rows)
    # Of the largest; by the end of a write a drive of -0.39 V has risen by 1.3 % from there.
    assert np.abs(drive).max() > 0.35
    np.testing.assert_allclose(found.drive, drive, atol=0.005 * np.abs(drive).max())
