"""Trained networks: their layers, and the HDF5 files that hold them.

Weights are in units of the neuron's voltage scale: a weighted input of ``z`` puts the write voltage
``z * V0`` above the unit voltage, so a neuron switches with ``1 - exp(-exp(z))``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from memspice.errors import ConfigError, DataError
from memspice.inputs import Group, open_hdf5, parse_json
from memspice.network.architecture import ARCHITECTURES, Architecture, WeightStep
from memspice.network.architecture_text import architecture_text, parse_architecture
from memspice.outputs import check_file, writing
from memspice.resources import resource_path
from memspice.store.files import replace_small

FORMAT = "memspice-network-2"
_WITHOUT_CHECKSUM = "memspice-network-1"
#: Bounds of a step, a bound and a bias, in units of the neuron's voltage scale.
SMALLEST, LARGEST = 1e-12, 1e9
#: Most conductance levels, for a weight to fit into a byte.
MOST_LEVELS = 128


@dataclass(frozen=True, eq=False)
class WeightLayer:
    """Weights of one convolution or dense layer.

    ``weight`` is (outputs, fan_in), the fan-in of a convolution in (channel, kernel row, kernel
    column) order; ``bias`` (outputs,); no weight exceeds ``bound``.  ``mean_input`` (inputs,) is
    the mean level of each input over training images, which trimming needs.
    """

    weight: np.ndarray
    bias: np.ndarray
    bound: float
    mean_input: np.ndarray | None = None

    def weighted(self, inputs: np.ndarray) -> np.ndarray:
        """Weighted inputs (outputs,) without bias, for inputs (inputs,).

        Where these are more than the fan-in, groups of as many outputs take successive parts.
        """
        outputs, fan_in = self.weight.shape
        parts = inputs.reshape(-1, fan_in, 1)
        return np.asarray(self.weight.reshape(len(parts), -1, fan_in) @ parts).reshape(outputs)


@dataclass(frozen=True, eq=False)
class Network:
    """An architecture with its trained weights and where they come from.

    ``levels`` is the number of conductance levels that the weights of a file lie on, None where
    they were not read from one.  ``span`` are the lowest and highest weighted input of a neuron in
    training, in units of ``ln H``: beyond, it was clipped, as the limits of the drive will do.
    None stands for a network that knows of no limits.

    Raises
    ------
    ConfigError
        If a span does not rise.
    """

    architecture: Architecture
    layers: tuple[WeightLayer, ...]
    provenance: Mapping[str, Any]
    levels: int | None = None
    span: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.span is not None and not -LARGEST <= self.span[0] < self.span[1] <= LARGEST:
            raise ConfigError(
                f"span = {self.span[0]:g} to {self.span[1]:g} of network {self.name} must rise, "
                f"within {LARGEST:g} either way: give the limits that it was trained with"
            )

    @property
    def name(self) -> str:
        """Name of the architecture."""
        return self.architecture.name


def check_network_file(path: Path, *, parents: bool = False) -> None:
    """Refuse a file in whose place a network could not be put at the end, before any work.

    Parameters
    ----------
    path : Path
        File to be written later; an earlier network there may be replaced, nothing else.
    parents : bool
        Make its missing folders.

    Raises
    ------
    ConfigError
        As of `memspice.outputs.check_file`, or if another file is there.
    StoreError
        If the system does not let a file be made there.
    """
    check_file(path, parents=parents)
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        with open_hdf5(path) as file:
            ours = file.attributes.get("format") in (FORMAT, _WITHOUT_CHECKSUM)
    except DataError:
        ours = False
    if not ours:
        raise ConfigError(
            f"{path} is no memspice network and may be somebody's only copy; not replaced: remove "
            "it or choose another name"
        )


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
    StoreError
        If the file cannot be written.
    """
    if not 2 <= levels <= MOST_LEVELS:
        raise ConfigError(
            f"levels = {levels} must be 2 to {MOST_LEVELS}, for a weight to fit into a byte"
        )
    steps = [_whole_steps(layer, levels) for layer in network.layers]

    def fill(file: h5py.File) -> None:
        file.attrs["format"] = FORMAT
        file.attrs["architecture"] = architecture_text(network.architecture)
        file.attrs["provenance"] = json.dumps(dict(network.provenance))
        if network.span is not None:
            file.attrs["span_low"], file.attrs["span_high"] = network.span
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
        file.attrs["sha256"] = content_digest(file)

    with writing(path, lambda: "Choose a folder you may write to"):
        replace_small(path, fill)


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


def trained_networks() -> list[str]:
    """Names of the architectures whose weights come with memspice."""
    found = {path.stem for path in resource_path("networks").glob("*.h5")}
    return [name for name in ARCHITECTURES if name in found]


def load_network(name: str) -> Network:
    """Load a network that comes with memspice, or one from a file.

    Parameters
    ----------
    name : str
        One of :func:`trained_networks`, or the path of a file of :func:`save_network`.

    Raises
    ------
    ConfigError
        If the name is unknown.
    DataError
        If the file is missing, corrupt, or does not fit its own architecture.
    """
    if name in trained_networks():
        return _read(resource_path("networks", f"{name}.h5"))
    if not name.endswith(".h5"):
        raise ConfigError(
            f"network {name!r} is unknown: use {', '.join(trained_networks())} or the path of a "
            ".h5 file"
        )
    return _read(Path(name))


