"""Networks on crossbars: the drive is the weighted input, tiles fit, nothing saturates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from memspice.errors import ConfigError
from memspice.network.architecture import Architecture, Conv, Dense, Pool, Source
from memspice.network.mapping import MappedLayer, MappedNetwork, map_network
from memspice.network.weights import Network, WeightLayer, load_network, weight_shapes
from memspice.parameters import ParameterSet, load_parameter_set
from tests.tables import EVERY_SET

SMALL = Architecture("small", (2, 4, 4), (Conv(6), Pool(2), Dense(5), Dense(3)))
LEVELS = 32


def network(seed: int = 0, bias: float = 1.0, architecture: Architecture = SMALL) -> Network:
    """Random weights on the levels; biases are any numbers."""
    rng = np.random.default_rng(seed)
    layers = []
    for outputs, fan_in in weight_shapes(architecture):
        bound = float(rng.uniform(0.5, 1.5))
        steps = rng.integers(1 - LEVELS, LEVELS, (outputs, fan_in))
        layers.append(
            WeightLayer(steps * bound / (LEVELS - 1), rng.normal(-bias, bias, outputs), bound)
        )
    return Network(architecture, tuple(layers), {})


def ideal(name: str = "fast-memristor", **synapse: float) -> ParameterSet:
    """Parameter set without wires, drivers and spread, and with a nearly ideal sense stage."""
    values = load_parameter_set(name)
    wires = {"wire_resistance_row": 0.0, "wire_resistance_col": 0.0, "driver_resistance": 0.0}
    return ParameterSet(
        **{
            **vars(values),
            "array": values.array.model_copy(update=wires),
            "synapse": values.synapse.model_copy(update={"variation": 0.0, **synapse}),
            "sense": values.sense.model_copy(update={"gain": 1e12, "output_resistance": 1e-3}),
        }
    )


def with_parts(values: ParameterSet, **parts: object) -> ParameterSet:
    return ParameterSet(**{**vars(values), **parts})


def weighted_input(layer: MappedLayer, inputs: np.ndarray) -> np.ndarray:
    """Weighted input ``z`` that the drive of a layer stands for, before any limit."""
    rows = layer.row_voltage(inputs)
    linear = [rows @ part.drive_gain.T + part.bias_voltage for part in layer.circuits]
    origin = 0.0
    if layer.spiking:
        part = layer.circuits[0]
        timing, law = part.timing, part.neuron.device.hazard
        origin = law.unit_voltage(timing.write, timing.edge) / part.neuron.write_fraction
    z = (np.concatenate(linear, axis=-1) - origin) / layer.volts_per_unit
    return np.asarray(z + layer.programmed.offset)


def flat_tiles(mapped: MappedNetwork) -> list[np.ndarray]:
    return [
        tile for layer in mapped.layers for part in layer.circuits for tile in part.conductances
    ]


@EVERY_SET
def test_ideal_crossbars_reproduce_the_weights(name: str, rng: np.random.Generator) -> None:
    # 1e9 levels: only the bias row is rounded, and to nothing that shows.
    net = network()
    mapped = map_network(net, ideal(name, levels=10**9), (16, 8))
    for layer, weights in zip(mapped.layers, net.layers, strict=True):
        inputs = rng.random((7, layer.fan_in))
        expected = inputs @ weights.weight.T + weights.bias
        np.testing.assert_allclose(weighted_input(layer, inputs), expected, atol=1e-6)


def test_weights_on_the_levels_are_not_rounded_and_biases_by_half_a_step(
    rng: np.random.Generator,
) -> None:
    net = network()
    mapped = map_network(net, ideal(levels=LEVELS))
    for layer, weights in zip(mapped.layers, net.layers, strict=True):
        silent = weighted_input(layer, np.zeros(layer.fan_in))
        step = sum(layer.programmed.levels[-1:]) * weights.bound / (LEVELS - 1)
        assert np.abs(silent - weights.bias).max() <= step / 2 * (1 + 1e-6)
        inputs = rng.random((7, layer.fan_in))
        rise = weighted_input(layer, inputs) - silent
        np.testing.assert_allclose(rise, inputs @ weights.weight.T, atol=1e-6)


def test_equal_biases_need_no_bias_row() -> None:
    net = network(bias=0.0)
    layers = tuple(WeightLayer(w.weight, w.bias - 1.25, w.bound) for w in net.layers)
    mapped = map_network(Network(SMALL, layers, {}), ideal())
    for layer in mapped.layers:
        np.testing.assert_allclose(weighted_input(layer, np.zeros(layer.fan_in)), -1.25, atol=1e-9)


def test_unit_input_raises_the_hazard_e_times() -> None:
    mapped = map_network(network(), ideal())
    for layer in mapped.layers[:-1]:
        part = layer.circuits[0]
        law, timing = part.neuron.device.hazard, part.timing
        low = law.unit_voltage(timing.write, timing.edge)
        voltages = low + np.array([0.0, layer.volts_per_unit * part.neuron.write_fraction])
        logs = law.log_hazard_integral(voltages, timing.write, timing.edge)
        # Edges of 1 % of the pulse count a little less at a higher voltage.
        np.testing.assert_allclose(logs, [0.0, 1.0], atol=2e-3)


@pytest.mark.parametrize("tile", [(128, 128), (7, 4), (5, 5), (1, 2), (19, 3)])
def test_tiles_are_at_most_as_large_as_asked(tile: tuple[int, int]) -> None:
    for cells in flat_tiles(map_network(network(), ideal(), tile)):
        assert 1 <= cells.shape[0] <= tile[0]
        assert 2 <= cells.shape[1] <= tile[1]
        assert cells.shape[1] % 2 == 0


@pytest.mark.parametrize("tile", [(7, 4), (5, 5), (1, 2), (19, 3)])
def test_split_layers_compute_what_whole_ones_do(
    tile: tuple[int, int], rng: np.random.Generator
) -> None:
    whole, split = map_network(network(), ideal()), map_network(network(), ideal(), tile)
    for one, other in zip(whole.layers, split.layers, strict=True):
        assert (other.rows, other.outputs) == (one.rows, one.outputs)
        assert len(other.circuits) == math.ceil(one.outputs / (tile[1] // 2))
        assert len(other.circuits[0].conductances) == math.ceil(one.rows / tile[0])
        np.testing.assert_array_equal(joined(one), joined(other))
        inputs = rng.random((3, one.fan_in))
        np.testing.assert_allclose(
            weighted_input(one, inputs), weighted_input(other, inputs), atol=1e-6
        )


def joined(layer: MappedLayer) -> np.ndarray:
    return np.concatenate([np.concatenate(part.conductances) for part in layer.circuits], axis=1)


def test_rows_and_columns_are_split_evenly() -> None:
    layer = map_network(network(), ideal(), (10, 8)).layers[0]  # 19 rows, 12 columns
    assert [len(tile) for tile in layer.circuits[0].conductances] == [10, 9]
    assert [part.outputs for part in layer.circuits] == [3, 3]


@EVERY_SET
@pytest.mark.parametrize("seed", range(3))
def test_no_input_saturates_a_transimpedance_stage(name: str, seed: int) -> None:
    # With zero wires, the most current; the spread of the cells included.
    values = ideal(name, variation=0.1)
    for layer in map_network(network(seed), values, seed=seed).layers:
        full = layer.row_voltage(np.ones(layer.fan_in))
        for part in layer.circuits:
            current = full @ np.concatenate(part.conductances)
            swing = current.max() * part.sense.feedback_resistance / values.sense.swing
            assert swing <= 0.9
        largest = max((full @ np.concatenate(part.conductances)).max() for part in layer.circuits)
        # Not needlessly small: rounding down to two digits loses 10 % at most.
        assert (
            largest * layer.circuits[0].sense.feedback_resistance > 0.9 * 0.9 * values.sense.swing
        )


@pytest.mark.parametrize("seed", range(4))
def test_accumulating_layer_never_clips(seed: int) -> None:
    net = network(seed)
    values = with_parts(load_parameter_set("fast-memristor"))  # wires and spread as published
    layer = map_network(net, values, seed=seed).layers[-1]
    weights = net.layers[-1]
    assert not layer.spiking
    for signs in (weights.weight > 0, weights.weight < 0):  # the extremes of each class
        for inputs in signs.astype(float):
            rows = layer.row_voltage(inputs)
            for part in layer.circuits:
                linear = rows @ part.drive_gain.T + part.bias_voltage
                low, high = part.write_limits
                assert ((linear > low) & (linear < high)).all()


def test_spread_follows_the_seed_and_the_layer() -> None:
    values = load_parameter_set("fast-memristor")
    one, same, other = (map_network(network(), values, seed=seed) for seed in (1, 1, 2))
    for first, second, third in zip(one.layers, same.layers, other.layers, strict=True):
        np.testing.assert_array_equal(joined(first), joined(second))
        assert (joined(first) != joined(third)).mean() > 0.99
    exact = map_network(network(), ideal())
    spread = np.log(joined(one.layers[0]) / joined(exact.layers[0]))
    # 19 x 12 = 228 normal draws: the standard deviation within 4 standard errors.
    assert spread.std() == pytest.approx(0.03, rel=4 / math.sqrt(2 * 228))


def test_names_and_geometry() -> None:
    mapped = map_network(network(), ideal())
    assert [layer.name for layer in mapped.layers] == ["conv1", "dense2", "dense3"]
    assert [layer.number for layer in mapped.layers] == [0, 1, 2]
    assert [layer.rows for layer in mapped.layers] == [
        2 * 9 + 1,
        6 * 2 * 2 + 1,
        5,
    ]  # the last without biases
    assert [layer.outputs for layer in mapped.layers] == [6, 5, 3]
    assert [layer.positions for layer in mapped.layers] == [16, 1, 1]
    assert [layer.spiking for layer in mapped.layers] == [True, True, False]
    assert mapped.layers[1].step.sources == (Source(1, (Pool(2),)),)
    assert mapped.layer("dense2") is mapped.layers[1]


def test_bias_row_stands_at_its_level() -> None:
    layer = map_network(network(), ideal()).layers[0]
    rows = layer.row_voltage(np.full((2, 3, layer.fan_in), 0.5))
    read = layer.circuits[0].array.read_voltage
    np.testing.assert_allclose(rows[..., :-1], 0.5 * read)
    np.testing.assert_allclose(rows[..., -1], layer.programmed.levels[-1] * read)


def test_unknown_layer_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'conv9': use conv1, dense2, dense3"):
        map_network(network(), ideal()).layer("conv9")


@pytest.mark.parametrize("tile", [(0, 8), (8, 1), (-1, 2)])
def test_tile_too_small(tile: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="too small"):
        map_network(network(), ideal(), tile)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_settle_time_below_five_time_constants_is_refused(factor: float) -> None:
    values = ideal()
    slowest = max(
        part.sense.difference_gain
        for layer in map_network(network(), values).layers
        for part in layer.circuits
    )
    settle = factor * 5 * slowest / (2 * math.pi * values.sense.bandwidth)
    short = with_parts(values, timing=values.timing.model_copy(update={"settle": settle}))
    if factor > 1:
        map_network(network(), short)
        return
    with pytest.raises(ConfigError, match="settle"):
        map_network(network(), short)


@EVERY_SET
def test_digits_network_fits_every_parameter_set(name: str) -> None:
    mapped = map_network(load_network("digits-mlp"), load_parameter_set(name))
    assert isinstance(mapped.layers[0].kind, Dense)
    assert [layer.rows for layer in mapped.layers] == [65, 33]


def test_layer_of_zeros_scores_zero() -> None:
    net = network()
    empty = tuple(WeightLayer(0 * w.weight, 0 * w.bias, w.bound) for w in net.layers)
    last = map_network(Network(SMALL, empty, {}), ideal()).layers[-1]
    np.testing.assert_allclose(weighted_input(last, np.ones(last.rows - 1)), 0.0, atol=1e-9)


def test_narrow_tiles_are_those_of_a_chip_cut_so() -> None:
    values = load_parameter_set("fast-memristor")
    wide, narrow = (
        map_network(network(), values, (128, columns), seed=3).layers[0] for columns in (128, 4)
    )
    cut = wide.on_narrow_tiles(2)
    assert [circuit.outputs for circuit in cut.circuits] == [2, 2, 2]
    for own, expected in zip(cut.circuits, narrow.circuits, strict=True):
        np.testing.assert_array_equal(own.drive_gain, expected.drive_gain)
    # Columns that are gone do not load the rows of those that stay.
    part = wide.circuit(range(2, 4))
    assert np.max(np.abs(part.drive_gain / cut.circuits[1].drive_gain - 1)) > 1e-6
    assert wide.on_narrow_tiles(6).circuits[0].outputs == wide.outputs
