"""Age and temperature of cells: limits, known values, spread with stated confidence."""

from __future__ import annotations

import math

import numpy as np
import pytest

from memspice.devices.drift import (
    CellConditions,
)
from memspice.devices.synapse import Synapse, differential_conductance

CELLS = np.array([0.2e-6, 1e-6, 10e-6])


def changed(conditions: CellConditions, cells: np.ndarray = CELLS, seed: int = 0) -> np.ndarray:
    return conditions.changed(cells, np.random.default_rng(seed))


# --- drift ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"drift_exponent": 0.0, "age": 1e9},
        {"drift_exponent": 0.1, "age": 0.0, "spread_per_decade": 0.3},
        {"activation_temperature": 1000.0},
        {"activation_temperature": 0.0, "temperature": 400.0},
    ],
)
def test_nothing_changes_without_a_reason(values: dict[str, float]) -> None:
    np.testing.assert_array_equal(changed(CellConditions(**values)), CELLS)


def test_drift_is_the_power_law() -> None:
    # Amorphous phase change, nu = 0.1 and t0 = 1 s: each decade of time takes 20.6 %.
    for decades in (1, 3, 7):
        conditions = CellConditions(drift_exponent=0.1, age=10.0**decades - 1.0)
        assert conditions.drift_factor == pytest.approx(10 ** (-0.1 * decades), rel=1e-12)


def test_drift_falls_with_age_and_only_the_ratio_of_times_counts() -> None:
    factors = [CellConditions(drift_exponent=0.05, age=age).drift_factor for age in (0, 1, 10, 1e4)]
    assert (np.diff(factors) < 0).all()
    assert factors[0] == 1.0
    scaled = CellConditions(drift_exponent=0.05, age=2e5, reference_time=20.0)
    assert scaled.drift_factor == pytest.approx(factors[-1], rel=1e-12)


def test_drift_within_one_inference_is_negligible() -> None:
    # 1 ms after an age of 1 s, at the largest exponent of phase change: 1e-4 at most.
    before, after = (CellConditions(drift_exponent=0.1, age=age).drift_factor for age in (1, 1.001))
    assert 0 < 1 - after / before < 1e-4


# --- diffusion ------------------------------------------------------------------------------------


def test_spread_is_a_random_walk_in_the_logarithm_of_time() -> None:
    spreads = [CellConditions(spread_per_decade=0.02, age=age).spread for age in (0, 9, 99, 9999)]
    np.testing.assert_allclose(spreads, 0.02 * np.sqrt([0, 1, 2, 4]), rtol=1e-12)


def test_spread_keeps_the_median_and_has_its_sigma() -> None:
    cells = np.full((200, 200), 1e-6)
    logs = np.log(changed(CellConditions(spread_per_decade=0.05, age=99.0), cells, seed=3) / cells)
    sigma = 0.05 * math.sqrt(2)
    # 40,000 cells: four standard deviations of the mean and of sigma.
    assert abs(logs.mean()) < 4 * sigma / math.sqrt(logs.size)
    assert logs.std() == pytest.approx(sigma, rel=4 / math.sqrt(2 * logs.size))


def test_a_cell_keeps_its_luck_at_every_age() -> None:
    young, old = (
        np.log(changed(CellConditions(spread_per_decade=0.1, age=age)) / CELLS)
        for age in (9.0, 9999.0)
    )
    np.testing.assert_allclose(old, 2 * young, rtol=1e-12)
    assert (young != 0).all()


def test_only_cells_that_diffuse_take_from_the_generator() -> None:
    first, second, third = (np.random.default_rng(5) for _ in range(3))
    CellConditions(drift_exponent=0.1, age=9.0).changed(CELLS, first)
    assert first.random() == np.random.default_rng(5).random()
    CellConditions(spread_per_decade=0.1).changed(CELLS, second)
    CellConditions(spread_per_decade=0.1, age=9.0).changed(CELLS, third)
    assert second.random() == third.random()


# --- temperature ----------------------------------------------------------------------------------


def test_temperature_follows_arrhenius() -> None:
    # 0.1 eV is 1160.45 K; between 300 K and 330 K that is exp(0.35165) = 1.4214.
    hot = CellConditions(activation_temperature=1160.45, temperature=330.0)
    assert hot.temperature_factor == pytest.approx(1.4214, abs=1e-4)
    back = CellConditions(
        activation_temperature=1160.45, temperature=300.0, reference_temperature=330.0
    )
    assert hot.temperature_factor * back.temperature_factor == pytest.approx(1.0, rel=1e-14)


def test_sign_of_the_activation_tells_semiconductor_from_metal() -> None:
    for sign in (1.0, -1.0):
        factors = [
            CellConditions(activation_temperature=sign * 500.0, temperature=t).temperature_factor
            for t in (280.0, 300.0, 350.0)
        ]
        assert (sign * np.diff(factors) > 0).all()


def test_activation_of_the_set_has_the_slope_of_the_metal_oxide_array() -> None:
    # A1 = -2.58e-6 + 0.977 G + 1.166e-7 T, T in C, at G = 10 uS: linear where ours is exponential,
    # and equal within 1.5 % over +-15 K (half the curvature, (0.0115 * 15)^2 / 2).
    def slope(celsius: float) -> float:
        return -2.58e-6 + 0.977 * 10e-6 + 1.166e-7 * celsius

    for celsius in (10.0, 25.0, 40.0):
        conditions = CellConditions(
            activation_temperature=1026.0,
            temperature=273.15 + celsius,
            reference_temperature=298.15,
        )
        assert conditions.temperature_factor == pytest.approx(slope(celsius) / slope(25), rel=0.015)


# --- programmed cells -----------------------------------------------------------------------------


def programmed(**values: float) -> np.ndarray:
    synapse = Synapse(
        min_conductance=0.2e-6, max_conductance=10e-6, levels=32, variation=0.1, stuck_on=0.2,
        **values,
    )  # fmt: skip
    weight = np.linspace(-1, 1, 60).reshape(20, 3)
    return differential_conductance(weight, 1.0, synapse, np.random.default_rng(2))


def test_programmed_cells_age_last_of_all() -> None:
    fresh = programmed()
    np.testing.assert_array_equal(programmed(drift_exponent=0.0, age=1e9), fresh)
    aged = programmed(drift_exponent=0.1, age=9.0, activation_temperature=-50.0, temperature=350.0)
    factor = 10**-0.1 * math.exp(-50.0 * (1 / 300 - 1 / 350))
    np.testing.assert_allclose(aged, factor * fresh, rtol=1e-12)
    # Diffusion draws last: what was drawn for spread and stuck cells stays.
    walked = np.log(programmed(spread_per_decade=0.01, age=9.0) / fresh)
    assert (walked != 0).all()
    # 120 cells: five standard deviations.
    assert walked.std() == pytest.approx(0.01, rel=5 / math.sqrt(2 * walked.size))
