"""Blocks of a wired crossbar, and how two neighbours become one.

A block's matrix gives its outputs from its inputs: at near and held ends the input is a voltage
and the output minus the current, at far and open ends the input is a current and the output the
voltage.  It is symmetric, all its entries but those of near and held ends on the diagonal are
positive, and those are never read: they follow from rows that sum to zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memspice.errors import ConfigError

Array = NDArray[np.float64]

#: Largest loss of accuracy in one joint: beyond it the result would not hold 1e-9.
_WORST_CONDITION = 1e6
#: Wires of a joint up to which a grid of blocks is worked on entry by entry, all blocks at a time:
#: for matrices this small, calling BLAS for each takes several times longer.
_FEW = 2


class Sides(NamedTuple):
    """Number of wires on each side of a block, in the order of its matrix.

    ``near`` and ``far`` are the ends of the lines along which the block will be joined; ``held``
    and ``open`` are the near and far ends of the lines across.
    """

    near: int
    held: int
    open: int
    far: int

    def turned(self) -> Sides:
        """The same block to be joined along the lines that lay across."""
        return Sides(self.held, self.near, self.far, self.open)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A rectangle of cells, or a grid of equal ones, seen from the wires that leave it.

    Parameters
    ----------
    matrix : ndarray, shape (..., n, n)
        Symmetric.  Gives (-current into near ends, -current into held ends, voltage of open ends,
        voltage of far ends) from (voltage of near ends, voltage of held ends, current into open
        ends, current into far ends); leading axes count blocks.
    sides : Sides
        Of each block.
    """

    matrix: Array
    sides: Sides


class Places(NamedTuple):
    """Places of the sides of two joined blocks: (from, to) of each, less the joint itself."""

    first: list[tuple[slice, slice]]
    second: list[tuple[slice, slice]]
    sides: Sides


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """The m wires between two blocks: far ends of the first, near ends of the second.

    With a the far ends' open voltage and c the current that the second block, its near ends
    grounded, drives into the joint, ``V = loaded (a + impedance c)`` and the current from the
    first block to the second is ``admittance V - c``.

    Parameters
    ----------
    first : ndarray, shape (..., m, n_first)
        Open voltage of the far ends from the first block's other sides.
    second : ndarray, shape (..., m, n_second)
        Current out of the grounded near ends from the second block's other sides.
    impedance : ndarray, shape (..., m, m), [ohm]
        Of the first block's far ends.
    admittance : ndarray, shape (..., m, m), [S]
        Of the second block's near ends.
    loaded : ndarray, shape (..., m, m)
        Voltage of the joint per open voltage.
    places : Places
        Of the other sides in the joined block.
    """

    first: Array
    second: Array
    impedance: Array
    admittance: Array
    loaded: Array
    places: Places

    @property
    def width(self) -> int:
        """Number of wires."""
        width: int = self.loaded.shape[-1]
        return width

    def solve(self, voltage: Array, current: Array) -> tuple[Array, Array]:
        """Voltage of, and current through, the joint from a and c, each (..., m, inputs)."""
        found = self.loaded @ (voltage + self.impedance @ current)
        return found, self.admittance @ found - current

    def gather(self, first: Array, second: Array) -> Array:
        """Rows (..., n, inputs) of both blocks' other sides in the order of the joined block."""
        shape = (*first.shape[:-2], sum(self.places.sides), first.shape[-1])
        rows = np.empty(shape)
        for part, places in ((first, self.places.first), (second, self.places.second)):
            for start, end in places:
                rows[..., end, :] = part[..., start, :]
        return rows

    def spread(self, rows: Array) -> tuple[Array, Array]:
        """Undo `gather`."""
        first, second = (
            np.concatenate([rows[..., end, :] for _, end in places], axis=-2)
            for places in (self.places.first, self.places.second)
        )
        return first, second

    def copied(self) -> Joint:
        """Return the same joint without a hold on the matrices of its blocks."""
        return replace(
            self,
            first=self.first.copy(), second=self.second.copy(), impedance=self.impedance.copy(),
        )  # fmt: skip

    def at(self, index: tuple[int, ...]) -> Joint:
        """Return one joint of a grid."""
        return Joint(
            first=self.first[index], second=self.second[index], impedance=self.impedance[index],
            admittance=self.admittance[index], loaded=self.loaded[index], places=self.places,
        )  # fmt: skip


