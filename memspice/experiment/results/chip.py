"""What a whole network made of some images, by the surrogate or spike by spike in SPICE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np

from memspice.analysis.statistics import Proportion, proportion
from memspice.errors import ConfigError
from memspice.experiment.request import Request
from memspice.experiment.results.classified import Classified, percent
from memspice.experiment.results.energy import Energy, SampledEnergy
from memspice.experiment.results.events import Events
from memspice.experiment.results.plain import APART
from memspice.experiment.results.run import jobs_json
from memspice.experiment.results.table import Table
from memspice.network.batch import Window
from memspice.network.inference import run_inference
from memspice.windows.agreement import Verdict
from memspice.windows.fidelity import window_jobs
from memspice.windows.outcome import join_windows, outcome
from memspice.windows.surrogate import Surrogate


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ChipResult(Classified):
    """Classes that a spiking network and its ANN give to images, and how often they are right.

    Parameters
    ----------
    accuracy_at : mapping of int to Proportion
        Of the spiking network after some numbers of cycles; empty without labels.
    spike_rate : mapping of str to float, [1]
        Spikes per event, by layer.
    mapping : mapping
        By layer, how weights and biases were rounded onto its cells.
    energy : Energy or None, [J]
        Of all images together, where all of it went through SPICE.
    verdict : Verdict or None
        Of what went through SPICE.
    sampled_energy : SampledEnergy or None
        Closed form of one inference, where windows were sampled for it.
    request : Request or None
        Network and images; not kept in a run file.
    **facts
        See `Classified`; ``answers_at`` are (images,).
    """

    kind: ClassVar[str] = "chip"

    accuracy_at: Mapping[int, Proportion]
    spike_rate: Mapping[str, float]
    mapping: Mapping[str, Mapping[str, Any]]
    energy: Energy | None = None
    verdict: Verdict | None = None
    sampled_energy: SampledEnergy | None = None
    request: Request | None = field(default=None, metadata=APART)

    @property
    def accuracy(self) -> Proportion | None:
        """Share of images that the spiking network classifies correctly; None without labels."""
        return self.accuracy_at.get(self.cycles)

    @property
    def answers(self) -> np.ndarray:
        """Classes that the spiking network gives after all cycles, (images,)."""
        return self.answers_at[self.cycles]

    def events_of(self, windows: Sequence[Window], cycles: int) -> Events:
        """Closed-form events of windows of one layer; see `Answers.events_of`.

        The network loop runs their images again, which gives the same spikes.
        """
        request = self.request
        if request is None or self.verdict:
            raise ConfigError(
                "only a surrogate run of this session can answer to single events: take that of "
                "Chip.run, or Layer.simulate with fidelity=Surrogate()"
            )
        numbers = [window.image for window in windows]
        if max(numbers) >= len(request.images) or cycles > request.cycles:
            raise ConfigError(
                f"image {max(numbers)}, cycle {cycles} is beyond the {len(request.images)} images "
                f"and {request.cycles} cycles of this run"
            )
        first, last = min(numbers), max(numbers) + 1
        loop = run_inference(
            request.mapped,
            request.images.x[first:last],
            cycles,
            request.seed,
            burst=request.burst,
            first_image=first,
            windows=windows,
            scored=False,
            checked=False,
        )
        layer = request.mapped.layer(windows[0].layer)
        records = [
            job.fidelity.run(job)
            for window in windows
            for job in window_jobs(
                layer,
                window,
                loop.windows[window],
                Surrogate(),
                seed=request.seed,
                burst=request.burst,
            )
        ]
        return Events.of(join_windows([outcome(record) for record in records]))

    def as_json(self) -> dict[str, Any]:
        """Object of ``infer --json``."""
        return {
            **self.head_json(),
            "mapping": {name: dict(item) for name, item in self.mapping.items()},
            "classified": len(self.answers),
            "snn_accuracy": asdict(self.accuracy) if self.accuracy else None,
            "spike_rate": dict(self.spike_rate),
            **(self._spice_json() if self.verdict else self._loop_json()),
            "wall_seconds": self.wall_seconds,
            "out": self.out,
        }

    def _loop_json(self) -> dict[str, Any]:
        each = [{"cycles": n, **asdict(found)} for n, found in self.accuracy_at.items()]
        return {"snn_accuracy_by_cycles": each}

    def _spice_json(self) -> dict[str, Any]:
        assert self.verdict
        assert self.energy
        pathwise = self.verdict.pathwise
        return {
            "engine": dict(self.engine),
            "events": pathwise.events,
            "mismatches": pathwise.mismatches,
            "worst_margin": pathwise.worst_margin,
            **self.energy.as_json(),
            "energy_closure": self.verdict.closure,
            "verdict": self.verdict.as_json(),
            **jobs_json(self.failures, self.jobs),
        }

    def measures(self) -> dict[str, float]:
        """What a sweep keeps of it: plain numbers by name, SI units; energies of one inference."""
        apart = proportion(int(np.sum(self.answers != self.ann_answers)), len(self.answers))
        found = {"snn_accuracy": self.accuracy, "ann_accuracy": self.ann_accuracy}
        shares = {name: each for name, each in found.items() if each} | {"unlike_ann": apart}
        numbers: dict[str, float] = {"classified": len(self.answers)}
        for name, each in shares.items():
            numbers |= {name: each.value, f"{name}_low": each.low, f"{name}_high": each.high}
        numbers |= {f"spike_rate.{name}": rate for name, rate in self.spike_rate.items()}
        if self.verdict and self.energy:
            numbers |= {"mismatches": self.verdict.pathwise.mismatches}
            numbers |= {"worst_margin": self.verdict.pathwise.worst_margin}
            numbers |= (self.energy / len(self.answers)).measures()
        if self.sampled_energy:
            numbers |= self.sampled_energy.energy.measures()
            numbers |= {"energy_half_width_joule": self.sampled_energy.half_width}
        return numbers

    def columns(self) -> Mapping[str, Any]:
        """One row an image."""
        known = {} if self.labels is None else {"label": self.labels}
        answers = {f"after_{count}": each for count, each in self.answers_at.items()}
        return {**known, "ann": self.ann_answers, **answers}

    def table(self) -> Table:
        """What the terminal shows."""
        rows = [("images", self.dataset.source)]
        rows += [
            ("ANN accuracy", percent(self.ann_accuracy)),
            ("SNN accuracy", percent(self.accuracy)),
            *(
                (f"  after {count}", percent(found))
                for count, found in self.accuracy_at.items()
                if count != self.cycles
            ),
        ]
        rows += self.rate_rows(self.spike_rate)
        if self.verdict and self.energy:
            pathwise = self.verdict.pathwise
            rows += [
                ("energy", self.energy.headline()),
                (
                    "",
                    f"closure {self.verdict.closure or 0.0:.1e}, {pathwise.mismatches} of "
                    f"{pathwise.events} spikes differ from the closed form",
                ),
            ]
        rows.append(("time", f"{self.wall_seconds:.1f} s"))
        return Table(self.title, (*rows, *self.stored_rows()), self.notes)
