"""Levels of a neuron behind transistor switches, and the joules of its switches and nodes.

Supplies give charges at their voltages, so a node's joules in a phase go by where the phase before
left it.  In a write that is the supply, to which the reset took the node, and the node goes to the
drive; in a read it is the drive, or ground behind a device that has switched and discharged it.  A
pass gate that is off lets the less through the higher the drive is that it leaks into.
"""

from __future__ import annotations

import numpy as np

from memspice.circuits.timing import Schedule
from memspice.quantities import Parameters, quantity


class WritePath(Parameters):
    """Switches of a neuron and their levels: ``write_path`` of ``models/freepdk45/``.

    Joules and farads were measured by `benchmarks.neuron_path`, at 1 V and 27 C.
    """

    write_low: float = quantity("V", "Lowest write voltage", ge=0)
    write_high: float = quantity("V", "Highest write voltage", gt=0)
    electrode_voltage: float = quantity("V", "Common electrode in a write", gt=0)
    read_voltage: float = quantity("V", "On device and resistor in a read, reverse", gt=0)
    supply_voltage: float = quantity("V", "Of switches; on the device in a reset, reverse", gt=0)
    write_energy: float = quantity("J", "Write: clock of the pass gate, edges at the nodes", ge=0)
    node_capacitance: float = quantity("F", "Of the nodes that a write takes to the drive", ge=0)
    gate_capacitance: float = quantity("F", "Between these and gates at the supply", ge=0)
    read_energy: float = quantity("J", "Clock of the read switch, edges at the nodes", ge=0)
    read_capacitance: float = quantity("F", "Of the nodes that a read takes to its level", ge=0)
    reset_energy: float = quantity("J", "Clock of the reset switch, charge of the nodes", ge=0)
    switched_write_energy: float = quantity("J", "More charge with a switch", ge=0)
    switched_read_energy: float = quantity("J", "More charge after a switch", ge=0)
    switched_reset_energy: float = quantity("J", "More charge after a switch", ge=0)
    leakage: float = quantity("W", "Of switches and their drivers", ge=0)
    pass_leakage: float = quantity("W", "More through the pass gate to a drive at 0 V", ge=0)
    electrode_energy: float = quantity(
        "J", "Driver of the common electrode and its wire, a neuron's share of a cycle", ge=0
    )
    trim_step: float = quantity("V", "Step of the offset trim; 0 for none", ge=0, default=0.0)
    trim_range: float = quantity("V", "Largest offset trim, either sign", ge=0, default=0.0)

    def event_energy(
        self, schedule: Schedule, level: np.ndarray, switched: np.ndarray
    ) -> np.ndarray:
        """Joules of switches and nodes in each phase of events, without leakage of the drivers.

        Parameters
        ----------
        schedule : Schedule
            Pulses of a cycle.
        level : ndarray, shape (cycles, neurons), [V]
            Drives, between ground and the supply.
        switched : ndarray of bool, shape (cycles, neurons)

        Returns
        -------
        ndarray, shape (3, cycles, neurons), [J]
            Write, read and reset phase.
        """
        supply, read = self.supply_voltage, self.read_voltage
        given = supply * self.gate_capacitance - level * self.node_capacitance
        charged = read * self.read_capacitance * (read - np.where(switched, 0.0, level))
        leak = self.pass_leakage * self.leaking(level)
        always = (
            self.write_energy + self.electrode_energy + (supply - level) * given,
            self.read_energy + charged + leak * (schedule.phase_ends[1] - schedule.phase_ends[0]),
            self.reset_energy + leak * (schedule.phase_ends[2] - schedule.phase_ends[1]),
        )
        more = (self.switched_write_energy, self.switched_read_energy, self.switched_reset_energy)
        return np.asarray(np.stack(always) + np.multiply.outer(more, switched))

    def leaking(self, level: np.ndarray) -> np.ndarray:
        """Share of :attr:`pass_leakage` that is left at some drives, any shape [V], [1].

        A rule, within 0.6 % of the joules of a reset at all drives: the NMOS, whose source is the
        drive, leaks within 0.1 V of ground, the PMOS by the voltage over it.
        """
        return np.asarray((1 - np.sqrt(np.clip(level / self.supply_voltage, 0, 1))) ** 2)

    def idle_energy(self, schedule: Schedule) -> np.ndarray:
        """Leakage of the drivers, by phase, (3,), [J]."""
        return np.asarray(self.leakage * np.diff((0.0, *schedule.phase_ends)))
