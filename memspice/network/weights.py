"""Trained networks: their layers, and the HDF5 files that hold them.

Weights are in units of the neuron's voltage scale: a weighted input of ``z`` puts the write voltage
``z * V0`` above the unit voltage, so a neuron switches with ``1 - exp(-exp(z))``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from memspice.errors import ConfigError, DataError
from memspice.network.architecture import ARCHITECTURES, Architecture, Conv, Dense, Pool
from memspice.resources import resource_path

FORMAT = "memspice-network-1"
_KINDS = {"conv": Conv, "pool": Pool, "dense": Dense}


@dataclass(frozen=True)
class WeightLayer:
    """Weights of one convolution or dense layer.

    ``weight`` is (outputs, fan_in), the fan-in of a convolution in (channel, kernel row, kernel
    column) order; ``bias`` (outputs,); no weight exceeds ``bound``.  ``mean_input`` (fan_in,) is
    the mean level of each input over training images, which trimming needs.
    """

    weight: np.ndarray
    bias: np.ndarray
    bound: float
    mean_input: np.ndarray | None = None


@dataclass(frozen=True)
class Network:
    """An architecture with its trained weights and where they come from."""

    architecture: Architecture
    layers: tuple[WeightLayer, ...]
    provenance: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of the architecture."""
        return self.architecture.name


def save_network(network: Network, path: Path, levels: int) -> None:
    """Write a network, weights as whole numbers of ``bound / (levels - 1)``.

    Parameters
    ----------
    network : Network
        Its weights must already lie on these levels.
    path : Path
        HDF5 file, replaced when it exists.
    levels : int
        Conductance levels per cell, 2 to 128.

    Raises
    ------
    ConfigError
        If a weight lies beside these levels, or a byte cannot number them.
    """
    if not 2 <= levels <= 128:
        raise ConfigError(f"levels = {levels} must be 2 to 128, for a weight to fit into a byte")
    steps = [_whole_steps(layer, levels) for layer in network.layers]
    partial = path.with_suffix(".partial")
    with h5py.File(partial, "w") as file:
        file.attrs["format"] = FORMAT
        file.attrs["architecture"] = _architecture_text(network.architecture)
        file.attrs["provenance"] = json.dumps(dict(network.provenance))
        for number, layer in enumerate(network.layers):
            group = file.create_group(f"layer{number}")
            # Checksums: a flipped bit in a weight would otherwise pass for another weight.
            checked = {"shuffle": True, "compression": "gzip", "fletcher32": True}
            group.create_dataset("steps", data=steps[number], **checked)
            group.create_dataset("bias", data=layer.bias, **checked)
            if layer.mean_input is not None:
                group.create_dataset("mean_input", data=layer.mean_input, **checked)
            group.attrs["step"] = layer.bound / (levels - 1)
            group.attrs["bound"] = layer.bound
    partial.replace(path)


def _whole_steps(layer: WeightLayer, levels: int) -> np.ndarray:
    """Weights as numbers of levels; weights that come from float32 are off by its rounding."""
    steps = layer.weight / (layer.bound / (levels - 1))
    whole = np.round(steps)
    if not (np.abs(steps - whole) <= 1e-3).all() or not (np.abs(whole) < levels).all():
        raise ConfigError(
            f"weights of a layer with bound {layer.bound:g} do not lie on {levels} levels: "
            "quantise them first, or give the levels that they were trained with"
        )
    return whole.astype(np.int8)


def load_network(name: str) -> Network:
    """Load a network that comes with memspice, or one from a file.

    Parameters
    ----------
    name : str
        ``digits-mlp``, ``cifar10-cnn``, ``cifar10-cnn-wide``, or the path of a file of
        :func:`save_network`.

    Raises
    ------
    ConfigError
        If the name is unknown.
    DataError
        If the file is missing, corrupt, or does not fit its own architecture.
    """
    if name in ARCHITECTURES:
        return _read(resource_path("networks", f"{name}.h5"))
    if not name.endswith(".h5"):
        raise ConfigError(
            f"network {name!r} is unknown: use {', '.join(ARCHITECTURES)} or the path of a .h5 file"
        )
    return _read(Path(name))


