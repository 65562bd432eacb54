"""The ideal array: what the weights of a layer ask for, before anything stands in their way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from memspice.circuits.bursts import burst_means
from memspice.errors import ConfigError
from memspice.network.mapping import MappedNetwork
from memspice.network.scales import drive_scale
from memspice.network.weights import Network


def ideal_hazard(
    network: Network, mapped: MappedNetwork, name: str, inputs: np.ndarray, burst: int = 1
) -> np.ndarray:
    """Hazard integrals of a layer on the ideal array.

    Its cells hold the weights as they were trained: no conductance range or levels, no spread, no
    stuck cell, no drift.  Wires and row drivers have no resistance, sense stages no error but the
    limits of their drive, and every neuron is the median device.

    Parameters
    ----------
    network : Network
        Trained weights.
    mapped : MappedNetwork
        The same on crossbars, for scale and limits of the drive, and for the device.
    name : str
        Of a layer with neurons.
    inputs : ndarray, shape (cycles, inputs), [1]
        Of one position, in [0, 1].
    burst : int
        Cycles whose mean input makes one drive.

    Returns
    -------
    ndarray, shape (cycles, outputs), [1]
        A device of threshold ``E`` switches at ``H >= E``.

    Raises
    ------
    ConfigError
        If the layer has no neurons.
    """
    layer = mapped.layer(name)
    if not layer.spiking:
        raise ConfigError(f"layer {name} has no neurons: there is no hazard on an ideal array")
    weights = network.layers[layer.number]
    scale = drive_scale(weights, mapped.parameter_set, layer.spiking, mapped.span)
    means = burst_means(inputs, burst)
    asked = np.stack([weights.weighted(each) + weights.bias for each in means])
    drive = np.clip(scale.origin + asked * scale.volts_per_unit, *scale.limits)
    median = replace(layer.circuits[0], variation=None)
    hazard = np.exp(np.minimum(median.log_hazard(drive), 50.0))
    return np.asarray(hazard.repeat(burst, axis=0))
