"""Latches that compare the drives of stages of bursts, all pairs at once, on both engines."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.answer import DRIVES, GAPS, LEAST, AnswerRun
from memspice.circuits.answers import PairLatches


@pytest.mark.ngspice
@pytest.mark.vacask
def test_the_highest_drive_wins_all_its_comparisons() -> None:
    found = {engine: AnswerRun(engine, DRIVES[:3]) for engine in ("ngspice", "vacask")}
    for run in found.values():
        for decision, gap in enumerate(GAPS):
            held = run.held(decision)
            # stages hold what they are asked for, and do not move each other
            np.testing.assert_allclose(held, run.drives - [0, gap, 0], atol=1e-3)
            assert held[0] - held[1] == pytest.approx(gap, rel=0.05)
            assert run.wins(decision).tolist() == [2, 1, 0]
        # two latches on each drive of three, nine on each of ten
        assert run.joules() == pytest.approx(PairLatches().comparison, rel=0.2)
    assert found["vacask"].joules() == pytest.approx(found["ngspice"].joules(), rel=5e-3)


@pytest.mark.ngspice
def test_an_answer_of_the_lowest_scores_takes_longer() -> None:
    usual, least = (AnswerRun("ngspice", DRIVES[:3] - below) for below in (0.0, LEAST))
    assert least.wins(1).tolist() == [2, 1, 0]
    assert 2 * usual.decided(1) < least.decided(1) < 3e-9
