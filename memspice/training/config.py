"""Schedules: the phases of a training run, and what each of them depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from memspice.errors import ConfigError
from memspice.network.flaws import FLAWS

Kind = Literal["normalised", "rounded", "folded", "mapped"]


@dataclass(frozen=True)
class Phase:
    """Some epochs under one learning-rate cycle.

    A share ``sampled_fraction`` of the images of each ``batch`` propagates spikes, for ``cycles``
    cycles over which scores are averaged, as the SNN does; the rest propagates probabilities.  In
    bursts of ``burst`` spikes each neuron passes on the mean of so many.  In a
    ``rounded`` phase the weights of a ``normalised`` one are clipped and rounded to the levels they
    will have once the normalisation is folded into them.  A ``folded`` phase goes on without it, a
    ``mapped`` one puts the weights on circuits.

    Each step of a phase with ``weight_noise`` multiplies every weight by another normal number of
    mean 1 and that standard deviation: cells that were written once spread so.  Where there still
    is a normalisation it takes the mean of what that changes away, as the trim of a chip does.

    ``learning_rate`` is the largest of the cycle; it is reached after a share ``warm_up`` of the
    steps.  In a mapped phase it counts in standard deviations of each layer's weights: folding
    leaves those of one layer 50 times those of another.  With ``orthogonal`` the weights of all
    layers but the last step by orthogonalised momentum: only before the normalisation is folded.
    """

    name: str
    epochs: int
    learning_rate: float
    sampled_fraction: float = 0.5
    kind: Kind = "normalised"
    cycles: int = 1
    batch: int = 128
    warm_up: float = 0.2
    orthogonal: bool = False
    burst: int = 1
    weight_noise: float = 0.0

    def __post_init__(self) -> None:
        if self.burst < 1:
            raise ConfigError(f"phase {self.name}: burst = {self.burst} must be at least 1 spike")
        if self.weight_noise < 0 or self.kind == "mapped" and self.weight_noise:
            raise ConfigError(
                f"phase {self.name}: weight_noise = {self.weight_noise:g} must be at least 0, and "
                "0 in a mapped phase, whose crossbars bring their own"
            )
        if not 0 < self.warm_up < 1:
            raise ConfigError(
                f"phase {self.name}: warm_up = {self.warm_up:g} must be a share of the steps "
                "between 0 and 1"
            )
        if self.orthogonal and self.kind in ("folded", "mapped"):
            raise ConfigError(
                f"phase {self.name}: orthogonal steps suit weights whose size a normalisation "
                f"sets, and a {self.kind} phase has none: leave orthogonal out"
            )

    def least_steps(self) -> int:
        """Steps that a cycle of the learning rate needs: the warm-up takes more than one."""
        return int(1 / self.warm_up) + 1


@dataclass(frozen=True)
class Neurons:
    """Neurons as they are trained.

    Parameters
    ----------
    gain, bias : float
        Spread and mean of the weighted inputs at the start: those the normalisation gives.
    window : float
        Share of a wide window in the gradient; the rest is the slope of the switching probability,
        which is nearly nothing where neurons always or never spike.
    low, high : float
        Rails of the write driver, as limits of the weighted input, before a model is put on
        crossbars: in units of the device's voltage scale, counted from its unit voltage.
    """

    gain: float = 1.0
    bias: float = -1.0
    window: float = 0.0
    low: float = -7.0
    high: float = 2.3


@dataclass(frozen=True)
class Hardware:
    """Hardware that a mapped phase trains for.

    Parameters
    ----------
    device : str
        Parameter set.
    changes : mapping
        Values in the place of the set's, as of :func:`~memspice.parameters.load_parameter_set`.
    tile : tuple of int
        Most rows and columns of a tile.
    refresh : int
        Steps after which new crossbars are drawn, with the weights of then.
    pool : int
        Latest crossbars that every step chooses from, layer by layer.
    """

    device: str = "fast-memristor"
    changes: Mapping[str, float | str] = field(default_factory=lambda: dict(FLAWS))
    tile: tuple[int, int] = (128, 128)
    refresh: int = 25
    pool: int = 8


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training run: all it depends on besides architecture and images.

    With ``label_smoothing`` that share of each target is spread evenly over all classes.
    """

    phases: tuple[Phase, ...]
    neurons: Neurons = field(default_factory=Neurons)
    label_smoothing: float = 0.0
    weight_decay: float = 2e-2
    augment: bool = True
    levels: int = 32
    clip_sigma: float = 4.0
    hardware: Hardware = field(default_factory=Hardware)
    seed: int = 1
    threads: int = 1

    def quick(self) -> TrainConfig:
        """One epoch a phase: to see that training works, not to train."""
        return replace(self, phases=tuple(replace(phase, epochs=1) for phase in self.phases))

    def posthoc(self) -> TrainConfig:
        """Conversion after the fact: no spikes, levels or circuits while training."""
        kept = (phase for phase in self.phases if phase.kind == "normalised")
        return replace(self, phases=tuple(replace(phase, sampled_fraction=0.0) for phase in kept))

    def behind(self, phase: Phase) -> dict[str, Any]:
        """Settings that the state after a phase depends on: nothing of later phases."""
        phases = self.phases[: self.phases.index(phase) + 1]
        kinds = {done.kind for done in phases}
        names = ["neurons", "label_smoothing", "weight_decay", "augment", "seed"]
        if kinds - {"normalised"}:
            names += ["levels", "clip_sigma"]
        if "mapped" in kinds:
            names.append("hardware")
        settings = asdict(self)
        return {"phases": [asdict(done) for done in phases]} | {n: settings[n] for n in names}


#: Schedules of the networks that come with memspice.
PRESETS = {
    "digits-mlp": TrainConfig(
        phases=(
            Phase("normalised", 60, 5e-3, batch=64),
            Phase("folded", 20, 3e-4, kind="folded", batch=64, weight_noise=0.03),
        ),
        augment=False,
    ),
    "cifar10-cnn": TrainConfig(
        phases=(
            Phase("normalised", 28, 3e-3),
            Phase("refined", 8, 1.5e-3, sampled_fraction=0.3),
            Phase("long", 40, 2.5e-3, sampled_fraction=0.15),
            Phase("mapped", 6, 1e-2, sampled_fraction=0.3, kind="mapped"),
        ),
    ),
    "cifar10-cnn-wide": TrainConfig(
        phases=(
            Phase("normalised", 30, 3e-3, sampled_fraction=0.3),
            Phase("averaged", 10, 1.5e-3, sampled_fraction=0.4, kind="rounded", cycles=4),
            Phase("long", 14, 1.5e-3, sampled_fraction=0.3, kind="rounded", cycles=4),
            Phase("mapped", 3, 5e-3, sampled_fraction=0.4, kind="mapped", cycles=4),
        ),
        threads=2,
    ),
    "cifar10-skip": TrainConfig(
        phases=(
            Phase("normalised", 40, 5e-3, sampled_fraction=0.0, warm_up=0.08, orthogonal=True),
            Phase(
                *("noisy", 26, 5e-3, 1.0, "rounded"),
                warm_up=0.1,
                orthogonal=True,
                burst=8,
                weight_noise=0.12,
            ),
        ),
        neurons=Neurons(gain=2.5, bias=-1.0, low=-2.7, high=1.3),
        label_smoothing=0.1,
        weight_decay=0.1,
        threads=2,
    ),
}
