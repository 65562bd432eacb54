"""Filament memristor as a neuron behind transistor switches, on a common electrode that is driven.

::

    common (vwrite in a write, else 0)
       |
     device
       |
     (mid)-- latch;  PMOS to vdd in a reset
       |
     series resistor
       |
     (own)-- pass gate to the held drive in a write;  PMOS to vread in a read

A voltage from ``common`` to ``own`` sets the device, so that a lower drive writes harder, and no
node is ever below ground.  What holds the drive sinks the current of a device that has switched:
the power of the electrode that is not dissipated in here, is there.  A read and a reset have the
other sign: a read cannot set.  All neurons are reset, switched or not.  Supplies, clocks, drive and
electrode come in through ammeters: what flows in there is what the neuron dissipates and stores.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from memspice.circuits.blocks.driven_neuron import (
    RESETS_PER_PULSE,
    law_parameters,
    state_parameters,
)
from memspice.circuits.blocks.filament_neuron import FilamentNeuron
from memspice.circuits.blocks.latch import Latch
from memspice.circuits.blocks.neuron import DRIVE, THRESHOLD, Neuron
from memspice.circuits.blocks.tables import Tables
from memspice.circuits.blocks.write_path import WritePath
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck
from memspice.circuits.freepdk45 import transistor_cards
from memspice.circuits.library import Library, read_library
from memspice.circuits.signals import Signals
from memspice.circuits.spice import Circuit, SubCircuit
from memspice.circuits.timing import Schedule, Timing, schedule
from memspice.devices.hazard import HazardLaw
from memspice.devices.neurons import MemristorNeuron
from memspice.quantities import format_si
from memspice.resources import resource_path

#: Signals for the device's model, in the order of the terminals: its hazard counts in the first.
_PHASES = ("write", "reset", "clear")
#: Clocks of the switches, and the electrode, which is one as well.
_PASS, _READ, _RESET, _COMMON = "neuron_pass", "neuron_read", "neuron_reset", "neuron_common"
_SUPPLY, _LEVEL = "neuron_supply", "neuron_level"
_METERED = (DRIVE, _PASS, _READ, _RESET, _COMMON, _SUPPLY, _LEVEL)
#: How long before the write pulse the pass gate conducts, in lengths of the settling before it: the
#: charge of the own node moves what holds the drive by some 40 mV, which takes ns to come back.
_EARLY = 0.75


def _of_path(*names: str) -> tuple[str, ...]:
    """Names of measured constants, as a parameter set has them; all phases leak."""
    return tuple(f"periphery.{name}" for name in (*names, "leakage"))


@dataclass(frozen=True)
class SwitchedNeuron(Neuron):
    """Volatile or reset filament in series with a resistor, behind transistor switches."""

    path: WritePath
    device: MemristorNeuron

    kind: ClassVar[str] = "switched-memristor"
    constants: ClassVar[frozenset[str]] = FilamentNeuron.constants
    fine: ClassVar[bool] = True
    falls: ClassVar[bool] = True
    loads: ClassVar[bool] = True
    measured_reset: ClassVar[bool] = True
    circuit_constants: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "neuron_write": _of_path(
            "write_energy",
            "node_capacitance",
            "gate_capacitance",
            "switched_write_energy",
            "electrode_energy",
        ),
        "neuron_read": _of_path(
            "read_energy", "read_capacitance", "switched_read_energy", "pass_leakage"
        ),
        "neuron_reset": _of_path("reset_energy", "switched_reset_energy", "pass_leakage"),
    }

    @classmethod
    def read(cls, tables: Tables) -> Self:
        """Neuron of the tables ``hazard``, ``neuron`` and ``periphery``."""
        law = tables.table("hazard", HazardLaw)
        device = tables.table("neuron", MemristorNeuron, hazard=law)
        return cls(tables.table("periphery", WritePath), device)

    @property
    def write_fraction(self) -> float:
        """Divider of device and series resistor; the pass gate is small beside both."""
        return self.device.write_fraction(0.0)

    @property
    def read_bias(self) -> float:
        """None that could set: a read has the other sign."""
        return 0.0

    def read_disturb(self, timing: Timing) -> float:
        """None: the read has the sign of a reset."""
        del timing
        return 0.0

    @property
    def trim(self) -> tuple[float, float]:
        """Trim of the sense stage, [V]."""
        return self.path.trim_step, self.path.trim_range

    @property
    def write_limits(self) -> tuple[float, float]:
        """Between a drive at the supply and one at ground, [V]."""
        lowest, highest = self.rails
        return max(self.path.write_low, lowest), min(self.path.write_high, highest)

    @property
    def rails(self) -> tuple[float, float]:
        """Write voltages of an own node at its supply, and at ground."""
        return self.electrode - self.path.supply_voltage, self.electrode

    @property
    def electrode(self) -> float:
        """Common electrode in a write, above every drive, [V]."""
        return self.path.electrode_voltage

    @property
    def supplies(self) -> Mapping[str, float]:
        """Supply of the switches, and level of a read."""
        return {_SUPPLY: self.path.supply_voltage, _LEVEL: self.path.read_voltage}

    def clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Signals of the device's model, clocks of the switches, and the electrode."""
        write, read, reset = schedule.write, schedule.read, schedule.reset
        early = _EARLY * (write.start - schedule.rows.start)
        return {
            **{name: Clock.of(getattr(schedule, name)) for name in _PHASES},
            _PASS: Clock(((write.start - early, write.stop),)),
            _READ: Clock(((read.start, read.stop),)),
            _RESET: Clock(((reset.start, reset.stop),)),
            _COMMON: Clock(((write.start, write.stop - write.edge),), write.edge, self.electrode),
        }

    # --- closed form

    def _conductance(self, resistance: float) -> float:
        return 1 / (resistance + self.device.series_resistance)

    def write_power(
        self, drive: np.ndarray, on: np.ndarray, source: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Dissipation of device and resistor."""
        parts = self._write_parts(on)
        power = sum(share * (drive / (own + source)) ** 2 * own for share, own in parts)
        return np.asarray(np.sum(power, axis=-1))

    def sunk_power(
        self, drive: np.ndarray, on: np.ndarray, source: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """The rest of the electrode's power: current of the devices at the voltage of the drive."""
        flows = ((share, drive / (own + source)) for share, own in self._write_parts(on))
        level = self.drive_for(drive)
        return np.asarray(np.sum(sum(n * i * (level + source * i) for n, i in flows), axis=-1))

    def _write_parts(self, on: np.ndarray) -> tuple[tuple[np.ndarray, float], ...]:
        """Shares of the pulse, and resistance of device and resistor in each, [ohm]."""
        device = self.device
        closed, opened = (
            resistance + device.series_resistance
            for resistance in (device.on_resistance, device.off_resistance)
        )
        return (on, closed), (1 - on, opened)

    def read_power(self, switched: np.ndarray) -> np.ndarray:
        """Current of the read's level."""
        closed = self._conductance(self.device.on_resistance)
        opened = self._conductance(self.device.off_resistance)
        flow = np.where(switched, closed, opened).sum(axis=-1)
        return np.asarray(self.path.read_voltage**2 * flow)

    def reset_energy(self, schedule: Schedule, timing: Timing) -> float:
        """The supply is on the device until its filament is gone, about one time constant."""
        volts = self.path.supply_voltage
        return volts**2 / self.device.on_resistance * timing.reset / RESETS_PER_PULSE

    def event_energy(
        self, schedule: Schedule, drive: np.ndarray, switched: np.ndarray
    ) -> np.ndarray:
        """Clocks, nodes, leakage, and a share of the electrode's driver."""
        events = self.path.event_energy(schedule, self.drive_for(drive), switched)
        idle = drive.shape[-1] * self.idle_energy(schedule)
        return np.asarray(events.sum(axis=-1) + idle[:, None])

    def idle_energy(self, schedule: Schedule) -> np.ndarray:
        """Leakage."""
        return self.path.idle_energy(schedule)

    def doubts(self, timing: Timing) -> list[str]:
        """Refuse a reset that is too weak, and a read that resets."""
        path, device, found = self.path, self.device, []
        if path.supply_voltage < 2 * device.reset_threshold:
            found.append(
                f"a reset puts {format_si(path.supply_voltage, 'V')} on the device, less than "
                f"twice its reset_threshold of {format_si(device.reset_threshold, 'V')}"
            )
        whole = device.on_resistance + device.series_resistance
        read = path.read_voltage * device.on_resistance / whole
        if read >= device.reset_threshold:
            found.append(
                f"a read puts {format_si(read, 'V')} on a switched device, in reverse, and its "
                f"reset_threshold is {format_si(device.reset_threshold, 'V')}"
            )
        return found

    def read_levels(self) -> tuple[tuple[float, float], float]:
        """Divide the read's level between series resistor and device."""
        device, volts = self.device, self.path.read_voltage
        series, states = device.series_resistance, (device.on_resistance, device.off_resistance)
        on, off = (volts * state / (state + series) for state in states)
        return (on, off), max(state * series / (state + series) for state in states)

    # --- in SPICE

    def subcircuit(self, latch: Latch, timing: Timing, *, own_law: bool, ideal: bool) -> SubCircuit:
        """Switches, device, resistor and latch."""
        law = law_parameters(self.device.hazard) if own_law else {}
        clocks = (*_PHASES, _PASS, _READ, _RESET, _COMMON)
        ports = (DRIVE, *clocks, THRESHOLD, *self.supplies, *latch.terminals, "spike")
        circuit = SubCircuit("switched_neuron", *ports, **law)
        circuit.X(
            "path",
            "write_path",
            *(DRIVE, _PASS, _READ, _RESET, "own", "mid", _LEVEL, _SUPPLY),
        )
        circuit.R("series", "mid", "own", self.device.series_resistance)
        # Its own node rises once the device has switched, and the hazard integral goes on without
        # that: by the drive of an ideal element, which droops with or without a switch.
        base = DRIVE if ideal else circuit.gnd
        circuit.X("seen", "unswitched", _COMMON, "own", base, "x", "seen")
        state = state_parameters(self.device, self.write_fraction, timing)
        state |= {name: f"{{{name}}}" for name in law}
        circuit.X(
            "device",
            "filament_memristor",
            *(_COMMON, "mid", "seen", *_PHASES, THRESHOLD, "h", "x"),
            r_on=self.device.on_resistance,
            r_off=self.device.off_resistance,
            **state,
        )
        if self.path.electrode_energy > 0:
            circuit.R("electrode", _COMMON, circuit.gnd, self._electrode_load(timing))
        latch.add(circuit, "mid", timing, falls=True)
        return circuit

    def _electrode_load(self, timing: Timing) -> float:
        """Resistance that takes a neuron's share of the electrode's driver in a write, [ohm].

        The driver serves more neurons than a deck has, so its joules stand there, not itself.
        """
        on = schedule(timing).write.square_area
        return self.electrode**2 * on / self.path.electrode_energy

    def define(self, deck: Deck) -> None:
        """Text of the circuit."""
        deck.library(_library())

    def _outside(self, circuit: Circuit, number: int, terminal: str, node: str) -> str:
        """Node behind an ammeter."""
        if terminal not in _METERED:
            return node
        meter = _meter(f"xneuron{number}", terminal)
        circuit.V(meter, node, meter, 0.0)
        return meter

    def hazard_signal(self, neuron: str) -> str:
        """Output of the hazard integrator."""
        return f"{neuron}.h"

    def ammeters(self, neuron: str) -> list[str]:
        """Voltage and current of every terminal."""
        names = [_meter(neuron, terminal) for terminal in _METERED]
        return [signal for name in names for signal in (f"v({name})", f"i(v{name})")]

    def signals(self, neuron: str) -> list[str]:
        """Ammeters, and what is looked at."""
        looked = [f"v({neuron}.{node})" for node in ("h", "x", "mid", "own")]
        return [*self.ammeters(neuron), *looked]

    def power(self, signals: Signals, neuron: str) -> np.ndarray:
        """What flows in at all terminals."""
        return self._inflow(signals, neuron, _METERED)

    def delivered(
        self, signals: Signals, neurons: Sequence[str], *, driven: bool = True
    ) -> np.ndarray:
        """Supplies, and what flows in from drives, clocks and the electrode."""
        counted = {*self.supplies, *(() if driven else (DRIVE,))}
        others = [name for name in _METERED if name not in counted]
        flows = [self._inflow(signals, neuron, others) for neuron in neurons]
        return np.asarray(super().delivered(signals, neurons) + sum(flows))

    def _inflow(self, signals: Signals, neuron: str, terminals: Sequence[str]) -> np.ndarray:
        power = np.zeros_like(signals.time)
        for name in (_meter(neuron, terminal) for terminal in terminals):
            power += signals.voltage(name) * signals.current(f"v{name}")
        return power

    def read_voltage(self, signals: Signals, neuron: str) -> np.ndarray:
        """Between device and series resistor."""
        return signals.voltage(f"{neuron}.mid")

    def shown(self, signals: Signals, neuron: str) -> dict[str, tuple[np.ndarray, str]]:
        """Voltage that sets the device, read node, hazard integral and state."""
        middle = self.read_voltage(signals, neuron)
        return {
            "device": (signals.voltage(_meter(neuron, _COMMON)) - middle, "V"),
            "read_node": (middle, "V"),
            "hazard": (signals.voltage(f"{neuron}.h"), "1"),
            "state": (signals.voltage(f"{neuron}.x"), "1"),
        }


def _meter(neuron: str, terminal: str) -> str:
    """Ammeter of a terminal of an instance, and the node behind it."""
    return f"{neuron}_{terminal}"


@functools.cache
def _library() -> Library:
    """Text of the switches, and the transistors of the nominal corner."""
    return read_library(resource_path("freepdk45", "write_path.lib"), transistor_cards("nom"))
