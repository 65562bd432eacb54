"""The span of weighted inputs that a network was trained for: file, ANN, drive limits, spikes."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from memspice.errors import ConfigError, DataError
from memspice.network.ann import ann_scores
from memspice.network.architecture import Architecture, Dense
from memspice.network.inference import run_inference
from memspice.network.mapping import MappedNetwork, map_network
from memspice.network.weights import Network, WeightLayer, load_network, save_network
from memspice.parameters import load_parameter_set

SPAN = (-2.5, 1.0)
ARCHITECTURE = Architecture("ends", (1, 1, 4), (Dense(40), Dense(40)))
CYCLES, IMAGES = 64, 2


def network(span: tuple[float, float] | None = SPAN) -> Network:
    """Half of the neurons far below its span, half above; each score is one neuron's mean."""
    bias = np.repeat([-20.0, 20.0], 20)
    first = WeightLayer(np.full((40, 4), 31 / 31), bias, 1.0)
    return Network(ARCHITECTURE, (first, WeightLayer(np.eye(40), np.zeros(40), 1.0)), {}, span=span)


def images() -> np.ndarray:
    return np.random.default_rng(0).random((IMAGES, 1, 1, 4))


def mapped(name: str = "fast-memristor", span: tuple[float, float] | None = SPAN) -> MappedNetwork:
    return map_network(network(span), load_parameter_set(name))


def rate(z: float) -> float:
    return float(1 - np.exp(-np.exp(z)))


def test_ann_is_clipped_to_it() -> None:
    expected = np.repeat([rate(SPAN[0]), rate(SPAN[1])], 20)
    np.testing.assert_allclose(ann_scores(network(), images()), [expected] * IMAGES, rtol=1e-6)
    free = np.repeat([rate(-20.0), 1.0], 20)
    np.testing.assert_allclose(ann_scores(network(None), images()), [free] * IMAGES, atol=1e-7)


def test_file_keeps_it_under_the_checksum(tmp_path: Path) -> None:
    path = tmp_path / "ends.h5"
    save_network(network(), path, 32)
    assert load_network(str(path)).span == SPAN
    with h5py.File(path, "r+") as file:
        file.attrs["span_high"] = 1.5
    with pytest.raises(DataError, match="is not what was once written"):
        load_network(str(path))
    with h5py.File(path, "r+") as file:
        file.attrs["span_high"] = -3.0
    with pytest.raises(DataError, match="span_low = -2.5 must be below span_high = -3"):
        load_network(str(path))
    with h5py.File(path, "r+") as file:
        del file.attrs["span_high"]
    with pytest.raises(DataError, match="span_high"):
        load_network(str(path))


def test_file_without_it_has_none(tmp_path: Path) -> None:
    path = tmp_path / "ends.h5"
    save_network(network(None), path, 32)
    assert load_network(str(path)).span is None
    assert load_network("digits-mlp").span is None


@pytest.mark.parametrize("span", [(1.0, 1.0), (2.0, -1.0), (float("nan"), 1.0), (0.0, np.inf)])
def test_a_span_rises(span: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="of network ends must rise"):
        network(span)


@pytest.mark.parametrize("name", ["fast-memristor", "ag-asi", "sot-mtj"])
def test_drive_ends_where_training_did(name: str) -> None:
    circuit = mapped(name).layers[0].circuits[0]
    # Flat pulses have ln H in proportion to the drive; the edges of ours bend it a little.
    np.testing.assert_allclose(circuit.log_hazard(np.array(circuit.write_limits)), SPAN, atol=0.05)
    assert not any("were trained" in note for note in mapped(name).notes)
    last = mapped(name).layers[1].circuits[0]
    assert last.write_limits == mapped(name, None).layers[1].circuits[0].write_limits


def test_without_it_the_limits_are_those_of_the_device() -> None:
    periphery = load_parameter_set("fast-memristor").neuron.driver
    circuit = mapped(span=None).layers[0].circuits[0]
    assert circuit.write_limits == (periphery.write_low, periphery.write_high)


def test_narrower_rails_stay_and_are_told() -> None:
    narrow = load_parameter_set("fast-memristor", {"periphery.write_high": 1.3})  # ln H of 0.7
    found = map_network(network((-2.5, 2.0)), narrow)
    low, high = found.layers[0].circuits[0].write_limits
    assert high == 1.3
    assert low > narrow.neuron.driver.write_low
    (note,) = [text for text in found.notes if "were trained" in text]
    assert "P = 0.999 at most" in note
    assert "ends at 1.3 V" in note


def test_a_span_beyond_the_rails_is_refused() -> None:
    with pytest.raises(ConfigError, match="all outside the limits 0 to 1.62 V"):
        map_network(network((40.0, 50.0)), load_parameter_set("fast-memristor"))


def test_neurons_far_beyond_it_spike_as_at_its_ends() -> None:
    scores = run_inference(mapped(), images(), CYCLES, 3).scores
    for found, end in zip(np.split(scores, 2, axis=1), SPAN, strict=True):
        # A binomial rate of 2,560 events; the edges of the pulse move ln H by 0.05 at most.
        tolerance = 4 * np.sqrt(rate(end) * (1 - rate(end)) / found.size / CYCLES) + 0.01
        assert np.mean(found) == pytest.approx(rate(end), abs=tolerance)
