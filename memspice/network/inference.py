"""The network loop: every neuron of every layer, cycle by cycle, in NumPy.

Each layer is one matrix product per cycle with the exact drive gain of its crossbars (wires,
drivers and sense stages included), the hazard law, and one draw per event.  Matrix products are
float32; a spike is ``1 - u <= 1 - exp(-H)``, that is ``H >= E = -ln u``, with the same ``u`` that a
SPICE run of the event gets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from memspice.circuits.reduction import one_blas_thread
from memspice.devices.draws import event_uniforms
from memspice.errors import ConfigError, IncompleteResults
from memspice.jobs import run_jobs
from memspice.network.architecture import Conv, Dense, Pool
from memspice.network.mapping import MappedLayer, MappedNetwork
from memspice.network.weights import Network

#: Images per pass: bounds the memory of the patches of one convolution.
BATCH = 50


class Window(NamedTuple):
    """All neurons of one layer at one position of one image, through all cycles."""

    layer: str
    image: int
    position: int


class Calibration(NamedTuple):
    """What SPICE says of a layer's surrogate: drive voltage and hazard integral.

    ``drive' = drive_gain * drive + drive_offset`` [V] and
    ``ln H' = log_hazard_gain * ln H + log_hazard_offset``; the effective voltage scale is
    ``V0 / log_hazard_gain``.
    """

    drive_gain: float = 1.0
    drive_offset: float = 0.0
    log_hazard_gain: float = 1.0
    log_hazard_offset: float = 0.0


@dataclass
class InferenceResult:
    """Scores and spikes of a run.

    ``scores`` (images, classes) are mean accumulated outputs, in units of the weighted input;
    ``spike_rate`` is spikes per event by layer; ``windows`` the inputs (cycles, rows - 1) in
    [0, 1] of every window asked for.
    """

    scores: np.ndarray
    spike_rate: dict[str, float]
    spikes_per_image: dict[str, np.ndarray]
    windows: dict[Window, np.ndarray] = field(default_factory=dict)


def run_inference(
    mapped: MappedNetwork,
    images: np.ndarray,
    cycles: int,
    seed: int,
    *,
    first_image: int = 0,
    windows: Iterable[Window] = (),
    calibration: Mapping[str, Calibration] | None = None,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
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
    first_image : int
        Number of the first image in its data set, for the draws.
    windows : iterable of Window
        Inputs to keep, by number of the image in the data set.
    calibration : mapping, optional
        Corrections of the surrogate by layer name.
    workers : int
        Batches at a time; each keeps to one thread of BLAS.
    progress : callable, optional
        Called with the number of images of each batch that is done.

    Raises
    ------
    ConfigError
        If a window is of an unknown layer, or of an image or position that is not there.
    """
    kept = list(windows)
    for window in kept:
        _check_window(mapped, window, range(first_image, first_image + len(images)))
    surrogates = [_prepare(layer, (calibration or {}).get(layer.name)) for layer in mapped.layers]
    totals = {layer.name: np.zeros(len(images)) for layer in mapped.layers if layer.spiking}
    inputs: dict[Window, list[np.ndarray]] = {window: [] for window in kept}
    size = min(BATCH, -(-len(images) // workers))
    starts = range(0, len(images), size)

    def run_batch(start: int, stop: threading.Event) -> np.ndarray:
        batch = np.asarray(images[start : start + size], np.float32)
        run = _Batch(mapped, surrogates, seed, first_image + start, inputs)
        scores = run.cycles(batch, cycles, stop)
        for name, counts in run.spikes.items():
            totals[name][start : start + len(batch)] = counts
        return scores

    def done(_: int, scores: np.ndarray) -> None:
        if progress:
            progress(len(scores))

    with one_blas_thread():
        scores = run_jobs(run_batch, starts, workers=workers, on_done=done)
    rates = {
        layer.name: float(totals[layer.name].sum() / (len(images) * cycles * _events(layer)))
        for layer in mapped.layers
        if layer.spiking
    }
    found = {window: np.stack(rows) for window, rows in inputs.items() if rows}
    return InferenceResult(np.concatenate(scores), rates, totals, found)


def _check_window(mapped: MappedNetwork, window: Window, images: range) -> None:
    layer = mapped.layer(window.layer)
    if window.image not in images or not 0 <= window.position < layer.positions:
        raise ConfigError(
            f"{window} does not exist: images are {images.start} to {images.stop - 1}, positions "
            f"0 to {layer.positions - 1}"
        )


def _events(layer: MappedLayer) -> int:
    return layer.positions * layer.outputs


class _Surrogate(NamedTuple):
    """A layer's drive as one float32 product: ``limits(inputs @ gain + offset)``."""

    layer: MappedLayer
    gain: np.ndarray
    offset: np.ndarray
    calibration: Calibration


def _prepare(layer: MappedLayer, calibration: Calibration | None) -> _Surrogate:
    calibration = calibration or Calibration()
    circuit = layer.circuits[0]
    gain = np.concatenate([part.drive_gain for part in layer.circuits]).T
    read = circuit.array.read_voltage
    offset = circuit.bias_voltage + gain[-1] * (layer.bias_level * read)
    return _Surrogate(
        layer,
        np.asarray(gain[:-1] * read * calibration.drive_gain, np.float32),
        np.asarray(offset * calibration.drive_gain + calibration.drive_offset, np.float32),
        calibration,
    )


class _Batch:
    """One batch of images through all cycles."""

    def __init__(
        self,
        mapped: MappedNetwork,
        surrogates: list[_Surrogate],
        seed: int,
        first_image: int,
        windows: dict[Window, list[np.ndarray]],
    ) -> None:
        self._mapped, self._surrogates, self._seed = mapped, surrogates, seed
        self._first_image, self._windows = first_image, windows
        self.spikes: dict[str, np.ndarray] = {}
        self._first: tuple[np.ndarray, np.ndarray] | None = None

    def cycles(self, images: np.ndarray, cycles: int, stop: threading.Event) -> np.ndarray:
        """Mean scores (images, classes) over all cycles; gives up once ``stop`` is set."""
        total: np.ndarray | float = 0.0
        for cycle in range(cycles):
            if stop.is_set():
                raise IncompleteResults(f"the network loop was stopped after {cycle} cycles")
            total = total + self._cycle(images, cycle)
        return np.asarray(total / cycles)

    def _cycle(self, images: np.ndarray, cycle: int) -> np.ndarray:
        state = images
        surrogates = iter(self._surrogates)
        for step in self._mapped.steps:
            if isinstance(step, Pool):
                state = average_pool(state, step.size)
                continue
            surrogate = next(surrogates)
            drive = self._drive(surrogate, state)
            if not step.spiking:
                return drive.reshape(len(images), -1) / step.volts_per_unit
            spikes = self._spikes(surrogate, drive, cycle)
            state = _as_image(spikes, step)
        return state

    def _drive(self, surrogate: _Surrogate, state: np.ndarray) -> np.ndarray:
        """Drive voltages (images, positions, outputs), [V]."""
        layer = surrogate.layer
        first = layer.number == 0  # analogue inputs do not change from cycle to cycle
        if first and self._first is not None:
            rows, drive = self._first
        else:
            rows = input_rows(state, layer)
            low, high = layer.circuits[0].write_limits
            drive = np.clip(rows @ surrogate.gain + surrogate.offset, low, high)
        if first:
            self._first = (rows, drive)
        self._keep(layer, rows)
        return drive

    def _keep(self, layer: MappedLayer, rows: np.ndarray) -> None:
        for window, kept in self._windows.items():
            index = window.image - self._first_image
            if window.layer == layer.name and 0 <= index < len(rows):
                kept.append(rows[index, window.position].astype(float))

    def _spikes(self, surrogate: _Surrogate, drive: np.ndarray, cycle: int) -> np.ndarray:
        layer, calibration = surrogate.layer, surrogate.calibration
        probability = _probability(layer, drive, calibration)
        spikes = np.empty(drive.shape, np.float32)
        for index in range(len(drive)):
            uniforms = event_uniforms(
                self._seed, layer.number, self._first_image + index, cycle, 0, _events(layer)
            )
            spikes[index] = 1 - uniforms.reshape(drive.shape[1:]) <= probability[index]
        counts = self.spikes.setdefault(layer.name, np.zeros(len(drive)))
        counts += spikes.sum(axis=(1, 2))
        return spikes


def _probability(layer: MappedLayer, drive: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Probability ``1 - exp(-H)`` that a device switches, precise where it is small."""
    circuit = layer.circuits[0]
    timing = circuit.timing
    log_hazard = circuit.device.hazard.log_hazard_integral(
        drive * np.float32(circuit.write_fraction), timing.write, timing.edge
    )
    log_hazard = calibration.log_hazard_gain * log_hazard + calibration.log_hazard_offset
    return np.asarray(-np.expm1(-np.exp(np.minimum(log_hazard, 50))))


def _as_image(spikes: np.ndarray, layer: MappedLayer) -> np.ndarray:
    """Spikes (images, positions, outputs) as (images, channels, height, width)."""
    shape = layer.input_shape[1:] if isinstance(layer.kind, Conv) else (1, 1)
    return spikes.transpose(0, 2, 1).reshape(len(spikes), layer.outputs, *shape)


def input_rows(state: np.ndarray, layer: MappedLayer) -> np.ndarray:
    """Inputs of every position, shape (images, positions, fan_in), bias row not included.

    Convolutions read patches in (channel, kernel row, kernel column) order with zeros outside.
    """
    return _rows_of(state, layer.kind)


def _rows_of(state: np.ndarray, kind: Conv | Dense) -> np.ndarray:
    if isinstance(kind, Conv):
        return patches(state, kind.kernel)
    return state.reshape(len(state), 1, -1)


def patches(state: np.ndarray, kernel: int) -> np.ndarray:
    """Im2col of images (n, channels, height, width): (n, height * width, channels * kernel**2)."""
    images, channels, height, width = state.shape
    margin = kernel // 2
    padded = np.pad(state, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    view = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(2, 3))
    ordered = view.transpose(0, 2, 3, 1, 4, 5)
    return ordered.reshape(images, height * width, channels * kernel**2)


def average_pool(state: np.ndarray, size: int) -> np.ndarray:
    """Means over ``size`` x ``size`` blocks of (n, channels, height, width)."""
    images, channels, height, width = state.shape
    blocks = state.reshape(images, channels, height // size, size, width // size, size)
    return np.asarray(blocks.mean(axis=(3, 5)))


def ann_scores(
    network: Network, images: np.ndarray, progress: Callable[[int], None] | None = None
) -> np.ndarray:
    """Scores (n, classes) of the network as an ANN: probabilities instead of spikes, no circuit.

    The activation is that of the device, ``1 - exp(-exp(z))``; weights are the trained ones.
    ``progress`` is called with the number of images of each batch that is done.
    """
    results = []
    for start in range(0, len(images), BATCH):
        state = np.asarray(images[start : start + BATCH], np.float32)
        results.append(_ann_batch(network, state))
        if progress:
            progress(len(state))
    return np.concatenate(results)


def _ann_batch(network: Network, state: np.ndarray) -> np.ndarray:
    weights = iter(network.layers)
    total, done = len(network.layers), 0
    for kind in network.architecture.layers:
        if isinstance(kind, Pool):
            state = average_pool(state, kind.size)
            continue
        layer = next(weights)
        rows = _rows_of(state, kind)
        z = rows @ layer.weight.T.astype(np.float32) + layer.bias.astype(np.float32)
        done += 1
        if done == total:
            return z.reshape(len(state), -1)
        activity = -np.expm1(-np.exp(np.minimum(z, 50)))
        shape = state.shape[2:] if isinstance(kind, Conv) else (1, 1)
        state = activity.transpose(0, 2, 1).reshape(len(state), -1, *shape)
    return state
