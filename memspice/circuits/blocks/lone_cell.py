"""A synapse device alone between word and bit line."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from memspice.circuits.blocks.synapse import Array, SynapseCell
from memspice.circuits.spice import SubCircuit
from memspice.devices.synapse_iv import CellCurve, OhmicCell
from memspice.quantities import Parameters


class LoneCell(Parameters, SynapseCell):
    """Synapse device alone; a resistor by default."""

    curve: CellCurve = OhmicCell()

    kind: ClassVar[str] = "lone"

    @property
    def ohmic(self) -> bool:
        """Whether its curve is straight."""
        return self.curve.linear

    def read_conductance(self, conductance: ArrayLike, voltage: float) -> Array:
        """Secant of its curve."""
        cells = np.asarray(conductance, np.float64)
        return cells if self.ohmic else np.asarray(self.curve.current(voltage, cells) / voltage)

    def add(
        self, circuit: SubCircuit, label: str, ends: tuple[str, str], gate: str, conductance: float
    ) -> None:
        """Add the device."""
        del gate
        self.add_device(circuit, label, ends, conductance)

    def current(
        self, ends: tuple[Array, Array], inner: list[Array], gate: Array, conductance: Array
    ) -> Array:
        """Current through the device."""
        del inner, gate
        return self.curve.current(ends[0] - ends[1], conductance)

    def dissipation(
        self, ends: tuple[Array, Array], inner: list[Array], gate: Array, conductance: Array
    ) -> list[Array]:
        """Power in the device."""
        return [(ends[0] - ends[1]) * self.current(ends, inner, gate, conductance)]
