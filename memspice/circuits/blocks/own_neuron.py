"""Neuron of the user's own: a subcircuit or a Verilog-A module, and what was measured of it.

::

    drive --[ammeter]-- +-----------+
    draw  --[ammeter]-- |           |-- hazard, state: signals that are looked at
    supplies, clocks -- |  circuit  |
                 vss -- |           |-- out --> latch --> spike
                        +-----------+<-- latch: 1 V while a spike is held

All that flows in through the ammeters is what the neuron dissipates and stores; drive and draw
come from ideal sources, whose joules count as delivered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from memspice.circuits.blocks.latch import Latch
from memspice.circuits.blocks.neuron import DRIVE, THRESHOLD, MeasurableNeuron
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck
from memspice.circuits.neuron_curve import NeuronCurve
from memspice.circuits.own_circuit import OwnCircuit
from memspice.circuits.own_terminals import GROUND
from memspice.circuits.signals import Signals
from memspice.circuits.spice import Circuit, SubCircuit
from memspice.circuits.timing import Schedule, Timing
from memspice.devices.neurons import MeasuredNeuron
from memspice.errors import ConfigError

#: Terminals that every neuron has, and what each is.
CONTRACT = {
    "drive": "is the write voltage",
    "draw": "the draw E of the event, a number carried as volts",
    "hazard": "puts out the hazard integral of the write pulse, a number carried as volts, until "
    "clear",
    "state": "0 V unswitched and 1 V switched",
    "out": "is the node that is read",
}
#: Pulses of 0 to 1 V that every neuron may use, and ``latch``: 1 V while a spike is held.
PHASES = ("write", "read", "strobe", "reset", "clear")
LATCH = "latch"
#: Begins the names of a neuron's supplies and clocks in a deck.
_OWN = "neuron_"
#: Nodes inside of an instance, by terminal of the circuit.
_INNER = {"draw": THRESHOLD, "out": "mid", GROUND: "0"}


@dataclass(frozen=True, eq=False)
class OwnNeuron(MeasurableNeuron):
    """A circuit as a neuron; ``curve`` is measured before a network is put onto it.

    Parameters
    ----------
    circuit : OwnCircuit
    limits : tuple of float, [V]
        Lowest and highest write voltage, from the electrode.
    level : float, [V]
        Of the common electrode.
    points : int
        Write voltages at which it is measured.
    """

    circuit: OwnCircuit
    limits: tuple[float, float]
    level: float
    points: int
    curve: NeuronCurve | None = None

    kind: ClassVar[str] = "own"
    constants: ClassVar[frozenset[str]] = frozenset({"neuron.subcircuit", "neuron.veriloga"})
    disturb_note: ClassVar[str] = "as its hazard integral grew in a read that was simulated"

    @property
    def name(self) -> str:
        """Name of the circuit."""
        return self.circuit.name

    @property
    def unmeasured(self) -> OwnNeuron | None:
        """Itself, while there is no curve."""
        return None if self.curve else self

    @property
    def curve_points(self) -> int:
        """Voltages at which its curve is measured."""
        return self.points

    def with_curve(self, curve: NeuronCurve) -> OwnNeuron:
        """The same neuron, measured."""
        return replace(self, curve=curve)

    @property
    def _measured(self) -> NeuronCurve:
        if self.curve is None:
            raise ConfigError(
                f"the neuron {self.circuit.name} is not measured yet: use it by memspice.Chip or "
                "memspice.characterize, which do so first"
            )
        return self.curve

    @property
    def device(self) -> MeasuredNeuron:  # type: ignore[override]
        """Measured device."""
        return MeasuredNeuron(self._measured.hazard)

    @property
    def write_fraction(self) -> float:
        """All: the curve is against the write voltage."""
        return 1.0

    @property
    def read_bias(self) -> float:
        """Nothing that the curve would know: what a read does was measured by itself."""
        return 0.0

    @property
    def at_rest(self) -> str:
        """Switching of an unswitched device at 0 V, as its curve was measured, in words."""
        return super().at_rest if self.curve else "is told when it has been measured"

    def read_disturb(self, timing: Timing) -> float:
        """Measured."""
        return self._measured.disturb

    @property
    def trim(self) -> tuple[float, float]:
        """None."""
        return 0.0, 0.0

    @property
    def write_limits(self) -> tuple[float, float]:
        """Lowest and highest write voltage that its table allows, [V]."""
        return self.limits

    @property
    def rails(self) -> tuple[float, float]:
        """The limits."""
        return self.limits

    @property
    def electrode(self) -> float:
        """Voltage of the common electrode, [V]."""
        return self.level

    @property
    def supplies(self) -> Mapping[str, float]:
        """Supplies of the circuit."""
        return {f"{_OWN}{name}": value for name, value in self.circuit.supplies.items()}

    def clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Phases, and clocks of the circuit."""
        pulses = {name: Clock.of(getattr(schedule, name)) for name in PHASES}
        return pulses | {f"{_OWN}{name}": clock for name, clock in self.circuit.clocks.items()}

    # --- measured in the place of a closed form

    def write_power(
        self, drive: np.ndarray, on: np.ndarray, source: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Measured energies over the area of the pulse; between them by the share of it."""
        del source
        curve = self._measured
        never, at_once = (np.interp(drive, curve.hazard.voltage, each) for each in curve.write)
        energy = (never + on * (at_once - never)).sum(axis=-1)
        return np.asarray(energy / (curve.timing.write + curve.timing.edge))

    def read_power(self, switched: np.ndarray) -> np.ndarray:
        """Measured energies over the area of the pulse."""
        curve = self._measured
        energy = np.where(switched, curve.read[1], curve.read[0]).sum(axis=-1)
        return np.asarray(energy / (curve.timing.read + curve.timing.edge))

    def reset_energy(self, schedule: Schedule, timing: Timing) -> float:
        """Measured."""
        return float(self._measured.reset[1])

    def quiet_energy(self) -> float:
        """Measured."""
        return float(self._measured.reset[0])

    def doubts(self, timing: Timing) -> list[str]:
        """Refuse phases that it was not measured in."""
        if timing == self._measured.timing:
            return []
        return ["the neuron was measured in a cycle of other phases: measure it again"]

    def read_levels(self) -> tuple[tuple[float, float], float]:
        """Measured when the latch looks, so nothing is left to settle."""
        off, on = self._measured.levels.tolist()
        return (on, off), 0.0

    # --- in SPICE

    def subcircuit(self, latch: Latch, timing: Timing, *, own_law: bool, ideal: bool) -> SubCircuit:
        """The circuit and its latch."""
        del ideal  # its hazard integral is its own
        if own_law:
            raise ConfigError(f"neurons of the circuit {self.circuit.name} cannot differ yet")
        clocks = (*PHASES, *(f"{_OWN}{name}" for name in self.circuit.clocks))
        ports = (DRIVE, *clocks, THRESHOLD, *self.supplies, *latch.terminals, "spike")
        whole = SubCircuit(f"{self.kind}_circuit_and_latch", *ports)
        terminals = [self._inner(name) for name in self.circuit.terminals]
        whole.X("circuit", self.circuit.name, *terminals, **self.circuit.parameters)
        latch.add(whole, "mid", timing, falls=False)
        return whole

    def _inner(self, terminal: str) -> str:
        """Node of an instance at a terminal of the circuit."""
        if terminal in (*self.circuit.supplies, *self.circuit.clocks):
            return f"{_OWN}{terminal}"
        return _INNER.get(terminal, terminal)

    def define(self, deck: Deck) -> None:
        """Text of the circuit."""
        self.circuit.define(deck)

    def _outside(self, circuit: Circuit, number: int, terminal: str, node: str) -> str:
        """Node behind an ammeter, where the circuit has the terminal."""
        if terminal not in self._metered:
            return node
        meter = _meter(f"xneuron{number}", terminal)
        circuit.V(meter, node, meter, 0.0)
        return meter

    @property
    def _metered(self) -> list[str]:
        """Terminals through which power can flow in, as the deck calls them."""
        inner = [self._inner(name) for name in self.circuit.terminals]
        return [name for name in inner if name not in ("0", "mid", "hazard", "state", LATCH)]

    def hazard_signal(self, neuron: str) -> str:
        """Terminal of the circuit."""
        return f"{neuron}.hazard"

    def ammeters(self, neuron: str) -> list[str]:
        """Voltage and current of every terminal."""
        names = [_meter(neuron, terminal) for terminal in self._metered]
        return [signal for name in names for signal in (f"v({name})", f"i(v{name})")]

    def signals(self, neuron: str) -> list[str]:
        """Ammeters, and what is looked at."""
        looked = [f"v({neuron}.{node})" for node in ("hazard", "state", "mid")]
        return [*self.ammeters(neuron), *looked]

    def _inflow(self, signals: Signals, neuron: str, terminals: Sequence[str]) -> np.ndarray:
        power = np.zeros_like(signals.time)
        for name in (_meter(neuron, terminal) for terminal in terminals):
            power += signals.voltage(name) * signals.current(f"v{name}")
        return power

    def power(self, signals: Signals, neuron: str) -> np.ndarray:
        """What flows in at all terminals."""
        return self._inflow(signals, neuron, self._metered)

    def delivered(
        self, signals: Signals, neurons: Sequence[str], *, driven: bool = True
    ) -> np.ndarray:
        """Supplies, and what flows in from drives, draws and clocks."""
        counted = {*self.supplies, *(() if driven else (DRIVE,))}
        others = [name for name in self._metered if name not in counted]
        flows = [self._inflow(signals, neuron, others) for neuron in neurons]
        return np.asarray(super().delivered(signals, neurons) + sum(flows))

    def read_voltage(self, signals: Signals, neuron: str) -> np.ndarray:
        """Terminal ``out``."""
        return signals.voltage(f"{neuron}.mid")

    def shown(self, signals: Signals, neuron: str) -> dict[str, tuple[np.ndarray, str]]:
        """Write voltage, read node, hazard integral and state."""
        drive = signals.voltage(_meter(neuron, DRIVE)) - self.electrode
        return {
            "device": (drive, "V"),
            "read_node": (self.read_voltage(signals, neuron), "V"),
            "hazard": (signals.voltage(f"{neuron}.hazard"), "1"),
            "state": (signals.voltage(f"{neuron}.state"), "1"),
        }


def _meter(neuron: str, terminal: str) -> str:
    """Ammeter of a terminal of an instance, and the node behind it."""
    return f"{neuron}_{terminal}"
