"""Blocks of 130 nm transistors: laws of charge and time that need no second engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks.burst_stage import BurstBench, burst_stage, run_bursts
from benchmarks.periphery import (
    IHP_SG13G2,
    Measured,
    gate_area,
    latch,
    row_driver,
    sense,
    stage,
)
from memspice.circuits.ihp_sg13g2 import transistor_cards
from memspice.circuits.sense_bench import SenseCycles
from memspice.parameters import load_values

UA, NS = 1e-6, 1e-9
ENGINE = "vacask"
#: Of an oxide, [F/m].
PERMITTIVITY = 3.9 * 8.854e-12
LINE = 70e-6  # S
FRONT = "difference_copier"


def figures(measured: list[Measured]) -> dict[str, float]:
    return {item.what: item.value for item in measured}


@pytest.mark.vacask
def test_a_row_pulse_charges_every_gate_once() -> None:
    oxide = float(dict(transistor_cards()["sg13_lv_nmos"].values)["toxo"])
    area = gate_area("row_driver", IHP_SG13G2).value * 1e-12
    charged = PERMITTIVITY / oxide * area * IHP_SG13G2.supply**2 / 1e-15  # fJ
    found = figures(row_driver(ENGINE, IHP_SG13G2))["gates and buffers, a pulse"]
    # A gate takes less than its oxide's charge below the threshold, a third of the swing; overlaps
    # and diffusions, 40 % of the capacitance of such an inverter, are not in it.
    assert found == pytest.approx(charged, rel=0.3)
    lower = replace(IHP_SG13G2, supply=1.0)
    saved = found / figures(row_driver(ENGINE, lower))["gates and buffers, a pulse"]
    # charge over voltage rises with the voltage, as more of the swing is above the threshold
    assert 1.2**2 < saved < 1.1 * 1.2**2


@pytest.mark.vacask
def test_the_latch_takes_longer_by_the_logarithm_of_the_difference() -> None:
    differences = 1e-3 * np.array([1, 3, 9])
    delays = np.array(
        [
            figures(latch(ENGINE, IHP_SG13G2, float(each)))["from the clock to q, 50 mV"]
            for each in differences
        ]
    )
    # cross-coupled inverters grow exponentially: a third of the difference takes one delay more, as
    # long as what the pair makes of it is small beside the supply
    slower = -np.diff(delays)
    assert np.all(slower > 0)
    assert slower[0] == pytest.approx(slower[1], rel=0.15)


@pytest.mark.vacask
def test_the_latch_does_not_rise_for_the_lower_input() -> None:
    assert figures(latch(ENGINE, IHP_SG13G2, -5e-3))["from the clock to q, 50 mV"] == np.inf


#: Lines alike, a little more on either, and more on both, [uA].
POINTS = ((4.5, 4.5), (4.6, 4.4), (4.4, 4.6), (6.5, 6.5))
STEP = 0.4 * UA  # of the difference, from the third to the second


@cache
def cycles(points: Sequence[tuple[float, float]], ch: float = 3e-15) -> SenseCycles:
    """Cycles of the stage at some line currents, [uA]."""
    own = replace(stage("sense_copier", process=IHP_SG13G2), parameters={"ch": ch})
    return sense(ENGINE, own, np.array(points) * UA, (LINE, LINE))[0]


@pytest.mark.vacask
@pytest.mark.slow
def test_the_stage_takes_the_difference_and_leaves_what_lines_share() -> None:
    found = cycles(POINTS)
    alike, up, down, more = found.drive
    gain = (up - down) / STEP
    assert gain == pytest.approx(300e3, rel=0.05)  # ohm, what its table says
    assert up - alike == pytest.approx(alike - down, rel=0.1)  # as straight as a tenth
    assert abs(more - alike) / (2 * UA) < gain / 8
    # The copier carries what it has sampled from 13 to 27 ns, and before that, from 1 ns on, what
    # the line has come to: of 2 uA more it draws that from the supply.
    spent = found.energy["vdd"]
    assert 14 * NS < (spent[3] - spent[0]) / (IHP_SG13G2.supply * 2 * UA) < 26 * NS


@pytest.mark.vacask
@pytest.mark.slow
def test_the_gain_is_the_time_over_the_capacitance() -> None:
    drives = cycles(POINTS).drive[1:3], cycles(POINTS[1:3], 43e-15).drive
    small, large = (STEP / (up - down) for up, down in drives)  # S
    # what 40 fF more take is 40 fF over the time of integration, 6 ns, whatever else is at the node
    assert 40e-15 / (large - small) == pytest.approx(6 * NS, rel=0.1)


@pytest.mark.vacask
@pytest.mark.slow
def test_pulses_of_a_burst_add() -> None:
    sizes = {
        name: load_values("ihp-sg13g2/periphery", block)[name].value
        for name, block in (("m1", FRONT), ("m2", FRONT), ("ch", "charge_sum"))
    }
    differences = np.array([(0, 0), (1, 0), (0, 1), (1, 1)])[:, :, None, None] * (0.5, -0.5)
    bench = BurstBench(burst_stage(process=IHP_SG13G2), (4.5 + differences) * UA, 1, {})
    drive = run_bursts(ENGINE, bench).drive[:, 0]
    early, late, both = drive[0] - drive[1:]
    assert both == pytest.approx(early + late, rel=0.02)
    # a pulse counts nearly as much whenever it comes: the later one takes 0.6 % from the earlier
    assert 0 < late / early - 1 < 0.02
    # No more than the mirror's share of a difference for 6 ns on ch; lines keep a sixth of it, as
    # their conductance takes as the loop holds them, and the amplifier's gain some of the rest.
    charge = sizes["m2"] / sizes["m1"] * 6 * NS * UA
    assert 0.6 < early * sizes["ch"] / charge < 1
