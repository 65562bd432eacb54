"""A StrongARM latch of 45 nm transistors: it compares at its clock's edge, and holds the spike.

::

    read node --inp or inn--[ strongarm ]--q--> latch --> spike line
    reference --the other---[           ]
                                |
                             decide: from the strobe until the neuron is cleared

The latch holds as long as its clock is high, so nothing else remembers the spike.  Supply,
reference and clock come in through ammeters: what flows in there is what the latch dissipates, its
spike line included.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np

from memspice.circuits.blocks.latch import Latch, unsettled
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck
from memspice.circuits.freepdk45 import transistor_cards
from memspice.circuits.library import Library, read_library
from memspice.circuits.signals import Signals
from memspice.circuits.spice import Circuit, SubCircuit
from memspice.circuits.timing import Schedule, Timing
from memspice.quantities import Parameters, format_si, quantity
from memspice.resources import resource_path

_SUPPLY, _REFERENCE, _CLOCK = "logic", "reference", "decide"
#: Own terminals of a neuron's subcircuit, and the nodes of the deck.
_TERMINALS = {"vlogic": _SUPPLY, "vreference": _REFERENCE, "decide": _CLOCK}
#: The higher input must be above this at the edge, or the pair does not conduct, [V].
LEAST_INPUT = 0.45


class StrongArmLatch(Parameters, Latch):
    """``strongarm`` of ``models/freepdk45/strongarm.lib`` with the buffer of its clock.

    Its constants were measured by `benchmarks.neuron_path`, at 1 V and 27 C.
    """

    kind: Literal["strongarm"] = "strongarm"
    circuit_constants: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "logic": ("latch.decision_energy", "latch.leakage"),
    }
    logic_voltage: float = quantity("V", "Supply", gt=0, default=1.0)
    reference_voltage: float = quantity("V", "What the read node is compared with", gt=0)
    latch_capacitance: float = quantity("F", "Load of the latch: the spike line", gt=0)
    node_capacitance: float = quantity("F", "Wire of the read node", gt=0)
    decision_energy: float = quantity("J", "A decision and its clock's buffer", ge=0)
    leakage: float = quantity("W", "Of latch and buffer", ge=0)
    kickback: float = quantity("V", "By how much the read node decides above the reference")

    @property
    def supplies(self) -> Mapping[str, float]:
        """Supply, and the reference, which has gates and no load."""
        return {_SUPPLY: self.logic_voltage, _REFERENCE: self.reference_voltage}

    def clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """High from the strobe until the neuron is cleared."""
        return {_CLOCK: Clock(((schedule.strobe.start, schedule.clear.start),))}

    @property
    def terminals(self) -> Mapping[str, str]:
        """Supply, reference, clock."""
        return _TERMINALS

    def define(self, deck: Deck) -> None:
        """Add the circuit's text."""
        deck.library(_library())

    def outside(self, circuit: Circuit, neuron: str, terminal: str) -> str:
        """Node behind an ammeter."""
        meter = _meter(neuron, terminal)
        circuit.V(meter, self.terminals[terminal], meter, 0.0)
        return meter

    def add(self, circuit: SubCircuit, read_node: str, timing: Timing, *, falls: bool) -> None:
        """Add the latch, and the capacitances of read node and spike line."""
        ground, inputs = circuit.gnd, (read_node, "vreference")
        circuit.C(read_node, read_node, ground, self.node_capacitance)
        ends = inputs[::-1] if falls else inputs
        circuit.X("latch", "strongarm", *ends, "decide", "spike", "other", "vlogic")
        circuit.C("spike", "spike", ground, self.latch_capacitance, initial_condition=0)
        circuit.V("held", "latch", "spike", 0.0)

    def ammeters(self, neuron: str) -> list[str]:
        """Voltage and current of every terminal."""
        names = [_meter(neuron, terminal) for terminal in self.terminals]
        return [signal for name in names for signal in (f"v({name})", f"i(v{name})")]

    def signals(self, neuron: str, spike: str) -> list[str]:
        """Spike line and ammeters."""
        return [f"v({spike})", *self.ammeters(neuron)]

    def fired(self, level: np.ndarray) -> np.ndarray:
        """Half of the supply decides."""
        return np.asarray(level > 0.5 * self.logic_voltage)

    def compare_power(self, time: np.ndarray, schedule: Schedule) -> np.ndarray:
        """Nothing apart: the latch compares in an instant, and :meth:`power` has it."""
        del schedule
        return np.zeros_like(time)

    def delivered(self, signals: Signals, neurons: Sequence[str]) -> np.ndarray:
        """Supply and reference, and what flows in from the clock."""
        clocks = (_inflow(signals, _meter(neuron, "decide")) for neuron in neurons)
        return np.asarray(super().delivered(signals, neurons) + sum(clocks))

    def power(self, signals: Signals, neuron: str, spike: str) -> np.ndarray:
        """What flows in."""
        return np.asarray(sum(_inflow(signals, _meter(neuron, name)) for name in self.terminals))

    def stored(self, signals: Signals, read: np.ndarray, spike: str) -> Sequence[np.ndarray]:
        """Energy on the read node; what the spike line keeps counts as dissipated."""
        return (0.5 * self.node_capacitance * read**2,)

    @property
    def compare_watts(self) -> float:
        """Nothing: see :meth:`event_energy`."""
        return 0.0

    def event_energy(self, schedule: Schedule) -> float:
        """A decision, and a cycle of leakage."""
        return self.decision_energy + self.idle_energy(schedule)

    def idle_energy(self, schedule: Schedule) -> float:
        """Leakage."""
        return self.leakage * schedule.cycle

    @property
    def spike_energy(self) -> float:
        """Charge of the spike line, up and down, [J]."""
        return self.latch_capacitance * self.logic_voltage**2

    def doubts(
        self, levels: tuple[float, float], resistance: float, schedule: Schedule
    ) -> list[str]:
        """Refuse inputs that are too low, and a threshold that does not lie between."""
        found, threshold = [], self.reference_voltage + self.kickback
        if not min(levels) < threshold < max(levels):
            found.append(
                f"a read gives {format_si(levels[1], 'V')} and, switched, "
                f"{format_si(levels[0], 'V')}: {format_si(threshold, 'V')}, where the latch "
                "decides, must lie between"
            )
        lowest = max(min(levels), self.reference_voltage)
        if lowest < LEAST_INPUT:
            found.append(
                f"the higher input of the latch is as low as {format_si(lowest, 'V')}, and it "
                f"needs {format_si(LEAST_INPUT, 'V')}: raise the read voltage"
            )
        wait = schedule.strobe.start - schedule.read.start
        return found + unsettled("read nodes", resistance * self.node_capacitance, wait)


def _meter(neuron: str, terminal: str) -> str:
    """Ammeter of a terminal of an instance, and the node behind it."""
    return f"{neuron}_{terminal}"


def _inflow(signals: Signals, meter: str) -> np.ndarray:
    return np.asarray(signals.voltage(meter) * signals.current(f"v{meter}"))


@functools.cache
def _library() -> Library:
    """Text of the latch, and the transistors of the nominal corner."""
    return read_library(resource_path("freepdk45", "strongarm.lib"), transistor_cards("nom"))
