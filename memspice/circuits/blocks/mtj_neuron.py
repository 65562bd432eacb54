"""Spin-orbit-torque MTJ as a neuron: written through its heavy metal, read through its junction.

::

    drive --> driver --(top)--heavy metal to ground
              read driver --(junction)--tunnel junction--(mid)--> latch
                                                           |
                                                   reference resistor
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from memspice.circuits.blocks.driven_neuron import (
    DrivenNeuron,
    NeuronDriver,
    Values,
    state_conductance,
)
from memspice.circuits.blocks.tables import Tables
from memspice.circuits.signals import Signals
from memspice.circuits.spice import SubCircuit
from memspice.circuits.timing import Schedule, Timing
from memspice.devices.hazard import HazardLaw
from memspice.devices.neurons import MtjNeuron
from memspice.quantities import Parameters, quantity


class NeelBrown(Parameters):
    """Constants of an MTJ's thermal switching, turned into a hazard law."""

    attempt_time: float = quantity("s", "Inverse attempt rate", gt=0)
    critical_voltage: float = quantity("V", "Voltage at which the barrier vanishes", gt=0)
    barrier: float = quantity("1", "Barrier height in kT", gt=0)


@dataclass(frozen=True)
class SotMtjNeuron(DrivenNeuron):
    """MTJ with a driver for its write line and another for its junction."""

    device: MtjNeuron

    kind: ClassVar[str] = "mtj"
    constants: ClassVar[frozenset[str]] = frozenset(
        {"neel_brown.attempt_time", "neel_brown.critical_voltage", "neel_brown.barrier"}
        | {"hazard.voltage_scale", "hazard.time_scale", "hazard.form"}
        | {"neuron.heavy_metal_resistance", "neuron.parallel_resistance"}
        | {"neuron.antiparallel_resistance"}
    )
    own_nodes: ClassVar[tuple[str, ...]] = (*DrivenNeuron.own_nodes, "readlevel", "junction")

    @classmethod
    def read(cls, tables: Tables) -> Self:
        """Neuron of the tables ``neel_brown`` or ``hazard``, ``neuron`` and ``periphery``.

        ``hazard`` is the law as it was measured, in the place of one from a barrier.
        """
        if tables.has("hazard"):
            law = tables.table("hazard", HazardLaw)
        else:
            constants = tables.table("neel_brown", NeelBrown)
            law = HazardLaw.from_neel_brown(
                constants.attempt_time, constants.critical_voltage, constants.barrier
            )
        device = tables.table("neuron", MtjNeuron, hazard=law)
        return cls(tables.table("periphery", NeuronDriver), device)

    @property
    def read_bias(self) -> float:
        """The read current does not flow in the write line."""
        return 0.0

    @property
    def write_path(self) -> tuple[float, float]:
        """Driver and heavy metal, whatever the state."""
        write = 1 / (self.device.heavy_metal_resistance + self.resistance)
        return write, write

    @property
    def read_path(self) -> tuple[float, float]:
        """Read driver, junction and reference."""
        around = self.device.reference_resistance + self.resistance
        on = 1 / (self.device.parallel_resistance + around)
        return on, 1 / (self.device.antiparallel_resistance + around)

    def reset_path(self, schedule: Schedule, timing: Timing) -> float:
        """The write line carries its current until the latch is cleared."""
        return self.write_path[0] * (schedule.clear.start - schedule.reset.start)

    @property
    def reset_resistance(self) -> float:
        """The heavy metal."""
        return self.device.heavy_metal_resistance

    @property
    def divider(self) -> tuple[float, tuple[float, float]]:
        """Reference below the junction."""
        device = self.device
        states = (device.parallel_resistance, device.antiparallel_resistance)
        return device.reference_resistance, states

    def _add_device(self, circuit: SubCircuit, state: Values) -> None:
        device, ground = self.device, circuit.gnd
        self._add_driver(circuit, v_read=0.0)
        circuit.X(
            "readcontrol",
            "phase_control",
            *(ground, ground, "read", ground, ground, "readlevel"),
            v_read=self.driver.neuron_read_voltage,
            v_reset=0.0,
        )
        ports = ("readlevel", "junction", "vdd", "vss")
        circuit.X("readdriver", "output_stage", *ports, r_out=self.resistance)
        circuit.X(
            "device",
            "sot_mtj",
            *("top", ground, "junction", "mid", "target"),
            *("write", "reset", "clear", "threshold", "h", "x"),
            r_heavy_metal=device.heavy_metal_resistance,
            r_parallel=device.parallel_resistance,
            r_antiparallel=device.antiparallel_resistance,
            **state,
        )
        circuit.R("reference", "mid", ground, device.reference_resistance)

    def _over_device(self, node: Mapping[str, np.ndarray]) -> np.ndarray:
        return node["top"]

    def power(self, signals: Signals, neuron: str) -> np.ndarray:
        """Power in both drivers, heavy metal, junction and reference."""
        node, device = self._voltages(signals, neuron), self.device
        driver = self._output_power(node["target"], node["top"])
        driver = driver + node["top"] ** 2 / device.heavy_metal_resistance
        driver = driver + self._output_power(node["readlevel"], node["junction"])
        conductance = state_conductance(
            node["x"], device.parallel_resistance, device.antiparallel_resistance
        )
        drop, reference = node["junction"] - node["mid"], node["mid"] ** 2
        return np.asarray(driver + drop**2 * conductance + reference / device.reference_resistance)
