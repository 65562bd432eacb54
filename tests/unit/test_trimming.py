"""Trimming: what a chip's flaws add to the mean drive is taken off, as far as trim allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memspice.circuits.layer import LayerCircuit
from memspice.circuits.ports import port_array
from memspice.datasets.digits import load_digits
from memspice.errors import ConfigError, DataError
from memspice.network.ann import ann_scores, with_mean_inputs
from memspice.network.architecture import Architecture, Conv, Dense, Pool
from memspice.network.flaws import FLAWS
from memspice.network.mapping import MappedLayer, map_network
from memspice.network.rounding import round_network
from memspice.network.trimming import MEASURED, drive_for
from memspice.network.weights import (
    Network,
    WeightLayer,
    load_network,
    save_network,
    weight_shapes,
)
from memspice.parameters import load_parameter_set
from tests.loop_helpers import make_images
from tests.tables import SETS

SMALL = Architecture("small", (1, 8, 8), (Conv(4), Pool(2), Conv(6), Dense(10)))
IMAGES = load_digits("train", 100).x


@pytest.fixture(scope="module")
def network() -> Network:
    """Random weights on levels, with the mean levels of their rows."""
    rng = np.random.default_rng(3)
    shapes = ((4, 9), (6, 36), (10, 96))
    layers = tuple(
        WeightLayer(rng.normal(0, 2 / np.sqrt(n), (m, n)), rng.normal(-1, 0.5, m), 9.0)
        for m, n in shapes
    )
    return with_mean_inputs(round_network(Network(SMALL, layers, {}))[0], IMAGES)


def mapped(network: Network, device: str, **changes: float) -> list[MappedLayer]:
    named = {name.replace("__", "."): value for name, value in changes.items()}
    values = {**FLAWS, **named}
    return list(map_network(network, load_parameter_set(device, values), (40, 8)).layers)


def asked(network: Network, number: int) -> np.ndarray:
    layer = network.layers[number]
    return np.asarray(layer.weight @ layer.mean_input + layer.bias)


def given(layer: MappedLayer, mean: np.ndarray) -> np.ndarray:
    """``ln H`` (or scores of the last layer) that the mean levels make, without limits."""
    found = []
    for circuit in layer.circuits:
        drive = circuit.output_bias + circuit.drive_gain @ layer.row_voltage(mean)
        found.append(circuit.log_hazard(drive) if layer.spiking else drive)
    together = np.concatenate(found)
    return together if layer.spiking else layer.readout.scores(together)


@pytest.mark.parametrize("device", SETS)
def test_mean_levels_give_what_the_weights_ask_for_to_half_a_step(
    network: Network, device: str
) -> None:
    """Within the measured rates exactly; beyond them a neuron's own slope counts (1 % of V0)."""
    layers = mapped(network, device, periphery__trim_range=5.0)
    for number, layer in enumerate(layers):
        wanted = asked(network, number)
        off = given(layer, network.layers[number].mean_input) - wanted
        half = 0.5 * layer.circuits[0].neuron.driver.trim_step / layer.volts_per_unit
        if not layer.spiking:
            np.testing.assert_allclose(off, 0, atol=1e-9)
            continue
        inside = (wanted > MEASURED[0]) & (wanted < MEASURED[1])
        assert inside.sum() >= 2
        # Slopes of ln H differ from the median's by the spread of V0: five sigmas.
        assert np.abs(off[inside]).max() < 1.05 * half
        beyond = np.abs(wanted - np.clip(wanted, *MEASURED))
        assert (np.abs(off) < 1.05 * half + 0.1 * beyond + 0.02).all()


def test_untrimmed_flaws_are_far_larger_than_trimmed_ones(network: Network) -> None:
    for device in SETS:
        off = {}
        for step in (0.0, 5e-3):
            layers = mapped(network, device, periphery__trim_step=step)
            off[step] = [
                np.std(given(layer, w.mean_input) - asked(network, number))
                for number, (layer, w) in enumerate(zip(layers, network.layers, strict=True))
            ]
        assert max(off[5e-3]) < 0.3 * min(off[0.0])


def test_trim_is_whole_steps_within_its_range(network: Network) -> None:
    layers = mapped(network, "fast-memristor", periphery__trim_range=0.03)
    trims = np.concatenate([c.trim for layer in layers if layer.spiking for c in layer.circuits])
    steps = trims / 5e-3
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    assert np.abs(trims).max() == pytest.approx(0.03)  # some are at the end, and stay there


def test_without_a_step_there_is_no_trim(network: Network) -> None:
    bare = replace(network, layers=tuple(replace(w, mean_input=None) for w in network.layers))
    layers = mapped(bare, "fast-memristor", periphery__trim_step=0.0)
    assert all(circuit.trim is None for layer in layers for circuit in layer.circuits)


