"""Whether the network loop may answer: the conditions of the closed form, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from memspice.circuits.closed_form_limits import refusal
from memspice.circuits.pulse_code import PulseCode
from memspice.errors import ConfigError
from memspice.network.mapping import MappedLayer


def closed_form_refusals(
    layers: Sequence[MappedLayer], images: np.ndarray, burst: int = 1
) -> dict[str, str]:
    """Why layers cannot be computed in closed form; empty where all can.

    Parameters
    ----------
    layers : sequence of MappedLayer
        Those of a network that matter.
    images : ndarray, shape (n, channels, height, width), [1]
        Pixels in [0, 1]; the lowest and the highest level of a row follow from them.
    burst : int
        Cycles of a burst.

    Returns
    -------
    dict of str to str
        By the name of the layer, in their order.
    """
    found: dict[str, str] = {}
    for layer in layers:
        code = PulseCode(layer.circuits[0].array.row_driver.steps)
        pixels = np.array([code.range(images)]).T
        inputs = np.ones((2, layer.step.inputs))
        for source, part in zip(layer.step.sources, layer.step.source_rows(), strict=True):
            if source.number == 0:
                inputs[:, part] = pixels
            for pool in source.pools:
                if pool.rule == "mean":
                    inputs[0, part] /= pool.size**2  # one of its inputs alone
        first = 0
        for circuit in layer.circuits:
            reason = refusal(circuit, layer.row_voltage(inputs, first), layer.name, burst)
            if reason:
                found.setdefault(layer.name, reason)
            first += circuit.outputs
    return found


def check_closed_form(layers: Sequence[MappedLayer], images: np.ndarray, burst: int = 1) -> None:
    """Refuse layers of which one cannot be computed in closed form.

    Raises
    ------
    ConfigError
        About the first such layer.
    """
    for reason in closed_form_refusals(layers, images, burst).values():
        raise ConfigError(reason)
