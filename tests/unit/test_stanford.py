"""Stanford/PKU model: current, heat, field-driven motion of the gap, and its ends."""

from __future__ import annotations

import math

import numpy as np
import pytest

from memspice.devices.compact.stanford import Stanford
from memspice.errors import ConfigError
from memspice.parameters import load_table
from memspice.quantities import validate
from tests.hysteresis_helpers import loop_area, trajectory

DEVICE = load_table("stanford-v1", "stanford", Stanford).values
STATES = np.linspace(0, 1, 21)
#: k/e [V/K], CODATA.
THERMAL_VOLTAGE = 8.617333262e-5


def changed(**values: float) -> Stanford:
    return validate(Stanford, {**DEVICE.model_dump(), **values}, "test")


# --- current --------------------------------------------------------------------------------------


def test_gap_at_the_ends_is_the_published_range() -> None:
    np.testing.assert_allclose(DEVICE.gap([0.0, 1.0]), [1.7e-9, 0.2e-9])
    np.testing.assert_allclose(DEVICE.gap([-5.0, 6.0]), [1.7e-9, 0.2e-9])


def test_read_resistance_at_the_ends_is_the_published_one() -> None:
    # MemTorch@305c3a7 gives 542 ohm and 218,586 ohm at 0.1 V for this set.
    resistance = 0.1 / DEVICE.current(0.1, [1.0, 0.0])
    np.testing.assert_allclose(resistance, [542, 218_586], rtol=1e-3)


def test_small_voltage_limit_is_ohmic_and_falls_with_the_gap() -> None:
    conductance = 1e-3 / 0.25 * np.exp(-DEVICE.gap(STATES) / 0.25e-9)
    np.testing.assert_allclose(DEVICE.current(1e-4, STATES), conductance * 1e-4, rtol=1e-6)
    # One gap scale less is e times more.
    step = 0.25e-9 / 1.5e-9
    assert DEVICE.current(0.1, 0.5 + step) / DEVICE.current(0.1, 0.5) == pytest.approx(math.e)


@pytest.mark.parametrize(
    ("voltage", "excess"), [(0.05, 0.0067), (0.1, 0.0269), (0.2, 0.1101), (0.5, 0.8134)]
)
def test_current_exceeds_the_ohmic_one_as_the_sinh_does(voltage: float, excess: float) -> None:
    # sinh(u)/u - 1 at u = V/V0, by its series.
    ohmic = DEVICE.current(1e-6, 0.5) * voltage / 1e-6
    assert DEVICE.current(voltage, 0.5) / ohmic - 1 == pytest.approx(excess, abs=1e-4)


def test_current_is_odd_rises_and_cannot_overflow() -> None:
    voltage = np.linspace(-1.5, 1.5, 61)
    current = DEVICE.current(voltage, 0.3)
    assert (np.diff(current) > 0).all()
    np.testing.assert_allclose(current, -current[::-1])
    assert np.isfinite(DEVICE.current([1e5, -1e5], [0.0, 1.0])).all()


# --- heat -----------------------------------------------------------------------------------------


def test_temperature_is_ambient_plus_power_times_thermal_resistance() -> None:
    voltage = np.linspace(-1.2, 1.2, 49)
    for state in (0.0, 0.5, 1.0):
        power = np.abs(voltage * DEVICE.current(voltage, state))
        np.testing.assert_allclose(DEVICE.temperature(voltage, state), 298 + 2.1e3 * power)
    # 27.27 mA at 1.2 V through the smallest gap.
    assert DEVICE.temperature(1.2, 1.0) == pytest.approx(298 + 68.7, abs=0.1)


def test_temperature_rises_with_voltage_of_either_sign_and_with_the_state() -> None:
    voltage = np.linspace(0, 1.5, 31)
    for sign in (1, -1):
        kelvin = DEVICE.temperature(sign * voltage, 0.6)
        assert kelvin[0] == 298
        assert (np.diff(kelvin) > 0).all()
    assert (np.diff(DEVICE.temperature(1.0, STATES)) > 0).all()
    cold = changed(thermal_resistance=0.0)
    np.testing.assert_array_equal(cold.temperature(voltage, 1.0), 298)


