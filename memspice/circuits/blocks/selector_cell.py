"""A synapse device behind a two-terminal selector: 1S1R."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from memspice.circuits.blocks.accessed_cell import AccessedCell
from memspice.circuits.spice import SubCircuit
from memspice.devices.transistor import Selector
from memspice.quantities import Parameters


class SelectorCell(AccessedCell):
    """Cell with a selector."""

    access: Selector

    kind: ClassVar[str] = "selector"
    devices: ClassVar[Mapping[str, type[Parameters]]] = {"access": Selector}

    def add_access(self, circuit: SubCircuit, label: str, ends: tuple[str, str], gate: str) -> None:
        """Add the selector."""
        del gate
        circuit.X(f"t{label}", "selector", *ends, **self.access.model_dump())
