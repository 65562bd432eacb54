"""Imported layers, each with the rows that it takes, as a stack: an architecture and its weights.

In memspice a layer takes the outputs of the layer before it, then those of earlier ones, and all
come through the same pools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from memspice.importers.operations import refusal
from memspice.importers.signals import Pending, Shape
from memspice.network.architecture import Architecture, Layer, Source
from memspice.network.weights import WeightLayer


def stacked(
    name: str, input_shape: Shape, layers: Sequence[Pending]
) -> tuple[Architecture, tuple[WeightLayer, ...]]:
    """Architecture and weights of layers in their order, the last of which accumulates.

    Raises
    ------
    ConfigError
        If a layer does not take the outputs of the one before it, or takes some through other
        pools; or as of `Architecture.shapes`.
    """
    found: list[Layer] = []
    weights, wanted = [], []
    for number, pending in enumerate(layers, 1):
        order = _order(pending, number)
        sources = tuple(pending.rows.sources[place] for place in order)
        found += sources[0].pools
        also = tuple(source.number for source in sources[1:])
        found.append(replace(pending.kind, also=also))
        weights.append(_weights(pending, order))
        wanted.append(sources)
    architecture = Architecture(name, input_shape, tuple(found))
    for step, sources, pending in zip(architecture.shapes(), wanted, layers, strict=True):
        if step.sources != sources:
            raise refusal(
                pending.where,
                f"it takes {_text(sources)}; memspice's layers take {_text(step.sources)}",
                "pool all that is joined alike",
            )
    return architecture, tuple(weights)


def _order(pending: Pending, number: int) -> list[int]:
    """Places of its sources, that of the layer before first."""
    numbers = [source.number for source in pending.rows.sources]
    if number - 1 not in numbers:
        before = f"layer {number - 1}" if number > 1 else "the image"
        raise refusal(
            pending.where,
            f"it is weight layer {number} and does not take the outputs of {before}",
            "memspice's layers take those of the layer before, besides earlier ones: leave out "
            "parallel branches, or join their rows too",
        )
    first = numbers.index(number - 1)
    return [first, *(place for place in range(len(numbers)) if place != first)]


def _weights(pending: Pending, order: list[int]) -> WeightLayer:
    """Weights with the rows of each source in their order."""
    weight, widths = pending.weight, pending.rows.widths
    if order != sorted(order):
        if getattr(pending.kind, "groups", 1) > 1:
            raise refusal(
                pending.where,
                "its groups are of joined rows in another order than the layer before first",
                "join the outputs of the layer before first",
            )
        channels = weight.reshape(len(weight), sum(widths), -1)
        parts = np.split(channels, np.cumsum(widths)[:-1], axis=1)
        weight = np.concatenate([parts[place] for place in order], axis=1).reshape(weight.shape)
    return WeightLayer(weight, pending.bias, float(np.max(np.abs(weight))))


def _text(sources: Sequence[Source]) -> str:
    """Sources by their numbers, with the pools that they come through."""
    names = []
    for source in sources:
        name = f"layer {source.number}" if source.number else "the image"
        pools = ", ".join(f"{pool.rule} of {pool.size}x{pool.size}" for pool in source.pools)
        names.append(f"{name} (pooled: {pools})" if pools else name)
    return " and ".join(names)