# --- rate -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("voltage", "state"), [(1.5, 0.2), (-1.4, 0.7), (1.3, 0.5)])
def test_rate_is_the_published_equation(voltage: float, state: float) -> None:
    # In electron volts and nanometres, as the source has it; the windows are 1 here to 1e-5, and
    # the field is beyond F_min + width.
    gap = 1.7 - 1.5 * state
    current = 1e-3 * math.exp(-gap / 0.25) * math.sinh(voltage / 0.25)
    thermal = THERMAL_VOLTAGE * (298 + 2.1e3 * voltage * current)
    gamma = 16 - 0.8 * gap**3
    speed = 10e9 * math.exp(-0.6 / thermal) * math.sinh(gamma * 0.25 / 12 * voltage / thermal)
    assert DEVICE.state_rate(voltage, state) == pytest.approx(speed / 1.5, rel=1e-4)


def test_state_moves_with_the_voltage_and_faster_with_more_of_it() -> None:
    inner = STATES[1:-1]
    voltage = np.linspace(1.4, 1.7, 12)[:, None]
    rise, fall = DEVICE.state_rate(voltage, inner), DEVICE.state_rate(-voltage, inner)
    assert (rise > 0).all()
    assert (fall < 0).all()
    assert (np.diff(rise, axis=0) > 0).all()
    assert (np.diff(fall, axis=0) < 0).all()
    np.testing.assert_array_equal(DEVICE.state_rate(0.0, STATES), 0)


def test_rate_is_activated_by_temperature() -> None:
    # Small fields: rate ~ exp(-Ta/T) V/T, without the device's own heat and threshold.
    free = {"thermal_resistance": 0.0, "field_min": 0.0, "field_width": 1.0}
    cool, warm = (changed(ambient_temperature=kelvin, **free) for kelvin in (300.0, 330.0))
    ratio = warm.state_rate(1e-4, 0.5) / cool.state_rate(1e-4, 0.5)
    energy = 0.6 / THERMAL_VOLTAGE * (1 / 300 - 1 / 330)
    assert ratio == pytest.approx(math.exp(energy) * 300 / 330, rel=1e-5)


def test_own_heat_speeds_up_the_reset() -> None:
    # Some 50 K at 1.2 V: exp(-0.6 eV/kT) gains more than the field's sinh loses.
    cold = changed(thermal_resistance=0.0)
    assert DEVICE.temperature(-1.2, 0.95) > 298 + 40
    assert DEVICE.state_rate(-1.2, 0.95) / cold.state_rate(-1.2, 0.95) > 1.5
    # Where hardly any current flows there is no heat.
    assert DEVICE.state_rate(1.5, 0.0) / cold.state_rate(1.5, 0.0) == pytest.approx(1, abs=0.05)


def test_window_stops_only_at_the_end_ahead() -> None:
    assert DEVICE.state_rate(1.5, 1.0) == DEVICE.state_rate(-1.5, 0.0) == 0
    wide = changed(window=1.0)
    for voltage, bound in [(1.5, 0.0), (-1.5, 1.0)]:
        share = wide.state_rate(voltage, bound) / DEVICE.state_rate(voltage, bound)
        assert share == pytest.approx(math.tanh(1.0))  # behind: the narrow window is open
    # Whoever is past an end is led back.
    assert DEVICE.state_rate(1.5, 1.01) < 0 < DEVICE.state_rate(-1.5, -0.01)


def test_trial_values_of_a_solver_stay_finite() -> None:
    rate = DEVICE.state_rate(np.array([1e3, -1e3, 30.0])[:, None], [-50.0, 0.5, 50.0])
    assert np.isfinite(rate).all()


# --- motion ---------------------------------------------------------------------------------------


def test_small_field_without_heat_moves_the_gap_exponentially_to_its_end() -> None:
    # With a wide window tanh((1 - x)/w) and beta = 0 the rate depends on x through it alone:
    # sinh((1 - x)/w) = sinh((1 - x0)/w) exp(-r t / w).
    width = 0.8
    free = {"field_min": 0.0, "thermal_resistance": 0.0, "enhancement_slope": 0.0}
    device = changed(**free, window=width, initial_state=0.1)
    free = float(device.state_rate(0.8, 0.5)) / math.tanh(0.5 / width)
    at = np.linspace(0, 3 / free, 31)
    expected = 1 - width * np.arcsinh(np.sinh(0.9 / width) * np.exp(-free * at / width))
    state = trajectory(device, at[[0, -1]], np.full(2, 0.8), at)
    # The integration's tolerance is 1e-9 a step; some 100 steps.
    np.testing.assert_allclose(state, expected, rtol=0, atol=1e-6)


