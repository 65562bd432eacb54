"""The sense stage of bursts: a charge that each pulse adds, and that nothing takes away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.burst_mismatch import burst_bench, drawn_stages
from benchmarks.burst_spread import AREA_SPREAD, drawn
from benchmarks.burst_stage import BurstBench, burst_stage, run_bursts
from benchmarks.periphery import bias
from memspice.analysis.sense_surface import OPTIONS
from memspice.circuits.deck import ROOM, ZERO_CELSIUS
from memspice.circuits.mismatch import read_mismatch
from memspice.parameters import load_values
from memspice.resources import resource_path

UA, HOT = 1e-6, ZERO_CELSIUS + 85


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
@pytest.mark.vacask
@pytest.mark.slow
def test_a_hot_stage_is_the_same_on_both_engines() -> None:
    vtail, other = (bias(engine, "nom", HOT)[0] for engine in ("ngspice", "vacask"))
    assert vtail == pytest.approx(other, abs=0.2e-3)
    # a transistor's threshold falls by some 0.5 mV a kelvin, and the generator follows it
    room = bias("ngspice", "nom")[0]
    assert 0.2e-3 < (room - vtail) / (HOT - ROOM) < 1e-3
    hot = BurstBench(burst_stage(temperature=HOT, vtail=vtail), bursts((0, 0), (1, 0)), 1, {})
    drives = [run_bursts(name, hot, OPTIONS).drive[:, 0] for name in ("ngspice", "vacask")]
    # 0.8 mV are what windows of both engines differ by
    assert drives[0] == pytest.approx(drives[1], abs=0.8e-3)
    cold = replace(hot, own=burst_stage(vtail=room))
    assert np.abs(run_bursts("ngspice", cold, OPTIONS).drive[:, 0] - drives[0]).max() > 10e-3


def test_a_delay_line_scales_row_pulses_and_leaves_writes() -> None:
    own, slow = burst_stage(), burst_stage().scaled(1.25)
    assert slow.slot == 1.25 * own.slot
    assert slow.stage.rows == tuple(1.25 * time for time in own.stage.rows)
    for name, high in {**own.slots, **own.once}.items():
        assert np.array({**slow.slots, **slow.once}[name]) == pytest.approx(1.25 * np.array(high))
    assert slow.writes == own.writes


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
