"""What every command starts with: a network on crossbars, its images, its engine."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from memspice import datasets
from memspice.circuits.bursts import check_burst
from memspice.datasets import DATA_SETS, Images
from memspice.engines.base import EngineInfo
from memspice.errors import ConfigError, ShapeError
from memspice.importers.operations import shape_text
from memspice.jobs import content_hash
from memspice.network.ann import with_mean_inputs
from memspice.network.architecture import Dense
from memspice.network.inference import Window
from memspice.network.mapping import MappedLayer, MappedNetwork, map_network
from memspice.network.weights import Network, load_network
from memspice.parameters import ParameterSet, load_parameter_set

#: Training images whose levels the trim of an imported network rests on.
TRIM_IMAGES = 500
#: Most images, cycles an image, and rows or columns of a tile.
MOST = {"images": 10_000_000, "cycles": 1_000_000, "tile": 4096}


@dataclass(frozen=True)
class Setup:
    """Settings shared by all commands that simulate a network.

    ``cycles`` are those of an image, in bursts of ``burst`` (`memspice.circuits.bursts`);
    ``tile`` is (rows, columns), ``wire_resistance`` [ohm] per cell replaces both of the parameter
    set, ``changes`` are other values of the set by ``"table.name"``, in SI units, as of
    :func:`~memspice.parameters.load_parameter_set`; ``data`` names the images, as of
    :func:`~memspice.datasets.load_images`; by default those that fit the network.
    """

    network: str = "cifar10-cnn"
    device: str = "fast-memristor"
    images: int = 1
    cycles: int = 8
    burst: int = 1
    tile: tuple[int, int] = (128, 128)
    wire_resistance: float | None = None
    changes: Mapping[str, float | str] = field(default_factory=dict)
    seed: int = 0
    engine: str = "ngspice"
    data: str | Path | None = None


@dataclass(frozen=True, eq=False)
class Prepared:
    """A network on crossbars and the images to run, fewer than asked for where there are no more.

    ``notes`` say what is other than the names of data set and parameter set tell; ``remarks`` are
    those that the preparation made.
    """

    setup: Setup
    network: Network
    mapped: MappedNetwork
    dataset: Images
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What a reader must know: where the run is smaller, and what it changes of its set."""
        asked, found = self.setup.images, len(self.dataset)
        notes = [f"{asked} images asked for, the data set has {found}"] if found < asked else []
        return [
            *notes,
            *self.remarks,
            *self.mapped.parameter_set.notes,
            *self.mapped.notes,
        ]


def prepare(setup: Setup) -> Prepared:
    """Load, map and check what a command works on.

    Raises
    ------
    ConfigError
        If a number makes no sense.
    """
    numbers = {"images": setup.images, "cycles": setup.cycles}
    numbers |= {"tile rows": setup.tile[0], "tile columns": setup.tile[1]}
    for name, value in numbers.items():
        most = MOST[name.split()[0]]
        if not 1 <= value <= most:
            bound = "at least 1" if value < 1 else f"at most {most:,}"
            raise ConfigError(f"{name} = {value} must be {bound}")
    check_burst(setup.cycles, setup.burst)
    if not 0 <= setup.seed < 2**63:
        raise ConfigError(f"seed = {setup.seed} must be at least 0 and below 2**63")
    network = load_network(setup.network)
    remarks = [str(text) for text in network.provenance.get("warnings", [])]
    parameter_set = _parameter_set(setup, network, remarks)
    dataset = load_images(network, "test", setup.images, setup.data)
    remarks += image_remarks(network, dataset)
    shape = network.architecture.input_shape
    if parameter_set.periphery.trim_step and any(w.mean_input is None for w in network.layers):
        training = load_images(network, "train", TRIM_IMAGES, setup.data)
        network = with_mean_inputs(network, training.reshaped(shape).x)
        remarks.append(
            "the network file has no mean levels of its rows, which the trim needs: taken from "
            f"{len(training)} training images of {training.name}"
        )
    mapped = map_network(network, parameter_set, setup.tile, setup.seed)
    return Prepared(setup, network, mapped, dataset.reshaped(shape), tuple(remarks))