def test_hard_drive_never_leaves_the_ends() -> None:
    times = np.array([0.0, 1.0, 1.1, 2.0, 2.1, 3.0]) * 1e-3
    voltage = np.array([-1.6, -1.6, 1.6, 1.6, -1.6, -1.6])
    state = trajectory(DEVICE, times, voltage, np.linspace(0, 3e-3, 301))
    # Past an end only by the tolerance of the integration.
    assert state.min() > -1e-9
    assert state.max() < 1 + 1e-9
    assert np.ptp(state) > 0.99


def test_state_rests_below_the_least_field() -> None:
    # gamma |V| / tox = 1.4e9 V/m: 1.05 V at the smallest gap, 1.39 V at the largest.
    least = 1.4e9 * 12e-9 / (16 - 0.8 * np.array([0.2, 1.7]) ** 3)
    np.testing.assert_allclose(least, [1.0504, 1.3920], atol=1e-4)
    for voltage, state in zip(least, [1.0, 0.0], strict=True):
        for sign in (1, -1):
            inner = abs(state - 0.01)
            assert DEVICE.state_rate(sign * 0.999 * voltage, state) == 0
            assert sign * DEVICE.state_rate(sign * 1.01 * voltage, inner) > 0
    device = changed(initial_state=0.5)
    rest = trajectory(device, np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, -1.0]))
    np.testing.assert_array_equal(rest, 0.5)


def test_motion_begins_without_a_jump() -> None:
    # The field rises by its width within 38 mV: 0.1 mV of it is the 380th part.
    voltage = np.arange(1.04, 1.12, 1e-4)
    rate = DEVICE.state_rate(voltage, 0.9)
    narrow = changed(field_width=1.0).state_rate(voltage, 0.9)
    assert np.diff(narrow).max() > 50 * np.diff(rate).max()
    # Beyond it the motion is the published one.
    np.testing.assert_array_equal(narrow[-100:], rate[-100:])
    assert narrow[0] == rate[0] == 0


# --- hysteresis -----------------------------------------------------------------------------------


def sine_loop(device: Stanford, frequency: float) -> tuple[np.ndarray, np.ndarray]:
    """Voltage [V] and current [A] over one period of 1.5 V."""
    times = np.linspace(0, 1 / frequency, 121)
    voltage = 1.5 * np.sin(2 * np.pi * frequency * times)
    voltage[[0, 60, 120]] = 0.0
    return voltage, device.current(voltage, trajectory(device, times, voltage))


def test_loop_is_pinched_and_shrinks_to_a_resistor() -> None:
    device = changed(initial_state=0.5)
    loops = [sine_loop(device, frequency) for frequency in (1e7, 1e8, 1e9, 1e10)]
    for voltage, current in loops:
        np.testing.assert_array_equal(current[[0, 60, 120]], 0)
        assert (voltage * current >= 0).all()
    areas = np.array([loop_area(*loop) for loop in loops])
    # The way of the state, and with it the area, becomes proportional to the period.
    assert (np.diff(areas) < 0).all()
    assert areas[2] / areas[3] == pytest.approx(10, rel=0.05)
    voltage, current = loops[3]
    resting = device.current(voltage, 0.5)
    np.testing.assert_allclose(current, resting, rtol=0, atol=5e-3 * np.abs(resting).max())


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("current_scale", 0.0),
        ("gap_scale", -1e-9),
        ("activation_temperature", 0.0),
        ("thermal_resistance", -1.0),
        ("ambient_temperature", 0.0),
        ("field_min", -1.0),
        ("field_width", 0.0),
        ("gap_min", -1e-10),
        ("window", 0.0),
        ("initial_state", 2.0),
        ("pulse", 0.0),
    ],
)
def test_value_out_of_bounds_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"Stanford\.{name} = "):
        changed(**{name: value})


def test_gap_without_a_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="gap_min = 1.7e-09 m must be below gap_max = 1.7e-09 m"):
        changed(gap_min=1.7e-9)
