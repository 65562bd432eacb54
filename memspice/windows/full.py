"""Every cell and every wire segment in SPICE: the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from memspice.circuits.wired_array_circuit import WiredArrayCircuit
from memspice.network.mapping import MappedLayer
from memspice.windows.simulated import Simulated


class _Cost(NamedTuple):
    """Processor time [s] of one cycle of 64 x 64 cells, and the exponent over their number."""

    seconds: float
    exponent: float


#: By whether the engine has KLU.  Fitted to what ``make bench`` measured at 24 to 64 square, one
#: thread of an AMD EPYC, behavioural periphery: ngspice 39, whose Sparse 1.3 fills in, and VACASK.
#: Longer pulses, transistors and another machine are another factor.
_COSTS = {False: _Cost(265.0, 2.45), True: _Cost(28.0, 1.86)}


@dataclass(frozen=True)
class Full(Simulated):
    """Drivers, wires, cells, sense stages and neurons in SPICE; holds for any circuit."""

    name: ClassVar[str] = "full"
    exact: ClassVar[bool] = True
    array: ClassVar[WiredArrayCircuit] = WiredArrayCircuit()

    def expected_seconds(self, layer: MappedLayer, cycles: int) -> float:
        """Solve every tile anew at every step: by far the most of the work; see `_COSTS`."""
        cost = _COSTS[self.engine.info.klu]
        tiles = [tile.size for circuit in layer.circuits for tile in circuit.conductances]
        return float(sum(cycles * cost.seconds * (n / 64**2) ** cost.exponent for n in tiles))
