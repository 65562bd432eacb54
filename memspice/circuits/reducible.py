"""Where a reduced deck is exact: what it leaves out, in numbers, and the refusal where that counts.

A reduced deck replaces drivers, wires and cells by linear, instantaneous sources, one per bit line.
It leaves out what bit lines do to each other while they settle, the bend of a cell's curve beside
the read voltage, and the time and energy that charge the wires.  A layer cut into several decks
leaves out nothing more in any voltage; see `memspice.circuits.port_power` for its energy.
"""

from __future__ import annotations

import math

import numpy as np

from memspice.circuits.layer import LayerCircuit
from memspice.circuits.negligible import NEGLIGIBLE
from memspice.errors import ConfigError
from memspice.quantities import format_si


def refuse_unless_reducible(layer: LayerCircuit, row_voltage: np.ndarray, name: str) -> None:
    """Refuse a layer whose reduced deck would not be exact.

    Parameters
    ----------
    layer : LayerCircuit
        What is to be reduced.
    row_voltage : ndarray, shape (cycles, rows), [V]
        What drives it.
    name : str
        Of the layer, for the message.

    Raises
    ------
    ConfigError
        If one of :func:`obstacles` is there; the message gives each with its number and limit.
    """
    found = obstacles(layer, row_voltage)
    if found:
        raise ConfigError(
            f"layer {name} cannot be reduced: {'; '.join(found)}; use --fidelity full"
        )


def obstacles(layer: LayerCircuit, row_voltage: np.ndarray) -> list[str]:
    """Reasons why a reduced deck would not be exact, each with its number and limit."""
    found = []
    if layer.ports.coupling > NEGLIGIBLE:
        found.append(
            f"{layer.ports.coupling:.2g} of a bit line's voltage arrives at another one, above "
            f"{NEGLIGIBLE:g}: columns cannot be reduced one by one"
        )
    bend = nonlinearity(layer, row_voltage)
    if bend > NEGLIGIBLE:
        found.append(
            f"cells carry up to {bend:.2g} more or less current than the resistors that would "
            f"stand for them, above {NEGLIGIBLE:g} of it"
        )
    delay, settle = wire_delay(layer), layer.timing.settle
    needed = delay * math.log(1 / NEGLIGIBLE)
    if needed > settle:
        found.append(
            f"wires charge with {format_si(delay, 's')} and need {format_si(needed, 's')} to "
            f"settle to {NEGLIGIBLE:g}, longer than the {format_si(settle, 's')} before a write"
        )
    share = charging_share(layer)
    if share > NEGLIGIBLE:
        found.append(
            f"charging the wires takes {share:.2g} of the array's energy, above {NEGLIGIBLE:g}"
        )
    return found


def nonlinearity(layer: LayerCircuit, row_voltage: np.ndarray) -> float:
    """Largest relative error of a cell's current if it were a resistor, [1].

    That resistor carries the right current at the read voltage; a cell sees other voltages where
    rows are driven at other levels and where drivers and wires take their part.
    """
    array, levels = layer.array, np.abs(row_voltage[row_voltage != 0])
    if array.cell.ohmic or not levels.size:
        return 0.0
    cells = np.concatenate([tile.ravel() for tile in layer.conductances])
    cells = cells[cells > 0]
    ends = np.array([cells.min(), cells.max()])
    expected = array.cell.read_conductance(ends, array.read_voltage)
    lowest = float(levels.min()) * max(1 - _largest_drop(layer), NEGLIGIBLE)
    ratios = [
        array.cell.read_conductance(ends, voltage) / expected
        for voltage in (lowest, float(levels.max()))
    ]
    return float(np.max(np.abs(np.array(ratios) - 1)))


def _largest_drop(layer: LayerCircuit) -> float:
    """Bound of the share of a row's voltage that a cell does not see, [1].

    As if every cell saw all of it and its current went through the whole of both lines.
    """
    array, tiles = layer.array, _cells(layer)
    rows, cols = max(len(tile) for tile in tiles), tiles[0].shape[1]
    row = max(float(tile.sum(axis=1).max()) for tile in tiles)
    col = max(float(tile.sum(axis=0).max()) for tile in tiles)
    whole = float(np.sum([tile.sum(axis=0) for tile in tiles], axis=0).max())
    return float(
        row * (array.driver_resistance + cols * array.wire_resistance_row)
        + col * rows * array.wire_resistance_col
        + whole * layer.sense.input_resistance
    )


def wire_delay(layer: LayerCircuit) -> float:
    """Elmore delay from a row's source to the end of the farthest bit line, [s].

    ``R_driver C_row + sum of (resistance to a node) * (its capacitance)`` along the word line, the
    same along the bit line, and the bit line's whole capacitance at its end: times the resistance
    with which its sense stage charges it.
    """
    array = layer.array
    rows, cols = max(len(tile) for tile in layer.conductances), 2 * layer.outputs
    row = array.wire_capacitance_row * (
        array.driver_resistance * cols + array.wire_resistance_row * cols * (cols + 1) / 2
    )
    col = array.wire_capacitance_col * (
        array.wire_resistance_col * rows * (rows + 1) / 2
        + layer.sense.charging_resistance * layer.rows
    )
    return row + col


def charging_share(layer: LayerCircuit) -> float:
    """Energy lost in charging all wires over that of all cells in one write phase, [1].

    Of ``C V^2`` a ramp slower than the wires loses only a part, ``2 x (1 - x (1 - exp(-1/x)))``
    with ``x`` the wires' delay over the edge; all of it is lost where the edge is short.
    """
    array, delay = layer.array, wire_delay(layer)
    if delay == 0:
        return 0.0
    cells = _cells(layer)
    column = np.sum([tile.sum(axis=0) for tile in cells], axis=0)
    at_end = column * layer.sense.input_resistance / (1 + column * layer.sense.input_resistance)
    charge = array.wire_capacitance_row * layer.rows * len(column)
    charge += array.wire_capacitance_col * layer.rows * float(np.sum(at_end**2))
    slow = delay / layer.timing.edge
    lost = 2 * slow * (1 + slow * math.expm1(-1 / slow)) if slow < 1e3 else 1.0
    return lost * charge / (float(column.sum()) * layer.row_pulse.square_area)


def _cells(layer: LayerCircuit) -> list[np.ndarray]:
    """Conductances of whole cells at the read voltage, tile by tile, [S]."""
    array = layer.array
    return [array.cell.read_conductance(tile, array.read_voltage) for tile in layer.conductances]
