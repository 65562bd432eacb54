"""The synapse: what joins a word line to a bit line at every crossing of a tile.

::

    word line --[synapse device]--(nodes of its own)--[what stands in series]-- bit line
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memspice.circuits.deck import Deck
from memspice.circuits.measured_cell import CellTable
from memspice.circuits.own_circuit import OwnCircuit
from memspice.circuits.spice import SubCircuit
from memspice.devices.synapse_iv import CellCurve
from memspice.quantities import Parameters

Array = NDArray[np.float64]


class SynapseCell(ABC):
    """A synapse of a crossbar: a device of some conductance, alone or behind another.

    In a tile cell ``<i>_<j>`` stands between the nodes of its word and its bit line, which the
    tile names, as it does the gate line of a row; all other nodes are its own.

    A cell is a frozen value that `memspice.jobs.content_hash` understands.
    """

    #: One word for it, and the table of a parameter set that has its other devices.
    kind: ClassVar[str]
    #: Other devices than the synapse's, by the field that has them.
    devices: ClassVar[Mapping[str, type[Parameters]]] = {}
    #: Begins of the names of its own nodes, before ``<i>_<j>``.
    inner: ClassVar[tuple[str, ...]] = ()
    #: Whether it is measured against ground, so that bit lines must be near it.
    grounded: ClassVar[bool] = False
    #: Curve of the synapse device.
    curve: CellCurve

    # --- closed form, or what was measured in its place

    @property
    def unmeasured(self) -> MeasurableCell | None:
        """Itself, if its curves must be measured before anything is mapped; None by default."""
        return None

    @property
    @abstractmethod
    def ohmic(self) -> bool:
        """Whether it is a resistor, so that a port matrix has it exactly."""

    @abstractmethod
    def read_conductance(self, conductance: ArrayLike, voltage: float) -> Array:
        """Current per voltage of whole cells at one voltage: the secant of their curve.

        Parameters
        ----------
        conductance : array_like, any shape, [S]
            Of the synapse devices at the origin.
        voltage : float, [V]
            Of the word line, not 0; the bit line is at its level and the gate on.

        Returns
        -------
        ndarray, same shape, [S]
            The conductances themselves, untouched, where the cell is ohmic.
        """

    # --- in SPICE

    @property
    def gate(self) -> float | None:
        """Voltage of its gate line while rows are driven, [V]; None where it has none."""
        return None

    def define(self, deck: Deck) -> None:
        """Add what instances of the cell need besides models, once a deck; nothing by default."""
        del deck

    @abstractmethod
    def add(
        self, circuit: SubCircuit, label: str, ends: tuple[str, str], gate: str, conductance: float
    ) -> None:
        """Add one cell to a tile.

        Parameters
        ----------
        circuit : SubCircuit
            The tile.
        label : str
            ``<i>_<j>``, the end of the names of its elements and nodes.
        ends : tuple of str
            Nodes of word and bit line.
        gate : str
            Node of the gate line, where there is one.
        conductance : float, [S]
            Of the synapse device, above 0.
        """

    @abstractmethod
    def current(
        self, ends: tuple[Array, Array], inner: list[Array], gate: Array, conductance: Array
    ) -> Array:
        """Current of some cells into their bit line, (cells, points), [A].

        Parameters
        ----------
        ends : tuple of ndarray, (cells, points), [V]
            At the word and the bit line.
        inner : list of ndarray, (cells, points), [V]
            At the nodes of `inner`.
        gate : ndarray, shape (points,), [V]
            Of the gate line.
        conductance : ndarray, shape (cells, 1), [S]
            Of the synapse devices.
        """

    @abstractmethod
    def dissipation(
        self, ends: tuple[Array, Array], inner: list[Array], gate: Array, conductance: Array
    ) -> list[Array]:
        """Power of each element of some cells, (cells, points), [W]; the rest as of `current`."""

    @property
    def legend(self) -> list[str]:
        """What the names of its elements say."""
        return [f"{'Rg' if self.curve.linear else 'Xg'}<i>_<j>: cell"]

    def add_device(
        self, circuit: SubCircuit, label: str, ends: tuple[str, str], conductance: float
    ) -> None:
        """Add the synapse device: a resistor, or the model of its curve."""
        if self.curve.linear:
            circuit.R(f"g{label}", *ends, 1 / conductance)
            return
        shape = self.curve.model_dump(exclude={"kind"})
        circuit.X(f"g{label}", "synapse_cell", *ends, conductance=conductance, **shape)


class MeasurableCell(SynapseCell):
    """A synapse without a closed form, for which curves measured in SPICE stand."""

    circuit: OwnCircuit

    @property
    @abstractmethod
    def range(self) -> tuple[float, float]:
        """Voltages over it in use, [V]."""

    @abstractmethod
    def with_table(self, table: CellTable) -> MeasurableCell:
        """The same cell, measured."""
