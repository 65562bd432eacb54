"""Neurons of a layer and their sense stages, drawn from the seed: what is each one's own."""

from __future__ import annotations

import numpy as np

from memspice.circuits.blocks.sense import SenseStage
from memspice.devices.neurons import NeuronDevice
from memspice.devices.variation import NeuronVariation, draw_variation

#: Sets the draws of neurons apart from those of cells (no third word) and of windows (an image).
_NEURON_DRAWS = 0x6E6575726F6E
#: Likewise those of the thresholds of transistors.
_THRESHOLD_DRAWS = 0x7468726573


def drawn_neurons(
    device: NeuronDevice, neurons: int, number: int, seed: int
) -> NeuronVariation | None:
    """Draw the neurons of a layer.

    Parameters
    ----------
    device : NeuronDevice
        With its spreads.
    neurons : int
        How many.
    number, seed : int
        Of the layer, from zero; of the chip.

    Returns
    -------
    NeuronVariation or None
        None where neurons are alike.
    """
    return draw_variation(device, neurons, np.random.default_rng([seed, number, _NEURON_DRAWS]))


def drawn_stages(sense: SenseStage, neurons: int, number: int, seed: int) -> SenseStage:
    """Draw the transistors of the sense stages of a layer.

    Parameters
    ----------
    sense : SenseStage
        Itself returned where its transistors do not differ.
    neurons, number, seed : int
        As of `drawn_neurons`.
    """
    return sense.drawn(neurons, np.random.default_rng([seed, number, _THRESHOLD_DRAWS]))
