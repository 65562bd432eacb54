"""Cells behind access devices: series formula, limits, one current through both devices."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.circuits.blocks.lone_cell import LoneCell
from memspice.circuits.blocks.selector_cell import SelectorCell
from memspice.circuits.blocks.transistor_cell import TransistorCell
from memspice.devices.synapse_iv import CellCurve, CubicCell, OhmicCell, SinhCell
from memspice.devices.transistor import AccessDevice, AccessTransistor, Selector
from memspice.errors import ConfigError
from memspice.quantities import validate
from tests.device_helpers import channel_conductance, off_current

NMOS = AccessTransistor(transconductance=1.5e-3, threshold_voltage=0.469, slope_factor=1.4)
SELECTOR = Selector(on_current=1e-5, on_voltage=0.5, voltage_scale=0.05)
CURVES = [OhmicCell(), SinhCell(voltage_scale=0.25), CubicCell(cubic_coefficient=2.1)]
CELL_OF: dict[type, type[TransistorCell | SelectorCell]] = {
    AccessTransistor: TransistorCell,
    Selector: SelectorCell,
}
CELLS = np.array([0.2e-6, 1e-6, 10e-6, 1e-3])


def test_ohmic_cell_alone_is_its_conductance() -> None:
    assert LoneCell().ohmic
    assert LoneCell().read_conductance(CELLS, 0.1) is CELLS


@pytest.mark.parametrize("curve", CURVES)
def test_cell_alone_is_the_secant_of_its_curve(curve: CellCurve) -> None:
    expected = CELLS * (1 + curve.excess(0.3))
    found = LoneCell(curve=curve).read_conductance(CELLS, 0.3)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("access", [NMOS, SELECTOR])
@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("voltage", [0.1, -0.3, 0.6])
def test_one_current_flows_through_both_devices(
    curve: CellCurve, access: AccessDevice, voltage: float
) -> None:
    cell = CELL_OF[type(access)](curve=curve, access=access)
    middle = cell.middle_voltage(voltage, CELLS)
    share = middle / voltage
    assert ((share > 0) & (share < 1)).all()
    # The middle is known to the last bit of the voltage: to 1e-16 V over conductances up to 1 mS.
    through = access.through(middle, 1.0, 0.0)
    above = curve.current(voltage - middle, CELLS)
    np.testing.assert_allclose(through, above, rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(cell.read_conductance(CELLS, voltage) * voltage, above, rtol=1e-12)


def test_small_signals_see_two_resistors_in_series() -> None:
    cell = TransistorCell(access=NMOS, gate_voltage=1.2)
    series = 1 / (1 / CELLS + 1 / channel_conductance(NMOS, 1.2))
    # At 1 uV the square of the channel's voltage over its overdrive is 1e-6 of the linear part.
    np.testing.assert_allclose(cell.read_conductance(CELLS, 1e-6), series, rtol=1e-5)


def test_transistor_of_no_resistance_leaves_the_cell() -> None:
    misses = []
    for factor in (1.0, 1e3, 1e6):
        wide = NMOS.model_copy(update={"transconductance": 1.5e-3 * factor})
        found = TransistorCell(access=wide).read_conductance(CELLS, 0.1)
        misses.append(np.max(1 - found / CELLS))
    assert misses[0] > 0.1
    assert 0 < misses[2] < 2e-6
    assert misses[1] / misses[2] == pytest.approx(1e3, rel=2e-3)


def test_closed_gate_leaves_the_off_current() -> None:
    cell = TransistorCell(access=NMOS, gate_voltage=0.0)
    # A cell of 1 S takes nothing of the voltage: the transistor alone decides, to the 3e-6 by which
    # differences of its two ends' currents, 1e11 times what is left, hold.
    found = float(cell.read_conductance(1.0, 0.5)) * 0.5
    assert found == pytest.approx(off_current(NMOS, 0.5), rel=1e-5)


def test_gate_voltage_opens_the_cell() -> None:
    currents = [
        float(TransistorCell(access=NMOS, gate_voltage=gate).read_conductance(1e-3, 0.1))
        for gate in (0.2, 0.5, 0.8, 1.2)
    ]
    assert (np.diff(currents) > 0).all()


def test_selector_carries_what_its_curve_says() -> None:
    # A cell far more conductive than the selector leaves it all of the voltage.
    found = float(SelectorCell(access=SELECTOR).read_conductance(1.0, 0.4)) * 0.4
    assert found == pytest.approx(float(SELECTOR.current(0.4)), rel=1e-3)


def test_open_cell_carries_nothing() -> None:
    for access in (NMOS, SELECTOR):
        cell = CELL_OF[type(access)](curve=CURVES[1], access=access)
        np.testing.assert_array_equal(cell.read_conductance(np.zeros(2), 0.1), 0.0)


def test_access_devices_fit_their_cells() -> None:
    with pytest.raises(ConfigError, match="access"):
        validate(TransistorCell, {"access": SELECTOR}, "test")
    with pytest.raises(ConfigError, match="voltage_scale"):
        validate(LoneCell, {"curve": {"voltage_scale": -1.0}}, "test")
