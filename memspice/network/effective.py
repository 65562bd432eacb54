"""What the circuits of a layer make of its weights: the layer that the network loop computes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from memspice.circuits.layer import LayerCircuit
from memspice.devices.activation import Activation
from memspice.errors import ConfigError
from memspice.network.mapping import MappedLayer

#: Largest difference in ``ln H`` between a fitted activation and the hazard law of the parameter
#: set within the fit's range: SPICE's own is below 0.002, that of a changed pulse far above.
_AGREEMENT = 0.05
#: Drives at which lines of neurons that differ are fitted.
_GRID = 201


@dataclass(frozen=True, eq=False)
class EffectiveLayer:
    """A weight layer as its crossbars, drivers, wires and sense stages compute it.

    ``clip(weight @ x + bias, low, high)`` of inputs ``x`` in [0, 1] is ``ln H`` of a spiking layer
    and the score of the last one.  ``weight`` is (outputs, fan_in), the others (outputs,), all [1].
    """

    weight: np.ndarray
    bias: np.ndarray
    low: np.ndarray
    high: np.ndarray


def effective_layer(layer: MappedLayer, activation: Activation) -> EffectiveLayer:
    """Layer of a mapped network in units of ``ln H``.

    Parameters
    ----------
    layer : MappedLayer
        Circuits, with the conductances and the neurons that were drawn for them.
    activation : Activation
        Of the parameter set; the last layer needs none.

    Raises
    ------
    ConfigError
        If the activation is not that of the layer's device and pulse.
    """
    circuits = layer.circuits
    weight, offset = layer.drive_line()
    if layer.spiking:
        slope, intercept = np.concatenate([_lines(part, activation) for part in circuits], axis=1)
    else:
        slope, intercept = np.full(layer.outputs, 1 / layer.volts_per_unit), layer.programmed.offset
    low, high = (slope * limit + intercept for limit in circuits[0].write_limits)
    return EffectiveLayer(slope[:, None] * weight, slope * offset + intercept, low, high)


def _lines(circuit: LayerCircuit, activation: Activation) -> np.ndarray:
    """Slope [1/V] and intercept [1] of each neuron's ``ln H`` in its drive, shape (2, outputs).

    SPICE's line is that of the median neuron; the hazard law says how far another is from it.
    """
    _check(circuit, activation)
    median = np.array([1.0, -activation.unit_drive]) / activation.drive_scale
    if circuit.variation is None:
        return np.repeat(median[:, None], circuit.outputs, axis=1)
    drive = np.linspace(*circuit.write_limits, _GRID)[:, None]
    other = circuit.log_hazard(drive) - _law(circuit, drive)
    log_hazard = np.polyval(median, drive) + other
    hazard = np.exp(np.minimum(log_hazard, 50))
    weight = hazard * np.exp(-hazard) + 1e-6  # where the probability depends on it
    fits = [np.polyfit(drive[:, 0], y, 1, w=w) for y, w in zip(log_hazard.T, weight.T, strict=True)]
    return np.array(fits).T


def _law(circuit: LayerCircuit, drive: np.ndarray) -> np.ndarray:
    """``ln H`` of the median neuron by the hazard law."""
    return replace(circuit, variation=None).log_hazard(drive)


def _check(circuit: LayerCircuit, activation: Activation) -> None:
    drive = np.array([activation.lowest_drive, activation.highest_drive])
    line = (drive - activation.unit_drive) / activation.drive_scale
    off = np.max(np.abs(line - _law(circuit, drive)))
    if not off < _AGREEMENT:
        raise ConfigError(
            f"ln H of the fitted activation (H = 1 at {activation.unit_drive:.4g} V) differs by "
            f"{off:.3g} from that of the device and its pulse: fit the activation again with "
            "memspice characterize --fit, or leave device, timing and driver as they are"
        )
