"""Which images a network takes, and what a reader must know of them."""

from __future__ import annotations

import math
from pathlib import Path

from memspice import datasets
from memspice.datasets import DATA_SETS, Images
from memspice.errors import ConfigError, ShapeError
from memspice.importers.operations import shape_text
from memspice.network.architecture import Dense
from memspice.network.weights import Network


def images_for(network: Network, split: str, images: int | None, data: str | Path | None) -> Images:
    """First images of those that ``data`` names, or of the data set that fits a network.

    They are as their source has them; a network with a flat input takes them reshaped.

    Parameters
    ----------
    network : Network
        What is to take them.
    split : str
        ``"train"`` or ``"test"``; see :func:`memspice.datasets.load_images`.
    images : int, optional
        Most images.
    data : str, Path or None
        Data set, file or folder.

    Raises
    ------
    ConfigError
        If no data set fits the network's input.
    ShapeError
        If the images do not.
    DataError
        If a label has no output of the network, or the images cannot be loaded.
    """
    if data is None:
        data = _data_set(network)
    found = datasets.load_images(data, split, images, fits=lambda shape: takes(network, shape))
    check_fit(network, found)
    return found


def check_fit(network: Network, images: Images) -> None:
    """Refuse images that a network does not take.

    Raises
    ------
    ShapeError
        If they have another shape.
    DataError
        If a label has no output of the network.
    """
    if not takes(network, images.shape):
        raise ShapeError(
            f"{images.name}: images of {shape_text(images.shape)} do not fit network "
            f"{network.name}, which takes {shape_text(network.architecture.input_shape)}: give "
            "others with --data, or another network"
        )
    if images.y is not None:
        images.check_classes(len(network.layers[-1].bias), f"network {network.name}")


def takes(network: Network, shape: tuple[int, int, int]) -> bool:
    """Whether a network can take images of a shape (channels, height, width).

    A flat input, ``(1, 1, n)`` into a dense layer, takes images of ``n`` numbers.
    """
    own, first = network.architecture.input_shape, network.architecture.layers[0]
    flat = own[:2] == (1, 1) and isinstance(first, Dense)
    return shape == own or (flat and own[2] == math.prod(shape))


def _data_set(network: Network) -> str:
    """Name of the data set that fits a network's input."""
    for native, name in DATA_SETS.items():
        if takes(network, native):
            return name
    known = " and ".join(f"{name} of {shape_text(sides)}" for sides, name in DATA_SETS.items())
    raise ConfigError(
        f"network {network.name} takes images of "
        f"{shape_text(network.architecture.input_shape)}, and memspice has {known}: name your own "
        "with --data, or import the network with another --input-shape"
    )


def image_remarks(network: Network, images: Images) -> list[str]:
    """What a reader must know of images on a network: that they are flattened, or seen before."""
    remarks = []
    if images.shape != network.architecture.input_shape:
        remarks.append(
            f"images of {shape_text(images.shape)} are flattened to {math.prod(images.shape)} "
            "inputs, in the order channel, row, column"
        )
    provenance = network.provenance
    if images.origin == provenance.get("trained_on", f"{provenance.get('dataset')} train"):
        remarks.append(
            f"network {network.name} was trained on these images ({images.name}), its provenance "
            "says: the accuracy is none of images that it has not seen"
        )
    return remarks
