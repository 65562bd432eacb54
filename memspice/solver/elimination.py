"""Elimination of a wired crossbar by halves.

::

    source i --[driver]--[row]--+--[row]--+--  word line i       each + on a word line is joined
                                |         |                      by one cell to the + below it
                             ---+--    ---+--  cell
                                |         |
                              [col]     [col]  bit lines; the last segment leads to the column end

A *block* is a rectangle of cells with the segment before each cell on its word line and the one
after it on its bit line.  All that the rest of the circuit can know of it is a matrix among the
wires that leave it.  Two neighbours become one block by joining the m wires between them, which
costs about m^3 operations; single cells are joined to pairs, pairs to squares, and so on up to
the array.  An N x N array takes about 100 N^3 operations, nearly all in products of matrices.

Each wire has an end that is nearer to a source or a column end, where a block is described by the
voltage there, and an end that is farther off, where it is described by the current into it.  So
wires enter as resistances (an ideal wire is 0 ohm and needs no special case), blocks of open cells
are as good as any, and a joint is solved by ``I + Z Y``, where Z is the impedance of the first
block's far ends and Y the admittance of the second's near ends.  Its eigenvalues lie between 1 and
one more than the number of cells across the first block, so long as the wires are alike.  All
entries off the diagonal are positive, and the diagonal is taken from rows that sum to zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from memspice.solver.blocks import Block, Joint, Sides, empty_matrices, join

Array = NDArray[np.float64]

#: Cells on the longer side of a tile, whose blocks are joined many at a time.
_TILE = 64


@dataclass(frozen=True, slots=True, eq=False)
class WiredArray:
    """Cells and wires, counted from the corner between sources and column ends.

    Parameters
    ----------
    conductance : ndarray, shape (n_rows, n_cols), [S]
        Of each cell; row 0 is nearest to the column ends.
    row : ndarray, shape (n_cols,), [ohm]
        Of the word-line segment before each cell.
    col : ndarray, shape (n_rows,), [ohm]
        Of the bit-line segment between each cell and the one before it.
    """

    conductance: Array
    row: Array
    col: Array

    @classmethod
    def build(
        cls, conductance: Array, row: float, col: float, driver: float, sense: float = 0.0
    ) -> WiredArray:
        """Turn a crossbar upside down, and put drivers and senses into its first segments."""
        rows, cols = np.full(conductance.shape[1], row), np.full(conductance.shape[0], col)
        rows[0] += driver
        cols[0] += sense
        return cls(conductance[::-1], rows, cols)

    def part(self, rows: slice, cols: slice) -> WiredArray:
        """Return the cells of some rows and columns."""
        return WiredArray(self.conductance[rows, cols], self.row[cols], self.col[rows])

    def padded(self) -> WiredArray:
        """Fill both sides up to powers of two with open cells on ideal wires: nothing changes."""
        rows, cols = self.conductance.shape
        missing = (_power_of_two(rows) - rows, _power_of_two(cols) - cols)
        if not any(missing):
            return self
        below, right = ((0, count) for count in missing)
        conductance = np.pad(self.conductance, (below, right))
        return WiredArray(conductance, np.pad(self.row, right), np.pad(self.col, below))


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells that carry current sources besides their conductance, each with its two segments.

    With x the voltages and currents at its four wires, in the order (word line in, bit line out,
    bit line in, word line out), and j a source in parallel, a cell lets through
    ``j * share - conductance * (drop @ x)``.

    Parameters
    ----------
    conductance : ndarray, shape (n_rows, n_cols), [S]
        Of cell and segments in series.
    share : ndarray, shape (n_rows, n_cols)
        Of a parallel source's current that leaves the cell, wires grounded.
    drop : ndarray, shape (n_rows, n_cols, 4), [1, 1, ohm, ohm]
        What the current through the cell takes from each output of the block.
    """

    conductance: Array
    share: Array
    drop: Array

    @classmethod
    def build(cls, array: WiredArray) -> Cells:
        """Describe each cell of an array with its segments."""
        row, col = array.row, array.col[:, np.newaxis]
        share = 1.0 / (1.0 + array.conductance * (row + col))
        drop = np.empty((*share.shape, 4))
        drop[..., 0], drop[..., 1], drop[..., 2], drop[..., 3] = -1.0, 1.0, col, -row
        return cls(array.conductance * share, share, drop)

    def blocks(self, array: WiredArray) -> Block:
        """Each cell as a block to be joined along its word line."""
        row, col = array.row, array.col[:, np.newaxis]
        scaled = -self.conductance[..., np.newaxis] * self.drop
        matrix = empty_matrices(self.share.shape, 4)
        np.multiply(scaled[..., :, np.newaxis], self.drop[..., np.newaxis, :], out=matrix)
        # 1 - row * conductance and 1 - col * conductance, without the subtraction.
        word = (1.0 + array.conductance * col) * self.share
        bit = (1.0 + array.conductance * row) * self.share
        matrix[..., 0, 3] = matrix[..., 3, 0] = word
        matrix[..., 1, 2] = matrix[..., 2, 1] = bit
        matrix[..., 2, 2], matrix[..., 3, 3] = col * bit, row * word
        return Block(matrix, Sides(1, 1, 1, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """Record of a tile's elimination.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns without the padding.
    cells : Cells
        All its cells, padding included.
    joints : list of (int, Joint)
        Axis along which the blocks of the grid were joined in pairs, and all those joints.
    order : list of int
        Of the four wires of a cell, as its first joint wants them.
    ports : ndarray of int
        Which wires of the padded tile are left.
    """

    shape: tuple[int, int]
    cells: Cells
    joints: list[tuple[int, Joint]]
    order: list[int]
    ports: NDArray[np.intp]

    @property
    def wires(self) -> int:
        """Number of wires of the padded tile."""
        return sum(self.joints[-1][1].places.sides) if self.joints else 4


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Record of the joining of two halves, cut across ``axis`` before row or column ``cut``."""

    axis: int
    cut: int
    joint: Joint
    first: Tile | Pair
    second: Tile | Pair


Record = Tile | Pair


def eliminate(array: WiredArray) -> Block:
    """Reduce an array to its sources (``near``) and column ends (``held``).

    Returns
    -------
    Block
        With no open and no far ends.

    Raises
    ------
    ConfigError
        If lines all but float, so that the result would not hold 1e-9.
    """
    return _eliminate(array, 1, (False, False), record=False)[0]


def eliminate_recorded(array: WiredArray) -> tuple[Block, Record]:
    """Elimination of `eliminate` that keeps what leads back to the cells.

    The record takes about ``100 * n_rows * n_cols * log2(max(n_rows, n_cols))`` bytes.
    """
    block, record = _eliminate(array, 1, (False, False), record=True)
    assert record is not None
    return block, record


def _power_of_two(count: int) -> int:
    """Return the smallest power of two that is not less."""
    return 1 << (count - 1).bit_length()


def halves(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Index of the first and of the second blocks of all pairs along an axis of a grid."""
    every, even, odd = slice(None), slice(0, None, 2), slice(1, None, 2)
    return ((every, even), (every, odd)) if axis == 1 else ((even,), (odd,))


def _eliminate(
    array: WiredArray, axis: int, beyond: tuple[bool, bool], *, record: bool
) -> tuple[Block, Record | None]:
    """Reduce an array to a block that is ready to be joined along an axis.

    ``beyond`` says whether there are more rows after the last and more columns after the last.
    """
    shape = array.conductance.shape
    if max(shape) <= _TILE:
        return _tile(array, axis, beyond, record=record)
    along = int(shape[1] >= shape[0])
    cut = (shape[along] + 1) // 2
    every = slice(None)
    near, far = slice(None, cut), slice(cut, None)
    parts = ((every, near), (every, far)) if along else ((near, every), (far, every))
    inside = (beyond[0], True) if along else (True, beyond[1])
    first, first_record = _eliminate(array.part(*parts[0]), along, inside, record=record)
    second, second_record = _eliminate(array.part(*parts[1]), along, beyond, record=record)
    block, joint = join(first, second, turned=axis != along)
    if first_record is None or second_record is None:
        return block, None
    return block, Pair(along, cut, joint.copied(), first_record, second_record)


def _tile(
    array: WiredArray, axis: int, beyond: tuple[bool, bool], *, record: bool
) -> tuple[Block, Tile | None]:
    """Join all cells of a small array, as many at a time as can be."""
    padded = array.padded()
    cells = Cells.build(padded)
    block = cells.blocks(padded)
    axes = [*_axes(padded.conductance.shape), axis]
    order = [0, 1, 2, 3] if axes[0] == 1 else [1, 0, 3, 2]
    if axes[0] == 0:
        block = replace(block, matrix=block.matrix[..., order, :][..., order])
    joints = []
    for this, following in zip(axes[:-1], axes[1:], strict=True):
        first, second = (Block(block.matrix[half], block.sides) for half in halves(this))
        block, joint = join(first, second, turned=following != this)
        if record:
            joints.append((this, joint.copied()))
    rows, cols = array.conductance.shape
    sides = Sides(rows, cols, cols * beyond[0], rows * beyond[1])
    block, ports = _without(block, sides if axis == 1 else sides.turned())
    return block, Tile((rows, cols), cells, joints, order, ports) if record else None


def _axes(shape: tuple[int, ...]) -> list[int]:
    """Axes along which a grid of cells is joined, so that blocks stay as square as they can."""
    size, axes = [1, 1], []
    while (size[0], size[1]) != shape:
        axis = int(size[1] < shape[1] and (size[1] <= size[0] or size[0] == shape[0]))
        size[axis] *= 2
        axes.append(axis)
    return axes


def _without(block: Block, sides: Sides) -> tuple[Block, NDArray[np.intp]]:
    """Take the only block of a grid, and only the first wires of each side."""
    starts = np.cumsum([0, *block.sides[:-1]])
    ranges = [np.arange(start, start + count) for start, count in zip(starts, sides, strict=True)]
    ports = np.concatenate(ranges)
    return Block(block.matrix[0, 0][np.ix_(ports, ports)], sides), ports
