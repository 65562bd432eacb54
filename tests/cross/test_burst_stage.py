"""The sense stage of bursts: a charge that each pulse adds, and that nothing takes away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.burst_mismatch import burst_bench, drawn_stages
from benchmarks.burst_spread import AREA_SPREAD, drawn
from benchmarks.burst_stage import BurstBench, burst_stage, run_bursts
from memspice.circuits.mismatch import read_mismatch
from memspice.parameters import load_values
from memspice.resources import resource_path

UA = 1e-6


def bursts(*pulses: tuple[float, float]) -> np.ndarray:
    """Bursts of two pulses on one pair of lines, from the differences of their currents in uA."""
    difference = np.array(pulses)[:, :, None, None] * (0.5, -0.5)
    return (4.5 + difference) * UA


@pytest.mark.ngspice
@pytest.mark.slow
def test_pulses_add_and_the_drive_is_held() -> None:
    # lines of 100 uS: one of 240 keeps 5 % more of a difference
    own = replace(burst_stage(), line=100e-6)
    front = load_values("freepdk45/periphery", "difference_copier")
    ch = load_values("freepdk45/periphery", "charge_sum")["ch"].value
    share = front["m2"].value / front["m1"].value
    currents = bursts((0, 0), (2, 0), (0, 2), (-2, 2), (0, 0))
    still = run_bursts("ngspice", BurstBench(own, currents, 3, {})).drive
    rest, early, late, none, again = still[:, 0]
    # 6 ns of the mirror's share of a difference on ch; edges and what stays on x take some of it
    assert (rest - early) / (2 * UA) == pytest.approx(share * 6e-9 / ch, rel=0.05)
    # a pulse counts as much, whenever it comes, and nothing of a burst is left in the next; the
    # solver's own noise is 0.3 mV a pulse, of 156 mV that move the hazard by a factor of e
    assert early == pytest.approx(late, abs=1e-3)
    assert none == pytest.approx(rest, abs=1e-3)
    assert again == pytest.approx(rest, abs=1e-3)
    # 1 nA would take 5 mV in two cycles
    assert np.abs(still[:, 2] - still[:, 0]).max() < 1e-3
    # what a device draws that has switched moves the drive, and not the charge behind it
    kicked = run_bursts("ngspice", BurstBench(own, currents[:1], 2, {}, kicked=0)).drive
    assert kicked[0, 0] > rest + 5e-3
    assert kicked[0, 1] == pytest.approx(still[0, 1], abs=1e-3)


def test_each_transistor_has_a_threshold_of_its_own() -> None:
    plain = burst_stage()
    stage, again, other = (drawn(plain, seed).stage for seed in (1, 1, 2))
    assert stage.parameters == again.parameters
    assert stage.parameters.keys() == other.parameters.keys()
    shifts = np.array([stage.parameters[name] for name in stage.parameters])
    # all 22 of the front and 9 of the sum; a gate of 500 by 200 nm has 6.3 mV, the smallest 26
    assert len(shifts) == 31
    assert 2e-3 < shifts.std() < 26e-3
    assert abs(stage.parameters["charge_sum_an"]) < 4 * AREA_SPREAD / np.sqrt(500e-9 * 200e-9)
    assert not np.any(shifts == [other.parameters[name] for name in stage.parameters])


@pytest.mark.ngspice
@pytest.mark.slow
def test_three_numbers_are_what_drawn_thresholds_do() -> None:
    bench = burst_bench()
    table = read_mismatch(resource_path("freepdk45", "sense_burst_mismatch.toml"), bench.library)
    found = drawn_stages(bench, table, AREA_SPREAD, range(110, 111), 2)
    assert found.inside.all()
    assert np.abs(found.moved).max() > 10e-3
    drive, joules = table.residual_of(AREA_SPREAD)
    assert np.abs(found.off).max() < 4 * drive
    assert np.abs(found.joules - 1).max() < 4 * joules
