"""Access transistor and selector: limits, symmetry, known values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import constants

from memspice.devices.constants import BOLTZMANN, ELEMENTARY_CHARGE
from memspice.devices.transistor import AccessTransistor, Selector
from memspice.errors import ConfigError
from memspice.quantities import validate
from tests.device_helpers import channel_conductance, off_current

NMOS = AccessTransistor(transconductance=1.5e-3, threshold_voltage=0.469, slope_factor=1.4)
SELECTOR = Selector(on_current=1e-5, on_voltage=0.5, voltage_scale=0.05)
THERMAL = 0.0258520  # kT/q at 300 K, [V]


def test_thermal_voltage() -> None:
    assert NMOS.thermal_voltage == pytest.approx(THERMAL, rel=1e-5)


def test_far_above_threshold_the_channel_is_a_resistor() -> None:
    # It misses exp(-x / 2) of a smooth transition, x = overdrive / (n Ut): 6e-4 at 0.531 V.
    for gate, line in ((1.0, 0.0), (1.2, 0.1), (2.0, 0.0)):
        overdrive = gate - 0.469 - 1.4 * line
        error = math.exp(-overdrive / (2 * 1.4 * THERMAL))
        expected = pytest.approx(1.5e-3 * overdrive, rel=error)
        assert channel_conductance(NMOS, gate, line) == expected


def test_saturation_is_quadratic() -> None:
    # beta (Vg - Vth)^2 / (2 n); of the transition (as above) twice the share is missed at most.
    for gate in (0.9, 1.2, 1.5):
        error = 2 * math.exp(-(gate - 0.469) / (2 * 1.4 * THERMAL))
        expected = 1.5e-3 * (gate - 0.469) ** 2 / (2 * 1.4)
        assert float(NMOS.current(2.0, gate, 0.0)) == pytest.approx(expected, rel=error)


def test_below_threshold_the_current_is_exponential() -> None:
    scale = 2 * 1.4 * 1.5e-3 * THERMAL**2
    expected = scale * math.exp(-0.469 / (1.4 * THERMAL))
    # Next order of ln(1 + e)^2: e = exp(-0.469 / (2 n Ut)) = 1.5e-3 in relative terms.
    assert off_current(NMOS, 1.0) == pytest.approx(expected, rel=2e-3)
    decade = 1.4 * THERMAL * math.log(10)
    ratio = float(NMOS.current(1.0, 0.1 + decade, 0.0) / NMOS.current(1.0, 0.1, 0.0))
    assert ratio == pytest.approx(10, rel=0.1)


def test_off_current_of_the_set_is_within_the_published_currents() -> None:
    # 45 nm: 0.1 nA/um (low standby power) to 100 nA/um (high performance), here at W = 45 nm.
    assert 0.1e-9 * 0.045 < off_current(NMOS, 1.0) < 100e-9 * 0.045


def test_current_is_symmetric_between_drain_and_source() -> None:
    gates = np.linspace(-0.5, 1.5, 9)
    forward, back = NMOS.current(0.7, gates, 0.1), NMOS.current(0.1, gates, 0.7)
    np.testing.assert_array_equal(forward, -back)
    np.testing.assert_array_equal(NMOS.current(0.3, gates, 0.3), 0.0)


def test_only_differences_of_voltages_count() -> None:
    moved = NMOS.current(1.5, 2.0, 1.2, 1.0)
    assert float(moved) == pytest.approx(float(NMOS.current(0.5, 1.0, 0.2)), rel=1e-12)


def test_current_rises_with_gate_and_drain() -> None:
    # Up to 0.5 V: beyond it a saturated current rises by less than its rounding.
    drains, gates = np.linspace(0, 0.5, 11), np.linspace(0, 1.2, 13)
    current = NMOS.current(drains[:, None], gates, 0.0)
    assert (np.diff(current, axis=0) > 0).all()
    assert (np.diff(current[1:], axis=1) > 0).all()


def test_huge_voltages_do_not_overflow() -> None:
    assert np.isfinite(NMOS.current([1e4, -1e4], [1e4, -1e4], [0.0, 1e4])).all()


def test_heat_makes_an_off_transistor_leak() -> None:
    hot = NMOS.model_copy(update={"temperature": 360.0})
    assert off_current(hot, 1.0) > 5 * off_current(NMOS, 1.0)


# --- selector -------------------------------------------------------------------------------------


def test_selector_carries_its_on_current_at_its_on_voltage() -> None:
    assert float(SELECTOR.current(0.5)) == pytest.approx(1e-5, rel=1e-14)
    assert float(SELECTOR.current(-0.5)) == pytest.approx(-1e-5, rel=1e-14)


def test_selectivity_at_half_of_the_voltage() -> None:
    ratio = float(SELECTOR.current(0.5) / SELECTOR.current(0.25))
    assert ratio == pytest.approx(148.42, abs=0.01)  # 2 cosh 5


def test_selector_without_threshold_is_a_resistor() -> None:
    wide = Selector(on_current=1e-5, on_voltage=0.5, voltage_scale=500.0)
    voltages = np.linspace(-1, 1, 9)
    np.testing.assert_allclose(wide.current(voltages), 2e-5 * voltages, rtol=1e-6)


def test_selector_slope_is_the_derivative() -> None:
    step = 1e-6
    for voltage in (-0.4, 0.0, 0.3):
        rise = float(SELECTOR.current(voltage + step) - SELECTOR.current(voltage - step))
        # Central difference: (step / V0)^2 / 6, and rounding of 1e-16 / (step / V0).
        assert rise / (2 * step) == pytest.approx(float(SELECTOR.slope(voltage)), rel=1e-8)


def test_selector_stays_finite() -> None:
    assert np.isfinite(SELECTOR.current([1e3, -1e3])).all()
    assert np.isfinite(SELECTOR.slope(1e3))


def test_selector_beyond_its_sinh_is_refused() -> None:
    values = {"on_current": 1e-5, "on_voltage": 2.1, "voltage_scale": 0.05}
    with pytest.raises(ConfigError, match=r"on_voltage = 2\.1 V must be at most 40 times"):
        validate(Selector, values, "test")


@pytest.mark.parametrize("name", ["transconductance", "slope_factor", "temperature"])
def test_transistor_without_sense_is_refused(name: str) -> None:
    values = {**NMOS.model_dump(), name: 0.0}
    with pytest.raises(ConfigError, match=name):
        validate(AccessTransistor, values, "test")


def test_constants_are_those_of_the_si() -> None:
    assert (constants.k, constants.e) == (BOLTZMANN, ELEMENTARY_CHARGE)
