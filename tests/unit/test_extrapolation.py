"""Energy of an inference from windows: exact where it can be, and an interval that covers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from memspice.analysis.extrapolation import Energies, LayerEnergy, extrapolate_layer
from memspice.circuits.energy_model import COMPONENTS

POSITIONS = 64.0


def energies(values: np.ndarray) -> list[Energies]:
    """Rows of values as energies by component."""
    return [dict(zip(COMPONENTS, map(float, row), strict=True)) for row in values]


def pairs(measured: np.ndarray, modelled: np.ndarray) -> list[tuple[Energies, Energies]]:
    return list(zip(energies(measured), energies(modelled), strict=True))


def test_equal_windows_leave_no_doubt() -> None:
    model = np.tile(np.arange(1.0, 8.0), (5, 1))
    found = extrapolate_layer(energies(model), pairs(1.5 * model[:2], model[:2]), POSITIONS)
    assert found.half_width == pytest.approx(0, abs=1e-9)
    assert found.total == pytest.approx(1.5 * 28 * POSITIONS)
    assert found.components == pytest.approx(
        {name: 1.5 * POSITIONS * (k + 1) for k, name in enumerate(COMPONENTS)}
    )


def test_each_component_has_its_own_ratio(rng: np.random.Generator) -> None:
    model = rng.uniform(1, 2, (6, 7))
    factor = rng.uniform(0.5, 1.5, 7)
    found = extrapolate_layer(energies(model), pairs(factor * model[:3], model[:3]), 1.0)
    expected = factor * model.mean(axis=0)
    assert list(found.components.values()) == pytest.approx(list(expected))


def test_component_that_never_occurs_stays_zero() -> None:
    model = np.ones((3, 7))
    model[:, -1] = 0.0
    found = extrapolate_layer(energies(model), pairs(2 * model[:2], model[:2]), POSITIONS)
    assert found.components["logic"] == 0.0


@pytest.mark.parametrize(("windows", "simulated"), [(1, 2), (4, 1), (1, 1)])
def test_one_window_gives_no_interval(windows: int, simulated: int) -> None:
    model = np.ones((4, 7))
    found = extrapolate_layer(
        energies(model[:windows]), pairs(model[:simulated], model[:simulated]), 1.0
    )
    assert found.half_width == math.inf


def test_more_windows_narrow_the_interval(rng: np.random.Generator) -> None:
    widths = []
    for count in (20, 2000):
        model = rng.gamma(4.0, size=(count, 7))
        found = extrapolate_layer(energies(model), pairs(model[:10], model[:10]), 1.0)
        widths.append(found.half_width)
    assert widths[1] == pytest.approx(widths[0] / 10, rel=0.5)


def one_study(rng: np.random.Generator, windows: int, simulated: int) -> LayerEnergy:
    """Windows whose SPICE energy is 1.3 times the model's, with 5 % of scatter."""
    model = rng.gamma(6.0, 1.0, (windows, 1)) * rng.uniform(0.8, 1.2, (windows, 7))
    spice = 1.3 * model[:simulated] * (1 + 0.05 * rng.normal(size=(simulated, 7)))
    return extrapolate_layer(energies(model), pairs(spice, model[:simulated]), POSITIONS)


@pytest.mark.parametrize(("windows", "simulated"), [(24, 2), (72, 6), (200, 40)])
def test_interval_covers_the_truth_in_about_95_of_100_studies(windows: int, simulated: int) -> None:
    truth = 1.3 * 6.0 * 7 * POSITIONS
    studies = [
        one_study(np.random.default_rng([11, seed]), windows, simulated) for seed in range(400)
    ]
    covered = np.mean([abs(study.total - truth) <= study.half_width for study in studies])
    # 400 studies: three standard errors of 95 % are 3.3 %.  With two SPICE windows the interval
    # follows t with one degree of freedom, and covers more often than it promises.
    assert covered >= 0.95 - 0.033
    if simulated > 2:
        assert covered <= 0.95 + 0.04
    # The estimate itself: no bias beyond four standard errors.
    totals = np.array([study.total for study in studies])
    assert abs(totals.mean() - truth) < 4 * totals.std() / np.sqrt(len(totals))
