"""Bursts: closed forms, limits and window jobs against the loop; one cycle a burst is no burst."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from memspice.circuits.bursts import LONGEST, burst_means, check_burst
from memspice.circuits.energy_model import COMPONENTS, closed_form_energy
from memspice.errors import ConfigError
from memspice.jobs import Execution
from memspice.network.ann import ann_scores
from memspice.network.architecture import Architecture, Dense, Pool
from memspice.network.batch import Window, cycle_counts
from memspice.network.frames import pooled, products
from memspice.network.inference import Calibration, InferenceResult, run_inference
from memspice.network.mapping import MappedNetwork, map_network
from memspice.parameters import load_parameter_set
from memspice.windows.closed_form import closed_form_layers
from memspice.windows.fidelity import WindowJob, window_jobs
from memspice.windows.surrogate import surrogate_events
from tests.helpers import fidelity_of
from tests.loop_helpers import SEED, every_window, make_images, make_mapped, make_network
from tests.settings import Setting

#: Two layers of neurons behind each other: what bursts are for.
DEEP = Architecture("deep", (2, 6, 6), (Dense(24), Dense(24), Dense(3)))
BURST, CYCLES, IMAGES = 3, 6, 3


@pytest.fixture(scope="module")
def mapped() -> MappedNetwork:
    return make_mapped()


@pytest.fixture(scope="module")
def bursts(mapped: MappedNetwork) -> InferenceResult:
    windows = every_window(mapped, IMAGES)
    return run_inference(mapped, make_images(IMAGES), CYCLES, SEED, burst=BURST, windows=windows)


def jobs_of(mapped: MappedNetwork, run: InferenceResult, window: Window) -> list[WindowJob]:
    layer, inputs = mapped.layer(window.layer), run.windows[window]
    return window_jobs(layer, window, inputs, fidelity_of("surrogate"), seed=SEED, burst=BURST)


def spikes_of(mapped: MappedNetwork, run: InferenceResult, window: Window) -> np.ndarray:
    """Spikes (cycles, outputs) of a window, by its jobs."""
    jobs = jobs_of(mapped, run, window)
    fired = [surrogate_events(job)["hazard"] >= job.stimulus().thresholds for job in jobs]
    return np.concatenate(fired, axis=1)


# --- what is integrated ---------------------------------------------------------------------------


def test_the_drive_of_a_burst_is_that_of_its_mean_pattern(mapped: MappedNetwork) -> None:
    layer = mapped.layers[1]
    inputs = np.random.default_rng(0).random((CYCLES, layer.fan_in)) < 0.5
    (job, *_) = window_jobs(
        layer,
        Window(layer.name, 0, 0),
        inputs.astype(float),
        fidelity_of("surrogate"),
        seed=SEED,
        burst=BURST,
    )
    drive, circuit = surrogate_events(job)["drive"], job.circuit
    for first in (0, BURST):
        share = inputs[first : first + BURST].sum(axis=0) / BURST
        linear = circuit.output_bias + circuit.drive_gain @ layer.row_voltage(share)
        expected = np.clip(linear, *circuit.write_limits)
        for held in drive[first : first + BURST]:
            np.testing.assert_allclose(held, expected, rtol=1e-12)
    assert (drive[0] != drive[BURST]).all()


def test_means_of_spikes_are_exact_and_one_cycle_is_itself() -> None:
    spikes = np.random.default_rng(1).random((12, 2, 3)) < 0.5
    assert burst_means(spikes, 1) is spikes
    means = burst_means(spikes, 4)
    assert means.dtype == np.float32
    np.testing.assert_array_equal(means, spikes.reshape(3, 4, 2, 3).mean(axis=1))


def test_what_is_clipped_is_the_mean_and_not_its_pulses(mapped: MappedNetwork) -> None:
    layer = mapped.layers[1]
    circuit = layer.circuits[0]
    rows = np.stack([np.zeros(circuit.rows), np.sign(circuit.drive_gain[0])])
    narrow = replace(circuit, write_limits=(-1e-3, 1e-3), bias_voltage=0.0, trim=None)
    apart = narrow.drive_voltage(rows).mean(axis=0)
    assert abs(apart[0]) < 1e-3 - 1e-6
    assert narrow.held_drive(rows, 2)[0, 0] == 1e-3


# --- the loop -------------------------------------------------------------------------------------


def test_spikes_are_those_of_the_window_jobs(
    mapped: MappedNetwork, bursts: InferenceResult
) -> None:
    for layer in mapped.layers[:-1]:
        for image in range(IMAGES):
            windows = [Window(layer.name, image, position) for position in range(layer.positions)]
            spikes = [spikes_of(mapped, bursts, window) for window in windows]
            assert bursts.spikes_per_image[layer.name][image] == np.sum(spikes)


def test_windows_hold_the_row_pulses_and_not_their_mean(
    mapped: MappedNetwork, bursts: InferenceResult
) -> None:
    first, second, third, last = mapped.layers
    positions = [spikes_of(mapped, bursts, Window(second.name, 0, p)) for p in range(9)]
    sent = np.stack(positions, axis=2).reshape(CYCLES, -1)
    np.testing.assert_array_equal(bursts.windows[Window(third.name, 0, 0)], sent)
    maps = [spikes_of(mapped, bursts, Window(first.name, 0, p)) for p in range(36)]
    state = np.stack(maps, axis=1).reshape(CYCLES, 6, 6, 5)
    middle = pooled(state, Pool(2)).transpose(0, 3, 1, 2).reshape(CYCLES, -1)
    np.testing.assert_array_equal(bursts.windows[Window(second.name, 0, 4)], middle[:, NINE])


#: All nine inputs of each channel of a 3 x 3 image: the patch in its middle.
NINE = np.arange(45)


def test_scores_are_the_mean_over_bursts_of_the_integrated_drive(
    mapped: MappedNetwork, bursts: InferenceResult
) -> None:
    last = mapped.layers[-1]
    for image in range(IMAGES):
        jobs = jobs_of(mapped, bursts, Window(last.name, image, 0))
        drive = np.concatenate([surrogate_events(job)["drive"] for job in jobs], axis=1)
        for cycles, scores in bursts.scores_at.items():
            expected = drive[:cycles].mean(axis=0) / last.volts_per_unit
            np.testing.assert_allclose(scores[image], expected, rtol=1e-4, atol=1e-5)


def test_one_cycle_a_burst_is_the_loop_without(mapped: MappedNetwork) -> None:
    # The counts and scores that test_inference.py has of the loop before there were bursts.
    found = run_inference(mapped, make_images(), 5, 12, burst=1)
    assert {name: list(counts) for name, counts in found.spikes_per_image.items()} == {
        "conv1": [484, 497, 498, 491, 481, 499, 491],
        "conv2": [52, 52, 65, 61, 46, 69, 59],
        "dense3": [21, 17, 16, 12, 12, 16, 13],
    }


def test_the_first_layer_draws_and_spikes_as_without_bursts(
    mapped: MappedNetwork, bursts: InferenceResult
) -> None:
    """Its pixels are the same in every cycle, and a draw belongs to its cycle."""
    plain = run_inference(mapped, make_images(IMAGES), CYCLES, SEED)
    np.testing.assert_array_equal(bursts.spikes_per_image["conv1"], plain.spikes_per_image["conv1"])
    assert (bursts.spikes_per_image["conv2"] != plain.spikes_per_image["conv2"]).any()


@pytest.mark.parametrize(("batch", "workers", "events"), [(1, 2, 1 << 21), (2, 1, 400), (50, 3, 1)])
def test_groups_and_workers_change_nothing(
    mapped: MappedNetwork,
    bursts: InferenceResult,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    workers: int,
    events: int,
) -> None:
    monkeypatch.setattr("memspice.network.inference.BATCH", batch)
    monkeypatch.setattr("memspice.network.batch.EVENTS", events)
    again = run_inference(
        mapped, make_images(IMAGES), CYCLES, SEED, burst=BURST, execution=Execution(workers=workers)
    )
    for cycles, scores in bursts.scores_at.items():
        np.testing.assert_array_equal(again.scores_at[cycles], scores)
    assert again.spike_rate == bursts.spike_rate


def test_scores_on_the_way_are_those_of_fewer_bursts(mapped: MappedNetwork) -> None:
    found = run_inference(mapped, make_images(2), 10, SEED, burst=2).scores_at
    assert list(found) == cycle_counts(10, 2) == [2, 4, 8, 10]
    for cycles, scores in found.items():
        shorter = run_inference(mapped, make_images(2), cycles, SEED, burst=2).scores
        np.testing.assert_array_equal(scores, shorter)


def test_a_product_is_made_once_a_burst(
    mapped: MappedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames: list[int] = []
    plain = products

    def counted(state: np.ndarray, *args: object) -> object:
        frames.append(len(state))
        return plain(state, *args)  # type: ignore[arg-type]

    monkeypatch.setattr("memspice.network.batch.products", counted)
    run_inference(mapped, make_images(2), 8, SEED, burst=4, execution=Execution(workers=1))
    assert frames == 2 * [1, 2, 2, 2]  # an image a batch; pixels are the same in all cycles


# --- what it is for -------------------------------------------------------------------------------


def steep_errors(cycles: int, *bursts: int) -> list[float]:
    """Distance of scores from those of the ANN, root of the mean square, by length of burst.

    Of a network with inputs so large that its neurons saturate; cells are exact.
    """
    network, images = make_network(DEEP, scale=9.0), make_images(12)
    exact = {"synapse.variation": 0.0, "synapse.levels": 1_000_001}
    mapped = map_network(network, load_parameter_set("fast-memristor", exact))
    expected = ann_scores(network, images)
    runs = (run_inference(mapped, images, cycles, 5, burst=burst) for burst in bursts)
    return [float(np.sqrt(np.mean((run.scores - expected) ** 2))) for run in runs]


def test_long_bursts_end_at_the_ann_and_single_cycles_do_not() -> None:
    """K to infinity: rates go through the nonlinearity as the ANN's activations do."""
    single, long = steep_errors(LONGEST, 1, LONGEST)
    (once,) = steep_errors(1, 1)
    # The sampling error falls by 32 from one cycle to all; wires and amplifiers leave a little.
    assert long < once / 20
    assert long < single / 4


