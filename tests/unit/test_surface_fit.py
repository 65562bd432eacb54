"""Surfaces through points of which the law is known; one that does not follow is refused."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.analysis.sense_surface import refuse_rough
from memspice.analysis.surface_fit import (
    BenchCurrents,
    Measured,
    flat_surface,
    surface_error,
    with_bends,
)
from memspice.circuits.sense_bench import SenseCycles
from memspice.circuits.sense_surface import SenseSurface
from memspice.errors import ConfigError

LIMITS, CONDUCTANCES, MEAN = (1e-6, 9e-6), (100e-6, 200e-6), 150e-6
NODES = np.linspace(*LIMITS, 5)


def law(currents: np.ndarray, conductances: tuple[float, float]) -> np.ndarray:
    """Drive, joules and relief of a stage that is a polynomial of low degree in all four."""
    plus, minus = currents.T * 1e6
    first, second = (np.array(conductances) - MEAN) / 50e-6
    drive = 0.6 + 0.02 * plus - 0.018 * minus + 1e-3 * first * plus - 2e-3 * second**2 * minus
    energy = 1e-13 * (1 + 0.01 * plus * minus + 0.1 * second)
    return np.stack([drive, energy, 1e-15 * plus**2 * (1 + 0.2 * first)])


def measured(conductances: tuple[float, float], nodes: np.ndarray = NODES) -> Measured:
    """Decks of a grid, every point for two cycles of which the first says nothing."""
    decks = []
    for plus in nodes:
        points = np.stack(np.broadcast_arrays(plus, nodes), axis=-1).repeat(2, axis=0)
        values = law(points, conductances)
        values[:, ::2] = np.nan
        none = np.zeros(len(points))
        deck = BenchCurrents(points, conductances)
        decks.append((deck, SenseCycles(values[0], none, values[1], values[2], {})))
    return decks


def surface() -> SenseSurface:
    low, high = CONDUCTANCES
    flat = flat_surface(LIMITS, CONDUCTANCES, 5, measured((MEAN, MEAN)))
    tilted = [
        [measured((low, MEAN)), measured((high, MEAN))],
        [measured((MEAN, low)), measured((MEAN, high))],
    ]
    return with_bends(flat, tilted)


def test_a_surface_goes_through_a_law_of_its_own_degree() -> None:
    """Also at currents and conductances between those of the decks, both lines off the mean."""
    others = measured((130e-6, 185e-6), np.array([1.7e-6, 4.4e-6, 8.1e-6]))
    error = surface_error(surface(), others)
    assert error.points == 9
    assert error.drive_worst < 1e-12
    assert error.energy_worst < 1e-12
    assert error.relief_worst < 1e-25


def test_a_surface_of_one_conductance_is_off_on_other_lines_and_refused() -> None:
    flat = flat_surface(LIMITS, CONDUCTANCES, 5, measured((MEAN, MEAN)))
    error = surface_error(flat, measured((MEAN, 200e-6)))
    assert error.drive_worst == pytest.approx(2e-3 * 9, rel=1e-9)
    with pytest.raises(ConfigError, match=r"own is off by up to 18 mV at 25 points .* 1\.56 mV"):
        refuse_rough("own", error, 0.156)
    refuse_rough("own", surface_error(surface(), measured((MEAN, 200e-6))), 0.156)
