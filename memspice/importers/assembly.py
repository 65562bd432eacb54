"""From imported operations to a memspice network: folding, order, geometry, refusals.

Everything between two layers of neurons becomes one weight layer.  A factor in front of a weight
layer (sum instead of mean, a scaled input) goes into its columns, what follows it (batch
normalisation, thresholds) into its rows and biases; both are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from memspice.errors import ShapeError
from memspice.importers.geometry import check_blocks, convolution_kind, equal_blocks
from memspice.importers.operations import (
    AdaptiveAveraging,
    Addition,
    Averaging,
    Convolution,
    Flattening,
    FullProduct,
    Joining,
    Maximum,
    Operation,
    Replacement,
    Scaling,
    Step,
    StochasticNeurons,
    refusal,
    shape_text,
)
from memspice.importers.rate_match import RateMatch
from memspice.importers.signals import Pending, Rows, Shape, Signal, added, fresh, joined
from memspice.importers.stacking import stacked
from memspice.importers.typical import (
    Rates,
    kept_rates,
    reference_rate,
    typical_images,
    weighted_inputs,
)
from memspice.network.architecture import Conv, Dense, Pool, Source
from memspice.network.frames import pooled
from memspice.network.weights import Network

_REPLACED = (
    "replaced by stochastic neurons without memory, with the same rate, and slope of the rate, "
    "under steady input"
)


def assemble_network(name: str, input_shape: Sequence[int], steps: Sequence[Step]) -> Network:
    """Make a network of operations; its weights are not rounded to conductance levels yet.

    Parameters
    ----------
    name : str
        Of the network.
    input_shape : sequence of int
        (channels, height, width), or (inputs,), which is taken as (1, 1, inputs).
    steps : sequence of Step
        Operations, each behind what it takes; the last gives the scores.

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
    image = _image(input_shape)
    if any(isinstance(step.operation, Replacement) for step in steps):
        rows = replace(image.rows, typical=typical_images(image.shape))
        image = replace(image, rows=rows)
    assembler, signals = _Assembler(), [image]
    for step in steps:
        signals.append(assembler.take(step.operation, [signals[number] for number in step.takes]))
    _check_use(steps, signals)
    assembler.finish(signals[-1], steps[-1].operation.where if steps else "an empty network")
    architecture, weights = stacked(name, image.shape, assembler.layers)
    provenance = {
        "changes": [f"{rates.where}: {_REPLACED} {rates.text()}" for rates in assembler.rates],
        "warnings": [text for rates in assembler.rates if (text := rates.warning())],
        "rates": [rates.as_json() for rates in assembler.rates],
    }
    return Network(architecture, weights, provenance)


def _image(input_shape: Sequence[int]) -> Signal:
    sides = tuple(int(side) for side in input_shape)
    flat = len(sides) == 1
    shape: Shape = (1, 1, *sides) if flat else sides  # type: ignore[assignment]
    if len(shape) != 3 or min(shape) < 1:
        raise ShapeError(
            f"an input of shape {sides} is neither (channels, height, width) nor (inputs,): "
            "give it, for example 1x8x8"
        )
    return fresh(shape, Rows((Source(0),), (shape[0],)), flat=flat)


def _check_use(steps: Sequence[Step], signals: Sequence[Signal]) -> None:
    """Refuse results that nothing takes, and layers whose neurons come several times."""
    uses = [0] * len(signals)
    for number in (number for step in steps for number in step.takes):
        uses[number] += 1
    for step, signal, count in zip(steps, signals[1:], uses[1:], strict=True):
        where = step.operation.where
        if count == 0 and signal is not signals[-1]:
            raise refusal(where, "nothing takes what it gives", "leave it out: one result counts")
        if count > 1 and signal.pending is not None:
            raise refusal(
                where, "it branches in front of its neurons", "let the branches begin behind them"
            )


