"""Two forms of the hazard law: what they share at high field, what sets them apart at rest."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from memspice.devices.hazard import HazardLaw
from memspice.devices.rate_forms import RATE_FORMS
from memspice.errors import ConfigError
from memspice.experiment.characterize import characterize
from memspice.experiment.results.characterization import Characterization
from memspice.network.mapping import map_network
from memspice.network.weights import load_network
from memspice.parameters import PARAMETER_SETS, load_parameter_set
from memspice.quantities import validate
from tests.models import MODELS

V0, TAU0 = 0.156, 3.2e-4
EXPONENTIAL = HazardLaw(voltage_scale=V0, time_scale=TAU0)
SINH = HazardLaw(voltage_scale=V0, time_scale=TAU0, form="sinh")
EITHER = pytest.mark.parametrize("law", [EXPONENTIAL, SINH], ids=["exponential", "sinh"])


def test_shipped_sets_have_the_exponential_form() -> None:
    for name in PARAMETER_SETS:
        law = load_parameter_set(name).neuron.device.hazard
        assert law.form == "exponential"
        assert law.rate.model_parameters == {}


def test_only_one_of_the_two_switches_at_rest() -> None:
    assert EXPONENTIAL.mean_time(0.0) == TAU0  # the 0.32 ms of fast-memristor
    assert SINH.mean_time(0.0) == SINH.mean_time(-1.0) == math.inf
    # A whole hour at rest, or reversed.
    assert SINH.switching_probability(np.array([0.0, -1.0]), 3600.0).max() < 1e-20
    assert EXPONENTIAL.switching_probability(0.0, 3600.0) == 1
    assert "320 us" in repr(MODELS)
    resting = MODELS.change(**{"hazard.form": "sinh"})
    assert "stays unswitched" in repr(resting)


@pytest.mark.parametrize("scaled", [2.4, 5.0, 20.0, 300.0])
def test_high_field_is_the_same_but_for_the_hops_against_it(scaled: float) -> None:
    apart = SINH.log_hazard_integral(scaled * V0, 1e-7) - EXPONENTIAL.log_hazard_integral(
        scaled * V0, 1e-7
    )
    assert -1.01 * math.exp(-2 * scaled) - 1e-12 <= float(apart) <= 0
    assert SINH.mean_time(scaled * V0) == pytest.approx(
        EXPONENTIAL.mean_time(scaled * V0), rel=0.01
    )


@pytest.mark.parametrize("voltage", [-0.5, -1e-9, 0.0, 1e-9, 1e-3, 0.1, 1.2])
def test_edges_of_the_sinh_are_integrated_exactly(voltage: float) -> None:
    flat, edge = 1e-4, 2e-5

    def rate(share: float) -> float:
        return max(0.0, 2 * math.sinh(share * voltage / V0)) / TAU0

    integral = flat * rate(1.0) + 2 * edge * quad(rate, 0, 1, epsabs=0, epsrel=1e-11)[0]
    found = math.exp(float(SINH.log_hazard_integral(voltage, flat, edge)))
    assert found == pytest.approx(integral, rel=1e-9, abs=1e-29)


def test_the_sinh_rises_with_the_voltage_in_either_precision() -> None:
    voltage = np.linspace(0, 2, 201)
    double = SINH.log_hazard_integral(voltage, 1e-7, 1e-9)
    assert (np.diff(double) > 0).all()
    single = SINH.log_hazard_integral(voltage.astype(np.float32), 1e-7, 1e-9)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single[1:], double[1:], atol=1e-5)


@pytest.mark.parametrize("flat", [1e-9, 1e-7, 1e-4, 1e-2])
def test_unit_voltage_makes_the_integral_one_also_of_a_long_pulse(flat: float) -> None:
    unit = SINH.unit_voltage(flat, 0.1 * flat)
    assert unit > 0
    assert float(SINH.log_hazard_integral(unit, flat, 0.1 * flat)) == pytest.approx(0, abs=1e-9)


@EITHER
def test_shifted_voltage_has_so_many_times_the_rate(law: HazardLaw) -> None:
    for voltage, ratio in ((0.05, 3.0), (0.9, 0.1), (9.0, 2.0)):
        moved = law.shifted(voltage, math.log(ratio))
        assert law.mean_time(voltage) / law.mean_time(moved) == pytest.approx(ratio, rel=1e-9)


def test_slope_is_that_of_the_logarithm() -> None:
    for form in RATE_FORMS.values():
        for scaled in (0.1, 1.0, 30.0):
            rise = form.log_rate(scaled + 1e-6) - form.log_rate(scaled - 1e-6)
            assert form.slope(scaled) == pytest.approx(rise / 2e-6, rel=1e-6)


def test_another_form_is_refused() -> None:
    with pytest.raises(ConfigError, match="HazardLaw.form"):
        validate(HazardLaw, {"voltage_scale": V0, "time_scale": TAU0, "form": "cosh"}, "test")


def test_neurons_that_differ_keep_the_form() -> None:
    changes = {"hazard.form": "sinh", "neuron.voltage_scale_spread": 0.05}
    mapped = map_network(load_network("digits-mlp"), load_parameter_set("fast-memristor", changes))
    found = mapped.layers[0].circuits[0].variation
    assert found is not None
    assert found.rate is RATE_FORMS["sinh"]
    assert found.take(slice(0, 2)).rate is RATE_FORMS["sinh"]
    own = HazardLaw(
        voltage_scale=float(found.voltage_scale[1]),
        time_scale=float(found.time_scale[1]),
        form="sinh",
    )
    voltage = np.full(len(found.voltage_scale), 0.2)
    assert found.log_hazard_integral(voltage, 1e-7)[1] == own.log_hazard_integral(0.2, 1e-7)


# --- in SPICE: pulses so long that the middle of P(V) lies at a field where the forms differ ------


def low_field(form: str, engine: str) -> Characterization:
    changes = {"hazard.form": form, "timing.write": 1e-4, "timing.reset": 1e-4}
    device = MODELS.change(**changes)
    return characterize(device, points=2, events=16, engine=engine)


@pytest.mark.parametrize("engine", ["ngspice", "vacask"])
def test_spice_integrates_the_sinh_down_to_rest(engine: str) -> None:
    rest, low, high, _ = low_field("sinh", engine).points
    assert rest.voltage == 0
    assert rest.hazard < 1e-20
    assert rest.hazard_spice < 1e-6  # what the solver's tolerance of charge leaves
    assert rest.count == 0
    # P = 1 % at 16 mV of a scale of 156 mV: the exponential form has 27 % there.
    assert low.voltage < 0.1 * V0
    for point in (low, high):
        assert point.hazard_spice == pytest.approx(point.hazard, rel=1e-3)
        assert point.mismatches == 0
