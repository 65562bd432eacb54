"""Row drivers of transistors in a layer: full against what reduced and the closed form have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memspice.analysis.energy import energy_balance
from memspice.analysis.sense_surface import OPTIONS
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks.transistor_driver import TransistorDriver
from memspice.circuits.energy_model import closed_form_energy
from memspice.circuits.layer import LayerCircuit
from memspice.engines import find_engine
from memspice.errors import ConfigError
from tests.helpers import hazard_integral, near_stimulus, simulate
from tests.unit.test_line_level import raised_layer


def layer_with_transistors() -> LayerCircuit:
    """Rows at 0.3 and 0.4 V, as the driver was measured: lower ones charge more gate."""
    layer = raised_layer(0.3)
    values = {"row_driver": TransistorDriver(), "driver_resistance": 62.6}
    return replace(layer, array=layer.array.model_copy(update=values))


@pytest.mark.parametrize("engine", ["ngspice", "vacask"])
def test_transistors_drive_rows_as_their_resistance_does(
    engine: str, request: pytest.FixtureRequest
) -> None:
    request.applymarker(getattr(pytest.mark, engine))
    layer = layer_with_transistors()
    stimulus = near_stimulus(layer, cycles=2, distance=0.05)
    found = simulate(layer, stimulus, "full", OPTIONS, find_engine(engine))
    hazard = hazard_integral(layer, stimulus.row_voltage)
    assert (found.spikes == (hazard >= stimulus.thresholds)).all()
    # A switch has 62.6 ohm at 0.1 V and 60 at 0: 3 ohm of 10 kohm in all rows together.
    assert found.hazard == pytest.approx(hazard, rel=5e-3)
    assert found.closure < 1e-3
    spice = energy_balance(found.power, layer.schedule, 2).components
    closed = closed_form_energy(layer, stimulus.row_voltage, hazard, stimulus.thresholds)
    # The first cycle starts from rest; then gates take what the deck of the driver alone gave.
    assert spice["driver"][1] == pytest.approx(closed["driver"][1], rel=0.04)
    assert spice["crossbar"].sum() == pytest.approx(closed["crossbar"].sum(), rel=0.01)


def test_a_row_of_levels_is_refused() -> None:
    layer = layer_with_transistors()
    rows = np.outer([0.0, 0.05, 0.1], np.ones(layer.rows))
    stimulus = Stimulus(rows, np.ones((3, layer.outputs)))
    with pytest.raises(ConfigError, match="two levels: use row_driver.kind = buffered"):
        simulate(layer, stimulus, "full")
