"""Weights of a finished network onto conductance levels, and what that costs each layer."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from memspice.errors import ConfigError
from memspice.network.weights import LARGEST, SMALLEST, Network, WeightLayer

#: Change of a weighted input of a spiking layer that is not noticed, in units of ln H: it changes
#: the probability of a spike by 3.5 points at most.
TOLERANCE = 0.1
#: Neurons that a message names before it only counts.
_NAMED = 5


@dataclass(frozen=True, eq=False)
class RoundingLoss:
    """Loss by the rounding of weights (outputs, fan_in).

    ``error`` is the root mean square of the change, relative to that of the weights;
    ``worst_error`` the largest one of a neuron by itself, ``worst_neuron``; ``zeroed`` the share of
    the weights that became zero; ``lost`` are the neurons that have none left.
    """

    error: float
    worst_neuron: int
    worst_error: float
    zeroed: float
    lost: np.ndarray


def rounding_loss(weight: np.ndarray, rounded: np.ndarray) -> RoundingLoss:
    """What is lost where weights (outputs, fan_in) are rounded.

    >>> loss = rounding_loss(np.array([[3.0, 0.1], [0.4, 0.3]]), np.array([[3.0, 0.0], [0.0, 0.0]]))
    >>> loss.worst_neuron, loss.worst_error, loss.zeroed, loss.lost.tolist()
    (1, 1.0, 0.75, [1])
    """
    scale = float(np.max(np.abs(weight))) or 1.0  # squares of the smallest numbers would vanish
    norms = np.linalg.norm(weight / scale, axis=1)
    changes = np.linalg.norm((rounded - weight) / scale, axis=1)
    relative = changes / np.where(norms > 0, norms, 1.0)
    worst = int(np.argmax(relative))
    some = weight != 0
    zeroed = int(np.sum(some & (rounded == 0))) / max(1, int(np.sum(some)))
    lost = np.flatnonzero(some.any(axis=1) & ~rounded.any(axis=1))
    error = float(np.linalg.norm(changes) / (np.linalg.norm(norms) or 1.0))
    return RoundingLoss(error, worst, float(relative[worst]), float(zeroed), lost)


def neurons_text(numbers: np.ndarray) -> str:
    """Neurons by number, the first few of many.

    >>> neurons_text(np.array([3])), neurons_text(np.arange(7))
    ('neuron 3', 'neurons 0, 1, 2, 3, 4 and 2 more')
    """
    named = ", ".join(str(number) for number in numbers[:_NAMED].tolist())
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    return f"neuron{'s' if len(numbers) > 1 else ''} {named}{more}"


@dataclass(frozen=True)
class Rounding:
    """Rounding of the weights of one layer, and what it lost.

    Parameters
    ----------
    bound : float, [1]
        Weight that the whole range of conductance stands for.
    clipped : float, [1]
        Share of the weights that were larger.
    error : float, [1]
        Root mean square of the change, relative to that of the weights.
    worst_neuron : int
        Neuron whose weights change most, relative to their own root mean square.
    worst_error : float, [1]
        Change of that neuron.
    zeroed : float, [1]
        Share of the weights that were not zero and are now.
    bias_change : float, [1]
        Largest change of a bias that makes up for that of the weights; 0 where the mean inputs are
        not known.
    """

    bound: float
    clipped: float
    error: float
    worst_neuron: int
    worst_error: float
    zeroed: float
    bias_change: float


def round_network(
    network: Network, levels: int = 32, clip_sigma: float | None = None
) -> tuple[Network, tuple[Rounding, ...]]:
    """Clip and round the weights of every layer to whole numbers of ``bound / (levels - 1)``.

    Spikes are never negative, so what rounding changes of a neuron's weights is mostly its mean
    weighted input.  Where the mean level of every row is known
    (`memspice.network.ann.with_mean_inputs`), biases make up for that.

    Parameters
    ----------
    network : Network
        Weights of any value.
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
        If there are fewer than two levels, ``clip_sigma`` is not positive, a layer has nothing
        but zeros, or a neuron keeps none of its weights although they matter.
    """
    if levels < 2:
        raise ConfigError(f"levels = {levels} must be at least 2")
    if clip_sigma is not None and not clip_sigma > 0:
        raise ConfigError(f"clip_sigma = {clip_sigma:g} must be positive, or left out")
    last = len(network.layers) - 1
    pairs = [
        _round(layer, levels, clip_sigma, f"layer {number + 1}", spiking=number < last)
        for number, layer in enumerate(network.layers)
    ]
    provenance = {
        **network.provenance,
        "levels": levels,
        "clip_sigma": clip_sigma,
        "rounding": [asdict(rounding) for _, rounding in pairs],
    }
    layers = tuple(layer for layer, _ in pairs)
    return replace(network, layers=layers, provenance=provenance), tuple(pair[1] for pair in pairs)


def _round(
    layer: WeightLayer, levels: int, clip_sigma: float | None, name: str, *, spiking: bool
) -> tuple[WeightLayer, Rounding]:
    weight = layer.weight
    bound = float(np.max(np.abs(weight)))
    if clip_sigma is not None:
        bound = min(bound, clip_sigma * float(np.std(weight)) or bound)
    if bound == 0:
        raise ConfigError(f"{name} has nothing but zeros as weights: train the network")
    step = bound / (levels - 1)
    _check_range(layer, step, name)
    rounded = np.round(np.clip(weight, -bound, bound) / step) * step
    loss = rounding_loss(weight, rounded)
    reach = np.abs(weight).sum(axis=1)
    lost = loss.lost[reach[loss.lost] > (TOLERANCE if spiking else step / 2)]
    if lost.size:
        worst = int(lost[np.argmax(reach[lost])])
        raise ConfigError(
            f"{name}: all weights of {neurons_text(lost)} round to zero on {levels} levels up to "
            f"{bound:.3g}, although those of neuron {worst} add up to {reach[worst]:.3g}: give "
            "more levels (--levels), clip the largest weights (--clip-sigma), or train again"
        )
    clipped = float(np.mean(np.abs(weight) > bound))
    change = np.zeros_like(layer.bias)
    if layer.mean_input is not None:
        change = replace(layer, weight=weight - rounded).weighted(layer.mean_input)
    found = Rounding(
        bound=bound,
        clipped=clipped,
        error=loss.error,
        worst_neuron=loss.worst_neuron,
        worst_error=loss.worst_error,
        zeroed=loss.zeroed,
        bias_change=float(np.max(np.abs(change))),
    )
    return replace(layer, weight=rounded, bias=layer.bias + change, bound=bound), found


def _check_range(layer: WeightLayer, step: float, name: str) -> None:
    largest = float(np.max(np.abs(layer.weight)))
    if not (step >= SMALLEST and largest <= LARGEST):  # NaN fails too
        raise ConfigError(
            f"{name}: its largest weight is {largest:.3g}, a level {step:.3g}: levels must be at "
            f"least {SMALLEST:g}, weights at most {LARGEST:g}; scale the weights, or train again"
        )
    neuron = int(np.argmax(np.abs(layer.bias)))
    if not abs(layer.bias[neuron]) <= LARGEST:
        raise ConfigError(
            f"{name}: the bias of neuron {neuron} is {layer.bias[neuron]:.3g}, beyond {LARGEST:g} "
            "either way: no weighted input comes near it; use a smaller one"
        )
