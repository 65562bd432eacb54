"""Which neurons' waveforms a run keeps."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from memspice.errors import ConfigError

#: Neurons of each deck by the name of a choice.
CHOICES = {"none": 0, "sample": 1, "all": sys.maxsize}


@dataclass(frozen=True)
class Kept:
    """Neurons whose waveforms the record of a deck keeps.

    Parameters
    ----------
    choice : str
        ``none``; ``sample``, of each deck that neuron which spikes about every other cycle, so that
        both outcomes are seen; ``all``; or ``named``.
    numbers : tuple of int
        Of the neurons that are named, within their layer.
    """

    choice: str = "sample"
    numbers: tuple[int, ...] = ()

    @classmethod
    def of(cls, keep: str | Iterable[int]) -> Self:
        """Take what users say: the name of a choice, or numbers of neurons.

        Raises
        ------
        ConfigError
            If it is neither.
        """
        if isinstance(keep, str):
            if keep not in CHOICES:
                known = ", ".join(CHOICES)
                raise ConfigError(f"keep = {keep!r} must be {known}, or numbers of neurons")
            return cls(keep)
        numbers = tuple(sorted(set(keep)))
        if not numbers or numbers[0] < 0:
            raise ConfigError(f"keep = {list(numbers)} must be numbers of neurons, from 0 on")
        return cls("named", numbers)

    def as_config(self) -> dict[str, object]:
        """Part of a run's configuration."""
        return {"keep": list(self.numbers) or self.choice}

    def check(self, layer: str, outputs: int) -> None:
        """Refuse neurons that a layer has not.

        Raises
        ------
        ConfigError
            With the numbers that it has.
        """
        if self.numbers and self.numbers[-1] >= outputs:
            raise ConfigError(
                f"{layer} has no neuron {self.numbers[-1]}, whose waveforms were to be kept: its "
                f"neurons are 0 to {outputs - 1}"
            )

    def neurons(self, spikes: np.ndarray, first: int) -> list[int]:
        """Neurons of a deck, by their numbers in it.

        Parameters
        ----------
        spikes : ndarray of bool, shape (cycles, outputs)
            Of the deck.
        first : int
            Number of its first output within the layer.
        """
        outputs = spikes.shape[1]
        if self.choice == "named":
            return [n - first for n in self.numbers if first <= n < first + outputs]
        distance = np.abs(spikes.mean(axis=0) - 0.5)
        telling = np.argsort(distance, kind="stable")[: CHOICES[self.choice]]
        return sorted(int(neuron) for neuron in telling)
