"""A synapse device behind an access transistor: 1T1R.

::

    word line --[synapse device]--(m<i>_<j>)--[transistor]-- bit line
                                        gate line of the row --'   bulk at ground
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from memspice.circuits.blocks.accessed_cell import AccessedCell
from memspice.circuits.spice import SubCircuit
from memspice.devices.transistor import AccessTransistor
from memspice.quantities import Parameters, quantity


class TransistorCell(AccessedCell):
    """Cell with a transistor, whose bulk is at ground and whose gate carries no current."""

    access: AccessTransistor
    gate_voltage: float = quantity("V", "Gate of an access transistor in a read", default=1.0)

    kind: ClassVar[str] = "access_transistor"
    devices: ClassVar[Mapping[str, type[Parameters]]] = {"access": AccessTransistor}
    grounded: ClassVar[bool] = True

    @property
    def gate(self) -> float:
        """Voltage of the gate line while rows are driven."""
        return self.gate_voltage

    def add_access(self, circuit: SubCircuit, label: str, ends: tuple[str, str], gate: str) -> None:
        """Add the transistor."""
        terminals = (ends[0], gate, ends[1], circuit.gnd)
        circuit.X(f"t{label}", "access_transistor", *terminals, **self.access.model_dump())
