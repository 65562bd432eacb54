"""A batch of images through all cycles: what one worker of the network loop carries out.

A `NetworkLoop` is a chip as the loop sees it: a float32 matrix and a switching rule a layer.  A
call of `run_batch` depends on nothing but its arguments and can be sent to another process; so it
does not matter who runs which images, or when.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from memspice.circuits.bursts import burst_means, leaky_means
from memspice.circuits.pulse_code import PulseCode
from memspice.devices.draws import event_draws
from memspice.errors import IncompleteResults
from memspice.network.architecture import Source, WeightStep
from memspice.network.frames import Outputs, channels_last, joined, layer_matrix, patch, products
from memspice.network.mapping import MappedLayer, MappedNetwork
from memspice.network.scales import Readout
from memspice.network.switching import Calibration, OpenEvents, SwitchingRule
from memspice.solver.reduction import one_blas_thread

#: Largest number of events of one layer that are kept at a time: bounds the memory.
EVENTS = 1 << 21


class Window(NamedTuple):
    """All neurons of one layer at one position of one image, through all cycles."""

    layer: str
    image: int
    position: int


@dataclass(frozen=True, eq=False)
class BatchResult:
    """Results of some images that follow one another.

    ``first`` is the number of the first in its data set; ``scores`` (cycle counts, images, classes)
    are those of `memspice.network.inference.InferenceResult`, of no cycle count where no layer
    makes scores; ``ended`` (images,) counts the bursts of which the highest drive is where its
    stage ends; ``spikes`` (images,) are counted by layer; ``windows`` are inputs (cycles, inputs)
    of the windows asked for.
    """

    first: int
    scores: np.ndarray
    ended: np.ndarray
    spikes: dict[str, np.ndarray]
    windows: dict[Window, np.ndarray]


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


@dataclass(frozen=True, eq=False)
class Bend:
    """Line of the drive of bit lines: ``slope * drive(currents) + intercept``."""

    drive: Callable[[np.ndarray], np.ndarray]
    slope: np.ndarray | float
    intercept: np.ndarray | float

    def __call__(self, currents: np.ndarray) -> np.ndarray:
        """Line (..., outputs), float32, of currents (..., bit lines) [A]."""
        drive = self.drive(currents.astype(float))
        return np.asarray(self.slope * drive + self.intercept, np.float32)


@dataclass(frozen=True, eq=False)
class Stage:
    """A layer as one float32 product: ``clip(bend(inputs @ matrix), low, high)``.

    The result is the line that ``rule`` takes, or the drive [V] of a layer without neurons.  Limits
    have shape (1,), or (outputs,) where neurons differ.  Where the drive is no line in the inputs
    the product is that of the bit lines' currents, and ``bend`` makes the drive of them.
    """

    step: WeightStep
    matrix: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rule: SwitchingRule | None
    bend: Bend | None = None

    @property
    def events(self) -> int:
        """Neurons at all positions."""
        return math.prod(self.step.output_shape)

    def products(self, state: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Results block by block of frames, which hold until the next block is asked for."""
        limit = np.clip if self.low.size == 1 else _between
        for part, product in products(state, self.step.layer, self.matrix):
            bent = self.bend(product) if self.bend else product
            yield part, limit(bent, self.low, self.high, out=bent)


def _between(
    values: np.ndarray, low: np.ndarray, high: np.ndarray, *, out: np.ndarray
) -> np.ndarray:
    """`numpy.clip` at limits of each neuron: up to 3 times as fast there, slower at common ones."""
    np.maximum(values, low, out=out)
    return np.asarray(np.minimum(out, high, out=out))


def stage_of(layer: MappedLayer, calibration: Calibration | None = None) -> Stage:
    """Layer of a chip as the loop computes it; SPICE may have corrected its surrogate."""
    calibration = calibration or Calibration()
    rule = SwitchingRule(layer.circuits, calibration) if layer.spiking else None
    ends = np.array(layer.circuits[0].write_limits, np.float32)[:, None]
    low, high = rule.limits if rule else ends
    slope, intercept = calibration.drive_gain, calibration.drive_offset
    if rule:
        slope, intercept = rule.slope * slope, rule.slope * intercept + rule.intercept
    if not layer.straight:
        weight, offset = layer.current_line()
        matrix = layer_matrix(weight.T, offset, layer.kind, layer.input_shape)
        return Stage(
            step=layer.step,
            matrix=matrix,
            low=low,
            high=high,
            rule=rule,
            bend=Bend(layer.drive, slope, intercept),
        )
    weight, offset = layer.drive_line()
    weight, offset = slope * weight.T, slope * offset + intercept
    matrix = layer_matrix(weight, offset, layer.kind, layer.input_shape)
    return Stage(layer.step, matrix, low, high, rule)


