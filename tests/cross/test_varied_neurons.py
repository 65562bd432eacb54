"""Neurons that differ, from the parameter set to the spikes of every fidelity and engine."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from memspice.network.architecture import Architecture, Dense
from memspice.network.batch import Window
from memspice.network.mapping import MappedLayer, map_network
from memspice.network.weights import Network, WeightLayer
from memspice.parameters import load_parameter_set
from memspice.windows.fidelities import open_fidelity
from memspice.windows.fidelity import Fidelity, WindowJob
from memspice.windows.outcome import Outcome, outcome
from memspice.windows.surrogate import Surrogate, surrogate_events
from tests.helpers import HAZARD_TOLERANCE
from tests.tables import EVERY_SET, EVERY_WAY

CYCLES, OUTPUTS = 4, 4
SPREADS = {
    "neuron.voltage_scale_spread": 0.03,
    "neuron.time_scale_spread": 0.4,
    "neuron.threshold_spread": 0.03,
    "neuron.gain_spread": 0.1,
}


def layer_of(changes: dict[str, float], name: str = "fast-memristor") -> MappedLayer:
    """Four neurons with the same weights, so that nothing but their constants sets them apart."""
    weights = np.repeat(np.random.default_rng(5).uniform(-0.8, 0.8, (1, 5)), OUTPUTS, axis=0)
    layers = (
        WeightLayer(weights, np.zeros(OUTPUTS), 1.0),
        WeightLayer(np.full((2, OUTPUTS), 0.5), np.zeros(2), 1.0),
    )
    network = Network(Architecture("two", (5, 1, 1), (Dense(OUTPUTS), Dense(2))), layers, {})
    return map_network(network, load_parameter_set(name, changes), seed=2).layers[0]


@cache
def layer(name: str, varied: bool = True) -> MappedLayer:
    return layer_of({"synapse.variation": 0.0, **(SPREADS if varied else {})}, name)


def job(
    name: str, fidelity: Fidelity, outputs: range = range(OUTPUTS), varied: bool = True
) -> WindowJob:
    inputs = (np.random.default_rng(7).random((CYCLES, 5)) < 0.5).astype(float)
    chosen = layer(name, varied)
    return WindowJob(chosen, outputs, Window(chosen.name, 0, 0), inputs, fidelity, seed=3)


@cache
def simulated(name: str, fidelity: str, engine: str, outputs: range = range(OUTPUTS)) -> Outcome:
    chosen = open_fidelity(fidelity, engine)
    return outcome(chosen.run(job(name, chosen, outputs)))


def check(name: str, found: Outcome, outputs: range = range(OUTPUTS)) -> None:
    one = job(name, Surrogate(), outputs)
    hazard = surrogate_events(one)["hazard"]
    np.testing.assert_allclose(found.hazard, hazard, rtol=HAZARD_TOLERANCE)
    np.testing.assert_array_equal(found.spikes, hazard >= one.stimulus().thresholds)


@EVERY_SET
def test_neurons_are_far_enough_apart_to_tell(name: str) -> None:
    # Five times the tolerance between any two neurons of the same weights, in every cycle.
    varied, plain = (surrogate_events(job(name, Surrogate(), varied=v))["hazard"] for v in (1, 0))
    ordered = np.sort(varied, axis=1)
    assert np.all(ordered[:, 1:] / ordered[:, :-1] > 1 + 5 * HAZARD_TOLERANCE)
    np.testing.assert_allclose(plain / plain[:, :1], 1, rtol=HAZARD_TOLERANCE)


@EVERY_WAY
def test_spikes_are_those_of_every_neurons_own_law(name: str, fidelity: str, engine: str) -> None:
    found = simulated(name, fidelity, engine)
    check(name, found)
    assert found.closure is not None
    assert found.closure < 1e-3


@pytest.mark.ngspice
def test_parts_of_a_layer_have_their_own_neurons() -> None:
    for outputs in (range(0, 1), range(1, 4)):
        check("fast-memristor", simulated("fast-memristor", "reduced", "ngspice", outputs), outputs)


@pytest.mark.ngspice
@pytest.mark.parametrize(("burst", "share"), [(2, 1.0), (1, 0.5)])
def test_stages_that_integrate_have_their_own_gain(burst: int, share: float) -> None:
    changes = {"synapse.variation": 0.0, "sense.charge_share": share, "neuron.gain_spread": 0.3}
    first = layer_of(changes)
    (circuit,) = first.circuits
    assert circuit.variation is not None
    assert np.ptp(circuit.variation.sense_gain) > 0.2
    inputs = job("fast-memristor", Surrogate()).inputs
    window, fidelity = Window(first.name, 0, 0), open_fidelity("reduced", "ngspice")
    one = WindowJob(first, range(OUTPUTS), window, inputs, fidelity, seed=3, burst=burst)
    found, expected = outcome(fidelity.run(one)), surrogate_events(one)
    # equal weights: gains alone set these drives apart, by far more than edges of a sample do
    drive = expected["drive"]
    assert np.ptp(drive, axis=1).max() > 0.05
    np.testing.assert_allclose(found.drive, drive, atol=2e-4 * np.abs(drive).max())
    np.testing.assert_array_equal(found.spikes, expected["hazard"] >= one.stimulus().thresholds)
