"""The bit line that can carry the most current: what the sense stages of a layer are sized for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from memspice.network.weights import WeightLayer
from memspice.parameters import ParameterSet
from memspice.quantities import format_si


class HeaviestLine(NamedTuple):
    """Neuron whose bit line can carry the most current [A], and the share of its bias in that."""

    neuron: int
    bias: float
    current: float
    bias_share: float

    def __str__(self) -> str:
        return (
            f"neuron {self.neuron}, whose bit line carries up to {format_si(self.current, 'A')}, "
            f"{100 * self.bias_share:.0f} % of it for its bias of {self.bias:.3g}"
        )


def heaviest_line(
    conductance: np.ndarray, row_level: np.ndarray, layer: WeightLayer, parameter_set: ParameterSet
) -> HeaviestLine:
    """Bit line of a layer that can carry the most current.

    Parameters
    ----------
    conductance : ndarray, shape (rows, columns), [S]
        Synapse devices of all neurons, two columns each.
    row_level : ndarray, shape (rows,), [1]
        Highest level of each row, in read voltages.
    layer : WeightLayer
        Weights and biases.
    parameter_set : ParameterSet
        Cells and read voltage.
    """
    array = parameter_set.array
    cells = array.cell.read_conductance(conductance, array.read_voltage)
    column = int(np.argmax(row_level @ cells))
    current = np.max(row_level @ cells) * array.read_voltage
    inputs = layer.weight.shape[1]
    bias = row_level[inputs:] @ cells[inputs:, column] * array.read_voltage
    neuron = column // 2
    return HeaviestLine(neuron, float(layer.bias[neuron]), float(current), float(bias / current))


def line_conductances(conductance: np.ndarray, parameter_set: ParameterSet) -> tuple[float, float]:
    """Least and largest conductance of a bit line, [S]: its cells together, at the read voltage.

    Parameters
    ----------
    conductance : ndarray, shape (rows, columns), [S]
        Synapse devices.
    parameter_set : ParameterSet
        Cells and read voltage.
    """
    array = parameter_set.array
    cells = array.cell.read_conductance(conductance, array.read_voltage)
    lines = cells.sum(axis=0)
    return float(lines.min()), float(lines.max())
