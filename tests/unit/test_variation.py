"""Neurons that differ: their draws, their physics, and the same numbers all along the line."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.devices.hazard import HazardLaw
from memspice.devices.neurons import NeuronDevice
from memspice.devices.variation import NeuronVariation, draw_variation, join_variations
from memspice.network.inference import run_inference
from memspice.network.mapping import map_network
from memspice.parameters import load_parameter_set
from tests.helpers import ARRAYS, near_stimulus, small_layer
from tests.loop_helpers import (
    CYCLES,
    IMAGES,
    SEED,
    every_window,
    loop_spikes,
    make_images,
    make_mapped,
    make_network,
)
from tests.tables import EVERY_SET

SPREADS = {
    "neuron.voltage_scale_spread": 0.05,
    "neuron.time_scale_spread": 0.4,
    "neuron.threshold_spread": 0.05,
    "neuron.gain_spread": 0.05,
}
MANY = 20_000


def device(name: str, **spreads: float) -> NeuronDevice:
    changes = {f"neuron.{key}_spread": value for key, value in spreads.items()}
    return load_parameter_set(name, changes).neuron.device


def draw(name: str, neurons: int = MANY, seed: int = 1, **spreads: float) -> NeuronVariation:
    found = draw_variation(device(name, **spreads), neurons, np.random.default_rng(seed))
    assert found is not None
    return found


def one(
    voltage_scale: float = 1.0, time_scale: float = 1.0, shift: float = 0.0, gain: float = 1.0
) -> NeuronVariation:
    """Two neurons: that of the parameter set, and one with other constants."""
    law = load_parameter_set("fast-memristor").neuron.device.hazard
    return NeuronVariation(
        law.voltage_scale * np.array([1.0, voltage_scale]),
        law.time_scale * np.array([1.0, time_scale]),
        np.array([0.0, shift]),
        np.array([1.0, gain]),
    )


# --- draws ----------------------------------------------------------------------------------------


@EVERY_SET
def test_without_spread_there_is_no_variation(name: str) -> None:
    assert draw_variation(device(name), 5, np.random.default_rng(0)) is None
    assert join_variations([None, None]) is None


@EVERY_SET
def test_draws_have_the_spreads_of_the_set(name: str) -> None:
    # Each of the 14 bounds is 4.5 standard errors of a normal draw: 99.99 % for all together.
    given = {"voltage_scale": 0.1, "time_scale": 0.3, "threshold": 0.02, "gain": 0.1}
    found, law = draw(name, **given), device(name).hazard
    rate = np.log(found.time_scale / law.time_scale)  # less what turns about the pivot
    turned = law.pivot_voltage * (1 / found.voltage_scale - 1 / law.voltage_scale)
    draws = np.stack(
        [
            np.log(found.voltage_scale / law.voltage_scale) / given["voltage_scale"],
            (rate - turned) / given["time_scale"],
            found.threshold_shift / given["threshold"],
            (found.sense_gain - 1) / given["gain"],
        ]
    )
    error = 4.5 / math.sqrt(MANY)
    assert np.all(np.abs(draws.mean(axis=1)) < error)
    assert np.all(np.abs(draws.std(axis=1) - 1) < error / math.sqrt(2))
    assert np.all(np.abs(np.corrcoef(draws)[np.triu_indices(4, 1)]) < error)


def test_a_spread_moves_no_other_draw() -> None:
    alone = draw("fast-memristor", voltage_scale=0.1)
    together = draw("fast-memristor", voltage_scale=0.1, time_scale=0.3, threshold=0.02, gain=0.1)
    np.testing.assert_array_equal(alone.voltage_scale, together.voltage_scale)
    law = device("fast-memristor").hazard
    np.testing.assert_allclose(alone.time_scale, law.time_scale, rtol=1e-14)
    assert not alone.threshold_shift.any()
    np.testing.assert_array_equal(alone.sense_gain, 1.0)
    double = draw("fast-memristor", voltage_scale=0.2)
    np.testing.assert_allclose(
        np.log(double.voltage_scale / law.voltage_scale),
        2 * np.log(alone.voltage_scale / law.voltage_scale),
        atol=1e-14,
    )


# --- physics --------------------------------------------------------------------------------------


@EVERY_SET
def test_neurons_obey_the_hazard_law_of_their_constants(name: str) -> None:
    found = draw(name, 7, voltage_scale=0.1, time_scale=0.3)
    voltage = np.linspace(-1, 3, 5)[:, None] * np.ones(7)
    together = found.log_hazard_integral(voltage, 1e-7, 1e-9)
    for neuron, (scale, time) in enumerate(zip(found.voltage_scale, found.time_scale, strict=True)):
        law = HazardLaw(voltage_scale=float(scale), time_scale=float(time))
        alone = law.log_hazard_integral(voltage[:, neuron], 1e-7, 1e-9)
        # NumPy's logarithm and Python's may differ in the last bit.
        np.testing.assert_allclose(together[:, neuron], alone, rtol=1e-14)


def test_filaments_share_their_rate_at_zero_volts() -> None:
    found = draw("ag-asi", 50, voltage_scale=0.2)
    at_zero = found.log_hazard_integral(np.zeros(50), 1e-3)
    expected = device("ag-asi").hazard.log_hazard_integral(0.0, 1e-3)
    np.testing.assert_allclose(at_zero, expected, rtol=1e-12)


def test_mtjs_of_other_barriers_are_neel_brown_with_the_same_critical_voltage() -> None:
    found = draw("sot-mtj", 50, voltage_scale=0.2)
    at_critical = found.log_hazard_integral(np.full(50, 0.884), 10e-9)
    np.testing.assert_allclose(at_critical, math.log(10), atol=1e-9)  # 10 ns over t_a = 1 ns
    barriers = 0.884 / found.voltage_scale
    for barrier, scale, time in zip(barriers, found.voltage_scale, found.time_scale, strict=True):
        law = HazardLaw.from_neel_brown(1e-9, 0.884, float(barrier))
        assert law.voltage_scale == pytest.approx(scale)
        assert law.time_scale == pytest.approx(time)


@pytest.mark.parametrize(
    ("other", "sign"),
    [
        ({"shift": 0.05}, -1),
        ({"shift": -0.05}, 1),
        ({"voltage_scale": 1.05}, -1),
        ({"voltage_scale": 0.95}, 1),
        ({"time_scale": 1.5}, -1),
        ({"time_scale": 0.7}, 1),
    ],
)
def test_what_makes_a_neuron_spike_less(other: dict[str, float], sign: int) -> None:
    weights = np.repeat(np.random.default_rng(3).uniform(-0.8, 0.8, (6, 1)), 2, axis=1)
    layer = replace(small_layer(weights=weights), variation=one(**other))
    rows = near_stimulus(layer).row_voltage
    first, second = layer.log_hazard(layer.drive_voltage(rows)).T
    assert np.all(sign * (second - first) > 0)


def test_threshold_shift_is_drive_that_is_missing() -> None:
    layer = small_layer()
    rows = near_stimulus(layer).row_voltage
    shifted = replace(layer, variation=one(shift=0.07))
    missing = layer.drive_voltage(rows) - shifted.drive_voltage(rows)
    np.testing.assert_allclose(missing, [[0.0, 0.07]] * len(rows), atol=1e-14)
    far = replace(layer, variation=one(shift=10.0)).drive_voltage(rows)
    np.testing.assert_array_equal(far[:, 1], layer.write_limits[0])


@pytest.mark.parametrize("gain", [0.0, 0.9, 1.1])
def test_gain_is_of_what_the_stage_makes_of_currents(gain: float) -> None:
    layer = small_layer()
    rows = np.random.default_rng(8).random((5, layer.rows)) * layer.array.read_voltage
    made = layer.drive_voltage(rows) - layer.bias_voltage
    assert np.abs(made[:, 1]).max() > 0.01
    varied = replace(layer, variation=one(shift=0.03, gain=gain), trim=np.array([0.0, 0.01]))
    drive = layer.bias_voltage + np.stack([made[:, 0], gain * made[:, 1] - 0.03 + 0.01], axis=1)
    # neither bias nor offset nor trim goes through the stage's gain; some roundings of a volt
    np.testing.assert_allclose(varied.drive_voltage(rows), drive, atol=1e-14)


def test_neurons_with_the_constants_of_the_set_are_its_device() -> None:
    layer = small_layer()
    same = replace(layer, variation=one())
    drive = layer.drive_voltage(near_stimulus(layer).row_voltage)
    np.testing.assert_array_equal(drive, same.drive_voltage(near_stimulus(layer).row_voltage))
    np.testing.assert_allclose(same.log_hazard(drive), layer.log_hazard(drive), rtol=1e-14)


# --- layers ---------------------------------------------------------------------------------------


def whole(circuits: tuple[LayerCircuit, ...]) -> np.ndarray:
    found = join_variations([circuit.variation for circuit in circuits])
    assert found is not None
    found_scales = [found.voltage_scale, found.time_scale]
    return np.stack([*found_scales, found.threshold_shift, found.sense_gain])


def test_mapping_draws_one_device_per_output_whatever_the_tiles() -> None:
    small, large = (make_mapped(tile=tile, changes=SPREADS) for tile in ((30, 6), (128, 128)))
    plain = make_mapped()
    for layer, other, without in zip(small.layers, large.layers, plain.layers, strict=True):
        cells, own = (
            np.concatenate([np.concatenate(c.conductances) for c in one.circuits], axis=1)
            for one in (layer, without)
        )
        np.testing.assert_array_equal(cells, own)  # no other draw has moved
        if not layer.spiking:
            assert layer.circuits[0].variation is None
            continue
        found = whole(layer.circuits)
        assert found.shape == (4, layer.outputs)
        np.testing.assert_array_equal(found, whole(other.circuits))
        assert all(circuit.variation is None for circuit in without.circuits)
    first, second = (whole(small.layers[k].circuits)[:, :4] for k in (0, 1))
    assert not np.any(first == second)


def test_neurons_share_no_draw_with_cells() -> None:
    """Of the few thousand normal draws of a layer no two are the same number."""
    sigma = 0.1
    spread, equal = (make_mapped(changes={**SPREADS, "synapse.variation": v}) for v in (sigma, 0.0))
    for layer, nominal in zip(spread.layers[:-1], equal.layers[:-1], strict=True):
        cells, medians = (
            np.concatenate([tile.ravel() for part in one.circuits for tile in part.conductances])
            for one in (layer, nominal)
        )
        cell_draws = np.log(cells / medians) / sigma
        assert cell_draws.std() > 0.8
        shift = whole(layer.circuits)[2] / SPREADS["neuron.threshold_spread"]
        assert np.abs(shift[:, None] - cell_draws).min() > 1e-9


def test_another_seed_makes_other_neurons() -> None:
    parameter_set = load_parameter_set("fast-memristor", SPREADS)
    found = [map_network(make_network(), parameter_set, seed=seed).layers[0] for seed in (0, 1)]
    assert not np.any(whole(found[0].circuits) == whole(found[1].circuits))


def test_a_part_has_its_share() -> None:
    layer = make_mapped(tile=(128, 128), changes=SPREADS).layers[0]
    circuit, part = layer.circuits[0], layer.circuit(range(2, 4))
    rows = layer.row_voltage(np.random.default_rng(6).random((3, layer.fan_in)))
    drive = circuit.drive_voltage(rows)
    np.testing.assert_allclose(part.drive_voltage(rows), drive[:, 2:4], rtol=1e-12)
    np.testing.assert_array_equal(part.log_hazard(drive[:, 2:4]), circuit.log_hazard(drive)[:, 2:4])


def test_the_loop_has_the_spikes_of_every_neurons_own_law() -> None:
    mapped = make_mapped(changes=SPREADS)
    result = run_inference(
        mapped, make_images(), CYCLES, SEED, windows=every_window(mapped, IMAGES)
    )
    plain = run_inference(make_mapped(), make_images(), CYCLES, SEED)
    for layer in mapped.layers:
        if not layer.spiking:
            continue
        for image in range(IMAGES):
            count = loop_spikes(mapped, result, layer, image).sum()
            assert count == result.spikes_per_image[layer.name][image]
        assert result.spike_rate[layer.name] != plain.spike_rate[layer.name]


@EVERY_SET
def test_every_instance_has_its_own_constants(name: str) -> None:
    layer = small_layer(name)
    found = draw(name, 2, voltage_scale=0.1, time_scale=0.3, threshold=0.02, gain=0.1)
    common = layer.sense.difference_gain
    layer = replace(layer, variation=found)
    text = str(layer_deck(layer, Stimulus(np.zeros((1, 6)), np.ones((1, 2))), ARRAYS["reduced"]))
    lines = text.replace("\n+ ", " ").splitlines()
    for neuron in range(2):
        values = element(lines, f"Xneuron{neuron} ")
        assert float(values["tau0"]) == pytest.approx(found.time_scale[neuron], rel=5e-12)
        assert float(values["v0"]) == pytest.approx(found.voltage_scale[neuron], rel=5e-12)
        stage = element(lines, f"Xdifference{neuron} ")
        shifted = layer.bias_voltage - found.threshold_shift[neuron]
        assert float(stage["v_bias"]) == pytest.approx(shifted, rel=5e-12)
        gain = common * found.sense_gain[neuron]
        assert float(stage["gain"]) == pytest.approx(gain, rel=5e-12)
    assert element(lines, "Xdevice ")["tau0"] == "{tau0}"


def element(lines: list[str], start: str) -> dict[str, str]:
    line = next(line for line in lines if line.startswith(start))
    return dict(word.split("=") for word in line.split() if "=" in word)