def _parameter_set(setup: Setup, network: Network, remarks: list[str]) -> ParameterSet:
    """Parameter set of a run, with what the run changes of it.

    Cells have the levels that the weights were made for, unless the run or the set of its own says
    otherwise.
    """
    changes = dict(setup.changes)
    if setup.wire_resistance is not None:
        for name in ("array.wire_resistance_row", "array.wire_resistance_col"):
            if name in changes:
                raise ConfigError(
                    f"--wire-resistance {setup.wire_resistance:g} ohm and {name} = {changes[name]} "
                    "are given for the same wires: leave one out"
                )
            changes[name] = setup.wire_resistance
    parameter_set = load_parameter_set(setup.device, changes)
    common, levels = parameter_set.synapse.levels, network.levels
    if levels in (None, common):
        return parameter_set
    fitted = load_parameter_set(setup.device, changes, {"synapse.levels": levels})
    if fitted.synapse.levels == levels:
        remarks.append(
            f"cells have {levels} conductance levels, those of the network file, in the place of "
            f"{common}; --set synapse.levels={common} rounds the weights onto these"
        )
    return fitted


def load_images(network: Network, split: str, images: int, data: str | Path | None) -> Images:
    """First images of those that ``data`` names, or of the data set that fits a network.

    They are as their source has them; a network with a flat input takes them reshaped.

    Parameters
    ----------
    network : Network
        What is to take them.
    split : str
        ``"train"`` or ``"test"``; see :func:`memspice.datasets.load_images`.
    images : int
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
    if not takes(network, found.shape):
        raise ShapeError(
            f"{found.name}: images of {shape_text(found.shape)} do not fit network "
            f"{network.name}, which takes {shape_text(network.architecture.input_shape)}: give "
            "others with --data, or another network"
        )
    if found.y is not None:
        found.check_classes(len(network.layers[-1].bias), f"network {network.name}")
    return found


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


def choose_windows(layer: MappedLayer, images: int, positions: int, seed: int) -> list[Window]:
    """Windows of a layer: some positions of each image, chosen by the seed."""
    if positions < 1:
        raise ConfigError(f"positions = {positions} must be at least 1")
    windows = []
    for image in range(images):
        order = np.random.default_rng([seed, layer.number, image]).permutation(layer.positions)
        chosen = np.sort(order[:positions])
        windows += [Window(layer.name, image, int(position)) for position in chosen]
    return windows


def dataset_json(prepared: Prepared) -> dict[str, object]:
    """Name, size and nature of the images."""
    dataset = prepared.dataset
    return {
        "name": dataset.name,
        "images": len(dataset),
        "lossless": dataset.lossless,
        "source": dataset.source,
    }


def engine_record(info: EngineInfo | None) -> dict[str, str | bool]:
    """Engine as JSON and store write it; the surrogate runs in NumPy."""
    if info is None:
        return {
            "name": "numpy",
            "version": np.__version__,
            "osdi": False,
            "klu": False,
            "executable": "",
        }
    return info.as_json()


def run_config(prepared: Prepared, more: Mapping[str, object]) -> str:
    """Configuration of a run as JSON, for its hash and its store.

    The checksums tell apart what a name does not: a file that has changed since, other images.

    Parameters
    ----------
    prepared : Prepared
        Settings, network and images.
    more : mapping
        What the command adds.
    """
    network, dataset = prepared.network, prepared.dataset
    checksums = {
        "network": content_hash(network.architecture, network.layers, network.span),
        "device": content_hash(prepared.mapped.parameter_set),
        "images": content_hash(dataset.x, dataset.y),
    }
    content = asdict(prepared.setup) | {"checksums": checksums} | dict(more)
    return json.dumps(content, sort_keys=True, default=str, indent=1)
