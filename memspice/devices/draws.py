"""Random draws of events: the same event has the same draw wherever it is simulated.

Every write attempt of a neuron needs one threshold ``E ~ Exp(1)``.  It is a pure function of
(seed, layer, image, position, neuron, cycle): Philox is keyed by seed, layer and image, its counter
starts at the cycle, and position and neuron number the draws.  So a network loop that draws a whole
layer at once and a SPICE run of one position get the same thresholds, in any order, on any worker.
"""

from __future__ import annotations

import numpy as np

#: One value of Philox's 256-bit counter yields this many 64-bit draws.
_BLOCK = 4


def event_uniforms(
    seed: int, layer: int, image: int, cycle: int, first: int, count: int
) -> np.ndarray:
    """Uniform draws of consecutive events of one layer, image and cycle.

    Parameters
    ----------
    seed : int
        Seed of the run, 0 to 2**64 - 1.
    layer, image, cycle : int
        Number of the weight layer, of the image in its data set, and of the cycle.
    first : int
        Number of the first event, ``position * neurons + neuron``.
    count : int
        How many events follow each other.

    Returns
    -------
    ndarray, shape (count,), [1]
        Uniform in (0, 1), never 0 or 1: odd multiples of 2**-53.
    """
    # A list with a seed of 2**63 or more would pass through float64.
    key = np.array([seed, (layer << 40) | image], dtype=np.uint64)
    bits = np.random.Philox(key=key, counter=[0, 0, 0, cycle])
    skip = first % _BLOCK
    if first >= _BLOCK:
        bits.advance(first // _BLOCK)
    raw = bits.random_raw(skip + count)[skip:]
    return np.asarray(((raw >> np.uint64(12)) + 0.5) * 2.0**-52)


def event_thresholds(
    seed: int, layer: int, image: int, cycle: int, first: int, count: int
) -> np.ndarray:
    """Hazard thresholds ``E = -ln(u) ~ Exp(1)`` of the same events, shape (count,), [1]."""
    return np.asarray(-np.log(event_uniforms(seed, layer, image, cycle, first, count)))
