"""Trained PyTorch models as memspice networks.

Put :class:`SwitchingProbability` where the neurons are, train as usual, and hand the model to
:func:`import_sequential`.  `nirtorch` would not do: it passes over forward hooks without a word,
and NIR has no nodes for batch normalisation, adaptive pools, joined channels and the activations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from memspice.importers.assembly import assemble_network
from memspice.importers.operations import (
    AdaptiveAveraging,
    Averaging,
    Convolution,
    Flattening,
    FullProduct,
    Maximum,
    Operation,
    Scaling,
    Step,
    StochasticNeurons,
    real_array,
    refusal,
    whole_pair,
)
from memspice.importers.rate_match import RateMatch, logistic_match, ramp_match
from memspice.importers.torch_graph import Call, calls
from memspice.network.weights import Network


class AnySpike(nn.Module):
    """Pooling of spikes: whether any of a block of ``size`` x ``size`` spikes.

    Of probabilities it gives that of independent spikes, ``1 - prod(1 - p)``; of spikes it is
    `torch.nn.MaxPool2d`.
    """

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = size

    def forward(self, p: torch.Tensor) -> torch.Tensor:
        """Probabilities (n, channels, rows, columns) of ``p``, of which blocks fill the image."""
        blocks = (1 - p).unflatten(3, (-1, self.size)).unflatten(2, (-1, self.size))
        return 1 - blocks.prod(dim=5).prod(dim=3)


class SwitchingProbability(nn.Module):
    """Activation of the device: ``1 - exp(-exp(z))``, elementwise.

    ``z`` is the write voltage above the unit voltage, in units of the device's voltage scale.
    """

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Probabilities of ``z``, same shape."""
        # exp(50) spikes for certain, and has gradients that are numbers.
        return -torch.expm1(-torch.exp(z.clamp(max=50.0)))


def import_sequential(
    model: nn.Module,
    input_shape: Sequence[int],
    *,
    name: str = "sequential",
    neurons: Literal["exact", "stochastic"] = "exact",
) -> Network:
    """Make a memspice network of a trained model, as it is in evaluation mode.

    Parameters
    ----------
    model : nn.Module
        Conv2d, Linear, BatchNorm1d and 2d (folded, with their running statistics), AvgPool2d,
        AdaptiveAvgPool2d (to a size that divides the image), MaxPool2d, AnySpike, Flatten, Dropout,
        Identity, SwitchingProbability; in nn.Sequential, or in a ``forward()`` that joins what
        neurons send with ``torch.cat(..., dim=1)``.
    input_shape : sequence of int
        (channels, height, width) of the images.
    name : str
        Of the network.
    neurons : {"exact", "stochastic"}
        ``exact`` takes SwitchingProbability only; ``stochastic`` also Sigmoid and Hardtanh(0, 1),
        replaced by the device's activation with the same value and slope at 1/2, and leaves out
        an activation behind the last layer.  The provenance lists each change.

    Returns
    -------
    Network
        Weights of the model; see :func:`memspice.network.rounding.round_network`.

    Raises
    ------
    ConfigError
        If a module cannot be mapped: named, with the reason and what to try.
    DataError
        If a weight is not finite, or of a type that is no real number.
    """
    changes: list[str] = []
    steps: list[Step] = []
    ends = [0]  # number of what each call gives, as of its last step
    sides = tuple(int(side) for side in input_shape)
    for call in calls(model):
        takes = tuple(ends[number] for number in call.takes)
        for operation in _operations(call, neurons, changes):
            steps.append(Step(operation, takes))
            takes = (len(steps),)
        ends.append(takes[0])
    network = assemble_network(name, sides, steps)
    provenance = {"torch": torch.__version__, "neurons": neurons, **network.provenance}
    return replace(network, provenance={**provenance, "changes": changes})


def _operations(call: Call, neurons: str, changes: list[str]) -> list[Operation]:
    """Operations of a call; ``changes`` says where they are not what the model computes."""
    module, where = call.module, call.where
    if module is None:
        assert call.operation is not None
        return [call.operation]
    if type(module) is nn.MaxPool2d:
        changes.append(
            f"{where}: one spike where any of a block spikes; of probabilities p that is "
            "1 - prod(1 - p), not the largest: train with AnySpike for the same"
        )
    if type(module) in _PLAIN:
        return _PLAIN[type(module)](module, where)
    return _activation(module, where, neurons, call.last, changes)


def _activation(
    module: nn.Module, where: str, neurons: str, last: bool, changes: list[str]
) -> list[Operation]:
    if isinstance(module, SwitchingProbability):
        if not (last and neurons == "stochastic"):
            return [StochasticNeurons(where)]
        match = RateMatch(np.ones(1), np.zeros(1))
    elif type(module) is nn.Sigmoid:
        match = logistic_match()
    elif type(module) is nn.Hardtanh and (module.min_val, module.max_val) == (0, 1):
        match = ramp_match()
    else:
        raise refusal(where, *_advice(module))
    if neurons == "exact":
        raise refusal(
            where,
            "it is not the activation 1 - exp(-exp(z)) of memspice's neuron",
            "train with SwitchingProbability, or accept another curve with neurons='stochastic'",
        )
    scaling = Scaling(where, match.scale, match.shift)
    if last:
        changes.append(f"{where}: left out, because the last layer accumulates its input")
        return [scaling]
    changes.append(f"{where}: replaced by 1 - exp(-exp(z)) with the same value and slope at 1/2")
    return [scaling, StochasticNeurons(where)]


