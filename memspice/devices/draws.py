"""Random draws of events: the same event has the same draw wherever it is simulated.

Every write attempt of a neuron needs one threshold ``E ~ Exp(1)``.  It is a pure function of
(seed, layer, image, position, neuron, cycle): Philox is keyed by seed, layer and image, its counter
starts at the cycle, and position and neuron number the draws.  So a network loop that draws a whole
layer at once and a SPICE run of one position get the same thresholds, in any order, on any worker.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

#: One value of Philox's 256-bit counter yields this many 64-bit draws.
_BLOCK = 4
#: The cycle is the uppermost of the counter's four words.
_CYCLE = 1 << 192
#: Index of the leading half of a 64-bit word in memory.
_LEADING = 1 if sys.byteorder == "little" else 0


def event_words(
    seed: int, layer: int, image: int, cycles: range, count: int
) -> Iterator[np.ndarray]:
    """Random words of the first events of one layer and image, cycle by cycle.

    A whole block of draws is one call of Philox, whose counter then jumps to the next cycle.

    Parameters
    ----------
    seed : int
        Seed of the run, 0 to 2**64 - 1.
    layer, image : int
        Number of the weight layer, and of the image in its data set.
    cycles : range
        Successive cycles.
    count : int
        How many events, from event 0 on; at least 1.

    Yields
    ------
    ndarray of uint64, shape (count,)
        Of one cycle; :func:`uniforms` makes them the draws of :func:`event_uniforms`.
    """
    bits = _generator(seed, layer, image, cycles.start)
    used = -(-count // _BLOCK)
    for _ in cycles:
        yield np.asarray(bits.random_raw(count))
        bits.advance(_CYCLE - used)


def _generator(seed: int, layer: int, image: int, cycle: int) -> np.random.Philox:
    # A list with a seed of 2**63 or more would pass through float64.
    key = np.array([seed, (layer << 40) | image], dtype=np.uint64)
    return np.random.Philox(key=key, counter=[0, 0, 0, cycle])


def uniforms(words: np.ndarray) -> np.ndarray:
    """Uniform draws in (0, 1) of random words: odd multiples of 2**-53, same shape, [1]."""
    return np.asarray(((words >> np.uint64(12)) + 0.5) * 2.0**-52)


def leading_bits(words: np.ndarray) -> np.ndarray:
    """Leading 32 bits of random words (n,), uint32: 2**32 times the draw, rounded down.

    A view, because most events are decided by these bits alone.
    """
    return words.view(np.uint32)[_LEADING::2]


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
    bits = _generator(seed, layer, image, cycle)
    skip = first % _BLOCK
    if first >= _BLOCK:
        bits.advance(first // _BLOCK)
    return uniforms(np.asarray(bits.random_raw(skip + count))[skip:])


def event_thresholds(
    seed: int, layer: int, image: int, cycle: int, first: int, count: int
) -> np.ndarray:
    """Hazard thresholds ``E = -ln(u) ~ Exp(1)`` of the same events, shape (count,), [1]."""
    return np.asarray(-np.log(event_uniforms(seed, layer, image, cycle, first, count)))