def _read(path: Path) -> Network:
    if not path.exists():
        raise DataError(f"network file {path} does not exist: check the path")
    if not path.is_file():
        raise DataError(f"{path} is no file: name the .h5 file of a network")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise DataError(f"{path} is not a memspice network: its format is not {FORMAT}")
            architecture = _parse_architecture(str(file.attrs["architecture"]))
            provenance = json.loads(str(file.attrs["provenance"]))
            layers = tuple(_read_layer(file[f"layer{k}"]) for k in range(len(file)))
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:  # as h5py raises
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"network file {path} is corrupt ({error}): fetch or train it again"
        ) from error
    _check(path, architecture, layers)
    return Network(architecture, layers, provenance)


def _read_layer(group: Any) -> WeightLayer:
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is refused later
        weight = np.asarray(group["steps"], float) * float(group.attrs["step"])
    mean_input = np.asarray(group["mean_input"], float) if "mean_input" in group else None
    bias, bound = np.asarray(group["bias"], float), float(group.attrs["bound"])
    return WeightLayer(weight, bias, bound, mean_input)


def _check(path: Path, architecture: Architecture, layers: tuple[WeightLayer, ...]) -> None:
    """Refuse weights that do not fit the architecture, or are not finite."""
    shapes = weight_shapes(architecture)
    if len(shapes) != len(layers):
        raise DataError(f"{path} has {len(layers)} weight layers, its architecture {len(shapes)}")
    for number, (shape, layer) in enumerate(zip(shapes, layers, strict=True)):
        if layer.weight.shape != shape or layer.bias.shape != shape[:1]:
            raise DataError(
                f"{path}, layer{number}: weights of shape {layer.weight.shape} and biases of "
                f"shape {layer.bias.shape} do not fit {shape}"
            )
        if not (np.isfinite(layer.bias).all() and np.isfinite(layer.bound) and layer.bound > 0):
            raise DataError(
                f"{path}, layer{number}: a bias is not finite, or the bound {layer.bound:g} is not "
                "a positive number: train the network again"
            )
        mean = layer.mean_input
        if mean is not None and (mean.shape != shape[1:] or not ((mean >= 0) & (mean <= 1)).all()):
            raise DataError(
                f"{path}, layer{number}: mean levels of shape {mean.shape} do not fit "
                f"{shape[1:]}, or are not within 0 to 1: train the network again"
            )
        if not (np.abs(layer.weight) <= layer.bound * (1 + 1e-9)).all():  # NaN fails too
            raise DataError(
                f"{path}, layer{number}: a weight is not finite or exceeds the bound "
                f"{layer.bound:g}: train the network again"
            )


def weight_shapes(architecture: Architecture) -> list[tuple[int, int]]:
    """Shape (outputs, fan_in) of each weight layer, in order."""
    channels, height, width = architecture.input_shape
    shapes = []
    for layer in architecture.layers:
        if isinstance(layer, Pool):
            height, width = height // layer.size, width // layer.size
            continue
        if isinstance(layer, Conv):
            shapes.append((layer.channels, channels * layer.kernel**2))
        else:
            shapes.append((layer.channels, channels * height * width))
            height = width = 1
        channels = layer.channels
    return shapes


def _architecture_text(architecture: Architecture) -> str:
    layers = [
        {"kind": type(layer).__name__.lower(), **asdict(layer)} for layer in architecture.layers
    ]
    return json.dumps(
        {"name": architecture.name, "input_shape": architecture.input_shape, "layers": layers}
    )


def _parse_architecture(text: str) -> Architecture:
    content = json.loads(text)
    layers = tuple(
        _KINDS[entry["kind"]](**{k: v for k, v in entry.items() if k != "kind"})
        for entry in content["layers"]
    )
    channels, height, width = content["input_shape"]
    return Architecture(content["name"], (channels, height, width), layers)
