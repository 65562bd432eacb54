"""Resistances too small for a solver: where they change nothing, their two nodes are one.

A node between a segment of 1e-12 ohm and a cell of 1 Mohm adds conductances 18 decades apart; a
solver of 16 digits loses the cell, and the steps of its iteration never get small.  Long before, a
line takes so little of a voltage that leaving its resistance out is the smaller error.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from memspice.circuits.parameters import ArrayParameters

#: Relative error of a bit-line current, and share of the array's energy, that does not count: a
#: tenth of the margin within which fidelities may disagree over a spike.
NEGLIGIBLE = 1e-3
#: Share of a voltage that does not count: a thousandth of that.
NEGLIGIBLE_DROP = 1e-6


def drawn_array(array: ArrayParameters, tiles: Iterable[np.ndarray]) -> ArrayParameters:
    """Wires and drivers as a deck has them: 0 where they take less than ``NEGLIGIBLE_DROP``.

    Parameters
    ----------
    array : ArrayParameters
        As given.
    tiles : iterable of ndarray, each of shape (rows, columns), [S]
        Synapse devices of the tiles that it is for.
    """
    cells = [array.cell.read_conductance(tile, array.read_voltage) for tile in tiles]
    # A cell's current flows through all segments before it on its row, behind it on its column.
    near = [tile @ np.arange(1, tile.shape[1] + 1) for tile in cells]
    below = [np.arange(len(tile), 0, -1) @ tile for tile in cells]
    loads = {
        "wire_resistance_row": max(float(load.max()) for load in near),
        "wire_resistance_col": max(float(load.max()) for load in below),
        "driver_resistance": max(float(tile.sum(axis=1).max()) for tile in cells),
    }
    small = [name for name, load in loads.items() if getattr(array, name) * load < NEGLIGIBLE_DROP]
    return array.model_copy(update=dict.fromkeys(small, 0.0))
