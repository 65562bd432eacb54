"""Train a device-activation network: normalised first, then on the circuits that will run it.

The first phases train with batch normalisation.  Then the normalisation is folded into the weights,
which are clipped and rounded to the levels a differential pair of conductances offers; a mapped
phase fine-tunes them on crossbars, drawn anew every few steps, with the exact gain of every tile.
In all phases a share of each batch propagates Bernoulli spikes instead of probabilities, so the
network learns to live with one-bit, one-cycle neurons.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import nn

from memspice.errors import ConfigError
from memspice.inputs import open_input
from memspice.network.ann import with_mean_inputs
from memspice.network.architecture import Architecture
from memspice.network.rounding import round_network
from memspice.network.weights import Network
from memspice.outputs import replacing, writing
from memspice.training.config import PRESETS as PRESETS
from memspice.training.config import Phase, TrainConfig
from memspice.training.crossbars import Crossbars, held_layers
from memspice.training.model import DeviceNetwork
from memspice.training.orthogonal import OrthogonalSteps

Report = Callable[[str], None]

#: Training images that give the mean levels of rows: their error is then below 0.01.
LEVEL_IMAGES = 512
#: Seconds of an epoch after which its state is saved.
SAVE_AFTER = 180.0


def train_network(
    architecture: Architecture,
    images: np.ndarray,
    labels: np.ndarray,
    config: TrainConfig,
    checkpoint: Path,
    report: Report,
) -> Network:
    """Train and fine-tune a network.

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
        Folder for the state, saved every few minutes; a run that finds one there goes on from it,
        to the weights of an undisturbed one.  Runs that begin alike may share it.
    report : callable
        Receives one line of text after each epoch.

    Returns
    -------
    Network
        Weights on levels, with configuration and course of the training as provenance.

    Raises
    ------
    ConfigError
        If the checkpoint belongs to another run or is damaged, a batch is larger than the set of
        images, a phase has too few steps for its warm-up, or the hardware of a mapped phase does
        not exist.
    """
    batch = max(phase.batch for phase in config.phases)
    if len(images) < batch:
        raise ConfigError(f"{len(images)} images do not fill one batch of {batch}")
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    checkpoint.mkdir(parents=True, exist_ok=True)
    pixels, classes = torch.from_numpy(images), torch.from_numpy(np.asarray(labels, np.int64))
    model = DeviceNetwork(architecture, config.neurons).to(memory_format=torch.channels_last)
    history: list[str] = []
    run = _Training(
        architecture=architecture,
        model=model,
        pixels=pixels,
        classes=classes,
        config=config,
        checkpoint=checkpoint,
        report=report,
        history=history,
    )
    paths = [run.path(phase) for phase in config.phases]  # finds missing hardware before the work
    for phase, path in zip(config.phases, paths, strict=True):
        run.phase(phase, path)
    provenance = {"training": asdict(config), "history": history, "torch": torch.__version__}
    some = unit_range(images[:LEVEL_IMAGES])
    return with_mean_inputs(_finished(model.eval(), provenance, config, some), some)


def _finished(
    model: DeviceNetwork, provenance: dict[str, Any], config: TrainConfig, images: np.ndarray
) -> Network:
    """Network of a trained model, its weights on levels; ``images`` give the means of rows."""
    for stage in model.stages():
        stage.fold()
    network = Network(model.architecture, held_layers(model), provenance, span=model.span)
    if all(stage.levels for stage in model.stages()):
        return network
    return round_network(with_mean_inputs(network, images), config.levels, config.clip_sigma)[0]


def unit_range(pixels: np.ndarray) -> np.ndarray:
    """Pixels in [0, 1], of bytes or of such numbers."""
    return pixels / np.float32(255) if pixels.dtype == np.uint8 else pixels


@dataclass(eq=False)
class _Epoch:
    """How far an epoch has come: steps taken in its order of images, and their sums."""

    number: int
    order: torch.Tensor | None = None
    step: int = 0
    loss: float = 0.0
    correct: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class _Saved:
    """Checkpoint of a phase: its file, the run it belongs to, and what learns."""

    path: Path
    identity: str
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler


@dataclass(eq=False)
class _Training:
    """One training run: the model, its data and where it reports."""

    architecture: Architecture
    model: DeviceNetwork
    pixels: torch.Tensor
    classes: torch.Tensor
    config: TrainConfig
    checkpoint: Path
    report: Report
    history: list[str]

    def phase(self, phase: Phase, path: Path) -> None:
        """Run one phase, going on from its latest saved step."""
        steps = len(self.pixels) // phase.batch
        total = phase.epochs * steps
        least = phase.least_steps()
        if total < least:
            raise ConfigError(
                f"phase {phase.name} has {total} steps of {phase.batch} images "
                f"and needs {least}: take more images or epochs, or a smaller batch"
            )
        self._enter(phase)
        groups = parameter_groups(self.model, phase)
        rates = [group["lr"] for group in groups]
        optimizer = OrthogonalSteps(groups, weight_decay=self.config.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rates, total_steps=total, pct_start=phase.warm_up
        )
        saved = _Saved(path, self.identity(phase), optimizer, schedule)
        epoch = self._resume(saved)
        while epoch.number < phase.epochs:
            self._epoch(epoch, steps, phase, saved)
            line = (
                f"{phase.name} epoch {epoch.number + 1}/{phase.epochs}: "
                f"loss {epoch.loss / steps:.4f}, training accuracy {epoch.correct / steps:.4f}, "
                f"{epoch.seconds:.0f} s"
            )
            self.history.append(line)
            self.report(line)
            epoch = _Epoch(epoch.number + 1)
            self._save(saved, epoch)

    def _enter(self, phase: Phase) -> None:
        """Bring the model into the form that a phase trains."""
        for stage in self.model.stages():
            stage.flaws = None
            stage.noise = phase.weight_noise
            if phase.kind in ("folded", "mapped"):
                stage.fold()
            if phase.kind != "normalised" and not stage.levels:
                stage.quantise(self.config.levels, self.config.clip_sigma)

    def _epoch(self, epoch: _Epoch, steps: int, phase: Phase, saved: _Saved) -> None:
        """Take the steps of an epoch that are still to take."""
        self.model.train()
        if epoch.order is None:
            epoch.order = torch.randperm(len(self.pixels))
        begun = time.monotonic()
        while epoch.step < steps:
            if time.monotonic() - begun > SAVE_AFTER:
                epoch.seconds += time.monotonic() - begun
                begun = time.monotonic()
                self._save(saved, epoch)
            if phase.kind == "mapped":
                self._crossbars.step(self.model, epoch.step)
            picked = epoch.order[epoch.step * phase.batch : (epoch.step + 1) * phase.batch]
            loss, correct = self._step(picked, phase, saved)
            epoch.loss += loss
            epoch.correct += correct
            epoch.step += 1
        epoch.seconds += time.monotonic() - begun

    def _step(self, picked: torch.Tensor, phase: Phase, saved: _Saved) -> tuple[float, float]:
        """Learn from some images: their loss and accuracy."""
        images, classes = self._prepare(self.pixels[picked]), self.classes[picked]
        spiking = round(phase.sampled_fraction * len(picked))
        with torch.autocast("cpu", torch.bfloat16):
            scores = self.model(images, spiking, phase.cycles, phase.burst).float()
        smoothing = self.config.label_smoothing
        loss = nn.functional.cross_entropy(scores, classes, label_smoothing=smoothing)
        saved.optimizer.zero_grad()
        loss.backward()
        saved.optimizer.step()
        saved.schedule.step()
        return loss.item(), (scores.argmax(1) == classes).float().mean().item()

    def _prepare(self, images: torch.Tensor) -> torch.Tensor:
        if self.config.augment:
            images = _augment(images)
        if images.dtype == torch.uint8:
            images = images.float() / 255
        return images.contiguous(memory_format=torch.channels_last)

    def _save(self, saved: _Saved, epoch: _Epoch) -> None:
        mapped = any(stage.flaws for stage in self.model.stages())
        state = {
            "run": saved.identity,
            "epoch": asdict(epoch),
            "model": self.model.state_dict(),
            "optimizer": saved.optimizer.state_dict(),
            "schedule": saved.schedule.state_dict(),
            "random": torch.get_rng_state(),
            "bounds": [stage.bound for stage in self.model.stages()],
            # An epoch begins with crossbars of its own.
            "crossbars": self._crossbars.latest() if epoch.step and mapped else [],
            "history": self.history,
        }
        with writing(saved.path), replacing(saved.path) as temporary:
            torch.save(state, temporary)

    @cached_property
    def _crossbars(self) -> Crossbars:
        some = unit_range(self.pixels[:LEVEL_IMAGES].numpy())
        return Crossbars(self.config.hardware, some)

    def path(self, phase: Phase) -> Path:
        """Checkpoint of a phase; one for each device that the phases before are common to."""
        name = self._crossbars.parameter_set.name if phase.kind == "mapped" else ""
        return self.checkpoint / f"{'-'.join(filter(None, (phase.name, name)))}.pt"

    @cached_property
    def _data(self) -> str:
        digest = hashlib.sha256(self.pixels.numpy().tobytes())
        digest.update(self.classes.numpy().tobytes())
        return digest.hexdigest()

    def identity(self, phase: Phase) -> str:
        """Network, settings and data that a checkpoint of a phase belongs to."""
        parts: list[object] = [self.architecture, self.config.behind(phase), self._data]
        if phase.kind == "mapped":
            parts += [self._crossbars.parameter_set, self._crossbars.activation]
        return " ".join(map(repr, parts))

    def _resume(self, saved: _Saved) -> _Epoch:
        """State of the phase as it was saved: the epoch to go on with."""
        if not saved.path.exists():
            return _Epoch(0)
        state = _load(saved.path)
        if state["run"] != saved.identity:
            raise ConfigError(
                f"{saved.path} belongs to a run with another configuration or other images: give "
                "another folder with --checkpoint, or remove this one"
            )
        try:
            epoch = self._restore(saved, state)
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise _no_state(saved.path, str(error)) from error
        steps = f" and {epoch.step} steps" if epoch.step else ""
        self.report(f"{saved.path.name}: going on after epoch {epoch.number}{steps}")
        return epoch

    def _restore(self, saved: _Saved, state: dict[str, Any]) -> _Epoch:
        self.model.load_state_dict(state["model"])
        saved.optimizer.load_state_dict(state["optimizer"])
        saved.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        self.history[:] = state["history"]
        for stage, bound in zip(self.model.stages(), state["bounds"], strict=True):
            stage.bound = bound
        if state["crossbars"]:
            self._crossbars.restore(state["crossbars"])
        return _Epoch(**state["epoch"])


def parameter_groups(model: DeviceNetwork, phase: Phase) -> list[dict[str, Any]]:
    """Parameters that share a learning rate, with that rate; only weights decay."""
    rate, layers = phase.learning_rate, [stage.linear for stage in model.stages()]
    if phase.kind == "mapped":
        weights = [
            {"params": [layer.weight], "lr": rate * float(layer.weight.detach().std())}
            for layer in layers
        ]
        return [*weights, {"params": [layer.bias for layer in layers], "lr": rate}]
    turned = [layer.weight for layer in layers[:-1]] if phase.orthogonal else []
    plain = [layer.weight for layer in layers[len(turned) :]]
    known = {id(weight) for weight in (*turned, *plain)}
    # Decay of a normalisation's gain makes its neurons' rates alike: spikes drown in their noise.
    rest = [each for each in model.parameters() if id(each) not in known]
    return [
        {"params": rest, "lr": rate, "weight_decay": 0.0, "orthogonal": False},
        {"params": plain, "lr": rate, "orthogonal": False},
        *({"params": [weight], "lr": rate, "orthogonal": True} for weight in turned),
    ]


def _load(path: Path) -> dict[str, Any]:
    """Saved state; files of anything else are refused."""
    with open_input(path, ConfigError) as file:
        try:
            state = torch.load(file, weights_only=True)
        except (OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, MemoryError,
                AttributeError, UnpicklingError) as error:  # fmt: skip
            raise _no_state(path, str(error)) from error
    if not isinstance(state, dict) or "run" not in state:
        raise _no_state(path, "it names no run")
    return state


def _no_state(path: Path, reason: str) -> ConfigError:
    words = reason.partition("\n")[0][:200]
    return ConfigError(
        f"{path} is no state of a training run ({words}): remove it to begin anew, or give "
        "another folder with --checkpoint"
    )


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
