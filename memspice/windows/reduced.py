"""Sense stages and neurons in SPICE, behind the exact port matrix of the array."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from memspice.circuits.deck import Deck
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.port_array_circuit import PortArrayCircuit
from memspice.circuits.reducible import refuse_unless_reducible
from memspice.network.mapping import MappedLayer
from memspice.windows.fidelity import WindowJob
from memspice.windows.simulated import Simulated

#: Most outputs of a deck.  Each neuron's events cut the time steps of all others in a deck:
#: 64 neurons, 16 cycles take 57 s of processor time in one deck of ngspice, 13 in decks of 8, 9.5
#: of 4, 9.8 of 2, 10.2 of 1; in VACASK 9.4 in one deck, 4.5, 5.6, 6.9 and 9.1 (on a busy machine).
#: Of transistors the matrix grows faster than that: an output of `cifar10-skip` takes 3.6 s in a
#: deck of its own, 3.8 in one of 2 and 4.4 in one of 4.
DECK_OUTPUTS = 4
#: Processor time of an output of transistors and a cycle in ngspice, [s]: 256 such take 86 in
#: ``memspice simulate-layer``, on stages of bursts; VACASK takes a few times as long.
_TRANSISTORS = 0.4


@dataclass(frozen=True)
class Reduced(Simulated):
    """Drivers, wires and cells as the exact port matrix, in small decks; the rest in SPICE."""

    name: ClassVar[str] = "reduced"
    array: ClassVar[PortArrayCircuit] = PortArrayCircuit()

    def decks(self, circuit: LayerCircuit) -> int:
        """Decks of at most ``DECK_OUTPUTS`` outputs, of transistors of one."""
        return circuit.outputs if circuit.fine else deck_count(circuit.outputs)

    def expected_seconds(self, layer: MappedLayer, cycles: int) -> float:
        """Transistors take their time; models are a matter of seconds."""
        outputs = sum(circuit.outputs for circuit in layer.circuits if circuit.fine)
        return _TRANSISTORS * cycles * outputs

    def deck(self, job: WindowJob) -> Deck:
        """Without resistances of gates and bodies, three of four nodes of a transistor."""
        return super().deck(job).lumped()

    def check_circuit(self, job: WindowJob, row_voltage: np.ndarray) -> None:
        """Refuse what is not linear, or does not settle: see `memspice.circuits.reducible`."""
        whole = job.circuit.whole or job.circuit
        refuse_unless_reducible(whole, row_voltage, job.layer.name)


def deck_count(outputs: int) -> int:
    """Number of decks of a column group with so many outputs."""
    return math.ceil(outputs / DECK_OUTPUTS)
