"""A synapse that was measured in SPICE: its current against voltage and conductance.

The current in units of ``conductance times voltage``: a table of numbers near 1, straight between
its points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class CellTable:
    """Measured curves of a cell.

    Parameters
    ----------
    voltage : ndarray, shape (volts,), [V]
        Over the cell; rising, none of them 0.
    conductance : ndarray, shape (cells,), [S]
        Rising.
    share : ndarray, shape (cells, volts), [1]
        Current over conductance times voltage; beyond the ends as there.
    error : float, [1]
        Largest difference from the circuit between the points.
    """

    voltage: np.ndarray
    conductance: np.ndarray
    share: np.ndarray
    error: float

    def at(self, voltage: ArrayLike, conductance: ArrayLike) -> NDArray[np.float64]:
        """Share at voltages and conductances, broadcast against each other."""
        volts, cells = np.broadcast_arrays(voltage, conductance)
        k, along = _place(np.log(self.conductance), np.log(np.maximum(cells, 1e-30)))
        m, across = _place(self.voltage, volts)
        low = (1 - across) * self.share[k, m] + across * self.share[k, m + 1]
        high = (1 - across) * self.share[k + 1, m] + across * self.share[k + 1, m + 1]
        return np.asarray((1 - along) * low + along * high)


def _place(points: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the interval that a value lies in, and the share of it below the value."""
    number = np.clip(np.searchsorted(points, values, side="right") - 1, 0, len(points) - 2)
    share = (values - points[number]) / (points[number + 1] - points[number])
    return number, np.clip(share, 0.0, 1.0)