def test_ideal_chip_needs_no_trim(network: Network) -> None:
    ideal = dict.fromkeys(
        ("array.wire_resistance_row", "array.wire_resistance_col", "array.driver_resistance",
         "synapse.variation"), 0.0,
    )  # fmt: skip
    values = {**ideal, "periphery.trim_step": 1e-6, "periphery.trim_range": 1.0}
    chip = map_network(network, load_parameter_set("fast-memristor", values), (40, 8), 0)
    for layer in chip.layers:
        trims = np.concatenate([circuit.trim for circuit in layer.circuits])
        # Biases are rounded to levels of the last row: half of one of 31 steps of its height.
        levels = sum(layer.programmed.levels[-1:]) * network.layers[layer.number].bound / 31
        assert np.abs(trims / layer.volts_per_unit).max() < 0.51 * levels + 0.01


def test_a_part_has_its_share_of_the_trim(network: Network) -> None:
    circuit: LayerCircuit = mapped(network, "fast-memristor")[1].circuits[0]
    assert circuit.trim is not None
    part = circuit.part(range(1, 3))
    np.testing.assert_array_equal(part.trim, circuit.trim[1:3])
    np.testing.assert_array_equal(part.output_bias, circuit.output_bias[1:3])


def test_no_crossbar_is_reduced_again_for_its_trim(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    reduced: list[int] = []

    def counted(conductances: tuple[np.ndarray, ...], *others: object) -> object:
        reduced.append(len(conductances))
        return port_array(conductances, *others)  # type: ignore[arg-type]

    monkeypatch.setattr("memspice.network.mapping.port_array", counted)
    layers = mapped(network, "fast-memristor")
    for layer in layers:
        layer.drive_line()
    assert len(reduced) == sum(len(layer.circuits) for layer in layers)


def test_another_crossbar_has_ports_of_its_own(network: Network) -> None:
    circuit: LayerCircuit = mapped(network, "fast-memristor")[1].circuits[0]
    assert circuit.trim is not None
    assert circuit.with_trim(2 * circuit.trim).ports is circuit.ports
    doubled = replace(circuit, conductances=tuple(2 * tile for tile in circuit.conductances))
    assert (doubled.ports.transfer != circuit.ports.transfer).any()


def test_drive_for_is_the_inverse_of_the_law(network: Network) -> None:
    for device in SETS:
        circuit = mapped(network, device)[0].circuits[0]
        for level in MEASURED:
            drive = drive_for(circuit, np.full(circuit.outputs, level))
            np.testing.assert_allclose(circuit.log_hazard(drive), level, atol=1e-9)


def test_mean_levels_are_means_of_what_the_rows_get(network: Network) -> None:
    """First layer by hand; a constant image gives its own level, a dense layer pixel by pixel."""
    assert network.layers[0].mean_input is not None
    np.testing.assert_allclose(network.layers[0].mean_input, IMAGES.mean(), rtol=1e-5)
    dense = Architecture("dense", (1, 8, 8), (Dense(10),))
    weights = WeightLayer(np.ones((10, 64)), np.zeros(10), 1.0)
    plain = with_mean_inputs(Network(dense, (weights,), {}), IMAGES)
    np.testing.assert_allclose(plain.layers[0].mean_input, IMAGES.mean(axis=0).ravel(), rtol=1e-5)
    # A linear layer of the mean is the mean of the layer.
    scores = ann_scores(plain, IMAGES).mean(axis=0)
    np.testing.assert_allclose(weights.weight @ plain.layers[0].mean_input, scores, rtol=1e-5)


@pytest.mark.parametrize("kind", [Conv(3), Dense(3)])
def test_mean_levels_are_in_the_order_of_the_rows(kind: Conv | Dense) -> None:
    """Channels first: each its own level, repeated for a kernel's nine rows."""
    images = make_images() * np.array([0.2, 0.9], np.float32)[:, None, None]
    layers = (kind, Dense(4)) if isinstance(kind, Conv) else (kind,)
    architecture = Architecture("levels", (2, 6, 6), layers)
    weights = tuple(
        WeightLayer(np.zeros((m, n)), np.zeros(m), 1.0) for m, n in weight_shapes(architecture)
    )
    found = with_mean_inputs(Network(architecture, weights, {}), images).layers[0].mean_input
    each = images.mean(axis=0)
    expected = np.repeat(each.mean(axis=(1, 2)), 9) if isinstance(kind, Conv) else each.ravel()
    np.testing.assert_allclose(found, expected, rtol=1e-5)  # float32 images


def test_network_without_levels_cannot_be_trimmed(network: Network) -> None:
    bare = replace(network, layers=tuple(replace(w, mean_input=None) for w in network.layers))
    with pytest.raises(ConfigError, match="conv1 cannot be trimmed.*trim_step to 0"):
        mapped(bare, "fast-memristor")


def test_levels_are_kept_in_files_and_checked(network: Network, tmp_path) -> None:
    path = tmp_path / "network.h5"
    save_network(network, path, 32)
    for kept, layer in zip(load_network(str(path)).layers, network.layers, strict=True):
        np.testing.assert_array_equal(kept.mean_input, layer.mean_input)
    right = np.array(network.layers[0].mean_input)
    for wrong in ([1.5, *right[1:]], [-0.1, *right[1:]], [np.nan, *right[1:]], right[1:]):
        first = replace(network.layers[0], mean_input=np.array(wrong))
        save_network(replace(network, layers=(first, *network.layers[1:])), path, 32)
        with pytest.raises(DataError, match="layer0.*mean"):
            load_network(str(path))
