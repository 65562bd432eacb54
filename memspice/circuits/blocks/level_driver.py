"""A row of five levels: switches of 45 nm to rails at quarters of the read voltage."""

from __future__ import annotations

from typing import ClassVar, Literal

from memspice.circuits.blocks.switched_driver import SwitchedDriver
from memspice.quantities import quantity


class LevelDriver(SwitchedDriver):
    """Five switches of a row with their gates, and what counts the four spikes that choose one.

    By default ``models/freepdk45/level_driver.lib``, measured in ngspice and VACASK
    (`benchmarks/level_driver.py`): 80.3 fJ a pulse, mean over levels and levels before where four
    neurons spike independently at a rate of 0.2 (within 3 % at 0.05 to 0.5), of which 0.9 fJ leak
    in its cycle of 40 ns: 22 nW, driven or not.
    Its switches have 44 to 63 ohm.  A bias row, always at one level of its own, is taken to cost
    as much.  Pixels are coded in pulses (`memspice.circuits.pulse_code`).
    """

    kind: Literal["levels"] = "levels"
    steps: ClassVar[int | None] = 4
    subcircuit: ClassVar[str] = "level_driver"
    gate_capacitance: float = quantity("F", "What a pulse charges", ge=0, default=79.4e-15)
    leakage: float = quantity("W", "Of gates and buffers, driven or not", ge=0, default=22.0e-9)
