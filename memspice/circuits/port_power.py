"""Power of drivers, wires and cells from the port matrix and the voltages of the bit lines.

In a part of a layer only its own bit lines are simulated.  The others are taken to follow the same
course: each at its settled voltage times the height of the own ones over theirs.  Then what parts
deliver and dissipate adds up to that of the whole layer:

- what bit lines draw from the rows belongs to them; what rows draw alone is shared out by the
  number of neurons;
- what a driver dissipates is its whole current times the part's share of that current.

Where bit lines settle in different ways, what the array dissipates is off by what they do to each
other: at most the coupling that `memspice.circuits.reducible` bounds, of the power that leaves by
the bit lines.  How it is split between drivers and cells is off to the second order of the
difference, 4e-5 of the drivers' energy for 128 rows and 64 neurons in decks of four.
"""

from __future__ import annotations

import numpy as np

from memspice.circuits.array_circuit import ArrayPower
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.ports import PortArray


def port_power(
    layer: LayerCircuit,
    row_voltage: np.ndarray,
    cycle: np.ndarray,
    envelope: np.ndarray,
    voltage: np.ndarray,
) -> ArrayPower:
    """Power of the array of a layer or of a part of one.

    Parameters
    ----------
    layer : LayerCircuit
        With ohmic cells, or cells taken as such.
    row_voltage : ndarray, shape (cycles, rows), [V]
        Height of the row pulses.
    cycle : ndarray of int, shape (instants,)
        Number of the cycle.
    envelope : ndarray, shape (instants,), [1]
        Height of the row pulse, 0 to 1.
    voltage : ndarray, shape (instants, own bit lines), [V]
        At their ends.
    """
    ports, own = layer.ports, layer.columns
    share = layer.outputs / (layer.whole or layer).outputs
    row_col, col_col = -ports.injection.T, ports.column_admittance
    others = row_voltage @ ports.column_voltage.T
    height = _height(others[:, own][cycle], voltage, envelope)
    others[:, own] = 0.0

    def along(values: np.ndarray) -> np.ndarray:
        """Sum over the own bit lines of their voltages and values (cycles, own) of each cycle."""
        return np.asarray(np.sum(values[cycle] * voltage, axis=-1))

    def product(values: np.ndarray, more: np.ndarray) -> np.ndarray:
        """Sum over the rows of values (cycles, rows), at each instant."""
        return np.asarray(np.sum(values * more, axis=-1)[cycle])

    # Row current: envelope * alone + height * pulled + voltage @ to_own.T; the part's is
    # share * envelope * alone + voltage @ to_own.T.
    alone, pulled = _currents_alone(ports, row_voltage), others @ row_col.T
    to_own = row_col[:, own]
    into_own = along(row_voltage @ to_own)
    delivered = envelope * (share * envelope * product(row_voltage, alone) + into_own)
    squares = share * (envelope * product(alone, alone) + height * product(alone, pulled))
    squares = envelope * (squares + (1 + share) * along(alone @ to_own))
    squares += height * along(pulled @ to_own) + _form(to_own.T @ to_own, voltage)
    absorbed = envelope * into_own + height * along(others @ col_col[:, own])
    absorbed += _form(col_col[own, own], voltage)
    driver = layer.array.driver_resistance * squares
    crossbar = delivered + absorbed - driver
    return ArrayPower(delivered, driver, crossbar, stored=np.zeros_like(delivered))


def _height(settled: np.ndarray, voltage: np.ndarray, envelope: np.ndarray) -> np.ndarray:
    """Height of the own bit lines over their settled voltages, shape (instants,), [1].

    While sense stages settle bit lines are far above their settled voltage, all of them alike.
    """
    norm, height = np.sum(settled**2, axis=-1), envelope.copy()
    np.divide(np.sum(voltage * settled, axis=-1), norm, out=height, where=norm > 0)
    return height


def _currents_alone(ports: PortArray, row_voltage: np.ndarray) -> np.ndarray:
    """Currents of the rows, all bit lines at ground, shape (cycles, rows), [A]."""
    parts = zip(ports.tiles, ports.split_rows(row_voltage), strict=True)
    return np.concatenate([levels @ tile.row_row for tile, levels in parts], axis=-1)


def _form(matrix: np.ndarray, voltage: np.ndarray) -> np.ndarray:
    """Quadratic form of the voltages at each instant, shape (instants,)."""
    return np.asarray(np.sum((voltage @ matrix) * voltage, axis=-1))
