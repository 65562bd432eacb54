"""Filament memristor as a neuron: written, read and reset through one terminal.

::

    drive --> driver --(top)--device--(mid)--> latch
                                        |
                                  series resistor
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from memspice.circuits.blocks.driven_neuron import (
    RESETS_PER_PULSE,
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
from memspice.devices.neurons import MemristorNeuron


@dataclass(frozen=True)
class FilamentNeuron(DrivenNeuron):
    """Volatile or reset filament behind a driver, in series with a resistor."""

    device: MemristorNeuron

    kind: ClassVar[str] = "memristor"
    constants: ClassVar[frozenset[str]] = frozenset(
        {"hazard.voltage_scale", "hazard.time_scale", "hazard.form"}
        | {"neuron.on_resistance", "neuron.off_resistance"}
    )

    @classmethod
    def read(cls, tables: Tables) -> Self:
        """Neuron of the tables ``hazard``, ``neuron`` and ``periphery``."""
        law = tables.table("hazard", HazardLaw)
        device = tables.table("neuron", MemristorNeuron, hazard=law)
        return cls(tables.table("periphery", NeuronDriver), device)

    @property
    def read_bias(self) -> float:
        """The terminal that writes is the one that reads."""
        return self.driver.neuron_read_voltage * self.write_fraction

    @property
    def _around(self) -> float:
        return self.device.series_resistance + self.resistance

    @property
    def write_path(self) -> tuple[float, float]:
        """Driver, device and series resistor."""
        on = 1 / (self.device.on_resistance + self._around)
        return on, 1 / (self.device.off_resistance + self._around)

    @property
    def read_path(self) -> tuple[float, float]:
        """The same path."""
        return self.write_path

    def reset_path(self, schedule: Schedule, timing: Timing) -> float:
        """The filament is gone within about one time constant."""
        return self.write_path[0] * (1 / RESETS_PER_PULSE) * timing.reset

    @property
    def reset_resistance(self) -> float:
        """Device and series resistor."""
        return self.device.on_resistance + self.device.series_resistance

    @property
    def divider(self) -> tuple[float, tuple[float, float]]:
        """Series resistor below the device."""
        device = self.device
        return device.series_resistance, (device.on_resistance, device.off_resistance)

    def _add_device(self, circuit: SubCircuit, state: Values) -> None:
        self._add_driver(circuit, v_read=self.driver.neuron_read_voltage)
        circuit.X(
            "device",
            "filament_memristor",
            *("top", "mid", "target", "write", "reset", "clear", "threshold", "h", "x"),
            r_on=self.device.on_resistance,
            r_off=self.device.off_resistance,
            **state,
        )
        circuit.R("series", "mid", circuit.gnd, self.device.series_resistance)

    def _over_device(self, node: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.asarray(node["top"] - node["mid"])

    def power(self, signals: Signals, neuron: str) -> np.ndarray:
        """Power in driver, device and series resistor."""
        node, device = self._voltages(signals, neuron), self.device
        conductance = state_conductance(node["x"], device.on_resistance, device.off_resistance)
        driver, drop = self._output_power(node["target"], node["top"]), node["top"] - node["mid"]
        series = node["mid"] ** 2 / device.series_resistance
        return np.asarray(driver + drop**2 * conductance + series)
