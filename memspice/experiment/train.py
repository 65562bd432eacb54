"""``memspice train``: the weights of a network made again, with its device's own activation."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from memspice.analysis.statistics import Proportion, accuracy
from memspice.datasets import DATA_SETS, Images, load_images
from memspice.errors import ConfigError, ShapeError
from memspice.experiment.results.made_network import MadeNetwork
from memspice.experiment.results.table import Table
from memspice.importers.operations import shape_text
from memspice.network.ann import ann_scores
from memspice.network.architecture import ARCHITECTURES, Architecture
from memspice.network.weights import Network

#: How weights come onto cells: in training, or rounded at its end.
CONVERSIONS = ("device-aware", "posthoc")


@dataclass(frozen=True, eq=False, repr=False)
class Trained(MadeNetwork):
    """A trained network.

    Parameters
    ----------
    network, levels
        See `MadeNetwork`.
    accuracy : Proportion or None
        Of the ANN on the test images, where there are any.
    """

    accuracy: Proportion | None

    def table(self) -> Table:
        """What the ANN gets right."""
        found = self.accuracy
        if found is None:
            return Table("no accuracy, for want of --test-data", ())
        return Table(f"ANN accuracy on {found.n} test images: {found.value:.4f}", ())


def train(
    network: str,
    *,
    data: str | None = None,
    test_data: str | None = None,
    device: str = "fast-memristor",
    conversion: str = "device-aware",
    phases: int | None = None,
    quick: bool = False,
    checkpoint: Path | str = ".training",
    resume: bool = False,
    say: Callable[[str], object] = print,
) -> Trained:
    """Train a network with its device's activation; needs PyTorch.

    Parameters
    ----------
    network : str
        A key of `memspice.network.architecture.ARCHITECTURES`.
    data, test_data : str, optional
        Training and test images, as of `memspice.load_images`; by default those of the data set
        that the network is for.
    device : str
        Hardware of a mapped phase: a parameter set.
    conversion : {"device-aware", "posthoc"}
        Post hoc: without spikes, levels and circuits in training; rounded at the end.
    phases : int, optional
        Only so many of the schedule; weights are rounded then.
    quick : bool
        One epoch a phase.
    checkpoint : Path or str
        Folder of the state, saved every few minutes.
    resume : bool
        Go on with the run in ``checkpoint``, if there is one.
    say : callable
        Takes a line after every epoch.

    Raises
    ------
    ConfigError
        If a name is unknown, PyTorch is missing, ``checkpoint`` holds another run, or test images
        are those of the training.
    ShapeError, DataError
        If the images cannot train the network.
    """
    for value, known in ((network, sorted(ARCHITECTURES)), (conversion, CONVERSIONS)):
        if value not in known:
            raise ConfigError(f"{value!r} is unknown; choose from {', '.join(known)}")
    architecture = ARCHITECTURES[network]
    train_images, test = _images(architecture, data, test_data)
    architecture = architecture.fitted(train_images.shape, _classes(train_images, test))
    training = _training()
    config = _config(training.PRESETS[network], device, conversion, quick)
    config = replace(config, phases=config.phases[:phases])
    folder = _folder(Path(checkpoint), network, conversion, resume=resume)
    trained: Network = training.train_network(
        architecture,
        _pixels(train_images.x),
        train_images.labels,
        config=config,
        checkpoint=folder,
        report=say,
    )
    right = None if test is None else accuracy(ann_scores(trained, test.x), test.labels)
    return Trained(_with_history(trained, train_images, test, right), config.levels, right)


def _folder(checkpoint: Path, network: str, conversion: str, *, resume: bool) -> Path:
    """Folder of the state of a run, which may hold one only to go on with."""
    folder = checkpoint / (network if conversion == CONVERSIONS[0] else f"{network}-{conversion}")
    if not resume and any(folder.glob("*.pt")):
        raise ConfigError(
            f"{folder} holds the state of a run: add --resume to go on with it, or "
            "give another folder with --checkpoint"
        )
    return folder


def _with_history(
    trained: Network, images: Images, test: Images | None, right: Proportion | None
) -> Network:
    """Network that says on what it was trained and tested."""
    history = {
        **trained.provenance,
        "dataset": images.name,
        "trained_on": images.origin,
        "lossless": images.lossless,
    }
    if test is not None and right is not None:
        history |= {"tested_on": test.origin, "test_accuracy": right.value}
    return replace(trained, provenance=history)


def _training() -> Any:
    """Training module, which needs PyTorch."""
    try:
        return importlib.import_module("memspice.training.loop")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ConfigError(
            "training needs PyTorch: install the extra with pip install 'memspice[train]'"
        ) from error


def _config(preset: Any, device: str, conversion: str, quick: bool) -> Any:
    """Schedule of a run."""
    config = replace(preset, hardware=replace(preset.hardware, device=device))
    config = config.posthoc() if conversion == "posthoc" else config
    return config.quick() if quick else config


def _images(
    architecture: Architecture, data: str | None, test_data: str | None
) -> tuple[Images, Images | None]:
    """Training images, and test images where there are any.

    Raises
    ------
    ConfigError
        If test images are given for a data set that has its own, or are the training images.
    """
    source = data or DATA_SETS[architecture.input_shape]
    train, test = load_images(source, "train"), load_images(test_data or source, "test")
    if train.origin != test.origin:
        return train, test
    if test_data is None:
        return train, None
    raise ConfigError(
        f"--test-data {test_data} holds the images of --data {data}, and a network is not tested "
        "on what it was trained on: leave it out, or give others"
    )


def _classes(train: Images, test: Images | None) -> int:
    """Number of classes.

    Raises
    ------
    ShapeError, DataError
        If images have no labels, or the test images another shape or more classes.
    """
    train.check_classes(len(train.class_names), "the network")
    classes = len(train.class_names)
    if test is None:
        return classes
    if test.shape != train.shape:
        raise ShapeError(
            f"{test.name}: test images of {shape_text(test.shape)}, but training images of "
            f"{shape_text(train.shape)}: give images of one shape"
        )
    test.check_classes(classes, "the network")
    return classes


def _pixels(x: np.ndarray) -> np.ndarray:
    """Intensities as bytes, which take a quarter, where these are the same intensities."""
    pixels = np.asarray(np.round(x * 255), np.uint8)
    return pixels if np.array_equal(np.divide(pixels, 255, dtype=np.float32), x) else x
