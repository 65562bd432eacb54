"""Every cell and every wire segment in SPICE: the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from memspice.circuits.wired_array_circuit import WiredArrayCircuit
from memspice.windows.simulated import Simulated


@dataclass(frozen=True)
class Full(Simulated):
    """Drivers, wires, cells, sense stages and neurons in SPICE; holds for any circuit."""

    name: ClassVar[str] = "full"
    exact: ClassVar[bool] = True
    array: ClassVar[WiredArrayCircuit] = WiredArrayCircuit()
