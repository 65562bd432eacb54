"""``memspice train``: make the weights of a network again."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import Any

import click
import numpy as np

from memspice.analysis.statistics import accuracy
from memspice.cli.options import DATA_HELP, parents_option
from memspice.cli.output import emit
from memspice.datasets import DATA_SETS, Images, load_images
from memspice.errors import ConfigError, ShapeError
from memspice.importers.operations import shape_text
from memspice.network.ann import ann_scores
from memspice.network.architecture import ARCHITECTURES, Architecture
from memspice.network.weights import Network, check_network_file, save_network
from memspice.parameters import PARAMETER_SETS


@click.command("train")
@click.argument("network", metavar="NETWORK", type=click.Choice(sorted(ARCHITECTURES)))
@click.option("--data", help=DATA_HELP + " Of any shape that NETWORK's layers take.")
@click.option("--test-data", help="The same, for the accuracy, where --data is not split.")
@click.option(
    "--device",
    default="fast-memristor",
    show_default=True,
    help=f"Hardware of a mapped phase: {', '.join(PARAMETER_SETS)}.",
)
@click.option(
    "--conversion",
    type=click.Choice(["device-aware", "posthoc"]),
    default="device-aware",
    show_default=True,
    help="posthoc: without spikes, levels and circuits in training; rounded at the end.",
)
@click.option(
    "--phases",
    type=click.IntRange(min=1),
    help="Only the first phases of the schedule; weights are rounded then.",
)
@click.option("--quick", is_flag=True, help="One epoch a phase: only to see that it works.")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".training"),
    show_default=True,
    help="Folder of the state, saved every few minutes.",
)
@click.option("--resume", is_flag=True, help="Go on with the run in --checkpoint, if there is one.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write."
)
@parents_option
def train_command(
    network: str,
    data: str | None,
    test_data: str | None,
    device: str,
    conversion: str,
    phases: int | None,
    quick: bool,
    checkpoint: Path,
    resume: bool,
    out: Path,
    parents: bool,
) -> None:
    """Train NETWORK with the device's activation.

    NETWORK is digits-mlp, cifar10-cnn, cifar10-cnn-wide or cifar10-skip. Needs the extra
    memspice[train].
    """
    check_network_file(out, parents=parents)
    architecture = ARCHITECTURES[network]
    train, test = _images(architecture, data, test_data)
    architecture = architecture.fitted(train.shape, _classes(train, test))
    training = _training()
    config = _config(training.PRESETS[network], device, conversion, quick)
    config = dataclasses.replace(config, phases=config.phases[:phases])
    folder = network if conversion == "device-aware" else f"{network}-{conversion}"
    if not resume and any((checkpoint / folder).glob("*.pt")):
        raise ConfigError(
            f"{checkpoint / folder} holds the state of a run: add --resume to go on with it, or "
            "give another folder with --checkpoint"
        )
    trained: Network = training.train_network(
        architecture, _pixels(train.x), train.labels, config, checkpoint / folder, click.echo
    )
    provenance = {
        **trained.provenance,
        "dataset": train.name,
        "trained_on": train.origin,
        "lossless": train.lossless,
    }
    found = "no accuracy, for want of --test-data"
    if test is not None:
        share = accuracy(ann_scores(trained, test.x), test.labels).value
        provenance |= {"tested_on": test.origin, "test_accuracy": share}
        found = f"ANN accuracy on {len(test)} test images: {share:.4f}"
    save_network(dataclasses.replace(trained, provenance=provenance), out, config.levels)
    emit(f"{found}; wrote {out}", [out])


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
    config = dataclasses.replace(
        preset, hardware=dataclasses.replace(preset.hardware, device=device)
    )
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
