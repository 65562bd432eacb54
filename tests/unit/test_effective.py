"""What circuits make of weights: the same layer as that of the network loop, in units of ln H."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.devices.activation import Activation
from memspice.errors import ConfigError
from memspice.network.batch import stage_of
from memspice.network.effective import effective_layer
from memspice.network.mapping import MappedNetwork, map_network
from memspice.parameters import load_parameter_set, load_table
from tests.loop_helpers import make_network
from tests.tables import SETS

FLAWS = {
    "synapse.variation": 0.1,
    "synapse.stuck_on": 0.01,
    "synapse.stuck_off": 0.01,
    "array.wire_resistance_row": 5.0,
}
SPREADS = {
    "neuron.voltage_scale_spread": 0.02,
    "neuron.time_scale_spread": 0.2,
    "neuron.threshold_spread": 0.01,
    "neuron.gain_spread": 0.05,
}


def mapped(device: str, changes: dict[str, float]) -> MappedNetwork:
    return map_network(make_network(), load_parameter_set(device, changes), (30, 6), seed=3)


def fitted(device: str) -> Activation:
    return load_table(f"activation-{device}", "activation", Activation).values


def test_without_flaws_circuits_compute_the_weights() -> None:
    """But for the currents that wires, drivers and sense stages take: none are left here."""
    ideal = {
        "synapse.variation": 0.0,
        "array.wire_resistance_row": 0.0,
        "array.wire_resistance_col": 0.0,
        "array.driver_resistance": 0.0,
        "sense.gain": 1e9,
    }
    network, activation = make_network(), fitted("sot-mtj")
    layers = mapped("sot-mtj", ideal).layers
    for layer, held in zip(layers, network.layers, strict=True):
        found = effective_layer(layer, activation)
        unit = held.bound / 31
        # SPICE's line is within 1e-3 of the law's; a bias is rounded to a level of its row.
        np.testing.assert_allclose(found.weight, held.weight, rtol=2e-3, atol=1e-6)
        assert np.abs(found.bias - held.bias).max() < unit * layer.programmed.levels[0]


@pytest.mark.parametrize("device", SETS)
@pytest.mark.parametrize("changes", [FLAWS, FLAWS | SPREADS])
def test_layer_is_that_of_the_network_loop(device: str, changes: dict[str, float]) -> None:
    inputs = np.random.default_rng(1)
    for layer in mapped(device, changes).layers:
        found = effective_layer(layer, fitted(device))
        x = inputs.random((40, layer.fan_in))
        ours = np.clip(x @ found.weight.T + found.bias, found.low, found.high)
        drive = np.concatenate(
            [part.drive_voltage(layer.row_voltage(x)) for part in layer.circuits], axis=1
        )
        if layer.spiking:
            parts = np.split(drive, np.cumsum([c.outputs for c in layer.circuits])[:-1], axis=1)
            law = [c.log_hazard(d) for c, d in zip(layer.circuits, parts, strict=True)]
            theirs = np.concatenate(law, axis=1)
        else:
            theirs = drive / layer.volts_per_unit
        # The fitted line is within 2e-3 of the law in the sweep of 1 % to 99 %; the law bends
        # below it, where P is below 1e-3.
        at_work = theirs > -7
        assert at_work.mean() > 0.5
        np.testing.assert_allclose(ours[at_work], theirs[at_work], atol=1e-2)


def test_matrix_is_that_of_the_loop_but_for_the_line() -> None:
    """Drives agree to float32: ``ln H`` of both, taken back through its own line."""
    for layer in mapped("fast-memristor", FLAWS).layers:
        activation = fitted("fast-memristor")
        found, stage = effective_layer(layer, activation), stage_of(layer)
        scale = activation.drive_scale if layer.spiking else layer.volts_per_unit
        slope = stage.rule.slope if stage.rule else 1.0
        rows = stage.matrix[-1] - (stage.rule.intercept if stage.rule else 0.0)
        offset = activation.unit_drive if layer.spiking else 0.0
        np.testing.assert_allclose(found.bias * scale + offset, rows / slope, rtol=1e-5, atol=1e-7)
        mine, theirs = np.sort(found.weight * scale, axis=1), np.sort(stage.matrix[:-1].T, axis=1)
        np.testing.assert_allclose(mine, theirs / np.reshape(slope, (-1, 1)), rtol=1e-5, atol=1e-8)


def test_neurons_that_differ_have_lines_of_their_own() -> None:
    late = {"neuron.time_scale_spread": 0.5}
    alike, other = (mapped("fast-memristor", changes).layers[0] for changes in ({}, late))
    activation = fitted("fast-memristor")
    shift = effective_layer(other, activation).bias - effective_layer(alike, activation).bias
    times = np.concatenate([part.variation.time_scale for part in other.circuits])
    law = other.circuits[0].neuron.device.hazard.time_scale
    # A time scale e times as long lowers ln H by one.
    np.testing.assert_allclose(shift, -np.log(times / law), atol=1e-6)


def test_activation_of_another_pulse_is_refused() -> None:
    longer = mapped("fast-memristor", {"timing.write": 120e-9}).layers[0]
    with pytest.raises(ConfigError, match=r"differs by 0\.1\d+ from that .* characterize --fit"):
        effective_layer(longer, fitted("fast-memristor"))
    shifted = fitted("fast-memristor").model_copy(update={"unit_drive": 1.27})
    with pytest.raises(ConfigError, match="ln H of the fitted activation"):
        effective_layer(mapped("fast-memristor", {}).layers[0], shifted)
