"""The exact port admittance of a wired crossbar of ohmic cells.

With ohmic cells a wired array is a linear resistive network: it is reduced once to the admittance
among its driver sources and column ends, and every read after that is a matrix product.  The
method is in `memspice.solver.elimination`; an N x N array costs about 100 N^3 floating-point
operations on one thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve
from threadpoolctl import ThreadpoolController

from memspice.errors import ShapeError
from memspice.solver.array_checks import checked_array, checked_conductance, checked_resistance
from memspice.solver.blocks import Block
from memspice.solver.elimination import WiredArray, eliminate

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PortAdmittance:
    """Admittance of a crossbar seen from its driver sources and its column ends.

    Currents flow *into* the array: ``i_row = row_row @ v_row + row_col @ v_col`` and
    ``i_col = row_col.T @ v_row + col_col @ v_col``.  The matrix is symmetric (reciprocity) and
    each of its rows sums to zero (nothing inside is grounded).

    Parameters
    ----------
    row_row : ndarray, shape (n_rows, n_rows), [S]
        Among the source terminals, outside the driver resistance.
    row_col : ndarray, shape (n_rows, n_cols), [S]
        Between source terminals and column ends; never positive.
    col_col : ndarray, shape (n_cols, n_cols), [S]
        Among the column ends: after the last segment, before any sense resistance.
    """

    row_row: Array
    row_col: Array
    col_col: Array

    def terminated(self, sense_resistance: float = 0.0) -> Array:
        """Transfer matrix with every column end grounded through the sense resistance.

        Parameters
        ----------
        sense_resistance : float, [ohm]
            From each column end to ground; 0 is a virtual ground.

        Returns
        -------
        ndarray, shape (n_cols, n_rows), [S]
            ``output_current = transfer @ v_row``; the current flows out of the array into the
            sense resistance, positive where the row voltages are.

        Raises
        ------
        ConfigError
            If the resistance is not a number of at least 0 ohm.
        """
        sense = checked_resistance("sense_resistance", sense_resistance)
        if sense == 0.0:
            return np.ascontiguousarray(-self.row_col.T)
        loaded = np.eye(len(self.col_col)) + sense * self.col_col
        transfer: Array = cho_solve(cho_factor(loaded, lower=True), -self.row_col.T)
        return transfer

    def power(self, row_voltage: ArrayLike, col_voltage: ArrayLike) -> Array:
        """Power into all ports together: what drivers, wires and cells dissipate.

        ``p = sum(v * i)`` over sources and column ends; never negative but for rounding.

        Parameters
        ----------
        row_voltage : array_like, shape (..., n_rows), [V]
            At the sources.
        col_voltage : array_like, shape (..., n_cols), [V]
            At the column ends; leading axes broadcast against those of the rows.

        Returns
        -------
        ndarray, shape (...), [W]

        Raises
        ------
        ConfigError
            If a voltage is not a finite real number.
        ShapeError
            If a last axis does not match the array.
        """
        row = checked_array("row_voltage", row_voltage, "V")
        col = checked_array("col_voltage", col_voltage, "V")
        for name, voltage, count in zip(
            ("row_voltage", "col_voltage"), (row, col), self.row_col.shape, strict=True
        ):
            if voltage.ndim == 0 or voltage.shape[-1] != count:
                raise ShapeError(
                    f"{name} has shape {voltage.shape}, but the array has {count} such ports; "
                    f"give an array of shape (..., {count})"
                )
        own = np.sum(row * (row @ self.row_row), axis=-1) + np.sum(
            col * (col @ self.col_col), axis=-1
        )
        power: Array = own + 2.0 * np.sum((row @ self.row_col) * col, axis=-1)
        return power


def port_admittance(
    conductance: ArrayLike,
    wire_resistance_row: float,
    wire_resistance_col: float,
    driver_resistance: float = 0.0,
) -> PortAdmittance:
    """Reduce a crossbar of ohmic cells to the admittance seen from its ports.

    Exact for any shape and any mix of ideal (0 ohm) and real wires and drivers.

    Parameters
    ----------
    conductance : array_like, shape (n_rows, n_cols), [S]
        Of each cell; row 0 is farthest from the outputs, column 0 nearest to the inputs, and
        0 S is an open cell.
    wire_resistance_row : float, [ohm]
        Of the word-line segment before each cell, the first too.
    wire_resistance_col : float, [ohm]
        Of the bit-line segment after each cell, the last too.
    driver_resistance : float, [ohm]
        Between each row's source and its first segment.

    Returns
    -------
    PortAdmittance

    Raises
    ------
    ConfigError
        If a value is negative, not finite or not a real number; if it is above 1e100, or a
        resistance other than 0 below 1e-100; or if the lines are so nearly floating (a driver and
        a wire both far more resistive than the cells) that the result would not hold 1e-9.
    ShapeError
        If the conductances are not a matrix with at least one cell.

    Notes
    -----
    Valid for linear cells at rest: no wire capacitance, no cell non-linearity.  BLAS is held to
    one thread for the whole process during the call (see `one_blas_thread`): to use more
    processors, reduce several arrays in parallel threads or processes.  Needs about
    ``160 * n_rows * n_cols`` bytes, the result among them.

    Examples
    --------
    >>> port = port_admittance([[1e-3]], 250.0, 250.0, 500.0)
    >>> round(port.terminated().item(), 12)
    0.0005
    """
    array = WiredArray.build(
        checked_conductance(conductance),
        checked_resistance("wire_resistance_row", wire_resistance_row),
        checked_resistance("wire_resistance_col", wire_resistance_col),
        checked_resistance("driver_resistance", driver_resistance),
    )
    with one_blas_thread():
        block = eliminate(array)
    return ports_of(block)


def ports_of(block: Block) -> PortAdmittance:
    """Admittance of a whole array, whose word lines count from the column ends in the block."""
    rows = block.sides.near
    coupling = np.tril(block.matrix, -1)
    coupling += coupling.T
    admittance = np.diag(coupling.sum(axis=1)) - coupling
    return PortAdmittance(
        np.ascontiguousarray(admittance[:rows, :rows][::-1, ::-1]),
        np.ascontiguousarray(admittance[:rows, rows:][::-1]),
        np.ascontiguousarray(admittance[rows:, rows:]),
    )


class _BlasLimit:
    """Holds BLAS to one thread for as long as anyone needs that."""

    def __init__(self) -> None:
        self._controller = ThreadpoolController()
        self._lock, self._users = Lock(), 0

    def enter(self) -> None:
        with self._lock:
            if self._users == 0:
                self._limit = self._controller.limit(limits=1, user_api="blas")
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._limit.restore_original_limits()


_blas_limit = _BlasLimit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Context in which BLAS keeps to the calling thread, for the whole process.

    BLAS threads on matrices this small slow down twentyfold on a busy machine.  Contexts may
    overlap in any way in any threads: the last to leave lifts the limit.
    """
    _blas_limit.enter()
    try:
        yield
    finally:
        _blas_limit.leave()
