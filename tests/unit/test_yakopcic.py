"""Yakopcic's model: published sets, thresholds, windows, closed forms of the motion."""

from __future__ import annotations

import math

import numpy as np
import pytest

from memspice.devices.compact.yakopcic import Yakopcic
from memspice.errors import ConfigError
from memspice.parameters import load_table
from memspice.quantities import validate
from tests.hysteresis_helpers import loop_area, trajectory

SETS = ("yakopcic-jo", "yakopcic-miao", "yakopcic-oblea")
STATES = np.linspace(0, 1, 21)
EVERY_SET = pytest.mark.parametrize("name", SETS)
#: The integration's tolerance is 1e-9 a step; some 1,000 steps.
INTEGRATION = 1e-6


def load(name: str, **values: float) -> Yakopcic:
    device = load_table(name, "yakopcic", Yakopcic).values
    return validate(Yakopcic, {**device.model_dump(), **values}, "test")


# --- current --------------------------------------------------------------------------------------


def test_currents_of_the_published_fits() -> None:
    # a x sinh(b V), worked out by hand from the published constants.
    assert load("yakopcic-jo").current(4.0, 0.5) == pytest.approx(1.51550e-6, rel=1e-4)
    assert load("yakopcic-jo").current(-2.0, 0.5) == pytest.approx(-4.14185e-7, rel=1e-4)
    assert load("yakopcic-miao").current(0.75, 1.0) == pytest.approx(42.2227e-3, rel=1e-4)
    assert load("yakopcic-oblea").current(0.45, 0.11) == pytest.approx(0.42079e-3, rel=1e-4)


@EVERY_SET
def test_current_is_ohmic_at_small_voltage(name: str) -> None:
    device = load(name)
    for voltage, amplitude in [
        (1e-4, device.positive_amplitude),
        (-1e-4, device.negative_amplitude),
    ]:
        conductance = amplitude * device.curvature * STATES
        np.testing.assert_allclose(device.current(voltage, STATES), conductance * voltage)


@EVERY_SET
def test_current_has_the_sign_of_the_voltage_and_rises_with_it(name: str) -> None:
    device = load(name)
    voltage = np.linspace(-3, 3, 61)
    current = device.current(voltage, 0.4)
    assert (np.diff(current) > 0).all()
    assert device.current(0.0, 0.4) == 0
    np.testing.assert_array_equal(device.current(voltage, 0.0), 0)
    # A solver's trial values stay finite, and the current goes on rising.
    assert np.isfinite(device.current([1e4, -1e9], [5.0, 0.4])).all()
    assert device.current(2000.0, 0.4) > device.current(1000.0, 0.4)
    np.testing.assert_array_equal(device.current(1.0, [-3.0, 7.0]), device.current(1.0, [0.0, 1.0]))


# --- rate -----------------------------------------------------------------------------------------


@EVERY_SET
def test_state_rests_between_the_thresholds(name: str) -> None:
    device = load(name, initial_state=0.37)
    voltage = np.linspace(-device.negative_threshold, device.positive_threshold, 101)
    np.testing.assert_array_equal(device.state_rate(voltage[:, None], STATES), 0)
    assert (device.state_rate(device.positive_threshold + 1e-3, STATES[:-1]) > 0).all()
    assert (device.state_rate(-device.negative_threshold - 1e-3, STATES[1:]) < 0).all()
    state = trajectory(device, np.array([0.0, 1.0, 2.0]), voltage[[0, 100, 0]])
    np.testing.assert_array_equal(state, 0.37)


def test_rates_before_the_edges_are_those_of_the_paper() -> None:
    # Ap (e^4 - e^1.5) and An (e^2 - e^0.5) of Jo's device, worked out by hand.
    device = load("yakopcic-jo")
    np.testing.assert_allclose(device.state_rate(4.0, [0.0, 0.1, 0.2]), 0.250582, rtol=1e-5)
    np.testing.assert_allclose(device.state_rate(-2.0, [0.5, 0.8, 1.0]), -0.459227, rtol=1e-5)


@EVERY_SET
def test_windows_are_continuous_and_end_at_the_bounds(name: str) -> None:
    device = load(name)
    states = np.linspace(0, 1, 100_001)
    for voltage, bound, start in [(5.0, 1.0, 0.0), (-5.0, 0.0, 1.0)]:
        rate = device.state_rate(voltage, states)
        full = device.state_rate(voltage, start)
        # No jump: from one point to the next by a few of the 1e-5 that separate them.
        assert np.abs(np.diff(rate / full)).max() < 1e-4
        assert device.state_rate(voltage, bound) == 0
        # Whoever is past the bound is led back.
        beyond = device.state_rate(voltage, bound + math.copysign(0.01, voltage))
        assert math.copysign(1.0, float(beyond)) == -math.copysign(1.0, voltage)


