"""VTEAM: ends, thresholds, window, closed forms of the motion; and the integration itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from memspice.devices.compact.vteam import Vteam
from memspice.errors import ConfigError, ConvergenceError, ShapeError
from memspice.parameters import load_table
from memspice.quantities import validate
from tests import hysteresis_helpers as hysteresis
from tests.hysteresis_helpers import loop_area, trajectory

DEVICE = load_table("vteam-kvatinsky", "vteam", Vteam).values
STATES = np.linspace(0, 1, 21)
#: The integration's tolerance is 1e-9 a step; some 1,000 steps.
INTEGRATION = 1e-6


def changed(**values: float) -> Vteam:
    return validate(Vteam, {**DEVICE.model_dump(), **values}, "test")


# --- current and rate -----------------------------------------------------------------------------


def test_set_is_the_published_fit() -> None:
    assert (DEVICE.on_resistance, DEVICE.off_resistance) == (50, 1000)
    assert (DEVICE.on_threshold, DEVICE.off_threshold) == (-0.2, 0.02)


def test_resistance_at_the_ends_and_in_the_middle() -> None:
    resistance = 0.1 / DEVICE.current(0.1, [0.0, 0.5, 1.0])
    np.testing.assert_allclose(resistance, [1000, 525, 50])


def test_current_is_ohmic_odd_and_finite_beyond_the_ends() -> None:
    voltage = np.linspace(-1, 1, 11)
    current = DEVICE.current(voltage[:, None], STATES)
    np.testing.assert_allclose(current, voltage[:, None] * DEVICE.current(1.0, STATES))
    # A solver's trial state far outside must not meet a resistance of zero.
    np.testing.assert_array_equal(DEVICE.current(1.0, [-20.0, 21 / 19, 1e9]), [1e-3, 0.02, 0.02])


def test_state_rests_between_the_thresholds() -> None:
    voltage = np.linspace(DEVICE.on_threshold, DEVICE.off_threshold, 101)
    np.testing.assert_array_equal(DEVICE.state_rate(voltage[:, None], STATES), 0)
    quiet = np.array([0.0, -0.199, 0.0199, -0.199, 0.0])
    state = trajectory(changed(initial_state=0.37), np.arange(5.0), quiet)
    np.testing.assert_array_equal(state, 0.37)


def test_rates_are_the_fits_speeds_at_twice_the_threshold() -> None:
    # Without a bound near: 3 nm are gone at 10 m/s and at 0.5 mm/s.
    rate = DEVICE.state_rate([2 * DEVICE.on_threshold, 2 * DEVICE.off_threshold], 0.5)
    np.testing.assert_allclose(rate, [10 / 3e-9, -5e-4 / 3e-9], rtol=2e-6)


def test_speed_follows_the_power_law() -> None:
    excess = np.array([1.0, 2.0, 4.0])
    on = DEVICE.state_rate(DEVICE.on_threshold * (1 + excess), 0.5)
    off = DEVICE.state_rate(DEVICE.off_threshold * (1 + excess), 0.5)
    np.testing.assert_allclose(on[1:] / on[:-1], 2.0**3)
    np.testing.assert_allclose(off[1:] / off[:-1], 2.0)


def test_state_moves_with_the_sign_of_the_voltage() -> None:
    inner = STATES[1:-1]
    assert (DEVICE.state_rate(-0.3, inner) > 0).all()
    assert (DEVICE.state_rate(0.3, inner) < 0).all()
    times = np.array([0.0, 1.0]) * 1e-8
    rise = trajectory(changed(initial_state=0.2), times, np.full(2, -0.25), np.linspace(0, 1e-8, 9))
    fall = trajectory(changed(initial_state=0.8), times, np.full(2, 0.5), np.linspace(0, 1e-8, 9))
    assert (np.diff(rise) > 0).all()
    assert (np.diff(fall) < 0).all()


def test_window_stops_only_at_the_bound_ahead() -> None:
    on, off = -0.4, 0.04
    assert DEVICE.state_rate(on, 1.0) == DEVICE.state_rate(off, 0.0) == 0
    np.testing.assert_allclose(DEVICE.state_rate(on, 0.0), 10 / 3e-9)
    np.testing.assert_allclose(DEVICE.state_rate(off, 1.0), -5e-4 / 3e-9)
    # Whoever is past a bound is led back.
    assert DEVICE.state_rate(on, 1.01) < 0 < DEVICE.state_rate(off, -0.01)


def test_window_is_straight_where_only_a_trial_state_goes() -> None:
    on = DEVICE.on_threshold * 2
    full, p = DEVICE.state_rate(on, 0.0), DEVICE.window_exponent
    np.testing.assert_allclose(DEVICE.state_rate(on, [-1e30, -2.0, -0.1]), full)
    np.testing.assert_allclose(DEVICE.state_rate(on, [1.5, 1e30]) / full, [-p, -2e30 * p])
    # It goes on with the slope that it has at the bound.
    step = 1e-6
    below, above = DEVICE.state_rate(on, [1 - step, 1 + step]) / full / step
    np.testing.assert_allclose([below, above], [2 * p, -2 * p], rtol=2 * p * step)


# --- motion ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("voltage", "start"), [(-0.3, 0.1), (0.5, 0.9)])
def test_motion_under_the_square_window_is_a_hyperbolic_tangent(
    voltage: float, start: float
) -> None:
    # With f = 1 - x^2: dx/dt = a (1 - x^2), x = tanh(a t + artanh x0); off it holds of 1 - x.
    device = changed(window_exponent=1.0, initial_state=start)
    on = voltage < 0
    speed = abs(float(device.state_rate(voltage, 0.0 if on else 1.0)))
    at = np.linspace(0, 4 / speed, 33)
    way = np.tanh(speed * at + np.arctanh(start if on else 1 - start))
    state = trajectory(device, at[[0, -1]], np.full(2, voltage), at)
    np.testing.assert_allclose(state, way if on else 1 - way, rtol=0, atol=INTEGRATION)


def test_ramp_far_from_the_bounds_gives_the_integral_of_the_power_law() -> None:
    # x - x0 = k/D integral of (V/v_on - 1)^3 dt, quartic in the excess; the window is below 1e-6.
    duration, last = 1e-9, -0.32
    excess = last / DEVICE.on_threshold - 1
    per_excess = duration / (last / DEVICE.on_threshold)
    way = 10 / 3e-9 * per_excess * excess**4 / 4
    state = trajectory(changed(initial_state=0.1), np.array([0, duration]), np.array([0.0, last]))
    assert 0.02 < way < 0.3
    assert state[-1] - 0.1 == pytest.approx(way, rel=1e-5)


def test_hard_drive_never_leaves_the_bounds() -> None:
    times = np.array([0.0, 1.0, 1.1, 2.0, 2.1, 3.0]) * 1e-6
    voltage = np.array([-2.0, -2.0, 3.0, 3.0, -2.0, -2.0])
    state = trajectory(DEVICE, times, voltage, np.linspace(0, 3e-6, 301))
    # Past a bound only by the tolerance of the integration.
    assert state.min() > -1e-9
    assert state.max() < 1 + 1e-9
    assert np.ptp(state) > 0.99


# --- hysteresis -----------------------------------------------------------------------------------


def sine_loop(device: Vteam, frequency: float) -> tuple[np.ndarray, np.ndarray]:
    """Voltage [V] and current [A] over one period of 0.5 V."""
    times = np.linspace(0, 1 / frequency, 121)
    voltage = 0.5 * np.sin(2 * np.pi * frequency * times)
    voltage[[0, 60, 120]] = 0.0
    return voltage, device.current(voltage, trajectory(device, times, voltage))


def test_loop_is_pinched_at_the_origin_and_takes_up_energy() -> None:
    voltage, current = sine_loop(changed(initial_state=0.5), 1e9)
    np.testing.assert_array_equal(current[[0, 60, 120]], 0)
    assert (voltage * current >= 0).all()
    assert loop_area(voltage, current) > 0.1 * np.abs(voltage).max() * np.abs(current).max()


def test_loop_shrinks_to_a_resistor_at_high_frequency() -> None:
    device = changed(initial_state=0.5)
    loops = [sine_loop(device, frequency) for frequency in (1e10, 1e11, 1e12, 1e13)]
    areas = np.array([loop_area(*loop) for loop in loops])
    # The way of the state, and with it the area, becomes proportional to the period.
    assert (np.diff(areas) < 0).all()
    assert areas[2] / areas[3] == pytest.approx(10, rel=0.02)
    voltage, current = loops[-1]
    np.testing.assert_allclose(current, voltage / 525, rtol=0, atol=1e-3 * 0.5 / 525)


# --- integration ----------------------------------------------------------------------------------


class Custom:
    """Device with any rate of its state."""

    def __init__(self, rate: Callable[[Any, Any], Any], initial_state: float = 1.0) -> None:
        self.state_rate = rate
        self.initial_state = initial_state

    def current(self, voltage: Any, state: Any) -> np.ndarray:
        return np.asarray(voltage * state)


def test_short_pulse_between_far_corners_is_not_stepped_over() -> None:
    device = Custom(lambda voltage, state: np.maximum(voltage - 1, 0) + 0 * state, 0.0)
    times = np.array([0.0, 1.0, 1.0 + 1e-6, 1.0 + 2e-6, 2.0])
    state = trajectory(device, times, np.array([0.0, 0.0, 3.0, 0.0, 0.0]))
    # Two thirds of the triangle lie above 1 V: a smaller one of 2 V and 4/3 us.
    np.testing.assert_allclose(state[[1, -1]], [0, 2 * 4 / 3 * 1e-6 / 2], atol=1e-10)


def test_rate_in_a_narrow_range_of_voltage_is_not_stepped_over() -> None:
    device = Custom(lambda voltage, _: np.atleast_1d(max(0.1 - abs(voltage - 2), 0.0)), 0.0)
    state = trajectory(device, np.array([0.0, 3.0]), np.array([0.0, 3.0]))
    # A triangle of 0.2 s and 0.1 1/s; the tolerance is that of the integration at three kinks.
    assert state[-1] == pytest.approx(0.2 * 0.1 / 2, rel=1e-5)


def test_points_may_repeat_and_lie_anywhere_in_the_waveform() -> None:
    device = Custom(lambda voltage, state: voltage + 0 * state, 0.0)
    at = np.array([0.0, 0.0, 0.3, 1.0, 1.0, np.nextafter(3.0, 0), 3.0, 3.0])
    state = trajectory(device, np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0, 2.0]), at)
    np.testing.assert_allclose(state, [0, 0, 0.09, 1, 1, 5, 5, 5], atol=1e-8)
    assert trajectory(device, np.array([0.0, 1.0]), np.ones(2), np.array([])).size == 0


def test_area_of_a_figure_of_eight_does_not_cancel() -> None:
    angle = np.linspace(0, 2 * np.pi, 2001)
    voltage, current = np.sin(angle), np.sin(angle) * (1 + 0.5 * np.cos(angle))
    # One half: integral of 0.5 sin cos cos d(angle) from 0 to pi = 1/3.
    assert loop_area(voltage, current) == pytest.approx(2 / 3, rel=1e-5)
    assert loop_area(voltage, 3 * voltage) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("rate", "reason"),
    [
        (lambda voltage, state: np.where(state < 1.5, 1.0, np.inf), "a rate of inf"),
        (lambda voltage, state: np.where(state < 1.5, 1.0, np.nan), "a rate of nan"),
        (lambda voltage, state: -1e12 * np.sign(state - 0.5), "too many steps"),
    ],
)
def test_rate_that_cannot_be_followed_is_refused(rate: Any, reason: str) -> None:
    with pytest.raises(ConvergenceError, match=f"beyond .* s, where it is .*{reason}"):
        trajectory(Custom(rate), np.array([0.0, 2.0]), np.zeros(2))


def test_integrator_that_gives_up_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failed:
        success = False
        message = "no luck"

    monkeypatch.setattr(hysteresis, "solve_ivp", lambda *_, **__: Failed())
    with pytest.raises(ConvergenceError, match="no luck"):
        trajectory(DEVICE, np.array([0.0, 2.0]), np.zeros(2))


@pytest.mark.parametrize(
    ("times", "voltage", "kind", "message"),
    [
        ([0.0, 1.0, 2.0], [0.0, 1.0], ShapeError, "same length"),
        ([0.0], [0.0], ShapeError, "at least two corners"),
        ([[0.0, 1.0]], [[0.0, 1.0]], ShapeError, "one-dimensional"),
        ([0.0, np.nan], [0.0, 1.0], ConfigError, "finite"),
        ([0.0, 1.0], [0.0, np.inf], ConfigError, "finite"),
        ([0.0, 1.0, 1.0], [0.0, 1.0, 2.0], ConfigError, r"times\[2\] = 1 s follows 1 s"),
    ],
)
def test_bad_waveform_is_refused(
    times: Any, voltage: Any, kind: type[ConfigError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        trajectory(DEVICE, np.array(times), np.array(voltage))


@pytest.mark.parametrize("at", [[-0.1], [1.1], [0.5, 0.2], [np.nan]])
def test_points_outside_the_waveform_are_refused(at: list[float]) -> None:
    with pytest.raises(ConfigError, match="rise within the waveform, 0 s to 1 s"):
        trajectory(DEVICE, np.array([0.0, 1.0]), np.zeros(2), np.array(at))
    with pytest.raises(ShapeError, match="one-dimensional"):
        trajectory(DEVICE, np.array([0.0, 1.0]), np.zeros(2), np.array([at]))


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("on_resistance", 0.0),
        ("length", -1e-9),
        ("on_rate", 10.0),
        ("off_rate", -1.0),
        ("on_exponent", 0.5),
        ("on_threshold", 0.2),
        ("off_threshold", 0.0),
        ("window_exponent", 0.0),
        ("initial_state", 1.1),
        ("pulse", 0.0),
    ],
)
def test_value_out_of_bounds_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"Vteam\.{name} = "):
        changed(**{name: value})


def test_device_that_conducts_better_off_is_refused() -> None:
    with pytest.raises(ConfigError, match="on_resistance = 2000 ohm must be below .* = 1000 ohm"):
        changed(on_resistance=2e3)
