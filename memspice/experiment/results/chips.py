"""What several chips made of the same images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from memspice.analysis.statistics import (
    PairedDifference,
    Proportion,
    chips_accuracy,
    paired_difference,
    proportion,
)
from memspice.experiment.results.classified import Classified, percent
from memspice.experiment.results.energy import SampledEnergy
from memspice.experiment.results.table import Table

#: Chips that a table names.
_NAMED = 8


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ChipsResult(Classified):
    """Classes that chips of successive seeds and the ANN give to the same images.

    Parameters
    ----------
    spike_rates : tuple of mapping, [1]
        Spikes per event by layer, of each chip.
    sampled_energies : tuple of SampledEnergy
        Of one inference on each chip, where windows were sampled for it.
    **facts
        See `Classified`; ``seed`` is that of the first chip, ``answers_at`` are (chips, images).
    """

    kind: ClassVar[str] = "chips"

    spike_rates: tuple[Mapping[str, float], ...]
    sampled_energies: tuple[SampledEnergy, ...] = ()

    @property
    def chips(self) -> int:
        """How many chips."""
        return len(self.spike_rates)

    @property
    def accuracy(self) -> PairedDifference | None:
        """Mean accuracy of the chips; its interval is over chips and images.  None without labels.

        See `memspice.analysis.statistics.chips_accuracy`.
        """
        return None if self.labels is None else chips_accuracy(self.correct())

    @property
    def loss(self) -> PairedDifference | None:
        """What the chips lose against the ANN, image by image; None without labels."""
        if self.labels is None:
            return None
        right = self.correct()
        return paired_difference(np.broadcast_to(self.ann_correct(), right.shape), right)

    @property
    def spike_rate(self) -> Mapping[str, float]:
        """Spikes per event by layer, mean over the chips."""
        return {
            name: float(np.mean([rates[name] for rates in self.spike_rates]))
            for name in self.spike_rates[0]
        }

    def of_chip(self, number: int) -> Proportion:
        """Accuracy of one chip, with its interval over images alone."""
        right = self.correct()[number]
        return proportion(int(right.sum()), len(right))

    def as_json(self) -> dict[str, Any]:
        """Object of ``infer --chips N --json``."""
        return {
            **self.head_json(),
            "chips": self.chips,
            "snn_accuracy": _mean_json(self.accuracy),
            "loss": _mean_json(self.loss),
            "snn_accuracy_by_cycles": [
                {"cycles": count, **(_mean_json(chips_accuracy(self.correct(count))) or {})}
                for count in (self.answers_at if self.labels is not None else ())
            ],
            "by_chip": [
                {
                    "seed": self.seed + number,
                    "snn_accuracy": None if self.labels is None else asdict(self.of_chip(number)),
                    "spike_rate": dict(rates),
                }
                for number, rates in enumerate(self.spike_rates)
            ],
            "spike_rate": dict(self.spike_rate),
            "wall_seconds": self.wall_seconds,
            "out": self.out,
        }

    def columns(self) -> Mapping[str, Any]:
        """One row a chip and image."""
        chips, images = self.answers_at[self.cycles].shape
        shared = {"image": np.arange(images), "ann": self.ann_answers}
        if self.labels is not None:
            shared["label"] = self.labels
        return {
            "seed": np.repeat(self.seed + np.arange(chips), images),
            **{name: np.tile(values, chips) for name, values in shared.items()},
            **{f"after_{count}": each.ravel() for count, each in self.answers_at.items()},
        }

    def table(self) -> Table:
        """What the terminal shows."""
        ann = self.ann_accuracy
        rows = [
            ("images", self.dataset.source),
            ("ANN accuracy", percent(ann)),
            ("SNN accuracy", f"{percent(self.accuracy)}, mean of {self.chips} chips"),
        ]
        if self.loss:
            rows.append(("lost", percent(self.loss).replace("%", "points", 1)))
            named = min(self.chips, _NAMED)
            rows += [(f"  seed {self.seed + n}", percent(self.of_chip(n))) for n in range(named)]
            if self.chips > named:
                rows.append(("", f"... and {self.chips - named} more: --json"))
        rows += [*self.rate_rows(self.spike_rate), ("time", f"{self.wall_seconds:.1f} s")]
        return Table(self.title, (*rows, *self.stored_rows()), self.notes)


def _mean_json(found: PairedDifference | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"value": found.value, "n": found.images, "low": found.low, "high": found.high}
