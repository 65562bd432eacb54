"""Layers that take the outputs of several others in the network loop: rows, spikes, energy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memspice.circuits.bursts import burst_means
from memspice.jobs import Execution
from memspice.network.ann import ann_scores
from memspice.network.architecture import Architecture, Conv, Dense, Pool
from memspice.network.batch import Window
from memspice.network.closed_form_check import closed_form_refusals
from memspice.network.frames import Outputs, joined, patch, pooled
from memspice.network.inference import InferenceResult, run_inference
from memspice.network.mapping import MappedLayer, MappedNetwork
from memspice.windows.fidelity import window_jobs
from memspice.windows.surrogate import Surrogate, surrogate_events
from tests.loop_helpers import SEED, every_window, make_images, make_mapped, make_network

#: The image beside spikes, spikes behind pools of both rules, rows of the last layer too.
JOINED = Architecture(
    "joined",
    (2, 6, 6),
    (
        Conv(3),
        Conv(4, also=(0,)),
        Pool(2),
        Conv(5, also=(1, 0)),
        Conv(3),
        Pool(3, "any"),
        Dense(6, also=(3,)),
        Dense(3, also=(4,)),
    ),
)
CYCLES, IMAGES = 6, 3


@pytest.fixture(scope="module")
def mapped() -> MappedNetwork:
    return make_mapped(JOINED)


@pytest.fixture(scope="module", params=[1, 3])
def burst(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def result(mapped: MappedNetwork, burst: int) -> InferenceResult:
    windows = every_window(mapped, IMAGES)
    return run_inference(mapped, make_images(IMAGES), CYCLES, SEED, burst=burst, windows=windows)


def states(
    mapped: MappedNetwork, result: InferenceResult, image: int, burst: int
) -> list[np.ndarray]:
    """Pixels, and what each layer sends (cycles, height, width, outputs), by its window jobs."""
    pixels = make_images(IMAGES)[image].transpose(1, 2, 0)
    found = [np.tile(pixels, (CYCLES, 1, 1, 1))]
    for layer in mapped.layers[:-1]:
        spikes = np.empty((CYCLES, layer.positions, layer.outputs), bool)
        for position in range(layer.positions):
            window = Window(layer.name, image, position)
            inputs = result.windows[window]
            for job in window_jobs(layer, window, inputs, Surrogate(), seed=SEED, burst=burst):
                fired = surrogate_events(job)["hazard"] >= job.stimulus().thresholds
                spikes[:, position, job.outputs.start : job.outputs.stop] = fired
        found.append(spikes.reshape(CYCLES, *layer.step.output_shape[1:], layer.outputs))
    return found


def rows_of(layer: MappedLayer, sent: list[np.ndarray], position: int) -> np.ndarray:
    """Rows (cycles, fan_in) of a window: each source behind its pools, cut out, side by side."""
    parts = []
    for source in layer.step.sources:
        state = sent[source.number]
        for pool in source.pools:
            state = pooled(state, pool)
        parts.append(patch(state, layer.kind, position))
    return np.concatenate(parts, axis=1)


def test_windows_hold_the_rows_of_every_source(
    mapped: MappedNetwork, result: InferenceResult, burst: int
) -> None:
    sent = states(mapped, result, 1, burst)
    for layer in mapped.layers:
        for position in {0, layer.positions // 2, layer.positions - 1}:
            seen = result.windows[Window(layer.name, 1, position)]
            np.testing.assert_array_equal(seen, rows_of(layer, sent, position))
    spikes = result.windows[Window("dense5", 1, 0)]
    assert set(np.unique(spikes)) == {0, 1}  # behind a pool of any they stay binary


def test_spikes_and_scores_are_those_of_the_window_jobs(
    mapped: MappedNetwork, result: InferenceResult, burst: int
) -> None:
    for image in range(IMAGES):
        sent = states(mapped, result, image, burst)
        for layer, spikes in zip(mapped.layers[:-1], sent[1:], strict=True):
            assert result.spikes_per_image[layer.name][image] == spikes.sum()
        last = mapped.layers[-1]
        rows = result.windows[Window(last.name, image, 0)]
        jobs = window_jobs(
            last, Window(last.name, image, 0), rows, Surrogate(), seed=SEED, burst=burst
        )
        drive = np.concatenate([surrogate_events(job)["drive"] for job in jobs], axis=1)
        scores = last.readout.scores(drive.mean(axis=0))
        np.testing.assert_allclose(result.scores[image], scores, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("batch", "workers", "events"), [(50, 3, 1 << 21), (1, 2, 1), (2, 1, 900)])
def test_groups_and_workers_change_nothing(
    mapped: MappedNetwork,
    result: InferenceResult,
    burst: int,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    workers: int,
    events: int,
) -> None:
    monkeypatch.setattr("memspice.network.inference.BATCH", batch)
    monkeypatch.setattr("memspice.network.batch.EVENTS", events)
    windows = list(result.windows)[::13]
    again = run_inference(
        mapped,
        make_images(IMAGES),
        CYCLES,
        SEED,
        burst=burst,
        windows=windows,
        execution=Execution(workers=workers),
    )
    np.testing.assert_array_equal(again.scores, result.scores)
    for window in windows:
        np.testing.assert_array_equal(again.windows[window], result.windows[window])


def test_long_bursts_end_at_the_ann() -> None:
    """Means of many spikes are probabilities; a pool of any is not of means: left out here."""
    stack = (Dense(8), Dense(8, also=(0,)), Dense(3, also=(1, 0)))
    plain, images = Architecture("plain", (72, 1, 1), stack), make_images(IMAGES)
    images = images.reshape(IMAGES, 72, 1, 1)
    ideal = {
        "array.wire_resistance_row": 0.0,
        "array.wire_resistance_col": 0.0,
        "array.driver_resistance": 1e-6,
        "sense.gain": 1e9,
        "synapse.levels": 1024,  # 31 steps of the weights are 1023 of these: only biases gain
    }
    mapped = make_mapped(plain, (128, 128), ideal)
    scores = run_inference(mapped, images, 1024, SEED, burst=1024).scores
    held = make_network(plain)
    # 16 means of 1,024 draws, weighted by 0.2, are off by 0.013 (one sigma); the edges of the pulse
    # bend ln H, which moves scores by up to 0.04.
    expected = ann_scores(held, images)
    np.testing.assert_allclose(scores, expected, atol=0.1)
    without = held.layers[2].weight.copy()
    without[:, 8:16] = 0  # those of the first layer: what a loop that left them out would give
    layers = (*held.layers[:2], replace(held.layers[2], weight=without))
    other = ann_scores(replace(held, layers=layers), images)
    assert np.abs(scores - other).max() > 0.2


def test_outputs_are_kept_as_long_as_a_layer_takes_them() -> None:
    steps = list(JOINED.shapes())
    outputs = Outputs(steps, np.zeros((1, 6, 6, 2), np.float32))
    kept = []
    for step in steps:
        outputs.take(step)
        kept.append(sorted(outputs._made))
        channels, *sides = step.output_shape
        outputs.add(step, np.zeros((1, *sides, channels), bool))
    # The image and conv1 until conv3 has them, conv3 until dense5, conv4 until dense6.
    assert kept == [[0], [0, 1], [], [3], [4], []]


def test_joined_repeats_pixels_and_keeps_spikes_binary() -> None:
    spikes = np.arange(12).reshape(6, 1, 1, 2) % 5 == 0
    pixels = np.array([0.25, 0.5], np.float32).reshape(2, 1, 1, 1)
    both = joined([pixels, spikes])
    assert both.dtype == np.float32
    np.testing.assert_array_equal(both[:, 0, 0, 0], [0.25] * 3 + [0.5] * 3)
    np.testing.assert_array_equal(both[..., 1:], spikes)
    assert joined([spikes, spikes]).dtype == bool
    means = joined([pixels, burst_means(spikes, 3)])
    np.testing.assert_allclose(means[:, 0, 0, 1], spikes[:, 0, 0, 0].reshape(2, 3).mean(axis=1))


def test_levels_of_every_source_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pixel of 0.1 behind a pool of four drives its rows at 0.025; spikes drive at 1."""
    seen: list[np.ndarray] = []

    def refusal(circuit: object, rows: np.ndarray, name: str, burst: int) -> None:
        if name == "conv3":
            seen.append(rows)

    monkeypatch.setattr("memspice.network.closed_form_check.refusal", refusal)
    mapped = make_mapped(JOINED)
    closed_form_refusals(mapped.layers, np.full((1, 2, 6, 6), 0.1))
    read = mapped.parameter_set.array.read_voltage
    levels = seen[0][:, : mapped.layers[2].fan_in] / read
    lowest, highest = np.split(levels[0], [63]), np.split(levels[1], [63])
    for found, expected in ((lowest[0], 0.25), (lowest[1], 0.025), (highest[0], 1)):
        np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(highest[1], 0.1)
