"""Images on several chips: batches of all of them as jobs of one scheduler."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from memspice.analysis.statistics import proportion
from memspice.experiment.batch_store import batch_record, stored_batches
from memspice.experiment.infer import STAGE, sampled_energy, sampled_windows
from memspice.experiment.request import Request
from memspice.experiment.results.chips import ChipsResult
from memspice.experiment.results.energy import SampledEnergy
from memspice.experiment.results.run import JobCounts, run_facts
from memspice.experiment.run_options import RunOptions
from memspice.network.ann import ann_scores
from memspice.network.batch import BatchResult, NetworkLoop, Window, loop_of
from memspice.network.closed_form_check import check_closed_form
from memspice.network.inference import (
    BatchJob,
    InferenceResult,
    batch_jobs,
    ended_notes,
    gathered,
    run_batches,
)
from memspice.store import JobRecord, Provenance
from memspice.windows.progress import counted
from memspice.windows.surrogate import Surrogate


class _ChipRun:
    """One of the chips: mapped when its first batch begins, let go when its last one is done."""

    def __init__(self, request: Callable[[], Request], windows: dict[str, list[Window]]) -> None:
        self._request, self._windows = request, windows
        self._lock = threading.Lock()
        self._made: tuple[Request, NetworkLoop] | None = None
        self.jobs: list[BatchJob] = []
        self.batches: dict[int, BatchResult] = {}
        self.found: InferenceResult | None = None
        self.energy: SampledEnergy | None = None

    def loop(self) -> NetworkLoop:
        """The chip as the loop sees it; called by any thread."""
        return self._mapped()[1]

    def _mapped(self) -> tuple[Request, NetworkLoop]:
        with self._lock:
            if self._made is None:
                request = self._request()
                check_closed_form(request.mapped.layers, request.images.x, request.burst)
                loop = loop_of(request.mapped, request.cycles, request.seed, burst=request.burst)
                self._made = request, loop
            return self._made

    def add(self, batch: BatchResult, first: Request) -> None:
        """Take a batch; after the last one only results are kept."""
        self.batches[batch.first] = batch
        if len(self.batches) < len(self.jobs):
            return
        ordered = [self.batches[job.first] for job in self.jobs]
        self.found = gathered(ordered, first.mapped.architecture, first.cycles, first.burst)
        if self._windows:
            self.energy = sampled_energy(self._mapped()[0], self._windows, self.found)
        self._made, self.batches = None, {}


def run_chips(
    request: Callable[[int], Request],
    count: int,
    *,
    energy_windows: int = 0,
    options: RunOptions = RunOptions(),
) -> ChipsResult:
    """Classify images in the network loop on several chips.

    Parameters
    ----------
    request : callable
        What is asked of chip n, which maps its network; the same but for its seed, that of the
        first and n.
    count : int
        Chips.
    energy_windows, options
        As of `memspice.experiment.infer.run_chip`.

    Raises
    ------
    ConfigError
        If the closed form of a layer does not hold.
    IncompleteResults
        If a batch failed.
    StoreError
        If the run cannot be stored.
    """
    started = time.monotonic()
    first = request(0)
    images = first.images
    advance = counted(options.progress, STAGE, (1 + count) * len(images))
    more = {"fidelity": Surrogate.name, "chips": count}
    made = first.provenance(more, None, options.command)
    ann = ann_scores(first.network, images.x, advance)
    records: list[JobRecord] = []
    with options.store(made) as writer:
        known = stored_batches(writer) if writer else {}
        runs = [
            _chip_run(request, first, number, energy_windows, known.get(number, {}))
            for number in range(count)
        ]
        jobs = [(n, job) for n, run in enumerate(runs) for job in run.jobs]

        def done(index: int, batch: BatchResult) -> None:
            number, job = jobs[index]
            if batch.first not in known.get(number, {}):
                records.append(batch_record(batch, first.cycles, first.burst, made, number))
                if writer:
                    writer.add(records[-1])
            runs[number].add(batch, first)
            advance(len(job.images))

        run_batches([job for _, job in jobs], options.execution, done)
        return _result(first, runs, ann=ann, made=made, records=records, started=started).stored(
            writer
        )


def _chip_run(
    request: Callable[[int], Request],
    first: Request,
    number: int,
    energy_windows: int,
    known: dict[int, BatchResult],
) -> _ChipRun:
    windows = sampled_windows(first, energy_windows, first.seed + number)
    run = _ChipRun(lambda: first if number == 0 else request(number), windows)
    every = tuple(window for each in windows.values() for window in each)
    run.jobs = batch_jobs(run.loop, first.images.x, 0, every, known)
    return run


def _result(
    first: Request,
    runs: list[_ChipRun],
    ann: np.ndarray,
    made: Provenance,
    records: list[JobRecord],
    started: float,
) -> ChipsResult:
    found = [run.found for run in runs if run.found]
    labels, given = first.images.y, ann.argmax(axis=1)
    return ChipsResult(
        **run_facts(first, made),
        fidelity=Surrogate.name,
        notes=(*first.notes, *ended_notes(float(np.mean([each.ended for each in found])))),
        jobs=JobCounts(0, 0, 0, 0, 0),
        failures=(),
        doubts=(),
        wall_seconds=time.monotonic() - started,
        records=tuple(records),
        ann_accuracy=(
            None if labels is None else proportion(int(np.sum(given == labels)), len(labels))
        ),
        labels=labels,
        ann_answers=given,
        answers_at={
            cycles: np.array([each.scores_at[cycles].argmax(axis=1) for each in found])
            for cycles in found[0].scores_at
        },
        spike_rates=tuple(each.spike_rate for each in found),
        sampled_energies=tuple(run.energy for run in runs if run.energy),
    )
