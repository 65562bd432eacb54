"""``memspice train``: make the weights of a network again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import memspice as ms
from memspice.cli.options import DATA_HELP, parents_option
from memspice.cli.output import emit


@click.command("train")
@click.argument("network")
@click.option("--data", help=DATA_HELP + " Of any shape that NETWORK's layers take.")
@click.option("--test-data", help="The same, for the accuracy, where --data is not split.")
@click.option(
    "--device",
    default="fast-memristor",
    show_default=True,
    help="Hardware of a mapped phase: ag-asi, fast-memristor, sot-mtj or sot-mtj-measured.",
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
def train_command(network: str, out: Path, parents: bool, **values: Any) -> None:
    """Train NETWORK with the device's activation.

    NETWORK is digits-mlp, cifar10-cnn, cifar10-cnn-wide or cifar10-skip. Needs the extra
    memspice[train].
    """
    ms.results.Trained.check_place(out, parents=parents)
    found = ms.train(network, **values, say=click.echo)
    found.save(out)
    emit(f"{found!r}; wrote {out}", [out])
