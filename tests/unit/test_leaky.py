"""Leaky averages: the recursion, the loop against window jobs, what they are for, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.analysis.comparison import PathwiseComparison
from memspice.circuits.bursts import LONGEST, answer_cycles, leaky_means
from memspice.circuits.energy_model import COMPONENTS
from memspice.errors import ConfigError
from memspice.experiment.against_cmos import load_cmos, quiescent
from memspice.experiment.cosim_state import CosimState, Iteration
from memspice.experiment.operations import converter_energy
from memspice.experiment.request import Request
from memspice.jobs import Execution
from memspice.network.ann import ann_scores
from memspice.network.architecture import Architecture, Dense
from memspice.network.batch import Window
from memspice.network.inference import InferenceResult, run_inference
from memspice.network.latency import latency
from memspice.network.mapping import MappedNetwork, map_network
from memspice.parameters import load_parameter_set
from memspice.windows.fidelity import WindowJob, window_jobs
from memspice.windows.surrogate import surrogate_events
from tests.helpers import fidelity_of
from tests.loop_helpers import SEED, SMALL, every_window, make_images, make_network
from tests.settings import Setting

SHARE, CYCLES, IMAGES = 0.4, 6, 3


def mapped_with(share: float, architecture: Architecture = SMALL) -> MappedNetwork:
    values = load_parameter_set("fast-memristor", {"sense.charge_share": share})
    return map_network(make_network(architecture), values)


@pytest.fixture(scope="module")
def mapped() -> MappedNetwork:
    return mapped_with(SHARE)


@pytest.fixture(scope="module")
def leaky(mapped: MappedNetwork) -> InferenceResult:
    return run_inference(
        mapped, make_images(IMAGES), CYCLES, SEED, windows=every_window(mapped, IMAGES)
    )


def jobs_of(mapped: MappedNetwork, run: InferenceResult, window: Window) -> list[WindowJob]:
    layer, inputs = mapped.layer(window.layer), run.windows[window]
    return window_jobs(layer, window, inputs, fidelity_of("surrogate"), seed=SEED)


def test_means_follow_the_recursion_run_by_run() -> None:
    spikes = np.random.default_rng(1).random((12, 2, 3)) < 0.5
    assert leaky_means(spikes, 4, 1.0) is spikes
    means = leaky_means(spikes, 4, SHARE)
    assert means.dtype == np.float32
    for first in (0, 4, 8):
        kept = spikes[first].astype(float)
        for cycle in range(first, first + 4):
            kept = (1 - SHARE) * kept + SHARE * spikes[cycle] if cycle > first else kept
            np.testing.assert_allclose(means[cycle], kept, rtol=1e-6)


def test_what_never_changes_is_its_own_mean() -> None:
    level = np.tile(np.random.default_rng(2).random(5), (9, 1))
    np.testing.assert_allclose(leaky_means(level, 9, SHARE), level, rtol=1e-14)


def test_spikes_and_scores_are_those_of_the_window_jobs(
    mapped: MappedNetwork, leaky: InferenceResult
) -> None:
    for layer in mapped.layers[:-1]:
        for image in range(IMAGES):
            count = 0
            for position in range(layer.positions):
                for job in jobs_of(mapped, leaky, Window(layer.name, image, position)):
                    hazard = surrogate_events(job)["hazard"]
                    count += np.sum(hazard >= job.stimulus().thresholds)
            assert leaky.spikes_per_image[layer.name][image] == count
    last = mapped.layers[-1]
    for image in range(IMAGES):
        jobs = jobs_of(mapped, leaky, Window(last.name, image, 0))
        drive = np.concatenate([surrogate_events(job)["drive"] for job in jobs], axis=1)
        for cycles, scores in leaky.scores_at.items():
            expected = drive[cycles - 1] / last.volts_per_unit
            np.testing.assert_allclose(scores[image], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("batch", "workers", "events"), [(1, 2, 1 << 21), (50, 3, 1)])
def test_groups_and_workers_change_nothing(
    mapped: MappedNetwork,
    leaky: InferenceResult,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    workers: int,
    events: int,
) -> None:
    monkeypatch.setattr("memspice.network.inference.BATCH", batch)
    monkeypatch.setattr("memspice.network.batch.EVENTS", events)
    execution = Execution(workers=workers)
    again = run_inference(mapped, make_images(IMAGES), CYCLES, SEED, execution=execution)
    for cycles, scores in leaky.scores_at.items():
        np.testing.assert_array_equal(again.scores_at[cycles], scores)
    assert again.spike_rate == leaky.spike_rate


def test_a_longer_memory_ends_nearer_to_the_ann() -> None:
    """Neurons that saturate: what is averaged before them goes through as in the ANN."""
    deep = Architecture("deep", (2, 6, 6), (Dense(24), Dense(24), Dense(3)))
    network, images = make_network(deep, scale=9.0), make_images(12)
    expected, errors = ann_scores(network, images), []
    for share in (1.0, 0.25, 0.05, 0.01):
        exact = {"synapse.variation": 0.0, "synapse.levels": 1_000_001}
        changes = {**exact, "sense.charge_share": share}
        mapped = map_network(network, load_parameter_set("fast-memristor", changes))
        scores = run_inference(mapped, images, LONGEST, 5).scores
        errors.append(float(np.sqrt(np.mean((scores - expected) ** 2))))
    plain, *leaky = errors
    assert leaky[0] > leaky[1] > leaky[2]  # noise of the last drive falls with the square root
    assert leaky[2] < plain / 2  # the mean over all cycles has no noise left, and is off


def test_holding_is_paid_for_and_the_answer_is_converted_once() -> None:
    requests = {
        share: Setting(
            network="digits-mlp", images=2, cycles=4, changes={"sense.charge_share": share}
        ).request()
        for share in (1.0, SHARE)
    }
    plain, leaky = (quiescent(request) for request in requests.values())
    assert leaky == pytest.approx(4 / 3 * plain, rel=1e-12)
    energies = []
    for request in requests.values():
        layer = request.mapped.layers[0]
        inputs = np.tile(np.random.default_rng(2).random(layer.fan_in), (4, 1))
        window = Window(layer.name, 0, 0)
        (job,) = window_jobs(layer, window, inputs, fidelity_of("surrogate"), seed=0)
        energies.append(job.fidelity.run(job).energy)
    for name in COMPONENTS:  # the same pulse in every cycle, and so the same drive
        if name != "sense":
            assert energies[1][name] == pytest.approx(energies[0][name], rel=1e-9), name
    price = load_cmos().converters.values.output_conversion
    assert [scores_joule(request) for request in requests.values()] == pytest.approx(
        [4 * 10 * price, 10 * price], rel=1e-12
    )
    cycle = requests[1.0].mapped.layers[0].circuits[0].schedule.cycle
    assert latency(requests[SHARE].mapped, 4, 1) == pytest.approx(
        cycle * answer_cycles(2, 4, 1, SHARE), rel=1e-12
    )
    assert answer_cycles(2, 4, 1, SHARE) == answer_cycles(2, 4, 1) + 2


def scores_joule(request: Request) -> float:
    """Energy of the converters of the last layer, whose rows are spikes, [J]."""
    mapped = request.mapped
    windows = [Window(layer.name, image, 0) for layer in mapped.layers for image in range(2)]
    loop = run_inference(mapped, request.images.x, request.cycles, request.seed, windows=windows)
    state = CosimState(
        iterations=[Iteration(1, loop, None, {}, PathwiseComparison(0, 0, 0.0, 0.0), 0)]
    )
    found = converter_energy(request, state, load_cmos().converters.values)
    return found[mapped.layers[-1].name][0]


@pytest.mark.parametrize(
    ("cycles", "burst", "said"),
    [
        (8, 4, "sense.charge_share = 0.4 averages from cycle to cycle and burst = 4 within"),
        (2048, 1, "cycles = 2048 is above 1,024, over which leaky averages are kept"),
    ],
)
def test_what_cannot_be_averaged_so_is_refused(
    mapped: MappedNetwork, cycles: int, burst: int, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        run_inference(mapped, make_images(1), cycles, SEED, burst=burst)
    if burst > 1:
        layer = mapped.layers[0]
        with pytest.raises(ConfigError, match=said):
            layer.circuits[0].held_drive(np.zeros((cycles, layer.rows)), burst)
