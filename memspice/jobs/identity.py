"""A job's identity: equal content gives an equal hash."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from memspice.errors import ConfigError
from memspice.quantities import Parameters


def content_hash(*parts: object) -> str:
    """Identity of a job: equal content gives an equal hash, in any process and on any machine.

    Numbers hash by value (``1``, ``1.0`` and ``numpy.float64(1)`` alike), arrays by type, shape
    and values, lists and tuples by their items in order, mappings regardless of order, data
    classes and parameter classes by class name and fields; fields that take no part in comparisons
    (``compare=False``) decide no result, and do not count.

    Parameters
    ----------
    *parts : None, bool, number, str, bytes, ndarray, dataclass, Parameters
        Or a sequence or mapping of such.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.

    Raises
    ------
    ConfigError
        If a part is of another type, or not a number (NaN), which equals nothing.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_digest(part))
    return digest.hexdigest()


def _digest(part: object) -> bytes:
    """32 bytes a part: fixed length, so that neighbours cannot run into each other."""
    tag, content = _canonical(part)
    return hashlib.sha256(tag.encode() + b"\0" + content).digest()


def _canonical(part: object) -> tuple[str, bytes]:
    if part is None or isinstance(part, bool | np.bool_):
        return "constant", str(part).encode()
    if isinstance(part, str):
        return "text", part.encode()
    if isinstance(part, bytes | bytearray | memoryview):
        return "bytes", bytes(part)
    if isinstance(part, int | float | np.integer | np.floating):
        return "number", _canonical_number(part)
    if isinstance(part, np.ndarray):
        return _canonical_array(part)
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        counting = [field.name for field in dataclasses.fields(part) if field.compare]
        fields = {name: getattr(part, name) for name in counting}
        return f"dataclass {type(part).__qualname__}", _digest(fields)
    if isinstance(part, Parameters):
        fields = {name: getattr(part, name) for name in type(part).model_fields}
        return f"parameters {type(part).__qualname__}", _digest(fields)
    if isinstance(part, Mapping):
        pairs = sorted(_digest(key) + _digest(value) for key, value in part.items())
        return "mapping", b"".join(pairs)
    if isinstance(part, list | tuple):
        return "sequence", b"".join(_digest(item) for item in part)
    raise ConfigError(
        f"a {type(part).__name__} has no canonical content to hash; pass text, numbers, arrays or "
        "data classes"
    )


def _canonical_number(number: Any) -> bytes:
    if number != number:
        raise ConfigError("a number to hash is NaN, which equals nothing; remove its cause")
    if isinstance(number, float | np.floating):
        value = float(number)
        if not value.is_integer():
            return value.hex().encode()
    return str(int(number)).encode()


def _canonical_array(array: np.ndarray[Any, Any]) -> tuple[str, bytes]:
    if array.dtype.kind not in "biufcSU":
        raise ConfigError(f"an array of dtype {array.dtype} has no canonical content to hash")
    if array.dtype.kind in "fc" and np.isnan(array).any():
        raise ConfigError("an array to hash holds NaN, which equals nothing; remove its cause")
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return f"array {little.dtype.str} {array.shape}", little.tobytes()
