"""Events of a layer, one by one: what was drawn, what the circuit made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from memspice.analysis.comparison import PathwiseComparison, compare_spikes
from memspice.errors import ConfigError
from memspice.experiment.results.base import Result
from memspice.experiment.results.table import Table
from memspice.network.batch import Window
from memspice.windows.outcome import Outcome


@dataclass(frozen=True, eq=False, repr=False)
class Events(Result):
    """Events of some windows of a layer; every array is (windows, cycles, neurons).

    Parameters
    ----------
    windows : tuple of Window
        Layer, image and position of each.
    spiking : bool
        Whether neurons follow; without them ``drive`` alone means something.
    drive : ndarray, [V]
        Write voltage of each neuron; of a last layer its accumulated output.
    hazard : ndarray, [1]
        Hazard integral ``H`` over the write pulse.
    draw : ndarray, [1]
        Threshold ``E ~ Exp(1)``, drawn outside every solver: a device switches at ``H >= E``.
    spike : ndarray of bool
        Whether a spike was latched.
    """

    windows: tuple[Window, ...]
    spiking: bool
    drive: np.ndarray
    hazard: np.ndarray
    draw: np.ndarray
    spike: np.ndarray

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> Events:
        """Events of the outcomes of whole windows."""
        return cls(
            tuple(item.window for item in outcomes),
            all(item.spiking for item in outcomes),
            *(
                np.stack([getattr(item, name) for item in outcomes])
                for name in ("drive", "hazard", "thresholds", "spikes")
            ),
        )

    @property
    def count(self) -> int:
        """Number of events."""
        return int(self.spike.size)

    def of_windows(self, windows: Sequence[Window], cycles: int) -> Events:
        """First cycles of some of the windows.

        Raises
        ------
        ConfigError
            If a window or a cycle is not among the events.
        """
        places = {window: place for place, window in enumerate(self.windows)}
        missing = [window for window in windows if window not in places]
        if missing or cycles > self.spike.shape[1]:
            what = f"{missing[0]}" if missing else f"cycle {cycles}"
            raise ConfigError(f"{what} is not among these events: simulate it, too")
        chosen = [places[window] for window in windows]
        arrays = (self.drive, self.hazard, self.draw, self.spike)
        return Events(tuple(windows), self.spiking, *(each[chosen, :cycles] for each in arrays))

    def compare(self, reference: Events) -> PathwiseComparison:
        """Compare with other answers to the same events, spike by spike.

        Raises
        ------
        ConfigError
            If they are no events of the same draws, or nothing spikes.
        """
        if not self.spiking:
            raise ConfigError("a layer without neurons has no spikes to compare")
        if self.draw.shape != reference.draw.shape or not np.array_equal(self.draw, reference.draw):
            raise ConfigError(
                "these are not the same events, their draws differ: give both runs one seed and "
                "layers of one size"
            )
        return compare_spikes(self.spike, reference.spike, self.hazard, reference.hazard, self.draw)

    def table(self) -> Table:
        """Sizes and ranges."""
        windows, cycles, neurons = self.spike.shape
        rows = [("drive", _range(self.drive, " V"))]
        if self.spiking:
            rows += [
                ("hazard", _range(self.hazard)),
                ("draw", _range(self.draw)),
                ("spike", f"{int(self.spike.sum())}, rate {self.spike.mean():.4f}"),
            ]
        title = f"{self.count} events: {windows} windows, {cycles} cycles, {neurons} neurons"
        return Table(title, tuple(rows))

    def as_json(self) -> dict[str, Any]:
        """Every column as a list."""
        return {name: np.asarray(each).tolist() for name, each in self.columns().items()}

    def columns(self) -> Mapping[str, Any]:
        """One row an event."""
        window, cycle, neuron = np.indices(self.spike.shape).reshape(3, -1)
        images, positions = (
            np.array([getattr(item, name) for item in self.windows])
            for name in ("image", "position")
        )
        return {
            "image": images[window],
            "position": positions[window],
            "cycle": cycle,
            "neuron": neuron,
            "drive": self.drive.ravel(),
            "hazard": self.hazard.ravel(),
            "draw": self.draw.ravel(),
            "spike": self.spike.ravel(),
        }


@dataclass(frozen=True, eq=False)
class PairedEvents:
    """Events of a layer side by side with their closed form; all arrays are (events,).

    ``hazard`` [1] and ``spike`` are what was found, ``model_hazard`` [1] what the closed form says,
    ``draw`` [1] is that of both.
    """

    hazard: np.ndarray
    model_hazard: np.ndarray
    draw: np.ndarray
    spike: np.ndarray

    @property
    def model_spike(self) -> np.ndarray:
        """Spikes of the closed form."""
        return self.model_hazard >= self.draw


def joined(pairs: Sequence[PairedEvents]) -> PairedEvents:
    """All events of several."""
    return PairedEvents(
        *(
            np.concatenate([getattr(pair, field.name) for pair in pairs])
            for field in fields(PairedEvents)
        )
    )


def _range(values: np.ndarray, unit: str = "") -> str:
    return f"{values.min():.4g} to {values.max():.4g}{unit}"
