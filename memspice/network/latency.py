"""Time from an image to the answer of a network on crossbars."""

from __future__ import annotations

from memspice.circuits.bursts import answer_cycles
from memspice.network.mapping import MappedLayer, MappedNetwork


def latency(mapped: MappedNetwork, cycles: int, burst: int) -> float:
    """From the first row pulse to the answer, with circuits of their own at every position, [s].

    Parameters
    ----------
    mapped : MappedNetwork
        Network on crossbars: its layers follow one another.
    cycles, burst : int
        Of an image, and of a burst.
    """
    cycle = max(part.schedule.cycle for layer in mapped.layers for part in layer.circuits)
    return cycle * answer_cycles(len(mapped.layers), cycles, burst, mapped.share)


def busy(mapped: MappedNetwork, layer: MappedLayer, cycles: int, burst: int) -> float:
    """How long the circuits of a layer at one position work on an image, [s].

    Parameters
    ----------
    mapped, layer
        Network on crossbars, and one of its layers.
    cycles, burst : int
        Of an image, and of a burst.
    """
    return layer.circuits[0].schedule.cycle * answer_cycles(1, cycles, burst, mapped.share)
