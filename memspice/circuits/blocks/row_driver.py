"""The row driver: puts a row at the line level, and higher while it is driven."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.circuits.signals import Signals
from memspice.circuits.silicon import Silicon, package_silicon
from memspice.circuits.spice import Circuit
from memspice.quantities import Parameters


class RowDriver(Parameters, ABC):
    """Drivers of the rows of a layer, one a row.

    The driver of row ``<tile>_<number>`` ends at the node `memspice.circuits.nodes.row` of that
    name; all other nodes are its own.  Seen from its row it is a source behind
    ``array.driver_resistance``, which is all that ``reduced`` and the closed form have of it
    besides :meth:`pulse_energy`.

    A driver is its own parameter class: ``[row_driver]`` of a parameter set has its values.
    """

    #: By component of the energy, the values of a parameter set (``table.name``) that stand in the
    #: place of a circuit of the block: where one of them is assumed, so are the joules.
    circuit_constants: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "driver": ("array.driver_resistance",)
    }

    #: Even steps from rest to the read voltage that a row can take; None where it can take any
    #: level, which a converter makes.
    steps: ClassVar[int | None] = None

    #: Subcircuit in ``models/freepdk45/`` whose transistors do this driver's work.
    subcircuit: ClassVar[str] = "row_driver"

    @property
    def silicon(self) -> Silicon:
        """Transistors of one driver."""
        return package_silicon(self.subcircuit)

    #: Whether charges of 0.01 fC count, so that a deck is solved as a bench is.
    fine: ClassVar[bool] = False

    # --- closed form

    @abstractmethod
    def pulse_energy(self, row_voltage: np.ndarray, cycle: float) -> np.ndarray:
        """Energy of all drivers besides what their resistance dissipates.

        Parameters
        ----------
        row_voltage : ndarray, shape (cycles, rows), [V]
            Height of each pulse above the line level; 0 where the row rests.
        cycle : float, [s]
            Length of a cycle, for what leaks.

        Returns
        -------
        ndarray, shape (cycles,), [J]
        """

    # --- in SPICE

    def define(self, deck: Deck) -> None:
        """Add what all drivers have in common; nothing by default."""
        del deck

    @abstractmethod
    def add(self, circuit: Circuit, row: str, train: PieceWiseLinear, resistance: float) -> None:
        """Add one driver.

        Parameters
        ----------
        circuit : Circuit
            Section of a deck.
        row : str
            ``<tile>_<number>``.
        train : PieceWiseLinear, [V]
            Its pulses above ground, line level and all.
        resistance : float, [ohm]
            ``array.driver_resistance``, or 0 where that is too small for a solver.
        """

    @abstractmethod
    def signals(self, row: str) -> list[str]:
        """Names of the signals that the other methods need."""

    @abstractmethod
    def delivered(self, signals: Signals, row: str, source: np.ndarray) -> np.ndarray:
        """Power that its sources deliver, (points,), [W]; ``source`` [V] are its pulses."""

    @abstractmethod
    def power(
        self, signals: Signals, row: str, source: np.ndarray, resistance: float
    ) -> np.ndarray:
        """Power that it dissipates, (points,), [W]."""

    @abstractmethod
    def stored(self, signals: Signals, row: str) -> np.ndarray:
        """Energy on its capacitances, (points,), [J]."""
