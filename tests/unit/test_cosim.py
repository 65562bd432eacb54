"""Loop and SPICE together on the digits: it settles, and its numbers are what they say."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from memspice.analysis.cmos import LIKE_FOR_LIKE, PAPERS, SCOPES
from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.errors import ConfigError
from memspice.experiment.against_cmos import load_cmos
from memspice.experiment.characterize import characterize
from memspice.experiment.cosim import (
    CosimPlan,
    CosimState,
    _calibrate,
    _choose,
    _settled,
    run_cosim,
    spice_energies,
)
from memspice.experiment.operations import graded_bits, workload
from memspice.experiment.request import Request
from memspice.experiment.results.cosim import CosimResult
from memspice.experiment.summary import cosim_result
from memspice.network.architecture import CIFAR10_CNN, Architecture, Dense, Pool, Source
from memspice.network.batch import Window
from memspice.network.inference import run_inference
from memspice.network.weights import Network, WeightLayer, save_network
from memspice.store import JobRecord, Provenance
from memspice.windows.fidelity import WindowJob, window_jobs
from memspice.windows.outcome import Outcome
from memspice.windows.surrogate import surrogate_events
from tests.helpers import fidelity_of, ngspice
from tests.settings import Setting

CYCLES = 6
IMAGES = 6
PLAN = CosimPlan(
    spice_windows=2,
    spice_cycles=2,
    spice_outputs=16,
    model_windows=4,
    full_windows=1,
    full_cycles=1,
    full_outputs=5,
    showcase_cycles=3,
    showcase_outputs=16,
)


@cache
def prepared() -> Request:
    return Setting(network="digits-mlp", images=IMAGES, cycles=CYCLES, seed=1).request()


@cache
def run() -> tuple[CosimState, list[JobRecord], Counter[str]]:
    """One co-simulation for all tests: state, records kept, stages reported."""
    records: list[JobRecord] = []
    stages: Counter[str] = Counter()

    def progress(stage: str, done: int, total: int) -> None:
        assert 0 < done <= total
        stages[stage] += 1

    state = run_cosim(prepared(), PLAN, ngspice(), records.append, progress=progress)
    return state, records, stages


def summary() -> dict[str, Any]:
    return dict(json.loads(json.dumps(result().as_json(), allow_nan=False)))


@cache
def result() -> CosimResult:
    transfer = characterize("fast-memristor", points=2, events=8, engine=ngspice())
    made = Provenance(config="", seed=1, engine=ngspice().info.as_json())
    state, records, _ = run()
    return cosim_result(
        prepared(), state, load_cmos(), transfer, records=records, provenance=made, wall_seconds=1.0
    )


pytestmark = pytest.mark.ngspice


def test_it_settles_within_the_plan() -> None:
    state = run()[0]
    assert state.settled
    assert 2 <= len(state.iterations) <= PLAN.max_iterations
    assert [item.number for item in state.iterations] == list(range(1, len(state.iterations) + 1))


def test_spikes_agree_event_by_event() -> None:
    last = run()[0].iterations[-1].comparison
    assert last.events > 100
    assert last.mismatches == 0
    assert last.hazard_deviation < 5e-3


def test_calibration_is_near_the_identity() -> None:
    first, last = (run()[0].calibration[name] for name in ("dense1", "dense2"))
    assert first.drive_gain == pytest.approx(1, abs=1e-4)
    assert first.drive_offset == pytest.approx(0, abs=1e-4)
    assert first.log_hazard_gain == pytest.approx(1, abs=5e-3)
    assert first.log_hazard_offset == pytest.approx(0, abs=5e-3)
    assert last.drive_gain == pytest.approx(1, abs=1e-3)
    assert last[2:] == (1.0, 0.0)


def test_integrals_lost_in_the_tolerance_do_not_spoil_the_calibration() -> None:
    """A device far below its threshold may end at a hazard integral just below zero."""
    state = run()[0]
    outcomes = list(state.outcomes)
    hazard = outcomes[0].hazard.copy()
    hazard[0, :2] = -1e-12
    outcomes[0] = replace(outcomes[0], hazard=hazard)
    spoilt = CosimState(jobs=state.jobs, outcomes=outcomes)
    _calibrate(spoilt, prepared())
    found, before = (item.calibration["dense1"] for item in (spoilt, state))
    np.testing.assert_allclose(found, before, atol=1e-3)


def test_drives_at_their_limits_say_nothing_of_the_line() -> None:
    """A line is fitted to what the stage can still follow, wherever its limits cut it."""
    state, (layer, last) = run()[0], prepared().mapped.layers
    drive = np.concatenate([item.drive.ravel() for _, item in state.of_layer(layer.name)])
    limits = (float(np.quantile(drive, 0.3)), float(np.quantile(drive, 0.7)))
    cut = replace(
        layer, circuits=tuple(replace(part, write_limits=limits) for part in layer.circuits)
    )
    jobs = [replace(job, layer=cut) if job.layer.name == cut.name else job for job in state.jobs]

    def measured(job: WindowJob, found: Outcome) -> Outcome:
        if job.layer is not cut:
            return found
        # The stage has 3 % more gain than its closed form, and stops where that stops.
        form = surrogate_events(job)["drive"]
        drive = np.where((form > limits[0]) & (form < limits[1]), 1.03 * form - 0.02, form)
        return replace(found, drive=drive, hazard=np.exp(job.circuit.log_hazard(drive)))

    outcomes = [measured(job, item) for job, item in zip(jobs, state.outcomes, strict=True)]
    mapped = replace(prepared().mapped, layers=(cut, last))
    clipped = CosimState(jobs=jobs, outcomes=outcomes)
    _calibrate(clipped, replace(prepared(), mapped=mapped))
    found = clipped.calibration[layer.name]
    assert found.drive_gain == pytest.approx(1.03, rel=1e-3)
    assert found.drive_offset == pytest.approx(-0.02, abs=1e-3)


def test_records_are_those_of_the_jobs() -> None:
    state, records, stages = run()
    assert sorted(record.name for record in records) == sorted(job.name for job in state.jobs)
    assert len({job.name for job in state.jobs}) == len(state.jobs) == len(state.outcomes)
    for job, outcome in zip(state.jobs, state.outcomes, strict=True):
        assert (outcome.window, outcome.first_output) == (job.window, job.outputs.start)
        assert outcome.drive.shape == (len(job.inputs), job.circuit.outputs)
        assert outcome.closure is not None
        assert outcome.closure <= 1e-3
    assert any(stage.startswith("iteration 2: network loop") for stage in stages)
    assert any(stage.startswith("iteration 1: SPICE") for stage in stages)


def test_windows_of_each_kind() -> None:
    jobs = run()[0].jobs
    full = [job for job in jobs if job.fidelity.exact]
    assert [(job.window.layer, len(job.inputs)) for job in full] == [("dense2", 1)]
    reduced = [job for job in jobs if not job.fidelity.exact]
    cycles = list({job.window: len(job.inputs) for job in reduced}.values())
    assert cycles[:4] == [3, 2, 2, 2]  # the first is the showcase
    assert {job.window for job in full} <= {job.window for job in reduced}


def test_of_a_wide_layer_some_decks_run_and_of_the_smallest_a_narrow_crossbar() -> None:
    outputs: dict[tuple[Window, bool], list[range]] = {}
    for job in run()[0].jobs:
        outputs.setdefault((job.window, job.fidelity.exact), []).append(job.outputs)
    for (window, exact), parts in outputs.items():
        count = sum(map(len, parts))
        assert count == len({output for part in parts for output in part})
        assert count == {"dense1": 16, "dense2": 5 if exact else 10}[window.layer]
    (full,) = [job for job in run()[0].jobs if job.fidelity.exact]
    assert [tile.shape[1] for tile in full.circuit.conductances] == [10]
    # Windows differ in what of the layer they have.
    assert len({tuple(parts) for (window, _), parts in outputs.items()}) > 3


def test_a_window_seen_again_is_no_new_sample() -> None:
    # Two iterations ask for 8 windows of a dense layer, of which 6 images hold 6.
    for windows in run()[0].modelled.values():
        assert len(windows) == IMAGES


def test_a_full_window_is_no_sample_besides_its_reduced_twin() -> None:
    state = run()[0]
    for layer in prepared().mapped.layers:
        reduced = {job.window for job, _ in state.of_layer(layer.name) if not job.fidelity.exact}
        energies = spice_energies(state, layer)
        typical = np.mean([sum(item.values()) for item in state.modelled[layer.name].values()])
        assert len(energies) == len(reduced)
        for measured, modelled in energies:
            assert sum(measured.values()) == pytest.approx(sum(modelled.values()), rel=0.02)
            # Of one window and one cycle: idle sense stages make most of it.
            assert sum(modelled.values()) == pytest.approx(typical, rel=0.1)


def test_interval_is_finite_and_covers_the_closed_form_of_all_windows() -> None:
    state, last = run()[0], run()[0].iterations[-1]
    assert 0 < last.half_width < 0.2 * last.energy_total
    # Every window of these images in closed form; SPICE is within 2 % of it on this network.
    net, total = prepared(), 0.0
    windows = [
        Window(layer.name, image, 0) for layer in net.mapped.layers for image in range(IMAGES)
    ]
    loop = run_inference(net.mapped, net.images.x, CYCLES, 1, windows=windows)
    for window in windows:
        layer = net.mapped.layer(window.layer)
        jobs = window_jobs(layer, window, loop.windows[window], fidelity_of("surrogate"), seed=1)
        total += sum(sum(job.fidelity.run(job).energy.values()) for job in jobs) / IMAGES
    assert abs(last.energy_total - total) < last.half_width + 0.02 * total
    assert state.settled


def test_summary_has_the_keys_of_the_design() -> None:
    content = summary()
    assert {
        "dataset", "network", "cycles", "ann_accuracy", "snn_accuracy",
        "energy_per_inference_joule", "energy_total_joule", "assumed_fraction", "device_source",
        "cmos_baseline_joule", "ratio", "spice", "iterations", "versions", "latency_seconds",
        "area_m2", "tops_per_watt",
    } <= set(content)  # fmt: skip
    assert content["layout_latency_seconds"]["position"] == content["latency_seconds"]
    energy, spice = content["energy_per_inference_joule"], content["spice"]
    total = content["energy_total_joule"]
    assert tuple(energy) == NETWORK_COMPONENTS
    assert total["value"] == pytest.approx(sum(energy.values()))
    assert total["model_low"] < total["low"] < total["value"] < total["high"] < total["model_high"]
    assert "sampling" in total["interval"]
    assert content["device_source"] == "what-if"
    assert content["assumed_fraction"] == pytest.approx(
        1 - (energy["driver"] + energy["crossbar"]) / total["value"]
    )
    layers = content["energy_by_layer_joule"].values()
    assert sum(sum(layer.values()) for layer in layers) == pytest.approx(total["value"])
    assert {"windows", "full_windows", "mismatches", "worst_margin", "closure_max"} <= set(spice)
    assert spice["full_windows"] == 1
    assert spice["windows"] == len({(j.window, j.fidelity) for j in run()[0].jobs})
    for accuracy in (content["ann_accuracy"], content["snn_accuracy"]):
        assert isinstance(accuracy, dict)
        assert set(accuracy) == {"value", "n", "low", "high"}
        assert accuracy["n"] == IMAGES


def test_ratios_are_the_quotients_of_the_scopes() -> None:
    content = summary()
    baseline, own = content["cmos_baseline_joule"], content["memristive_joule"]
    assert tuple(content["ratio"]) == tuple(content[PAPERS]) == SCOPES
    for scope in SCOPES:
        assert tuple(content["ratio"][scope]) == LIKE_FOR_LIKE
        for name, item in {**content["ratio"][scope], PAPERS: content[PAPERS][scope]}.items():
            assert item["value"] == pytest.approx(baseline[scope][name] / own[scope])
            ends = (item["sensitivity"]["low"]["value"], item["sensitivity"]["high"]["value"])
            assert ends[0] < item["value"] < ends[1]
            assert item["low"] < item["value"] < item["high"]
            assert 0 <= item["opponent_assumed_fraction"] <= 1
            assert item["assumed_fraction"] <= 1
    assert own["system"] == pytest.approx(content["energy_total_joule"]["value"])


def test_each_scope_has_the_interval_of_its_own_components() -> None:
    content = summary()
    own, ends = content["memristive_joule"], content["memristive_ci95"]
    for scope in SCOPES:
        low, high = ends[scope]
        assert low < own[scope] < high
        assert (low + high) / 2 == pytest.approx(own[scope])
    total = content["energy_total_joule"]
    assert ends["system"] == pytest.approx([total["low"], total["high"]])
    last = run()[0].iterations[-1].half_width  # of the circuits alone
    assert total["high"] - total["value"] > last
    assert ends["neuron_synapse"][1] - own["neuron_synapse"] == pytest.approx(last)


def test_quiescent_joules_are_those_of_three_amplifiers_a_neuron() -> None:
    content, schedule = summary(), prepared().mapped.layers[0].circuits[0].schedule
    sense = prepared().mapped.parameter_set.sense
    one = 2 * sense.supply * sense.quiescent_current * schedule.rows.area
    assert content["sense_split_joule"]["quiescent"] == pytest.approx(3 * (32 + 10) * CYCLES * one)
    split = sum(content["sense_split_joule"].values())
    assert split == pytest.approx(content["energy_per_inference_joule"]["sense"])


def test_converters_by_hand() -> None:
    """Pixels once an image at eight bit; spikes need none; scores in every cycle."""
    prices = load_cmos().converters.values
    windows = run()[0].iterations[-1].inference.windows
    pixels = [np.count_nonzero(rows[0]) for window, rows in windows.items()
              if window.layer == "dense1"]  # fmt: skip
    expected = prices.input_conversion * np.mean(pixels)
    layers = summary()["energy_by_layer_joule"]
    assert layers["dense1"]["converter"] == pytest.approx(expected)
    assert layers["dense2"]["converter"] == pytest.approx(10 * CYCLES * prices.output_conversion)


def test_pooled_rows_take_the_bits_of_their_levels() -> None:
    steps = CIFAR10_CNN.shapes()
    # Pixels; spikes; means of four spikes have five levels.
    assert [graded_bits(step.sources[0]) for step in steps] == [8, 0, 3, 0, 3, 0, 3]
    mean, spike = Pool(2), Pool(2, "any")
    assert graded_bits(Source(0, (mean,))) == 8
    assert graded_bits(Source(2, (spike,))) == 0
    assert graded_bits(Source(2, (mean, mean))) == graded_bits(Source(2, (mean, spike, mean))) == 5


def test_doubt_about_the_additions_by_hand() -> None:
    windows = run()[0].iterations[-1].inference.windows
    active = [rows.sum() / CYCLES for window, rows in windows.items() if window.layer == "dense2"]
    half = 1.959964 * 10 * CYCLES * np.std(active, ddof=1) / np.sqrt(len(active))
    assert summary()["adds_half_width"] == pytest.approx(half, rel=1e-6)


def test_workload_by_hand() -> None:
    work = workload(prepared(), run()[0])
    assert work.events == 32 * CYCLES
    assert work.products == 64 * 32
    assert (work.activations, work.macs) == (32, 64 * 32 + 32 * 10)
    windows = run()[0].iterations[-1].inference.windows
    active = [rows.sum() for window, rows in windows.items() if window.layer == "dense2"]
    # One addition for each spike and output; spikes of the sampled windows, over all cycles.
    assert work.synaptic_adds == pytest.approx(10 * float(np.mean(active)))


def test_later_iterations_choose_other_windows() -> None:
    plan = replace(PLAN, model_windows=3)
    first, second = (_choose(prepared(), plan, number)["dense1"] for number in (0, 1))
    assert not set(first) & set(second)
    assert set(first) | set(second) == {Window("dense1", image, 0) for image in range(IMAGES)}


def test_movement_is_not_settled() -> None:
    iterations, labels = run()[0].iterations[-2:], prepared().images.y
    assert _settled(iterations, PLAN, labels)
    assert _settled(iterations, PLAN, None)
    assert not _settled(iterations[:1], PLAN, labels)
    costly = {
        name: replace(layer, components={k: 1.05 * v for k, v in layer.components.items()})
        for name, layer in iterations[1].energy.items()
    }
    assert not _settled([iterations[0], replace(iterations[1], energy=costly)], PLAN, labels)
    busy = replace(iterations[1].inference, spike_rate={"dense1": 0.9})
    assert not _settled([iterations[0], replace(iterations[1], inference=busy)], PLAN, labels)


def test_answers_that_are_worse_than_chance_makes_them_are_not_settled() -> None:
    old, new = run()[0].iterations[-2:]
    right = np.eye(2)[np.zeros(100, dtype=int)]
    labels = np.zeros(100, dtype=int)

    def settled(worse: int, better: int) -> bool:
        before, after = right.copy(), right.copy()
        after[:worse] = before[worse : worse + better] = [0.0, 1.0]
        rates = old.inference.spike_rate
        loops: Any = [SimpleNamespace(scores=s, spike_rate=rates) for s in (before, after)]
        pair = [replace(old, inference=loops[0]), replace(new, inference=loops[1])]
        return _settled(pair, PLAN, labels)

    assert [n for n in range(8) if settled(n, 0)] == [0, 1, 2, 3]  # n > 1.96 root(n) from 4 on
    assert [n for n in range(8) if settled(0, n)] == [0, 1, 2, 3]
    assert settled(20, 12)
    assert not settled(24, 10)  # 14 of 34, where chance makes 11.4


def test_a_network_without_spikes_is_refused(tmp_path: Path) -> None:
    architecture = Architecture("sums", (1, 8, 8), (Dense(10),))
    layer = WeightLayer(np.full((10, 64), 0.1), np.zeros(10), 0.1)
    save_network(Network(architecture, (layer,), {}), tmp_path / "sums.h5", 32)
    sums = Setting(network=str(tmp_path / "sums.h5"), images=2, cycles=2).request()
    with pytest.raises(ConfigError, match="sums has no spiking layer"):
        run_cosim(sums, PLAN, ngspice(), lambda record: None)


def test_one_image_is_refused() -> None:
    single = Setting(network="digits-mlp", images=1, cycles=2).request()
    with pytest.raises(ConfigError, match="at least 2"):
        run_cosim(single, PLAN, ngspice(), lambda record: None)
