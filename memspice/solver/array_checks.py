"""Checks of conductances, resistances and voltages, before anything is computed from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memspice.errors import ConfigError, ShapeError

Array = NDArray[np.float64]

#: No size may be larger, and no resistance but 0 smaller than the inverse: beyond any circuit, and
#: narrow enough that no product in the reduction overflows, and no divisor underflows.
_LARGEST = 1e100


def real_array(name: str, value: ArrayLike, unit: str) -> Array:
    """Return the value as float64, infinities and all; refuse what is empty, ragged or not real.

    A masked value is none: NumPy would take what lies under the mask.
    """
    if np.ma.is_masked(value):
        raise ConfigError(f"{name} has masked values; fill them with real numbers in {unit}")
    try:
        raw = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"{name} is ragged; give rows of equal length") from error
    if raw.dtype.kind not in "iuf":
        raise ConfigError(f"{name} has type {raw.dtype}; give real numbers in {unit}")
    if raw.size == 0:
        raise ShapeError(f"{name} has shape {raw.shape} and is empty; give at least one value")
    return raw.astype(np.float64)


def checked_array(name: str, value: ArrayLike, unit: str) -> Array:
    """Return the value as float64; refuse what `real_array` does, NaN and what is too large."""
    array = real_array(name, value, unit)
    wrong = ~(np.abs(array) <= _LARGEST)
    refuse(name, array, wrong, unit, f"is not finite or beyond {_LARGEST:g} {unit}; give a number")
    return array


def checked_conductance(value: ArrayLike) -> Array:
    """Return a conductance matrix; refuse any other shape and negative values."""
    array = checked_array("conductance", value, "S")
    _refuse_unless_matrix("conductance", array)
    refuse("conductance", array, array < 0.0, "S", "is negative; use 0 S for an open cell")
    return array


def conductance_of_cells(resistance: ArrayLike) -> Array:
    """Return cell resistances as conductances; infinity becomes an open cell of 0 S."""
    array = real_array("resistance", resistance, "ohm")
    _refuse_unless_matrix("resistance", array)
    in_range = (array >= 1.0 / _LARGEST) & (array <= _LARGEST)
    wrong = ~in_range & ~np.isposinf(array)
    refuse(
        "resistance", array, wrong, "ohm",
        f"is outside {1 / _LARGEST:g} to {_LARGEST:g} ohm; use numpy.inf for an open cell",
    )  # fmt: skip
    return 1.0 / array


def checked_resistance(name: str, value: float) -> float:
    """Return one resistance; refuse arrays and negative values."""
    array = checked_array(name, value, "ohm")
    if array.ndim != 0:
        raise ShapeError(f"{name} has shape {array.shape}; give one number in ohm")
    refuse(name, array, array < 0.0, "ohm", "is negative; use 0 ohm for an ideal wire")
    tiny = (array > 0.0) & (array < 1.0 / _LARGEST)
    refuse(name, array, tiny, "ohm", f"is below {1 / _LARGEST:g} ohm; use 0 ohm for an ideal wire")
    return float(array)


def refuse(name: str, array: Array, wrong: NDArray[np.bool_], unit: str, reason: str) -> None:
    """Raise ConfigError about the first wrong value, if there is one."""
    if not wrong.any():
        return
    index = tuple(int(axis[0]) for axis in np.nonzero(np.atleast_1d(wrong)))
    where = f"{name}{list(index)}" if array.ndim else name
    raise ConfigError(f"{where} = {np.atleast_1d(array)[index]:g} {unit} {reason}")


def _refuse_unless_matrix(name: str, array: Array) -> None:
    if array.ndim != 2:
        raise ShapeError(f"{name} has shape {array.shape}; give a (rows, columns) matrix")