def _read(path: Path) -> Network:
    with open_hdf5(path) as file:
        if file.attributes.get("format") != FORMAT:
            _refuse_format(path, file.attributes.get("format"))
        architecture = parse_architecture(file)
        provenance = parse_json(file.text("provenance"), f"{file.where}provenance")
        if not isinstance(provenance, dict):
            file.refuse("the attribute 'provenance' is no table")
        steps = list(architecture.shapes())
        names = [f"layer{number}" for number in range(len(steps))]
        if sorted(file.names) != sorted(names):
            raise DataError(
                f"{path} has {len(file.names)} weight layers, its architecture {len(names)}: "
                "fetch or train it again"
            )
        layers, levels = [], 2
        span = _read_span(file)
        digest = _header_digest(file.text("architecture"), file.text("provenance"), span)
        for name, step in zip(names, steps, strict=True):
            group = file.group(name)
            layers.append(_read_layer(group, step, digest))
            levels = max(levels, _levels(group))
        if file.text("sha256") != digest.hexdigest():
            raise DataError(f"{path} is not what was once written: fetch or train it again")
    _check(path, layers)
    return Network(architecture, tuple(layers), provenance, levels, span)


def _refuse_format(path: Path, found: object) -> None:
    if found == _WITHOUT_CHECKSUM:
        raise DataError(
            f"{path} was written by an earlier memspice and has no checksum: seal it once with "
            f"python tools/seal_network.py {path}"
        )
    raise DataError(f"{path} is not a memspice network: its format is not {FORMAT}")


def _read_span(file: Group) -> tuple[float, float] | None:
    if not {"span_low", "span_high"} & set(file.attributes):
        return None
    low, high = (file.real(name, -LARGEST, LARGEST) for name in ("span_low", "span_high"))
    if not low < high:
        file.refuse(f"span_low = {low:g} must be below span_high = {high:g}")
    return low, high


def _read_layer(group: Group, taken: WeightStep, digest: Any) -> WeightLayer:
    steps = group.dataset("steps").numbers("i", (taken.layer.channels, taken.fan_in))
    bias = group.dataset("bias").numbers("f", (taken.layer.channels,))
    has_mean = "mean_input" in group
    mean_input = group.dataset("mean_input").numbers("f", (taken.inputs,)) if has_mean else None
    step, bound = (group.real(name, SMALLEST, LARGEST) for name in ("step", "bound"))
    _update(digest, steps, bias=bias, mean_input=mean_input, step=step, bound=bound)
    return WeightLayer(steps * step, bias.astype(float), bound, mean_input)


def _levels(group: Group) -> int:
    """Conductance levels that a step and a bound stand for."""
    step, bound = (group.real(name, SMALLEST, LARGEST) for name in ("step", "bound"))
    steps = round(bound / step)
    if not (1 <= steps < MOST_LEVELS and abs(bound / step - steps) < 1e-6):
        group.refuse(f"a bound of {bound:g} is not 1 to {MOST_LEVELS - 1} steps of {step:g}")
    return steps + 1


def _check(path: Path, layers: Sequence[WeightLayer]) -> None:
    """Refuse numbers that are not those of a trained network."""
    for number, layer in enumerate(layers):
        mean = layer.mean_input
        if mean is not None and not ((mean >= 0) & (mean <= 1)).all():
            raise DataError(
                f"{path}, layer{number}: mean levels are not within 0 to 1: train the network again"
            )
        if not (np.abs(layer.weight) <= layer.bound * (1 + 1e-9)).all():
            raise DataError(
                f"{path}, layer{number}: a weight exceeds the bound {layer.bound:g}: train the "
                "network again"
            )
        if not (np.abs(layer.bias) <= LARGEST).all():
            raise DataError(
                f"{path}, layer{number}: a bias exceeds {LARGEST:g}: train the network again"
            )


def content_digest(network_file: h5py.File) -> str:
    """SHA-256 of all that :func:`load_network` reads of an open network file."""
    attributes = network_file.attrs
    has_span = "span_low" in attributes
    span = (float(attributes["span_low"]), float(attributes["span_high"])) if has_span else None
    digest = _header_digest(attributes["architecture"], attributes["provenance"], span)
    for number in range(len(network_file)):
        group = network_file[f"layer{number}"]
        mean_input = group["mean_input"][()] if "mean_input" in group else None
        step, bound = float(group.attrs["step"]), float(group.attrs["bound"])
        _update(
            digest,
            group["steps"][()],
            bias=group["bias"][()],
            mean_input=mean_input,
            step=step,
            bound=bound,
        )
    return str(digest.hexdigest())


def _header_digest(architecture: str, provenance: str, span: tuple[float, float] | None) -> Any:
    header = [architecture, provenance, *([span] if span else [])]
    return hashlib.sha256(json.dumps(header).encode())


def _update(
    digest: Any,
    steps: np.ndarray,
    bias: np.ndarray,
    mean_input: np.ndarray | None,
    step: float,
    bound: float,
) -> None:
    """Add a layer to a digest, types and shapes with it."""
    digest.update(json.dumps([step, bound]).encode())
    for array in (steps, bias, np.empty(0) if mean_input is None else mean_input):
        digest.update(f"{array.dtype.str} {array.shape}".encode() + array.tobytes())


def weight_shapes(architecture: Architecture) -> list[tuple[int, int]]:
    """Shape (outputs, fan_in) of each weight layer, in order."""
    return [(step.layer.channels, step.fan_in) for step in architecture.shapes()]
