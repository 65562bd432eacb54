"""From imported operations to a memspice network: folding, order, geometry, refusals.

Everything between two layers of neurons becomes one weight layer.  A factor in front of a weight
layer (sum instead of mean, a scaled input) goes into its columns, what follows it (batch
normalisation, thresholds) into its rows and biases; both are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memspice.errors import ShapeError
from memspice.importers.geometry import check_averaging, check_convolution, equal_blocks
from memspice.importers.operations import (
    AdaptiveAveraging,
    Averaging,
    Convolution,
    Flattening,
    FullProduct,
    Operation,
    Replacement,
    Scaling,
    StochasticNeurons,
    refusal,
    shape_text,
)
from memspice.importers.rate_match import RateMatch
from memspice.importers.typical import (
    Rates,
    kept_rates,
    reference_rate,
    typical_images,
    weighted_inputs,
)
from memspice.network.architecture import Architecture, Conv, Dense, Layer, Pool
from memspice.network.frames import pooled
from memspice.network.weights import Network, WeightLayer

Shape = tuple[int, int, int]
_REPLACED = (
    "replaced by stochastic neurons without memory, with the same rate, and slope of the rate, "
    "under steady input"
)


def assemble_network(
    name: str, input_shape: Sequence[int], operations: Sequence[Operation]
) -> Network:
    """Make a network of operations; its weights are not rounded to conductance levels yet.

    Parameters
    ----------
    name : str
        Of the network.
    input_shape : sequence of int
        (channels, height, width), or (inputs,), which is taken as (1, 1, inputs).
    operations : sequence of Operation
        In order, from the input to the scores.

    Returns
    -------
    Network
        The bound of each layer is its largest weight.  Its provenance says under ``changes`` and
        ``warnings`` which neurons were replaced, and under ``rates`` what that did to their rates.

    Raises
    ------
    ConfigError
        If an operation cannot be mapped; the message names it, the reason and what to try.
    ShapeError
        If weights do not fit what comes before them, or the input shape is none.
    """
    assembler = _Assembler(input_shape)
    if any(isinstance(operation, Replacement) for operation in operations):
        assembler.typical = typical_images(assembler.shape)
    for operation in operations:
        assembler.take(operation)
    layers, weights = assembler.finish()
    provenance = {
        "changes": [f"{rates.where}: {_REPLACED} {rates.text()}" for rates in assembler.rates],
        "warnings": [text for rates in assembler.rates if (text := rates.warning())],
        "rates": [rates.as_json() for rates in assembler.rates],
    }
    return Network(Architecture(name, assembler.input_shape, layers), weights, provenance)


@dataclass(eq=False)
class _Pending:
    """A weight layer whose neurons have not come yet."""

    where: str
    kind: Conv | Dense
    weight: np.ndarray
    bias: np.ndarray


class _Assembler:
    """Reads operations; the signal so far is ``scale * x + shift`` of what the rows will carry."""

    def __init__(self, input_shape: Sequence[int]) -> None:
        sides = tuple(int(side) for side in input_shape)
        self.flat = len(sides) == 1
        self.shape: Shape = (1, 1, *sides) if self.flat else sides  # type: ignore[assignment]
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise ShapeError(
                f"an input of shape {sides} is neither (channels, height, width) nor (inputs,): "
                "give it, for example 1x8x8"
            )
        self.input_shape = self.shape
        self.pending: _Pending | None = None
        #: Positions of an image that is not square, whose mean the next weight layer takes.
        self.positions = 1
        self.layers: list[Layer] = []
        self.weights: list[WeightLayer] = []
        self.where = "an empty network"
        self.rates: list[Rates] = []
        #: What the layer gets at typical images, where that is asked for; what its neurons make.
        self.typical: np.ndarray | None = None
        self.response: np.ndarray | None = None
        self._fresh_signal()

    def take(self, operation: Operation) -> None:
        """Add one operation."""
        self.where = operation.where
        match operation:
            case Convolution():
                self._convolution(operation)
            case FullProduct():
                self._product(operation)
            case Scaling():
                self._scaling(operation)
            case Averaging():
                self._averaging(operation)
            case AdaptiveAveraging():
                self._averaging(equal_blocks(operation, self.shape[1:]))
            case Flattening():
                self._flattening()
            case Replacement():
                self._replacement(operation)
            case StochasticNeurons():
                self._neurons(operation)

    def finish(self) -> tuple[tuple[Layer, ...], tuple[WeightLayer, ...]]:
        """Layers and weights, the last of which accumulates."""
        last = self.pending
        if last is None:
            raise refusal(
                self.where,
                "memspice's last layer has no neurons: its scores are its mean weighted inputs",
                "end in a fully connected layer, and leave out what follows it",
            )
        if isinstance(last.kind, Conv) and self.shape[1:] != (1, 1):
            raise refusal(
                last.where,
                f"the last layer has scores at {shape_text(self.shape[1:])} positions",
                "end in a fully connected layer, which gives one score a class",
            )
        self._commit(last)
        return tuple(self.layers), tuple(self.weights)

    def _fresh_signal(self) -> None:
        size = int(np.prod(self.shape)) if self.flat else self.shape[0]
        self.scale, self.shift = np.ones(size), np.zeros(size)

    def _commit(self, pending: _Pending) -> None:
        bound = float(np.max(np.abs(pending.weight)))
        if bound == 0:
            raise refusal(pending.where, "all of its weights are zero", "train it, or leave it out")
        self.layers.append(pending.kind)
        self.weights.append(WeightLayer(pending.weight, pending.bias, bound))
        self.pending = None

    def _start(self, pending: _Pending, shape: Shape) -> None:
        if self.pending is not None:
            raise refusal(
                pending.where,
                f"there are no neurons between it and {self.pending.where}",
                "put neurons between them, or multiply both into one",
            )
        if self.positions > 1:  # the mean over them is a product with equal weights
            if isinstance(pending.kind, Conv):
                raise refusal(
                    pending.where,
                    f"a kernel of {pending.kind.kernel} behind the mean over a whole image",
                    "use a fully connected layer",
                )
            pending.weight = np.repeat(pending.weight / self.positions, self.positions, axis=1)
            self.positions = 1
        self.pending, self.shape = pending, shape
        self._fresh_signal()

    def _convolution(self, operation: Convolution) -> None:
        where, weight = operation.where, operation.weight
        channels, height, width = self.shape
        if self.flat:
            raise refusal(where, "a convolution behind flattening", "flatten only before products")
        whole = check_convolution(operation, channels, (height, width))
        _check_bias(operation)
        scaled = weight * self.scale[:, None, None]
        # The zeros around the image are not shifted with it; a kernel of the whole has none.
        if np.any(self.shift) and not (whole or weight.shape[2:] == (1, 1)):
            raise refusal(
                where,
                "its input is shifted, but not the zeros around it",
                "put the normalisation behind the convolution",
            )
        bias = operation.bias + np.einsum("oikl,i->o", weight, self.shift)
        outputs = len(weight)
        kind = Dense(outputs) if whole else Conv(outputs, weight.shape[2])
        shape = (outputs, 1, 1) if whole else (outputs, height, width)
        self._start(_Pending(where, kind, scaled.reshape(outputs, -1), bias), shape)

    def _product(self, operation: FullProduct) -> None:
        where, weight = operation.where, operation.weight
        if not self.flat:
            raise refusal(
                where,
                f"its input {shape_text(self.shape)} is not flat",
                "put a Flatten in front of it",
            )
        size = int(np.prod(self.shape))
        if weight.ndim != 2 or weight.shape[1] != size:
            raise ShapeError(
                f"{where}: a weight of shape {weight.shape} does not fit {size} inputs "
                f"({shape_text(self.shape)}); check the shape of the input"
            )
        _check_bias(operation)
        bias = operation.bias + weight @ self.shift
        pending = _Pending(where, Dense(len(weight)), weight * self.scale, bias)
        self._start(pending, (len(weight), 1, 1))

    def _scaling(self, operation: Scaling) -> None:
        size = int(np.prod(self.shape)) if self.flat and not self.pending else self.shape[0]
        scale = self._spread(operation.scale, size, operation.where)
        shift = self._spread(operation.shift, size, operation.where)
        pending = self.pending
        if pending is None:
            self.scale, self.shift = self.scale * scale, self.shift * scale + shift
            return
        weight, bias = pending.weight * scale[:, None], pending.bias * scale + shift
        self.pending = _Pending(pending.where, pending.kind, weight, bias)

    def _spread(self, values: np.ndarray, size: int, where: str) -> np.ndarray:
        """One number for each of ``size`` channels (or inputs) of the signal."""
        if values.size == 1:
            return np.full(size, values.item())
        channels, every = self.shape[0], int(np.prod(self.shape))
        if values.shape in (self.shape, (every,)):
            positions = values.reshape(channels, -1)
        elif values.shape in ((channels,), (channels, 1, 1)) and not self.flat:
            positions = values.reshape(channels, 1)
        else:
            raise ShapeError(
                f"{where}: parameters of shape {values.shape} do not fit a signal of shape "
                f"{shape_text(self.shape)}; check the shape of the input"
            )
        if size == positions.size:
            return positions.ravel()
        if np.any(positions != positions[:, :1]):
            raise refusal(
                where,
                "its parameters differ from position to position of a channel",
                "the positions of a channel share weights and neurons here: give it one value",
            )
        return positions[:, 0]

    def _averaging(self, operation: Averaging) -> None:
        where, size = operation.where, operation.size[0]
        channels, height, width = self.shape
        if self.pending is not None:
            raise refusal(
                where,
                f"it comes between {self.pending.where} and its neurons",
                "put the neurons before the pooling: memspice pools spikes",
            )
        if self.flat:
            raise refusal(where, "pooling behind flattening", "pool before")
        if check_averaging(operation, (height, width)):
            self.positions, self.shape = height * width, (channels, 1, 1)
            return
        if size > 1:
            pool = Pool(size)
            self.layers.append(pool)
            if self.typical is not None:
                self.typical = pooled(self.typical, pool)
        self.shape = (channels, height // size, width // size)

    def _flattening(self) -> None:
        if not self.flat:
            self.flat = True
            positions = self.shape[1] * self.shape[2]
            self.scale, self.shift = (np.repeat(x, positions) for x in (self.scale, self.shift))

    def _replacement(self, operation: Replacement) -> None:
        """Bring the inputs of neurons to the scale at which stochastic ones have their rates."""
        where, pending = operation.where, self._before(operation.where)
        law = operation.law.each(lambda values: self._spread(values, self.shape[0], where))
        x = self._inputs(pending)
        self.response = law.rate(x)
        if not operation.last:
            self.rates.append(kept_rates(where, law, x, pending.bias))
        match = law.match(reference_rate(self.response))
        self._scaling(Scaling(where, match.scale, match.shift))

    def _inputs(self, pending: _Pending) -> np.ndarray:
        """What the neurons behind a weight layer get at typical images."""
        assert self.typical is not None
        weight, bias = pending.weight, pending.bias
        height, width, channels = self.typical.shape[1:]
        return weighted_inputs(weight, bias, pending.kind, (channels, height, width), self.typical)

    def _neurons(self, operation: StochasticNeurons) -> None:
        pending = self._before(operation.where)
        if self.typical is not None:
            if self.response is None:
                one = RateMatch(np.ones(1), np.zeros(1))
                self.response = one.rate(self._inputs(pending))
            self.typical, self.response = self.response.astype(np.float32), None
        self._commit(pending)

    def _before(self, where: str) -> _Pending:
        """Weight layer in front of neurons."""
        if self.pending is None:
            raise refusal(
                where,
                "there is no weight layer in front of these neurons",
                "leave them out: pixels drive the first layer at graded levels, spikes the others",
            )
        return self.pending


def _check_bias(operation: Convolution | FullProduct) -> None:
    expected = operation.weight.shape[:1]
    if operation.bias.shape != expected:
        raise ShapeError(
            f"{operation.where}: a bias of shape {operation.bias.shape} does not fit {expected[0]} "
            "outputs; export it again"
        )
