"""A row of spikes: two switches of 45 nm, to the line level and to the read voltage."""

from __future__ import annotations

from typing import Literal

from memspice.circuits.blocks.switched_driver import SwitchedDriver
from memspice.quantities import quantity


class BufferedDriver(SwitchedDriver):
    """Two switches of a row with their gates.

    By default the two 10 um switches with tapered inverters of ``models/freepdk45/row_driver.lib``,
    60.8 fJ a pulse and 10.3 nW at 1 V, as `benchmarks.periphery` measures them; there
    `array.driver_resistance` is 62.6 ohm.
    """

    kind: Literal["buffered"] = "buffered"
    gate_capacitance: float = quantity("F", "What a pulse charges", ge=0, default=60.8e-15)
    leakage: float = quantity("W", "Of gates and buffers, driven or not", ge=0, default=10.3e-9)
