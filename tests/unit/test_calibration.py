"""Fits of what SPICE teaches the surrogate."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.analysis.calibration import energy_ratios, fit_line
from memspice.circuits.energy_model import COMPONENTS


def test_a_line_is_found_again(rng: np.random.Generator) -> None:
    x = rng.normal(size=(5, 20))
    gain, offset = fit_line(x, 0.97 * x + 0.02)
    assert gain == pytest.approx(0.97)
    assert offset == pytest.approx(0.02)


def test_identity(rng: np.random.Generator) -> None:
    x = 1.2 + 1e-3 * rng.normal(size=30)
    assert fit_line(x, x) == pytest.approx((1.0, 0.0), abs=1e-9)


def test_noise_is_averaged(rng: np.random.Generator) -> None:
    x = rng.uniform(0, 2, 4000)
    gain, offset = fit_line(x, 1.1 * x - 0.3 + 0.1 * rng.normal(size=4000))
    error = 0.1 / (np.std(x) * np.sqrt(4000))
    assert gain == pytest.approx(1.1, abs=4 * error)
    assert offset == pytest.approx(-0.3, abs=4 * error * np.sqrt(np.mean(x**2)))


@pytest.mark.parametrize("count", [1, 6])
def test_without_spread_only_the_offset_is_fitted(count: int) -> None:
    assert fit_line(np.full(count, 1.5), np.full(count, 1.52)) == (1.0, pytest.approx(0.02))


def test_nothing_gives_the_identity() -> None:
    assert fit_line(np.empty(0), np.empty(0)) == (1.0, 0.0)


def test_energy_ratios() -> None:
    modelled = dict.fromkeys(COMPONENTS, 2.0) | {"logic": 0.0}
    measured = dict.fromkeys(COMPONENTS, 3.0) | {"driver": 1.0, "logic": 0.0}
    ratios = energy_ratios(measured, modelled)
    assert ratios["driver"] == 0.5
    assert ratios["sense"] == 1.5
    assert ratios["logic"] == 1.0