class _Assembler:
    """Makes signals of signals; ``layers`` are the weight layers so far, in order."""

    def __init__(self) -> None:
        self.layers: list[Pending] = []
        self.rates: list[Rates] = []
        #: Outputs at typical images of neurons that were replaced, until those in their place come.
        self._response: np.ndarray | None = None

    def take(self, operation: Operation, signals: Sequence[Signal]) -> Signal:
        """Result of an operation on one signal, or of those that take several."""
        if isinstance(operation, Joining):
            return joined(signals, operation.where)
        if isinstance(operation, Addition):
            return added(signals, operation.where)
        (signal,) = signals
        match operation:
            case Convolution():
                return _convolution(operation, signal)
            case FullProduct():
                return _product(operation, signal)
            case Scaling():
                return _scaled(operation, signal)
            case Averaging() | Maximum():
                return _pooled(operation, signal)
            case AdaptiveAveraging():
                return _pooled(equal_blocks(operation, signal.shape[1:]), signal)
            case Flattening():
                return signal.flattened()
            case Replacement():
                return self._replacement(operation, signal)
            case StochasticNeurons():
                return self._neurons(operation, signal)

    def finish(self, signal: Signal, where: str) -> None:
        """Add the last layer, which accumulates."""
        last = signal.pending
        if last is None:
            raise refusal(
                where,
                "memspice's last layer has no neurons: its scores are its mean weighted inputs",
                "end in a fully connected layer, and leave out what follows it",
            )
        if isinstance(last.kind, Conv) and signal.shape[1:] != (1, 1):
            raise refusal(
                last.where,
                f"the last layer has scores at {shape_text(signal.shape[1:])} positions",
                "end in a fully connected layer, which gives one score a class",
            )
        self._add(last)

    def _add(self, layer: Pending) -> None:
        if not layer.weight.any():
            raise refusal(layer.where, "all of its weights are zero", "train it, or leave it out")
        self.layers.append(layer)

    def _replacement(self, operation: Replacement, signal: Signal) -> Signal:
        """Bring the inputs of neurons to the scale at which stochastic ones have their rates."""
        where, pending = operation.where, _before(signal, operation.where)
        law = operation.law.each(lambda values: signal.spread(values, signal.shape[0], where))
        x = _typical_inputs(pending)
        self._response = law.rate(x)
        if not operation.last:
            self.rates.append(kept_rates(where, law, x, pending.bias))
        match = law.match(reference_rate(self._response))
        return _scaled(Scaling(where, match.scale, match.shift), signal)

    def _neurons(self, operation: StochasticNeurons, signal: Signal) -> Signal:
        pending, typical = _before(signal, operation.where), None
        if pending.rows.typical is not None:
            if self._response is None:
                one = RateMatch(np.ones(1), np.zeros(1))
                self._response = one.rate(_typical_inputs(pending))
            typical, self._response = self._response.astype(np.float32), None
        self._add(pending)
        rows = Rows((Source(len(self.layers)),), (signal.shape[0],), typical)
        return fresh(signal.shape, rows, flat=signal.flat)


def _typical_inputs(pending: Pending) -> np.ndarray:
    """What the neurons behind a weight layer get at typical images."""
    typical = pending.rows.typical
    assert typical is not None
    height, width, channels = typical.shape[1:]
    shape = (channels, height, width)
    return weighted_inputs(pending.weight, pending.bias, pending.kind, shape, typical)


def _before(signal: Signal, where: str) -> Pending:
    """Weight layer in front of neurons."""
    if signal.pending is None:
        raise refusal(
            where,
            "there is no weight layer in front of these neurons",
            "leave them out: pixels drive the first layer at graded levels, spikes the others",
        )
    return signal.pending


def _started(
    operation: Convolution | FullProduct,
    kind: Conv | Dense,
    weight: np.ndarray,
    bias: np.ndarray,
    signal: Signal,
) -> Signal:
    """Signal of a weight layer; ``weight`` is (outputs, fan_in)."""
    where = operation.where
    if signal.pending is not None:
        raise refusal(
            where,
            f"there are no neurons between it and {signal.pending.where}",
            "put neurons between them, or multiply both into one",
        )
    if signal.positions > 1:  # the mean over them is a product with equal weights
        if isinstance(kind, Conv):
            raise refusal(
                where,
                f"a kernel of {kind.kernel} behind the mean over a whole image",
                "use a fully connected layer",
            )
        weight = np.repeat(weight / signal.positions, signal.positions, axis=1)
    sides = kind.sides(*signal.shape[1:]) if isinstance(kind, Conv) else (1, 1)
    pending = Pending(where, kind, weight, bias, signal.rows)
    made = fresh((len(weight), *sides), signal.rows, flat=signal.flat)
    return replace(made, pending=pending)


