"""The latch: the voltage of a neuron's read node in, a spike out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck
from memspice.circuits.negligible import NEGLIGIBLE
from memspice.circuits.signals import Signals, source_power
from memspice.circuits.spice import Circuit, SubCircuit
from memspice.circuits.timing import Schedule, Timing
from memspice.quantities import format_si


class Latch(ABC):
    """Comparator and memory of one neuron's spike, until the neuron is cleared.

    In a deck it stands inside of the neuron's subcircuit, between its read node and its terminal
    ``spike``; the terminals ``read``, ``strobe`` and ``clear`` are pulses from 0 to 1 V, and
    :attr:`terminals` are the latch's own.  The node ``latch`` is 1 V while a spike is held: it
    asks for the reset.

    A latch is a frozen value that `memspice.jobs.content_hash` understands.
    """

    #: By component of the energy, the values of a parameter set (``table.name``) that stand in the
    #: place of a circuit of the block: where one of them is assumed, so are the joules.
    circuit_constants: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @property
    @abstractmethod
    def supplies(self) -> Mapping[str, float]:
        """Supplies: each a source of this name on the node of this name, [V]."""

    def clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Clocks besides the neuron's pulses, each on the node of its name; none by default."""
        del schedule
        return {}

    @property
    def terminals(self) -> Mapping[str, str]:
        """Own terminals of the neuron's subcircuit, and the node of the deck at each."""
        return {f"v{name}": name for name in self.supplies}

    def define(self, deck: Deck) -> None:
        """Add what all latches have in common; nothing by default."""
        del deck

    def outside(self, circuit: Circuit, neuron: str, terminal: str) -> str:
        """Node of the deck at an own terminal of an instance; what it needs in between is added."""
        del circuit, neuron
        return self.terminals[terminal]

    @abstractmethod
    def add(self, circuit: SubCircuit, read_node: str, timing: Timing, *, falls: bool) -> None:
        """Add the latch to the subcircuit of a neuron, which has :attr:`terminals`.

        Parameters
        ----------
        circuit : SubCircuit
        read_node : str
        timing : Timing
        falls : bool
            A switched device takes the read node down, not up.
        """

    def ammeters(self, neuron: str) -> list[str]:
        """Names of the signals of an instance that :meth:`delivered` needs besides supplies."""
        del neuron
        return []

    def delivered(self, signals: Signals, neurons: Sequence[str]) -> np.ndarray:
        """Power that the sources of the latches of some instances deliver, (points,), [W]."""
        del neurons
        return np.asarray(sum(source_power(signals, *supply) for supply in self.supplies.items()))

    @abstractmethod
    def signals(self, neuron: str, spike: str) -> list[str]:
        """Names of the signals that :meth:`power` needs, of an instance ``neuron``."""

    @abstractmethod
    def fired(self, level: np.ndarray) -> np.ndarray:
        """Whether a level of the spike line [V] is a spike."""

    @abstractmethod
    def compare_power(self, time: np.ndarray, schedule: Schedule) -> np.ndarray:
        """Power of the comparison at times within a cycle [s], [W]; counts as the neuron's read."""

    @abstractmethod
    def power(self, signals: Signals, neuron: str, spike: str) -> np.ndarray:
        """Power that the latch dissipates besides, of an instance ``neuron``, (points,), [W]."""

    @abstractmethod
    def stored(self, signals: Signals, read: np.ndarray, spike: str) -> Sequence[np.ndarray]:
        """Energies on the spike line, and on a read node of some voltage [V], (points,), [J]."""

    @property
    @abstractmethod
    def compare_watts(self) -> float:
        """Power of the comparison while reading, [W]."""

    def event_energy(self, schedule: Schedule) -> float:
        """Energy of every event, spike or not, besides the comparison, [J]; none by default."""
        del schedule
        return 0.0

    def idle_energy(self, schedule: Schedule) -> float:
        """Energy of a cycle in which nothing is decided, [J]; none by default."""
        del schedule
        return 0.0

    @property
    @abstractmethod
    def spike_energy(self) -> float:
        """Energy of a spike, [J]."""

    @abstractmethod
    def doubts(
        self, levels: tuple[float, float], resistance: float, schedule: Schedule
    ) -> list[str]:
        """Why it would not tell a spike in time.

        Parameters
        ----------
        levels : tuple of float, [V]
            Of the read node, with a switched device and without.
        resistance : float, [ohm]
            Largest at the read node.
        schedule : Schedule
        """


def unsettled(nodes: str, constant: float, wait: float) -> list[str]:
    """Why some nodes of a time constant [s] would not be charged when they must, after a wait [s].

    Empty where they would.
    """
    needed = constant * math.log(1 / NEGLIGIBLE)
    if needed <= wait:
        return []
    return [
        f"{nodes} charge with {format_si(constant, 's')} and need {format_si(needed, 's')} to "
        f"settle to {NEGLIGIBLE:g}, longer than the {format_si(wait, 's')} they have"
    ]