def _advice(module: nn.Module) -> tuple[str, str]:
    """Why a module is not taken, and what to do."""
    for known in _PLAIN:
        if isinstance(module, known):
            return (
                f"a subclass of {known.__name__} may compute anything in its forward()",
                f"use nn.{known.__name__} itself",
            )
    return _ADVICE.get(type(module), _UNKNOWN)


def _array(tensor: Any, where: str, name: str) -> np.ndarray:
    values = tensor.detach().cpu()
    # NumPy has no bfloat16.
    return real_array(values.double() if values.is_floating_point() else values, where, name)


def _bias(module: Any, where: str, outputs: int) -> np.ndarray:
    return np.zeros(outputs) if module.bias is None else _array(module.bias, where, "bias")


def _convolution(module: Any, where: str) -> list[Operation]:
    if module.padding_mode != "zeros":
        raise refusal(where, f"padding_mode = {module.padding_mode!r}", "train with 'zeros'")
    weight = _array(module.weight, where, "weight")
    padding = module.padding
    if isinstance(padding, str):  # PyTorch has 'same' for stride one only
        padding = np.array(weight.shape[2:]) // 2 if padding == "same" else (0, 0)
    return [
        Convolution(
            where,
            weight,
            _bias(module, where, len(weight)),
            stride=whole_pair(module.stride, where, "stride"),
            padding=whole_pair(padding, where, "padding"),
            dilation=whole_pair(module.dilation, where, "dilation"),
            groups=module.groups,
        )
    ]


def _linear(module: Any, where: str) -> list[Operation]:
    weight = _array(module.weight, where, "weight")
    return [FullProduct(where, weight, _bias(module, where, len(weight)))]


def _normalisation(module: Any, where: str) -> list[Operation]:
    if module.running_mean is None:
        raise refusal(
            where,
            "it has no running statistics: every batch would have weights of its own",
            "train with track_running_stats=True",
        )
    mean = _array(module.running_mean, where, "running_mean")
    variance = _array(module.running_var, where, "running_var")
    scale = 1 / np.sqrt(variance + module.eps)
    if module.weight is None:
        return [Scaling(where, scale, -mean * scale)]
    scale = scale * _array(module.weight, where, "weight")
    return [Scaling(where, scale, _bias(module, where, len(scale)) - mean * scale)]


def _pool(module: Any, where: str) -> list[Operation]:
    if module.divisor_override is not None:
        raise refusal(where, f"divisor_override = {module.divisor_override}", "use the mean (None)")
    size, stride, padding = (
        whole_pair(getattr(module, name), where, name)
        for name in ("kernel_size", "stride", "padding")
    )
    return [Averaging(where, size, stride, padding)]


def _maximum(module: Any, where: str) -> list[Operation]:
    if module.ceil_mode or module.return_indices or module.dilation not in (1, (1, 1)):
        raise refusal(where, "ceil_mode, indices or dilation", "use plain blocks")
    size, stride, padding = (
        whole_pair(getattr(module, name), where, name)
        for name in ("kernel_size", "stride", "padding")
    )
    return [Maximum(where, size, stride, padding)]


def _any_spike(module: Any, where: str) -> list[Operation]:
    size = whole_pair(module.size, where, "size")
    return [Maximum(where, size, size)]


def _adaptive_pool(module: Any, where: str) -> list[Operation]:
    asked = module.output_size
    rows, cols = asked if isinstance(asked, tuple | list) else (asked, asked)
    return [AdaptiveAveraging(where, (rows, cols))]


def _flatten(module: Any, where: str) -> list[Operation]:
    if module.start_dim != 1 or module.end_dim not in (-1, 3):
        raise refusal(
            where,
            f"flattens the axes {module.start_dim} to {module.end_dim}",
            "flatten everything but the batch: nn.Flatten()",
        )
    return [Flattening(where)]


def _nothing(_module: Any, _where: str) -> list[Operation]:
    """Modules that do nothing in evaluation mode."""
    return []


_PLAIN: dict[type[nn.Module], Callable[[Any, str], list[Operation]]] = {
    nn.Conv2d: _convolution,
    nn.Linear: _linear,
    nn.BatchNorm1d: _normalisation,
    nn.BatchNorm2d: _normalisation,
    nn.AvgPool2d: _pool,
    nn.AdaptiveAvgPool2d: _adaptive_pool,
    nn.MaxPool2d: _maximum,
    AnySpike: _any_spike,
    nn.Flatten: _flatten,
    nn.Dropout: _nothing,
    nn.Dropout2d: _nothing,
    nn.Identity: _nothing,
}
_MAXIMUM = ("memspice has no such pool", "use nn.MaxPool2d with the size of the blocks")
_UNBOUNDED = (
    "an activation above 1 is no probability of a spike",
    "train with SwitchingProbability",
)
_SCORES = ("it is no part of the network on crossbars", "leave it out: the largest score stays")
_UNKNOWN = (
    "memspice has no such layer",
    "use Conv2d, Linear, BatchNorm, AvgPool2d, MaxPool2d, Flatten, SwitchingProbability",
)
_ADVICE = {
    nn.AdaptiveMaxPool2d: _MAXIMUM,
    nn.ReLU: _UNBOUNDED,
    nn.GELU: _UNBOUNDED,
    nn.Softmax: _SCORES,
    nn.LogSoftmax: _SCORES,
}
