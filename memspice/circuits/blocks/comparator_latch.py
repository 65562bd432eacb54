"""A comparator, strobed within the read pulse, and a latch that drives the spike line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np

from memspice.circuits.blocks.latch import Latch, unsettled
from memspice.circuits.signals import Signals, output_stage_power
from memspice.circuits.spice import SubCircuit
from memspice.circuits.timing import Schedule, Timing
from memspice.errors import ConfigError
from memspice.quantities import Parameters, format_si, quantity

_SUPPLY = "logic"
#: Time constants of the latch in a read pulse.
_LATCHES_PER_READ = 40


class ComparatorLatch(Parameters, Latch):
    """Comparator with a supply current while reading, latch with an output resistance."""

    kind: Literal["comparator"] = "comparator"
    circuit_constants: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "neuron_read": ("latch.compare_current",),
        "logic": ("latch.latch_resistance",),
    }
    compare_voltage: float = quantity("V", "Threshold of the read comparator", gt=0)
    logic_voltage: float = quantity("V", "Supply of comparator and latch", gt=0)
    compare_current: float = quantity("A", "Comparator current while reading", ge=0)
    latch_resistance: float = quantity("ohm", "Output resistance of the latch", gt=0)
    latch_capacitance: float = quantity("F", "Load of the latch: the spike line", gt=0)
    node_capacitance: float = quantity("F", "Parasitic capacitance of the read node", gt=0)

    @property
    def supplies(self) -> Mapping[str, float]:
        """One supply for comparator and latch."""
        return {_SUPPLY: self.logic_voltage}

    def add(self, circuit: SubCircuit, read_node: str, timing: Timing, *, falls: bool) -> None:
        """Add comparator and latch, and the capacitances of read node and spike line."""
        if falls:
            raise ConfigError(
                "the comparator tells a read node that a switched device takes up, and this "
                "neuron's goes down: use latch.kind = strongarm"
            )
        ground = circuit.gnd
        circuit.C(read_node, read_node, ground, self.node_capacitance)
        circuit.X(
            "latch",
            "read_latch",
            *(read_node, "read", "strobe", "clear", "vlogic", "latch", "level"),
            v_compare=self.compare_voltage,
            v_logic=self.logic_voltage,
            i_compare=self.compare_current,
            pulse=timing.write,
            latch_time=timing.read / _LATCHES_PER_READ,
        )
        rails = ("vlogic", ground)
        circuit.X("output", "output_stage", "level", "spike", *rails, r_out=self.latch_resistance)
        circuit.C("spike", "spike", ground, self.latch_capacitance, initial_condition=0)

    def signals(self, neuron: str, spike: str) -> list[str]:
        """Level before the output resistance, and the spike line."""
        return [f"v({spike})", f"v({neuron}.level)"]

    def fired(self, level: np.ndarray) -> np.ndarray:
        """Half of the supply decides."""
        return np.asarray(level > 0.5 * self.logic_voltage)

    def compare_power(self, time: np.ndarray, schedule: Schedule) -> np.ndarray:
        """Supply current of the comparator while reading."""
        return np.asarray(self.compare_watts * schedule.read.at(time))

    def power(self, signals: Signals, neuron: str, spike: str) -> np.ndarray:
        """Power in the output stage."""
        level, line = signals.voltage(f"{neuron}.level"), signals.voltage(spike)
        return output_stage_power(level, line, self.latch_resistance, self.logic_voltage, 0.0)

    def stored(self, signals: Signals, read: np.ndarray, spike: str) -> Sequence[np.ndarray]:
        """Energies on both capacitances."""
        line = signals.voltage(spike)
        return 0.5 * self.latch_capacitance * line**2, 0.5 * self.node_capacitance * read**2

    @property
    def compare_watts(self) -> float:
        """Supply current of the comparator, [W]."""
        return self.logic_voltage * self.compare_current

    @property
    def spike_energy(self) -> float:
        """Charge of the spike line, up and down, [J]."""
        return self.latch_capacitance * self.logic_voltage**2

    def doubts(
        self, levels: tuple[float, float], resistance: float, schedule: Schedule
    ) -> list[str]:
        """Refuse a threshold beside the levels, and nodes that charge too slowly."""
        (on, off), found = levels, []
        if not off < self.compare_voltage < on:
            found.append(
                f"a read gives {format_si(off, 'V')} and, switched, {format_si(on, 'V')}: the "
                f"comparator's {format_si(self.compare_voltage, 'V')} must lie between"
            )
        waits = {
            "read nodes": (
                resistance * self.node_capacitance,
                schedule.strobe.start - schedule.read.start,
            ),
            "latches": (
                self.latch_resistance * self.latch_capacitance,
                schedule.read.stop - schedule.strobe.start,
            ),
        }
        for name, (constant, wait) in waits.items():
            found += unsettled(name, constant, wait)
        return found