def _convolution(operation: Convolution, signal: Signal) -> Signal:
    where, weight, groups = operation.where, operation.weight, operation.groups
    if signal.flat:
        raise refusal(where, "a convolution behind flattening", "flatten only before products")
    kind = convolution_kind(operation, signal.shape[0], signal.shape[1:])
    _check_bias(operation)
    # The channels that each output sees, (outputs, inputs of a group).
    seen = np.arange(signal.shape[0]).reshape(groups, -1).repeat(len(weight) // groups, axis=0)
    scaled = weight * signal.scale[seen][:, :, None, None]
    # The zeros around the image are not shifted with it.
    if np.any(signal.shift) and isinstance(kind, Conv) and kind.margin:
        raise refusal(
            where,
            "its input is shifted, but not the zeros around it",
            "put the normalisation behind the convolution",
        )
    bias = operation.bias + np.einsum("oikl,oi->o", weight, signal.shift[seen])
    return _started(operation, kind, scaled.reshape(len(weight), -1), bias, signal)


def _product(operation: FullProduct, signal: Signal) -> Signal:
    where, weight = operation.where, operation.weight
    if not signal.flat:
        raise refusal(
            where,
            f"its input {shape_text(signal.shape)} is not flat",
            "put a Flatten in front of it",
        )
    size = int(np.prod(signal.shape))
    if weight.ndim != 2 or weight.shape[1] != size:
        raise ShapeError(
            f"{where}: a weight of shape {weight.shape} does not fit {size} inputs "
            f"({shape_text(signal.shape)}); check the shape of the input"
        )
    _check_bias(operation)
    bias = operation.bias + weight @ signal.shift
    return _started(operation, Dense(len(weight)), weight * signal.scale, bias, signal)


def _scaled(operation: Scaling, signal: Signal) -> Signal:
    pending = signal.pending
    whole = signal.flat and pending is None
    size = int(np.prod(signal.shape)) if whole else signal.shape[0]
    scale = signal.spread(operation.scale, size, operation.where)
    shift = signal.spread(operation.shift, size, operation.where)
    if pending is None:
        return replace(signal, scale=signal.scale * scale, shift=signal.shift * scale + shift)
    weight, bias = pending.weight * scale[:, None], pending.bias * scale + shift
    return replace(signal, pending=replace(pending, weight=weight, bias=bias))


def _pooled(operation: Averaging | Maximum, signal: Signal) -> Signal:
    where, size = operation.where, operation.size[0]
    channels, height, width = signal.shape
    if signal.pending is not None:
        raise refusal(
            where,
            f"it comes between {signal.pending.where} and its neurons",
            "put the neurons before the pooling: memspice pools spikes",
        )
    if signal.flat:
        raise refusal(where, "pooling behind flattening", "pool before")
    whole = check_blocks(operation, (height, width))
    largest = isinstance(operation, Maximum)
    if largest and (whole or not signal.plain):
        raise refusal(
            where,
            "a maximum is of spikes in square blocks",
            "put it right behind the neurons, and use square blocks",
        )
    if whole:
        return replace(signal, positions=height * width, shape=(channels, 1, 1))
    if size == 1:
        return signal
    pool, rows = Pool(size, "any" if largest else "mean"), signal.rows
    typical = rows.typical if rows.typical is None else pooled(rows.typical, pool)
    sources = tuple(source.through(pool) for source in rows.sources)
    return replace(
        signal,
        rows=replace(rows, sources=sources, typical=typical),
        shape=(channels, height // size, width // size),
    )


def _check_bias(operation: Convolution | FullProduct) -> None:
    expected = operation.weight.shape[:1]
    if operation.bias.shape != expected:
        raise ShapeError(
            f"{operation.where}: a bias of shape {operation.bias.shape} does not fit {expected[0]} "
            "outputs; export it again"
        )
