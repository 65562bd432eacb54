"""A row driver of 45 nm transistors: two switches with tapered inverters.

::

    in<row> (0, 1 V) --[ row_driver.lib ]-- Vrow<row>, an ammeter -- row
                           |  |  |
     Vgates<row>, Vread<row>, Vlevel<row>: supply of the gates, levels with and without a spike

`array.driver_resistance` should be what the switches have, 62.6 ohm: the port matrix, and so
``reduced`` and the closed form, know nothing else of them.
"""

from __future__ import annotations

import functools
from typing import ClassVar, Literal

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.blocks.buffered_driver import BufferedDriver
from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.circuits.freepdk45 import transistor_cards
from memspice.circuits.library import Library, read_library
from memspice.circuits.signals import Signals, source_power
from memspice.circuits.spice import Circuit
from memspice.errors import ConfigError
from memspice.resources import resource_path

#: Edge of a spike at the driver's input, [s], in the middle of the row's edge.
_EDGE = 50e-12
#: Sources that deliver power, each on the node of its name.
_SOURCES = ("in", "gates", "read", "level")


class TransistorDriver(BufferedDriver):
    """``row_driver`` of ``models/freepdk45/row_driver.lib``; in ``full`` its transistors run."""

    kind: Literal["transistor"] = "transistor"  # type: ignore[assignment]
    fine: ClassVar[bool] = True

    def define(self, deck: Deck) -> None:
        """Add the circuit's text."""
        deck.library(_library())

    def add(self, circuit: Circuit, row: str, train: PieceWiseLinear, resistance: float) -> None:
        """Add the driver, its levels and supply, and the spikes that its pulses are."""
        del resistance
        low, high = _levels(train, row)
        spikes = _spikes(train, low)
        for name, value in zip(_SOURCES, (spikes, self.gate_supply, high, low), strict=True):
            circuit.V(f"{name}{row}", f"{name}{row}", circuit.gnd, value)
        before = f"out{row}"
        given, gates, read, level = (f"{name}{row}" for name in _SOURCES)
        circuit.X(f"driver{row}", "row_driver", given, before, gates, read, level)
        circuit.V(f"row{row}", before, nodes.row(row), 0.0)

    def signals(self, row: str) -> list[str]:
        """Voltage and current of the row and of all sources."""
        names = [f"v({nodes.row(row)})", f"i(vrow{row})"]
        return names + [f"{kind}{name}{row})" for name in _SOURCES for kind in ("v(", "i(v")]

    def delivered(self, signals: Signals, row: str, source: np.ndarray) -> np.ndarray:
        """Power of all sources."""
        del source
        names = (f"{name}{row}" for name in _SOURCES)
        return np.asarray(sum(source_power(signals, n, signals.voltage(n)) for n in names))

    def power(
        self, signals: Signals, row: str, source: np.ndarray, resistance: float
    ) -> np.ndarray:
        """What flows in and not out into the row."""
        del resistance
        given = signals.voltage(nodes.row(row)) * signals.current(f"vrow{row}")
        return np.asarray(self.delivered(signals, row, source) - given)


def _levels(train: PieceWiseLinear, row: str) -> tuple[float, float]:
    """Lowest and highest voltage of a row, [V].

    Raises
    ------
    ConfigError
        If it has others at the corners of its pulses.
    """
    values = sorted({round(value, 12) for _, value in train.points})
    if len(values) > 2:
        shown = ", ".join(f"{value:g}" for value in values)
        raise ConfigError(
            f"row {row} is driven to {shown} V, and a transistor driver switches between two "
            "levels: use row_driver.kind = buffered, or inputs without levels"
        )
    return values[0], values[-1]


def _spikes(train: PieceWiseLinear, low: float) -> PieceWiseLinear:
    """Input of 0 and 1 V with short edges in the middle of the row's."""
    points = [(0.0, float(train.points[0][1] > low))]
    for (start, before), (stop, after) in zip(train.points[:-1], train.points[1:], strict=True):
        if before != after:
            middle = (start + stop) / 2
            points.append((middle - _EDGE / 2, float(before > low)))
            points.append((middle + _EDGE / 2, float(after > low)))
    return PieceWiseLinear(tuple(points))


@functools.cache
def _library() -> Library:
    """Text of the driver, and the transistors of the nominal corner."""
    return read_library(resource_path("freepdk45", "row_driver.lib"), transistor_cards("nom"))
