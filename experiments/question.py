"""What the scripts behind ``make paper`` have in common: options, images, the result's file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click
from matplotlib.figure import Figure

import memspice as ms

ROOT = Path(__file__).resolve().parents[1]

SizeT = TypeVar("SizeT", bound=tuple[int, ...])


@dataclass(frozen=True)
class Question:
    """How one script runs: its name, size, images, device and folder.

    A quick run answers in minutes; a full one has the images and seeds of the committed results.
    """

    name: str
    full: bool
    data: Path | None
    device: str
    out: Path
    resume: bool = False
    started: float = field(default_factory=time.monotonic)

    @property
    def models(self) -> ms.Device:
        """Device with models around it, for questions of whole networks."""
        return ms.load_device(self.device, "behavioural")

    @property
    def device_name(self) -> str:
        """Device without its folder: where a file lies on this machine is nobody's business."""
        device = Path(self.device)
        return device.name if device.suffix else self.device

    @property
    def command(self) -> str:
        """Command line that makes the result again."""
        parts = [f".venv/bin/python experiments/{self.name}/run.py --device {self.device_name}"]
        parts += ["--full"] * self.full + ["--data DIR"] * (self.data is not None)
        return " ".join(parts)


def question_command(name: str, answer: Callable[[Question], None]) -> click.Command:
    """Command line of a script that answers one question.

    Parameters
    ----------
    name : str
        Folder of the script in ``experiments``.
    answer : callable
        Runs the experiment and writes its result.
    """

    @click.command(name)
    @click.option("--full", is_flag=True, help="All images and seeds, written beside the script.")
    @click.option("--data", type=click.Path(path_type=Path), help="Folder of CIFAR-10's binaries.")
    @click.option("--device", default="fast-memristor", show_default=True)
    @click.option("--out", type=click.Path(path_type=Path), help="Folder of result and figures.")
    @click.option("--resume", is_flag=True, help="Go on with a run that was stopped, where it can.")
    def command(full: bool, data: Path | None, device: str, out: Path | None, resume: bool) -> None:
        folder = ROOT / ("experiments" if full else "results/paper") / name
        answer(Question(name, full, data, device, out or folder, resume))

    return command


def accuracy_network(
    question: Question,
    full: SizeT,
    quick: SizeT,
    digits: SizeT,
    network: str = "cifar10-skip",
) -> tuple[str, SizeT, list[str]]:
    """Network whose accuracy the images at hand can tell.

    Parameters
    ----------
    question : Question
        Names the folder of CIFAR-10.
    full, quick, digits : tuple of int
        How much to run: number of images, and what else the script counts.  ``full`` and
        ``quick`` are of CIFAR-10; ``digits`` where its images are too few.
    network : str
        For CIFAR-10.

    Returns
    -------
    tuple
        Network, how much of it to run, and what a reader must know of that.

    Raises
    ------
    DataError
        If a full run does not find its images of CIFAR-10.
    """
    size = full if question.full else quick
    wanted = size[0]
    found = len(ms.load_images(question.data or "cifar10", "test", wanted))
    if found >= wanted:
        return network, size, []
    if question.full:
        raise ms.errors.DataError(
            f"{question.name}: a full run needs {wanted} images of CIFAR-10, found {found}: name "
            "the folder of the official binaries with --data"
        )
    note = (
        f"{found} images of CIFAR-10 say nothing of an accuracy: digits-mlp, which has two layers "
        "and is not deep, answers instead"
    )
    return "digits-mlp", digits, [note]


def write_result(question: Question, result: dict[str, Any], figures: dict[str, Figure]) -> None:
    """Write ``result.json`` and the figures ``NAME.png`` into the folder of the question.

    Raises
    ------
    StoreError, OSError
        If a file cannot be written.
    """
    head = {"question": question.name, "full": question.full, "device": question.device_name}
    head |= {"command": question.command, "wall_seconds": time.monotonic() - question.started}
    text = json.dumps({**head, **result}, indent=1, allow_nan=False) + "\n"
    for name, figure in figures.items():
        ms.plot.save(figure, question.out / f"{name}.png")
    path = question.out / "result.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    click.echo(f"{question.name}: {path}")
