"""Notes beside a layer's numbers that leave their limits; how a distance from threshold reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from memspice.analysis.comparison import MARGIN
from memspice.cli_layer import layer_text
from memspice.cli_options import pathwise_verdict
from memspice.errors import EngineError
from memspice.experiment import simulate_layer as module
from memspice.experiment.agreement import CLOSURE_LIMIT, agreement_notes
from memspice.experiment.outcome import Outcome, outcome
from memspice.experiment.setup import Setup
from memspice.experiment.simulate_layer import LayerRun, simulate_layer
from memspice.experiment.window import surrogate_events
from memspice.store import JobRecord


def test_numbers_at_their_limits_need_no_note() -> None:
    assert agreement_notes(None, 0.0, None) == []
    assert agreement_notes(CLOSURE_LIMIT, MARGIN, MARGIN) == []


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((6.5e-3, 0.0, None), "the energy closes to 6.5e-03 only, above 1e-03"),
        ((None, 0.1999, None), "a hazard integral is 19.99% off the closed form, above 1%"),
        ((None, 0.0, 0.38), "a score is off the closed form by 38.00% of the largest, above 1%"),
    ],
)
def test_each_number_beyond_its_limit_has_its_note(
    numbers: tuple[float | None, float, float | None], words: str
) -> None:
    (note,) = agreement_notes(*numbers)
    assert note.startswith(words)


SPOILED: dict[str, tuple[str, Callable[[Outcome], Outcome], str]] = {
    "closure": ("dense1", lambda one: replace(one, closure=6.5e-3), "the energy closes to 6.5e-03"),
    "hazard": (
        "dense1",
        lambda one: replace(one, hazard=1.2 * one.hazard),
        "20.00% off the closed",
    ),
    "score": (
        "dense2",
        lambda one: replace(one, drive=1.05 * one.drive),
        "by 5.00% of the largest",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_json_and_text_of_a_layer_show_the_note(name: str, monkeypatch: Any) -> None:
    layer, spoil, words = SPOILED[name]
    original = outcome

    def spoiled(record: JobRecord) -> Outcome:
        return spoil(original(record))

    setup, run = Setup(network="digits-mlp", cycles=1), LayerRun(layer, fidelity="surrogate")
    assert simulate_layer(setup, run, None).json["notes"] == []
    monkeypatch.setattr(module, "outcome", spoiled)
    result = simulate_layer(setup, run, None)
    (note,) = result.json["notes"]
    assert words in note
    lines = layer_text(result).splitlines()
    assert max(map(len, lines)) <= 80
    assert f"note {note}" in " ".join(" ".join(lines).split())


def test_score_of_a_silent_layer_has_a_scale(monkeypatch: Any) -> None:
    # All scores 0: the deviation is then compared with a score of 1.
    setup, run = Setup(network="digits-mlp", cycles=1), LayerRun("dense2", fidelity="surrogate")
    original = surrogate_events

    def silent(job: Any) -> dict[str, np.ndarray]:
        return {name: np.zeros_like(values) for name, values in original(job).items()}

    monkeypatch.setattr(module, "surrogate_events", silent)
    scores = simulate_layer(setup, run, None).json["scores"]
    assert scores["relative_deviation"] == pytest.approx(scores["worst_deviation"])
    assert scores["relative_deviation"] > 0


@pytest.mark.parametrize(
    ("margin", "words"),
    [
        (0.5, "its hazard integral 50.0% from the threshold; the margin is 1%"),
        (181.9078, "its hazard integral 183 times the threshold; the margin is 1%"),
    ],
)
def test_far_beyond_the_threshold_is_a_factor(margin: float, words: str) -> None:
    with pytest.raises(EngineError, match=words):
        pathwise_verdict(margin, 32)


def test_the_margin_itself_is_no_failure() -> None:
    pathwise_verdict(MARGIN, 1)


def test_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "memspice", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "simulate-layer" in done.stdout
