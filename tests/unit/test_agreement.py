"""The verdict on results of SPICE: its limits, waveforms that lie, and lying engines."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from memspice.analysis.comparison import MARGIN, PathwiseComparison
from memspice.circuits.energy_model import COMPONENTS
from memspice.cli.failure import exit_code
from memspice.engines.waveforms import Waveforms
from memspice.errors import EngineError
from memspice.experiment import simulate_layer as simulated
from memspice.network.batch import Window
from memspice.network.inference import run_inference
from memspice.windows import agreement
from memspice.windows.agreement import (
    CLOSURE_LIMIT,
    ENERGY_LIMIT,
    MEASURED_RESET_LIMIT,
    RESET_LIMIT,
    Verdict,
    check_verdict,
    judge,
    together,
)
from memspice.windows.fidelity import WindowJob, window_jobs
from memspice.windows.kept import Kept
from memspice.windows.outcome import outcome
from memspice.windows.reduced import Reduced
from memspice.windows.surrogate import surrogate_events
from tests.helpers import ngspice
from tests.settings import Setting
from tests.waveform_lies import HARMLESS, LIES, NEURON_LIES, Lie

FINE = Verdict(PathwiseComparison(1, 0, 0.0, 0.0), 0.0, dict.fromkeys(COMPONENTS, 0.0), None)


def spoiled(**numbers: Any) -> Verdict:
    """A verdict that is fine but for some numbers, those of the spikes among them."""
    names = set(numbers) & {"mismatches", "worst_margin", "hazard_deviation"}
    pathwise = replace(FINE.pathwise, **{name: numbers.pop(name) for name in names})
    energies = {**FINE.energy_deviation, **numbers.pop("energy", {})}
    return replace(FINE, pathwise=pathwise, energy_deviation=energies, **numbers)


def test_numbers_at_their_limits_are_within() -> None:
    energies = {**dict.fromkeys(COMPONENTS, ENERGY_LIMIT), "neuron_reset": RESET_LIMIT}
    at_limit = spoiled(
        worst_margin=MARGIN,
        hazard_deviation=MARGIN,
        drive_deviation=MARGIN,
        closure=CLOSURE_LIMIT,
        energy=energies,
    )
    assert FINE.holds
    assert at_limit.holds
    check_verdict(at_limit.doubts)


def test_a_reset_that_was_measured_has_less_room() -> None:
    between = spoiled(energy={"neuron_reset": (RESET_LIMIT + MEASURED_RESET_LIMIT) / 2})
    assert between.holds
    measured = replace(between, reset_limit=MEASURED_RESET_LIMIT)
    assert measured.doubts[0].startswith("the energy of neuron_reset is 7.50% off the closed form")
    assert together([measured, FINE]).reset_limit == RESET_LIMIT
    assert together([measured, measured]).doubts == measured.doubts


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"closure": 6.5e-3}, "the energy closes to 6.5e-03 only, above 1e-03"),
        ({"hazard_deviation": 0.1999}, "a hazard integral is 19.99% off the closed form, above 1%"),
        ({"drive_deviation": 0.38}, "a drive or score is off the closed form by 38.00% of the"),
        ({"energy": {"sense": 1.0}}, "the energy of sense is 100.00% off the closed form, above 3"),
        ({"energy": {"neuron_reset": 0.2}}, "the energy of neuron_reset is 20.00% off"),
        (
            {"worst_margin": 0.5, "mismatches": 32},
            "32 spikes differ from the closed form, one with",
        ),
    ],
)
def test_each_number_beyond_its_limit_has_its_note(numbers: dict[str, Any], words: str) -> None:
    verdict = spoiled(**numbers)
    (note,) = verdict.doubts
    assert note.startswith(words)
    assert verdict.as_json()["holds"] is False
    with pytest.raises(EngineError, match=words.split(",")[0]) as caught:
        check_verdict(verdict.doubts)
    assert exit_code(caught.value) == 4


@pytest.mark.parametrize(
    "name", ["worst_margin", "hazard_deviation", "drive_deviation", "closure", "energy"]
)
def test_what_is_no_number_is_within_no_limit(name: str) -> None:
    value: Any = {"crossbar": np.nan} if name == "energy" else np.nan
    assert not spoiled(**{name: value}).holds


@pytest.mark.parametrize(
    ("margin", "words"),
    [
        (0.5, "its hazard integral 50.0% from the threshold; the margin is 1%"),
        (181.9078, "its hazard integral 183 times the threshold; the margin is 1%"),
    ],
)
def test_far_beyond_the_threshold_is_a_factor(margin: float, words: str) -> None:
    assert words in spoiled(worst_margin=margin, mismatches=1).doubts[0]


def test_of_many_jobs_the_worst_counts() -> None:
    verdicts = [
        spoiled(closure=1e-5, drive_deviation=1e-3),
        spoiled(closure=2e-4, hazard_deviation=2e-3, energy={"logic": 0.01}),
        FINE,
    ]
    whole = together(verdicts)
    assert (whole.closure, whole.drive_deviation) == (2e-4, 1e-3)
    assert whole.energy_deviation["logic"] == 0.01
    assert whole.pathwise == PathwiseComparison(3, 0, 0.0, 2e-3)
    assert together([FINE]).closure is None
    assert not together([*verdicts, spoiled(closure=1.0)]).holds


def test_what_drawn_transistors_leave_open_widens_the_margin() -> None:
    wide = spoiled(margin=0.2, worst_margin=0.15, mismatches=1, hazard_deviation=0.15)
    assert wide.holds
    assert not replace(wide, margin=0.14).holds
    assert "the margin is 14%" in replace(wide, margin=0.14).doubts[0]
    assert together([FINE, wide]).margin == 0.2


def test_score_of_a_silent_layer_has_a_scale(monkeypatch: Any) -> None:
    # All scores 0: the deviation is then compared with a score of 1.
    setting = Setting(network="digits-mlp", cycles=1)
    original = surrogate_events

    def silent(job: Any) -> dict[str, np.ndarray]:
        return {name: np.zeros_like(values) for name, values in original(job).items()}

    for place in (simulated, agreement):
        monkeypatch.setattr(place, "surrogate_events", silent)
    content = setting.simulate("dense2", "surrogate").as_json()
    scores = content["scores"]
    assert scores["relative_deviation"] == pytest.approx(scores["worst_deviation"])
    assert scores["relative_deviation"] > 0
    assert content["verdict"]["drive_deviation"] == pytest.approx(scores["worst_deviation"])


# --- waveforms that lie -----------------------------------------------------------------------


@cache
def real_run(layer: str) -> tuple[WindowJob, str, Waveforms]:
    """First deck of a layer, and what the engine really says of it."""
    prepared = Setting(network="digits-mlp", cycles=4).request()
    window = Window(layer, 0, 0)
    loop = run_inference(prepared.mapped, prepared.images.x, 4, 0, windows=[window])
    job = window_jobs(
        prepared.mapped.layer(layer), window, loop.windows[window], Reduced(ngspice()), seed=0
    )[0]
    asked = job.fidelity.request(job)
    waves = ngspice().run(
        asked.netlist, asked.analysis, save=list(asked.save), options=asked.options
    )
    return job, asked.netlist, waves


def verdict_of(layer: str, lie: Lie) -> Verdict:
    job, netlist, waves = real_run(layer)
    return judge(job, outcome(job.fidelity.record(job, netlist, Kept(), lie(waves))))


@pytest.mark.ngspice
@pytest.mark.parametrize("layer", ["dense1", "dense2"])
def test_the_truth_is_well_within_all_limits(layer: str) -> None:
    found = verdict_of(layer, lambda waves: waves)
    assert found.holds
    assert found.pathwise.hazard_deviation < MARGIN / 10
    assert found.drive_deviation < MARGIN / 1000
    assert found.closure is not None
    assert found.closure < CLOSURE_LIMIT / 10
    for name, deviation in found.energy_deviation.items():
        assert deviation < (RESET_LIMIT if name == "neuron_reset" else ENERGY_LIMIT) / 2


@pytest.mark.ngspice
@pytest.mark.parametrize("layer", ["dense1", "dense2"])
@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_beyond_a_limit_or_refused(layer: str, name: str) -> None:
    try:
        assert not verdict_of(layer, LIES[name]).holds
    except EngineError as error:
        assert "finite" in str(error)  # noqa: PT017 - either will do
        assert name in ("not a number", "overflow", "everything zero")


@pytest.mark.ngspice
@pytest.mark.parametrize("name", NEURON_LIES)
def test_a_lie_about_neurons_is_beyond_a_limit(name: str) -> None:
    assert not verdict_of("dense1", NEURON_LIES[name]).holds


@pytest.mark.ngspice
@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_lies(name: str) -> None:
    lie, reason = HARMLESS[name]
    assert verdict_of("dense1", lie).holds, reason


def test_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "memspice", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "simulate-layer" in done.stdout
