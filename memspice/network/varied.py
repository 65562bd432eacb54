"""Neurons of a layer with their sense stages, drawn from the seed: what is each one's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from memspice.circuits.blocks.sense import SenseStage
from memspice.devices.neurons import NeuronDevice
from memspice.devices.variation import NeuronVariation, draw_variation, equal_neurons

#: Sets the draws of neurons apart from those of cells (no third word) and of windows (an image).
_NEURON_DRAWS = 0x6E6575726F6E
#: Likewise those of the thresholds of transistors.
_THRESHOLD_DRAWS = 0x7468726573


def drawn_neurons(
    device: NeuronDevice, sense: SenseStage, neurons: int, number: int, seed: int
) -> NeuronVariation | None:
    """Draw the neurons of a layer, and the transistors of their sense stages.

    Parameters
    ----------
    device : NeuronDevice
        With its spreads.
    sense : SenseStage
        Its offsets and gains count where its transistors differ.
    neurons : int
        How many.
    number, seed : int
        Of the layer, from zero; of the chip.

    Returns
    -------
    NeuronVariation or None
        None where neurons are alike, and stages too.
    """
    own = draw_variation(device, neurons, np.random.default_rng([seed, number, _NEURON_DRAWS]))
    rng = np.random.default_rng([seed, number, _THRESHOLD_DRAWS])
    stages = sense.drawn(neurons, rng)
    if stages is None:
        return own
    offset, gain = stages
    neuron = own or equal_neurons(device, neurons)
    shift = neuron.threshold_shift - offset
    return replace(neuron, threshold_shift=shift, sense_gain=neuron.sense_gain * gain)
