"""Sense stages of a layer as a deck has them: what they add, and say of power and signals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Self

import numpy as np

from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck
from memspice.circuits.signals import Signals, source_power
from memspice.circuits.timing import Schedule


class SenseCircuit(ABC):
    """Sense stages of a layer as a deck has them, for any number of outputs.

    The stage of output ``n`` stands between the nodes `memspice.circuits.nodes.bit_lines` and
    `memspice.circuits.nodes.drive`; all other nodes are its own, or those of its supplies and
    clocks.
    """

    def drawn(self, outputs: int, rng: np.random.Generator) -> Self:
        """Stages of so many outputs whose transistors differ; itself where none are said to."""
        del outputs, rng
        return self

    def part(self, outputs: slice) -> Self:
        """Stages of some outputs: itself where those of all are alike."""
        del outputs
        return self

    @property
    def residual(self) -> float:
        """Standard deviation of their drives about `SenseStage.drive`, [V]; 0 where alike."""
        return 0.0

    @property
    def energy_residual(self) -> float:
        """The same of their joules about `SenseStage.energy`, relative, [1]."""
        return 0.0

    @property
    def falls(self) -> bool:
        """Whether its drive falls where the plus line carries more: a lower one writes harder."""
        return False

    @property
    def drives(self) -> bool:
        """Whether what it gives to neurons at its drives is part of its own power."""
        return False

    @property
    def shifted(self) -> bool:
        """Whether an ideal source behind it adds what its drive lacks to the bias voltage."""
        return False

    @property
    @abstractmethod
    def supplies(self) -> Mapping[str, float]:
        """Supplies and bias lines: each a source of this name on the node of this name, [V]."""

    def clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Clocks, each on the node of its name, for the phases of a cycle with row pulses."""
        return {}

    @property
    def overlaps(self) -> bool:
        """Whether the next burst is taken in while neurons are written from this one."""
        return True

    def burst_clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Clocks of a whole burst, counted from its begin."""
        return {}

    def first_clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Clocks of the first cycle of an image alone."""
        return {}

    def hold_clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Clocks for the phases of a cycle in which neurons are written from a held drive."""
        return {}

    @abstractmethod
    def add(
        self,
        deck: Deck,
        bias: np.ndarray,
        gain: np.ndarray,
        conductance: np.ndarray,
        limits: tuple[float, float],
    ) -> None:
        """Add the stages of all outputs, without supplies and clocks.

        Parameters
        ----------
        deck : Deck
        bias, gain : ndarray, shape (outputs,), [V] and [1]
            Drive of each output without current; factor of what its stage makes of currents.
        conductance : ndarray, shape (columns,), [S]
            Of the bit lines, as of `SenseStage.drive`.
        limits : tuple of float, [V]
            Lowest and highest drive.
        """

    def add_loads(self, deck: Deck, outputs: int) -> None:
        """Add what stands for neurons that take nothing from their drives; nothing by default."""
        del deck, outputs

    @abstractmethod
    def signals(self, outputs: int) -> list[str]:
        """Names of the signals that :meth:`power` and :meth:`stored` need.

        The voltages of bit lines and drives and the currents of the :attr:`supplies` are there.
        """

    @abstractmethod
    def power(self, signals: Signals, outputs: int, schedule: Schedule) -> np.ndarray:
        """Power that the stage of each output dissipates, (outputs, points), [W]."""

    def delivered(self, signals: Signals, outputs: int) -> np.ndarray:
        """Power that the sources of all stages deliver, (points,), [W]."""
        del outputs
        rails = (source_power(signals, *supply) for supply in self.supplies.items())
        return np.asarray(sum(rails, np.zeros_like(signals.time)))

    def stored(self, signals: Signals, outputs: int) -> np.ndarray:
        """Energy on capacitances inside the stages, (points,), [J]."""
        del outputs
        return np.zeros_like(signals.time)
