"""The layers a network is made of, as plain data.

A network is a tuple of layer descriptions.  Convolutions have square kernels and zeros around the
image; strides and pools make images smaller; every convolution and dense layer but the last is
followed by stochastic neurons, the last accumulates its analogue output.

A layer takes the outputs of the layer before it.  ``also`` names earlier ones whose outputs it
takes too, as rows behind those: weight layers are numbered from one, and 0 is the image.  They come
through the same pools.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from memspice.errors import ConfigError


@dataclass(frozen=True)
class Conv:
    """Convolution, then stochastic neurons.

    Parameters
    ----------
    channels : int
        Of the output.
    kernel : int
        Side of the square kernel.
    also : tuple of int
        Earlier layers whose outputs it takes as further channels.
    stride : int
        Pixels from one position to the next.
    padding : int or {"same", "valid"}
        Rows and columns of zeros on every side of the image; ``same`` are half a kernel, which at
        stride one keeps its size, ``valid`` are none.
    groups : int
        Successive outputs share as many channels of the input, those of their group; with as many
        groups as channels each channel has kernels of its own (depthwise).  A group has crossbars
        of its own, whose rows are its channels.
    """

    channels: int
    kernel: int = 3
    also: tuple[int, ...] = ()
    stride: int = 1
    padding: int | Literal["same", "valid"] = "same"
    groups: int = 1

    @property
    def margin(self) -> int:
        """Zeros on every side of the image, [pixels]."""
        if isinstance(self.padding, int):
            return self.padding
        return self.kernel // 2 if self.padding == "same" else 0

    def sides(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of its positions on an image of ``height`` x ``width``."""
        around = 2 * self.margin - self.kernel
        return (height + around) // self.stride + 1, (width + around) // self.stride + 1


@dataclass(frozen=True)
class Pool:
    """Pooling over ``size`` x ``size`` blocks.

    ``mean`` is their average: rows are then driven at graded levels.  ``any`` is one spike where
    any of the block's neurons spikes, the maximum of spikes: rows stay binary.
    """

    size: int = 2
    rule: Literal["mean", "any"] = "mean"


@dataclass(frozen=True)
class Dense:
    """Fully connected layer on the flattened input (channel, row, column order)."""

    channels: int
    also: tuple[int, ...] = ()


Layer = Conv | Pool | Dense


@dataclass(frozen=True)
class Architecture:
    """A named stack of layers over inputs of ``input_shape`` (channels, height, width)."""

    name: str
    input_shape: tuple[int, int, int]
    layers: tuple[Layer, ...]

    def fitted(self, input_shape: tuple[int, int, int], classes: int) -> Architecture:
        """Return the architecture for images of another shape and another number of classes.

        Raises
        ------
        ConfigError
            If the last layer is a pool, or the pools leave no pixel of such images.
        """
        last = self.layers[-1]
        if isinstance(last, Pool):
            raise ConfigError(f"network {self.name} ends in a pool, which has no classes")
        if (input_shape, classes) == (self.input_shape, last.channels):
            return self
        name = f"{self.name}-{'x'.join(map(str, input_shape))}-{classes}"
        layers = (*self.layers[:-1], replace(last, channels=classes))
        fitted = Architecture(name, input_shape, layers)
        if any(min(step.input_shape) == 0 for step in fitted.shapes()):
            raise ConfigError(
                f"network {self.name} makes images of {'x'.join(map(str, input_shape))} smaller "
                "than a pixel: train one with fewer pools, or on larger images"
            )
        return fitted

    def shapes(self) -> Iterator[WeightStep]:
        """Convolutions and dense layers in order, with what each takes and its shapes.

        Raises
        ------
        ConfigError
            If a layer takes outputs that do not come before it, that it has already, or of images
            of another size.
        """
        # Of every layer so far, the image first: its outputs as they are by now.
        made = [(self.input_shape, Source(0))]
        for layer in self.layers:
            if isinstance(layer, Pool):
                made = [(_pooled(shape, layer), source.through(layer)) for shape, source in made]
                continue
            taken = [len(made) - 1, *layer.also]
            where = f"layer {len(made)} of network {self.name}"
            if len(set(taken)) < len(taken) or not set(layer.also) <= set(range(len(made))):
                raise ConfigError(
                    f"{where} also takes {list(layer.also)}: name layers before number "
                    f"{len(made) - 1}, which it takes in any case, once each; 0 is the image"
                )
            shapes, sources = zip(*(made[number] for number in taken), strict=True)
            if len({shape[1:] for shape in shapes}) > 1:
                raise ConfigError(
                    f"{where} takes outputs of {' and '.join(f'{h}x{w}' for _, h, w in shapes)} "
                    "positions: rows side by side need images of one size"
                )
            shape = (sum(channels for channels, _, _ in shapes), *shapes[0][1:])
            if any(not source.number and "any" in source.rules for source in sources):
                raise ConfigError(
                    f"{where} takes the image through a pool of rule 'any', which is of spikes: "
                    "use rule 'mean', or take the image before the pool"
                )
            widths = tuple(channels for channels, _, _ in shapes)
            if isinstance(layer, Conv):
                _check_convolution(layer, shape, where)
            step = WeightStep(layer, len(made), shape, sources, widths)
            yield step
            made.append((step.output_shape, Source(len(made))))


