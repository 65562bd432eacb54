"""What jobs ended with: read back from their records, and joined window by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memspice.circuits.energy_model import COMPONENTS
from memspice.network.batch import Window
from memspice.store import JobRecord


@dataclass(frozen=True, eq=False)
class Outcome:
    """Outcome of the events of a job, or of a whole window; arrays are (cycles, outputs).

    ``first_output`` is the number of the first output within the layer; ``hazard``, ``thresholds``
    and ``spikes`` mean nothing where ``spiking`` is false.
    ``closure`` is None for the surrogate, which has no balance to close.
    """

    window: Window
    first_output: int
    fidelity: str
    spiking: bool
    drive: np.ndarray
    hazard: np.ndarray
    thresholds: np.ndarray
    spikes: np.ndarray
    energy: dict[str, float]
    closure: float | None
    wall_seconds: float


def outcome(record: JobRecord) -> Outcome:
    """Read the outcome of a job back from its record."""
    attributes = record.attributes
    shape = (int(attributes["cycles"]), int(attributes["outputs"]))

    def column(name: str) -> np.ndarray:
        return np.asarray(record.events[name][0]).reshape(shape)

    return Outcome(
        window=Window(
            str(attributes["layer"]), int(attributes["image"]), int(attributes["position"])
        ),
        first_output=int(attributes["first_output"]),
        fidelity=str(attributes["fidelity"]),
        spiking=bool(attributes["spiking"]),
        drive=column("drive"),
        hazard=column("hazard"),
        thresholds=column("threshold"),
        spikes=column("spike").astype(bool),
        energy={name: float(record.energy[name]) for name in COMPONENTS},
        closure=float(record.energy["closure"]) if "closure" in record.energy else None,
        wall_seconds=float(attributes["wall_seconds"]),
    )


def join_windows(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """One outcome for each window and fidelity, from those of all its jobs.

    Energies and times are added; the closure is that of the worst deck.
    """
    members: dict[tuple[Window, str], list[Outcome]] = {}
    for item in outcomes:
        members.setdefault((item.window, item.fidelity), []).append(item)
    return [_joined(sorted(parts, key=lambda p: p.first_output)) for parts in members.values()]


def _joined(parts: Sequence[Outcome]) -> Outcome:
    def beside(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts], axis=1)

    return Outcome(
        window=parts[0].window,
        first_output=parts[0].first_output,
        fidelity=parts[0].fidelity,
        spiking=parts[0].spiking,
        drive=beside("drive"),
        hazard=beside("hazard"),
        thresholds=beside("thresholds"),
        spikes=beside("spikes"),
        energy={name: sum(part.energy[name] for part in parts) for name in COMPONENTS},
        closure=max((part.closure for part in parts if part.closure is not None), default=None),
        wall_seconds=sum(part.wall_seconds for part in parts),
    )
