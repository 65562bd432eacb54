"""Noise of the stage of bursts: by sensitivities, by random currents, and by arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.burst_noise import (
    CAPACITOR,
    COARSE,
    GAMMA,
    KT,
    kicks,
    places,
    quiet,
    random_current,
    sampled,
    spread,
)
from benchmarks.burst_stage import burst_stage


@pytest.mark.ngspice
@pytest.mark.slow
def test_noise_of_what_is_sampled_is_that_of_arithmetic() -> None:
    """A charge on the copier's gate: its transconductance, 6 ns, and the sum's capacitor."""
    own = burst_stage()
    found = sampled(own)
    known, (copier,) = quiet(own), [one for one in places(own.line) if "(`p`)" in one.name]
    instants = np.array([21e-9, 25e-9])
    gm = copier.density(instants, known).mean() / (2 * KT * GAMMA)
    # edges, and what of the current stays on x and in the cascode's output resistance
    assert abs(found.moved) == pytest.approx(gm * 6e-9 / CAPACITOR / found.hold, rel=0.08)
    # a gate of 500 by 500 nm has 4.3 fF of oxide of 2 nm
    assert 4e-15 < found.hold < 8e-15
    both = found.hold * found.x / (found.hold + found.x)
    assert found.noise == pytest.approx(abs(found.moved) * np.sqrt(8 * KT * both))


def test_a_kick_is_its_charge_and_noise_is_white() -> None:
    own = burst_stage()
    cells, *_ = places(own.line)
    start, stop, kick = kicks(own, cells, [15e-9])
    assert (start, stop) == ("0", "plus0")
    times, heights = np.array(kick.points).T
    assert np.trapezoid(heights, times) == pytest.approx(8 * cells.charge)
    draws = np.random.default_rng(3)
    _, _, current = random_current(own, cells, COARSE, {}, draws)
    times, heights = np.array(current.points).T
    # charges of 2 ns, from the middle of row pulses, vary as white noise of 2kTg has it
    starts = times[heights == 0][1::2]
    pieces = [(time + a, time + a + 2e-9) for time in starts for a in np.arange(1, 15, 2) * 1e-9]
    charge = np.array([_integral(times, heights, *piece) for piece in pieces])
    assert len(charge) > 200
    # standard deviation of so many: 5 % (1 sd)
    assert charge.std() == pytest.approx(np.sqrt(2 * KT * own.line * 2e-9), rel=0.15)


def _integral(times: np.ndarray, heights: np.ndarray, start: float, stop: float) -> float:
    instants = np.linspace(start, stop, 401)
    return float(np.trapezoid(np.interp(instants, times, heights), instants))


def test_the_page_has_one_answer_in_two_ways() -> None:
    page = (Path(__file__).parents[2] / "docs" / "periphery.md").read_text(encoding="utf-8")
    table = page.partition("<!-- burst_noise -->\n")[2].partition("<!-- end -->")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    *parts, (_, whole), (drawn, found) = rows
    squares = sum(float(value) ** 2 for _, value in parts)
    assert float(whole) == pytest.approx(np.sqrt(squares), abs=0.06)  # as rounded
    low, high = (float(end) for end in found.partition("(")[2].strip(")").split(" to "))
    assert low < float(whole) < high
    assert int(drawn.split()[0]) >= 24


def test_the_interval_of_a_spread_holds_it_as_often_as_it_says() -> None:
    draws = np.random.default_rng(4).standard_normal((2000, 12))
    held = [low < 1 < high for low, high in map(spread, draws)]
    # 2 standard deviations of so many tries
    assert np.mean(held) == pytest.approx(0.95, abs=0.01)
