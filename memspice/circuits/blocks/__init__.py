"""The blocks of a layer: row drivers, synapses, sense stages, neurons and latches.

One abstract class a kind, one file a block.  Whoever adds a block writes its file and names it
here; `docs/blocks.md` says what it must have.
"""

from __future__ import annotations

from collections.abc import Mapping

from memspice.circuits.blocks.comparator_latch import ComparatorLatch
from memspice.circuits.blocks.filament_neuron import FilamentNeuron
from memspice.circuits.blocks.mtj_neuron import SotMtjNeuron
from memspice.circuits.blocks.resistive import Resistive
from memspice.circuits.blocks.transimpedance import Transimpedance

#: Sense stages by the word of ``sense.kind``.
SENSE_STAGES: Mapping[str, type[Transimpedance | Resistive]] = {
    "transimpedance": Transimpedance,
    "resistive": Resistive,
}
#: Neurons by the word of ``about.device``.
NEURONS: Mapping[str, type[FilamentNeuron | SotMtjNeuron]] = {
    kind.kind: kind for kind in (FilamentNeuron, SotMtjNeuron)
}
#: Latches by the word of ``latch.kind``.
LATCHES: Mapping[str, type[ComparatorLatch]] = {"comparator": ComparatorLatch}
