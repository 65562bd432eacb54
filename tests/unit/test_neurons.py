"""Neuron devices: how much of the drive biases the switching state."""

from __future__ import annotations

from typing import Any

import pytest

from memspice.devices.hazard import HazardLaw
from memspice.devices.neurons import MemristorNeuron, MtjNeuron
from memspice.errors import ConfigError
from memspice.quantities import validate

LAW = HazardLaw(voltage_scale=0.156, time_scale=3.2e-4)
MEMRISTOR: dict[str, Any] = {
    "hazard": LAW,
    "on_resistance": 1e6,
    "off_resistance": 1e9,
    "series_resistance": 1e6,
    "reset_threshold": 0.5,
}
MTJ: dict[str, Any] = {
    "hazard": LAW,
    "heavy_metal_resistance": 776.0,
    "parallel_resistance": 4.9e3,
    "antiparallel_resistance": 10e3,
    "reference_resistance": 7e3,
    "reset_threshold": 0.4,
}
CLASSES = [(MemristorNeuron, MEMRISTOR), (MtjNeuron, MTJ)]
EVERY_CLASS = pytest.mark.parametrize(("cls", "values"), CLASSES)


def test_voltage_dividers_by_hand() -> None:
    memristor, mtj = MemristorNeuron(**MEMRISTOR), MtjNeuron(**MTJ)
    assert memristor.write_fraction(1e3) == pytest.approx(1e9 / 1.001001e9)
    assert mtj.write_fraction(100.0) == pytest.approx(776 / 876)


@EVERY_CLASS
def test_share_falls_with_the_driver_from_its_largest_value_to_zero(
    cls: type[MemristorNeuron] | type[MtjNeuron], values: dict[str, Any]
) -> None:
    device = cls(**values)
    shares = [device.write_fraction(driver) for driver in (0.0, 1.0, 1e3, 1e6, 1e15)]
    assert shares == sorted(shares, reverse=True)
    assert 0.99 < shares[0] <= 1
    assert shares[-1] < 1e-5


def test_series_resistor_takes_its_share() -> None:
    larger = MemristorNeuron(**{**MEMRISTOR, "series_resistance": 1e9})
    assert larger.write_fraction(0.0) == pytest.approx(0.5)


@EVERY_CLASS
def test_device_knows_its_kind(
    cls: type[MemristorNeuron] | type[MtjNeuron], values: dict[str, Any]
) -> None:
    assert cls(**values).kind == {MemristorNeuron: "memristor", MtjNeuron: "mtj"}[cls]


@EVERY_CLASS
def test_every_number_must_be_positive(
    cls: type[MemristorNeuron] | type[MtjNeuron], values: dict[str, Any]
) -> None:
    for name in set(values) - {"hazard"}:
        for wrong in (0.0, -1.0, float("nan"), float("inf")):
            with pytest.raises(ConfigError, match=name):
                validate(cls, {**values, name: wrong}, "test")
