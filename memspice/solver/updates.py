"""Port admittance of a crossbar of which a few cells change.

The cells that have changed are taken for extra ports of the array as it was first eliminated: a
source in parallel to each, whose current is the change of conductance times the cell's voltage.
What such a source sees follows from the joints on the way from its cell to the ports alone, so
for k cells it costs about ``20 k N^2`` operations, and the new port matrix another ``8 k N^2``,
where a new elimination takes about ``100 N^3``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memspice.errors import ConfigError, ShapeError
from memspice.solver.array_checks import checked_array, checked_conductance, checked_resistance
from memspice.solver.array_checks import refuse as refuse_values
from memspice.solver.blocks import Block, Joint
from memspice.solver.elimination import Record, Tile, WiredArray, eliminate_recorded
from memspice.solver.reduction import PortAdmittance, one_blas_thread, ports_of

Array = NDArray[np.float64]
Cell = tuple[int, int]

#: Changed cells per cell of the longer side beyond which a new elimination is cheaper.
_LARGEST_SHARE = 0.25
#: Loss of digits in one update beyond which the array is eliminated anew: 1e-10 must be kept.
_WORST_CONDITION = 1e4


class Response(NamedTuple):
    """Response of an array to sources in parallel to some cells.

    Parameters
    ----------
    cells : tuple of (int, int)
        Row and column of each, in the order of the axes below.
    outputs : ndarray, shape (n_ports, k), [1 or ohm]
        Of a block, per ampere through each source; by reciprocity, less its sign, also the
        voltage across each cell per unit of each input.
    impedance : ndarray, shape (k, k), [ohm]
        Voltage across each cell, against the current, per ampere through each source.
    """

    cells: tuple[Cell, ...]
    outputs: Array
    impedance: Array


@dataclass(frozen=True, eq=False)
class _Base:
    """An array as it was eliminated."""

    array: WiredArray
    wires: tuple[float, float, float]
    block: Block
    record: Record


@dataclass(frozen=True, eq=False)
class ChangingCrossbar:
    """A crossbar and its port admittance, which follows changes of a few cells.

    Made by `ChangingCrossbar.build`; never changes itself.

    Parameters
    ----------
    conductance : ndarray, shape (n_rows, n_cols), [S]
        Of each cell, as in `memspice.solver.reduction.port_admittance`.
    ports : PortAdmittance
        Of the array with these cells.
    """

    conductance: Array
    ports: PortAdmittance
    _base: _Base

    @classmethod
    def build(
        cls,
        conductance: ArrayLike,
        wire_resistance_row: float,
        wire_resistance_col: float,
        driver_resistance: float = 0.0,
    ) -> ChangingCrossbar:
        """Eliminate a crossbar and keep what later changes need.

        Parameters and errors are those of `memspice.solver.reduction.port_admittance`; needs
        about ``100 * n_rows * n_cols * log2(max(n_rows, n_cols))`` bytes for as long as it lives.

        Examples
        --------
        >>> crossbar = ChangingCrossbar.build([[1e-3, 1e-3]], 0.0, 250.0, 500.0)
        >>> changed = crossbar.with_cells([(0, 1)], [0.0])
        >>> round(changed.ports.terminated()[0].item(), 12)
        0.000571428571
        """
        cells = checked_conductance(conductance)
        wires = (
            checked_resistance("wire_resistance_row", wire_resistance_row),
            checked_resistance("wire_resistance_col", wire_resistance_col),
            checked_resistance("driver_resistance", driver_resistance),
        )
        return cls._eliminated(cells, wires)

    @classmethod
    def _eliminated(cls, cells: Array, wires: tuple[float, float, float]) -> ChangingCrossbar:
        array = WiredArray.build(cells, *wires)
        with one_blas_thread():
            block, record = eliminate_recorded(array)
        return cls(cells, ports_of(block), _Base(array, wires, block, record))

    def with_cells(self, cells: ArrayLike, conductance: ArrayLike) -> ChangingCrossbar:
        """Return the crossbar with some cells changed.

        Parameters
        ----------
        cells : array_like of int, shape (k, 2)
            Row and column of each.
        conductance : array_like, shape (k,), [S]
            New value of each; 0 S is an open cell.

        Returns
        -------
        ChangingCrossbar
            Its ports equal those of a new reduction to 1e-10 or better.

        Raises
        ------
        ConfigError
            If a cell is not in the array or named twice, or a value is not a finite number of
            at least 0 S.
        ShapeError
            If there is not one value for each cell.

        Notes
        -----
        The update is always made from the array that was eliminated, so that errors do not grow
        with the number of changes, and cells that return to their first value cost nothing.  The
        array is eliminated anew where that is cheaper or where the update would lose digits.
        """
        rows, cols = self._checked_cells(cells).T
        changed = self.conductance.copy()
        values = _checked_values(conductance, len(rows))
        changed[rows, cols] = values
        base = self._base
        change = changed[::-1] - base.array.conductance
        indices = np.argwhere(change)
        if len(indices) > _LARGEST_SHARE * max(changed.shape):
            return self._eliminated(changed, base.wires)
        if len(indices) == 0:
            return ChangingCrossbar(changed, ports_of(base.block), base)
        with one_blas_thread():
            response = _response(base.record, [(int(row), int(col)) for row, col in indices])
            block = _updated(base.block, response, change)
        if block is None:
            return self._eliminated(changed, base.wires)
        return ChangingCrossbar(changed, ports_of(block), base)

    def _checked_cells(self, cells: ArrayLike) -> NDArray[np.intp]:
        found = np.asarray(cells)
        if found.ndim != 2 or found.shape[1] != 2 or found.dtype.kind not in "iu":
            raise ShapeError(
                f"cells has shape {found.shape} and type {found.dtype}; give integers (k, 2), a "
                f"row and a column for each cell"
            )
        outside = np.any((found < 0) | (found >= self.conductance.shape), axis=1)
        if outside.any():
            raise ConfigError(
                f"cell {found[outside][0].tolist()} is not in an array of "
                f"{self.conductance.shape[0]} x {self.conductance.shape[1]}; count from 0"
            )
        if len(np.unique(found, axis=0)) < len(found):
            raise ConfigError("a cell is named twice; give one value for each cell")
        return found.astype(np.intp)


def _checked_values(conductance: ArrayLike, count: int) -> Array:
    values = checked_array("conductance", conductance, "S")
    if values.shape != (count,):
        raise ShapeError(f"conductance has shape {values.shape} for {count} cells; give ({count},)")
    refuse_values("conductance", values, values < 0.0, "S", "is negative; use 0 S for an open cell")
    return values


def _updated(block: Block, response: Response, change: Array) -> Block | None:
    """Block with the changed cells, or None where that would lose digits.

    Each source carries ``change * voltage`` and the voltage is ``-outputs.T x - impedance j``.
    """
    delta = np.array([change[cell] for cell in response.cells])
    system = response.impedance * delta
    terms = 1.0 + np.abs(system).sum(axis=1)
    system[np.diag_indices_from(system)] += 1.0
    inverse = np.linalg.inv(system)
    if not np.max(np.abs(inverse) @ terms) <= _WORST_CONDITION:
        return None
    outputs = response.outputs
    matrix = block.matrix - (outputs * delta) @ (inverse @ outputs.T)
    return Block(matrix, block.sides)


def _response(record: Record, cells: list[Cell]) -> Response:
    """Response of the block that a record is about; its cells count from its own corner."""
    if isinstance(record, Tile):
        return _response_of_tile(record, cells)
    axis, cut = record.axis, record.cut
    first = [cell for cell in cells if cell[axis] < cut]
    shift = (0, cut) if axis == 1 else (cut, 0)
    second = [(row - shift[0], col - shift[1]) for row, col in cells if (row, col)[axis] >= cut]
    near = _response(record.first, first) if first else None
    far = _response(record.second, second) if second else None
    if far is not None:
        moved = tuple((row + shift[0], col + shift[1]) for row, col in far.cells)
        far = far._replace(cells=moved)
    return _joined(record.joint, near, far)


def _response_of_tile(tile: Tile, cells: list[Cell]) -> Response:
    """Walk from the cells to the wires of their tile, through the blocks they are in only."""
    blocks: dict[Cell, Response] = {}
    for cell in cells:
        share, drop = tile.cells.share[cell], tile.cells.drop[cell]
        series = np.array([[share * (drop[2] - drop[3])]])
        blocks[cell] = Response((cell,), share * drop[tile.order, np.newaxis], series)
    for axis, joint in tile.joints:
        parents = sorted({_halved(place, axis) for place in blocks})
        blocks = {
            parent: _joined(joint.at(parent), *(blocks.get(p) for p in _pair(parent, axis)))
            for parent in parents
        }
    whole = blocks[0, 0]
    return whole._replace(outputs=whole.outputs[tile.ports])


def _halved(place: Cell, axis: int) -> Cell:
    return (place[0], place[1] // 2) if axis == 1 else (place[0] // 2, place[1])


def _pair(parent: Cell, axis: int) -> tuple[Cell, Cell]:
    """Places of the two blocks that were joined to one."""
    row, col = parent
    if axis == 1:
        return (row, 2 * col), (row, 2 * col + 1)
    return (2 * row, col), (2 * row + 1, col)


def _joined(joint: Joint, first: Response | None, second: Response | None) -> Response:
    """Response of a joined block from those of its two parts, where they have changed cells."""
    width = joint.width
    near = first or Response((), np.zeros((joint.first.shape[1] + width, 0)), np.zeros((0, 0)))
    far = second or Response((), np.zeros((joint.second.shape[1] + width, 0)), np.zeros((0, 0)))
    count, total = len(near.cells), len(near.cells) + len(far.cells)
    outputs_near, outputs_far = (
        np.zeros((len(near.outputs), total)),
        np.zeros((len(far.outputs), total)),
    )
    outputs_near[:, :count], outputs_far[:, count:] = near.outputs, far.outputs
    open_voltage, driven = outputs_near[-width:], outputs_far[:width]
    voltage, current = joint.solve(open_voltage, driven)
    outputs = joint.gather(
        outputs_near[:-width] - joint.first.T @ current,
        outputs_far[width:] + joint.second.T @ voltage,
    )
    impedance = driven.T @ voltage - open_voltage.T @ current
    impedance[:count, :count] += near.impedance
    impedance[count:, count:] += far.impedance
    return Response(near.cells + far.cells, outputs, impedance)
