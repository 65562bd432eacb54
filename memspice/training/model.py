"""A PyTorch network whose activation is the switching probability of the device.

The neuron switches with probability ``p(z) = 1 - exp(-exp(z))``, ``z`` being the write voltage in
units of the device's voltage scale, counted from the voltage at which the hazard integral over one
pulse is one.  In the forward pass some images propagate Bernoulli spikes (one cycle of the SNN)
and the others ``p`` itself (the ANN); both use the gradient of ``p`` (straight through), or a mean
of it and of a window that is wider.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from memspice.network.architecture import Architecture, Conv, Pool, WeightStep
from memspice.training.config import Neurons

#: Bits of a draw in training, and its values: with 15, the sum with a certain spike's would be
#: a negative number.
DRAW_BITS = 14
DRAWS = 2**DRAW_BITS
#: Centre and height of the wide window.  It falls as ``exp(-|z| / 2)``: at the rails it is a
#: hundred times the slope of the probability.
WINDOW_CENTRE, WINDOW_HEIGHT = -0.4, 0.25
#: A weight that crossbars change by less keeps the factor as it learns: a spread of conductances is
#: less harmful to smaller weights, and only a gradient that sees it makes weights robust.  What
#: changes more (stuck cells, weights near zero) is added to it.
FACTORS = 0.5, 2.0


class _Switch(torch.autograd.Function):
    """Switching probability, replaced by spikes in the first ``spiking`` images."""

    @staticmethod
    def forward(ctx, z, spiking, low, high, window, burst=1):  # type: ignore[no-untyped-def]  # noqa: D102
        minus_hazard = z.clamp(low, high).exp_().neg_()
        probability = torch.expm1(minus_hazard).neg_()  # keeps small ones, in 16 bits too
        if spiking:
            spikes = probability[:spiking]
            spikes.copy_(_spikes(spikes, burst))
        minus_slope = minus_hazard.exp().mul_(minus_hazard)
        if window:
            wide = torch.cosh((z - WINDOW_CENTRE) / 2).reciprocal_().mul_(WINDOW_HEIGHT)
            minus_slope.mul_(1 - window).sub_(wide, alpha=window)
        ctx.save_for_backward(minus_slope)
        return probability

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]  # noqa: D102
        (minus_slope,) = ctx.saved_tensors
        return (gradient * minus_slope).neg_(), None, None, None, None, None


def _spikes(probability: torch.Tensor, burst: int) -> torch.Tensor:
    """Mean spikes of each neuron in a burst.

    Of more than one, a uniform draw of the same mean and variance, which may pass 0 and 1: it costs
    as much as one spike, and what training must learn of the noise is its size.
    """
    draws = _draws_like(probability)
    if burst == 1:
        # A draw and the probability, both in units of 1 / DRAWS, together pass one or do not.
        return draws.add_((probability * DRAWS).short()).bitwise_right_shift_(DRAW_BITS)
    centred_draws = draws.to(probability.dtype).sub_((DRAWS - 1) / 2).div_(DRAWS)
    variance = probability * (1 - probability) * (12 / burst)
    return centred_draws.mul_(variance.sqrt_()).add_(probability)


def _draws_like(values: torch.Tensor) -> torch.Tensor:
    """Whole numbers below ``DRAWS``, laid out as ``values``: four of each 64-bit draw."""
    # NumPy draws twice as fast; its seed is torch's draw, so that one state holds all chance.
    seed = int(torch.randint(2**62, ()))
    bits = np.random.Generator(np.random.SFC64(seed)).bit_generator
    words = torch.from_numpy(bits.random_raw(-(-values.numel() // 4)).view(np.int16))
    draws = words[: values.numel()].bitwise_and_(DRAWS - 1)
    return draws.as_strided(values.size(), values.stride())


class FakeQuantize(torch.autograd.Function):
    """Weights clipped to ``[-bound, bound]`` and rounded to what the conductance levels allow."""

    @staticmethod
    def forward(ctx, weight, bound, levels):  # type: ignore[no-untyped-def]  # noqa: D102
        step = bound / (levels - 1)
        ctx.save_for_backward(weight.abs() <= bound)
        return (weight.clamp(-bound, bound) / step).round() * step

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]  # noqa: D102
        (inside,) = ctx.saved_tensors
        return gradient * inside, None, None


def centred(weight: torch.Tensor) -> torch.Tensor:
    """Weights of each output with their mean removed.

    Spikes are never negative, so a filter with a mean lets the common level of its inputs swamp
    their pattern, and makes the normalisation statistics lag behind the weights.
    """
    return weight - weight.mean(dim=tuple(range(1, weight.ndim)), keepdim=True)


class Flaws(NamedTuple):
    """Flaws that crossbars give a layer: ``factor * weight + added``, ``bias + shift``, and limits.

    ``factor`` and ``added`` have the shape of the weights, ``shift`` is (outputs,), ``low`` and
    ``high`` limit the weighted input and have its number of dimensions.
    """

    factor: torch.Tensor
    added: torch.Tensor
    shift: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor


class TrainableLayer(nn.Module):
    """One weight layer: linear map, normalisation until folded, then neurons unless it is the last.

    Once folded its weights are quantised; ``noise`` disturbs them while training.  With the
    ``flaws`` of crossbars it computes what those do.
    """

    def __init__(
        self, linear: nn.Module, norm: nn.Module | None, first: bool, neurons: Neurons | None
    ) -> None:
        super().__init__()
        self.linear, self.norm, self.neurons = linear, norm, neurons
        self.centre = norm is not None and not first  # pixels carry meaning in their mean
        self.levels: int | None = None
        self.clip_sigma = 0.0
        self.bound = 0.0
        self.folded = False
        self.noise = 0.0
        self.flaws: Flaws | None = None

    def held(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights and bias to program: those of the circuits if they had no flaw."""
        weight, bias = self.linear.weight, self.linear.bias
        if self.centre:
            weight = centred(weight)
        if self.levels is None:
            return weight, bias
        if self.folded:
            return FakeQuantize.apply(weight, self.bound, self.levels), bias
        scale = self._scale().detach()  # what is rounded is what folding will give
        self.bound = self._bound_of(weight * scale)
        return FakeQuantize.apply(weight * scale, self.bound, self.levels) / scale, bias

    def _bound_of(self, weight: torch.Tensor) -> float:
        return float(self.clip_sigma * weight.detach().std())

    def _scale(self) -> torch.Tensor:
        """What the normalisation multiplies the weights of each output by."""
        if self.norm is None:
            return torch.ones(())
        scale = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        return scale.view(-1, *[1] * (self.linear.weight.ndim - 1))

    def effective(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights and bias to compute with; the gradient goes straight through all flaws."""
        weight, bias = self.held()
        if self.flaws is not None:
            return weight * self.flaws.factor + self.flaws.added, bias + self.flaws.shift
        if self.training and self.noise:
            weight = weight * (1 + self.noise * torch.randn_like(weight))
        return weight, bias

    def flaws_of(
        self, weight: torch.Tensor, bias: torch.Tensor, low: torch.Tensor, high: torch.Tensor
    ) -> Flaws:
        """Flaws of crossbars that make this layer of the weights and the bias held at present.

        Parameters
        ----------
        weight : tensor, shape (outputs, fan_in), [1]
            In place of those held.
        bias, low, high : tensor, shape (outputs,), [1]
            Bias, and limits of the weighted input.
        """
        with torch.no_grad():
            held, own_bias = self.held()
            found = weight.reshape(held.shape)
            factor = torch.where(held == 0, 1.0, found / held)
            factor = torch.where((factor > FACTORS[0]) & (factor < FACTORS[1]), factor, 1.0)
            shape = (1, -1, *[1] * (held.ndim - 2))
            added = found - factor * held
            return Flaws(factor, added, bias - own_bias, low.view(shape), high.view(shape))

    def forward(self, x: torch.Tensor, spiking: int, burst: int = 1) -> torch.Tensor:
        """Outputs of the layer; of the first ``spiking`` images the mean spikes of a burst."""
        weight, bias = self.effective()
        if isinstance(self.linear, nn.Conv2d):
            z = nn.functional.conv2d(
                x,
                weight,
                bias,
                self.linear.stride,
                self.linear.padding,
                groups=self.linear.groups,
            )
        else:
            z = nn.functional.linear(x.flatten(1), weight, bias)
        if self.norm is not None:
            z = self.norm(z)
        if self.neurons is None:
            return z
        limits = self.flaws or self.neurons
        return _Switch.apply(z, spiking, limits.low, limits.high, self.neurons.window, burst)

    def fold(self) -> None:
        """Absorb the normalisation into weights and bias; from here on the bound stays.

        Weights stay centred: without normalisation a mean that drifts moves all inputs of the next
        layer at once, and training no longer converges.
        """
        if self.norm is not None:
            with torch.no_grad():
                scale = self._scale()
                weight = self.linear.weight
                weight = centred(weight) if self.centre else weight
                bias = self.norm.bias - scale.flatten() * self.norm.running_mean
                self.linear.weight.copy_(weight * scale)
                self.linear.bias = nn.Parameter(bias.clone())
            self.norm = None
        if not self.folded:
            self.bound = self._bound_of(self.linear.weight)
        self.folded = True

    def quantise(self, levels: int, clip_sigma: float) -> None:
        """Hold weights on conductance levels from here on.

        The largest weight is ``clip_sigma`` standard deviations of the weights: of now if they are
        folded, else of what folding would give at any time.
        """
        self.levels, self.clip_sigma = levels, clip_sigma
        self.bound = self._bound_of(self.linear.weight)


class DeviceNetwork(nn.Module):
    """The trainable twin of an :class:`~memspice.network.architecture.Architecture`."""

    def __init__(self, architecture: Architecture, neurons: Neurons) -> None:
        super().__init__()
        self.architecture = architecture
        self.span = neurons.low, neurons.high
        self._steps = tuple(architecture.shapes())
        self._stages = nn.ModuleList(_build(self._steps, neurons))

    def forward(
        self, x: torch.Tensor, spiking: int, cycles: int = 1, burst: int = 1
    ) -> torch.Tensor:
        """Scores (images, classes), of the first ``spiking`` images the mean over their bursts.

        Each of those has ``cycles`` bursts of ``burst`` spikes a neuron.
        """
        spiked = spiking * cycles
        x = torch.cat([x[:spiking].repeat(cycles, 1, 1, 1), x[spiking:]])
        outputs = [x]
        for step, stage in zip(self._steps, self.stages(), strict=True):
            taken = [_pooled(outputs[source.number], source.pools) for source in step.sources]
            joined = torch.cat(taken, dim=1) if len(taken) > 1 else taken[0]
            outputs.append(stage(joined, spiked, burst))
        x = outputs[-1]
        return torch.cat([x[:spiked].unflatten(0, (cycles, spiking)).mean(dim=0), x[spiked:]])

    def stages(self) -> Iterator[TrainableLayer]:
        """Weight layers in order."""
        return iter(self._stages)  # type: ignore[arg-type]


def _pooled(x: torch.Tensor, pools: tuple[Pool, ...]) -> torch.Tensor:
    for pool in pools:
        if pool.rule == "mean":
            x = nn.functional.avg_pool2d(x, pool.size)
            continue
        height, width = (side // pool.size * pool.size for side in x.shape[2:])
        silent = 1 - x  # of spikes and of probabilities: the chance that none of the block spikes
        parts = [
            silent[:, :, row : height : pool.size, col : width : pool.size]
            for row, col in product(range(pool.size), repeat=2)
        ]
        x = 1 - reduce(torch.mul, parts)
    return x


def _build(steps: tuple[WeightStep, ...], neurons: Neurons) -> Iterator[TrainableLayer]:
    for step in steps:
        last = step is steps[-1]
        layer = step.layer
        if isinstance(layer, Conv):
            linear: nn.Module = nn.Conv2d(
                step.input_shape[0],
                layer.channels,
                layer.kernel,
                stride=layer.stride,
                padding=layer.margin,
                groups=layer.groups,
                bias=last,
            )
            norm: nn.Module | None = nn.BatchNorm2d(layer.channels)
        else:
            linear = nn.Linear(step.fan_in, layer.channels, bias=last)
            norm = nn.BatchNorm1d(layer.channels)
        if not last:
            nn.init.constant_(norm.weight, neurons.gain)  # type: ignore[union-attr]
            nn.init.constant_(norm.bias, neurons.bias)  # type: ignore[union-attr]
        ends = (None, None) if last else (norm, neurons)
        yield TrainableLayer(linear, ends[0], step is steps[0], ends[1])
