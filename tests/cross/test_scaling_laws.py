"""What units alone demand: other seconds or other ohms change no spike, and joules by a factor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import TypeVar

import numpy as np
import pytest
from pydantic import BaseModel

from memspice.analysis.energy import energy_balance
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.energy_model import closed_form_energy
from memspice.circuits.layer import LayerCircuit
from memspice.quantities import units
from memspice.windows.simulated import solver_options
from tests.helpers import HAZARD_TOLERANCE, Simulated, near_stimulus, simulate, small_layer
from tests.tables import EVERY_SET, KINDS

#: Seven times slower: time constants and times, at the same voltages and currents.
SLOWER = {"s": 7.0, "F": 7.0, "Hz": 1 / 7}
#: Five times the impedance: a fifth of every current, at the same voltages and times.
HIGHER = {"ohm": 5.0, "S": 1 / 5, "A": 1 / 5, "F": 1 / 5}
#: Power stays and time grows; or the current falls at the same voltage.
FACTORS = {"slower": (SLOWER, 7.0), "higher": (HIGHER, 1 / 5)}
#: Helper states of the models do not scale, so the solver's steps differ; through a reset they cost
#: up to 1 % of its energy at the charge tolerance of a layer's run (2 % at ten times that).
ENERGY_TOLERANCE = 0.01
ModelT = TypeVar("ModelT", bound=BaseModel)


def in_other_units(model: ModelT, factors: Mapping[str, float]) -> ModelT:
    """Parameters of which every value is multiplied as its unit asks for."""
    found = units(model)
    update: dict[str, object] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            update[name] = in_other_units(value, factors)
        elif isinstance(value, float):
            update[name] = value * factors.get(found[name], 1.0)
    return model.model_copy(update=update)


def rescaled(layer: LayerCircuit, factors: Mapping[str, float]) -> LayerCircuit:
    parts = ("array", "sense", "latch", "timing")
    models = {name: in_other_units(getattr(layer, name), factors) for name in parts}
    own = {
        name: in_other_units(getattr(layer.neuron, name), factors) for name in ("driver", "device")
    }
    models["neuron"] = replace(layer.neuron, **own)
    tiles = tuple(tile * factors.get("S", 1.0) for tile in layer.conductances)
    return replace(layer, **models, conductances=tiles)


@cache
def layer_of(name: str, law: str | None) -> LayerCircuit:
    layer = small_layer(name)
    return rescaled(layer, FACTORS[law][0]) if law else layer


@cache
def run(name: str, law: str | None) -> Simulated:
    """The same rows and draws in every run: those of the set as it is."""
    layer = layer_of(name, law)
    return simulate(layer, stimulus_of(name), "full", solver_options(layer.timing))


def energies(name: str, law: str | None) -> dict[str, float]:
    """Joules of SPICE by component, those of the three phases of a neuron apart."""
    stimulus, schedule = stimulus_of(name), layer_of(name, law).schedule
    balance = energy_balance(run(name, law).power, schedule, stimulus.cycles)
    return {part: float(values.sum()) for part, values in balance.components.items()}


def stimulus_of(name: str) -> Stimulus:
    return near_stimulus(layer_of(name, None), distance=0.5)


@pytest.mark.parametrize("law", FACTORS)
@EVERY_SET
def test_closed_forms_scale(name: str, law: str) -> None:
    stimulus, factor = stimulus_of(name), FACTORS[law][1]
    hazards, joules = [], []
    for layer in (layer_of(name, None), layer_of(name, law)):
        drive = layer.drive_voltage(stimulus.row_voltage)
        hazard = np.exp(layer.log_hazard(drive))
        parts = closed_form_energy(layer, stimulus.row_voltage, hazard, stimulus.thresholds)
        hazards.append(hazard)
        joules.append({part: float(values.sum()) for part, values in parts.items()})
    np.testing.assert_allclose(hazards[1], hazards[0], rtol=1e-9)
    for part, value in joules[0].items():
        assert joules[1][part] == pytest.approx(factor * value, rel=1e-9, abs=0), part


@pytest.mark.ngspice
@pytest.mark.parametrize("law", FACTORS)
@pytest.mark.parametrize("name", KINDS)
def test_circuits_scale(name: str, law: str) -> None:
    plain, other, factor = run(name, None), run(name, law), FACTORS[law][1]
    np.testing.assert_array_equal(other.spikes, plain.spikes)
    assert plain.spikes.any()
    assert not plain.spikes.all()
    np.testing.assert_allclose(other.hazard, plain.hazard, rtol=2 * HAZARD_TOLERANCE)
    before, after = (energies(name, scale) for scale in (None, law))
    for part, value in before.items():
        assert after[part] == pytest.approx(factor * value, rel=ENERGY_TOLERANCE, abs=0), part
