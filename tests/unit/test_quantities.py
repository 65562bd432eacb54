"""Parameter classes refuse what is not a value, and say so with the unit."""

from __future__ import annotations

import importlib
import math
import pkgutil

import numpy as np
import pytest
from pydantic import ValidationError

import memspice.analysis
import memspice.circuits
import memspice.devices
from memspice.errors import ConfigError
from memspice.parameters import load_parameter_set
from memspice.quantities import Parameters, format_si, quantity, units, validate


class Device(Parameters):
    on_resistance: float = quantity("ohm", "Resistance when switched", gt=0)
    shift: float = quantity("V", "Offset", ge=-1, le=1, default=0.0)
    fraction: float = quantity("1", "Share of stuck cells", ge=0, lt=1, default=0.0)
    limit: float | None = quantity("A", "Compliance", gt=0, default=None)
    levels: int = quantity("1", "Number of states", ge=2, default=16)
    label: str = "none"
    bins: tuple[float, ...] = (0.5,)


class Chip(Parameters):
    device: Device
    spare: Device | None = None


def problem(cls: type[Parameters], values: dict[str, object]) -> str:
    with pytest.raises(ConfigError) as caught:
        validate(cls, values, "models/x.toml")
    return str(caught.value)


def test_valid_values_are_kept() -> None:
    device = validate(Device, {"on_resistance": 100, "limit": 1e-3, "bins": [1.0, 2]}, "test")
    assert (device.on_resistance, device.limit, device.bins) == (100.0, 1e-3, (1.0, 2.0))
    assert isinstance(device.on_resistance, float)


@pytest.mark.parametrize("value", [np.float64(3), np.float32(3), np.int64(3), np.array(3.0), 3])
def test_numpy_numbers_count_as_numbers(value: object) -> None:
    device = validate(Device, {"on_resistance": value}, "test")
    assert type(device.on_resistance) is float
    assert device.on_resistance == 3


def test_numpy_integers_count_as_whole_numbers() -> None:
    device = validate(Device, {"on_resistance": 1, "levels": np.int32(4)}, "test")
    assert device.levels == 4


def test_message_names_field_value_unit_bound_and_place() -> None:
    assert problem(Device, {"on_resistance": -1.0}) == (
        "Device.on_resistance = -1.0 ohm must be at least 1e-09 ohm (models/x.toml)"
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"on_resistance": 0.0}, "at least 1e-09 ohm"),
        ({"on_resistance": 1, "shift": -1.5}, "at least -1 V"),
        ({"on_resistance": 1, "shift": 1.5}, "at most 1 V"),
        ({"on_resistance": 1, "fraction": 1.0}, "Device.fraction = 1.0 must be less than 1 ("),
        ({"on_resistance": 1, "limit": -2.0}, "Device.limit = -2.0 A must be at least 1e-24 A"),
        ({"on_resistance": math.nan}, "Device.on_resistance = nan ohm must be finite"),
        ({"on_resistance": -math.inf}, "must be finite"),
        ({"on_resistance": True}, "must be a number in ohm, not bool"),
        ({"on_resistance": "100"}, "= '100' must be a number in ohm, not str"),
        ({"on_resistance": 1, "levels": 2.5}, "a whole number, not float"),
        ({"on_resistance": 1, "levels": True}, "a whole number, not bool"),
        ({"on_resistance": 1, "bins": ["a"]}, "Device.bins.0 = 'a' must be a number"),
        ({"on_resistance": 1, "label": 3}, "Device.label = 3: input should be a valid string"),
        ({}, "Device.on_resistance is missing; give it in ohm: Resistance when switched"),
        ({"on_resistence": 1.0, "on_resistance": 1}, "did you mean 'on_resistance'?"),
        ({"on_resistance": 1, "zzz": 1.0}, "Device.zzz is not known; remove it, or use one of"),
    ],
)
def test_bad_values_are_refused(values: dict[str, object], words: str) -> None:
    assert words in problem(Device, values)


