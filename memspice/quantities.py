"""Physical values: one declaration of unit, description and bounds, used everywhere.

>>> class Driver(Parameters):
...     resistance: float = quantity("ohm", "Source resistance of a row driver", ge=0)
>>> validate(Driver, {"resistance": 120}, "config.toml").resistance
120.0
>>> units(Driver)
{'resistance': 'ohm'}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from difflib import get_close_matches
from inspect import isabstract
from typing import Any, TypeVar, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from memspice.errors import ConfigError

_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
}
#: Largest magnitude of a quantity of each unit where it does not declare its own: no device, pulse
#: or energy is beyond it, and numbers made of two or three such factors stay finite.
LARGEST = {
    "1": 1e12, "V": 1e3, "A": 1e3, "W": 1e3, "ohm": 1e18, "S": 1e6, "F": 1.0, "J": 1.0, "s": 1e12,
    "Hz": 1e15, "1/s": 1e20, "K": 1e6, "K/W": 1e12, "m": 1.0, "m^2": 1.0, "m/s": 1e9, "V/m": 1e13,
    "A/m": 1e9, "F/m^2": 1e3, "1/V": 1e6, "1/V^2": 1e9, "A/V^2": 1e3,
}  # fmt: skip
#: Smallest value of a quantity that must be positive; below it, logarithms and quotients of valid
#: values would not stay finite.
SMALLEST = {
    "1": 1e-12, "V": 1e-9, "A": 1e-24, "ohm": 1e-9, "S": 1e-18, "F": 1e-24, "J": 1e-24, "s": 1e-18,
    "Hz": 1e-6, "K": 1e-3, "m": 1e-13, "m^2": 1e-26, "F/m^2": 1e-9,
}  # fmt: skip
_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}


class Parameters(BaseModel):
    """Base of all parameter classes: frozen, no unknown fields, finite numbers, no conversions.

    A whole number passes for a float; a bool or a string does not.  NumPy scalars and arrays
    count as Python numbers, lists as tuples.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _plain_values(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            return {name: _plain(value) for name, value in values.items()}
        return values


ParametersT = TypeVar("ParametersT", bound=Parameters)


def quantity(
    unit: str,
    doc: str,
    *,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    default: Any = ...,
) -> Any:
    """Declare one physical value of a :class:`Parameters` class.

    Parameters
    ----------
    unit : str
        SI unit without prefix, ``"1"`` for a pure number.
    doc : str
        What the value is, without its unit.
    gt, ge, lt, le : float, optional
        Bounds: greater than, at least, less than, at most; in ``unit``.  Where there is none above
        or below, the largest magnitude of the unit is one (see ``LARGEST``); what must be above
        zero has the smallest of its unit as its bound (``SMALLEST``).
    default : optional
        Value where none is given; without it the value is required.

    Returns
    -------
    Any
        The pydantic field; ``Any`` so that it can stand for a value of every type.
    """
    if lt is None and le is None:
        le = LARGEST[unit]
    if gt is None and ge is None:
        ge = -LARGEST[unit]
    elif gt == 0 and unit in SMALLEST:
        gt, ge = None, SMALLEST[unit]
    return Field(
        default, gt=gt, ge=ge, lt=lt, le=le, description=doc, json_schema_extra={"unit": unit}
    )


def units(model: type[BaseModel] | BaseModel) -> dict[str, str]:
    """Unit of every quantity of a parameter class, by field name."""
    cls = model if isinstance(model, type) else type(model)
    return {name: unit for name, field in cls.model_fields.items() if (unit := _unit(field))}


def plain_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """Fields of a parameter class that are values of their own, not further classes or blocks."""
    fields = ((name, field.annotation) for name, field in model.model_fields.items())
    return tuple(name for name, kind in fields if not (_models(kind) or isabstract(kind)))


def validate(model_class: type[ParametersT], values: Mapping[str, Any], where: str) -> ParametersT:
    """Make an instance from values of a file or a command line.

    Parameters
    ----------
    model_class : type
        A subclass of :class:`Parameters`.
    values : mapping
        Field name to value; nested classes as nested mappings.
    where : str
        Where the values come from, for the message: a file name, an option.

    Returns
    -------
    instance : Parameters
        Of the class ``model_class``.

    Raises
    ------
    ConfigError
        If a value is missing, unknown, of the wrong kind, not finite or out of its bounds; the
        message lists every such value with its unit.
    """
    try:
        return model_class.model_validate(values)
    except ValidationError as error:
        problems = [_problem(model_class, detail) for detail in error.errors()]
    if len(problems) == 1:
        raise ConfigError(f"{problems[0]} ({where})")
    raise ConfigError("\n  ".join([f"{len(problems)} problems in {where}:", *problems]))


def format_si(value: float, unit: str, digits: int = 3) -> str:
    """Value with an SI prefix, for terminals and plots.

    Parameters
    ----------
    value : float
        In ``unit``.
    unit : str
        A unit that takes prefixes (not a square or a cube); ``"1"`` or ``""`` for a pure number,
        which is written without prefix.
    digits : int
        Significant digits.

    Returns
    -------
    str
        For example ``"2.85 ms"``; beyond atto and giga in powers of ten.

    Examples
    --------
    >>> format_si(2.85e-3, "s")
    '2.85 ms'
    >>> format_si(-1060, "ohm")
    '-1.06 kohm'
    """
    if unit in ("", "1"):
        return f"{value:.{digits}g}"
    if value == 0 or not math.isfinite(value):
        return f"{value:.{digits}g} {unit}"
    # Rounded first: 999.9 mV to three digits is 1 V, not 1e+03 mV.
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = 3 * math.floor(math.floor(math.log10(abs(rounded))) / 3)
    if exponent not in _PREFIXES:
        return f"{value:.{digits}g} {unit}"
    mantissa = rounded / 10.0**exponent
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(mantissa))))
    return f"{mantissa:.{decimals}f} {_PREFIXES[exponent]}{unit}"


