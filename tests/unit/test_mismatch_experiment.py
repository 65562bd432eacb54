"""Chips with drawn thresholds: what is committed of them, and how it is reckoned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memspice.circuits.mismatch import read_mismatch
from memspice.network.weights import load_network
from memspice.resources import resource_path
from tests.paper_helpers import ROOT, script
from tests.unit.test_mismatch import library

from readme import replaced  # isort: skip - found by paper_helpers in experiments/

FOLDER = ROOT / "experiments" / "mismatch"
PAGE = (ROOT / "docs" / "periphery.md").read_text(encoding="utf-8")


def result(name: str = "result") -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def words(path: Path | None = None) -> str:
    return " ".join((path.read_text(encoding="utf-8") if path else PAGE).split())


@pytest.mark.parametrize(
    ("block", "file", "name"),
    [
        ("mismatch_chips", "run", "result"),
        ("mismatch_layers", "layers", "layers"),
        ("mismatch_parts", "parts", "parts"),
    ],
)
def test_the_page_shows_the_results(block: str, file: str, name: str) -> None:
    shown = script("mismatch", file).table(result(name))
    assert replaced(PAGE, block, shown) == PAGE


def test_decks_of_a_drawn_chip_are_within_the_margin_of_the_residual() -> None:
    found = result("layers")
    table = read_mismatch(resource_path("freepdk45", "sense_burst_mismatch.toml"), library())
    residual, _ = table.residual_of(found["changes"]["mismatch.area_spread"])
    steps = list(load_network(found["network"]).architecture.shapes())
    assert len(found["layers"]) == len(steps) - 1  # all that spike
    for item in found["layers"].values():
        assert item["outside"] == 0
        assert not item["doubts"]
        assert item["closure"] < 1e-3
        assert item["events"] + item["apart"] == found["cycles"] * item["decks"]
        # what was stated when it was run is what the table says: of stages side by side, less
        count = (residual / np.array(item["residual"])) ** 2
        np.testing.assert_allclose(count, np.round(count), rtol=1e-6)
        assert np.abs(item["off"]).max() < 4 * item["residual"][0]
    for sentence in script("mismatch", "layers").sentences(found):
        assert sentence in words()


def test_the_page_says_what_chips_lose() -> None:
    for sentence in script("mismatch").sentences(result()):
        assert sentence in words()
    for sentence in script("mismatch", "parts").sentences(result("parts")):
        assert sentence in words()


def test_chips_differ_by_what_was_put_in() -> None:
    """Answers lost with a chance of each chip's own, beside chips that lose as many alike."""
    rng = np.random.default_rng(7)
    chips, images, spread = 200, 300, 0.04
    alike = np.ones((chips, images), bool)
    chance = 0.2 + spread * rng.standard_normal((chips, 1))
    drawn = rng.random((chips, images)) > chance
    found = script("mismatch").between_chips(alike, drawn)
    # a standard deviation of 200 is known to 5 %, and 0.023 of chance are taken off 0.046
    assert found["value"] == pytest.approx(spread, rel=0.2)
    assert found["low"] < found["value"] < found["high"]
    assert found["chance"] == pytest.approx(np.sqrt(0.2 * 0.8 / images), rel=0.05)
    # Student's interval of 200 values is the normal one to a hundredth
    means = np.hypot(spread, found["chance"])
    assert found["half"] == pytest.approx(1.96 * means / np.sqrt(chips), rel=0.15)
    same = script("mismatch").between_chips(alike, rng.random((chips, images)) > 0.2)
    assert same["low"] == 0
    assert same["value"] < 0.012
    # images that all chips miss are no difference between them
    hard = alike & (np.arange(images) > 60)
    assert script("mismatch").between_chips(alike, hard)["value"] == 0
