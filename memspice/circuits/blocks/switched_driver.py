"""Row drivers whose gates and buffers cost a charge in every pulse, and leak.

::

    Vgates<row> --d<row>-- Igates<row>: a charge when the row rises
    Vrow<row> --[array.driver_resistance]-- row
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from memspice.circuits.blocks.pulse_driver import PulseDriver
from memspice.circuits.blocks.row_driver import RowDriver
from memspice.circuits.deck import PieceWiseLinear
from memspice.circuits.signals import Signals, source_power
from memspice.circuits.spice import Circuit
from memspice.quantities import quantity

_SWITCH = PulseDriver()


class SwitchedDriver(RowDriver):
    """Switch of a row, and what switches it.

    `array.driver_resistance` is the switch's.
    """

    circuit_constants: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "driver": ("array.driver_resistance", "row_driver.gate_capacitance", "row_driver.leakage")
    }
    gate_supply: float = quantity("V", "Supply of gates and buffers", gt=0, default=1.0)
    gate_capacitance: float = quantity("F", "What a pulse charges", ge=0)
    leakage: float = quantity("W", "Of gates and buffers, driven or not", ge=0)

    def pulse_energy(self, row_voltage: np.ndarray, cycle: float) -> np.ndarray:
        """``C V^2`` for each row that is driven, and the leakage of every row."""
        pulse = self.gate_capacitance * self.gate_supply**2
        leaks = self.leakage * cycle * row_voltage.shape[-1]
        return np.asarray(pulse * np.count_nonzero(row_voltage, axis=-1) + leaks)

    def add(self, circuit: Circuit, row: str, train: PieceWiseLinear, resistance: float) -> None:
        """Add the switch, the supply of its gates, and the current that they take."""
        _SWITCH.add(circuit, row, train, resistance)
        node = f"d{row}"
        circuit.V(f"gates{row}", node, circuit.gnd, self.gate_supply)
        circuit.I(f"gates{row}", node, circuit.gnd, self._current(train))

    def _current(self, train: PieceWiseLinear) -> PieceWiseLinear:
        """A triangle of the charge in each rising edge, on top of what leaks."""
        points, leak = [(0.0, 0.0)], self.leakage / self.gate_supply
        for (start, low), (stop, high) in zip(train.points[:-1], train.points[1:], strict=True):
            if high > low:
                peak = 2 * self.gate_capacitance * self.gate_supply / (stop - start)
                corners = ((start, 0.0), ((start + stop) / 2, peak), (stop, 0.0))
                points += corners[1:] if start == 0 else corners
        return PieceWiseLinear(tuple((time, value + leak) for time, value in points))

    def signals(self, row: str) -> list[str]:
        """Those of the switch, and the current of the supply."""
        return [*_SWITCH.signals(row), f"i(vgates{row})"]

    def delivered(self, signals: Signals, row: str, source: np.ndarray) -> np.ndarray:
        """Power of both sources."""
        gates = source_power(signals, f"gates{row}", self.gate_supply)
        return np.asarray(_SWITCH.delivered(signals, row, source) + gates)

    def power(
        self, signals: Signals, row: str, source: np.ndarray, resistance: float
    ) -> np.ndarray:
        """Power in the resistance, and all that the gates take."""
        gates = source_power(signals, f"gates{row}", self.gate_supply)
        return np.asarray(_SWITCH.power(signals, row, source, resistance) + gates)

    def stored(self, signals: Signals, row: str) -> np.ndarray:
        """Nothing: charge on gates is lost in the pulse."""
        return _SWITCH.stored(signals, row)
