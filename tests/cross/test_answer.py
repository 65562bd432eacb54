"""Latches that compare held drives, all pairs at once, on both engines."""

from __future__ import annotations

import pytest

from benchmarks.answer import DRIVES, GAPS, AnswerRun
from memspice.circuits.answers import PairLatches


@pytest.mark.ngspice
@pytest.mark.vacask
def test_the_highest_drive_wins_all_its_comparisons() -> None:
    found = {engine: AnswerRun(engine, DRIVES[:3]) for engine in ("ngspice", "vacask")}
    for run in found.values():
        for decision in range(len(GAPS)):
            assert run.wins(decision).tolist() == [2, 1, 0]
        # two latches on each drive of three, nine on each of ten
        assert run.joules() == pytest.approx(PairLatches().comparison, rel=0.05)
    assert found["vacask"].joules() == pytest.approx(found["ngspice"].joules(), rel=5e-3)