@dataclass(frozen=True, eq=False)
class NetworkLoop:
    """A chip as the loop computes it, and for how long.

    Parameters
    ----------
    steps : tuple of WeightStep
        Layers whose inputs are made, in their order.
    stages : tuple of Stage
        Those of them that are computed: all, or all but a last one that windows only look into.
    readout : Readout or None
        Of the last layer; None where it is not computed.
    cycles, burst : int
        Of an image, and of a burst.
    seed : int
        Of the event draws.
    code : PulseCode
        How rows carry pixels.
    share : float, [1]
        Of a held drive, what the newest row pulse makes.
    """

    steps: tuple[WeightStep, ...]
    stages: tuple[Stage, ...]
    readout: Readout | None
    cycles: int
    burst: int
    seed: int
    code: PulseCode
    share: float = 1.0

    @property
    def span(self) -> int:
        """Cycles that hang together: those of a burst, or of an image where drives are leaky."""
        return self.burst if self.share == 1 else self.cycles

    def pulses(self, sent: np.ndarray, source: Source, cycles: range) -> np.ndarray:
        """Row pulses of what a source sends: spikes, or pixels, which may be coded."""
        return sent if source.number else self.code.pulses(sent, cycles)

    def integrated(self, pulses: np.ndarray, source: Source) -> np.ndarray:
        """What a layer takes in of pulses of whole spans, frame after frame."""
        if source.number == 0 and self.code.steps is None:
            return pulses  # the same in every cycle, and so their own mean
        return burst_means(leaky_means(pulses, self.span, self.share), self.burst)


def loop_of(
    mapped: MappedNetwork,
    cycles: int,
    seed: int,
    *,
    burst: int = 1,
    calibration: Mapping[str, Calibration] | None = None,
    last: str | None = None,
) -> NetworkLoop:
    """NetworkLoop of a chip.

    Parameters
    ----------
    mapped : MappedNetwork
        Network on crossbars.
    cycles, seed, burst
        As of `NetworkLoop`.
    calibration : mapping, optional
        Corrections of the surrogate by layer name.
    last : str, optional
        Layer whose inputs are the last thing wanted: it is not computed, nor what comes after it.
    """
    layers = mapped.layers if last is None else mapped.layers[: mapped.layer(last).number + 1]
    known = calibration or {}
    computed = layers if last is None else layers[:-1]
    return NetworkLoop(
        steps=tuple(layer.step for layer in layers),
        stages=tuple(stage_of(layer, known.get(layer.name)) for layer in computed),
        readout=layers[-1].readout if last is None else None,
        cycles=cycles,
        burst=burst,
        seed=seed,
        code=mapped.code,
        share=mapped.share,
    )


def run_batch(
    loop: NetworkLoop,
    images: np.ndarray,
    first_image: int,
    windows: tuple[Window, ...],
    cancel: threading.Event,
) -> BatchResult:
    """Run some images through all cycles of a loop, on one thread of BLAS.

    Parameters
    ----------
    loop : NetworkLoop
    images : ndarray, shape (n, channels, height, width), [1]
        Pixels in [0, 1].
    first_image : int
        Number of the first in its data set, for the draws.
    windows : tuple of Window
        Inputs to keep, of these images.
    cancel : threading.Event
        Gives up once it is set.

    Raises
    ------
    IncompleteResults
        If it was set.
    """
    with one_blas_thread():
        return _Batch(loop, len(images), first_image, windows).run(images, cancel)


