"""Switching probability: density of m_z, Monte Carlo, pulse regimes, convergence in the step."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import brentq

from memspice.devices.draws import event_uniforms
from memspice.devices.magnet.macrospin import MacrospinMtj, evolve
from memspice.devices.magnet.macrospin_density import (
    density_switching_probability,
    escape_rate,
    switching_density,
    thermal_start,
)
from memspice.devices.magnet.macrospin_noise import (
    ThermalBath,
    coarsen,
    thermal_normals,
    thermal_strength,
)
from memspice.errors import ConfigError
from memspice.parameters import load_table

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


def rest(device: MacrospinMtj, devices: int) -> np.ndarray:
    uniforms = event_uniforms(5, 0, 0, 1, 0, 2 * devices).reshape(devices, 2).T
    return thermal_start(device, ROOM, uniforms)


# --- density of m_z -------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.05])
def test_density_comes_to_boltzmanns_distribution(share: float) -> None:
    device = other(area=DEVICE.area / 10)
    barrier = device.barrier(ROOM)
    segments = [(share * device.critical_current, 1e-6)]
    cosine, found = switching_density(device, ROOM, segments)
    assert found.sum() == pytest.approx(1, abs=1e-9)
    assert found.min() >= 0
    weight = np.exp(barrier * (cosine**2 + 2 * share * cosine))
    mean = float((found * cosine).sum())
    weight *= np.diff(-np.cos(np.linspace(0, np.pi, len(cosine) + 1)))  # the cells' widths
    np.testing.assert_allclose(found, weight / weight.sum(), rtol=1e-6)
    norm, moment = (
        quad(lambda u, n=n: u**n * math.exp(barrier * (u * u + 2 * share * u)), -1, 1)[0]
        for n in (0, 1)
    )
    assert mean == pytest.approx(moment / norm, abs=1e-3)


def test_escape_from_a_high_barrier_has_browns_rate() -> None:
    # Asymptotic in the barrier left over, here 11, 22 and 33 kT: the error falls with it.
    errors = []
    for factor in (1.0, 2.0, 3.0):
        device = other(area=factor * DEVICE.area)
        current = 0.25 * device.critical_current
        rate = escape_rate(device, ROOM, current)
        # Long after the start and before the well is empty.
        early, late = (
            density_switching_probability(device, ROOM, current, 5e-9 + t) for t in (0, 50e-9)
        )
        errors.append((late - early) / (50e-9 * rate) - 1)
    assert -0.15 < errors[0] < errors[1] < errors[2] < 0
    assert errors[2] > -0.06


@pytest.mark.parametrize(("share", "pulse"), [(0.7, 10e-9), (0.9, 3e-9), (1.1, 3e-9), (1.6, 1e-9)])
def test_monte_carlo_has_the_probability_of_the_density(share: float, pulse: float) -> None:
    # The stochastic equation against an equation without any random number: three standard errors.
    devices, step = 600, 2e-12 if pulse < 5e-9 else 4e-12
    bath = ThermalBath(temperature=ROOM, interval=step)
    current = share * DEVICE.critical_current
    field = noise(DEVICE, bath, round(pulse / step), devices)
    end = evolve(DEVICE, rest(DEVICE, devices), field, step, current=current)
    exact = density_switching_probability(DEVICE, ROOM, current, pulse)
    assert 0.15 < exact < 0.85
    error = 3 * math.sqrt(exact * (1 - exact) / devices)
    assert (end[2] > 0).mean() == pytest.approx(exact, abs=error)


# --- regimes (arXiv 2505.00418) and convergence ---------------------------------------------------


def half_current(pulse: float) -> float:
    """Current over the critical one at which half of the events switch."""

    def excess(share: float) -> float:
        current = share * DEVICE.critical_current
        return density_switching_probability(DEVICE, ROOM, current, pulse) - 0.5

    return float(brentq(excess, 0.3, 6, xtol=0.01))


def precessional_current(pulse: float) -> float:
    """Same without noise during the pulse: the initial angle alone decides."""
    rate = DEVICE.damping * DEVICE.gyration * DEVICE.effective_anisotropy
    # Median of a start in equilibrium, of density exp(-D theta^2) for small angles.
    median = math.sqrt(math.log(2) / DEVICE.barrier(ROOM))

    def excess(share: float) -> float:
        slowness = quad(lambda t: 1 / (math.sin(t) * (share - math.cos(t))), median, math.pi / 2)
        return slowness[0] / rate - pulse

    return float(brentq(excess, 1.05, 20))


def test_long_pulses_switch_by_activation() -> None:
    share = half_current(30e-9)
    assert share < 0.65
    # Brown's rate, asymptotic in the barrier (3 kT are left), and without the time to get going.
    integral = 30e-9 * escape_rate(DEVICE, ROOM, share * DEVICE.critical_current)
    assert 1 - math.exp(-integral) == pytest.approx(0.5, abs=0.2)


def test_short_pulses_switch_by_precession() -> None:
    assert half_current(1e-9) > 1.5
    # Thermal kicks during the pulse help a little less, the shorter it is.
    ratio = [half_current(t) / precessional_current(t) for t in (1e-9, 0.5e-9)]
    assert 0.8 < ratio[0] < ratio[1] < 1.02
    # The activation law is off by orders of magnitude.
    current = 0.6 * DEVICE.critical_current
    activated = 1e-9 * escape_rate(DEVICE, ROOM, current)
    assert density_switching_probability(DEVICE, ROOM, current, 1e-9) < 0.01 * activated


def test_pulses_between_switch_around_the_critical_current() -> None:
    assert 0.65 < half_current(10e-9) < half_current(3e-9) < 1.2


def test_probability_converges_as_the_step_shrinks() -> None:
    # One noise path and its averages: 0.5 to 4 ps, a factor of eight.
    devices, pulse, finest = 300, 2e-9, 0.5e-12
    current = 1.2 * DEVICE.critical_current
    start, bath = rest(DEVICE, devices), ThermalBath(temperature=ROOM, interval=finest)
    field = noise(DEVICE, bath, round(pulse / finest), devices)
    switched = [
        evolve(DEVICE, start, coarsen(field, n), n * finest, current=current)[2] > 0
        for n in (1, 2, 4, 8)
    ]
    exact = density_switching_probability(DEVICE, ROOM, current, pulse)
    error = 3 * math.sqrt(exact * (1 - exact) / devices)
    for outcome in switched:
        assert outcome.mean() == pytest.approx(exact, abs=error)
    # The same events: fewer of them change with every halving.
    others = [(outcome != switched[0]).mean() for outcome in switched[1:]]
    assert others[0] < others[1] < others[2] < 0.12
    assert others[0] < 0.04


def test_thermal_start_is_the_lower_well_of_boltzmanns_distribution() -> None:
    start = rest(DEVICE, 4000)
    np.testing.assert_allclose(np.linalg.norm(start, axis=0), 1)
    assert start[2].max() < 0
    exact = boltzmann_mean(DEVICE.barrier(ROOM), -1, 0)
    square = 1 - start[2] ** 2
    assert square.mean() == pytest.approx(exact, abs=4 * square.std() / math.sqrt(4000))
    around = np.arctan2(start[1], start[0])
    assert stats.kstest(around, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-3


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [{"demag_x": 0.1}, {"applied_x": 1e4}, {"applied_y": 1e4}])
def test_density_needs_symmetry(values: dict[str, float]) -> None:
    for call in (
        lambda d: switching_density(d, ROOM, []),
        lambda d: escape_rate(d, ROOM, 0.0),
        lambda d: thermal_start(d, ROOM, np.full((2, 1), 0.5)),
    ):
        with pytest.raises(ConfigError, match="symmetric about z"):
            call(other(**values))


def test_density_needs_a_barrier_damping_and_heat() -> None:
    for device, heat in (
        (other(anisotropy_field=0.0), ROOM),
        (other(damping=0.0), ROOM),
        (DEVICE, 0.0),
    ):
        with pytest.raises(ConfigError, match="must all be above 0"):
            density_switching_probability(device, heat, 0.0, 1e-9)


def test_rate_without_barrier_is_refused() -> None:
    with pytest.raises(ConfigError, match="no barrier is left"):
        escape_rate(DEVICE, ROOM, DEVICE.critical_current)