@dataclass(frozen=True)
class Source:
    """Origin of inputs: a weight layer, from one, or the image, 0; and the pools between."""

    number: int
    pools: tuple[Pool, ...] = ()

    @property
    def rules(self) -> set[str]:
        """Rules of its pools."""
        return {pool.rule for pool in self.pools}

    @property
    def steps(self) -> int:
        """Even steps from 0 to 1 of what spikes become behind its pools; 1 of spikes."""
        steps = 1
        for pool in self.pools:
            if pool.rule == "mean":
                steps *= pool.size**2
        return steps

    def through(self, pool: Pool) -> Source:
        """Source of the same outputs behind one more pool."""
        return Source(self.number, (*self.pools, pool))


@dataclass(frozen=True)
class WeightStep:
    """A convolution or dense layer in its network, where it is the weight layer ``number``.

    ``input_shape`` is (channels, height, width) of all its inputs together, in the order of
    ``sources``, of which each has as many channels as ``widths`` says.
    """

    layer: Conv | Dense
    number: int
    input_shape: tuple[int, int, int]
    sources: tuple[Source, ...]
    widths: tuple[int, ...]

    @property
    def name(self) -> str:
        """Kind and number: ``conv1``, ``dense7``."""
        return f"{type(self.layer).__name__.lower()}{self.number}"

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of its outputs."""
        sides = self.input_shape[1:]
        sides = self.layer.sides(*sides) if isinstance(self.layer, Conv) else (1, 1)
        return (self.layer.channels, *sides)

    @property
    def groups(self) -> int:
        """Groups of neurons with inputs of their own."""
        return self.layer.groups if isinstance(self.layer, Conv) else 1

    @property
    def inputs(self) -> int:
        """Inputs at a position, of all neurons together, channel by channel."""
        channels, height, width = self.input_shape
        return channels * (self.layer.kernel**2 if isinstance(self.layer, Conv) else height * width)

    @property
    def fan_in(self) -> int:
        """Inputs of a neuron: rows of the crossbar without the bias row."""
        return self.inputs // self.groups

    def source_rows(self) -> list[slice]:
        """Which of the inputs come from each source."""
        per_channel = self.inputs // self.input_shape[0]
        edges = np.cumsum([0, *self.widths]) * per_channel
        return [slice(start, stop) for start, stop in pairwise(edges.tolist())]


def _check_convolution(layer: Conv, shape: tuple[int, int, int], where: str) -> None:
    """Refuse a convolution that does not fit its input (channels, height, width)."""
    channels, height, width = shape
    if channels % layer.groups or layer.channels % layer.groups:
        raise ConfigError(
            f"{where} has {layer.groups} groups for {channels} channels and {layer.channels} "
            "outputs: both must be multiples of the groups"
        )
    if layer.padding == "same" and layer.kernel % 2 == 0:
        raise ConfigError(
            f"{where} has a kernel of {layer.kernel} and padding 'same', which only kernels with a "
            "middle have: give a number, or an odd kernel"
        )
    if min(layer.sides(height, width)) < 1:
        raise ConfigError(
            f"{where} has a kernel of {layer.kernel} on images of {height}x{width} with "
            f"{layer.margin} zeros around: use a smaller kernel, or more padding"
        )


def _pooled(shape: tuple[int, int, int], pool: Pool) -> tuple[int, int, int]:
    channels, height, width = shape
    return channels, height // pool.size, width // pool.size


DIGITS_MLP = Architecture("digits-mlp", (1, 8, 8), (Dense(32), Dense(10)))
CIFAR10_CNN = Architecture(
    "cifar10-cnn",
    (3, 32, 32),
    (
        Conv(32),
        Conv(32),
        Pool(2),
        Conv(64),
        Conv(64),
        Pool(2),
        Conv(128),
        Conv(128),
        Pool(2),
        Dense(10),
    ),
)
#: Three times the products of ``cifar10-cnn`` for 1.4 times its events.
CIFAR10_CNN_WIDE = Architecture(
    "cifar10-cnn-wide",
    (3, 32, 32),
    (
        Conv(64),
        Pool(2),
        Conv(128),
        Conv(128),
        Pool(2),
        Conv(256),
        Conv(256),
        Pool(2),
        Dense(10),
    ),
)
#: Twice the products of ``cifar10-cnn`` for 1.1 times its events; no line exceeds 1,152 rows.
#: Trained for two epochs, pools that send one spike (``any``) cost three points and half the speed.
CIFAR10_SKIP = Architecture(
    "cifar10-skip",
    (3, 32, 32),
    (
        Conv(48),
        Pool(2),
        Conv(64),
        Conv(64, also=(1,)),
        Conv(64, also=(2,)),
        Pool(2),
        Conv(128, also=(3,)),
        Conv(128),
        Conv(128),
        Pool(2),
        Conv(128),
        Conv(128),
        Pool(2),
        Dense(10, also=(8,)),
    ),
)
ARCHITECTURES = {net.name: net for net in (DIGITS_MLP, CIFAR10_CNN, CIFAR10_CNN_WIDE, CIFAR10_SKIP)}
