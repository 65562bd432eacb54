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
    [("mismatch_layers", "layers", "layers")],
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
