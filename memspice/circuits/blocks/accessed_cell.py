"""A synapse device behind an access device, for any access device.

::

    word line --[synapse device]--(m<i>_<j>)--[access device]-- bit line
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from memspice.circuits.blocks.synapse import Array, SynapseCell
from memspice.circuits.spice import SubCircuit
from memspice.devices.synapse_iv import CellCurve, OhmicCell
from memspice.devices.transistor import AccessDevice
from memspice.quantities import Parameters

#: Halvings of the voltage over the access device: to the last bit of a float64.
_HALVINGS = 60


class AccessedCell(Parameters, SynapseCell):
    """Two devices in series, whose common node is found by halving."""

    curve: CellCurve = OhmicCell()
    access: AccessDevice

    inner: ClassVar[tuple[str, ...]] = ("m",)

    @property
    def ohmic(self) -> bool:
        """Never: access devices are bent."""
        return False

    @abstractmethod
    def add_access(self, circuit: SubCircuit, label: str, ends: tuple[str, str], gate: str) -> None:
        """Add the access device from the common node to the bit line."""

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
            Between 0 and ``voltage``.
        """
        cells, gate = np.asarray(conductance, np.float64), self.gate or 0.0
        low, high = np.zeros(cells.shape), np.full(cells.shape, voltage)
        for _ in range(_HALVINGS):
            # Of the two currents one falls and the other rises with the voltage between them.
            middle = (low + high) / 2
            above = np.abs(self.curve.current(voltage - middle, cells))
            beyond = above < np.abs(self.access.through(middle, gate, 0.0))
            low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
        return np.asarray((low + high) / 2)

    def read_conductance(self, conductance: ArrayLike, voltage: float) -> Array:
        """Secant of both devices in series."""
        cells = np.asarray(conductance, np.float64)
        over = voltage - self.middle_voltage(voltage, cells)
        return np.asarray(self.curve.current(over, cells) / voltage)

    def add(
        self, circuit: SubCircuit, label: str, ends: tuple[str, str], gate: str, conductance: float
    ) -> None:
        """Add both devices and the node between them."""
        (word, bit), middle = ends, f"{self.inner[0]}{label}"
        self.add_device(circuit, label, (word, middle), conductance)
        self.add_access(circuit, label, (middle, bit), gate)

    def current(
        self, ends: tuple[Array, Array], inner: list[Array], gate: Array, conductance: Array
    ) -> Array:
        """Current through the access device."""
        del conductance
        return self.access.through(inner[0], gate, ends[1])

    def dissipation(
        self, ends: tuple[Array, Array], inner: list[Array], gate: Array, conductance: Array
    ) -> list[Array]:
        """Power in the access device, and in the synapse device."""
        (word, bit), (middle,) = ends, inner
        through, over = self.current(ends, inner, gate, conductance), word - middle
        return [(middle - bit) * through, over * self.curve.current(over, conductance)]

    @property
    def legend(self) -> list[str]:
        """The access device, too."""
        return [*super().legend, "Xt<i>_<j>: access device between cell and bit line"]
