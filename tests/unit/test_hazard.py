"""The hazard law: known values, limits, monotonicity, exact edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from memspice.devices.hazard import HazardLaw
from memspice.errors import ConfigError
from memspice.quantities import validate

#: Fit of Al-Shedivat/Naous et al., JETCAS 5, 242 (2015), to Jo, Kim, Lu (2009).
AG_ASI = HazardLaw(voltage_scale=0.156, time_scale=2.85e5)
FAST = HazardLaw(voltage_scale=0.156, time_scale=3.2e-4)
BARRIER, CRITICAL, ATTEMPT = 20.0, 0.884, 1e-9
MTJ = HazardLaw.from_neel_brown(ATTEMPT, CRITICAL, BARRIER)
LAWS = [(AG_ASI, 1e-3), (FAST, 100e-9), (MTJ, 10e-9)]
EVERY_LAW = pytest.mark.parametrize(("law", "flat"), LAWS, ids=["ag-asi", "fast", "mtj"])


def voltage_at(law: HazardLaw, probability: float, flat: float) -> float:
    """Voltage [V] at which a flat pulse of ``flat`` [s] switches with ``probability``."""
    integral = -math.log1p(-probability)
    return law.voltage_scale * math.log(integral * law.time_scale / flat)


# --- known values ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flat", "voltage"), [(1e-3, 2.98), (1e-6, 4.06), (100e-9, 4.42), (10e-9, 4.78)]
)
def test_half_voltage_of_silver_in_amorphous_silicon(flat: float, voltage: float) -> None:
    assert voltage_at(AG_ASI, 0.5, flat) == pytest.approx(voltage, abs=5e-3)


def test_half_voltage_of_the_fast_memristor() -> None:
    assert voltage_at(FAST, 0.5, 100e-9) == pytest.approx(1.2, abs=5e-3)


def test_mean_time_of_the_fit_at_2_6_volt_is_16_5_milliseconds() -> None:
    # H = 1 for a pulse of one mean time.
    log_integral = float(AG_ASI.log_hazard_integral(2.6, 16.5e-3))
    assert math.exp(log_integral) == pytest.approx(1, rel=5e-3)


def test_ends_of_the_range_at_one_millisecond() -> None:
    assert voltage_at(AG_ASI, 0.01, 1e-3) == pytest.approx(2.32, abs=5e-3)
    # The published 3.28 V for 99 % is rounded up from 3.274 V.
    assert voltage_at(AG_ASI, 0.99, 1e-3) == pytest.approx(3.28, abs=1e-2)


@EVERY_LAW
def test_width_slope_and_decade_shift(law: HazardLaw, flat: float) -> None:
    scale = law.voltage_scale
    width = voltage_at(law, 0.9, flat) - voltage_at(law, 0.1, flat)
    assert width == pytest.approx(3.08 * scale, rel=2e-3)
    middle, step = voltage_at(law, 0.5, flat), 1e-4 * scale
    rise = np.diff(law.switching_probability(middle + np.array([-step, step]), flat))[0]
    assert rise / (2 * step) == pytest.approx(0.3466 / scale, rel=1e-3)
    shift = voltage_at(law, 0.5, flat / 10) - middle
    assert shift == pytest.approx(2.303 * scale, rel=1e-3)


def test_neel_brown_law_is_the_same_law() -> None:
    voltage = np.linspace(0, CRITICAL, 7)
    mean_time = ATTEMPT * np.exp(BARRIER * (1 - voltage / CRITICAL))
    np.testing.assert_allclose(
        MTJ.log_hazard_integral(voltage, 10e-9), np.log(10e-9 / mean_time), rtol=1e-12
    )
    # At the critical voltage the barrier is gone: one attempt time.
    assert float(MTJ.log_hazard_integral(CRITICAL, ATTEMPT)) == pytest.approx(0, abs=1e-12)


def test_heat_lowers_the_barrier() -> None:
    hot = HazardLaw.from_neel_brown(ATTEMPT, CRITICAL, BARRIER * 300 / 330)
    for voltage in (0.0, 0.5, 0.8):
        assert hot.switching_probability(voltage, 10e-9) > MTJ.switching_probability(voltage, 10e-9)


# --- limits and monotonicity ----------------------------------------------------------------------


@EVERY_LAW
@pytest.mark.parametrize("edge", [0.0, 0.01])
def test_probability_rises_from_zero_to_one(law: HazardLaw, flat: float, edge: float) -> None:
    middle = voltage_at(law, 0.5, flat)
    voltage = middle + law.voltage_scale * np.linspace(-30, 30, 401)
    probability = law.switching_probability(voltage, flat, edge * flat)
    assert (np.diff(probability) >= 0).all()
    # Below zero voltage only the edges, which pass through zero, are left.
    assert 0 < probability[0] < (1e-4 if edge else 1e-12)
    assert probability[-1] == 1
    assert law.switching_probability(1e6, flat) == 1


@EVERY_LAW
def test_longer_pulses_switch_more_and_twice_the_pulse_is_twice_the_integral(
    law: HazardLaw, flat: float
) -> None:
    voltage = voltage_at(law, 0.3, flat)
    single, double = (law.log_hazard_integral(voltage, length) for length in (flat, 2 * flat))
    assert float(double - single) == pytest.approx(math.log(2))
    # Two independent attempts: the survival probabilities multiply.
    survival = 1 - law.switching_probability(voltage, flat)
    assert 1 - law.switching_probability(voltage, 2 * flat) == pytest.approx(survival**2)


@EVERY_LAW
@pytest.mark.parametrize("share", [-0.5, -1e-7, 0.0, 1e-7, 0.5, 1.0])
def test_edges_are_integrated_exactly(law: HazardLaw, flat: float, share: float) -> None:
    voltage, edge = share * voltage_at(law, 0.5, flat), 0.1 * flat
    scaled = voltage / law.voltage_scale
    ramp = quad(lambda x: math.exp(scaled * x), 0, 1, epsabs=0, epsrel=1e-11)[0]
    integral = (flat * math.exp(scaled) + 2 * edge * ramp) / law.time_scale
    found = float(law.log_hazard_integral(voltage, flat, edge))
    assert found == pytest.approx(math.log(integral), abs=1e-9)


def test_edges_are_smooth_through_zero_voltage() -> None:
    # Below |v| = 1e-4 the mean over an edge comes from its series.
    voltage = FAST.voltage_scale * np.linspace(-3e-4, 3e-4, 61)
    found = FAST.log_hazard_integral(voltage, 1e-7, 1e-9)
    np.testing.assert_allclose(np.diff(found), 1.01e-5 / 1.02, rtol=1e-3)


def test_edges_vanish_in_the_limit() -> None:
    flat = FAST.log_hazard_integral(1.2, 1e-7)
    assert FAST.log_hazard_integral(1.2, 1e-7, 1e-18) == pytest.approx(flat, abs=1e-9)
    assert FAST.log_hazard_integral(1.2, 1e-7, 1e-9) > flat


@EVERY_LAW
def test_single_precision_stays_single_and_agrees(law: HazardLaw, flat: float) -> None:
    voltage = np.linspace(0, voltage_at(law, 0.9, flat), 50)
    single = law.log_hazard_integral(voltage.astype(np.float32), flat, 0.01 * flat)
    assert single.dtype == np.float32
    # 24 bits of a logarithm of up to 30.
    np.testing.assert_allclose(
        single, law.log_hazard_integral(voltage, flat, 0.01 * flat), atol=1e-5
    )


# --- inverses -------------------------------------------------------------------------------------


@EVERY_LAW
def test_voltage_at_inverts_the_probability(law: HazardLaw, flat: float) -> None:
    for probability in (1e-6, 0.1, 0.5, 0.999):
        voltage = voltage_at(law, probability, flat)
        assert law.switching_probability(voltage, flat) == pytest.approx(probability, rel=1e-9)


@EVERY_LAW
@pytest.mark.parametrize("edge", [0.0, 0.01, 0.3])
def test_unit_voltage_makes_the_integral_one(law: HazardLaw, flat: float, edge: float) -> None:
    voltage = law.unit_voltage(flat, edge * flat)
    assert float(law.log_hazard_integral(voltage, flat, edge * flat)) == pytest.approx(0, abs=1e-9)
    # One scale above it the integral is e: the origin of the network's activation.
    above = law.log_hazard_integral(voltage + law.voltage_scale, flat, edge * flat)
    assert float(above) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("name", "value"), [("voltage_scale", 0.0), ("time_scale", -1e-3)])
def test_scales_must_be_positive(name: str, value: float) -> None:
    good = {"voltage_scale": 0.156, "time_scale": 1.0}
    with pytest.raises(ConfigError, match=f"{name} = .* must be at least 1e-"):
        validate(HazardLaw, {**good, name: value}, "test")
