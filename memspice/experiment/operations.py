"""Operations and conversions of one inference, counted from the inputs of sampled windows."""

from __future__ import annotations

import math

import numpy as np

from memspice.analysis.cmos import Converters, Workload
from memspice.analysis.statistics import NORMAL_QUANTILE
from memspice.experiment.cosim_state import CosimState
from memspice.experiment.request import Request
from memspice.network.architecture import Source
from memspice.network.mapping import MappedLayer

#: Levels of a pixel, and the bits at which `Converters` gives its prices.
_PIXEL_LEVELS, _PRICED_BITS = 256, 8


def _windows(state: CosimState, layer: MappedLayer) -> list[np.ndarray]:
    """Inputs (cycles, fan_in) of each sampled window of a layer."""
    kept = state.iterations[-1].inference.windows
    return [inputs for window, inputs in kept.items() if window.layer == layer.name]


def _active(state: CosimState, layer: MappedLayer, source: int) -> np.ndarray:
    """Inputs from a source that are not zero, mean over the cycles of each sampled window."""
    rows = layer.step.source_rows()[source]
    return np.array(
        [np.count_nonzero(inputs[:, rows]) / len(inputs) for inputs in _windows(state, layer)]
    )


def _spikes(state: CosimState, layer: MappedLayer) -> np.ndarray:
    """Inputs of a neuron that are not zero and no pixels, mean of each sampled window."""
    sources = layer.step.sources
    parts = [_active(state, layer, n) for n, source in enumerate(sources) if source.number]
    return np.asarray(sum(parts, np.zeros(len(_windows(state, layer))))) / layer.step.groups


def _half_width(values: np.ndarray) -> float:
    """Half width of the 95 % interval of a mean."""
    return NORMAL_QUANTILE * (float(np.std(values, ddof=1)) / math.sqrt(len(values)))


def workload(request: Request, state: CosimState) -> Workload:
    """Digital operations of one inference."""
    cycles, events, adds, products = request.cycles, 0.0, 0.0, 0.0
    activations, macs = 0.0, 0.0
    for layer in request.mapped.layers:
        sums = layer.positions * layer.outputs
        macs += sums * layer.fan_in
        if layer.spiking:
            events += sums * cycles
            activations += sums
        # The same pixels in every cycle: a sensible design multiplies once.
        products += sums * _pixel_rows(layer)
        adds += sums * cycles * float(np.mean(_spikes(state, layer)))
    return Workload(events, adds, products, activations, macs)


def _pixel_rows(layer: MappedLayer) -> float:
    """Inputs of a neuron that are pixels, mean over its groups."""
    each = zip(layer.step.sources, layer.step.source_rows(), strict=True)
    pixels: int = sum(rows.stop - rows.start for source, rows in each if source.number == 0)
    return pixels / layer.step.groups


def adds_half_width(request: Request, state: CosimState) -> float:
    """Half width of the 95 % interval of the synaptic additions of one inference."""
    halves = [
        layer.positions * layer.outputs * request.cycles * _half_width(_spikes(state, layer))
        for layer in request.mapped.layers
    ]
    return math.hypot(*halves)


def converter_energy(
    request: Request, state: CosimState, converters: Converters
) -> dict[str, tuple[float, float]]:
    """Energy of the converters of each layer per inference, and its half width at 95 %, [J].

    A row at a graded level takes a conversion of as many bits as there are levels: a pixel once a
    position, which is held for all cycles; a pooled row that is not zero once a cycle.  Rows of
    drivers with levels of their own take none.  The scores
    of the last layer are converted once a burst: without bursts, in every cycle; those of a leaky
    average in the end; and never where latches compare them.
    """
    cycles, found = request.cycles, {}
    device = request.mapped.parameter_set
    conversions = request.mapped.answers(cycles, request.burst) * converters.output_conversion
    graded = device.array.row_driver.steps is None
    price = graded * converters.input_conversion / _PRICED_BITS
    for layer in request.mapped.layers:
        joules = np.zeros(len(_windows(state, layer)))
        for number, source in enumerate(layer.step.sources):
            held = layer.positions * (cycles if source.number else 1)
            joules += price * graded_bits(source) * held * _active(state, layer, number)
        mean = float(np.mean(joules))
        if not layer.spiking:
            mean += layer.positions * device.answer.conversions(layer.outputs) * conversions
        found[layer.name] = (mean, _half_width(joules))
    return found


def comparison_energy(request: Request) -> dict[str, float]:
    """Energy of what compares the outputs of each layer for an answer per inference, [J]."""
    answers = request.mapped.answers(request.cycles, request.burst)
    stage = request.mapped.parameter_set.answer
    return {
        layer.name: 0.0
        if layer.spiking
        else answers * layer.positions * stage.comparison_energy(layer.outputs)
        for layer in request.mapped.layers
    }


def graded_bits(source: Source) -> int:
    """Bits of the levels of inputs from a source: 0 of spikes, which need no converter."""
    if source.number == 0:  # a mean of pixels stays at their bits
        return math.ceil(math.log2(_PIXEL_LEVELS))
    return math.ceil(math.log2(source.steps + 1)) if source.steps > 1 else 0
