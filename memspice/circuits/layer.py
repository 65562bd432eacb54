"""One group of neurons of a layer as a circuit: what is built, before any netlist."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from memspice.circuits.parameters import (
    ArrayParameters,
    NeuronPeriphery,
    SenseParameters,
    Timing,
)
from memspice.circuits.ports import PortArray, port_array
from memspice.circuits.timing import Schedule, schedule
from memspice.devices.neurons import NeuronDevice


@dataclass(frozen=True)
class LayerCircuit:
    """Crossbar tiles, sense stages and neurons of the outputs that share a column tile.

    ``conductances`` are the row tiles, each (rows, 2 * outputs) with columns G+, G- of output 0,
    G+, G- of output 1 and so on, in [S].  The drive of a neuron is
    ``bias_voltage + difference_gain * (v_plus - v_minus)`` of its sense stage, limited to
    ``write_limits``.  An accumulating layer (``spiking`` false) has no neurons.
    """

    conductances: tuple[np.ndarray, ...]
    array: ArrayParameters
    sense: SenseParameters
    feedback_resistance: float
    difference_gain: float
    bias_voltage: float
    write_limits: tuple[float, float]
    device: NeuronDevice
    periphery: NeuronPeriphery
    timing: Timing
    spiking: bool

    @property
    def outputs(self) -> int:
        """Number of neurons."""
        return int(self.conductances[0].shape[1]) // 2

    @property
    def rows(self) -> int:
        """Number of rows of all row tiles."""
        return sum(len(tile) for tile in self.conductances)

    @cached_property
    def schedule(self) -> Schedule:
        """Pulses of one cycle."""
        return schedule(self.timing)

    @cached_property
    def ports(self) -> PortArray:
        """Exact port reduction of the tiles."""
        return port_array(self.conductances, self.array, self.input_resistance)

    @property
    def input_resistance(self) -> float:
        """Resistance that each bit line ends in, [ohm]."""
        return self.sense.input_resistance(self.feedback_resistance)

    @property
    def transimpedance(self) -> float:
        """Drive voltage per difference of bit-line currents, [ohm]."""
        return self.difference_gain * self.sense.transimpedance(self.feedback_resistance)

    @cached_property
    def drive_gain(self) -> np.ndarray:
        """Settled drive voltage per row voltage, shape (outputs, rows), [1]."""
        current = self.ports.transfer
        return np.asarray(self.transimpedance * (current[0::2] - current[1::2]))

    def drive_voltage(self, row_voltage: np.ndarray) -> np.ndarray:
        """Settled drive [V] for row voltages (..., rows) [V]; shape (..., outputs)."""
        return np.asarray(
            np.clip(self.bias_voltage + row_voltage @ self.drive_gain.T, *self.write_limits)
        )

    @property
    def write_fraction(self) -> float:
        """Share of the drive voltage that biases the unswitched device, [1]."""
        return self.device.write_fraction(self.periphery.driver_resistance)
