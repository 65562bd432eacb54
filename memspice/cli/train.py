"""``memspice train``: make the weights of a network again."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import Any

import click
import numpy as np

from memspice.analysis.statistics import accuracy
from memspice.cli.options import parents_option
from memspice.cli.output import emit
from memspice.datasets.cifar10 import load_cifar10
from memspice.datasets.dataset import Dataset
from memspice.datasets.digits import load_digits
from memspice.errors import ConfigError
from memspice.network.ann import ann_scores
from memspice.network.architecture import ARCHITECTURES
from memspice.network.weights import Network, check_network_file, save_network
from memspice.parameters import PARAMETER_SETS


@click.command("train")
@click.argument("network", metavar="NETWORK", type=click.Choice(sorted(ARCHITECTURES)))
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the CIFAR-10 binaries.")
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
    data: Path | None,
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
    if network == "digits-mlp" and data is not None:
        raise ConfigError(
            f"--data {data} is not used: digits-mlp takes the digits, which scikit-learn carries; "
            "leave it out"
        )
    training = _training()
    config = _config(training.PRESETS[network], device, conversion, quick)
    config = dataclasses.replace(config, phases=config.phases[:phases])
    folder = network if conversion == "device-aware" else f"{network}-{conversion}"
    if not resume and any((checkpoint / folder).glob("*.pt")):
        raise ConfigError(
            f"{checkpoint / folder} holds the state of a run: add --resume to go on with it, or "
            "give another folder with --checkpoint"
        )
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
        checkpoint / folder,
        click.echo,
    )
    share = accuracy(ann_scores(trained, test.images), test.labels).value
    provenance = {
        **trained.provenance,
        "dataset": train.name,
        "lossless": train.lossless,
        "test_accuracy": share,
    }
    save_network(dataclasses.replace(trained, provenance=provenance), out, config.levels)
    emit(f"ANN accuracy on {len(test.labels)} test images: {share:.4f}; wrote {out}", [out])


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


def _datasets(network: str, data: Path | None) -> tuple[Dataset, Dataset]:
    if network == "digits-mlp":
        return load_digits("train"), load_digits("test")
    return load_cifar10(data, "train"), load_cifar10(data, "test")
