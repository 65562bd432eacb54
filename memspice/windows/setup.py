"""What every command starts with: a network on crossbars, its images, its engine."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from memspice.circuits.bursts import check_burst
from memspice.datasets.cifar10 import load_cifar10
from memspice.datasets.dataset import Dataset
from memspice.datasets.digits import load_digits
from memspice.engines import find_engine
from memspice.engines.base import Engine, EngineInfo
from memspice.errors import ConfigError
from memspice.importers.operations import shape_text
from memspice.jobs import content_hash
from memspice.network.ann import with_mean_inputs
from memspice.network.architecture import Dense
from memspice.network.inference import Window
from memspice.network.mapping import MappedLayer, MappedNetwork, map_network
from memspice.network.weights import Network, load_network
from memspice.parameters import ParameterSet, load_parameter_set

#: Shapes (channels, height, width) of the data sets that memspice has.
_DATA_SETS = {(1, 8, 8): "digits", (3, 32, 32): "CIFAR-10"}
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
    :func:`~memspice.parameters.load_parameter_set`; ``data`` is the folder of the official CIFAR-10
    binaries.
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
    data: Path | None = None


@dataclass(frozen=True, eq=False)
class Prepared:
    """A network on crossbars and the images to run, fewer than asked for where there are no more.

    ``notes`` say what is other than the names of data set and parameter set tell; ``remarks`` are
    those that the preparation made.
    """

    setup: Setup
    network: Network
    mapped: MappedNetwork
    dataset: Dataset
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
    if dataset.images.shape[1:] != native_shape(network):
        remarks.append(
            f"images of {shape_text(native_shape(network))} are flattened to "
            f"{dataset.images[0].size} inputs, in the order channel, row, column"
        )
    if parameter_set.periphery.trim_step and any(w.mean_input is None for w in network.layers):
        training = load_images(network, "train", TRIM_IMAGES, setup.data)
        network = with_mean_inputs(network, training.images)
        remarks.append(
            "the network file has no mean levels of its rows, which the trim needs: taken from the "
            f"first {len(training)} training images of {training.name}"
        )
    mapped = map_network(network, parameter_set, setup.tile, setup.seed)
    return Prepared(setup, network, mapped, dataset, tuple(remarks))


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


def native_shape(network: Network) -> tuple[int, int, int]:
    """Shape of the images of the data set that fits a network's input.

    A flat input, ``(1, 1, n)`` into a dense layer, takes the images of ``n`` numbers.

    Raises
    ------
    ConfigError
        If no data set fits.
    """
    shape, first = network.architecture.input_shape, network.architecture.layers[0]
    flat = shape[:2] == (1, 1) and isinstance(first, Dense)
    for native in _DATA_SETS:
        if shape == native or (flat and shape[2] == math.prod(native)):
            return native
    known = " and ".join(f"{name} of {shape_text(sides)}" for sides, name in _DATA_SETS.items())
    raise ConfigError(
        f"network {network.name} takes images of {shape_text(shape)}, but there are {known} (or as "
        "many flat inputs of a dense layer): import it with another --input-shape"
    )


def load_images(network: Network, split: str, images: int, data: Path | None) -> Dataset:
    """First images of the data set that fits a network, in the shape of its input.

    Raises
    ------
    ConfigError
        If no data set fits the network's input, or ``data`` is given and not used.
    """
    digits = native_shape(network) == (1, 8, 8)
    if digits and data is not None:
        raise ConfigError(
            f"data {data} is not used: {network.name} takes the digits, which scikit-learn "
            "carries; leave it out, or name a network that takes images of CIFAR-10"
        )
    found = load_digits(split, images) if digits else load_cifar10(data, split, images)
    shape = network.architecture.input_shape
    return replace(found, images=found.images.reshape(len(found), *shape))


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


def open_engine(name: str, fidelity: str) -> Engine | None:
    """Engine of a fidelity: none for the surrogate."""
    return None if fidelity == "surrogate" else find_engine(name)


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
        "network": content_hash(network.architecture, network.layers),
        "device": content_hash(prepared.mapped.parameter_set),
        "images": content_hash(dataset.images, dataset.labels),
    }
    content = asdict(prepared.setup) | {"checksums": checksums} | dict(more)
    return json.dumps(content, sort_keys=True, default=str, indent=1)
