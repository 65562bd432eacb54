"""The ideal array: what the weights ask for, and what wires and cells make of it."""

from __future__ import annotations

import numpy as np
import pytest

import memspice as ms
from memspice.errors import ConfigError
from memspice.network.ideal import ideal_hazard
from tests.models import MODELS


def test_ideal_hazard_is_that_of_the_weights() -> None:
    """``P = 1 - exp(-exp(z))`` within the span of the training, edges of the pulse aside."""
    network = ms.load_network("digits-mlp")
    chip = ms.Chip(network, MODELS, seed=4)
    inputs = np.tile(ms.load_images("digits", "test").x[0].reshape(-1), (2, 1)).astype(float)
    found = ideal_hazard(network, chip.mapped, "dense1", inputs)
    z = network.layers[0].weight @ inputs[0] + network.layers[0].bias
    layer = chip.mapped.layer("dense1")
    highest = (layer.circuits[0].write_limits[1] - layer.circuits[0].bias_voltage) / (
        layer.volts_per_unit
    )
    z = np.minimum(z, highest + layer.programmed.common)
    assert found.shape == (2, 32)
    np.testing.assert_allclose(np.log(found[0]), z, atol=0.02)
    np.testing.assert_array_equal(found, ideal_hazard(network, chip.mapped, "dense1", inputs, 2))
    with pytest.raises(ConfigError, match="has no neurons"):
        ideal_hazard(network, chip.mapped, "dense2", inputs)


def test_spikes_leave_the_ideal_array_as_wires_and_cells_get_worse() -> None:
    flawless = {"array.driver_resistance": 0.01}
    vary = [
        {"wire_resistance": w, "synapse.variation": v} for w, v in ((0, 0), (20, 0), (400, 0.3))
    ]
    asked = {"layer": "dense1", "fidelity": "surrogate", "images": 20, "cycles": 4}
    rows = ms.sweep(vary, device=MODELS, changes=flawless, **asked).rows
    least, some, most = (row["unlike_ideal"] for row in rows)
    # What is left: biases that are right to 0.1 in ln H, which moves P by 0.1/e at most.
    assert least < 0.01
    assert least < some < most
