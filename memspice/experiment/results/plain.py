"""Results as plain values and back: what a run file keeps of them beside their records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")

#: Metadata of a field that a run file keeps in another way, or not at all.
APART = {"apart": True}


def to_plain(value: Any) -> Any:
    """Value as JSON can hold it: data classes as objects, arrays as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        kept = [field.name for field in fields(value) if field.init and not field.metadata]
        return {name: to_plain(getattr(value, name)) for name in kept}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[T], content: Mapping[str, Any], **apart: Any) -> T:
    """Data class of a kind from what `to_plain` has made of one.

    Parameters
    ----------
    kind : type
        The data class.
    content : mapping
        Its fields.
    **apart
        Fields that are kept in another way.
    """
    hints = get_type_hints(kind)
    values = {name: _typed(hints[name], item) for name, item in content.items()}
    return kind(**values, **apart)


def _typed(hint: Any, value: Any) -> Any:
    """Value of an annotated type."""
    if value is None:
        return None
    parts = [part for part in get_args(hint) if part is not type(None)]
    origin = get_origin(hint)
    if hint is np.ndarray:
        return np.asarray(value)
    if is_dataclass(hint):
        return from_plain(hint, value)  # type: ignore[arg-type]
    if origin is Mapping:
        key, item = parts
        return {key(name): _typed(item, each) for name, each in value.items()}
    if hasattr(hint, "_make"):  # a named tuple
        return hint._make(value)
    if origin is tuple:
        return tuple(_typed(parts[0], each) for each in value)
    if origin is not None and len(parts) == 1:  # X | None
        return _typed(parts[0], value)
    return value
