"""What an imported operation gives to those behind it: rows of levels, or a layer half made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from memspice.errors import ShapeError
from memspice.importers.operations import refusal, shape_text
from memspice.network.architecture import Conv, Dense, Source

Shape = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Rows:
    """Levels that rows will carry: outputs of layers, or the image, each behind its pools.

    ``widths`` are the channels of each of the ``sources``; ``typical`` (n, height, width, channels)
    are the levels at typical images, where those are asked for.
    """

    sources: tuple[Source, ...]
    widths: tuple[int, ...]
    typical: np.ndarray | None = None


def side_by_side(parts: Sequence[Rows]) -> Rows:
    """Rows of all parts, one behind the other."""
    typical = [each.typical for each in parts if each.typical is not None]
    return Rows(
        tuple(source for each in parts for source in each.sources),
        tuple(width for each in parts for width in each.widths),
        np.concatenate(typical, axis=-1) if typical else None,
    )


@dataclass(frozen=True, eq=False)
class Pending:
    """A weight layer whose neurons have not come yet, and the rows that it takes."""

    where: str
    kind: Conv | Dense
    weight: np.ndarray
    bias: np.ndarray
    rows: Rows


@dataclass(frozen=True, eq=False)
class Signal:
    """Output of an operation: ``scale * x + shift`` of its rows, or of a weight layer to come.

    ``shape`` is (channels, height, width), also of what is ``flat`` by now; scale and shift have
    one number a channel, or each input of a flat signal.  ``positions`` above one are those of an
    image that is not square, whose mean the next weight layer takes.
    """

    shape: Shape
    flat: bool
    rows: Rows
    scale: np.ndarray
    shift: np.ndarray
    positions: int = 1
    pending: Pending | None = None

    @property
    def plain(self) -> bool:
        """Whether the rows are the signal."""
        return bool(np.all(self.scale == 1)) and not np.any(self.shift)

    def flattened(self) -> Signal:
        """Signal on one axis."""
        if self.flat:
            return self
        positions = self.shape[1] * self.shape[2]
        scale, shift = (np.repeat(values, positions) for values in (self.scale, self.shift))
        return replace(self, flat=True, scale=scale, shift=shift)

    def spread(self, values: np.ndarray, size: int, where: str) -> np.ndarray:
        """One number for each of ``size`` channels (or inputs) of the signal."""
        if values.size == 1:
            return np.full(size, values.item())
        channels, every = self.shape[0], int(np.prod(self.shape))
        if values.shape in (self.shape, (every,)):
            positions = values.reshape(channels, -1)
        elif values.shape in ((channels,), (channels, 1, 1)) and not self.flat:
            positions = values.reshape(channels, 1)
        else:
            raise ShapeError(
                f"{where}: parameters of shape {values.shape} do not fit a signal of shape "
                f"{shape_text(self.shape)}; check the shape of the input"
            )
        if size == positions.size:
            return positions.ravel()
        if np.any(positions != positions[:, :1]):
            raise refusal(
                where,
                "its parameters differ from position to position of a channel",
                "the positions of a channel share weights and neurons here: give it one value",
            )
        return positions[:, 0]


def fresh(shape: Shape, rows: Rows, *, flat: bool) -> Signal:
    """Signal that is its rows."""
    size = int(np.prod(shape)) if flat else shape[0]
    return Signal(shape, flat, rows, np.ones(size), np.zeros(size))


def joined(signals: Sequence[Signal], where: str) -> Signal:
    """Signals side by side: the channels of one after those of the other.

    Raises
    ------
    ConfigError
        If one is not behind neurons, or they are of images of several sizes.
    """
    for signal in signals:
        if signal.pending is not None:
            raise refusal(
                where,
                f"there are no neurons between it and {signal.pending.where}",
                "join what neurons send, or the image",
            )
    first = signals[0]
    sides = {signal.shape[1:] for signal in signals}
    if len(sides) > 1 or len({signal.flat for signal in signals}) > 1:
        listed = " and ".join(shape_text(signal.shape) for signal in signals)
        raise refusal(
            where,
            f"it joins {listed}",
            "rows side by side need images of one size: pool them alike, and flatten afterwards",
        )
    if any(signal.positions > 1 for signal in signals):
        raise refusal(where, "it joins means over a whole image", "join before taking the mean")
    return Signal(
        (sum(signal.shape[0] for signal in signals), *first.shape[1:]),
        first.flat,
        side_by_side([signal.rows for signal in signals]),
        np.concatenate([signal.scale for signal in signals]),
        np.concatenate([signal.shift for signal in signals]),
    )


def added(signals: Sequence[Signal], where: str) -> Signal:
    """Sum of weight layers, whose neurons come behind it: one layer of joined rows.

    Raises
    ------
    ConfigError
        If a signal is no weight layer, or they are of several kinds.
    """
    layers = [signal.pending for signal in signals]
    if any(layer is None for layer in layers):
        raise refusal(
            where,
            "it adds up what rows carry, and a row carries spikes or levels, not their sums",
            "write W (a + b) as one layer with the weights [W, W] on the joined rows [a, b], which "
            "is the same product (PyTorch: torch.cat([a, b], dim=1); NIR: a weight layer on each, "
            "both leading to the same neurons)",
        )
    pending = [layer for layer in layers if layer is not None]
    kinds = {layer.kind for layer in pending}
    if len(kinds) > 1 or len({signal.shape for signal in signals}) > 1:
        names = " and ".join(layer.where for layer in pending)
        raise refusal(
            where,
            f"it adds up {names}, of several kernels, strides, paddings or sizes",
            "give them the same, so that they are one layer of joined rows",
        )
    (kind,) = kinds
    if isinstance(kind, Conv) and kind.groups > 1:
        raise refusal(where, "it adds up convolutions with groups", "use groups = 1")
    both = Pending(
        where,
        kind,
        np.concatenate([layer.weight for layer in pending], axis=1),
        np.sum([layer.bias for layer in pending], axis=0),
        side_by_side([layer.rows for layer in pending]),
    )
    return replace(signals[0], pending=both)