def test_longer_bursts_of_as_many_cycles_are_nearer_to_the_ann() -> None:
    """Monotonic in expectation: so many cycles that lengths of bursts alone tell runs apart."""
    errors = steep_errors(LONGEST, 1, 2, 4, 8)
    assert all(longer < 0.85 * shorter for shorter, longer in pairwise(errors))


def test_one_layer_of_neurons_gains_nothing() -> None:
    """Its spikes are averaged by a line, which no burst can better."""
    mapped = make_mapped(Architecture("two", (2, 6, 6), (Dense(8), Dense(3))))
    plain = run_inference(mapped, make_images(3), 8, SEED)
    burst = run_inference(mapped, make_images(3), 8, SEED, burst=8)
    assert burst.spikes_per_image.keys() == plain.spikes_per_image.keys()
    np.testing.assert_allclose(burst.scores, plain.scores, rtol=1e-5, atol=1e-6)


# --- calibration and energy -----------------------------------------------------------------------


def test_calibration_is_of_the_held_drive(mapped: MappedNetwork, bursts: InferenceResult) -> None:
    last = mapped.layers[-1]
    moved = run_inference(
        mapped,
        make_images(IMAGES),
        CYCLES,
        SEED,
        burst=BURST,
        calibration={last.name: Calibration(drive_gain=0.8, drive_offset=0.01)},
    )
    expected = 0.8 * bursts.scores + 0.01 / last.volts_per_unit
    np.testing.assert_allclose(moved.scores, expected, rtol=1e-4, atol=1e-5)


