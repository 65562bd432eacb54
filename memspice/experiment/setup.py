"""What every command starts with: a network on crossbars, its images, its engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from memspice.datasets.cifar10 import load_cifar10
from memspice.datasets.dataset import Dataset
from memspice.datasets.digits import load_digits
from memspice.engines import find_engine
from memspice.engines.base import Engine, EngineInfo
from memspice.errors import ConfigError
from memspice.network.inference import Window
from memspice.network.mapping import MappedLayer, MappedNetwork, map_network
from memspice.network.weights import Network, load_network
from memspice.parameters import ParameterSet, load_parameter_set


@dataclass(frozen=True)
class Setup:
    """Settings shared by all commands that simulate a network.

    ``tile`` is (rows, columns), ``wire_resistance`` [ohm] per cell replaces both of the parameter
    set, ``changes`` are other values of the set by ``"table.name"``, in SI units, as of
    :func:`~memspice.parameters.load_parameter_set`; ``data`` is the folder of the official CIFAR-10
    binaries.
    """

    network: str = "cifar10-cnn"
    device: str = "fast-memristor"
    images: int = 1
    cycles: int = 8
    tile: tuple[int, int] = (128, 128)
    wire_resistance: float | None = None
    changes: Mapping[str, float | str] = field(default_factory=dict)
    seed: int = 0
    engine: str = "ngspice"
    data: Path | None = None


@dataclass(frozen=True)
class Prepared:
    """A network on crossbars and the images to run, fewer than asked for where there are no more.

    ``notes`` say what is other than the names of data set and parameter set tell.
    """

    setup: Setup
    network: Network
    mapped: MappedNetwork
    dataset: Dataset

    @property
    def notes(self) -> list[str]:
        """What a reader must know: where the run is smaller, and what it changes of its set."""
        asked, found = self.setup.images, len(self.dataset)
        notes = [f"{asked} images asked for, the data set has {found}"] if found < asked else []
        return [*notes, *self.mapped.parameter_set.notes, *self.mapped.notes]


def prepare(setup: Setup) -> Prepared:
    """Load, map and check what a command works on.

    Raises
    ------
    ConfigError
        If a number makes no sense.
    """
    for name in ("images", "cycles"):
        if getattr(setup, name) < 1:
            raise ConfigError(f"{name} = {getattr(setup, name)} must be at least 1")
    if not 0 <= setup.seed < 2**63:
        raise ConfigError(f"seed = {setup.seed} must be at least 0 and below 2**63")
    parameter_set = _parameter_set(setup)
    network = load_network(setup.network)
    mapped = map_network(network, parameter_set, setup.tile, setup.seed)
    return Prepared(setup, network, mapped, load_images(network, setup.images, setup.data))


def _parameter_set(setup: Setup) -> ParameterSet:
    """Parameter set of a run, with what the run changes of it."""
    changes = dict(setup.changes)
    if setup.wire_resistance is not None:
        for name in ("array.wire_resistance_row", "array.wire_resistance_col"):
            if name in changes:
                raise ConfigError(
                    f"--wire-resistance {setup.wire_resistance:g} ohm and {name} = {changes[name]} "
                    "are given for the same wires: leave one out"
                )
            changes[name] = setup.wire_resistance
    return load_parameter_set(setup.device, changes)


def load_images(network: Network, images: int, data: Path | None) -> Dataset:
    """First test images of the data set that a network was trained on.

    Raises
    ------
    ConfigError
        If no data set fits the network's input.
    """
    shape = network.architecture.input_shape
    if shape == (1, 8, 8):
        return load_digits("test", images)
    if shape == (3, 32, 32):
        return load_cifar10(data, "test", images)
    raise ConfigError(f"network {network.name} takes images of shape {shape}: no such data set")


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
            "sha256": "",
        }
    return {
        **{"name": info.name, "version": info.version, "osdi": info.osdi, "klu": info.klu},
        "sha256": info.sha256,
    }


def config_text(*parts: object) -> str:
    """Configuration of a run as JSON, for its hash and its store."""
    merged: dict[str, object] = {}
    for part in parts:
        merged |= asdict(part) if hasattr(part, "__dataclass_fields__") else dict(part)  # type: ignore[call-overload]
    return json.dumps(merged, sort_keys=True, default=str, indent=1)