def join(first: Block, second: Block, *, turned: bool) -> tuple[Block, Joint]:
    """Join the far ends of one block to the near ends of the next.

    ``turned`` orders the new block's sides for a joint along the lines that lay across so far.
    """
    width = first.sides.far
    impedance = first.matrix[..., -width:, -width:]
    across = first.matrix[..., -width:, :-width]
    onward = second.matrix[..., :width, width:]
    admittance = -second.matrix[..., :width, :width]
    diagonal = _diagonal(admittance)
    diagonal[...] = 0.0
    diagonal[...] = onward[..., : second.sides.held].sum(axis=-1) - admittance.sum(axis=-1)
    loaded = _loaded(impedance, admittance)
    places = _places(first.sides, second.sides, turned=turned)
    joint = Joint(
        first=across,
        second=onward,
        impedance=impedance,
        admittance=admittance,
        loaded=loaded,
        places=places,
    )
    open_loaded = _product(loaded, across)
    own = _product(np.swapaxes(across, -1, -2), _product(admittance, open_loaded))
    np.subtract(first.matrix[..., :-width, :-width], own, out=own)
    back = np.swapaxes(onward, -1, -2)
    other = _product(back, _product(_product(loaded, impedance), onward))
    other += second.matrix[..., width:, width:]
    mutual = _product(back, open_loaded)
    matrix = empty_matrices(own.shape[:-2], sum(places.sides))
    _put(matrix, places.first, places.first, own)
    _put(matrix, places.second, places.second, other)
    _put(matrix, places.second, places.first, mutual)
    _put(matrix, places.first, places.second, np.swapaxes(mutual, -1, -2))
    return Block(matrix, places.sides), joint


def empty_matrices(grid: tuple[int, ...], size: int) -> Array:
    """Square matrices of a grid of blocks; small ones lie in memory entry by entry."""
    if size > 4 * _FEW:
        return np.empty((*grid, size, size))
    return np.moveaxis(np.empty((size, size, *grid)), (0, 1), (-2, -1))


def _product(left: Array, right: Array) -> Array:
    """Product of matrices, in the order of memory that suits their size."""
    if left.shape[-1] > _FEW:
        return left @ right
    product: Array = np.einsum("...im,...mj->...ij", left, right)
    return product


def _loaded(impedance: Array, admittance: Array) -> Array:
    """Inverse of ``I + impedance @ admittance``; refuse it where its digits are lost."""
    system = _product(impedance, admittance)
    _diagonal(system)[...] += 1.0
    try:
        loaded = _inverse(system)
    except np.linalg.LinAlgError as error:
        raise ConfigError(_floating(np.inf)) from error
    # Skeel's condition number: it does not mind lines that differ in scale.
    terms = 1.0 + 2.0 * _product(impedance, _diagonal(admittance)[..., np.newaxis])
    worst = float(np.max(_product(np.abs(loaded), terms)))
    if not worst <= _WORST_CONDITION:
        raise ConfigError(_floating(worst))
    return loaded


def _inverse(matrix: Array) -> Array:
    """Inverse of each matrix, in the order of memory that suits its size."""
    if matrix.shape[-1] > _FEW:
        return np.linalg.inv(matrix).astype(np.float64, copy=False)
    inverse = np.empty_like(matrix)
    pivot = matrix[..., 0, 0]
    # Never below 1: a joint's voltage moves most where a current goes in.
    if np.any(pivot == 0.0):
        raise np.linalg.LinAlgError("the first entry is zero")
    if matrix.shape[-1] == 1:
        return np.divide(1.0, matrix, out=inverse)
    right, down = matrix[..., 0, 1] / pivot, matrix[..., 1, 0] / pivot
    rest = matrix[..., 1, 1] - matrix[..., 1, 0] * right
    if np.any(rest == 0.0):
        raise np.linalg.LinAlgError("the rows are parallel")
    inverse[..., 1, 1] = 1.0 / rest
    inverse[..., 0, 1], inverse[..., 1, 0] = -right / rest, -down / rest
    inverse[..., 0, 0] = 1.0 / pivot + right * down / rest
    return inverse


def _floating(worst: float) -> str:
    return (
        f"the lines are coupled {worst:.1e} times more strongly than they are held by their "
        f"sources (at most {_WORST_CONDITION:.0e} can be computed to 1e-9); lower "
        f"driver_resistance, sense_resistance or the wire resistances"
    )


def _places(first: Sides, second: Sides, *, turned: bool) -> Places:
    """Lay out near | held of both | open of both | far, or turned: lines across come first."""
    sizes = (first.near, first.held, second.held, first.open, second.open, second.far)
    sides = Sides(first.near, first.held + second.held, first.open + second.open, second.far)
    order = (1, 2, 0, 5, 3, 4) if turned else (0, 1, 2, 3, 4, 5)
    ends = np.cumsum([0, *(sizes[k] for k in order)]).tolist()
    to = {k: slice(start, end) for k, start, end in zip(order, ends[:-1], ends[1:], strict=True)}
    whole: list[list[tuple[slice, slice]]] = []
    for keys in ((0, 1, 3), (2, 4, 5)):
        cuts = np.cumsum([0, *(sizes[k] for k in keys)]).tolist()
        whole.append([(slice(cuts[k], cuts[k + 1]), to[key]) for k, key in enumerate(keys)])
    return Places(whole[0], whole[1], sides.turned() if turned else sides)


def _put(
    matrix: Array, rows: list[tuple[slice, slice]], cols: list[tuple[slice, slice]], part: Array
) -> None:
    """Write a part to its places."""
    for row, row_to in rows:
        for col, col_to in cols:
            matrix[..., row_to, col_to] = part[..., row, col]


def _diagonal(matrix: Array) -> Array:
    """View of the diagonals of a stack of matrices."""
    diagonal: Array = np.einsum("...ii->...i", matrix)
    return diagonal
