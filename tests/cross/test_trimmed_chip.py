"""A flawed chip, trimmed: SPICE of every cell says that it does what the trim was set for."""

from __future__ import annotations

from functools import cache

import numpy as np

from memspice.network.architecture import Architecture, Dense
from memspice.network.batch import Window
from memspice.network.flaws import FLAWS
from memspice.network.mapping import MappedLayer, map_network
from memspice.network.weights import Network, WeightLayer
from memspice.parameters import load_parameter_set
from memspice.windows.fidelities import open_fidelity
from memspice.windows.fidelity import Fidelity, WindowJob
from memspice.windows.outcome import outcome
from memspice.windows.surrogate import Surrogate, surrogate_events
from tests.helpers import HAZARD_TOLERANCE
from tests.tables import EVERY_SET, EVERY_WAY

ROWS, OUTPUTS = 6, 4
#: Rows at their mean levels, as a trimming drives them.
MEAN = np.linspace(0.2, 0.8, ROWS)
#: Weighted inputs that the weights ask for at these levels, within the rates that are measured.
ASKED = np.array([-2.0, -1.0, -0.5, 0.3])
#: Step of the trim, [V].
STEP = 1e-3
#: Flaws that move a drive by several V0: a cell stuck on in ten, neurons 5 % apart.
HARSH = {**FLAWS, "synapse.stuck_on": 0.1, "neuron.voltage_scale_spread": 0.05}


@cache
def layer(name: str, step: float) -> MappedLayer:
    weights = np.random.default_rng(5).uniform(-0.9, 0.9, (OUTPUTS, ROWS))
    layers = (
        WeightLayer(weights, ASKED - weights @ MEAN, 1.0, MEAN),
        WeightLayer(np.full((2, OUTPUTS), 0.5), np.zeros(2), 1.0, np.full(OUTPUTS, 0.5)),
    )
    network = Network(Architecture("two", (ROWS, 1, 1), (Dense(OUTPUTS), Dense(2))), layers, {})
    changes = {**HARSH, "periphery.trim_step": step, "periphery.trim_range": 2.0}
    return map_network(network, load_parameter_set(name, changes), seed=4).layers[0]


def job(name: str, fidelity: Fidelity, step: float) -> WindowJob:
    chosen = layer(name, step)
    inputs = np.repeat(MEAN[None], 2, axis=0)
    return WindowJob(chosen, range(OUTPUTS), Window(chosen.name, 0, 0), inputs, fidelity, seed=3)


def tolerance(name: str) -> float:
    """Half a step of the trim, and what SPICE and the law differ by.

    A neuron's own V0 divides the step: five sigmas of 5 % are less than 1.3.
    """
    return 1.3 * 0.5 * STEP / layer(name, STEP).volts_per_unit + HAZARD_TOLERANCE


@EVERY_WAY
def test_trimmed_neurons_have_the_rates_that_were_asked_for(
    name: str, fidelity: str, engine: str
) -> None:
    """``H`` of SPICE to half a step of the trim, and to what SPICE and the law differ by."""
    chosen = open_fidelity(fidelity, engine)
    found = outcome(chosen.run(job(name, chosen, STEP)))
    assert np.abs(np.log(found.hazard) - ASKED).max() < tolerance(name)
    hazard = surrogate_events(job(name, Surrogate(), STEP))["hazard"]
    np.testing.assert_allclose(found.hazard, hazard, rtol=HAZARD_TOLERANCE)


@EVERY_SET
def test_without_trim_the_same_chip_is_far_off(name: str) -> None:
    """So that the test above says something: most neurons miss by ten times what it allows."""
    hazard = surrogate_events(job(name, Surrogate(), 0.0))["hazard"]
    assert np.median(np.abs(np.log(hazard) - ASKED)) > 10 * tolerance(name)
