"""What joins a word line to a bit line: a synapse device, alone or behind an access device.

::

    word line --[synapse device]--(middle)--[transistor or selector]-- bit line

Seen as one two-terminal element with its bit line at ground, which is where sense stages hold it.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memspice.devices.synapse_iv import CellCurve, OhmicCell
from memspice.devices.transistor import AccessDevice, access_current
from memspice.quantities import Parameters, quantity

Array = NDArray[np.float64]

#: Halvings of the voltage over the access device: to the last bit of a float64.
_HALVINGS = 60


class Cell(Parameters):
    """Synapse device and what stands in series with it; the default is ohmic and alone."""

    curve: CellCurve = OhmicCell()
    access: AccessDevice | None = None
    gate_voltage: float = quantity("V", "Gate of an access transistor in a read", default=1.0)

    @property
    def ohmic(self) -> bool:
        """Whether the cell is a resistor."""
        return self.access is None and isinstance(self.curve, OhmicCell)

    def middle_voltage(self, voltage: float, conductance: ArrayLike) -> Array:
        """Voltage over the access device, with the bit line at ground and the gate on.

        Parameters
        ----------
        voltage : float, [V]
            Of the word line.
        conductance : array_like, any shape, [S]
            Of the synapse devices at the origin.

        Returns
        -------
        ndarray, same shape, [V]
            Between 0 and ``voltage``; 0 without access device.
        """
        cells = np.asarray(conductance, np.float64)
        if self.access is None:
            return np.zeros(cells.shape)
        low, high = np.zeros(cells.shape), np.full(cells.shape, voltage)
        through = partial(access_current, self.access, gate=self.gate_voltage, bit=0.0)
        for _ in range(_HALVINGS):
            # Of the two currents one falls and the other rises with the voltage between them.
            middle = (low + high) / 2
            beyond = np.abs(self.curve.current(voltage - middle, cells)) < np.abs(through(middle))
            low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
        return np.asarray((low + high) / 2)

    def read_conductance(self, conductance: ArrayLike, voltage: float) -> Array:
        """Current per voltage of the whole cell at one voltage: the secant of its curve.

        Parameters
        ----------
        conductance : array_like, any shape, [S]
            Of the synapse devices at the origin.
        voltage : float, [V]
            Of the word line, not 0; the bit line is at ground and the gate on.

        Returns
        -------
        ndarray, same shape, [S]
            The conductances themselves, untouched, where the cell is ohmic.
        """
        cells = np.asarray(conductance, np.float64)
        if self.ohmic:
            return cells
        over = voltage - self.middle_voltage(voltage, cells)
        return np.asarray(self.curve.current(over, cells) / voltage)