def test_equal_patterns_cost_the_same_but_for_what_holds_the_drive(mapped: MappedNetwork) -> None:
    layer = mapped.layers[1]
    inputs = np.tile(np.random.default_rng(2).random(layer.fan_in) < 0.5, (4, 1)).astype(float)
    window = Window(layer.name, 0, 0)
    energies = []
    for burst in (1, 4):
        job = window_jobs(layer, window, inputs, fidelity_of("surrogate"), seed=SEED, burst=burst)[
            0
        ]
        energies.append(job.fidelity.run(job).energy)
    plain, held = energies
    circuit = job.circuit
    idle = partial(circuit.sense.idle_energy, circuit.outputs, circuit.schedule)
    hold = 4 * (idle(held=True) - idle(held=False))
    assert hold == pytest.approx(4 * idle(held=False) / 3, rel=1e-12)
    for name in COMPONENTS:
        extra = hold if name == "sense" else 0.0
        assert held[name] == pytest.approx(plain[name] + extra, rel=1e-9), name


def test_rows_are_paid_for_pulse_by_pulse_and_neurons_by_the_held_drive(
    mapped: MappedNetwork,
) -> None:
    layer = mapped.layers[1]
    circuit = layer.circuits[0]
    spikes = (np.random.default_rng(3).random((4, layer.fan_in)) < 0.5).astype(float)
    rows, shape = layer.row_voltage(spikes), (4, circuit.outputs)
    none = np.zeros(shape), np.ones(shape)  # no neuron switches: what it takes is its drive's
    plain, held = (closed_form_energy(circuit, rows, *none, burst) for burst in (1, 4))
    for name in ("driver", "crossbar"):
        np.testing.assert_array_equal(held[name], plain[name])
        assert len(set(held[name])) == 4
    assert len(set(plain["neuron_write"])) == 4
    assert len(set(held["neuron_write"])) == 1
    # No drive is clipped here, so that the joules of the mean are the mean of the joules.
    mean = plain["neuron_write"].mean()
    np.testing.assert_allclose(held["neuron_write"], mean, rtol=1e-12)