class _Batch:
    """One batch of images through all cycles, a group of frames at a time."""

    def __init__(
        self, loop: NetworkLoop, images: int, first_image: int, windows: tuple[Window, ...]
    ) -> None:
        self._loop, self._first_image = loop, first_image
        self._windows: dict[Window, list[np.ndarray]] = {window: [] for window in windows}
        self._spikes = {stage.step.name: np.zeros(images) for stage in loop.stages if stage.rule}

    def run(self, images: np.ndarray, cancel: threading.Event) -> BatchResult:
        """Mean scores, spikes and windows; gives up once ``cancel`` is set."""
        loop = self._loop
        classes = math.prod(loop.steps[-1].output_shape) if loop.readout else 0
        drive = np.zeros((len(images), loop.cycles // loop.burst, classes))
        largest = max(math.prod(step.output_shape) for step in loop.steps)
        together = max(loop.span, EVENTS // largest // loop.span * loop.span)
        for part, span in _groups(len(images), loop.cycles, together):
            if cancel.is_set():
                raise IncompleteResults(
                    f"the network loop was stopped before image {self._first_image + part.start}, "
                    f"cycle {span.start}"
                )
            # One for all bursts where nothing is drawn.
            found = self._group(channels_last(images[part]), part, span)
            if found is not None:
                held = slice(span.start // loop.burst, span.stop // loop.burst)
                drive[part, held] = found
        windows = {window: np.concatenate(rows) for window, rows in self._windows.items()}
        scores, ended = self._scores(drive), self._ended(drive)
        return BatchResult(self._first_image, scores, ended, self._spikes, windows)

    def _ended(self, drive: np.ndarray) -> np.ndarray:
        """Bursts (images,) of which the highest drive of (images, bursts, classes) ends."""
        readout = self._loop.readout
        return readout.ended(drive).sum(axis=1) if readout else np.zeros(len(drive), int)

    def _scores(self, drive: np.ndarray) -> np.ndarray:
        """Scores (cycle counts, images, classes) of drives (images, bursts, classes) [V].

        Those of the mean drive so far, or of the one that is held, a leaky mean itself.
        """
        readout, bursts = self._loop.readout, drive.shape[1]
        if readout is None:
            return np.empty((0, len(drive), 0))
        counts = np.array(cycle_counts(bursts))
        if self._loop.share < 1:
            return readout.scores(drive[:, counts - 1].swapaxes(0, 1))
        totals = np.cumsum(drive, axis=1)[:, counts - 1].swapaxes(0, 1)
        return readout.scores(totals / counts[:, None, None])

    def _group(self, pixels: np.ndarray, images: slice, cycles: range) -> np.ndarray | None:
        """Drives of the last layer (images, bursts or 1, outputs) [V] in some cycles.

        None where only inputs were wanted.
        """
        loop = self._loop
        outputs = Outputs(loop.steps, pixels)
        for step, stage in zip_longest(loop.steps, loop.stages):
            parts = [
                loop.pulses(part, source, cycles)
                for part, source in zip(outputs.take(step), step.sources, strict=True)
            ]
            self._keep(step, parts, images, cycles)
            if stage is None:
                return None
            each = zip(parts, step.sources, strict=True)
            state = joined([loop.integrated(part, source) for part, source in each])
            if stage.rule is None:
                break
            outputs.add(step, self._fired(stage, stage.rule, state, images, cycles))
        drive = np.concatenate([product.copy() for _, product in stage.products(state)])
        return drive.reshape(len(pixels), -1, stage.events)

    def _fired(
        self, stage: Stage, rule: SwitchingRule, state: np.ndarray, images: slice, cycles: range
    ) -> np.ndarray:
        """Spikes (frames, height, width, outputs) of a layer."""
        channels, height, width = stage.step.output_shape
        count = images.stop - images.start
        fired = np.empty((count * len(cycles), stage.events), bool)
        repeat = len(fired) // len(state)
        draws = self._draws(stage, images, cycles)
        left: list[OpenEvents] = []
        for part, line in stage.products(state):
            frames = fired[part.start * repeat : part.stop * repeat]
            left += rule.screen(line.reshape(len(line), -1), draws, frames)
        rule.settle(left)
        for image, spikes in enumerate(fired.reshape(count, -1), images.start):
            self._spikes[stage.step.name][image] += np.count_nonzero(spikes)
        return fired.reshape(len(fired), height, width, channels)

    def _draws(self, stage: Stage, images: slice, cycles: range) -> Iterator[np.ndarray]:
        """Draws of frame after frame."""
        for image in range(images.start, images.stop):
            number = self._first_image + image
            layer = stage.step.number - 1
            yield from event_draws(self._loop.seed, layer, number, cycles, stage.events)

    def _keep(
        self, step: WeightStep, parts: list[np.ndarray], images: slice, cycles: range
    ) -> None:
        """Keep the rows of windows, pulse by pulse, from what their layer takes."""
        first, last = self._first_image + images.start, self._first_image + images.stop
        for window, kept in self._windows.items():
            if window.layer == step.name and first <= window.image < last:
                frames = joined(
                    [
                        part.reshape(last - first, -1, *part.shape[1:])[window.image - first]
                        for part in parts
                    ]
                )
                rows = patch(frames, step.layer, window.position).astype(float)
                kept.append(rows.repeat(len(cycles) // len(rows), axis=0))


def _groups(images: int, cycles: int, frames: int) -> Iterator[tuple[slice, range]]:
    """Images and cycles of at most ``frames`` frames, whole bursts, that together are all."""
    together = max(1, frames // cycles)
    for first in range(0, images, together):
        part = slice(first, min(first + together, images))
        for start in range(0, cycles, frames):
            yield part, range(start, min(start + frames, cycles))
