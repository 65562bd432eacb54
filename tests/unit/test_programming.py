"""Biases of any size on a chip: each neuron keeps its own, whatever the others have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from memspice.datasets.digits import load_digits
from memspice.errors import ConfigError
from memspice.network.inference import run_inference
from memspice.network.mapping import MappedNetwork, map_network
from memspice.network.programming import MOST_BIAS_ROWS, ChipLimits, Programmed, program_layer
from memspice.network.rounding import TOLERANCE, round_network
from memspice.network.weights import Network, WeightLayer, load_network
from memspice.parameters import load_parameter_set

DIGITS = load_network("digits-mlp")
IMAGES = load_digits("test", 360)
CHIP = ChipLimits(steps=31, drive_limit=10.0, limits=(-8.0, 2.3), supplies=(-20.0, 3.6))
LAST = ChipLimits(steps=31, drive_limit=10.0)


def some_layer(*biases: float, reach: float = 40.0) -> WeightLayer:
    """Neurons of 40 inputs that can move their weighted input by ``reach`` both ways."""
    weight = np.tile([1.0, -1.0], (len(biases), 40)) * reach / 40
    return WeightLayer(weight, np.array(biases), reach / 40)


def held(programmed: Programmed, steps: int) -> np.ndarray:
    """Biases that rows on levels, bias voltage and accumulation hold together."""
    step = programmed.layer.bound / steps
    on_rows = np.array(programmed.levels) @ (np.round(programmed.rows / step) * step)
    return np.asarray(on_rows + programmed.common + programmed.offset)


def with_bias(layer: int, neuron: Any, value: float) -> Network:
    layers = list(DIGITS.layers)
    bias = layers[layer].bias.copy()
    bias[neuron] = value
    layers[layer] = replace(layers[layer], bias=bias)
    return replace(DIGITS, layers=tuple(layers))


def chip(network: Network, **changes: float) -> MappedNetwork:
    values = {name.replace("__", "."): value for name, value in changes.items()}
    return map_network(network, load_parameter_set("fast-memristor", values))


def accuracy(mapped: MappedNetwork) -> float:
    scores = run_inference(mapped, IMAGES.x, 16, 0).scores
    return float(np.mean(scores.argmax(axis=1) == IMAGES.labels))


@pytest.mark.parametrize(
    "biases",
    [
        (0.0, 0.5, -1.0),
        (0.0, 0.5, -30.0),
        (0.01, -0.02, 25.0),
        (0.3, -38.0, 38.0),
        (-30.0, -30.5, -30.25),
        (1e-300, -5.0, 5.0),
        (1e-300, -1e-300, 0.0),
    ],
)
def test_each_bias_is_right_to_the_tolerance(biases: tuple[float, ...]) -> None:
    layer = some_layer(*biases)
    for steps in (1, 3, 31, 127):
        found = program_layer(layer, "dense1", replace(CHIP, steps=steps))
        off = held(found, steps) - layer.bias
        assert np.abs(off).max() <= TOLERANCE
        np.testing.assert_allclose(found.bias_error, off, atol=1e-12)
        assert max(found.levels) <= CHIP.drive_limit * (1 + 1e-9)
        assert np.abs(found.rows).max() <= layer.bound * (1 + 1e-9)


def test_biases_that_fit_take_one_row_at_the_largest_of_them() -> None:
    found = program_layer(some_layer(-1.0, 0.5, 0.5), "dense1", CHIP)
    assert found.levels == (1.0,)
    assert found.notes == ()
    np.testing.assert_array_equal(found.rows, [[-1.0, 0.5, 0.5]])


@pytest.mark.parametrize(("bias", "end"), [(-49.0, 0), (-1e9, 0), (43.0, 1), (1e9, 1)])
def test_neuron_that_no_input_moves_is_held_at_its_limit(bias: float, end: int) -> None:
    layer = some_layer(0.0, bias, 0.5)
    found = program_layer(layer, "dense1", CHIP)
    assert CHIP.limits is not None
    assert held(found, CHIP.steps)[1] == pytest.approx(CHIP.limits[end], abs=TOLERANCE)
    assert not found.layer.weight[1].any()
    np.testing.assert_array_equal(found.layer.weight[[0, 2]], layer.weight[[0, 2]])
    assert found.notes[0].startswith(
        f"dense1: no input brings neuron 1 off the {('lower', 'upper')[end]}"
    )


@pytest.mark.parametrize("bias", [-47.9, 42.2])
def test_neuron_that_some_input_moves_keeps_its_weights(bias: float) -> None:
    layer = some_layer(0.0, bias, 0.5)
    assert program_layer(layer, "dense1", CHIP).layer is layer


def test_bias_beyond_all_rows_is_refused_with_its_neuron() -> None:
    layer = some_layer(0.0, -200.0, 0.5, reach=500.0)
    assert len(program_layer(layer, "dense1", CHIP).levels) > 1
    tight = replace(CHIP, drive_limit=0.9 * 200 / 12.5 / MOST_BIAS_ROWS / 1.5)
    with pytest.raises(
        ConfigError, match="layer dense1: the bias of neuron 1, -200, is .* 16 bias"
    ):
        program_layer(layer, "dense1", tight)


def test_last_layer_adds_what_no_row_holds_to_its_scores() -> None:
    layer = some_layer(0.2, -1e6, 0.5)
    found = program_layer(layer, "dense2", LAST)
    np.testing.assert_array_equal(held(found, 31), layer.bias)
    assert found.levels == ()
    assert "neuron 1, -1e+06, exceeds the largest weight, 1" in found.notes[0]


@pytest.mark.parametrize("bias", [-30.0, -1e3, -1e6, -1e9])
def test_class_switched_off_costs_the_others_nothing(bias: float) -> None:
    shipped = accuracy(chip(DIGITS))
    mapped = chip(with_bias(1, 1, bias))
    others = IMAGES.labels != 1
    # Without the digit 1 its images are lost, and nothing else.
    assert accuracy(mapped) >= shipped - np.mean(~others) - 0.005
    assert mapped.layers[1].row_voltage(np.ones(32)).max() <= 0.1
    assert any("neuron 1" in note for note in mapped.notes)


@pytest.mark.parametrize("bias", [-1e6, -100.0, -30.0, -12.0, 12.0, 30.0, 100.0, 1e6])
def test_hidden_neuron_switched_off_or_on_costs_the_others_nothing(bias: float) -> None:
    mapped = chip(with_bias(0, 5, bias))
    assert accuracy(mapped) > 0.95
    assert mapped.layers[0].row_voltage(np.ones(64)).max() <= 1.0


def test_common_bias_of_a_last_layer_changes_no_decision() -> None:
    layers = list(DIGITS.layers)
    layers[1] = replace(layers[1], bias=layers[1].bias + 1e6)
    mapped = chip(replace(DIGITS, layers=tuple(layers)))
    assert accuracy(mapped) == pytest.approx(accuracy(chip(DIGITS)), abs=0.003)


def test_shipped_network_keeps_one_row_a_layer_and_says_nothing() -> None:
    mapped = chip(DIGITS)
    assert [len(layer.programmed.levels) for layer in mapped.layers] == [1, 1]
    assert mapped.notes == []


def test_layer_that_cannot_settle_names_the_neuron_and_its_bias() -> None:
    with pytest.raises(
        ConfigError, match=r"layer dense1: .* neuron 5, .* % of it for its bias of -30"
    ):
        chip(with_bias(0, 5, -30.0), timing__settle=8e-9)


def test_drive_limit_below_the_read_voltage() -> None:
    with pytest.raises(ConfigError, match=r"array.drive_limit = 0.05 V is below"):
        chip(DIGITS, array__drive_limit=0.05)


def test_other_levels_than_the_file_has_are_said() -> None:
    notes = chip(DIGITS, synapse__levels=2).notes
    assert notes[0].startswith("dense1: weights are rounded onto 2 conductance levels, relative")
    assert chip(DIGITS, synapse__levels=63).notes == []  # each level of 32 is one of 63


# --- weights ----------------------------------------------------------------------------------


def rounded(weight: np.ndarray, levels: int = 32) -> Any:
    last = WeightLayer(np.eye(10, len(weight)), np.zeros(10), 1.0)
    layers = (WeightLayer(weight, np.zeros(len(weight)), float(np.abs(weight).max())), last)
    return round_network(replace(DIGITS, layers=layers), levels)[1][0]


def test_worst_neuron_is_named_by_its_own_weights() -> None:
    weight = np.random.default_rng(0).normal(size=(8, 64))
    weight[3] *= 0.05
    found = rounded(weight)
    assert found.worst_neuron == 3
    assert found.worst_error > 0.15 > 0.05 > found.error


def test_outlier_that_flattens_the_others_shows_in_the_weights_that_are_gone() -> None:
    weight = np.random.default_rng(0).normal(size=(8, 64))
    weight[:, 0] = 50.0  # of each neuron something is left, and most of it is lost
    found = rounded(weight)
    assert found.error < 0.1
    assert found.zeroed > 0.5


def test_neuron_that_keeps_nothing_is_refused() -> None:
    weight = np.random.default_rng(0).normal(size=(8, 64))
    weight[3] *= 0.001
    assert rounded(weight).worst_neuron == 3  # adds up to less than shows: no loss
    weight[3] *= 10
    with pytest.raises(ConfigError, match=r"layer 1: all weights of neuron 3 round to zero on 32"):
        rounded(weight)
    weight[3] = 0
    assert rounded(weight).worst_error < 0.1  # of zeros nothing can be lost
    weight[0, 0] = 1e9
    with pytest.raises(ConfigError, match=r"neurons 1, 2, 4, 5, 6 and 1 more round to zero"):
        rounded(weight)


def test_weights_that_no_file_holds() -> None:
    with pytest.raises(ConfigError, match="levels must be at least 1e-12"):
        rounded(np.full((8, 64), 5e-324))
