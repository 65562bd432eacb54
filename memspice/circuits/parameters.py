"""Sizes of the circuits around the devices: array, drivers, sense and neuron periphery."""

from __future__ import annotations

from typing import Any

from memspice.devices.cell import Cell
from memspice.quantities import Parameters, quantity

#: Shortest and longest phase or edge of a cycle, [s].
SHORTEST, LONGEST = 1e-15, 10.0


def _length(doc: str) -> Any:
    return quantity("s", doc, ge=SHORTEST, le=LONGEST)


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
    cell: Cell = Cell()


class NeuronPeriphery(Parameters):
    """Driver, supplies, comparator and latch of one neuron."""

    driver_resistance: float = quantity("ohm", "Output resistance of the neuron's driver", gt=0)
    supply_positive: float = quantity("V", "Upper rail of the neuron's driver", gt=0)
    supply_negative: float = quantity("V", "Lower rail of the neuron's driver", lt=0)
    write_low: float = quantity("V", "Lowest output of the difference stage")
    write_high: float = quantity("V", "Highest output of the difference stage", gt=0)
    read_voltage: float = quantity("V", "Drive in the read phase", gt=0)
    reset_voltage: float = quantity("V", "Reverse drive in the reset phase", gt=0)
    compare_voltage: float = quantity("V", "Threshold of the read comparator", gt=0)
    logic_voltage: float = quantity("V", "Supply of comparator and latch", gt=0)
    compare_current: float = quantity("A", "Comparator current while reading", ge=0)
    latch_resistance: float = quantity("ohm", "Output resistance of the latch", gt=0)
    latch_capacitance: float = quantity("F", "Load of the latch: the spike line", gt=0)
    node_capacitance: float = quantity("F", "Parasitic capacitance of the read node", gt=0)
    trim_step: float = quantity(
        "V", "Step of the offset trim of a difference stage; 0 for none", ge=0, default=0.0
    )
    trim_range: float = quantity("V", "Largest offset trim, either sign", ge=0, default=0.0)


class Timing(Parameters):
    """Lengths of the phases of one cycle; see :meth:`schedule`."""

    edge: float = _length("Rise and fall time of every pulse")
    settle: float = _length("Time the sense stage gets before the write pulse")
    write: float = _length("Flat part of the write pulse")
    read: float = _length("Flat part of the read pulse")
    reset: float = _length("Flat part of the reset pulse")
    gap: float = _length("Rest between phases")
