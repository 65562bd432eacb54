"""Trimming of a programmed chip: what its cells, wires and neurons add to each drive on average.

Spikes are never negative, so an error of a cell is mostly one of the neuron's mean drive, and so is
a neuron whose constants differ.  After programming, the rows of a layer are driven at the mean
levels that training saw, and the offset of each difference stage is swept until its neuron spikes
at the rate that the weights ask for.  The offset of an accumulating stage is taken off where its
output is accumulated, so it has no steps.  Trimming needs no images, only one number a row, and
works on a circuit as well as on a chip.
"""

from __future__ import annotations

import numpy as np

from memspice.circuits.layer import LayerCircuit

#: Rates that a trimming measures, as ``ln H``: from 5 % of the cycles to 81 %.  A neuron that the
#: mean levels drive further is trimmed at the end of this range.
MEASURED = (-3.0, 0.5)


def trimmed(
    circuit: LayerCircuit, row_voltage: np.ndarray, asked: np.ndarray, volts_per_unit: float
) -> LayerCircuit:
    """Circuit with its trim set, neurons' to the step and within its range.

    Parameters
    ----------
    circuit : LayerCircuit
        As programmed, with the neurons that were drawn for it; its step of a trim is above zero.
    row_voltage : ndarray, shape (rows,), [V]
        Mean levels of the rows, the bias row included.
    asked : ndarray, shape (outputs,), [1]
        Weighted input that the weights give for these levels: ``ln H`` of a median neuron.
    volts_per_unit : float, [V]
        Drive of a median neuron per unit of weighted input.
    """
    step, limit = circuit.neuron.trim
    drive = circuit.with_trim(np.zeros(circuit.outputs)).unlimited_drive(row_voltage)
    if not circuit.spiking:
        return circuit.with_trim(asked * volts_per_unit - drive)
    measured = np.clip(asked, *MEASURED)
    off = drive_for(circuit, measured) + (asked - measured) * volts_per_unit - drive
    codes = np.round(np.clip(off, -limit, limit) / step)
    return circuit.with_trim(codes * step)


def drive_for(circuit: LayerCircuit, log_hazard: np.ndarray) -> np.ndarray:
    """Drive [V] at which each neuron has some ``ln H``, shape (outputs,), without limits."""
    drive = np.full(circuit.outputs, circuit.bias_voltage)
    step = 1e-3 * circuit.write_limits[1]
    for _ in range(8):  # ln H is nearly linear: Newton's steps with a secant converge at once
        found = circuit.log_hazard(drive)
        slope = (circuit.log_hazard(drive + step) - found) / step
        drive = drive + (log_hazard - found) / slope
    return drive
