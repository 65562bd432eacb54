"""The blocks of a layer: row drivers, synapses, sense stages, neurons and latches.

One abstract class a kind, one file a block.  Whoever adds a block writes its file and names it
here; `docs/blocks.md` says what it must have.
"""

from __future__ import annotations

from collections.abc import Mapping

from memspice.circuits.blocks.resistive import Resistive
from memspice.circuits.blocks.transimpedance import Transimpedance

#: Sense stages by the word of ``sense.kind``.
SENSE_STAGES: Mapping[str, type[Transimpedance | Resistive]] = {
    "transimpedance": Transimpedance,
    "resistive": Resistive,
}