def _plain(value: Any) -> Any:
    """NumPy values as Python's own, lists as tuples: strict checks know no others."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    return tuple(_plain(item) for item in value) if isinstance(value, list) else value


def _unit(field: FieldInfo | None) -> str:
    """Unit of a field, or an empty string."""
    extra = field.json_schema_extra if field else None
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def _field(model: type[BaseModel], location: tuple[int | str, ...]) -> FieldInfo | None:
    """Find the field that a location of pydantic's error report points at."""
    field: FieldInfo | None = None
    for step in location:
        if not isinstance(step, str) or step not in model.model_fields:
            continue
        field = model.model_fields[step]
        model = next(iter(_models(field.annotation)), model)
    return field


def _models(annotation: Any) -> list[type[BaseModel]]:
    """List the model classes inside a type such as ``Driver | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _problem(model: type[BaseModel], detail: ErrorDetails) -> str:
    """Write one problem as a sentence: what, the value with its unit, what is allowed."""
    location, kind, value = detail["loc"], detail["type"], detail["input"]
    name = ".".join([model.__name__, *map(str, location)])
    field = _field(model, location)
    unit = "" if (text := _unit(field)) in ("", "1") else f" {text}"
    if kind == "missing":
        description = f": {field.description}" if field and field.description else ""
        return f"{name} is missing; give it{' in' + unit if unit else ''}{description}"
    if kind == "extra_forbidden":
        return f"{name} is not known; {_suggestion(model, location)}"
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"{name} = {_shown(value)}{unit} must be {words} {detail['ctx'][key]:g}{unit}"
    if kind == "finite_number":
        return f"{name} = {_shown(value)}{unit} must be finite"
    if kind in _KINDS:
        number = f"{_KINDS[kind]}{' in' + unit if unit else ''}"
        return f"{name} = {_shown(value)} must be {number}, not {type(value).__name__}"
    return f"{name} = {_shown(value)}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


def _shown(value: Any) -> str:
    """Value as a message shows it, whatever its size."""
    if isinstance(value, int) and abs(value) >= 10**18:
        return f"a whole number of about {0.30103 * value.bit_length():.0f} digits"
    if isinstance(value, str | int | float | np.generic):
        return repr(value if not isinstance(value, str) or len(value) < 80 else value[:77] + "...")
    return f"a {type(value).__name__}"


def _suggestion(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """Name the field that was probably meant, or all fields."""
    parent = _field(model, location[:-1])
    owner = next(iter(_models(parent.annotation)), model) if parent else model
    known = sorted(owner.model_fields)
    close = get_close_matches(str(location[-1]), known, n=1)
    return (
        f"did you mean {close[0]!r}?" if close else f"remove it, or use one of {', '.join(known)}"
    )
