"""Currents and node voltages of a wired crossbar at given input voltages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memspice.circuits.array_checks import (
    checked_array,
    checked_resistance,
    conductance_of_cells,
)
from memspice.circuits.elimination import Frontier, OrientedArray, full_product, oriented
from memspice.circuits.reduction import one_blas_thread
from memspice.errors import ShapeError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
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
    reads of one array are cheaper through `memspice.circuits.reduction.port_admittance`.

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
    Needs ``8 * max(n_rows, n_cols) * min(n_rows, n_cols)**2`` bytes (17 MB for 128 x 128, 1 GB
    for 512 x 512) if cells are asked for or the array is wider than high.

    Examples
    --------
    >>> solution = solve_crossbar([[1e3]], [1.0], 250.0, 250.0, 500.0)
    >>> round(solution.output_current.item(), 12)
    0.0005
    """
    conductance = conductance_of_cells(resistance)
    source = _source_voltage(voltage, len(conductance))
    wires = (
        checked_resistance("wire_resistance_row", wire_resistance_row),
        checked_resistance("wire_resistance_col", wire_resistance_col),
        checked_resistance("driver_resistance", driver_resistance),
        checked_resistance("sense_resistance", sense_resistance),
    )
    array = oriented(conductance, *wires)
    columns = source.reshape(len(source), -1)
    if array.transposed or node_voltages or device_currents:
        output, word, bit = _nodes(array, columns)
    else:
        output, word, bit = _Sweep(array, columns, keep=False).far_current, None, None
    shape = (*conductance.shape, *source.shape[1:])
    solution = CrossbarSolution(output.reshape(shape[1:]))
    if word is None or bit is None:
        return solution
    current = conductance[:, :, np.newaxis] * (word - bit)
    return CrossbarSolution(
        solution.output_current,
        word.reshape(shape) if node_voltages else None,
        bit.reshape(shape) if node_voltages else None,
        current.reshape(shape) if device_currents else None,
    )


def _nodes(array: OrientedArray, source: Array) -> tuple[Array, Array, Array]:
    """Output currents (n_cols, inputs) and word- and bit-line voltages (n_rows, n_cols, inputs)."""
    if not array.transposed:
        sweep = _Sweep(array, source)
        word, bit = sweep.voltages(np.zeros_like(sweep.far_current))
        return sweep.far_current, word, bit
    # The ladders are bit lines whose sources are the grounded senses, seen from the far corner.
    grounded = np.zeros((len(array.segments), source.shape[1]))
    bit, word = _Sweep(array, grounded).voltages(source[::-1])
    output = np.einsum("lw,lwi->li", array.ladders.transfer, word)[::-1]
    return output, *(np.swapaxes(nodes[::-1, ::-1], 0, 1) for nodes in (word, bit))


class _Sweep:
    """Elimination of an array for given source voltages, and the way back to its nodes.

    Parameters
    ----------
    array : OrientedArray
        The array; its ladders are fed by the sources.
    source : ndarray, shape (n_lines, inputs), [V]
        Of each ladder.
    keep : bool
        Whether to keep what `voltages` needs.

    Attributes
    ----------
    far_current : ndarray, shape (width, inputs), [A]
        Out of the far ends when they are grounded.
    """

    def __init__(self, array: OrientedArray, source: Array, *, keep: bool = True) -> None:
        self._ladders, self._source = array.ladders, source
        self._steps: list[tuple[float, Array, Array] | None] = []
        width = array.ladders.conductance.shape[1]
        frontier, current = Frontier(width), np.zeros((width, source.shape[1]))
        transfer = array.ladders.transfer
        with one_blas_thread():
            for line, resistance in enumerate(array.segments.tolist()):
                current += np.outer(transfer[line], source[line])
                inverse = frontier.absorb(array.ladders, line, resistance)
                if inverse is not None:
                    current = full_product(inverse, current)
                if keep:
                    step = None if inverse is None else (resistance, inverse, current.copy())
                    self._steps.append(step)
        self.far_current = current

    def voltages(self, far: Array) -> tuple[Array, Array]:
        """Node voltages of the ladders and of the lines along, each (n_lines, width, inputs).

        ``far`` is the voltage of the far ends, shape (width, inputs), [V].
        """
        lines, shape = len(self._steps), (len(self._steps), *far.shape)
        across, along, beyond = np.empty(shape), np.empty(shape), far
        with one_blas_thread():
            for line in range(lines - 1, -1, -1):
                step = self._steps[line]
                if step is not None:
                    resistance, inverse, current = step
                    beyond = full_product(inverse, beyond) + resistance * current
                along[line] = beyond
                across[line] = self._ladders.voltages(line, self._source[line], beyond)
        return across, along


def _source_voltage(voltage: ArrayLike, rows: int) -> Array:
    """Voltages as given; refuse any shape other than (rows,) and (rows, inputs)."""
    source = checked_array("voltage", voltage, "V")
    if source.ndim not in (1, 2) or len(source) != rows:
        raise ShapeError(
            f"voltage has shape {source.shape}, but the crossbar has {rows} rows; "
            f"give ({rows},) or ({rows}, inputs)"
        )
    return source
