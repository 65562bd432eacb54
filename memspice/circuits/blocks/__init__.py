"""The blocks of a layer: row drivers, synapses, sense stages, neurons and latches.

One abstract class a kind, one file a block.  Whoever adds a block writes its file and names it
here; `docs/blocks.md` says what it must have.
"""

from __future__ import annotations

from collections.abc import Mapping

from memspice.circuits.blocks.buffered_driver import BufferedDriver
from memspice.circuits.blocks.comparator_latch import ComparatorLatch
from memspice.circuits.blocks.filament_neuron import FilamentNeuron
from memspice.circuits.blocks.level_driver import LevelDriver
from memspice.circuits.blocks.lone_cell import LoneCell
from memspice.circuits.blocks.mtj_neuron import SotMtjNeuron
from memspice.circuits.blocks.pulse_driver import PulseDriver
from memspice.circuits.blocks.resistive import Resistive
from memspice.circuits.blocks.row_driver import RowDriver
from memspice.circuits.blocks.selector_cell import SelectorCell
from memspice.circuits.blocks.strongarm_latch import StrongArmLatch
from memspice.circuits.blocks.switched_neuron import SwitchedNeuron
from memspice.circuits.blocks.transimpedance import Transimpedance
from memspice.circuits.blocks.transistor_cell import TransistorCell
from memspice.circuits.blocks.transistor_driver import TransistorDriver

#: Row drivers by the word of ``row_driver.kind``.
ROW_DRIVERS: Mapping[str, type[RowDriver]] = {
    "pulse": PulseDriver,
    "buffered": BufferedDriver,
    "levels": LevelDriver,
    "transistor": TransistorDriver,
}
#: Synapses by the table of what stands in series; the first is what a set without one has.
SYNAPSES: Mapping[str, type[LoneCell | TransistorCell | SelectorCell]] = {
    kind.kind: kind for kind in (LoneCell, TransistorCell, SelectorCell)
}
#: Sense stages by the word of ``sense.kind``.
SENSE_STAGES: Mapping[str, type[Transimpedance | Resistive]] = {
    "transimpedance": Transimpedance,
    "resistive": Resistive,
}
#: Neurons by the word of ``about.device``.
NEURONS: Mapping[str, type[FilamentNeuron | SotMtjNeuron | SwitchedNeuron]] = {
    kind.kind: kind for kind in (FilamentNeuron, SotMtjNeuron, SwitchedNeuron)
}
#: Latches by the word of ``latch.kind``.
LATCHES: Mapping[str, type[ComparatorLatch | StrongArmLatch]] = {
    "comparator": ComparatorLatch,
    "strongarm": StrongArmLatch,
}
