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

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from memspice.circuits.layer import LayerCircuit
from memspice.circuits.reduction import PortAdmittance


@dataclass(frozen=True)
class ArrayPower:
    """Powers over time, each (instants,) in [W]: of the row sources, drivers, cells and wires."""

    delivered: np.ndarray
    driver: np.ndarray
    crossbar: np.ndarray


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
        Number of the cycle; never falls.
    envelope : ndarray, shape (instants,), [1]
        Height of the row pulse, 0 to 1.
    voltage : ndarray, shape (instants, own bit lines), [V]
        At their ends.
    """
    ports, own = layer.ports, layer.columns
    others = row_voltage @ ports.column_voltage.T
    settled = others[:, own].copy()
    others[:, own] = 0.0
    share = layer.outputs / (layer.whole or layer).outputs
    starts = np.searchsorted(cycle, np.arange(len(row_voltage) + 1))
    powers = np.empty((3, len(cycle)))
    for number, (start, stop) in enumerate(pairwise(starts)):
        instants = slice(start, stop)
        state = _state(envelope[instants], voltage[instants], settled[number])
        levels = ports.split_rows(row_voltage[number])
        tiles = [
            _forms(tile, own, rows, others[number], share)
            for tile, rows in zip(ports.tiles, levels, strict=True)
        ]
        for power, form in zip(powers, np.sum(tiles, axis=0), strict=True):
            power[instants] = np.sum((state @ form) * state, axis=-1)
    delivered, squares, total = powers
    driver = layer.array.driver_resistance * squares
    return ArrayPower(delivered, driver, total - driver)


def _state(envelope: np.ndarray, voltage: np.ndarray, settled: np.ndarray) -> np.ndarray:
    """Heights of the rows and of the other bit lines, voltages of the own: (instants, 2 + own).

    While sense stages settle bit lines are far above their settled voltage, all of them alike.
    """
    norm = settled @ settled
    height = voltage @ settled / norm if norm > 0 else envelope
    return np.column_stack([envelope, height, voltage])


def _forms(
    tile: PortAdmittance, own: slice, levels: np.ndarray, others: np.ndarray, share: float
) -> np.ndarray:
    """Quadratic forms of the state in one cycle, shape (3, 2 + own, 2 + own).

    Power of the sources [W], square of the row currents [A^2], power into all ports [W].
    """
    alone, to_own = levels @ tile.row_row, tile.row_col[:, own]
    part = np.column_stack([share * alone, np.zeros_like(alone), to_own])
    current = np.column_stack([alone, tile.row_col @ others, to_own])
    into_own = np.column_stack(
        [to_own.T @ levels, tile.col_col[own] @ others, tile.col_col[own, own]]
    )
    delivered, absorbed = np.zeros((2, part.shape[1], part.shape[1]))
    delivered[0] = levels @ part
    absorbed[2:] = into_own
    return np.stack([delivered, current.T @ part, delivered + absorbed])
