"""Chips of which only a part of what drawn thresholds do to a stage is left.

What `experiments/mismatch` asks when it looks for the part that moves neurons, and for what a trim
reaches of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.decks import window_inputs
from memspice.circuits.blocks.subcircuit import SubcircuitStage
from memspice.circuits.drawn_stages import DrawnStages
from memspice.circuits.layer import LayerCircuit
from memspice.experiment.request import Request
from memspice.network.batch import Window
from memspice.network.mapping import MappedLayer, trimmed_layer
from memspice.windows.choice import choose_windows

#: Factors of what lines are off their level, of the logarithm of the mirror's ratio, and of the
#: difference behind it, [1].
Parts = tuple[float, float, float]
ALIKE: Parts = (0.0, 0.0, 0.0)
#: Write voltage and chance of a spike of each neuron, by layer, each (windows, outputs).
Neurons = Mapping[str, tuple[np.ndarray, np.ndarray]]


def inputs_of(request: Request, positions: int) -> dict[Window, np.ndarray]:
    """Inputs of windows of all spiking layers, (cycles, inputs), of a chip whose stages are alike.

    Parameters
    ----------
    request : Request
        On a chip whose transistors were drawn.
    positions : int
        Of each layer and image.
    """
    layers = tuple(with_parts(layer, ALIKE) for layer in request.mapped.layers)
    windows = [
        window
        for layer in layers
        if layer.spiking
        for window in choose_windows(layer, len(request.images), positions, request.seed)
    ]
    return window_inputs(request, replace(request.mapped, layers=layers), windows)


def neurons_with(request: Request, parts: Parts, inputs: Mapping[Window, np.ndarray]) -> Neurons:
    """What neurons of a chip with such parts make of inputs in their first burst."""
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    layers = {
        layer.name: with_parts(layer, parts) for layer in request.mapped.layers if layer.spiking
    }
    for window, rows in inputs.items():
        found.setdefault(window.layer, []).append(_neurons(layers[window.layer], rows, request))
    return {name: _stacked(each) for name, each in found.items()}


def _stacked(each: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    drives, chances = zip(*each, strict=True)
    return np.array(drives), np.array(chances)


def _neurons(
    layer: MappedLayer, inputs: np.ndarray, request: Request
) -> tuple[np.ndarray, np.ndarray]:
    drives, chances, start = [], [], 0
    for circuit in layer.circuits:
        rows = layer.row_voltage(inputs, start)
        drive = circuit.held_drive(rows, request.burst)[0]
        drives.append(drive)
        chances.append(-np.expm1(-np.exp(circuit.log_hazard(drive))))
        start += circuit.outputs
    return np.concatenate(drives), np.concatenate(chances)


def with_parts(layer: MappedLayer, parts: Parts) -> MappedLayer:
    """A layer with such parts, trimmed anew where it has a trim."""
    circuits = tuple(_circuit_with(circuit, parts) for circuit in layer.circuits)
    return trimmed_layer(replace(layer, circuits=circuits))


def _circuit_with(circuit: LayerCircuit, parts: Parts) -> LayerCircuit:
    sense = circuit.sense
    if not isinstance(sense, SubcircuitStage) or not isinstance(sense.transistors, DrawnStages):
        return circuit  # the last layer's
    own = sense.transistors
    scaled = replace(own.mismatch, sensitivities=own.mismatch.sensitivities * parts)
    transistors = replace(own, mismatch=scaled)
    return replace(
        circuit, sense=replace(sense, transistors=transistors), known_ports=circuit.ports
    )
