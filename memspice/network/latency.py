"""Time from an image to the answer of a network on crossbars."""

from __future__ import annotations

from memspice.circuits.bursts import answer_cycles
from memspice.network.mapping import MappedNetwork


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
