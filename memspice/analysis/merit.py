"""What a chip designer asks of a network: joules an operation, TOPS/W, time, throughput, area.

A **synaptic operation** is one multiplication and one addition: of a row pulse with a pair of
cells.  TOPS/W counts both, 2 operations, as publications do.  How many there are is a matter of
definition, so three counts stand side by side (`COUNTS`); their numbers are those of the run.

An area is a rule, not a layout: cells by their pitch; circuits by the gates of their transistors
times the quotient of a standard cell's area and its gates; capacitors by a density, beside their
transistors.  Not in it: wires between tiles, memories and control, generators of bias lines and
levels, converters, pads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memspice.circuits.silicon import Silicon
from memspice.quantities import Parameters, quantity

#: Counts of synaptic operations, in words.
COUNTS = {
    "pulses": "row pulse x cell pair, silent rows too",
    "active": "row pulse x cell pair, silent rows not",
    "network": "product of the ANN, once an inference",
}
#: Ways to lay out a network, in words: every position of a layer has a crossbar with its circuits,
#: or positions take turns on one.
LAYOUTS = {
    "position": "a crossbar a position",
    "layer": "a crossbar a layer",
}
#: Parts of an area.
PARTS = ("cells", "drivers", "stages", "neurons")


class AreaRule(Parameters):
    """Rule that estimates an area without a layout."""

    cell_width: float = quantity("m", "Pitch of cells along a row", gt=0)
    cell_height: float = quantity("m", "Pitch of cells along a column", gt=0)
    layout_factor: float = quantity("1", "Area of a circuit over that of its gates", ge=1)
    capacitor_density: float = quantity("F/m^2", "Of capacitors beside their transistors", gt=0)
    electrode_group: float = quantity("1", "Neurons that share a driver of their electrode", ge=1)

    def circuit(self, silicon: Silicon) -> float:
        """Area of a circuit, [m^2]."""
        return silicon.gate * self.layout_factor + silicon.capacitance / self.capacitor_density

    def cells(self, count: float) -> float:
        """Area of cells, [m^2]."""
        return count * self.cell_width * self.cell_height


@dataclass(frozen=True)
class LayerArea:
    """A layer's circuits at one of its positions.

    Parameters
    ----------
    positions : int, [1]
    area : mapping of str to float, [m^2]
        Of `PARTS`.
    busy : float, [s]
        How long a position takes.
    """

    positions: int
    area: Mapping[str, float]
    busy: float


@dataclass(frozen=True)
class ChipLayout:
    """Time and area of a network that is laid out in one way.

    Parameters
    ----------
    latency : float, [s]
        From the first row pulse to the answer.
    interval : float, [s]
        Between two images: layers work as a pipeline, each on an image of its own.
    area : mapping of str to float, [m^2]
        Of `PARTS`.
    """

    latency: float
    interval: float
    area: Mapping[str, float]

    @property
    def throughput(self) -> float:
        """Inferences a second, [1/s]."""
        return 1 / self.interval

    @property
    def total_area(self) -> float:
        """Area of all parts, [m^2]."""
        return sum(self.area.values())


def synaptic_operations(macs: float, adds: float, products: float, cycles: int) -> dict[str, float]:
    """Synaptic operations of an inference by `COUNTS`.

    Parameters
    ----------
    macs : float
        Products of the artificial network: rows without bias, outputs and positions.
    adds : float
        Row pulses of spikes, each with all pairs of cells that it meets, of all cycles.
    products : float
        Rows of pixels, likewise, of one cycle: they are taken to carry a pulse in all.
    cycles : int
        Row pulses of an inference.
    """
    active = adds + products * cycles
    return {"pulses": macs * cycles, "active": active, "network": macs}


def layouts(layers: Sequence[LayerArea], answer: float) -> dict[str, ChipLayout]:
    """Time and area by `LAYOUTS`.

    Parameters
    ----------
    layers : sequence of LayerArea
    answer : float, [s]
        From the first row pulse to the answer, with circuits of their own at every position.
    """
    own = ChipLayout(answer, max(layer.busy for layer in layers), _area(layers, copied=True))
    turns = [layer.positions * layer.busy for layer in layers]
    shared = ChipLayout(sum(turns), max(turns), _area(layers, copied=False))
    return {"position": own, "layer": shared}


def _area(layers: Sequence[LayerArea], *, copied: bool) -> dict[str, float]:
    return {
        part: sum(layer.area[part] * (layer.positions if copied else 1) for layer in layers)
        for part in PARTS
    }
