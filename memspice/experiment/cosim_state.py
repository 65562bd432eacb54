"""What a co-simulation has gathered, round by round."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from memspice.analysis.comparison import PathwiseComparison
from memspice.analysis.extrapolation import LayerEnergy
from memspice.analysis.statistics import Proportion
from memspice.experiment.results.run import FailedJob, JobCounts
from memspice.network.batch import Window
from memspice.network.inference import InferenceResult
from memspice.network.switching import Calibration
from memspice.windows.agreement import Verdict, together
from memspice.windows.fidelity import WindowJob
from memspice.windows.outcome import Outcome


@dataclass(frozen=True, eq=False)
class Iteration:
    """State of the loop after one round."""

    number: int
    inference: InferenceResult
    snn_accuracy: Proportion | None
    energy: dict[str, LayerEnergy]
    comparison: PathwiseComparison
    windows: int

    @property
    def energy_total(self) -> float:
        """Energy per inference, [J]."""
        return sum(layer.total for layer in self.energy.values())

    @property
    def half_width(self) -> float:
        """Half width of the 95 % interval of the energy, [J]."""
        return float(np.sqrt(sum(layer.half_width**2 for layer in self.energy.values())))


@dataclass(eq=False)
class CosimState:
    """Everything gathered so far; jobs, outcomes and their verdicts run in parallel.

    A window of which a job failed is in ``failures`` only, by its jobs that failed.
    """

    jobs: list[WindowJob] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    iterations: list[Iteration] = field(default_factory=list)
    calibration: dict[str, Calibration] = field(default_factory=dict)
    modelled: dict[str, dict[Window, dict[str, float]]] = field(default_factory=dict)
    settled: bool = False
    known: set[str] = field(default_factory=set)  # names of all jobs so far
    failures: list[FailedJob] = field(default_factory=list)
    counts: JobCounts = JobCounts(0, 0, 0, 0, 0)
    problems: list[str] = field(default_factory=list)

    def of_layer(self, name: str) -> list[tuple[WindowJob, Outcome]]:
        """Jobs of a layer with their outcomes."""
        return [(job, result) for job, result in self.pairs() if job.window.layer == name]

    def pairs(self) -> list[tuple[WindowJob, Outcome]]:
        """Every job with its outcome."""
        return list(zip(self.jobs, self.outcomes, strict=True))

    def verdict(self, layer: str | None = None) -> Verdict:
        """Verdict on all jobs, or on those of a layer."""
        pairs = zip(self.jobs, self.verdicts, strict=True)
        return together([item for job, item in pairs if layer in (None, job.window.layer)])
