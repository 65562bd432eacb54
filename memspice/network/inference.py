"""The network loop: every neuron of every layer through all cycles, in NumPy.

Each layer is one matrix product with the exact drive gain of its crossbars (wires, drivers and
sense stages included) for a few frames at a time, a frame being one image in one cycle, or in one
burst of cycles (`memspice.circuits.bursts`); then the hazard law, and one draw per event.  Matrix
products are float32; a spike is ``H >= E = -ln u``, with the same ``u`` that a SPICE run of the
event gets.  Images run in batches (`memspice.network.batch`), as jobs of the scheduler.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from memspice.circuits.bursts import check_burst, check_leaky
from memspice.errors import ConfigError, IncompleteResults
from memspice.jobs import Execution, Failure, run_jobs
from memspice.jobs.attempts import attempt
from memspice.jobs.scheduler import open_scheduler
from memspice.network.architecture import Architecture
from memspice.network.batch import (
    BatchResult,
    NetworkLoop,
    Window,
    cycle_counts,
    loop_of,
    run_batch,
)
from memspice.network.closed_form_check import check_closed_form
from memspice.network.mapping import MappedNetwork
from memspice.network.switching import Calibration

#: Most images of a batch; a run has two batches at least, whoever carries them out.
BATCH = 50


@dataclass(eq=False)
class InferenceResult:
    """Scores and spikes of a run.

    ``scores_at`` are the mean accumulated outputs (images, classes) after some numbers of cycles
    (`memspice.network.batch.cycle_counts`), in units of the weighted input, and to the bit those of
    a run of so many cycles; ``scores`` those after all.  ``ended`` is the share of bursts of which
    the highest drive of the last layer is where its sense stage ends: its score says too little.
    ``spike_rate`` is spikes per event by layer; ``windows`` the inputs (cycles, inputs) in [0, 1]
    of every window asked for.
    """

    scores_at: dict[int, np.ndarray]
    ended: float
    spike_rate: dict[str, float]
    spikes_per_image: dict[str, np.ndarray]
    windows: dict[Window, np.ndarray] = field(default_factory=dict)

    @property
    def scores(self) -> np.ndarray:
        """Scores after all cycles."""
        return self.scores_at[max(self.scores_at)]

    @property
    def notes(self) -> list[str]:
        """What a reader must know of the scores."""
        return ended_notes(self.ended)


def ended_notes(share: float) -> list[str]:
    """Note on scores of which this share, [1], is of drives where sense stages end."""
    if share == 0:
        return []
    return [
        f"the highest drive of the last layer is where its sense stage ends in {share:.2%} of "
        "bursts, and says less than its score: raise answer.score_range if that costs accuracy"
    ]


def run_inference(
    mapped: MappedNetwork,
    images: np.ndarray,
    cycles: int,
    seed: int,
    *,
    burst: int = 1,
    first_image: int = 0,
    windows: Iterable[Window] = (),
    scored: bool = True,
    calibration: Mapping[str, Calibration] | None = None,
    execution: Execution = Execution(),
    checked: bool = True,
    progress: Callable[[int], None] | None = None,
    known: Mapping[int, BatchResult] = MappingProxyType({}),
    on_batch: Callable[[BatchResult], None] | None = None,
) -> InferenceResult:
    """Run a mapped network on images through a number of cycles.

    Parameters
    ----------
    mapped : MappedNetwork
        Network on crossbars.
    images : ndarray, shape (n, channels, height, width), [1]
        Pixels in [0, 1]; they drive the rows of the first layer at graded levels.
    cycles : int
        Write-read-reset cycles per image.
    seed : int
        Of the event draws.
    burst : int
        Cycles in which neurons are written with one drive, that of the mean input in as many
        cycles.
    first_image : int
        Number of the first image in its data set, for the draws.
    windows : iterable of Window
        Inputs to keep, by number of the image in the data set.
    scored : bool
        Whether scores are wanted; without, the loop stops before the last layer that a window looks
        into (there must be one), and knows no scores.
    calibration : mapping, optional
        Corrections of the surrogate by layer name.
    execution : Execution
        How many batches at a time, and where; each keeps to one thread of BLAS.
    checked : bool
        Refuse layers that are needed and have no closed form; only where the loop has but to bring
        inputs to a layer that is simulated cell by cell may it go on.
    progress : callable, optional
        Called with the number of images of each batch that is done.
    known : mapping
        Batches of an earlier run of the same thing, by the number of their first image; those with
        a window run again.
    on_batch : callable, optional
        Takes each batch that is not known, to keep it.

    Raises
    ------
    ConfigError
        If cycles are not whole bursts, or if a window is of an unknown layer, or of an image or
        position that is not there, or if a calibration makes a hazard that does not grow with the
        voltage, or if the closed form of a layer does not hold.
    IncompleteResults
        If a batch failed as often as ``execution`` allows.
    """
    check_burst(cycles, burst)
    check_leaky(cycles, burst, mapped.share)
    kept = tuple(windows)
    for window in kept:
        _check_window(mapped, window, range(first_image, first_image + len(images)))
    last = None if scored else max(kept, key=lambda window: mapped.layer(window.layer).number).layer
    if checked:
        needed = mapped.layers if last is None else mapped.layers[: mapped.layer(last).number + 1]
        check_closed_form(needed, images, burst)
    loop = loop_of(mapped, cycles, seed, burst=burst, calibration=calibration, last=last)

    def done(_: int, batch: BatchResult) -> None:
        if on_batch and batch.first not in known:
            on_batch(batch)
        if progress:
            progress(batch.scores.shape[1])

    jobs = batch_jobs(lambda: loop, images, first_image, kept, known)
    batches = run_batches(jobs, execution, done)
    return gathered(batches, mapped.architecture, cycles, burst)


@dataclass(frozen=True, eq=False)
class BatchJob:
    """Some images that follow one another, and what they are run through, made when needed.

    ``first`` is the number of the first in its data set; ``known`` is the result, if there is one.
    """

    loop: Callable[[], NetworkLoop]
    images: np.ndarray
    first: int
    windows: tuple[Window, ...] = ()
    known: BatchResult | None = None


def batch_jobs(
    loop: Callable[[], NetworkLoop],
    images: np.ndarray,
    first_image: int = 0,
    windows: tuple[Window, ...] = (),
    known: Mapping[int, BatchResult] = MappingProxyType({}),
) -> list[BatchJob]:
    """Batches of images, cut in the same way wherever they run."""
    size = min(BATCH, math.ceil(len(images) / 2))
    jobs = []
    for start in range(0, len(images), size):
        part, first = images[start : start + size], first_image + start
        own = tuple(window for window in windows if first <= window.image < first + len(part))
        # Inputs of windows are not kept with a batch.
        jobs.append(BatchJob(loop, part, first, own, None if own else known.get(first)))
    return jobs


def run_batches(
    jobs: Sequence[BatchJob],
    execution: Execution,
    on_done: Callable[[int, BatchResult], None],
) -> list[BatchResult]:
    """Run batches, several at a time; nothing of how changes a result.

    Parameters
    ----------
    jobs : sequence of BatchJob
    execution : Execution
        How many at a time, where, and how often one is tried whose worker died.
    on_done : callable
        Takes number and result of each batch that is done, in this thread.

    Raises
    ------
    IncompleteResults
        If a batch failed every time.
    """
    execution.check()
    with open_scheduler(execution.scheduler) as scheduler:

        def run(job: BatchJob, stop: threading.Event) -> BatchResult:
            if job.known is not None:
                return job.known
            arguments = (job.loop(), job.images, job.first, job.windows)
            found = attempt(
                lambda: scheduler.call(run_batch, *arguments, cancel=stop), execution.retries, stop
            ).result
            if isinstance(found, Failure):
                raise IncompleteResults(
                    f"images {job.first} to {job.first + len(job.images) - 1} failed "
                    f"{found.attempts} times: {found.reason}"
                )
            return found

        workers = execution.workers or scheduler.workers
        return run_jobs(run, jobs, workers=workers, on_done=on_done, cancel=execution.cancel)


def gathered(
    batches: Sequence[BatchResult], architecture: Architecture, cycles: int, burst: int
) -> InferenceResult:
    """All batches of a chip, in their order, as one result."""
    totals = {
        name: np.concatenate([batch.spikes[name] for batch in batches])
        for name in batches[0].spikes
    }
    events = {step.name: math.prod(step.output_shape) for step in architecture.shapes()}
    rates = {
        name: float(spikes.sum() / (len(spikes) * cycles * events[name]))
        for name, spikes in totals.items()
    }
    scores = np.concatenate([batch.scores for batch in batches], axis=1)
    counts = cycle_counts(cycles, burst) if len(scores) else []
    scores_at = dict(zip(counts, scores, strict=True))
    ended = float(np.mean(np.concatenate([batch.ended for batch in batches]))) * burst / cycles
    windows = {window: rows for batch in batches for window, rows in batch.windows.items()}
    return InferenceResult(scores_at, ended, rates, totals, windows)


def _check_window(mapped: MappedNetwork, window: Window, images: range) -> None:
    layer = mapped.layer(window.layer)
    if window.image not in images or not 0 <= window.position < layer.positions:
        raise ConfigError(
            f"{window} does not exist: images are {images.start} to {images.stop - 1}, positions "
            f"0 to {layer.positions - 1}"
        )
