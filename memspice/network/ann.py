"""A network as an ANN: probabilities instead of spikes, no circuit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from memspice.jobs import run_jobs
from memspice.network.architecture import Conv
from memspice.network.frames import Outputs, channels_last, joined, layer_matrix, products
from memspice.network.weights import Network
from memspice.solver.reduction import one_blas_thread

#: Images per pass: bounds the memory.
BATCH = 50


def ann_scores(
    network: Network,
    images: np.ndarray,
    progress: Callable[[int], None] | None = None,
    workers: int = 2,
) -> np.ndarray:
    """Scores (n, classes) of the network as an ANN: probabilities instead of spikes, no circuit.

    The activation is that of the device, ``1 - exp(-exp(z))`` with ``z`` clipped to the network's
    span; weights are the trained ones.

    Parameters
    ----------
    network : Network
        Trained weights.
    images : ndarray, shape (n, channels, height, width), [1]
        Pixels in [0, 1].
    progress : callable, optional
        Called with the number of images of each batch that is done.
    workers : int
        Batches at a time; each keeps to one thread of BLAS.
    """
    matrices = _matrices(network)

    def run_batch(start: int, _: threading.Event) -> np.ndarray:
        return _batch(network, matrices, channels_last(images[start : start + BATCH]))

    def done(_: int, scores: np.ndarray) -> None:
        if progress:
            progress(len(scores))

    with one_blas_thread():
        starts = range(0, len(images), BATCH)
        return np.concatenate(run_jobs(run_batch, starts, workers=workers, on_done=done))


def _matrices(network: Network) -> list[np.ndarray]:
    steps = network.architecture.shapes()
    return [
        layer_matrix(weights.weight.T, weights.bias, step.layer, step.input_shape)
        for step, weights in zip(steps, network.layers, strict=True)
    ]


def with_mean_inputs(network: Network, images: np.ndarray) -> Network:
    """Network that knows the mean level of every input of its layers, as an ANN.

    Parameters
    ----------
    network : Network
        Trained weights.
    images : ndarray, shape (n, channels, height, width), [1]
        Training images in [0, 1]; some hundred are enough.

    Returns
    -------
    Network
        The same weights with ``mean_input``; a convolution's is the mean over all positions.
    """
    found: list[list[np.ndarray]] = [[] for _ in network.layers]

    def keep(number: int, state: np.ndarray) -> None:
        found[number].append(state.sum(axis=0, dtype=float))

    matrices = _matrices(network)
    with one_blas_thread():
        for start in range(0, len(images), BATCH):
            _batch(network, matrices, channels_last(images[start : start + BATCH]), keep)
    layers = []
    steps = network.architecture.shapes()
    for step, layer, sums in zip(steps, network.layers, found, strict=True):
        kind = step.layer
        mean = np.sum(sums, axis=0) / len(images)  # (height, width, channels)
        if isinstance(kind, Conv):
            rows = np.repeat(mean.mean(axis=(0, 1)), kind.kernel**2)
        else:
            rows = mean.transpose(2, 0, 1).ravel()
        layers.append(replace(layer, mean_input=np.clip(rows, 0.0, 1.0)))
    return replace(network, layers=tuple(layers))


def _batch(
    network: Network,
    matrices: list[np.ndarray],
    state: np.ndarray,
    keep: Callable[[int, np.ndarray], None] = lambda number, state: None,
) -> np.ndarray:
    """Scores; ``keep`` gets the number and the input of every weight layer."""
    steps = list(network.architecture.shapes())
    outputs = Outputs(steps, state)
    for step, matrix in zip(steps, matrices, strict=True):
        state = joined(outputs.take(step))
        keep(step.number - 1, state)
        channels, *sides = step.output_shape
        made = np.empty((len(state), *sides, channels), np.float32)
        flat = made.reshape(len(state), -1, channels)
        for part, z in products(state, step.layer, matrix):
            flat[part] = z if step is steps[-1] else _activity(z, network.span)
        outputs.add(step, made)
    return made.reshape(len(state), -1)


def _activity(z: np.ndarray, span: tuple[float, float] | None) -> np.ndarray:
    hazard = np.exp(np.clip(z, *span) if span else np.minimum(z, 50))
    return np.asarray(-np.expm1(-hazard))
