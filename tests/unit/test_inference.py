"""The network loop against direct loops, the window jobs, and its own expectation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memspice.devices.draws import event_thresholds
from memspice.jobs import Execution
from memspice.network import frames
from memspice.network.ann import ann_scores
from memspice.network.architecture import Architecture, Dense, Pool
from memspice.network.batch import Window, cycle_counts
from memspice.network.frames import pooled
from memspice.network.inference import InferenceResult, run_inference
from memspice.network.mapping import MappedNetwork, map_network
from memspice.network.switching import Calibration
from memspice.parameters import load_parameter_set
from memspice.windows.fidelity import window_jobs
from memspice.windows.surrogate import surrogate_events
from tests.helpers import fidelity_of
from tests.loop_helpers import (
    CYCLES,
    IMAGES,
    SEED,
    every_window,
    loop_spikes,
    make_images,
    make_mapped,
    make_network,
    patches,
)


@pytest.fixture(scope="module")
def mapped() -> MappedNetwork:
    return make_mapped()


@pytest.fixture(scope="module")
def result(mapped: MappedNetwork) -> InferenceResult:
    windows = every_window(mapped, IMAGES)
    return run_inference(mapped, make_images(), CYCLES, SEED, windows=windows)


# --- the same events as the window jobs -----------------------------------------------------------


def test_spikes_are_those_of_the_window_jobs(
    mapped: MappedNetwork, result: InferenceResult
) -> None:
    for layer in mapped.layers[:-1]:
        for image in range(IMAGES):
            spikes = loop_spikes(mapped, result, layer, image)
            assert result.spikes_per_image[layer.name][image] == spikes.sum()


def test_windows_hold_what_the_layer_before_sent(
    mapped: MappedNetwork, result: InferenceResult
) -> None:
    images = make_images()
    first, second, third, last = mapped.layers
    for image in (0, IMAGES - 1):
        for position in (0, 7, 35):
            seen = result.windows[Window(first.name, image, position)]
            pixels = patches(images[image : image + 1], 3)[0, position]
            np.testing.assert_array_equal(seen, np.tile(pixels, (CYCLES, 1)))
        state = loop_spikes(mapped, result, first, image).reshape(CYCLES, 6, 6, 5)
        halved = pooled(state, Pool(2)).transpose(0, 3, 1, 2)
        for position in range(9):
            seen = result.windows[Window(second.name, image, position)]
            np.testing.assert_array_equal(seen, patches(halved, 3)[:, position])
        flat = loop_spikes(mapped, result, second, image).transpose(0, 2, 1).reshape(CYCLES, -1)
        np.testing.assert_array_equal(result.windows[Window(third.name, image, 0)], flat)
        flat = loop_spikes(mapped, result, third, image).reshape(CYCLES, -1)
        np.testing.assert_array_equal(result.windows[Window(last.name, image, 0)], flat)


def test_scores_are_the_mean_drive_of_the_last_layer(
    mapped: MappedNetwork, result: InferenceResult
) -> None:
    last = mapped.layers[-1]
    for image in range(IMAGES):
        window = Window(last.name, image, 0)
        jobs = window_jobs(
            last, window, result.windows[window], fidelity_of("surrogate"), seed=SEED
        )
        drives = [surrogate_events(job)["drive"] for job in jobs]
        scores = np.concatenate(drives, axis=1).mean(axis=0) / last.volts_per_unit
        np.testing.assert_allclose(result.scores[image], scores, rtol=1e-4, atol=1e-5)


def test_draws_are_those_of_the_stimulus(mapped: MappedNetwork, result: InferenceResult) -> None:
    layer = mapped.layers[2]
    window = Window(layer.name, 3, 0)
    for job in window_jobs(
        layer, window, result.windows[window], fidelity_of("surrogate"), seed=SEED
    ):
        drawn = job.stimulus().thresholds
        for cycle in range(CYCLES):
            whole = event_thresholds(SEED, layer.number, 3, cycle, 0, layer.outputs)
            part = whole[job.outputs.start : job.outputs.stop]
            np.testing.assert_array_equal(drawn[cycle], part)


def test_spikes_stay() -> None:
    # Counts of the loop when its draws became 32 bits; the window jobs above count the same. A
    # hazard that differs by float32 rounding moves 1 event in 10 million: none of these 9,450.
    found = run_inference(make_mapped(), make_images(), CYCLES, SEED)
    assert {name: list(counts) for name, counts in found.spikes_per_image.items()} == {
        "conv1": [484, 497, 498, 491, 481, 499, 491],
        "conv2": [52, 52, 65, 61, 46, 69, 59],
        "dense3": [21, 17, 16, 12, 12, 16, 13],
    }
    known = [[1.00178, 0.3126, -0.72573], [0.87787, -0.39218, -0.28836]]
    np.testing.assert_allclose(found.scores[:2], known, atol=2e-5)  # printed to five places


# --- what must not matter, and what must ----------------------------------------------------------


@pytest.mark.parametrize(
    ("batch", "workers", "events"),
    [(50, 1, 1 << 21), (50, 3, 1 << 21), (1, 2, 1 << 21), (3, 1, 400), (50, 2, 1), (50, 1, 1300)],
)
def test_batches_and_workers_change_nothing(
    mapped: MappedNetwork,
    result: InferenceResult,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    workers: int,
    events: int,
) -> None:
    monkeypatch.setattr("memspice.network.inference.BATCH", batch)
    monkeypatch.setattr("memspice.network.batch.EVENTS", events)
    windows = list(result.windows)[::17]
    done: list[int] = []
    again = run_inference(
        mapped,
        make_images(),
        CYCLES,
        SEED,
        windows=windows,
        execution=Execution(workers=workers),
        progress=done.append,
    )
    for cycles, scores in result.scores_at.items():
        np.testing.assert_array_equal(again.scores_at[cycles], scores)
    assert again.spike_rate == result.spike_rate
    for window in windows:
        np.testing.assert_array_equal(again.windows[window], result.windows[window])
    assert sum(done) == IMAGES


def test_blocks_of_products_change_only_rounding(
    mapped: MappedNetwork, result: InferenceResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "ROW_NUMBERS", 1)
    again = run_inference(mapped, make_images(), CYCLES, SEED)
    # Another shape may be summed in another order, in float32; no spike is that close here.
    np.testing.assert_allclose(again.scores, result.scores, rtol=1e-5, atol=1e-6)
    assert again.spike_rate == result.spike_rate


def test_images_may_be_run_apart(mapped: MappedNetwork, result: InferenceResult) -> None:
    part = run_inference(
        mapped,
        make_images()[4:],
        CYCLES,
        SEED,
        first_image=4,
        windows=[Window("dense3", 5, 0)],
    )
    np.testing.assert_array_equal(part.scores, result.scores[4:])
    window = Window("dense3", 5, 0)
    np.testing.assert_array_equal(part.windows[window], result.windows[window])


def test_longer_runs_begin_like_shorter_ones(
    mapped: MappedNetwork, result: InferenceResult
) -> None:
    window = Window("dense4", 2, 0)
    longer = run_inference(mapped, make_images(), CYCLES + 3, SEED, windows=[window])
    np.testing.assert_array_equal(longer.windows[window][:CYCLES], result.windows[window])


@pytest.mark.parametrize("events", [1 << 21, 400])
def test_scores_on_the_way_are_those_of_shorter_runs(
    mapped: MappedNetwork, monkeypatch: pytest.MonkeyPatch, events: int
) -> None:
    # Groups of all cycles, and of two: cycle counts lie inside of groups and at their borders.
    monkeypatch.setattr("memspice.network.batch.EVENTS", events)
    found = run_inference(mapped, make_images(3), 11, SEED)
    assert list(found.scores_at) == [1, 2, 4, 8, 11]
    for cycles, scores in found.scores_at.items():
        shorter = run_inference(mapped, make_images(3), cycles, SEED)
        np.testing.assert_array_equal(scores, shorter.scores)
    assert found.scores is found.scores_at[11]
    assert (found.scores_at[1] != found.scores).any()


@pytest.mark.parametrize(
    ("cycles", "counts"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (16, [1, 2, 4, 8, 16])]
)
def test_cycle_counts_are_powers_of_two_and_the_last(cycles: int, counts: list[int]) -> None:
    assert cycle_counts(cycles) == counts


def test_a_network_without_neurons_has_one_score_in_every_cycle() -> None:
    mapped = make_mapped(Architecture("one", (2, 6, 6), (Dense(3),)))
    found = run_inference(mapped, make_images(2), 5, SEED).scores_at
    for scores in found.values():
        np.testing.assert_allclose(scores, found[1], rtol=1e-12)  # a sum of equals


def test_another_seed_gives_other_spikes(mapped: MappedNetwork, result: InferenceResult) -> None:
    window = Window("dense3", 0, 0)
    other = run_inference(mapped, make_images(), CYCLES, SEED + 1, windows=[window])
    assert (other.windows[window] != result.windows[window]).mean() > 0.05


# --- calibration ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "calibration",
    [
        Calibration(drive_gain=0.98, drive_offset=0.1),
        Calibration(log_hazard_gain=1.6, log_hazard_offset=-0.3),
    ],
)
def test_calibration_moves_drive_and_hazard_as_documented(
    mapped: MappedNetwork, calibration: Calibration
) -> None:
    layer = mapped.layers[0]
    images, cycles = make_images(3), 40
    found = run_inference(mapped, images, cycles, SEED, calibration={layer.name: calibration})
    count = expected_count = 0.0
    variance = 0.0
    for image in range(3):
        rows = layer.row_voltage(patches(images[image : image + 1], 3)[0].astype(float))
        for part in layer.circuits:
            linear = part.bias_voltage + rows @ part.drive_gain.T
            drive = np.clip(
                calibration.drive_gain * linear + calibration.drive_offset, *part.write_limits
            )
            log_hazard = part.neuron.device.hazard.log_hazard_integral(
                drive * part.neuron.write_fraction, part.timing.write, part.timing.edge
            )
            log_hazard = calibration.log_hazard_gain * log_hazard + calibration.log_hazard_offset
            probability = -np.expm1(-np.exp(log_hazard))
            expected_count += cycles * probability.sum()
            variance += cycles * np.sum(probability * (1 - probability))
        count += found.spikes_per_image[layer.name][image]
    # 4 standard deviations: 6e-5 of all seeds would fail; without calibration it is 10 and more.
    assert abs(count - expected_count) < 4 * np.sqrt(variance)
    plain = run_inference(mapped, images, cycles, SEED).spikes_per_image[layer.name].sum()
    assert abs(plain - expected_count) > 8 * np.sqrt(variance)


def test_calibration_of_the_last_layer_moves_the_scores(
    mapped: MappedNetwork, result: InferenceResult
) -> None:
    last = mapped.layers[-1]
    calibration = {last.name: Calibration(drive_gain=0.8, drive_offset=0.01)}
    moved = run_inference(mapped, make_images(), CYCLES, SEED, calibration=calibration)
    expected = 0.8 * result.scores + 0.01 / last.volts_per_unit
    np.testing.assert_allclose(moved.scores, expected, rtol=1e-4, atol=1e-5)


def test_identity_calibration_is_none(mapped: MappedNetwork, result: InferenceResult) -> None:
    same = {layer.name: Calibration() for layer in mapped.layers}
    again = run_inference(mapped, make_images(), CYCLES, SEED, calibration=same)
    np.testing.assert_array_equal(again.scores, result.scores)


# --- statistics -----------------------------------------------------------------------------------


def test_rate_of_the_first_layer_is_the_expected_probability(mapped: MappedNetwork) -> None:
    images, cycles = make_images(4), 60
    found = run_inference(mapped, images, cycles, 77)
    layer = mapped.layers[0]
    rows = layer.row_voltage(patches(images, 3).astype(float))
    total = variance = 0.0
    for part in layer.circuits:
        bias = part.drive_voltage(rows) * part.neuron.write_fraction
        probability = part.neuron.device.hazard.switching_probability(
            bias, part.timing.write, part.timing.edge
        )
        total += probability.sum()
        variance += np.sum(probability * (1 - probability))
    events = len(images) * layer.positions * layer.outputs
    error = np.sqrt(variance / cycles) / events
    assert abs(found.spike_rate[layer.name] - total / events) < 4 * error


def test_mean_over_cycles_goes_to_the_mean_field() -> None:
    # A linear last layer over independent spikes: its expectation is its value at the
    # probabilities, which is what the ANN computes; ideal but for quantised biases and wires.
    architecture = Architecture("two", (2, 6, 6), (Dense(12), Dense(3)))
    network = make_network(architecture)
    values = load_parameter_set("fast-memristor")
    wires = {"wire_resistance_row": 0.0, "wire_resistance_col": 0.0, "driver_resistance": 0.0}
    values = replace(
        values,
        array=values.array.model_copy(update=wires),
        synapse=values.synapse.model_copy(update={"variation": 0.0, "levels": 31 * 10**6 + 1}),
        sense=values.sense.model_copy(update={"gain": 1e12, "output_resistance": 1e-3}),
    )
    mapped = map_network(network, values)
    images = make_images(3)
    expected = ann_scores(network, images)
    weight = network.layers[1].weight
    errors = []
    for cycles in (10, 1000):
        found = run_inference(mapped, images, cycles, 3).scores
        errors.append(found - expected)
    # The variance of a spike is at most 1/4; 5 standard deviations of 9 scores.
    bound = 5 * 0.5 * np.sqrt(np.sum(weight**2, axis=1) / 1000)
    assert (np.abs(errors[1]) < bound + 0.01).all()
    assert np.sqrt(np.mean(errors[1] ** 2)) < 0.4 * np.sqrt(np.mean(errors[0] ** 2))


@pytest.mark.parametrize("layer", [0, 1, 3])
def test_without_scores_the_loop_stops_before_the_last_layer_of_a_window(
    mapped: MappedNetwork, result: InferenceResult, layer: int
) -> None:
    """Windows are the same to the bit; what comes after is neither computed nor reduced."""
    fresh = make_mapped()
    last = fresh.layers[layer]
    windows = [window for window in result.windows if window.layer == last.name]
    found = run_inference(
        fresh, make_images(), CYCLES, SEED, windows=windows, scored=False, checked=False
    )
    assert list(found.windows) == windows
    for window in windows:
        np.testing.assert_array_equal(found.windows[window], result.windows[window])
    assert found.scores_at == {}
    before = [item.name for item in fresh.layers[:layer]]
    assert found.spike_rate == {name: result.spike_rate[name] for name in before}
    reduced = [
        item.name for item in fresh.layers if any("ports" in vars(part) for part in item.circuits)
    ]
    assert reduced == before
