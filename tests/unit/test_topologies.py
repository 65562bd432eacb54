"""The bench of sense stages: what it makes of a stage that is known, and its committed table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.periphery import UA
from benchmarks.topologies import (
    DECK,
    PROTOTYPE,
    STEPS,
    TOPOLOGIES,
    Response,
    Topology,
    _few,
    draw,
    figures,
    prototype_table,
    topology_table,
)

PAGE = Path(__file__).parents[2] / "docs" / "periphery.md"


@dataclass(frozen=True)
class Known(Topology):
    """Plane with a bend, an offset by its seed, a little of the line's capacitance."""

    gain: float = 50e3
    shared: float = 1e3
    bend: float = 0.0

    def respond(
        self, pairs: np.ndarray, *, capacitance: float = 1.0, seed: int | None = None
    ) -> Response:
        difference, mean = pairs[:, 0] - pairs[:, 1], pairs.mean(axis=1)
        drive = 0.5 + self.gain * difference - self.shared * (mean - self.mean)
        drive = drive + self.bend * (difference / self.reach) ** 2 + 2e-3 * (capacitance - 1)
        draws = 0.0 if seed is None else 0.01 * (-1) ** seed
        return Response(drive + draws, 2e-13, 4e-3)


STAGE = Known("known", "by hand", 100e-6, 4 * UA, 2 * UA)


def test_figures_of_a_stage_counted_by_hand() -> None:
    found = figures(STAGE)
    assert found.gain == pytest.approx(50e3)
    assert found.span == pytest.approx(2 * 2e-6 * 50e3)
    assert found.bent == pytest.approx(0.0, abs=1e-9)
    assert found.shared == pytest.approx(2e-6 * 1e3)
    assert found.settled == pytest.approx(2e-3)
    assert found.memory == pytest.approx(0.0, abs=1e-15)
    assert found.offset == pytest.approx(0.01 * np.sqrt(12 / 11))
    assert (found.energy, found.droop) == (2e-13, 4e-3)


def test_a_bend_shows_and_leaves_the_gain() -> None:
    bent, more = (figures(replace(STAGE, bend=bend)) for bend in (0.01, 0.02))
    assert bent.gain == pytest.approx(50e3)
    assert 0 < bent.bent < more.bent
    # A parabola over five even steps from -1/2 to 1/2 is at most 1/8 of its bend off its line.
    assert bent.bent * np.ptp(bent.drive[2:7]) == pytest.approx(0.01 / 8)


def test_tables_and_figure_take_what_was_measured() -> None:
    found = [figures(STAGE)] * len(TOPOLOGIES)
    lines = list(topology_table(found))
    assert len(lines) == 2 + len(TOPOLOGIES)
    assert "| known | by hand | 100, 4.0 | 200 | 50.0 |" in lines[2]
    rows = list(prototype_table(found[0]))
    assert rows[2] == "| energy, fJ | 200 | 153 | 1.31 |"
    assert len(draw(found).axes) == 2


def test_points_are_cut_into_decks_without_loss() -> None:
    points = np.arange(2 * 13.0).reshape(13, 2)
    decks = _few(points)
    assert max(map(len, decks)) == DECK
    assert (np.concatenate(decks) == points).all()
    assert {0.0, 0.5} <= set(STEPS)


def test_committed_table_has_all_stages_and_is_near_its_prototype() -> None:
    text = PAGE.read_text(encoding="utf-8")
    _, _, table = text.partition("<!-- topologies -->\n")
    names = [row.split(" | ")[0].strip("| ") for row in table.split("<!--")[0].splitlines()[2:]]
    assert names == [topology.name for topology in TOPOLOGIES]
    _, _, table = text.partition("<!-- prototype -->\n")
    ratios = {
        row.strip("| ").split(",")[0]: float(row.split(" | ")[-1].strip(" |"))
        for row in table.split("<!--")[0].splitlines()[2:]
    }
    assert set(ratios) == {name for name, _, _ in PROTOTYPE}
    # The page says why the offset is not.
    assert all(abs(ratio - 1) < 0.2 for name, ratio in ratios.items() if name != "offset")
