"""Weights of a finished network onto conductance levels, and what that costs each layer."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from memspice.errors import ConfigError
from memspice.network.weights import Network, WeightLayer


@dataclass(frozen=True)
class Rounding:
    """What happened to the weights of one layer.

    Parameters
    ----------
    bound : float, [1]
        Weight that the whole range of conductance stands for.
    clipped : float, [1]
        Share of the weights that were larger.
    error : float, [1]
        Root mean square of the change, relative to that of the weights.
    """

    bound: float
    clipped: float
    error: float


def round_network(
    network: Network, levels: int = 32, clip_sigma: float | None = None
) -> tuple[Network, tuple[Rounding, ...]]:
    """Clip and round the weights of every layer to whole numbers of ``bound / (levels - 1)``.

    Parameters
    ----------
    network : Network
        Weights of any value; biases are kept.
    levels : int
        Conductance levels per cell.
    clip_sigma : float, optional
        Bound of a layer in standard deviations of its weights; without it, and where it would
        clip nothing, the bound is the largest weight.

    Returns
    -------
    network, roundings
        The rounded network, which says in its provenance what was done, and one
        :class:`Rounding` a weight layer.

    Raises
    ------
    ConfigError
        If there are fewer than two levels, ``clip_sigma`` is not positive, or a layer has nothing
        but zeros.
    """
    if levels < 2:
        raise ConfigError(f"levels = {levels} must be at least 2")
    if clip_sigma is not None and not clip_sigma > 0:
        raise ConfigError(f"clip_sigma = {clip_sigma:g} must be positive, or left out")
    pairs = [_round(layer, levels, clip_sigma) for layer in network.layers]
    provenance = {
        **network.provenance,
        "levels": levels,
        "clip_sigma": clip_sigma,
        "rounding": [asdict(rounding) for _, rounding in pairs],
    }
    layers = tuple(layer for layer, _ in pairs)
    return replace(network, layers=layers, provenance=provenance), tuple(pair[1] for pair in pairs)


def _round(
    layer: WeightLayer, levels: int, clip_sigma: float | None
) -> tuple[WeightLayer, Rounding]:
    weight = layer.weight
    bound = float(np.max(np.abs(weight)))
    if clip_sigma is not None:
        bound = min(bound, clip_sigma * float(np.std(weight)) or bound)
    if bound == 0:
        raise ConfigError("a layer has nothing but zeros as weights: train the network")
    step = bound / (levels - 1)
    rounded = np.round(np.clip(weight, -bound, bound) / step) * step
    error = float(np.linalg.norm(rounded - weight) / np.linalg.norm(weight))
    clipped = float(np.mean(np.abs(weight) > bound))
    return WeightLayer(rounded, layer.bias, bound), Rounding(bound, clipped, error)