def test_every_problem_is_listed() -> None:
    message = problem(Device, {"on_resistance": -1.0, "shift": 7.0, "levels": 1})
    assert message.startswith("3 problems in models/x.toml:")
    assert len(message.splitlines()) == 4
    assert "shift = 7.0 V" in message


def test_nested_values_carry_their_own_unit() -> None:
    good = {"on_resistance": 1.0}
    assert "Chip.device.on_resistance = -1.0 ohm" in problem(
        Chip, {"device": {"on_resistance": -1.0}}
    )
    message = problem(Chip, {"device": good, "spare": {**good, "shft": 0.0}})
    assert "Chip.spare.shft is not known; did you mean 'shift'?" in message


def test_parameters_are_frozen() -> None:
    device = Device(on_resistance=1.0)
    with pytest.raises(ValidationError):
        device.on_resistance = 2.0  # type: ignore[misc]


def test_wrong_default_is_refused() -> None:
    class Wrong(Parameters):
        delay: float = quantity("s", "Delay", gt=0, default=-1.0)

    assert "Wrong.delay = -1.0 s must be at least 1e-18 s" in problem(Wrong, {})


def test_units_of_class_and_instance() -> None:
    expected = {"on_resistance": "ohm", "shift": "V", "fraction": "1", "limit": "A", "levels": "1"}
    assert units(Device) == expected
    assert units(Device(on_resistance=1.0)) == expected


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2.85e-3, "s", "2.85 ms"),
        (0.0, "V", "0 V"),
        (0.9999, "V", "1.00 V"),
        (999.9, "ohm", "1.00 kohm"),
        (-1060.0, "ohm", "-1.06 kohm"),
        (1e-15, "J", "1.00 fJ"),
        (1e-18, "J", "1.00 aJ"),
        (1e-22, "J", "1e-22 J"),
        (3e13, "Hz", "3e+13 Hz"),
        (0.25, "1", "0.25"),
        (math.nan, "V", "nan V"),
        (math.inf, "V", "inf V"),
    ],
)
def test_format_si(value: float, unit: str, text: str) -> None:
    assert format_si(value, unit) == text


def test_format_si_keeps_the_value(rng: np.random.Generator) -> None:
    scale = {"a": 1e-18, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}
    scale |= {"k": 1e3, "M": 1e6, "G": 1e9}
    for value in 10 ** rng.uniform(-18, 12, 500):
        number, unit = format_si(value, "V", digits=4).split()
        assert 1 <= float(number) < 1000
        assert float(number) * scale[unit[:-1]] == pytest.approx(value, rel=6e-4)


def _classes(found: type[Parameters] = Parameters) -> list[type[Parameters]]:
    return [found, *(inner for cls in found.__subclasses__() for inner in _classes(cls))]


def test_every_quantity_of_the_package_has_a_range() -> None:
    for package in (memspice.devices, memspice.circuits, memspice.analysis):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    checked = 0
    for cls in _classes():
        for name, field in cls.model_fields.items():
            if units(cls).get(name) and cls.__module__.startswith("memspice"):
                bounds = {type(bound).__name__ for bound in field.metadata}
                assert bounds & {"Gt", "Ge"}, f"{cls.__name__}.{name}"
                assert bounds & {"Lt", "Le"}, f"{cls.__name__}.{name}"
                checked += 1
    assert checked > 100


@pytest.mark.parametrize("value", [1e300, 1e19, -1e9])
def test_absurd_values_meet_the_range_of_their_unit(value: float) -> None:
    class Wire(Parameters):
        resistance: float = quantity("ohm", "Resistance", ge=0)

    words = "at most 1e+18 ohm" if value > 0 else "at least 0 ohm"
    assert words in problem(Wire, {"resistance": value})


@pytest.mark.parametrize("change", ["timing.settle=1e9", "timing.gap=1e-300", "sense.supply=1e300"])
def test_absurd_changes_of_a_set_are_refused(change: str) -> None:
    name, _, value = change.partition("=")
    with pytest.raises(ConfigError, match=r"must be at (most|least) .* [sV] "):
        load_parameter_set("fast-memristor", {name: float(value)})
