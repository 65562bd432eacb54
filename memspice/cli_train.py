"""``memspice train``: make the weights of a network again."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import Any

import click
import numpy as np

from memspice.datasets.cifar10 import load_cifar10
from memspice.datasets.dataset import Dataset
from memspice.datasets.digits import load_digits
from memspice.errors import ConfigError
from memspice.network.architecture import ARCHITECTURES
from memspice.network.inference import ann_scores
from memspice.network.weights import Network, save_network


@click.command("train")
@click.argument("network", metavar="NETWORK", type=click.Choice(sorted(ARCHITECTURES)))
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the CIFAR-10 binaries.")
@click.option("--quick", is_flag=True, help="One epoch a phase: only to see that it works.")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".training"),
    show_default=True,
    help="Folder of the state after each epoch; a run found there goes on.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write."
)
def train_command(
    network: str, data: Path | None, quick: bool, checkpoint: Path, out: Path
) -> None:
    """Train NETWORK with the device's activation.

    NETWORK is digits-mlp or cifar10-cnn. Needs the extra memspice[train].
    """
    training = _training()
    config = training.PRESETS[network]
    config = config.quick() if quick else config
    train, test = _datasets(network, data)
    images = (
        np.asarray(np.round(train.images * 255), np.uint8)
        if network != "digits-mlp"
        else train.images
    )
    trained: Network = training.train_network(
        ARCHITECTURES[network],
        images,
        train.labels,
        config,
        checkpoint / network,
        click.echo,
    )
    accuracy = float(np.mean(ann_scores(trained, test.images).argmax(axis=1) == test.labels))
    provenance = {
        **trained.provenance,
        "dataset": train.name,
        "lossless": train.lossless,
        "test_accuracy": accuracy,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    save_network(dataclasses.replace(trained, provenance=provenance), out, config.levels)
    click.echo(f"ANN accuracy on {len(test.labels)} test images: {accuracy:.4f}; wrote {out}")


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


def _datasets(network: str, data: Path | None) -> tuple[Dataset, Dataset]:
    if network == "digits-mlp":
        return load_digits("train"), load_digits("test")
    return load_cifar10(data, "train"), load_cifar10(data, "test")
