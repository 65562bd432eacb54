"""The network loop: every neuron of every layer through all cycles, in NumPy.

Each layer is one matrix product with the exact drive gain of its crossbars (wires, drivers and
sense stages included) for a few frames at a time, a frame being one image in one cycle, or in one
burst of cycles (`memspice.circuits.bursts`); then the hazard law, and one draw per event.  Matrix
products are float32; a spike is ``H >= E = -ln u``, with the same ``u`` that a SPICE run of the
event gets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from memspice.circuits.bursts import burst_means, check_burst
from memspice.devices.draws import event_draws
from memspice.errors import ConfigError, IncompleteResults
from memspice.jobs import run_jobs
from memspice.network.closed_form_check import check_closed_form
from memspice.network.frames import Outputs, channels_last, joined, layer_matrix, patch, products
from memspice.network.mapping import MappedLayer, MappedNetwork
from memspice.network.switching import Calibration, OpenEvents, SwitchingRule
from memspice.solver.reduction import one_blas_thread

#: Images per task of a worker.
BATCH = 50
#: Largest number of events of one layer that are kept at a time: bounds the memory.
EVENTS = 1 << 21


class Window(NamedTuple):
    """All neurons of one layer at one position of one image, through all cycles."""

    layer: str
    image: int
    position: int


@dataclass(eq=False)
class InferenceResult:
    """Scores and spikes of a run.

    ``scores_at`` are the mean accumulated outputs (images, classes) after some numbers of cycles
    (:func:`cycle_counts`), in units of the weighted input, and to the bit those of a run of so many
    cycles; ``scores`` those after all.  ``spike_rate`` is spikes per event by layer; ``windows``
    the inputs (cycles, inputs) in [0, 1] of every window asked for.
    """

    scores_at: dict[int, np.ndarray]
    spike_rate: dict[str, float]
    spikes_per_image: dict[str, np.ndarray]
    windows: dict[Window, np.ndarray] = field(default_factory=dict)

    @property
    def scores(self) -> np.ndarray:
        """Scores after all cycles."""
        return self.scores_at[max(self.scores_at)]


@dataclass(frozen=True, eq=False)
class BatchResult:
    """What a run found of some images that follow one another.

    ``first`` is the number of the first in its data set; ``scores`` (cycle counts, images, classes)
    are those of `InferenceResult.scores_at`; ``spikes`` (images,) are counted by layer.
    """

    first: int
    scores: np.ndarray
    spikes: dict[str, np.ndarray]


def cycle_counts(cycles: int, burst: int = 1) -> list[int]:
    """Numbers of cycles of which a run keeps scores: the ends of some of its bursts.

    Their numbers are the powers of two below that of all bursts, and that.

    >>> cycle_counts(12)
    [1, 2, 4, 8, 12]
    >>> cycle_counts(12, burst=4)
    [4, 8, 12]
    """
    bursts = cycles // burst
    return [burst * n for n in (*(1 << k for k in range((bursts - 1).bit_length())), bursts)]


def run_inference(
    mapped: MappedNetwork,
    images: np.ndarray,
    cycles: int,
    seed: int,
    *,
    burst: int = 1,
    first_image: int = 0,
    windows: Iterable[Window] = (),
    calibration: Mapping[str, Calibration] | None = None,
    workers: int = 2,
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
    calibration : mapping, optional
        Corrections of the surrogate by layer name.
    workers : int
        Batches at a time; each keeps to one thread of BLAS.
    checked : bool
        Refuse layers of which the closed form does not hold; only where the loop has but to bring
        inputs to a layer that is simulated cell by cell may it go on.
    progress : callable, optional
        Called with the number of images of each batch that is done.
    known : mapping
        Batches of an earlier run of the same thing, by the number of their first image; not with
        ``windows``.
    on_batch : callable, optional
        Takes each batch that is not known, to keep it.

    Raises
    ------
    ConfigError
        If cycles are not whole bursts, or if a window is of an unknown layer, or of an image or
        position that is not there, or if a calibration makes a hazard that does not grow with the
        voltage, or if the closed form of a layer does not hold.
    """
    check_burst(cycles, burst)
    if checked:
        check_closed_form(mapped, images, burst)
    kept = list(windows)
    for window in kept:
        _check_window(mapped, window, range(first_image, first_image + len(images)))
    stages = [_stage(layer, (calibration or {}).get(layer.name)) for layer in mapped.layers]
    inputs: dict[Window, list[np.ndarray]] = {window: [] for window in kept}
    size = min(BATCH, -(-len(images) // workers))

    def run_batch(start: int, stop: threading.Event) -> BatchResult:
        if first_image + start in known:
            return known[first_image + start]
        batch = images[start : start + size]
        run = _Batch(stages, seed, first_image + start, inputs, burst)
        scores = run.cycles(batch, cycles, stop)
        return BatchResult(first_image + start, scores, run.spikes)

    def done(_: int, batch: BatchResult) -> None:
        if on_batch and batch.first not in known:
            on_batch(batch)
        if progress:
            progress(batch.scores.shape[1])

    with one_blas_thread():
        starts = range(0, len(images), size)
        batches = run_jobs(run_batch, starts, workers=workers, on_done=done)
    totals = {
        layer.name: np.concatenate([batch.spikes[layer.name] for batch in batches])
        for layer in mapped.layers
        if layer.spiking
    }
    rates = {
        layer.name: float(totals[layer.name].sum() / (len(images) * cycles * _events(layer)))
        for layer in mapped.layers
        if layer.spiking
    }
    found = {window: np.concatenate(parts) for window, parts in inputs.items() if parts}
    scores = np.concatenate([batch.scores for batch in batches], axis=1)
    scores_at = dict(zip(cycle_counts(cycles, burst), scores, strict=True))
    return InferenceResult(scores_at, rates, totals, found)


def _check_window(mapped: MappedNetwork, window: Window, images: range) -> None:
    layer = mapped.layer(window.layer)
    if window.image not in images or not 0 <= window.position < layer.positions:
        raise ConfigError(
            f"{window} does not exist: images are {images.start} to {images.stop - 1}, positions "
            f"0 to {layer.positions - 1}"
        )


def _events(layer: MappedLayer) -> int:
    return layer.positions * layer.outputs


@dataclass(frozen=True, eq=False)
class _Stage:
    """A layer as one float32 product: ``clip(bend(inputs @ matrix), low, high)``.

    The result is the line that ``rule`` takes, or the drive [V] of a layer without neurons.  Where
    the drive is no line in the inputs the product is that of the bit lines' currents, and ``bend``
    makes the drive of them.
    """

    layer: MappedLayer
    matrix: np.ndarray
    low: np.ndarray | np.float32
    high: np.ndarray | np.float32
    rule: SwitchingRule | None
    bend: Callable[[np.ndarray], np.ndarray] = lambda product: product


def _stage(layer: MappedLayer, calibration: Calibration | None) -> _Stage:
    calibration = calibration or Calibration()
    rule = SwitchingRule(layer.circuits, calibration) if layer.spiking else None
    low, high = rule.limits if rule else np.array(layer.circuits[0].write_limits, np.float32)
    slope, intercept = calibration.drive_gain, calibration.drive_offset
    if rule:
        slope, intercept = rule.slope * slope, rule.slope * intercept + rule.intercept
    if not layer.straight:
        weight, offset = layer.current_line()
        matrix = layer_matrix(weight.T, offset, layer.kind, layer.input_shape)
        bend = partial(_bent, layer, slope, intercept)
        return _Stage(layer, matrix, low, high, rule, bend)
    weight, offset = layer.drive_line()
    weight, offset = slope * weight.T, slope * offset + intercept
    matrix = layer_matrix(weight, offset, layer.kind, layer.input_shape)
    return _Stage(layer, matrix, low, high, rule)


def _bent(
    layer: MappedLayer,
    slope: np.ndarray | float,
    intercept: np.ndarray | float,
    currents: np.ndarray,
) -> np.ndarray:
    """Line of the drive [V] that currents (..., bit lines) [A] give."""
    drive = layer.drive(currents.astype(float))
    return np.asarray(slope * drive + intercept, np.float32)


class _Batch:
    """One batch of images through all cycles, a group of frames at a time."""

    def __init__(
        self,
        stages: list[_Stage],
        seed: int,
        first_image: int,
        windows: dict[Window, list[np.ndarray]],
        burst: int,
    ) -> None:
        self._burst = burst
        self._stages, self._seed = stages, seed
        self._first_image, self._windows = first_image, windows
        self.spikes: dict[str, np.ndarray] = {}

    def cycles(self, images: np.ndarray, cycles: int, stop: threading.Event) -> np.ndarray:
        """Mean scores (cycle counts, images, classes); gives up once ``stop`` is set."""
        self.spikes = {
            stage.layer.name: np.zeros(len(images)) for stage in self._stages if stage.rule
        }
        last = self._stages[-1].layer
        drive = np.zeros((len(images), cycles // self._burst, _events(last)))
        largest = max(_events(stage.layer) for stage in self._stages)
        together = max(self._burst, EVENTS // largest // self._burst * self._burst)
        for part, span in _groups(len(images), cycles, together):
            if stop.is_set():
                raise IncompleteResults(
                    f"the network loop was stopped before image {self._first_image + part.start}, "
                    f"cycle {span.start}"
                )
            frames = self._group(channels_last(images[part]), part, span)
            held = slice(span.start // self._burst, span.stop // self._burst)
            drive[part, held] = frames  # one for all where nothing is drawn
        counts = np.array(cycle_counts(cycles // self._burst))
        totals = np.cumsum(drive, axis=1)[:, counts - 1].swapaxes(0, 1)
        return last.scores(totals / counts[:, None, None])

    def _group(self, pixels: np.ndarray, images: slice, cycles: range) -> np.ndarray:
        """Drives of the last layer (images, bursts or 1, outputs) [V] in some cycles."""
        count = len(pixels)
        outputs = Outputs([stage.layer.step for stage in self._stages], pixels)
        for stage in self._stages:
            step = stage.layer.step
            parts = outputs.take(step)
            self._keep(stage.layer, parts, images, cycles)
            # Pixels are the same in every cycle, and so their own mean.
            each = zip(parts, step.sources, strict=True)
            state = joined(
                [burst_means(part, self._burst) if source.number else part for part, source in each]
            )
            if stage.rule is None:
                break
            outputs.add(step, self._spikes(stage, stage.rule, state, images, cycles))
        drive = np.concatenate([_clipped(stage, z).copy() for _, z in _products(stage, state)])
        return drive.reshape(count, -1, _events(stage.layer))

    def _spikes(
        self,
        stage: _Stage,
        rule: SwitchingRule,
        state: np.ndarray,
        images: slice,
        cycles: range,
    ) -> np.ndarray:
        """Spikes (frames, height, width, outputs) of a layer."""
        layer, events = stage.layer, _events(stage.layer)
        count = images.stop - images.start
        fired = np.empty((count * len(cycles), events), bool)
        repeat = len(fired) // len(state)
        draws = self._draws(layer, images, cycles)
        left: list[OpenEvents] = []
        for part, z in _products(stage, state):
            frames = fired[part.start * repeat : part.stop * repeat]
            left += rule.screen(_clipped(stage, z).reshape(len(z), -1), draws, frames)
        rule.settle(left)
        for image, spikes in enumerate(fired.reshape(count, -1), images.start):
            self.spikes[layer.name][image] += np.count_nonzero(spikes)
        return fired.reshape(len(fired), *layer.step.output_shape[1:], layer.outputs)

    def _draws(self, layer: MappedLayer, images: slice, cycles: range) -> Iterator[np.ndarray]:
        """Draws of frame after frame."""
        for image in range(images.start, images.stop):
            number = self._first_image + image
            yield from event_draws(self._seed, layer.number, number, cycles, _events(layer))

    def _keep(
        self, layer: MappedLayer, parts: list[np.ndarray], images: slice, cycles: range
    ) -> None:
        """Keep the rows of windows, pulse by pulse, from what their layer takes."""
        first, last = self._first_image + images.start, self._first_image + images.stop
        for window, kept in self._windows.items():
            if window.layer == layer.name and first <= window.image < last:
                frames = joined(
                    [
                        part.reshape(last - first, -1, *part.shape[1:])[window.image - first]
                        for part in parts
                    ]
                )
                rows = patch(frames, layer.kind, window.position).astype(float)
                kept.append(rows.repeat(len(cycles) // len(rows), axis=0))


def _products(stage: _Stage, state: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    return products(state, stage.layer.kind, stage.matrix)


def _clipped(stage: _Stage, product: np.ndarray) -> np.ndarray:
    bent = stage.bend(product)
    return np.clip(bent, stage.low, stage.high, out=bent)


def _groups(images: int, cycles: int, frames: int) -> Iterator[tuple[slice, range]]:
    """Images and cycles of at most ``frames`` frames, whole bursts, that together are all."""
    together = max(1, frames // cycles)
    for first in range(0, images, together):
        part = slice(first, min(first + together, images))
        for start in range(0, cycles, frames):
            yield part, range(start, min(start + frames, cycles))
