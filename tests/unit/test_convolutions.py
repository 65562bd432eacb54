"""Strides, padding and groups of convolutions: against sums by hand, in the loop, on circuits."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from memspice.errors import ConfigError, DataError
from memspice.network.ann import ann_scores, with_mean_inputs
from memspice.network.architecture import Architecture, Conv, Dense, Pool
from memspice.network.batch import Window
from memspice.network.frames import channels_last, layer_matrix, patch, products
from memspice.network.inference import run_inference
from memspice.network.mapping import map_network
from memspice.network.weights import Network, WeightLayer, load_network, save_network
from memspice.parameters import load_parameter_set
from memspice.windows.fidelity import window_jobs
from memspice.windows.surrogate import Surrogate, surrogate_events
from tests.loop_helpers import LEVELS, SEED, every_window, make_mapped, make_network

KINDS = [
    Conv(4, 3, stride=2),
    Conv(4, 5, stride=2, padding=1),
    Conv(4, 2, padding="valid"),
    Conv(4, 2, stride=3, padding=2),
    Conv(4, 1, groups=2),
    Conv(6, 3, groups=2),
    Conv(8, 3, stride=2, padding="valid", groups=4),  # depthwise, two kernels a channel
]
#: Every one of them in one network, joined rows with groups too.
MIXED = Architecture(
    "mixed",
    (2, 9, 8),
    (
        Conv(4, 3, stride=2),
        Conv(4, 3, groups=4),
        Conv(6, 3, also=(1,), groups=2),
        Pool(2, "any"),
        Conv(4, 2, padding=1),
        Conv(3, 2, stride=2, padding="valid"),
        Dense(3),
    ),
)
CYCLES, IMAGES = 4, 2


def by_hand(x: np.ndarray, weight: np.ndarray, kind: Conv) -> np.ndarray:
    """Outputs (n, channels, rows, columns) from the definition, position by position."""
    count, channels, height, width = x.shape
    margin = {"same": kind.kernel // 2, "valid": 0}.get(str(kind.padding), kind.padding)
    padded = np.zeros((count, channels, height + 2 * margin, width + 2 * margin))
    padded[:, :, margin : margin + height, margin : margin + width] = x
    own, made = channels // kind.groups, kind.channels // kind.groups
    kernels = weight.reshape(kind.channels, own, kind.kernel, kind.kernel)
    rows = range(0, padded.shape[2] - kind.kernel + 1, kind.stride)
    cols = range(0, padded.shape[3] - kind.kernel + 1, kind.stride)
    found = np.empty((count, kind.channels, len(rows), len(cols)))
    for output in range(kind.channels):
        first = output // made * own
        for i, row in enumerate(rows):
            for j, col in enumerate(cols):
                part = padded[:, first : first + own, row : row + kind.kernel]
                part = part[..., col : col + kind.kernel]
                found[:, output, i, j] = (part * kernels[output]).sum(axis=(1, 2, 3))
    return found


def images(count: int = IMAGES) -> np.ndarray:
    return np.random.default_rng(1).random((count, 2, 9, 8))


# --- one product ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_products_are_convolutions(kind: Conv) -> None:
    rng = np.random.default_rng(2)
    x = rng.random((3, 4, 7, 8))
    (step,) = Architecture("one", (4, 7, 8), (kind,)).shapes()
    weight = rng.normal(size=(kind.channels, step.fan_in))
    expected = by_hand(x, weight, kind)
    assert step.output_shape == expected.shape[1:]
    assert step.inputs == step.fan_in * kind.groups
    matrix = layer_matrix(weight.T, np.zeros(kind.channels), kind, step.input_shape)
    made = np.concatenate([z.copy() for _, z in products(channels_last(x), kind, matrix)])
    flat = expected.reshape(3, kind.channels, -1).transpose(0, 2, 1)
    np.testing.assert_allclose(made, flat, rtol=1e-5, atol=1e-5)
    # A window has the rows of all groups, channel by channel.
    layer = WeightLayer(weight, np.zeros(kind.channels), 1.0)
    for position in {0, 1, flat.shape[1] - 1}:
        rows = patch(channels_last(x), kind, position)
        assert rows.shape == (3, step.inputs)
        found = [layer.weighted(own.astype(float)) for own in rows]
        np.testing.assert_allclose(found, flat[:, position], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Conv(4, 3, groups=3), "3 groups for 4 channels and 4 outputs"),
        (Conv(3, 3, groups=2), "2 groups for 4 channels and 3 outputs"),
        (Conv(4, 2), "a kernel of 2 and padding 'same'"),
        (Conv(4, 9, padding="valid"), "a kernel of 9 on images of 7x8 with 0 zeros around"),
    ],
)
def test_what_does_not_fit_is_refused(kind: Conv, words: str) -> None:
    with pytest.raises(ConfigError, match=f"layer 1 of network one has {words}"):
        list(Architecture("one", (4, 7, 8), (kind,)).shapes())


# --- whole networks -------------------------------------------------------------------------------


def ann_by_hand(network: Network, x: np.ndarray) -> np.ndarray:
    sent, state = [x], x
    kinds = [layer for layer in network.architecture.layers if not isinstance(layer, Pool)]
    for number, (kind, layer) in enumerate(zip(kinds, network.layers, strict=True), 1):
        if number == 4:  # behind the pool of the mixed network
            blocks = state[..., : state.shape[2] // 2 * 2, :].reshape(len(x), 6, -1, 2, 2, 2)
            state = 1 - (1 - blocks).prod(axis=(3, 5))
        if isinstance(kind, Dense):
            return state.reshape(len(x), -1) @ layer.weight.T + layer.bias
        state = np.concatenate([state, *(sent[other] for other in kind.also)], axis=1)
        z = by_hand(state, layer.weight, kind) + layer.bias[:, None, None]
        state = 1 - np.exp(-np.exp(z))
        sent.append(state)
    raise AssertionError("no dense layer")


def test_ann_is_that_of_sums_by_hand() -> None:
    network = make_network(MIXED)
    expected = ann_by_hand(network, images())
    np.testing.assert_allclose(ann_scores(network, images()), expected, rtol=2e-5, atol=2e-5)
    means = with_mean_inputs(network, images()).layers
    sizes = [len(layer.mean_input) for layer in means if layer.mean_input is not None]
    assert sizes == [step.inputs for step in MIXED.shapes()] == [18, 36, 72, 24, 16, 3]


def test_spikes_of_the_loop_are_those_of_its_windows() -> None:
    mapped = make_mapped(MIXED)
    windows = every_window(mapped, IMAGES)
    result = run_inference(mapped, images(), CYCLES, SEED, windows=windows)
    for layer in mapped.layers[:-1]:
        for image in range(IMAGES):
            total = 0
            for position in range(layer.positions):
                window = Window(layer.name, image, position)
                rows = result.windows[window]
                for job in window_jobs(layer, window, rows, Surrogate(), seed=SEED):
                    hazard = surrogate_events(job)["hazard"]
                    total += np.count_nonzero(hazard >= job.stimulus().thresholds)
            assert result.spikes_per_image[layer.name][image] == total
            assert 0 < total < CYCLES * layer.positions * layer.outputs


def test_a_group_has_crossbars_of_its_own() -> None:
    """Cells that are not there cost nothing: no column has the rows of another group."""
    layer = make_mapped(MIXED, tile=(128, 4)).layers[2]
    circuits = [(circuit.rows, circuit.outputs) for circuit in layer.circuits]
    assert circuits == [(36 + 1, 1), (36 + 1, 2)] * 2  # three outputs a group, two at most a tile
    rows = np.random.default_rng(3).random(layer.step.inputs)
    weight, offset = layer.drive_line()
    first = 0
    for circuit in layer.circuits:
        own = circuit.output_bias + circuit.drive_gain @ layer.row_voltage(rows, first)
        half = rows[:36] if first < 3 else rows[36:]
        part = slice(first, first + circuit.outputs)
        np.testing.assert_allclose(own, weight[part] @ half + offset[part], rtol=1e-12)
        first += circuit.outputs


def test_trim_is_of_each_groups_rows() -> None:
    """Neurons trimmed at the mean levels of their own rows have the weighted inputs asked for."""
    network = with_mean_inputs(make_network(MIXED), images())
    trim = {"periphery.trim_step": 1e-4, "periphery.trim_range": 0.5}
    changes = trim | {"synapse.variation": 0.1}
    layer = map_network(network, load_parameter_set("fast-memristor", changes)).layers[2]
    weights = network.layers[2]
    assert weights.mean_input is not None
    asked, first = weights.weighted(weights.mean_input) + weights.bias, 0
    for circuit in layer.circuits:
        rows = layer.row_voltage(weights.mean_input, first)
        found = circuit.log_hazard(circuit.output_bias + circuit.drive_gain @ rows)
        # Half a step of the trim is 3e-4 of V0; far from the measured range a line stands for it.
        np.testing.assert_allclose(found, asked[first : first + circuit.outputs], atol=0.05)
        first += circuit.outputs


def test_file_keeps_the_geometry(tmp_path: Path) -> None:
    path = tmp_path / "mixed.h5"
    save_network(with_mean_inputs(make_network(MIXED), images()), path, LEVELS)
    assert load_network(str(path)).architecture == MIXED


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Conv(4, padding="full"), "padding = full of a conv layer must be 'same', 'valid' or"),  # type: ignore[arg-type]
        (Conv(4, padding=-1), "padding = -1 of a conv layer must be"),
        (Conv(4, stride=0), "stride = 0 of a conv layer must be a whole number, 1 to"),
        (Conv(4, groups=0), "groups = 0 of a conv layer must be a whole number"),
    ],
)
def test_files_with_another_geometry_are_refused(tmp_path: Path, kind: Conv, words: str) -> None:
    path = tmp_path / "odd.h5"
    odd = Architecture("odd", (2, 9, 8), (kind, Dense(3)))
    layers = make_network(Architecture("odd", (2, 9, 8), (Conv(4), Dense(3)))).layers
    save_network(Network(odd, layers, {}), path, LEVELS)
    with pytest.raises(DataError, match=words):
        load_network(str(path))


@pytest.mark.torch
@pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs the optional extra memspice[train]"
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_twin_in_training_is_the_same() -> None:
    import torch

    from memspice.training.config import Neurons
    from memspice.training.model import DeviceNetwork

    network = make_network(MIXED)
    model = DeviceNetwork(MIXED, Neurons(low=-50.0, high=50.0)).eval()
    for stage, layer in zip(model.stages(), network.layers, strict=True):
        stage.fold()
        stage.centre = False
        with torch.no_grad():
            weight = torch.from_numpy(layer.weight).float()
            stage.linear.weight.copy_(weight.view_as(stage.linear.weight))
            stage.linear.bias.copy_(torch.from_numpy(layer.bias))
    with torch.no_grad():
        scores = model(torch.from_numpy(images()).float(), 0).numpy()
    np.testing.assert_allclose(scores, ann_by_hand(network, images()), rtol=1e-4, atol=1e-4)
