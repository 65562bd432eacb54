"""A pulse source behind a resistance: a row driver whose gates cost nothing."""

from __future__ import annotations

from typing import Literal

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.blocks.row_driver import RowDriver
from memspice.circuits.deck import PieceWiseLinear
from memspice.circuits.signals import Signals, source_power
from memspice.circuits.spice import Circuit


class PulseDriver(RowDriver):
    """``Vrow<row>`` on the node ``s<row>``, and ``Rdriver<row>`` from there to the row."""

    kind: Literal["pulse"] = "pulse"

    def pulse_energy(self, row_voltage: np.ndarray, cycle: float) -> np.ndarray:
        """Nothing: the source is ideal."""
        del cycle
        return np.zeros(len(row_voltage))

    def add(self, circuit: Circuit, row: str, train: PieceWiseLinear, resistance: float) -> None:
        """Add the source, and the resistance where there is one."""
        begin = nodes.row(row)
        node = f"s{row}" if resistance > 0 else begin
        circuit.V(f"row{row}", node, circuit.gnd, train)
        if resistance > 0:
            circuit.R(f"driver{row}", node, begin, resistance)

    def signals(self, row: str) -> list[str]:
        """Voltage of the row, current of the source."""
        return [f"v({nodes.row(row)})", f"i(vrow{row})"]

    def delivered(self, signals: Signals, row: str, source: np.ndarray) -> np.ndarray:
        """Power of the source."""
        return source_power(signals, f"row{row}", source)

    def power(
        self, signals: Signals, row: str, source: np.ndarray, resistance: float
    ) -> np.ndarray:
        """Power in the resistance."""
        if resistance == 0:
            return np.zeros_like(source)
        return np.asarray((source - signals.voltage(nodes.row(row))) ** 2 / resistance)

    def stored(self, signals: Signals, row: str) -> np.ndarray:
        """Nothing."""
        del row
        return np.zeros_like(signals.time)
