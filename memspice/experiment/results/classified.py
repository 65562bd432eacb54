"""Classes that are given to images: what runs on one chip and on several have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from memspice.analysis.statistics import PairedDifference, Proportion
from memspice.errors import ConfigError
from memspice.experiment.results.run import RunResult


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Classified(RunResult):
    """Classes that a network in spikes and its ANN give to the same images.

    Parameters
    ----------
    ann_accuracy : Proportion or None
        Of the network with the device's activation, without any circuit; None without labels.
    labels : ndarray of int, shape (images,), or None
        Classes of the images.
    ann_answers : ndarray of int, shape (images,)
        Classes that the ANN gives.
    answers_at : mapping of int to ndarray of int, shape (..., images)
        Classes that the spikes give after some numbers of cycles.
    **facts
        See `RunResult`.
    """

    ann_accuracy: Proportion | None
    labels: np.ndarray | None
    ann_answers: np.ndarray
    answers_at: Mapping[int, np.ndarray]

    def correct(self, cycles: int | None = None) -> np.ndarray:
        """Whether each image is right after so many cycles, by default all; bool, (..., images).

        Raises
        ------
        ConfigError
            If the images have no labels, or nothing is known after so many cycles.
        """
        count = self.cycles if cycles is None else cycles
        if count not in self.answers_at:
            known = ", ".join(map(str, self.answers_at))
            raise ConfigError(f"answers are known after {known} cycles, not after {count}")
        return np.asarray(self.answers_at[count] == self._labels())

    def ann_correct(self) -> np.ndarray:
        """Whether the ANN is right about each image; bool, (images,)."""
        return np.asarray(self.ann_answers == self._labels())

    def _labels(self) -> np.ndarray:
        if self.labels is None:
            raise ConfigError(f"{self.dataset.name} has no labels: no answer is right or wrong")
        return self.labels

    def head_json(self) -> dict[str, Any]:
        """What was run, and how often the ANN is right, as ``infer --json`` has it."""
        return {
            "network": self.network,
            "dataset": asdict(self.dataset),
            "notes": list(self.notes),
            "device": self.device,
            "fidelity": self.fidelity,
            "cycles": self.cycles,
            "burst": self.burst,
            "seed": self.seed,
            "ann_accuracy": asdict(self.ann_accuracy) if self.ann_accuracy else None,
        }

    @property
    def title(self) -> str:
        """What was run, in a line."""
        images = f"{self.dataset.images} images of {self.dataset.name}"
        return f"{self.network} on {images}, {self.in_cycles()}"

    def rate_rows(self, rates: Mapping[str, float]) -> list[tuple[str, str]]:
        """Row of a table with the spikes per event of each layer."""
        named = ", ".join(f"{name} {rate:.4f}" for name, rate in rates.items())
        return [("spike rate", named or "no layer spikes")]


def percent(found: Proportion | PairedDifference | None) -> str:
    """Share with its interval, as a table shows it."""
    if found is None:
        return "none: the images have no labels"
    value, low, high = (100 * end for end in (found.value, found.low, found.high))
    return f"{value:.2f} %  (95 %: {low:.2f} to {high:.2f})"
