"""The latch: the voltage of a neuron's read node in, a spike out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from memspice.circuits.signals import Signals
from memspice.circuits.spice import SubCircuit
from memspice.circuits.timing import Schedule, Timing


class Latch(ABC):
    """Comparator and memory of one neuron's spike, until the neuron is cleared.

    In a deck it stands inside of the neuron's subcircuit, between its read node and its terminal
    ``spike``; the terminals ``read``, ``strobe`` and ``clear`` are pulses from 0 to 1 V.  The node
    ``latch`` is 1 V while a spike is held: it asks for the reset.

    A latch is a frozen value that `memspice.jobs.content_hash` understands.
    """

    #: By component of the energy, the values of a parameter set (``table.name``) that stand in the
    #: place of a circuit of the block: where one of them is assumed, so are the joules.
    circuit_constants: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @property
    @abstractmethod
    def supplies(self) -> Mapping[str, float]:
        """Supplies: each a source of this name on the node of this name, [V]."""

    @abstractmethod
    def add(self, circuit: SubCircuit, read_node: str, timing: Timing) -> None:
        """Add the latch to the subcircuit of a neuron, which has the supplies as terminals."""

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
