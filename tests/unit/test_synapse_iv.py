"""Curves of a synapse cell: slope at the origin, symmetry, limits, one published number."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from memspice.devices.synapse_iv import SINH_LIMIT, CellCurve, CubicCell, OhmicCell, SinhCell
from memspice.errors import ConfigError
from memspice.quantities import validate

SINH = SinhCell(voltage_scale=0.25)
CUBIC = CubicCell(cubic_coefficient=2.1)
CURVES = [OhmicCell(), SINH, CUBIC]
CELLS = np.array([0.2e-6, 1e-6, 10e-6])
VOLTAGES = np.linspace(-0.5, 0.5, 41)


@pytest.mark.parametrize("curve", CURVES)
def test_conductance_is_the_slope_at_the_origin(curve: CellCurve) -> None:
    np.testing.assert_array_equal(curve.current(np.zeros(3), CELLS), 0.0)
    np.testing.assert_array_equal(curve.slope(np.zeros(3), CELLS), CELLS)
    # V = 10 uV is so far below every scale that the next order is below 1e-8.
    np.testing.assert_allclose(curve.current(1e-5, CELLS), 1e-5 * CELLS, rtol=1e-8)


@pytest.mark.parametrize("curve", CURVES)
def test_current_is_odd_rises_and_scales_with_the_conductance(curve: CellCurve) -> None:
    current = curve.current(VOLTAGES[:, None], CELLS)
    np.testing.assert_array_equal(curve.current(-VOLTAGES[:, None], CELLS), -current)
    assert (np.diff(current, axis=0) > 0).all()
    np.testing.assert_allclose(current / CELLS, current[:, :1] / CELLS[0] + 0 * CELLS, rtol=1e-14)


@pytest.mark.parametrize("curve", CURVES)
def test_slope_is_the_derivative(curve: CellCurve) -> None:
    # The integral of the slope, by quadrature to 1e-12, is the current.
    for voltage in (-0.5, 0.1, 0.4):
        area, _ = quad(lambda v: float(curve.slope(v, 1e-6)), 0.0, voltage, epsrel=1e-12)
        assert area == pytest.approx(float(curve.current(voltage, 1e-6)), rel=1e-11)


@pytest.mark.parametrize("curve", CURVES)
def test_excess_is_the_share_beyond_ohmic(curve: CellCurve) -> None:
    for voltage in (0.05, 0.1, -0.3):
        share = float(curve.current(voltage, 1e-6)) / (1e-6 * voltage) - 1
        assert curve.excess(voltage) == pytest.approx(share, rel=1e-12, abs=1e-15)
    assert curve.excess(0.0) == 0.0


def test_sinh_cell_has_the_published_deviations() -> None:
    # sinh(u)/u of the Stanford model, V0 = 0.25 V, to the digits of the source.
    for voltage, share in ((0.05, 0.007), (0.1, 0.027), (0.2, 0.11), (0.5, 0.81)):
        assert SINH.excess(voltage) == pytest.approx(share, abs=0.005 if share > 0.1 else 0.0005)


def test_cubic_cell_has_the_published_deviation() -> None:
    # The metal-oxide array at 100 uS and 25 C: 8.4 % at 0.2 V.
    assert CUBIC.excess(0.2) == pytest.approx(0.084, abs=0.0005)


def test_every_curve_becomes_ohmic() -> None:
    ohmic = OhmicCell().current(VOLTAGES, 1e-6)
    excess = (0.5 / 1e3) ** 2 / 6  # sinh(x) / x - 1 at the largest voltage
    for curve in (SinhCell(voltage_scale=1e3), CubicCell(cubic_coefficient=0.0)):
        np.testing.assert_allclose(curve.current(VOLTAGES, 1e-6), ohmic, rtol=1.001 * excess)
    # Second order: a tenfold scale makes a hundredth of the excess.
    small, large = (SinhCell(voltage_scale=scale).excess(0.1) for scale in (1.0, 10.0))
    assert small / large == pytest.approx(100, rel=1e-3)


def test_sinh_goes_on_along_its_tangent() -> None:
    seam = SINH_LIMIT * SINH.voltage_scale
    near = seam * np.array([1 - 1e-9, 1 + 1e-9])
    np.testing.assert_allclose(*SINH.current(near, 1e-6), rtol=1e-6)
    far = SINH.current(np.array([2 * seam, 3 * seam, 1e6]), 1e-6)
    slope = float(SINH.slope(seam, 1e-6))
    assert np.isfinite(far).all()
    assert (far[1] - far[0]) / seam == pytest.approx(slope, rel=1e-12)
    assert float(SINH.slope(1e6, 1e-6)) == slope


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (SinhCell, {"voltage_scale": 0.0}),
        (SinhCell, {"voltage_scale": float("inf")}),
        (CubicCell, {"cubic_coefficient": -1.0}),
    ],
)
def test_curves_that_do_not_rise_are_refused(
    model: type[SinhCell | CubicCell], values: dict[str, float]
) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        validate(model, values, "test")
