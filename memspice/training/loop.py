"""Train a device-activation network: normalised first, then folded onto conductance levels.

The first phases train with batch normalisation.  The last folds the normalisation into the weights,
clips and rounds them to the levels a differential pair of conductances offers, disturbs them by
the programming spread, and fine-tunes.  In all phases a share of each batch propagates Bernoulli
spikes instead of probabilities, so the network learns to live with one-bit, one-cycle neurons.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from memspice.errors import ConfigError
from memspice.network.architecture import Architecture
from memspice.network.weights import Network, WeightLayer
from memspice.training.model import DeviceNetwork

Report = Callable[[str], None]


@dataclass(frozen=True)
class Phase:
    """Some epochs under one learning-rate cycle.

    A share ``sampled_fraction`` of each batch propagates spikes, the rest probabilities.  In a
    ``folded`` phase the normalisation is part of the weights, which are clipped and quantised.
    """

    name: str
    epochs: int
    learning_rate: float
    sampled_fraction: float = 0.5
    folded: bool = False


@dataclass(frozen=True)
class TrainConfig:
    """What a training run depends on, besides architecture and images."""

    phases: tuple[Phase, ...]
    batch: int = 128
    weight_decay: float = 2e-2
    augment: bool = True
    levels: int = 32
    clip_sigma: float = 4.0
    weight_noise: float = 0.03
    seed: int = 1
    threads: int = 1

    def quick(self) -> TrainConfig:
        """One epoch a phase: to see that training works, not to train."""
        return replace(self, phases=tuple(replace(phase, epochs=1) for phase in self.phases))


#: Schedules of the networks that come with memspice.
PRESETS = {
    "digits-mlp": TrainConfig(
        phases=(
            Phase("normalised", 60, 5e-3),
            Phase("folded", 20, 3e-4, folded=True),
        ),
        batch=64,
        augment=False,
    ),
    "cifar10-cnn": TrainConfig(
        phases=(
            Phase("normalised", 28, 3e-3),
            Phase("refined", 8, 1.5e-3, sampled_fraction=0.3),
            Phase("folded", 4, 3e-4, sampled_fraction=0.3, folded=True),
        ),
    ),
}


def train_network(
    architecture: Architecture,
    images: np.ndarray,
    labels: np.ndarray,
    config: TrainConfig,
    checkpoint: Path,
    report: Report,
) -> Network:
    """Train, fold and fine-tune a network.

    Parameters
    ----------
    architecture : Architecture
        What to train.
    images : ndarray, shape (n, channels, height, width)
        Pixels as uint8 (0 to 255) or floats in [0, 1].
    labels : ndarray, shape (n,)
        Class of each image.
    config : TrainConfig
        Schedule, quantisation and seed.
    checkpoint : Path
        Folder for the state after each epoch; a run that finds one there goes on from it.
    report : callable
        Receives one line of text after each epoch.

    Returns
    -------
    Network
        Quantised weights, with configuration and course of the training as provenance.

    Raises
    ------
    ConfigError
        If the checkpoint belongs to another run, or a batch is larger than the set of images.
    """
    if len(images) < config.batch:
        raise ConfigError(f"{len(images)} images do not fill one batch of {config.batch}")
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    checkpoint.mkdir(parents=True, exist_ok=True)
    pixels, classes = torch.from_numpy(images), torch.from_numpy(np.asarray(labels, np.int64))
    model = DeviceNetwork(architecture).to(memory_format=torch.channels_last)
    history: list[str] = []
    run = _Run(model, pixels, classes, config, checkpoint, report, history)
    for phase in config.phases:
        run.phase(phase)
    provenance = {"training": asdict(config), "history": history, "torch": torch.__version__}
    return Network(architecture, _export(model), provenance)


@dataclass
class _Run:
    """One training run: the model, its data and where it reports."""

    model: DeviceNetwork
    pixels: torch.Tensor
    classes: torch.Tensor
    config: TrainConfig
    checkpoint: Path
    report: Report
    history: list[str]

    def phase(self, phase: Phase) -> None:
        """Run one phase, resuming from its last finished epoch."""
        steps, rate = len(self.pixels) // self.config.batch, phase.learning_rate
        if phase.folded:
            for stage in self.model.stages():
                stage.fold(self.config.levels, self.config.clip_sigma, self.config.weight_noise)
        optimizer = torch.optim.AdamW(
            self.model.parameters(), rate, weight_decay=self.config.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rate, total_steps=phase.epochs * steps, pct_start=0.2
        )
        path = self.checkpoint / f"{phase.name}.pt"
        first = self._resume(path, optimizer, schedule)
        for epoch in range(first, phase.epochs):
            started = time.monotonic()
            loss, accuracy = self._epoch(optimizer, schedule, steps, phase.sampled_fraction)
            line = (
                f"{phase.name} epoch {epoch + 1}/{phase.epochs}: loss {loss:.4f}, "
                f"training accuracy {accuracy:.4f}, {time.monotonic() - started:.0f} s"
            )
            self.history.append(line)
            self.report(line)
            self._save(path, epoch + 1, optimizer, schedule)

    def _epoch(
        self, optimizer: Any, schedule: Any, steps: int, sampled_fraction: float
    ) -> tuple[float, float]:
        self.model.train()
        order = torch.randperm(len(self.pixels))
        total = correct = 0.0
        for step in range(steps):
            picked = order[step * self.config.batch : (step + 1) * self.config.batch]
            images = self._prepare(self.pixels[picked])
            sampled = torch.rand(len(picked)) < sampled_fraction
            with torch.autocast("cpu", torch.bfloat16):
                scores = self.model(images, sampled).float()
            loss = nn.functional.cross_entropy(scores, self.classes[picked])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
            correct += (scores.argmax(1) == self.classes[picked]).float().mean().item()
        return total / steps, correct / steps

    def _prepare(self, images: torch.Tensor) -> torch.Tensor:
        if self.config.augment:
            images = _augment(images)
        if images.dtype == torch.uint8:
            images = images.float() / 255
        return images.contiguous(memory_format=torch.channels_last)

    def _save(self, path: Path, epoch: int, optimizer: Any, schedule: Any) -> None:
        state = {
            "epoch": epoch,
            "run": self._identity,
            "model": self.model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "random": torch.get_rng_state(),
            "bounds": [stage.bound for stage in self.model.stages()],
            "history": self.history,
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    @cached_property
    def _identity(self) -> str:
        """Configuration and data that a checkpoint belongs to."""
        digest = hashlib.sha256(self.pixels.numpy().tobytes())
        digest.update(self.classes.numpy().tobytes())
        return f"{asdict(self.config)} {digest.hexdigest()}"

    def _resume(self, path: Path, optimizer: Any, schedule: Any) -> int:
        if not path.exists():
            return 0
        state = torch.load(path, weights_only=True)
        # Checkpoints from before this entry was written are taken as they are.
        if state.get("run", self._identity) != self._identity:
            raise ConfigError(
                f"{path} belongs to a run with another configuration or other images: give another "
                "folder with --checkpoint, or remove this one"
            )
        self.model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        self.history[:] = state["history"]
        for stage, bound in zip(self.model.stages(), state["bounds"], strict=True):
            stage.bound = bound
        self.report(f"{path.name}: going on after epoch {state['epoch']}")
        return int(state["epoch"])


def _augment(images: torch.Tensor, margin: int = 4) -> torch.Tensor:
    """Mirror half of the images and shift each by up to ``margin`` pixels, black outside."""
    mirrored = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images.flip(3), images)
    padded = nn.functional.pad(mirrored, (margin,) * 4)
    height, width = images.shape[2:]
    out = torch.empty_like(images)
    corners = torch.randint(0, 2 * margin + 1, (len(images), 2)).tolist()
    for index, (top, left) in enumerate(corners):
        out[index] = padded[index, :, top : top + height, left : left + width]
    return out


def _export(model: DeviceNetwork) -> tuple[WeightLayer, ...]:
    model.eval()
    layers = []
    with torch.no_grad():
        for stage in model.stages():
            weight, bias = stage.quantized()
            matrix = weight.flatten(1).double().numpy()
            layers.append(WeightLayer(matrix, bias.double().numpy(), stage.bound))
    return tuple(layers)
