"""Loop and SPICE together on the digits: it settles, and its numbers are what they say."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from memspice.analysis.cmos import SCOPES, CmosOperations, NeuronDecision
from memspice.circuits.energy_model import COMPONENTS
from memspice.errors import ConfigError
from memspice.experiment.cosim import (
    CosimPlan,
    CosimState,
    _calibrate,
    _choose,
    _settled,
    run_cosim,
    spice_energies,
)
from memspice.experiment.setup import Prepared, Setup, prepare
from memspice.experiment.summary import summary_json, workload
from memspice.experiment.window import run_job, window_jobs
from memspice.network.inference import Window, run_inference
from memspice.parameters import load_sourced
from memspice.store import JobRecord
from tests.helpers import ngspice

CYCLES = 6
IMAGES = 6
PLAN = CosimPlan(
    spice_windows=2,
    spice_cycles=2,
    model_windows=4,
    full_windows=1,
    full_cycles=1,
    showcase_cycles=3,
)


@cache
def prepared() -> Prepared:
    return prepare(Setup(network="digits-mlp", images=IMAGES, cycles=CYCLES, seed=1))


@cache
def run() -> tuple[CosimState, list[JobRecord], Counter[str]]:
    """One co-simulation for all tests: state, records kept, stages reported."""
    records: list[JobRecord] = []
    stages: Counter[str] = Counter()

    def progress(stage: str, done: int, total: int) -> None:
        assert 0 < done <= total
        stages[stage] += 1

    state = run_cosim(prepared(), PLAN, ngspice(), records.append, progress)
    return state, records, stages


def summary() -> dict[str, object]:
    cmos = load_sourced("cmos-45nm", "cmos", CmosOperations)
    decision = load_sourced("cmos45_neuron", "decision", NeuronDecision)
    content = summary_json(prepared(), run()[0], cmos, decision, ngspice().info, 1.0)
    return dict(json.loads(json.dumps(content, allow_nan=False)))


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
    full = [job for job in jobs if job.fidelity == "full"]
    assert [(job.window.layer, len(job.inputs)) for job in full] == [("dense2", 1)]
    reduced = [job for job in jobs if job.fidelity == "reduced"]
    cycles = list({job.window: len(job.inputs) for job in reduced}.values())
    assert cycles[:4] == [3, 2, 2, 2]  # the first is the showcase
    assert {job.window for job in full} <= {job.window for job in reduced}


def test_a_window_seen_again_is_no_new_sample() -> None:
    # Two iterations ask for 8 windows of a dense layer, of which 6 images hold 6.
    for windows in run()[0].modelled.values():
        assert len(windows) == IMAGES


def test_a_full_window_is_no_sample_besides_its_reduced_twin() -> None:
    state = run()[0]
    for layer in prepared().mapped.layers:
        reduced = {job.window for job, _ in state.of_layer(layer.name) if job.fidelity == "reduced"}
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
    loop = run_inference(net.mapped, net.dataset.images, CYCLES, 1, windows=windows)
    for window in windows:
        layer = net.mapped.layer(window.layer)
        jobs = window_jobs(layer, window, loop.windows[window], "surrogate", 1)
        total += sum(sum(run_job(job, None).energy.values()) for job in jobs) / IMAGES
    assert abs(last.energy_total - total) < last.half_width + 0.02 * total
    assert state.settled


def test_summary_has_the_keys_of_the_design() -> None:
    content = summary()
    assert {
        "dataset", "network", "cycles", "ann_accuracy", "snn_accuracy",
        "energy_per_inference_joule", "cmos_baseline_joule", "ratio", "spice", "iterations",
        "versions",
    } <= set(content)  # fmt: skip
    energy, spice = content["energy_per_inference_joule"], content["spice"]
    assert isinstance(energy, dict)
    assert isinstance(spice, dict)
    assert set(energy) == {*COMPONENTS, "total", "ci95"}
    assert energy["total"] == pytest.approx(sum(energy[name] for name in COMPONENTS))
    assert energy["ci95"][0] < energy["total"] < energy["ci95"][1]
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
    ratio, energy = content["ratio"], content["energy_per_inference_joule"]
    assert isinstance(baseline, dict)
    assert isinstance(own, dict)
    assert isinstance(ratio, dict)
    assert isinstance(energy, dict)
    assert tuple(ratio) == SCOPES
    for scope in SCOPES:
        assert ratio[scope] == pytest.approx(baseline[scope] / own[scope])
    assert own["system"] == pytest.approx(energy["total"])


def test_each_scope_has_the_interval_of_its_own_components() -> None:
    content = summary()
    own, ends = content["memristive_joule"], content["memristive_ci95"]
    for scope in SCOPES:
        low, high = ends[scope]
        assert low < own[scope] < high
        assert (low + high) / 2 == pytest.approx(own[scope])
    assert ends["system"] == pytest.approx(content["energy_per_inference_joule"]["ci95"])


def test_doubt_about_the_additions_by_hand() -> None:
    windows = run()[0].iterations[-1].inference.windows
    active = [rows.sum() / CYCLES for window, rows in windows.items() if window.layer == "dense2"]
    half = 1.959964 * 10 * CYCLES * np.std(active, ddof=1) / np.sqrt(len(active))
    assert summary()["adds_half_width"] == pytest.approx(half, rel=1e-6)


def test_workload_by_hand() -> None:
    work = workload(prepared(), run()[0])
    assert work.events == 32 * CYCLES
    assert work.products == 64 * 32
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
    iterations = run()[0].iterations[-2:]
    assert _settled(iterations, PLAN)
    assert not _settled(iterations[:1], PLAN)
    costly = {
        name: replace(layer, components={k: 1.05 * v for k, v in layer.components.items()})
        for name, layer in iterations[1].energy.items()
    }
    assert not _settled([iterations[0], replace(iterations[1], energy=costly)], PLAN)
    busy = replace(iterations[1].inference, spike_rate={"dense1": 0.9})
    assert not _settled([iterations[0], replace(iterations[1], inference=busy)], PLAN)


def test_one_image_is_refused() -> None:
    single = prepare(Setup(network="digits-mlp", images=1, cycles=2))
    with pytest.raises(ConfigError, match="at least 2"):
        run_cosim(single, PLAN, ngspice(), lambda record: None, lambda *step: None)
