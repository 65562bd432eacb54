"""Operations and conversions of one inference, counted from the inputs of sampled windows."""

from __future__ import annotations

import math

import numpy as np

from memspice.analysis.cmos import Converters, Workload
from memspice.analysis.statistics import NORMAL_QUANTILE
from memspice.experiment.cosim import CosimState
from memspice.network.mapping import MappedLayer
from memspice.windows.setup import Prepared

#: Levels of a pixel, and the bits at which `Converters` gives its prices.
_PIXEL_LEVELS, _PRICED_BITS = 256, 8


def active_inputs(state: CosimState, layer: str) -> np.ndarray:
    """Inputs of a layer that are not zero, mean over the cycles of each sampled window."""
    windows = state.iterations[-1].inference.windows
    return np.array(
        [
            np.count_nonzero(inputs) / len(inputs)
            for window, inputs in windows.items()
            if window.layer == layer
        ]
    )


def _active(state: CosimState, layer: MappedLayer) -> tuple[float, float]:
    """Mean of the active inputs of a layer and the half width of its 95 % interval."""
    active = active_inputs(state, layer.name)
    error = float(np.std(active, ddof=1)) / math.sqrt(len(active))
    return float(np.mean(active)), NORMAL_QUANTILE * error


def workload(prepared: Prepared, state: CosimState) -> Workload:
    """Digital operations of one inference."""
    cycles, events, adds, products = prepared.setup.cycles, 0.0, 0.0, 0.0
    activations, macs = 0.0, 0.0
    for layer in prepared.mapped.layers:
        sums = layer.positions * layer.outputs
        macs += sums * layer.fan_in
        if layer.spiking:
            events += sums * cycles
            activations += sums
        if layer.number == 0:  # the same pixels in every cycle: a sensible design multiplies once
            products += sums * layer.fan_in
            continue
        adds += sums * cycles * _active(state, layer)[0]
    return Workload(events, adds, products, activations, macs)


def adds_half_width(prepared: Prepared, state: CosimState) -> float:
    """Half width of the 95 % interval of the synaptic additions of one inference."""
    halves = [
        layer.positions * layer.outputs * prepared.setup.cycles * _active(state, layer)[1]
        for layer in prepared.mapped.layers[1:]
    ]
    return math.hypot(*halves)


def converter_energy(
    prepared: Prepared, state: CosimState, converters: Converters
) -> dict[str, tuple[float, float]]:
    """Energy of the converters of each layer per inference, and its half width at 95 %, [J].

    A row at a graded level takes a conversion of as many bits as there are levels: a pixel once a
    position, which is held for all cycles; a pooled row that is not zero once a cycle.  The scores
    of the last layer are converted in every cycle.
    """
    bits, cycles, found = _graded_bits(prepared), prepared.setup.cycles, {}
    for layer in prepared.mapped.layers:
        price = converters.input_conversion * bits[layer.name] / _PRICED_BITS
        held = layer.positions * (1 if layer.number == 0 else cycles)
        mean, half = (price * held * count for count in _active(state, layer))
        if not layer.spiking:
            mean += layer.positions * layer.outputs * cycles * converters.output_conversion
        found[layer.name] = (mean, half)
    return found


def _graded_bits(prepared: Prepared) -> dict[str, int]:
    """Bits of a layer's input levels: 0 of spikes, which need no converter."""
    levels, bits = _PIXEL_LEVELS, {}
    for layer in prepared.mapped.layers:
        for pool in layer.pools:
            # A mean of spikes; of pixels, it stays at the bits of a pixel.
            levels = levels if levels == _PIXEL_LEVELS else (levels - 1) * pool.size**2 + 1
        bits[layer.name] = math.ceil(math.log2(levels)) if levels > 2 else 0
        levels = 2
    return bits
