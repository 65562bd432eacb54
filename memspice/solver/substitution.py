"""The way back from the ports of an eliminated crossbar to its cells, and from cells to ports.

Current sources in parallel to cells become offsets of the outputs of ever larger blocks, up to the
whole array (`_offsets`); then the voltages and currents at the wires of ever smaller blocks follow,
down to the cells (`_inputs`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memspice.solver.blocks import Joint
from memspice.solver.elimination import Pair, Record, Tile, WiredArray, eliminate_recorded, halves

Array = NDArray[np.float64]


class CellState(NamedTuple):
    """Voltages and currents at the cells, each of shape (n_rows, n_cols, inputs).

    Parameters
    ----------
    word, bit : ndarray, [V]
        Voltages of a cell's two terminals.
    current : ndarray, [A]
        From word line to bit line, through the cell and the source in parallel.
    voltage : ndarray, [V]
        Across the cell.
    """

    word: Array
    bit: Array
    current: Array
    voltage: Array


class Trail(NamedTuple):
    """Offsets at the joint of a pair, and what is below it."""

    voltage: Array
    current: Array
    below: tuple[Trails, Trails]


Trails = Trail | list[tuple[Array, Array]] | None


class LinearCrossbar:
    """A crossbar of linear cells, eliminated once and solved for any sources.

    Parameters
    ----------
    array : WiredArray
        Cells and wires, drivers and senses among them.

    Raises
    ------
    ConfigError
        If lines all but float, so that the result would not hold 1e-9.
    """

    def __init__(self, array: WiredArray) -> None:
        self._array = array
        self._block, self._record = eliminate_recorded(array)

    def solve(self, voltage: Array, current: Array | None = None) -> tuple[Array, CellState]:
        """Solve for source voltages, and for current sources in parallel to the cells.

        Parameters
        ----------
        voltage : ndarray, shape (n_rows, inputs), [V]
            Of each row's source; row 0 is farthest from the outputs.
        current : ndarray, shape (n_rows, n_cols, inputs), [A], or None
            From word line to bit line; None is no source.

        Returns
        -------
        ndarray, shape (n_cols, inputs), [A]
            Out of each bit line into its grounded end.
        CellState
        """
        rows, cols = self._array.conductance.shape
        ports = np.zeros((rows + cols, voltage.shape[1]))
        ports[:rows] = voltage[::-1]
        output = self._block.matrix[rows:, :rows] @ ports[:rows]
        trail, sources = None, np.zeros((rows, cols, voltage.shape[1]))
        if current is not None:
            sources = current[::-1]
            offset, trail = _offsets(self._record, sources)
            output += offset[rows:]
        state = CellState(*(np.empty_like(sources) for _ in CellState._fields))
        _inputs(self._record, self._array, ports=ports, trail=trail, sources=sources, state=state)
        return output, CellState(*(part[::-1] for part in state))


def _offsets(record: Record, current: Array) -> tuple[Array, Trails]:
    """Outputs of an array whose inputs are zero, and the offsets at all its joints."""
    if isinstance(record, Pair):
        near, far = np.split(current, [record.cut], axis=record.axis)
        first, below = _offsets(record.first, near)
        second, beside = _offsets(record.second, far)
        outputs, voltage, source = _joined(record.joint, first, second)
        return outputs, Trail(voltage, source, (below, beside))
    cells, trail = record.cells, []
    share = np.zeros((*cells.share.shape, current.shape[2]))
    share[: record.shape[0], : record.shape[1]] = current
    share *= cells.share[..., np.newaxis]
    outputs = cells.drop[..., record.order, np.newaxis] * share[..., np.newaxis, :]
    for axis, joint in record.joints:
        near_half, far_half = halves(axis)
        outputs, voltage, source = _joined(joint, outputs[near_half], outputs[far_half])
        trail.append((voltage, source))
    return outputs[0, 0, record.ports], trail


def _joined(joint: Joint, first: Array, second: Array) -> tuple[Array, Array, Array]:
    """Offsets of two joined blocks, and those of both at the joint itself."""
    width = joint.width
    open_voltage, driven = first[..., -width:, :], second[..., :width, :]
    voltage, current = joint.solve(open_voltage, driven)
    outputs = joint.gather(
        first[..., :-width, :] - np.swapaxes(joint.first, -1, -2) @ current,
        second[..., width:, :] + np.swapaxes(joint.second, -1, -2) @ voltage,
    )
    return outputs, open_voltage, driven


def _inputs(
    record: Record, array: WiredArray, ports: Array, trail: Trails, sources: Array, state: CellState
) -> None:
    """Write the state of all cells below the given inputs at an array's wires."""
    if isinstance(record, Tile):
        _cells_of_tile(record, array, ports=ports, trail=trail, sources=sources, state=state)
        return
    offset = trail[:2] if isinstance(trail, Trail) else None
    below = trail.below if isinstance(trail, Trail) else (None, None)
    inputs = _parted(record.joint, ports, offset)
    every, near, far = slice(None), slice(None, record.cut), slice(record.cut, None)
    indices = ((every, near), (every, far)) if record.axis else ((near, every), (far, every))
    children = zip((record.first, record.second), indices, inputs, below, strict=True)
    for child, index, child_ports, child_trail in children:
        part = CellState(*(values[index] for values in state))
        _inputs(
            child,
            array.part(*index),
            ports=child_ports,
            trail=child_trail,
            sources=sources[index],
            state=part,
        )


def _parted(joint: Joint, inputs: Array, offset: tuple[Array, Array] | None) -> tuple[Array, Array]:
    """Inputs of two blocks from those of the block they make."""
    first, second = joint.spread(inputs)
    open_voltage, driven = joint.first @ first, joint.second @ second
    if offset is not None:
        open_voltage += offset[0]
        driven += offset[1]
    voltage, current = joint.solve(open_voltage, driven)
    return np.concatenate([first, -current], axis=-2), np.concatenate([voltage, second], axis=-2)


def _cells_of_tile(
    tile: Tile, array: WiredArray, ports: Array, trail: Trails, sources: Array, state: CellState
) -> None:
    """Write the state of a tile's cells from the inputs at its wires."""
    steps = trail if isinstance(trail, list) else [None] * len(tile.joints)
    inputs = np.zeros((1, 1, tile.wires, ports.shape[1]))
    inputs[0, 0, tile.ports] = ports
    for (axis, joint), offset in zip(reversed(tile.joints), reversed(steps), strict=True):
        first, second = _parted(joint, inputs, offset)
        rows, cols = inputs.shape[0] * (2 - axis), inputs.shape[1] * (1 + axis)
        inputs = np.empty((rows, cols, *first.shape[-2:]))
        near_half, far_half = halves(axis)
        inputs[near_half], inputs[far_half] = first, second
    rows, cols = tile.shape
    near_word, near_bit, far_bit, far_word = (
        inputs[:rows, :cols, wire] for wire in np.argsort(tile.order)
    )
    row, col = array.row[:, np.newaxis], array.col[:, np.newaxis, np.newaxis]
    conductance, share = (
        values[:rows, :cols, np.newaxis] for values in (tile.cells.conductance, tile.cells.share)
    )
    drive = near_word - near_bit + row * far_word - col * far_bit
    state.current[...] = conductance * drive + share * sources
    state.voltage[...] = share * (drive - (row + col) * sources)
    state.word[...] = near_word + row * (far_word - state.current)
    state.bit[...] = near_bit + col * (far_bit + state.current)
