"""What a deck has in the place of drivers, wires and cells: one class for each way to build it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from memspice.circuits.bursts import delay
from memspice.circuits.deck import Deck
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.signals import Signals


@dataclass(frozen=True, eq=False)
class Stimulus:
    """Row voltages and draws that take a layer through some cycles.

    ``row_voltage`` is (cycles, rows) in [V], ``thresholds`` (cycles, outputs), the draws
    ``E ~ Exp(1)`` of the neurons; an accumulating layer ignores them.  Row pulses of every
    ``burst`` cycles are integrated into one drive, or those of all cycles so far, of which the
    newest has a ``share`` below 1 (`memspice.circuits.bursts`).
    """

    row_voltage: np.ndarray
    thresholds: np.ndarray
    burst: int = 1
    share: float = 1.0

    @property
    def cycles(self) -> int:
        """Number of cycles."""
        return len(self.row_voltage)

    @property
    def delay(self) -> int:
        """Cycles from the row pulse of a cycle to its write."""
        return delay(self.burst, self.share)

    def warmed_up(self, cycles: int) -> Stimulus:
        """The same behind a warm-up: the rows of the first cycle, so often before it.

        Draws wait meanwhile, as neurons do.
        """
        rows, draws = (
            np.concatenate([values[:1].repeat(cycles, axis=0), values])
            for values in (self.row_voltage, self.thresholds)
        )
        return Stimulus(rows, draws, self.burst, self.share)

    def laid_out(self) -> Stimulus:
        """What rows and neurons get from the first row pulse to the last neuron's reset.

        With a :attr:`delay` rows rest in the end, and the draws of the first cycle wait.
        """
        if not self.delay:
            return self
        rest = np.zeros((self.delay, self.row_voltage.shape[1]))
        wait = self.thresholds[:1].repeat(self.delay, axis=0)
        return Stimulus(
            np.concatenate([self.row_voltage, rest]), np.concatenate([wait, self.thresholds])
        )


@dataclass(frozen=True, eq=False)
class ArrayPower:
    """Powers over time, each (instants,): of the row sources, drivers, cells and wires.

    ``delivered``, ``driver`` and ``crossbar`` are in [W]; ``stored`` [J] is the energy on wires.
    """

    delivered: np.ndarray
    driver: np.ndarray
    crossbar: np.ndarray
    stored: np.ndarray


class ArrayCircuit(ABC):
    """Row drivers, wires and cells of a layer as a deck has them, between rows and bit lines."""

    #: Name in a deck's title.
    name: ClassVar[str]

    @abstractmethod
    def check(self, layer: LayerCircuit) -> None:
        """Refuse a layer that cannot be built so.

        Raises
        ------
        ConfigError
            With the reason.
        """

    @abstractmethod
    def add(self, deck: Deck, layer: LayerCircuit, stimulus: Stimulus) -> None:
        """Add the elements that drive the bit lines ``c<column>``."""

    @abstractmethod
    def signals(self, layer: LayerCircuit) -> list[str]:
        """Names of the signals that :meth:`power` needs, besides those of the bit lines."""

    @abstractmethod
    def power(self, layer: LayerCircuit, stimulus: Stimulus, signals: Signals) -> ArrayPower:
        """Powers of what :meth:`add` built.

        Parameters
        ----------
        layer, stimulus
            What the deck was made from.
        signals : Signals
            At least those of :meth:`signals` and the voltages of the bit lines.
        """

    @abstractmethod
    def line_current(
        self, layer: LayerCircuit, stimulus: Stimulus, signals: Signals, column: int
    ) -> np.ndarray:
        """Current that a bit line gives its sense stage, (points,), [A]; arguments of `power`."""
