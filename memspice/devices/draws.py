"""Random draws of events: the same event has the same draw wherever it is simulated.

Every write attempt of a neuron needs one threshold ``E ~ Exp(1)``.  It is a pure function of
(seed, layer, image, position, neuron, cycle): Philox is keyed by seed, layer and image, its counter
starts at the cycle, and position and neuron number the draws.  So a network loop that draws a whole
layer at once and a SPICE run of one position get the same thresholds, in any order, on any worker.

An event gets 32 bits: ``u = (k + 1/2) 2**-32``.  So ``E`` lies between 1.2e-10 and 22.9, a
switching probability is resolved to 2.3e-10, and one that is below 1.2e-10 is none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

#: One value of Philox's 256-bit counter yields this many draws: two of each 64-bit word.
_BLOCK = 8


def event_draws(
    seed: int, layer: int, image: int, cycles: range, count: int
) -> Iterator[np.ndarray]:
    """Draws of the first events of one layer and image, cycle by cycle, as integers.

    A whole block of draws is one call of Philox, whose counter is then set to the next cycle.

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
    ndarray of uint32, shape (count,)
        Of one cycle; :func:`uniforms` makes them the draws of :func:`event_uniforms`.
    """
    bits = _generator(seed, layer, image, cycles.start)
    state = bits.state
    for cycle in cycles:
        state["state"]["counter"][-1] = cycle
        bits.state = state
        yield _halves(bits, count)


def _generator(seed: int, layer: int, image: int, cycle: int) -> np.random.Philox:
    # A list with a seed of 2**63 or more would pass through float64.
    key = np.array([seed, (layer << 40) | image], dtype=np.uint64)
    return np.random.Philox(key=key, counter=[0, 0, 0, cycle])


def _halves(bits: np.random.Philox, count: int) -> np.ndarray:
    """Next draws: of every word the lower half, then the upper one, on machines of any order."""
    words = np.asarray(bits.random_raw(-(-count // 2))).astype("<u8", copy=False)
    return words.view("<u4")[:count].astype(np.uint32, copy=False)


def uniforms(draws: np.ndarray) -> np.ndarray:
    """Draws in (0, 1) of 32-bit integers: odd multiples of 2**-33, same shape, [1]."""
    return np.asarray((draws + 0.5) * 2.0**-32)


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
        Uniform in (0, 1), never 0 or 1: odd multiples of 2**-33.
    """
    bits = _generator(seed, layer, image, cycle)
    skip = first % _BLOCK
    if first >= _BLOCK:
        bits.advance(first // _BLOCK)
    return uniforms(_halves(bits, skip + count)[skip:])


def event_thresholds(
    seed: int, layer: int, image: int, cycle: int, first: int, count: int
) -> np.ndarray:
    """Hazard thresholds ``E = -ln(u) ~ Exp(1)`` of the same events, shape (count,), [1]."""
    return np.asarray(
        -np.log(event_uniforms(seed, layer, image=image, cycle=cycle, first=first, count=count))
    )
