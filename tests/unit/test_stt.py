"""Spin-transfer MTJ: its resistance, its law, what limits them, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import constants
from scipy.integrate import quad
from scipy.optimize import brentq

from memspice.devices.compact.stt import (
    SttMtj,
    hazard_integral,
    junction_conductance,
    junction_current,
    log_hazard,
    unswitched_current,
)
from memspice.devices.hazard import HazardLaw
from memspice.errors import ConfigError
from memspice.parameters import load_table
from memspice.quantities import validate
from tests.device_helpers import SttPulse, critical_voltage, switching_probability

DEVICE = load_table("stt-mtj", "stt_mtj", SttMtj).values
WRITE = load_table("stt-mtj", "write", SttPulse).values
JUNCTION = {"parallel_resistance": 3e3, "tmr": 1.5, "roll_off_voltage": 0.5}
FLAT = 10e-9


def behind(resistance: float) -> SttMtj:
    return DEVICE.model_copy(update={"source_resistance": resistance})


# --- the junction ---------------------------------------------------------------------------------


def test_resistances_of_both_states() -> None:
    for voltage in (0.0, 0.2, 1.0):
        assert junction_conductance(voltage, 1.0, **JUNCTION) == pytest.approx(1 / 3e3, rel=1e-12)
    for voltage, tmr in ((0.0, 1.5), (0.5, 0.75), (-0.5, 0.75), (1.5, 0.15)):
        # TMR(V) = TMR0 / (1 + (V/Vh)^2): half of it at Vh, a tenth at 3 Vh.
        antiparallel = junction_conductance(voltage, 0.0, **JUNCTION)
        assert antiparallel == pytest.approx(1 / (3e3 * (1 + tmr)), rel=1e-12)


def test_resistance_by_the_angle_is_the_published_form() -> None:
    angle, voltage = np.linspace(0, np.pi, 9), 0.3
    rolled = 1 + (voltage / 0.5) ** 2
    published = 3e3 * (rolled + 1.5) / (rolled + 1.5 * (1 + np.cos(angle)) / 2)
    found = junction_conductance(voltage, (1 + np.cos(angle)) / 2, **JUNCTION)
    np.testing.assert_allclose(1 / found, published, rtol=1e-12)


def test_current_is_odd_in_voltage_and_rises_with_it_and_with_the_alignment() -> None:
    voltage = np.linspace(-2, 2, 201)
    currents = [junction_current(DEVICE, voltage, x) for x in (0.0, 0.5, 1.0)]
    for current in currents:
        assert (np.diff(current) > 0).all()
        np.testing.assert_allclose(current, -current[::-1], atol=1e-18)
    apart = np.abs(np.diff(currents, axis=0))
    assert (apart[:, voltage != 0] > 0).all()


@pytest.mark.parametrize("resistance", [0.0, 500.0, 2e3, 1e6])
def test_unswitched_current_obeys_kirchhoff(resistance: float) -> None:
    device = behind(resistance)
    voltage = np.array([-3.0, -0.1, 0.0, 0.05, 0.3, 2.0])
    found = unswitched_current(device, voltage)
    for k, total in enumerate(voltage):
        across = brentq(
            lambda v, total=total: v + resistance * float(junction_current(device, v, 0.0)) - total,
            -4, 4, xtol=1e-15, rtol=1e-14,
        )  # fmt: skip
        assert found[k] == pytest.approx(float(junction_current(device, across, 0.0)), abs=1e-15)


@pytest.mark.parametrize("resistance", [0.0, 2e3])
def test_critical_voltage_drives_the_critical_current(resistance: float) -> None:
    device = behind(resistance)
    limit = critical_voltage(device)
    assert unswitched_current(device, limit) == pytest.approx(device.critical_current, rel=1e-9)
    assert critical_voltage(behind(0.0)) + resistance * device.critical_current == pytest.approx(
        limit
    )


# --- the law --------------------------------------------------------------------------------------


def test_law_is_neel_browns_in_the_current() -> None:
    current = np.linspace(-1, 0.999, 9) * DEVICE.critical_current
    law = HazardLaw.from_neel_brown(DEVICE.attempt_time, DEVICE.critical_current, DEVICE.barrier)
    np.testing.assert_allclose(
        log_hazard(DEVICE, current) + math.log(FLAT), law.log_hazard_integral(current, FLAT)
    )


def test_rate_at_rest_and_at_the_critical_current() -> None:
    rest = math.exp(-DEVICE.barrier) / DEVICE.attempt_time
    assert math.exp(log_hazard(DEVICE, 0.0)) == pytest.approx(rest)
    near = math.exp(log_hazard(DEVICE, (1 - 1e-9) * DEVICE.critical_current))
    assert near == pytest.approx(1 / DEVICE.attempt_time, rel=1e-7)


def test_half_of_the_events_switch_at_the_known_current() -> None:
    # 1 - I/Ic0 = ln(t / (t_a ln 2)) / D: 0.1335 for 10 ns, 1 ns and 20 kT.
    current = (1 - math.log(FLAT / (1e-9 * math.log(2))) / 20) * DEVICE.critical_current
    resistance = 3e3 * (1 + 1 / (1 + (0.1068 / 0.5) ** 2))
    voltage = current * resistance  # at 0.1068 V the magnetoresistance has lost 4 %
    assert voltage == pytest.approx(0.1043, abs=1e-3)
    assert switching_probability(DEVICE, voltage, FLAT) == pytest.approx(0.5, abs=0.01)


def test_twice_the_pulse_squares_the_survival() -> None:
    single, double = (switching_probability(DEVICE, 0.1, t) for t in (FLAT, 2 * FLAT))
    assert 1 - double == pytest.approx((1 - single) ** 2)


def test_probability_rises_with_voltage_and_falls_with_the_source_resistance() -> None:
    voltage = np.linspace(-0.1, 0.999, 100) * critical_voltage(DEVICE)
    probability = switching_probability(DEVICE, voltage, FLAT)
    assert (np.diff(probability) > 0).all()
    assert 0 < probability[0] < probability[-1] < 1
    assert (switching_probability(behind(100.0), voltage[20:], FLAT) < probability[20:]).all()


@pytest.mark.parametrize("share", [-0.5, 0.0, 0.5, 0.99])
@pytest.mark.parametrize("resistance", [0.0, 2e3])
def test_edges_are_integrated(share: float, resistance: float) -> None:
    device, edge = behind(resistance), 2e-9
    voltage = share * critical_voltage(device)

    def rate(x: float) -> float:
        return math.exp(log_hazard(device, unswitched_current(device, x * voltage)))

    ramp = quad(rate, 0, 1, epsabs=0, epsrel=1e-10)[0]
    expected = FLAT * rate(1) + 2 * edge * ramp
    assert float(hazard_integral(device, voltage, FLAT, edge)) == pytest.approx(expected, rel=1e-9)


def test_critical_current_of_the_set_is_that_of_theory() -> None:
    # Ic0 = 4 e alpha D kT / (hbar eta), with the damping and polarisation that the set names.
    theory = 4 * constants.e * 0.0122 * 20 * constants.k * 300 / (constants.hbar * 0.3)
    assert DEVICE.critical_current == pytest.approx(theory, rel=5e-3)


# --- refusals -------------------------------------------------------------------------------------


def test_pulse_of_the_set_is_within_the_law() -> None:
    integral = hazard_integral(DEVICE, WRITE.voltage, WRITE.flat, WRITE.edge)
    assert float(integral) == pytest.approx(1, abs=0.1)


def test_current_beyond_the_critical_one_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"20\.5 uA is not below the critical current of 20\.5"):
        log_hazard(DEVICE, np.array([0.0, DEVICE.critical_current]))
    for law in (hazard_integral, switching_probability):
        with pytest.raises(ConfigError, match="Neel-Brown law ends there"):
            law(DEVICE, 1.01 * critical_voltage(DEVICE), FLAT)


@pytest.mark.parametrize("current", [math.nan, -math.inf])
def test_current_must_be_finite(current: float) -> None:
    with pytest.raises(ConfigError, match="must be finite"):
        log_hazard(DEVICE, current)


@pytest.mark.parametrize(
    ("name", "value"), [("barrier", 0.0), ("critical_current", -1e-6), ("tmr", -0.1)]
)
def test_parameters_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{name} = .* must be"):
        validate(SttMtj, {**DEVICE.model_dump(), name: value}, "test")