def test_an_inference_of_bursts_has_an_energy() -> None:
    prepared = Setting(network="digits-mlp", images=2, cycles=4, burst=4).request()
    windows = {
        layer.name: [Window(layer.name, image, 0) for image in range(2)]
        for layer in prepared.mapped.layers
    }
    every = [window for each in windows.values() for window in each]
    totals = []
    for burst in (4, 1):
        run = run_inference(prepared.mapped, prepared.images.x, 4, 0, burst=burst, windows=every)
        layers = closed_form_layers(
            prepared.mapped.layers, windows, run, cycles=4, seed=0, burst=burst
        )
        totals.append(layers["dense1"].components)
    # Pixels are the same in all cycles: the same spikes, and the same joules but for the hold.
    held, plain = totals
    assert held["neuron_write"] == pytest.approx(plain["neuron_write"], rel=1e-9)
    assert held["sense"] > 1.2 * plain["sense"]


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cycles", "burst", "said"),
    [
        (10, 4, "use cycles = 8 or 12, or burst = 1, 2, 5, 10"),
        (3, 8, "use cycles = 8, or burst = 1, 3"),
        (8, 0, "burst = 0 must be 1 to 1,024"),
        (8, -8, "burst = -8 must be"),
        (2048, 2048, "burst = 2048 must be"),
    ],
)
def test_cycles_are_whole_bursts(mapped: MappedNetwork, cycles: int, burst: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_burst(cycles, burst)
    with pytest.raises(ConfigError, match=said):
        run_inference(mapped, make_images(1), cycles, SEED, burst=burst)
    with pytest.raises(ConfigError, match=said):
        Setting(network="digits-mlp", cycles=cycles, burst=burst).request()
    layer = mapped.layers[1]
    inputs = np.zeros((cycles, layer.fan_in))
    with pytest.raises(ConfigError, match=said):
        window_jobs(
            layer,
            Window(layer.name, 0, 0),
            inputs,
            fidelity_of("surrogate"),
            seed=SEED,
            burst=burst,
        )
