"""Thermal field: its draws, strength and averages, and the equilibrium that it makes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from memspice.devices.draws import event_uniforms
from memspice.devices.magnet.macrospin import MacrospinMtj, evolve
from memspice.devices.magnet.macrospin_noise import (
    ThermalBath,
    coarsen,
    thermal_normals,
    thermal_strength,
)
from memspice.errors import ShapeError
from memspice.parameters import load_table
from tests.device_helpers import FIELD_PER_VOLT, thermal_waveform

DEVICE = load_table("llg-mtj", "llg_mtj", MacrospinMtj).values
BATH = load_table("llg-mtj", "thermal", ThermalBath).values
ROOM = 300.0


def other(**values: float) -> MacrospinMtj:
    return DEVICE.model_copy(update=values)


def noise(device: MacrospinMtj, bath: ThermalBath, intervals: int, devices: int) -> np.ndarray:
    """Thermal field of events 0, 1, ..., (intervals, 3, devices)."""
    normals = [thermal_normals(5, 0, 0, 0, event, 0, intervals) for event in range(devices)]
    return thermal_strength(device, bath) * np.stack(normals, axis=-1)


def boltzmann_mean(barrier: float, low: float, high: float) -> float:
    """Mean of sin^2(theta) with density exp(D cos^2) between two values of cos."""
    weight = quad(lambda u: math.exp(barrier * (u * u - 1)), low, high)[0]
    return quad(lambda u: (1 - u * u) * math.exp(barrier * (u * u - 1)), low, high)[0] / weight


def falling(devices: int) -> np.ndarray:
    """Almost at rest at -z, (3, devices): far from equilibrium."""
    return np.tile([[1e-3], [0.0], [-1.0]], devices)


# --- the thermal field ----------------------------------------------------------------------------


def test_strength_has_its_known_value() -> None:
    # Ms 1000 kA/m, alpha 0.0122, pi/4 x 100 x 40 x 1.2 nm^3, 1 ps: 9.8 kA/m.
    device = other(
        saturation_magnetisation=1e6, damping=0.0122, area=math.pi / 4 * 4e-15, thickness=1.2e-9
    )
    assert thermal_strength(device, BATH) == pytest.approx(9.8e3, rel=5e-3)
    cold = BATH.model_copy(update={"temperature": 0.0})
    assert thermal_strength(device, cold) == 0


@pytest.mark.parametrize("first", [0, 1, 2, 3, 4, 5, 1000])
@pytest.mark.parametrize("count", [1, 4, 7])
def test_slice_of_a_path_is_the_same_path(first: int, count: int) -> None:
    key = (3, 2, 17, 5, 8)
    whole = thermal_normals(*key, 0, 1100)
    np.testing.assert_array_equal(thermal_normals(*key, first, count), whole[first : first + count])


def test_draws_are_normal_independent_and_nobody_elses() -> None:
    paths = [thermal_normals(3, 2, 17, 5, event, 0, 5000).ravel() for event in range(4)]
    for path in paths:
        assert stats.kstest(path, "norm").pvalue > 1e-3
        # Five standard deviations of 1 / sqrt(15000): successive draws are the components, too.
        for lag in (1, 2, 3):
            assert abs(np.corrcoef(path[:-lag], path[lag:])[0, 1]) < 5 / math.sqrt(15000)
    assert np.abs(np.corrcoef(paths) - np.eye(4)).max() < 5 / math.sqrt(15000)
    thresholds = event_uniforms(3, 2, 17, 5, 0, 60_000)
    assert not set(stats.norm.cdf(paths[0])) & set(thresholds)
    for k in range(5):
        changed = [3, 2, 17, 5, 0]
        changed[k] += 1
        assert not set(thermal_normals(*changed, 0, 100).ravel()) & set(paths[0])


def test_coarser_noise_is_the_average_and_has_its_own_strength() -> None:
    path = noise(DEVICE, BATH, 8000, 4)
    coarse = coarsen(path, 8)
    np.testing.assert_allclose(coarse[0], path[:8].mean(axis=0))
    expected = thermal_strength(DEVICE, BATH.model_copy(update={"interval": 8e-12}))
    # Standard error of a deviation from 12,000 values: 0.65 %.
    assert coarse.std() == pytest.approx(expected, rel=0.03)
    with pytest.raises(ShapeError, match="10 intervals cannot be averaged in groups of 4"):
        coarsen(np.zeros((10, 3, 1)), 4)


def test_source_has_the_integral_of_the_field() -> None:
    field, interval = np.array([3e3, -1e3, 2e3]), 5e-12
    times, values = thermal_waveform(field, interval, 10e-12, 1e-12)
    assert len(times) == len(values) == 8
    assert (np.diff(times) > 0).all()
    assert values[0] == values[-1] == 0
    assert FIELD_PER_VOLT * np.trapezoid(values, times) == pytest.approx(interval * field.sum())
    middle = np.interp(10e-12 + interval * (np.arange(3) + 0.5), times, values)
    np.testing.assert_allclose(middle, field / FIELD_PER_VOLT)


# --- with noise -----------------------------------------------------------------------------------


def test_layer_at_rest_has_half_a_kt_in_each_direction() -> None:
    # E = mu0 Ms Hk V sin^2 / 2 shares kT over two directions: <theta_x^2> = kT / (mu0 Ms Hk V), so
    # <theta^2> = 1/D and each direction has 1/(2D); beyond small angles the integral.
    device, devices, step = other(damping=0.3), 2000, 2e-12
    barrier = device.barrier(ROOM)
    exact = boltzmann_mean(barrier, -1, 0)
    assert exact == pytest.approx(1 / barrier, rel=0.06)
    bath = ThermalBath(temperature=ROOM, interval=step)
    start = falling(devices)
    end = evolve(device, start, noise(device, bath, 400, devices), step)
    square = end[0] ** 2 + end[1] ** 2
    # Independent devices, 8 damping times after a start far from rest: four standard errors.
    assert square.mean() == pytest.approx(exact, abs=4 * square.std() / math.sqrt(devices))
    difference = end[0] ** 2 - end[1] ** 2
    assert abs(difference.mean()) < 4 * difference.std() / math.sqrt(devices)


def test_low_barrier_reaches_boltzmanns_distribution_in_both_wells() -> None:
    device = other(damping=0.3, area=DEVICE.area / 10)
    barrier, devices, step = device.barrier(ROOM), 1500, 2e-12
    assert 1.9 < barrier < 2.2
    bath = ThermalBath(temperature=ROOM, interval=step)
    start = falling(devices)
    cosine = evolve(device, start, noise(device, bath, 1500, devices), step)[2]
    grid = np.linspace(-1, 1, 2001)
    density = np.exp(barrier * (grid**2 - 1))
    below = np.cumsum(density) / density.sum()
    assert stats.kstest(cosine, lambda u: np.interp(u, grid, below)).pvalue > 1e-3
