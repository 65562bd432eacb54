"""Sizes of the crossbar around the cells: wires and row drivers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pydantic import InstanceOf

from memspice.circuits.blocks.lone_cell import LoneCell
from memspice.circuits.blocks.pulse_driver import PulseDriver
from memspice.circuits.blocks.row_driver import RowDriver
from memspice.circuits.blocks.synapse import SynapseCell
from memspice.circuits.negligible import NEGLIGIBLE_DROP
from memspice.errors import ConfigError
from memspice.quantities import Parameters, quantity


class ArrayParameters(Parameters):
    """Wires, cells and row drivers of a crossbar.

    A line's capacitance stands at the cells, to ground.  Gate lines of access transistors are
    ideal: they carry no current, and their charge counts among the control pulses.
    """

    wire_resistance_row: float = quantity("ohm", "Word-line segment per cell", ge=0)
    wire_resistance_col: float = quantity("ohm", "Bit-line segment per cell", ge=0)
    driver_resistance: float = quantity("ohm", "Source resistance of a row driver", ge=0)
    read_voltage: float = quantity("V", "Row voltage of a spike", gt=0)
    drive_limit: float = quantity("V", "Largest voltage of a row driver", gt=0, default=1.0)
    wire_capacitance_row: float = quantity("F", "Word line, per cell", ge=0, default=0.0)
    wire_capacitance_col: float = quantity("F", "Bit line, per cell", ge=0, default=0.0)
    cell: InstanceOf[SynapseCell] = LoneCell()
    row_driver: InstanceOf[RowDriver] = PulseDriver()

    def driven(self, scale: float, level: float) -> ArrayParameters:
        """The same with the row voltages that a stage of fixed gain needs.

        Parameters
        ----------
        scale : float, [1]
            Of the read voltage.
        level : float, [V]
            At which rows rest.

        Raises
        ------
        ConfigError
            If that is more than a row driver gives.
        """
        if scale == 1:
            return self
        voltage = scale * self.read_voltage
        if level + voltage > self.drive_limit:
            raise ConfigError(
                f"the gain of the sense stage asks for rows of {level + voltage:.3g} V, above "
                f"array.drive_limit = {self.drive_limit:g} V of a row: use a stage of more gain"
            )
        return self.model_copy(update={"read_voltage": voltage})

    def drawn(self, tiles: Iterable[np.ndarray]) -> ArrayParameters:
        """Wires and drivers as a deck has them: 0 where they take less than ``NEGLIGIBLE_DROP``.

        Parameters
        ----------
        tiles : iterable of ndarray, each of shape (rows, columns), [S]
            Synapse devices of the tiles that it is for.
        """
        cells = [self.cell.read_conductance(tile, self.read_voltage) for tile in tiles]
        # A cell's current flows through all segments before it on its row, behind it on its column.
        near = [tile @ np.arange(1, tile.shape[1] + 1) for tile in cells]
        below = [np.arange(len(tile), 0, -1) @ tile for tile in cells]
        loads = {
            "wire_resistance_row": max(float(load.max()) for load in near),
            "wire_resistance_col": max(float(load.max()) for load in below),
            "driver_resistance": max(float(tile.sum(axis=1).max()) for tile in cells),
        }
        small = [n for n, load in loads.items() if getattr(self, n) * load < NEGLIGIBLE_DROP]
        return self.model_copy(update=dict.fromkeys(small, 0.0))
