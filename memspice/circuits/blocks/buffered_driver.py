"""A row of spikes: two switches of 45 nm, to the line level and to the read voltage."""

from __future__ import annotations

from typing import Literal

from memspice.circuits.blocks.switched_driver import SwitchedDriver
from memspice.quantities import quantity


class BufferedDriver(SwitchedDriver):
    """Two switches of a row with their gates.

    By default the two 10 um switches with tapered inverters of ``models/freepdk45/row_driver.lib``,
    69.9 fJ a pulse at 1 V in ngspice and VACASK, what leaks in 100 ns included;
    `array.driver_resistance` is 62.6 ohm there.
    """

    kind: Literal["buffered"] = "buffered"
    gate_capacitance: float = quantity("F", "What a pulse charges", ge=0, default=69.9e-15)
