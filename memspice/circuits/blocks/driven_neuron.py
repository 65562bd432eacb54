"""What neurons behind a driver with two rails have in common: write, read and reset by one node."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from memspice.circuits.blocks.latch import Latch
from memspice.circuits.blocks.neuron import DRIVE, Neuron
from memspice.circuits.clocks import Clock
from memspice.circuits.signals import Signals, output_stage_power
from memspice.circuits.spice import Circuit, SubCircuit
from memspice.circuits.timing import Schedule, Timing
from memspice.devices.hazard import HazardLaw
from memspice.devices.neurons import MemristorNeuron, MtjNeuron
from memspice.quantities import Parameters, format_si, quantity

#: Time constants of a switch in a write pulse, and of a reset in its pulse: short against both.
SETS_PER_WRITE, RESETS_PER_PULSE = 100, 50
#: Longest edges for a reset pulse of length 1: a reset takes its time from the pulse's flat part.
_EDGE_SHARE = 0.5
#: Clocks, in the order of the terminals.
_CLOCKS = ("write", "read", "strobe", "reset", "clear")
_UPPER, _LOWER = "neuron_p", "neuron_n"

#: Parameters of an instance: numbers, or expressions of the subcircuit's own parameters.
Values = dict[str, float | str]


class NeuronDriver(Parameters):
    """Driver of a neuron, and what it is driven with."""

    neuron_driver_resistance: float = quantity("ohm", "Output resistance of the driver", gt=0)
    supply_positive: float = quantity("V", "Upper rail of the neuron's driver", gt=0)
    supply_negative: float = quantity("V", "Lower rail of the neuron's driver", lt=0)
    write_low: float = quantity("V", "Lowest output of the difference stage")
    write_high: float = quantity("V", "Highest output of the difference stage", gt=0)
    neuron_read_voltage: float = quantity("V", "Drive in the read phase", gt=0)
    reset_voltage: float = quantity("V", "Reverse drive in the reset phase", gt=0)
    common_electrode: float = quantity(
        "V", "Voltage of the devices' common electrode, from which all others count", default=0.0
    )
    trim_step: float = quantity(
        "V", "Step of the offset trim of a difference stage; 0 for none", ge=0, default=0.0
    )
    trim_range: float = quantity("V", "Largest offset trim, either sign", ge=0, default=0.0)


@dataclass(frozen=True)
class DrivenNeuron(Neuron):
    """Neuron with a driver; a subclass has the device and says what stands around it."""

    driver: NeuronDriver
    device: MemristorNeuron | MtjNeuron

    circuit_constants: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "neuron_write": ("periphery.neuron_driver_resistance", "periphery.supply_positive"),
        "neuron_read": ("periphery.neuron_driver_resistance", "periphery.supply_positive"),
        "neuron_reset": ("periphery.neuron_driver_resistance", "periphery.supply_negative"),
    }
    #: Model of the device in ``models/``.
    model: ClassVar[str]

    @property
    def resistance(self) -> float:
        """Output resistance of the driver, [ohm]."""
        return self.driver.neuron_driver_resistance

    @property
    def write_fraction(self) -> float:
        """Divider of driver and device, [1]."""
        return self.device.write_fraction(self.resistance)

    @property
    def trim(self) -> tuple[float, float]:
        """Trim of the difference stage, [V]."""
        return self.driver.trim_step, self.driver.trim_range

    @property
    def write_limits(self) -> tuple[float, float]:
        """Ends of the difference stage, [V]."""
        return self.driver.write_low, self.driver.write_high

    @property
    def rails(self) -> tuple[float, float]:
        """Rails of the driver, [V]."""
        return self.driver.supply_negative, self.driver.supply_positive

    @property
    def supplies(self) -> Mapping[str, float]:
        """Rails of all drivers."""
        return {_UPPER: self.driver.supply_positive, _LOWER: self.driver.supply_negative}

    def clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """One pulse a phase; strobe and clear are the latch's."""
        pulses = (schedule.write, schedule.read, schedule.strobe, schedule.reset, schedule.clear)
        return {name: Clock.of(pulse) for name, pulse in zip(_CLOCKS, pulses, strict=True)}

    @property
    def electrode(self) -> float:
        """Ground of device and driver, [V]."""
        return self.driver.common_electrode

    def _outside(self, circuit: Circuit, number: int, terminal: str, node: str) -> str:
        """Drive as seen from the electrode: a source of its level, which carries no current."""
        if terminal != DRIVE or self.electrode == 0:
            return node
        seen = f"seen{number}"
        circuit.V(seen, node, seen, self.electrode)
        return seen

    # --- closed form

    @property
    @abstractmethod
    def write_path(self) -> tuple[float, float]:
        """Conductance of the write path, switched and not, [S]."""

    @property
    @abstractmethod
    def read_path(self) -> tuple[float, float]:
        """Conductance of the read path, switched and not, [S]."""

    @abstractmethod
    def reset_path(self, schedule: Schedule, timing: Timing) -> float:
        """Conductance of the reset path, integrated over a reset, [S s]."""

    def write_power(
        self, drive: np.ndarray, on: np.ndarray, source: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Current of the upper rail; of the drive a driver takes none."""
        del source
        write_on, write_off = self.write_path
        flow = drive * (on * write_on + (1 - on) * write_off)
        return np.asarray(self.driver.supply_positive * flow.sum(axis=-1))

    def read_power(self, switched: np.ndarray) -> np.ndarray:
        """Current of the upper rail."""
        read = np.where(switched, *self.read_path) * self.driver.neuron_read_voltage
        return np.asarray(self.driver.supply_positive * read.sum(axis=-1))

    def reset_energy(self, schedule: Schedule, timing: Timing) -> float:
        """Current of the lower rail."""
        sink = -self.driver.supply_negative
        return sink * self.driver.reset_voltage * self.reset_path(schedule, timing)

    @property
    @abstractmethod
    def reset_resistance(self) -> float:
        """What a reset drives, behind the driver, [ohm]."""

    def doubts(self, timing: Timing) -> list[str]:
        """Refuse voltages beyond the rails, and a reset without its time or voltage."""
        driver = self.driver
        asked = {
            "periphery.write_high": (driver.write_high, driver.supply_positive),
            "periphery.neuron_read_voltage": (driver.neuron_read_voltage, driver.supply_positive),
            "periphery.reset_voltage": (driver.reset_voltage, -driver.supply_negative),
        }
        found = [
            f"{name} = {value:g} V is beyond the driver's rail of {rail:g} V"
            for name, (value, rail) in asked.items()
            if value > rail
        ]
        if timing.edge > _EDGE_SHARE * timing.reset:
            found.append(
                f"timing.edge = {format_si(timing.edge, 's')} is above {_EDGE_SHARE:g} of the "
                f"reset pulse of {format_si(timing.reset, 's')}"
            )
        share = self.reset_resistance / (self.reset_resistance + self.resistance)
        at_device, needed = driver.reset_voltage * share, self.device.reset_threshold
        if at_device < needed:
            found.append(
                f"a reset puts {format_si(at_device, 'V')} on the device, below its "
                f"reset_threshold of {format_si(needed, 'V')}"
            )
        return found

    @property
    @abstractmethod
    def divider(self) -> tuple[float, tuple[float, float]]:
        """Resistance below the read node, and of the device, switched and not, [ohm]."""

    def read_levels(self) -> tuple[tuple[float, float], float]:
        """Divide the read voltage."""
        below, states = self.divider
        above = [state + self.resistance for state in states]
        on, off = (self.driver.neuron_read_voltage * below / (below + each) for each in above)
        return (on, off), below * max(above) / (below + max(above))

    # --- in SPICE

    def subcircuit(self, latch: Latch, timing: Timing, *, own_law: bool, ideal: bool) -> SubCircuit:
        """Driver, device, divider and latch."""
        del ideal  # a driver takes nothing from the drive
        law = law_parameters(self.device.hazard)
        ports = ("drive", *_CLOCKS, "threshold", "vdd", "vss", *latch.terminals, "spike")
        circuit = SubCircuit(f"{self.kind}_neuron", *ports, **(law if own_law else {}))
        state = state_parameters(self.device, self.write_fraction, timing)
        state |= {key: f"{{{key}}}" for key in law if own_law}
        self._add_device(circuit, state)
        latch.add(circuit, "mid", timing, falls=False)
        return circuit

    @abstractmethod
    def _add_device(self, circuit: SubCircuit, state: Values) -> None:
        """Add driver, device and divider, from ``drive`` to ``mid``."""

    def _add_driver(self, circuit: SubCircuit, *, v_read: float) -> None:
        circuit.X(
            "control",
            "phase_control",
            *("drive", "write", "read", "reset", "latch", "target"),
            v_read=v_read,
            v_reset=self.driver.reset_voltage,
        )
        rails = ("vdd", "vss")
        circuit.X("driver", "output_stage", "target", "top", *rails, r_out=self.resistance)

    #: Nodes of an instance whose voltages are needed.
    own_nodes: ClassVar[tuple[str, ...]] = ("target", "top", "mid", "x", "h")

    def signals(self, neuron: str) -> list[str]:
        """Voltages of the own nodes."""
        return [f"v({neuron}.{node})" for node in self.own_nodes]

    def hazard_signal(self, neuron: str) -> str:
        """Output of the hazard integrator."""
        return f"{neuron}.h"

    def read_voltage(self, signals: Signals, neuron: str) -> np.ndarray:
        """Middle of the divider."""
        return signals.voltage(f"{neuron}.mid")

    def shown(self, signals: Signals, neuron: str) -> dict[str, tuple[np.ndarray, str]]:
        """Voltage that switches the device, read node, hazard integral and state."""
        node = self._voltages(signals, neuron)
        return {
            "device": (self._over_device(node), "V"),
            "read_node": (node["mid"], "V"),
            "hazard": (node["h"], "1"),
            "state": (node["x"], "1"),
        }

    @abstractmethod
    def _over_device(self, node: Mapping[str, np.ndarray]) -> np.ndarray:
        """Voltage that switches the device, [V]."""

    def _voltages(self, signals: Signals, neuron: str) -> dict[str, np.ndarray]:
        return {node: signals.voltage(f"{neuron}.{node}") for node in self.own_nodes}

    def _output_power(self, level: np.ndarray, load: np.ndarray) -> np.ndarray:
        """Power of an output stage between the rails, [W]."""
        lower, upper = self.rails
        return output_stage_power(level, load, self.resistance, upper, lower)


def state_conductance(state: np.ndarray, on_resistance: float, off_resistance: float) -> np.ndarray:
    """Conductance of a device between off (state 0) and on (state 1), [S]."""
    on, off = 1 / on_resistance, 1 / off_resistance
    return np.asarray(off + np.clip(state, 0, 1) * (on - off))


def law_parameters(law: HazardLaw) -> dict[str, float]:
    """Constants of a hazard law that an instance may have of its own."""
    return {"tau0": law.time_scale, "v0": law.voltage_scale}


def state_parameters(
    device: MemristorNeuron | MtjNeuron, write_fraction: float, timing: Timing
) -> Values:
    """Hazard law, and time constants that are short against the phase they act in."""
    return {
        "v_reset_min": device.reset_threshold,
        "write_fraction": write_fraction,
        **law_parameters(device.hazard),
        **device.hazard.rate.model_parameters,
        "pulse": timing.write,
        "set_time": timing.write / SETS_PER_WRITE,
        "reset_time": timing.reset / RESETS_PER_PULSE,
    }
