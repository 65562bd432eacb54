"""Elimination of a wired crossbar, line by line.

::

    source i --[driver]--[row]--+--[row]--+--  word line i       each + on a word line is joined
                                |         |                      by one cell to the + below it
                             ---+--    ---+--  cell
                                |         |
                              [col]     [col]  bit lines; the last segment leads to the column end

Lines across the array are ladders whose own nodes are eliminated in closed form.  They are then
absorbed one by one into a *frontier*: the admittance among the nodes where the lines along the
array are cut.  The frontier is as wide as the shorter side of the array.

Every entry off the diagonal is a sum of terms of one sign, and the diagonal follows from the rows
summing to zero (nothing in the array is grounded).  So nothing cancels, and every entry is exact
to rounding even where a wire's conductance is a million times a cell's.  Wires enter as
resistances: an ideal wire is 0 ohm and needs no special case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

from memspice.errors import ConfigError

Array = NDArray[np.float64]

#: Beyond this ratio of coupling to leakage the reduction would lose more than six digits.
_WORST_CONDITION = 1e6
#: Transfer impedances are ratios of gains unless a line's last gain is smaller than this.
_SMALLEST_GAIN = 1e-100


@dataclass(frozen=True, slots=True)
class Ladders:
    """Parallel lines across the array, each fed at its near end through ``first``.

    Parameters
    ----------
    conductance : ndarray, shape (n_lines, width), [S]
        Cells, from the near end outwards.
    gain : ndarray, shape (n_lines, width)
        Voltage at each node of a line per volt at its source, other terminals grounded.
    step_gain : ndarray, shape (n_lines, width)
        Gain from the node before; ``gain`` is its running product.
    impedance : ndarray, shape (n_lines, width), [ohm]
        Of each node to ground, source and other cell terminals grounded.
    """

    conductance: Array
    gain: Array
    step_gain: Array
    impedance: Array

    @classmethod
    def build(cls, conductance: Array, first: float, step: float) -> Ladders:
        """Solve all ladders at once: ``first`` before the first cell, ``step`` between cells."""
        beyond, before = conductance.copy(), np.empty_like(conductance)
        width = conductance.shape[1]
        for k in range(width - 2, -1, -1):
            beyond[:, k] += beyond[:, k + 1] / (1.0 + step * beyond[:, k + 1])
        before[:, 0] = first
        for k in range(width - 1):
            before[:, k + 1] = step + before[:, k] / (1.0 + conductance[:, k] * before[:, k])
        segment = np.full(width, step)
        segment[0] = first
        step_gain = 1.0 / (1.0 + segment * beyond)
        gain: Array = np.cumprod(step_gain, axis=1, dtype=np.float64)
        return cls(conductance, gain, step_gain, before / (1.0 + beyond * before))

    @property
    def transfer(self) -> Array:
        """Current into each cell's far terminal per volt at its line's source [S]."""
        transfer: Array = self.conductance * self.gain
        return transfer

    def mutual(self, line: int, weight: Array) -> Array:
        """Transfer impedances among the nodes of one line, strictly below the diagonal.

        Parameters
        ----------
        line : int
            Which line.
        weight : ndarray, shape (width,)
            Factor on rows and columns: 1 for impedances [ohm]; the cells' conductances for the
            admittances [S] (less their sign) that the line makes among the far cell terminals.

        Returns
        -------
        ndarray, shape (width, width)
        """
        gain, own = self.gain[line], self.impedance[line] * weight
        if gain[-1] > _SMALLEST_GAIN:
            return np.tril(np.outer(weight * gain, own / gain), -1)
        # The ratio of two gains is 0/0 once a very long or resistive line has underflowed.
        below = np.tri(len(gain), k=-1, dtype=bool)
        product = np.cumprod(np.where(below, self.step_gain[line][:, np.newaxis], 1.0), axis=0)
        mutual: Array = np.where(below, weight[:, np.newaxis] * product * own, 0.0)
        return mutual

    def voltages(self, line: int, source: Array, far: Array) -> Array:
        """Node voltages (width, inputs) of one line.

        Parameters
        ----------
        line : int
            Which line.
        source : ndarray, shape (inputs,), [V]
            At its near end.
        far : ndarray, shape (width, inputs), [V]
            At the far terminal of each cell.
        """
        injected = self.conductance[line][:, np.newaxis] * far
        own = self.impedance[line][:, np.newaxis] * injected
        others = full_product(self.mutual(line, np.ones(len(injected))), injected)
        total: Array = np.outer(self.gain[line], source) + own + others
        return total


class Frontier:
    """Network of the ladders absorbed so far, seen from the nodes where it is cut.

    Parameters
    ----------
    width : int
        Nodes across.

    Attributes
    ----------
    coupling : ndarray, shape (width, width), [S]
        Admittances between nodes less their sign, strictly below the diagonal.
    leak : ndarray, shape (width,), [S]
        From each node to all sources together.
    """

    def __init__(self, width: int) -> None:
        self.coupling = np.zeros((width, width))
        self.leak = np.zeros(width)
        self._ones = np.ones(width)

    def absorb(self, ladders: Ladders, line: int, resistance: float) -> Array | None:
        """Join one line, then move every node past a wire segment in series.

        With D the admittance before, the node voltages before the segment are
        ``(I + resistance * D)^-1`` applied to those after it plus the drop caused by the sources.

        Parameters
        ----------
        ladders : Ladders
            All lines.
        line : int
            Which one to join.
        resistance : float, [ohm]
            Of the segment.

        Returns
        -------
        ndarray, shape (width, width), or None
            Lower triangle of that inverse; None where the segment is ideal and nothing changes.
        """
        self.coupling += ladders.mutual(line, ladders.conductance[line])
        self.leak += ladders.conductance[line] * ladders.gain[line]
        if resistance == 0.0:
            return None
        across = resistance * symmetric_product(self.coupling, self._ones)
        alone = 1.0 + resistance * self.leak
        worst = float(np.max(across / alone))
        if worst > _WORST_CONDITION:
            raise ConfigError(
                f"the lines are coupled {worst:.1e} times more strongly than they are held by "
                f"their sources (at most {_WORST_CONDITION:.0e} can be computed to 1e-9); lower "
                f"driver_resistance, sense_resistance or the wire resistances"
            )
        self.coupling *= -resistance
        np.fill_diagonal(self.coupling, alone + across)
        inverse = _inverse(self.coupling)
        self.leak = symmetric_product(inverse, self.leak)
        self.coupling = inverse / resistance
        np.fill_diagonal(self.coupling, 0.0)
        return inverse


@dataclass(frozen=True, slots=True)
class OrientedArray:
    """A crossbar turned so that the frontier runs along its shorter side.

    Parameters
    ----------
    ladders : Ladders
        The word lines; or, transposed, the bit lines seen from their ends.
    segments : ndarray, shape (n_lines,), [ohm]
        Past each line; the last includes what stands between array and port.
    transposed : bool
        Whether the ladders are bit lines: then line 0 is the last column, and node 0 of a line
        belongs to the last row.
    """

    ladders: Ladders
    segments: Array
    transposed: bool


def oriented(
    conductance: Array, row: float, col: float, driver: float, sense: float = 0.0
) -> OrientedArray:
    """Turn a crossbar so that the frontier runs along its shorter side.

    The circuit looks the same from the outputs, read backwards, as from the inputs.
    """
    transposed = conductance.shape[1] > conductance.shape[0]
    if transposed:
        conductance = np.ascontiguousarray(conductance[::-1, ::-1].T)
        row, col, driver, sense = col, row, sense, driver
    segments = np.full(len(conductance), col)
    segments[-1] += sense
    return OrientedArray(Ladders.build(conductance, row + driver, row), segments, transposed)


def symmetric_product(lower: Array, right: Array) -> Array:
    """Product of a symmetric matrix, of which only the lower triangle is read, with a vector."""
    # BLAS counts columns first: a C-ordered lower triangle is its upper one.
    product: Array = blas.dsymv(1.0, lower.T, right, lower=0)
    return product


def full_product(lower: Array, right: Array) -> Array:
    """Product of a symmetric matrix, of which only the lower triangle is read, with a matrix."""
    product: Array = blas.dsymm(1.0, lower.T, right, lower=0)
    return product


def _inverse(matrix: Array) -> Array:
    """Lower triangle of the inverse of a positive definite matrix, in place."""
    factor, failed = lapack.dpotrf(matrix.T, lower=0, clean=0, overwrite_a=1)
    inverse, singular = lapack.dpotri(factor, lower=0, overwrite_c=1)
    if failed or singular:
        raise ConfigError(
            "the array is too ill-conditioned to be reduced; lower the wire resistances or "
            "bring the cells' conductances closer together"
        )
    lower: Array = inverse.T
    return lower
