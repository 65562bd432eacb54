"""Synapse of the user's own: a subcircuit or a Verilog-A module, and its measured curves.

::

    word line --[circuit of some conductance]-- bit line
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from memspice.circuits.blocks.synapse import Array, MeasurableCell
from memspice.circuits.deck import Deck
from memspice.circuits.measured_cell import CellTable
from memspice.circuits.own_circuit import OwnCircuit
from memspice.circuits.own_terminals import GROUND
from memspice.circuits.spice import SubCircuit
from memspice.devices.synapse_iv import CellCurve, OhmicCell
from memspice.errors import ConfigError

#: Terminals that every cell has, and what each is.
CONTRACT = {"word": "is the word line", "bit": "the bit line"}
#: Parameter of the circuit that is each cell's own.
CONDUCTANCE = "conductance"
#: Distance from ``conductance times voltage`` below which a cell counts as a resistor: a tenth of
#: what a hazard integral may be off.
OHMIC = 1e-3


@dataclass(frozen=True, eq=False)
class OwnCell(MeasurableCell):
    """A circuit as a synapse; ``table`` is measured before a network is put onto it.

    Parameters
    ----------
    circuit : OwnCircuit
    limits : tuple of float, [V]
        Over the cell, in use.
    """

    circuit: OwnCircuit
    limits: tuple[float, float]
    measured: CellTable | None = None

    kind: ClassVar[str] = "own"
    curve: ClassVar[CellCurve] = OhmicCell()  # type: ignore[misc]

    @property
    def unmeasured(self) -> OwnCell | None:
        """Itself, while there is no table."""
        return None if self.measured else self

    @property
    def range(self) -> tuple[float, float]:
        """Voltages of the table, [V]."""
        return self.limits

    def with_table(self, table: CellTable) -> OwnCell:
        """The same cell, measured."""
        return replace(self, measured=table)

    @property
    def _table(self) -> CellTable:
        if self.measured is None:
            raise ConfigError(
                f"the cell {self.circuit.name} is not measured yet: use it by memspice.Chip, which "
                "does so first"
            )
        return self.measured

    @property
    def ohmic(self) -> bool:
        """Whether every measured current is its conductance times its voltage."""
        return bool(np.abs(self._table.share - 1).max() <= OHMIC)

    def read_conductance(self, conductance: ArrayLike, voltage: float) -> Array:
        """Measured secant."""
        cells = np.asarray(conductance, np.float64)
        return cells if self.ohmic else np.asarray(cells * self._table.at(voltage, cells))

    def define(self, deck: Deck) -> None:
        """Add the circuit's text."""
        self.circuit.define(deck)

    def add(
        self, circuit: SubCircuit, label: str, ends: tuple[str, str], gate: str, conductance: float
    ) -> None:
        """Add an instance."""
        del gate
        nodes = dict(zip(CONTRACT, ends, strict=True)) | {GROUND: "0"}
        terminals = [nodes[name] for name in self.circuit.terminals]
        own = {**self.circuit.parameters, CONDUCTANCE: conductance}
        circuit.X(f"g{label}", self.circuit.name, *terminals, **own)

    def current(
        self, ends: tuple[Array, Array], inner: list[Array], gate: Array, conductance: Array
    ) -> Array:
        """Measured current at the voltage between the lines."""
        del inner, gate
        over = ends[0] - ends[1]
        return np.asarray(over * conductance * self._table.at(over, conductance))

    def dissipation(
        self, ends: tuple[Array, Array], inner: list[Array], gate: Array, conductance: Array
    ) -> list[Array]:
        """Power between the lines."""
        return [(ends[0] - ends[1]) * self.current(ends, inner, gate, conductance)]

    @property
    def legend(self) -> list[str]:
        """Instances of the circuit."""
        return [f"Xg<i>_<j>: cell, {self.circuit.name}"]
