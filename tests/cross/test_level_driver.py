"""Word lines on one of five rails: every choice of spikes, on both engines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.level_driver import CYCLE, LEVELS, LOAD, LevelRun, every_transition, pulse_joules
from memspice.circuits.blocks.level_driver import LevelDriver

#: Nothing, then every choice of four lines, each once.
LINES = np.array([(0, 0, 0, 0), *np.ndindex(2, 2, 2, 2)], float)


def test_each_level_follows_each_other_once() -> None:
    changes = list(pairwise(every_transition()))
    assert sorted(changes) == list(np.ndindex(LEVELS, LEVELS))


def test_the_price_of_a_pulse_has_the_way_back_to_rest() -> None:
    joules = np.full((LEVELS, LEVELS), 80.0)
    joules[:, 0] = 1.0  # falls to 0
    joules[0, 0] = 0.0
    assert pulse_joules(joules, 1e-6) == pytest.approx(81, rel=1e-3)
    assert pulse_joules(joules, 1.0) == pytest.approx(80, rel=1e-12)


@pytest.mark.ngspice
@pytest.mark.vacask
def test_spikes_are_counted() -> None:
    here, there = LevelRun("ngspice", LINES), LevelRun("vacask", LINES)
    quarters = LINES.sum(axis=1)
    # A divider of switch and load: 44 to 63 ohm of 10 um at 1 V less the rail, without the load's.
    least, most = (0.025 * quarters * LOAD / (LOAD + switch) for switch in (65.0, 40.0))
    for run in (here, there):
        assert np.all(run.row() >= least - 1e-6)
        assert np.all(run.row() <= most + 1e-6)
    joules = here.joules().sum()
    assert there.joules().sum() == pytest.approx(joules, rel=5e-3)
    # the price of a pulse is that of spikes at a rate of 0.2, and 0.5 have a little less
    price = float(LevelDriver().pulse_energy(quarters[:, None], CYCLE).sum())
    assert price == pytest.approx(joules, rel=0.1)
