"""Currents and node voltages of a wired crossbar at given input voltages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memspice.errors import ShapeError
from memspice.solver.array_checks import (
    checked_array,
    checked_resistance,
    conductance_of_cells,
)
from memspice.solver.elimination import WiredArray, eliminate
from memspice.solver.reduction import one_blas_thread
from memspice.solver.substitution import CellState, LinearCrossbar

Array = NDArray[np.float64]

#: Inputs solved for at a time (bounds the memory).
_INPUTS = 32


@dataclass(frozen=True, slots=True, eq=False)
class CrossbarSolution:
    """Operating point of a wired crossbar.

    ``inputs`` below is there only if the voltages had a second axis.

    Parameters
    ----------
    output_current : ndarray, shape (n_cols[, inputs]), [A]
        Out of each bit line into the sense resistance; positive for positive inputs.
    word_line_voltage, bit_line_voltage : ndarray, shape (n_rows, n_cols[, inputs]), [V], or None
        At the two terminals of each cell; None unless asked for.
    device_current : ndarray, shape (n_rows, n_cols[, inputs]), [A], or None
        Through each cell from word line to bit line; None unless asked for.
    """

    output_current: Array
    word_line_voltage: Array | None = None
    bit_line_voltage: Array | None = None
    device_current: Array | None = None


def solve_crossbar(
    resistance: ArrayLike,
    voltage: ArrayLike,
    wire_resistance_row: float,
    wire_resistance_col: float,
    driver_resistance: float = 0.0,
    sense_resistance: float = 0.0,
    *,
    node_voltages: bool = False,
    device_currents: bool = False,
) -> CrossbarSolution:
    """Solve a crossbar of ohmic cells with every column end grounded through its sense resistance.

    Exact for any shape and any mix of ideal (0 ohm) and real wires, drivers and senses.  Many
    reads of one array are cheaper through `memspice.solver.reduction.port_admittance`.

    Parameters
    ----------
    resistance : array_like, shape (n_rows, n_cols), [ohm]
        Of each cell; row 0 is farthest from the outputs, column 0 nearest to the inputs, and
        ``inf`` is an open cell.
    voltage : array_like, shape (n_rows,) or (n_rows, inputs), [V]
        Of the source of each row, for one or several inputs.
    wire_resistance_row : float, [ohm]
        Of the word-line segment before each cell, the first too.
    wire_resistance_col : float, [ohm]
        Of the bit-line segment after each cell, the last too.
    driver_resistance, sense_resistance : float, [ohm]
        Between source and first segment of each row, and between last segment and ground of
        each column.
    node_voltages, device_currents : bool
        Whether to return the voltages at, and the currents through, every cell.

    Returns
    -------
    CrossbarSolution

    Raises
    ------
    ConfigError
        If a value is not a real number, not finite (open cells excepted), negative (voltages
        excepted) or zero (cells); if it is above 1e100, or a resistance other than 0 below
        1e-100; or if the lines are so nearly floating that the result would not hold 1e-9.
    ShapeError
        If an array is empty or of the wrong shape.

    Notes
    -----
    Costs about ``100 * N**3`` operations for N x N cells, and, if cells are asked for, ``100 *
    N**2 * log2(N)`` for each input.

    Examples
    --------
    >>> solution = solve_crossbar([[1e3]], [1.0], 250.0, 250.0, 500.0)
    >>> round(solution.output_current.item(), 12)
    0.0005
    """
    conductance = conductance_of_cells(resistance)
    source = checked_sources(voltage, len(conductance))
    wires = (
        checked_resistance("wire_resistance_row", wire_resistance_row),
        checked_resistance("wire_resistance_col", wire_resistance_col),
        checked_resistance("driver_resistance", driver_resistance),
        checked_resistance("sense_resistance", sense_resistance),
    )
    array = WiredArray.build(conductance, *wires)
    columns = source.reshape(len(source), -1)
    shape = (*conductance.shape, *source.shape[1:])
    if not (node_voltages or device_currents):
        with one_blas_thread():
            block = eliminate(array)
        rows = block.sides.near
        output = block.matrix[rows:, :rows] @ columns[::-1]
        return CrossbarSolution(output.reshape(shape[1:]))
    output, found = _cells(array, columns)
    return CrossbarSolution(
        output.reshape(shape[1:]),
        found.word.reshape(shape) if node_voltages else None,
        found.bit.reshape(shape) if node_voltages else None,
        found.current.reshape(shape) if device_currents else None,
    )


def _cells(array: WiredArray, columns: Array) -> tuple[Array, CellState]:
    """Output currents and state of all cells, a bounded number of inputs at a time."""
    with one_blas_thread():
        linear = LinearCrossbar(array)
        pieces = range(0, columns.shape[1], _INPUTS)
        found = [linear.solve(columns[:, start : start + _INPUTS]) for start in pieces]
    states = (state for _, state in found)
    state = CellState(*(np.concatenate(parts, axis=2) for parts in zip(*states, strict=True)))
    return np.concatenate([output for output, _ in found], axis=1), state


def checked_sources(voltage: ArrayLike, rows: int) -> Array:
    """Voltages as given; refuse any shape other than (rows,) and (rows, inputs)."""
    source = checked_array("voltage", voltage, "V")
    if source.ndim not in (1, 2) or len(source) != rows:
        raise ShapeError(
            f"voltage has shape {source.shape}, but the crossbar has {rows} rows; "
            f"give ({rows},) or ({rows}, inputs)"
        )
    return source
