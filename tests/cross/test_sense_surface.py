"""Stage E3 against the prototype's figures, on both engines; surfaces against the circuit."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.analysis.sense_surface import measure_sense_surface
from memspice.circuits.sense_bench import ClockedStage
from memspice.circuits.sense_surface import SenseSurface
from memspice.engines import find_engine
from memspice.errors import ConfigError
from memspice.jobs import Execution, open_runner
from tests.sense_helpers import UA, conditions, e3_table, read, simulate

pytestmark = [pytest.mark.ngspice, pytest.mark.slow]


def surface(stage: ClockedStage, nodes: int, spread: float = 0.0) -> SenseSurface:
    with open_runner(find_engine("ngspice"), Execution(cache=False)) as runner:
        return measure_sense_surface(stage, conditions(nodes, spread), runner)


@pytest.mark.vacask
def test_both_engines_find_the_prototype() -> None:
    stage = read(e3_table())
    points = np.array([(5, 5), (8, 2), (2, 8), (2, 2)]) * UA
    here, there = (simulate(engine, stage, points) for engine in ("ngspice", "vacask"))
    # Measured with other decks on 29 Nov 2026: 0.44 to 0.78 V, 153, 170, 138 and 113 fJ; the wells
    # of the switches had a supply of their own there, which takes 1 fJ.
    assert here.drive[1:3] == pytest.approx([0.78, 0.44], abs=0.005)
    assert here.total == pytest.approx([153e-15, 170e-15, 138e-15, 113e-15], rel=0.02)
    # Decks with steps ten times shorter are 0.3 mV and 0.06 % (ngspice), 0.3 mV and 0.2 % away.
    assert there.drive == pytest.approx(here.drive, abs=0.5e-3)
    assert there.total == pytest.approx(here.total, rel=5e-3)


def test_a_surface_follows_the_circuit() -> None:
    found = surface(read(e3_table()), 5, spread=0.1)
    # At currents and conductances that it was not made from. Over 2 to 8 uA five nodes an axis
    # leave about 0.5 mV; without its slopes 135 to 165 uS would move the drive by 2 mV.
    assert found.error.drive_worst < 1e-3
    # 0.22 % of the joules, with seven nodes as well: what a line's conductance does besides being
    # like another current.
    assert found.error.energy_worst < 3e-3
    assert found.drift < 0.1e-3
    assert found.memory < 0.1e-3
    plus, minus, mean = np.linspace(2, 8, 7) * UA, np.full(7, 5 * UA), np.full((7, 2), 150e-6)
    assert (np.diff(found.drive_voltage(np.stack([plus, minus], axis=-1), mean)) > 0).all()
    assert (np.diff(found.drive_voltage(np.stack([minus, plus], axis=-1), mean)) < 0).all()
    with pytest.raises(ConfigError, match="current of 9e-06 A is outside of the characterised"):
        found.joules(np.array([9 * UA, 5 * UA]), mean[0])


def test_a_stage_that_remembers_is_refused_with_the_number() -> None:
    table = e3_table()
    # 0.1 ns do not take the drive back to vmid, so it begins where the cycle before has ended
    table["clocks"] |= {"zero": [[0.1e-9, 0.2e-9]], "zeron": [[0.2e-9, 0.1e-9]]}
    with pytest.raises(ConfigError, match=r"depends on what the cycle before carried: by -?\d.*mV"):
        surface(read(table), 5)


def test_a_stage_that_has_not_settled_is_refused_with_the_number() -> None:
    table = e3_table() | {"warm_up": 0}
    # without the dump the mirror's drain floats, and starts at 0 V
    table["clocks"]["dump"] = [[0.1e-9, 0.3e-9]]
    with pytest.raises(ConfigError, match=r"to the next: by -?\d.* mV .*raise warm_up"):
        surface(read(table), 5)