def test_window_is_that_of_the_paper() -> None:
    device = load("yakopcic-miao")
    full_rise, full_fall = device.state_rate([3.0, -3.0], [0.0, 1.0])
    state = 0.6  # beyond xp = 0.3; alpha_p = 1
    rise = math.exp(-1 * (state - 0.3)) * ((0.3 - state) / (1 - 0.3) + 1)
    assert device.state_rate(3.0, state) == pytest.approx(full_rise * rise)
    state = 0.2  # below 1 - xn = 0.5; alpha_n = 5
    fall = math.exp(5 * (state + 0.5 - 1)) * state / (1 - 0.5)
    assert device.state_rate(-3.0, state) == pytest.approx(full_fall * fall)


def test_device_turned_round_is_the_device_with_exchanged_sides() -> None:
    device = load("yakopcic-jo")
    sides = {
        f"{a}_{name}": getattr(device, f"{b}_{name}")
        for name in ("amplitude", "rate", "threshold", "decay", "edge")
        for a, b in (("positive", "negative"), ("negative", "positive"))
    }
    turned = load("yakopcic-jo", **sides)
    voltage = np.linspace(-4, 4, 33)[:, None]
    np.testing.assert_allclose(turned.current(-voltage, STATES), -device.current(voltage, STATES))
    # A rise to 1 becomes a fall to 0, with its own window.
    np.testing.assert_allclose(
        turned.state_rate(-voltage, 1 - STATES), -device.state_rate(voltage, STATES), atol=1e-15
    )


# --- motion ---------------------------------------------------------------------------------------


def test_motion_without_decay_is_linear_then_exponential() -> None:
    # Up to xp at a constant speed, then dx/dt = speed (1 - x)/(1 - xp).
    device = load("yakopcic-oblea", positive_decay=0.0, initial_state=0.1)
    speed = 4000 * (math.exp(0.4) - math.exp(0.16))
    edge = (0.3 - 0.1) / speed
    at = np.linspace(0, 8 * edge, 41)
    late = 1 - 0.7 * np.exp(-speed * np.maximum(at - edge, 0) / 0.7)
    expected = np.where(at < edge, 0.1 + speed * at, late)
    state = trajectory(device, at[[0, -1]], np.full(2, 0.4), at)
    np.testing.assert_allclose(state, expected, rtol=0, atol=INTEGRATION)


def test_ramp_below_the_edge_gives_the_integral_of_the_drive() -> None:
    # Integral of Ap (e^V - e^Vp) from Vp to V1, over the slope dV/dt.
    device = load("yakopcic-jo", initial_state=0.05)
    threshold, last, slope = 1.5, 3.0, 2.0
    area = math.exp(last) - math.exp(threshold) - math.exp(threshold) * (last - threshold)
    state = trajectory(device, np.array([0.0, last / slope]), np.array([0.0, last]))
    assert state[-1] - 0.05 == pytest.approx(0.005 * area / slope, rel=1e-6)


@EVERY_SET
def test_hard_drive_never_leaves_the_bounds(name: str) -> None:
    device = load(name)
    times = np.array([0.0, 10.0, 11.0, 20.0])
    state = trajectory(device, times, np.array([5.0, 5.0, -5.0, -5.0]), np.linspace(0, 20, 201))
    # Past a bound only by the tolerance of the integration.
    assert state.min() > -1e-9
    assert state.max() < 1 + 1e-9
    assert state[:100].max() > 0.7 > 0.3 > state[110:].min()


# --- hysteresis -----------------------------------------------------------------------------------


def sine_loop(device: Yakopcic, amplitude: float, period: float) -> tuple[np.ndarray, np.ndarray]:
    times = np.linspace(0, period, 121)
    voltage = amplitude * np.sin(2 * np.pi * times / period)
    voltage[[0, 60, 120]] = 0.0
    return voltage, device.current(voltage, trajectory(device, times, voltage))


@pytest.mark.parametrize(
    ("name", "amplitude", "period"), [("yakopcic-jo", 3.0, 10.0), ("yakopcic-oblea", 0.45, 0.01)]
)
def test_loop_is_pinched_and_shrinks_to_a_resistor(
    name: str, amplitude: float, period: float
) -> None:
    device = load(name, initial_state=0.5)
    loops = [sine_loop(device, amplitude, period / 10**k) for k in range(5)]
    for voltage, current in loops:
        np.testing.assert_array_equal(current[[0, 60, 120]], 0)
        assert (voltage * current >= 0).all()
    areas = np.array([loop_area(*loop) for loop in loops])
    # The way of the state, and with it the area, becomes proportional to the period.
    assert (np.diff(areas) < 0).all()
    assert areas[3] / areas[4] == pytest.approx(10, rel=0.03)
    voltage, current = loops[4]
    resting = device.current(voltage, 0.5)
    np.testing.assert_allclose(current, resting, rtol=0, atol=2e-3 * np.abs(resting).max())


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("positive_amplitude", 0.0),
        ("curvature", -0.1),
        ("negative_rate", -1.0),
        ("positive_threshold", -0.1),
        ("negative_decay", -1.0),
        ("positive_edge", 1.0),
        ("negative_edge", -0.1),
        ("initial_state", -0.1),
        ("pulse", 0.0),
    ],
)
def test_value_out_of_bounds_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"Yakopcic\.{name} = "):
        load("yakopcic-jo", **{name: value})
