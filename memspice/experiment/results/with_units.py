"""Data classes as JSON whose every physical value carries its unit, and back.

A field with ``metadata={"unit": "V"}`` becomes ``{"unit": "V", "value": ...}``; an array is a list,
and what is no number in it ``null``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from memspice.experiment.results.plain import from_plain

T = TypeVar("T")


def to_units(value: Any) -> Any:
    """Plain values of a data class, a mapping or a sequence, with units."""
    if is_dataclass(value) and not isinstance(value, type):
        found = {}
        for item in fields(value):
            plain = to_units(getattr(value, item.name))
            unit = item.metadata.get("unit")
            found[item.name] = plain if unit is None else {"unit": unit, "value": plain}
        return found
    if isinstance(value, np.ndarray):
        return to_units(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): to_units(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_units(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def from_units(kind: type[T], content: Mapping[str, Any]) -> T:
    """Data class of a kind from what `to_units` has made of one.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        If the content is of another form.
    """
    return from_plain(kind, _without_units(content))


def _without_units(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.keys() == {"unit", "value"}:
            return _without_units(value["value"])
        return {name: _without_units(item) for name, item in value.items()}
    if isinstance(value, list):
        numbers = all(item is None or isinstance(item, int | float) for item in value)
        known = [math.nan if item is None else item for item in value] if numbers else value
        return [_without_units(item) for item in known]
    return value
