"""The layers a network is made of, as plain data.

A network is a tuple of layer descriptions.  Convolutions have square kernels, stride one and
zero padding that keeps the image size; pooling is by average; every convolution and dense layer
but the last is followed by stochastic neurons, the last accumulates its analogue output.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Conv:
    """Convolution of stride one with zero padding, then stochastic neurons."""

    channels: int
    kernel: int = 3


@dataclass(frozen=True)
class Pool:
    """Average pooling over ``size`` x ``size`` blocks: rows are then driven at graded levels."""

    size: int = 2


@dataclass(frozen=True)
class Dense:
    """Fully connected layer on the flattened input (channel, row, column order)."""

    channels: int


Layer = Conv | Pool | Dense


@dataclass(frozen=True)
class Architecture:
    """A named stack of layers over inputs of ``input_shape`` (channels, height, width)."""

    name: str
    input_shape: tuple[int, int, int]
    layers: tuple[Layer, ...]


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
ARCHITECTURES = {net.name: net for net in (DIGITS_MLP, CIFAR10_CNN, CIFAR10_CNN_WIDE)}
