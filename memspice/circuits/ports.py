"""Row tiles that share their bit lines, reduced exactly to their ports.

A layer with more inputs than a tile has rows is cut into row tiles whose bit lines meet at one
sense stage.  Each tile is reduced to its port admittance; here they are joined at the columns and
terminated by the input resistance of the sense stages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from memspice.circuits.parameters import ArrayParameters
from memspice.solver.reduction import PortAdmittance, one_blas_thread, port_admittance


@dataclass(frozen=True, eq=False)
class PortArray:
    """Ports of the row tiles of one group of columns.

    ``rows`` counts the rows of all tiles, in order; currents and voltages follow
    :class:`~memspice.solver.reduction.PortAdmittance`.
    """

    tiles: tuple[PortAdmittance, ...]
    input_resistance: float

    @cached_property
    def column_admittance(self) -> np.ndarray:
        """Admittance between the joined column ends, shape (columns, columns), [S]."""
        return np.asarray(np.sum([tile.col_col for tile in self.tiles], axis=0))

    @cached_property
    def _terminated_impedance(self) -> np.ndarray:
        """Inverse of the column admittance with every column ended, shape (columns, columns)."""
        ended = self.column_admittance + np.eye(len(self.column_admittance)) / self.input_resistance
        with one_blas_thread():
            return np.asarray(np.linalg.inv(ended))

    @cached_property
    def injection(self) -> np.ndarray:
        """Short-circuit current of each column per row voltage, shape (columns, rows), [S]."""
        return -np.concatenate([tile.row_col for tile in self.tiles]).T

    @cached_property
    def column_voltage(self) -> np.ndarray:
        """Voltage of the ended columns per row voltage, shape (columns, rows), [1]."""
        return np.asarray(self._terminated_impedance @ self.injection)

    @cached_property
    def transfer(self) -> np.ndarray:
        """Current into the sense stages per row voltage, shape (columns, rows), [S]."""
        return self.column_voltage / self.input_resistance

    @cached_property
    def own_conductance(self) -> np.ndarray:
        """Conductance seen into each column, the others ended, shape (columns,), [S]."""
        return 1 / np.diag(self._terminated_impedance) - 1 / self.input_resistance

    @cached_property
    def norton_current(self) -> np.ndarray:
        """Norton current of each column, the others ended, per row voltage, (columns, rows), [S].

        Exact while the other sense stages are linear and settled: see :attr:`coupling`.
        """
        return self.column_voltage / np.diag(self._terminated_impedance)[:, None]

    @cached_property
    def coupling(self) -> float:
        """Largest share of a column's voltage that arrives at another column, [1].

        It bounds what a reduced deck, in which each column sees the others ended by a resistor,
        can miss while the other sense stages settle.
        """
        impedance = self._terminated_impedance
        share = np.abs(impedance) / np.diag(impedance)
        return float(np.max(share - np.eye(len(share)), initial=0.0))

    def split_rows(self, rows: np.ndarray) -> list[np.ndarray]:
        """Cut an array (..., rows) into the parts of the tiles."""
        edges = np.cumsum([len(tile.row_row) for tile in self.tiles])[:-1]
        return np.split(rows, edges, axis=-1)


#: Reduces the row tiles of a group of columns, as `port_array` does; one may know earlier answers.
PortSource = Callable[[tuple[np.ndarray, ...], ArrayParameters, float], PortArray]


def port_array(
    conductances: tuple[np.ndarray, ...], array: ArrayParameters, input_resistance: float
) -> PortArray:
    """Reduce the row tiles of a group of columns.

    A cell that is not a resistor counts as the one that carries the same current at the read
    voltage.

    Parameters
    ----------
    conductances : tuple of ndarray, each of shape (rows of the tile, columns), [S]
        Synapse devices, tile by tile.
    array : ArrayParameters
        Wires, cells and drivers.
    input_resistance : float, [ohm]
        End of each column.
    """
    cells, wires = reduced_from(conductances, array)
    return PortArray(tuple(port_admittance(tile, *wires) for tile in cells), input_resistance)


def reduced_from(
    conductances: tuple[np.ndarray, ...], array: ArrayParameters
) -> tuple[tuple[np.ndarray, ...], tuple[float, float, float]]:
    """All that decides the port admittances of row tiles.

    Cells (rows, columns) [S] tile by tile; segments of row and column and the driver, [ohm].
    """
    cells = tuple(array.cell.read_conductance(tile, array.read_voltage) for tile in conductances)
    return cells, (
        array.wire_resistance_row, array.wire_resistance_col, array.driver_resistance
    )  # fmt: skip
