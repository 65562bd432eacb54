"""Layers as matrix products over frames: one frame is one image in one cycle.

States are channels last, (frames, height, width, channels), which is the order of the events.  A
layer reads the patches of a few frames at a time into rows that stay in the cache, a last column
of ones for the offset, and is then one float32 product.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import reduce

import numpy as np
from scipy.linalg import block_diag

from memspice.network.architecture import Conv, Dense, Pool, WeightStep

#: Numbers in the rows of one product: 2 MiB, so that they are still in the cache when multiplied.
ROW_NUMBERS = 1 << 19


def channels_last(images: np.ndarray) -> np.ndarray:
    """Images (n, channels, height, width) as float32 frames (n, height, width, channels)."""
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1), np.float32)


def layer_matrix(
    weight: np.ndarray,
    offset: np.ndarray,
    kind: Conv | Dense,
    input_shape: tuple[int, int, int],
) -> np.ndarray:
    """Matrix of a layer for :func:`products`.

    Parameters
    ----------
    weight : ndarray, shape (fan_in, outputs)
        Rows in (channel, kernel row, kernel column) order, or (channel, row, column) order of the
        input for a dense layer; of a convolution with groups, those of each output's group.
    offset : ndarray, shape (outputs,)
        Added to every product.
    kind : Conv or Dense
        Geometry.
    input_shape : tuple of int
        (channels, height, width) before the layer.

    Returns
    -------
    ndarray of float32, shape (inputs + 1, outputs)
        Rows with the channel last; the offset is the last row.  Groups are blocks with zeros in
        between: they take as many operations as if every output saw every channel.
    """
    channels, height, width = input_shape
    sides = (kind.kernel, kind.kernel) if isinstance(kind, Conv) else (height, width)
    if isinstance(kind, Conv) and kind.groups > 1:
        weight = block_diag(*np.split(weight, kind.groups, axis=1))
    ordered = weight.reshape(channels, *sides, -1).transpose(1, 2, 0, 3)
    rows = ordered.reshape(weight.shape)
    return np.asarray(np.concatenate([rows, offset[None]]), np.float32)


def products(
    state: np.ndarray, kind: Conv | Dense, matrix: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Weighted inputs of a layer, block by block of frames.

    Every product has the same shape whatever the number of frames, so that a frame's result does
    not depend on which frames it is run with.

    Parameters
    ----------
    state : ndarray of bool or float32, shape (frames, height, width, channels)
        What the layer before sent; outside of it there are zeros.
    kind : Conv or Dense
        Geometry.
    matrix : ndarray of float32, shape (inputs + 1, outputs)
        Of :func:`layer_matrix`.

    Yields
    ------
    slice, ndarray of float32
        Frames, and their weighted inputs (frames, positions, outputs), which hold until the next
        block is asked for.
    """
    positions = math.prod(kind.sides(*state.shape[1:3])) if isinstance(kind, Conv) else 1
    # A power of two, because groups of frames tend to be multiples of one.
    size = 1 << (max(1, ROW_NUMBERS // (positions * len(matrix))).bit_length() - 1)
    rows = np.zeros((size, positions, len(matrix)), np.float32)
    rows[..., -1] = 1
    flat = rows.reshape(size * positions, -1)
    result = np.empty((size * positions, matrix.shape[1]), np.float32)
    reader = _Patches(rows, state.shape[1:], kind) if isinstance(kind, Conv) else None
    for start in range(0, len(state), size):
        block = state[start : start + size]
        if reader:
            reader.read(block)
        else:
            rows[: len(block), 0, :-1] = block.reshape(len(block), -1)
        multiply(flat, matrix, result)
        yield (
            slice(start, start + len(block)),
            result.reshape(size, positions, -1)[: len(block)],
        )


def multiply(rows: np.ndarray, matrix: np.ndarray, result: np.ndarray) -> None:
    """Matrix product of float32: where the network loop should spend its time."""
    np.matmul(rows, matrix, out=result)


class _Patches:
    """Patches of frames, with zeros around them, as the rows of a product."""

    def __init__(self, rows: np.ndarray, shape: tuple[int, ...], kind: Conv) -> None:
        height, width, channels = shape
        self._margin = kind.margin
        sides = (height + 2 * self._margin, width + 2 * self._margin)
        self._padded = np.zeros((len(rows), *sides, channels), np.float32)
        size = (kind.kernel, kind.kernel)
        view = np.lib.stride_tricks.sliding_window_view(self._padded, size, axis=(1, 2))
        steps = slice(None, None, kind.stride)
        self._windows = view[:, steps, steps].transpose(0, 1, 2, 4, 5, 3)
        self._rows = rows[..., :-1].reshape(self._windows.shape)  # splits axes: no copy

    def read(self, block: np.ndarray) -> None:
        margin, frames = self._margin, len(block)
        height, width = block.shape[1:3]
        self._padded[:frames, margin : margin + height, margin : margin + width] = block
        self._rows[:frames] = self._windows[:frames]


def patch(state: np.ndarray, kind: Conv | Dense, position: int) -> np.ndarray:
    """Inputs at one position, (frames, inputs), channels first as the rows of the crossbar."""
    first = state.transpose(0, 3, 1, 2)
    if isinstance(kind, Dense):
        return first.reshape(len(state), -1)
    margin = kind.margin
    padded = np.pad(first, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    row, col = divmod(position, kind.sides(*state.shape[1:3])[1])
    row, col = row * kind.stride, col * kind.stride
    part = padded[:, :, row : row + kind.kernel, col : col + kind.kernel]
    return part.reshape(len(state), -1)


def pooled(state: np.ndarray, pool: Pool) -> np.ndarray:
    """Frames behind a pool.

    Parameters
    ----------
    state : ndarray of bool or float32, shape (frames, height, width, channels)
        Spikes, or the probabilities of independent ones.
    pool : Pool
        Its blocks and rule.

    Returns
    -------
    ndarray, shape (frames, height // size, width // size, channels)
        float32; by the rule ``any`` spikes stay bool, and probabilities become those of a spike
        anywhere in the block.
    """
    frames, height, width, channels = state.shape
    rows, cols = height // pool.size, width // pool.size
    blocks = state[:, : rows * pool.size, : cols * pool.size].reshape(
        frames, rows, pool.size, cols, pool.size, channels
    )
    parts = [blocks[:, :, row, :, col] for row, col in np.ndindex(pool.size, pool.size)]
    if pool.rule == "any":
        if state.dtype == bool:
            return reduce(np.logical_or, parts)
        return np.asarray(1 - reduce(np.multiply, [1 - part for part in parts]))
    total = np.zeros((frames, rows, cols, channels), np.float32)
    for part in parts:
        total += part
    total /= np.float32(pool.size**2)
    return total


class Outputs:
    """Outputs of layers by number, the image as 0, each for as long as a layer still takes it."""

    def __init__(self, steps: Sequence[WeightStep], pixels: np.ndarray) -> None:
        self._last = {source.number: step.number for step in steps for source in step.sources}
        self._made = {0: pixels}

    def take(self, step: WeightStep) -> list[np.ndarray]:
        """What a layer takes, source by source behind its pools; layers take in their order."""
        found = [reduce(pooled, source.pools, self._made[source.number]) for source in step.sources]
        self._made = {n: state for n, state in self._made.items() if self._last[n] > step.number}
        return found

    def add(self, step: WeightStep, state: np.ndarray) -> None:
        """Keep the outputs of a layer, (frames, height, width, channels)."""
        self._made[step.number] = state


def joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Frames (frames, height, width, channels) with the channels of all parts, one after the other.

    A part of fewer frames has each of them for equally many successive frames of the others.
    """
    if len(parts) == 1:
        return parts[0]
    frames = max(len(part) for part in parts)
    return np.concatenate([part.repeat(frames // len(part), axis=0) for part in parts], axis=-1)
