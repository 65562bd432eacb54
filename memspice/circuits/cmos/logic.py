"""What the digital neuron computes, in integers: shift register, activation table, comparison.

This is the arithmetic that the transistors of :mod:`memspice.circuits.cmos.neuron` must reproduce
bit for bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memspice.errors import ConfigError

Integers = NDArray[np.int64]

#: Length of the shift register, [bits].
REGISTER_BITS = 16
#: Stages (1 is the newest bit) whose parity is the next bit: x^16 + x^15 + x^13 + x^4 + 1 has the
#: longest period, 65,535 (literature, unverified; a test counts it).
TAPS = (16, 15, 13, 4)


def register_states(seed: int, leap: int, count: int) -> Integers:
    """States of a linear-feedback shift register that moves ``leap`` bits a clock.

    Parameters
    ----------
    seed : int
        First state.  The newest bit (stage 1) is the most significant one.
    leap : int
        New bits per clock: successive states share the other ``16 - leap``.  The period is
        65,535 over the greatest common divisor of the two.
    count : int
        Number of clocks.

    Returns
    -------
    ndarray of int, shape (count + 1,)
        The seed first.

    Raises
    ------
    ConfigError
        If the seed is not from 1 to 65,535 (all zeros stay zeros), or ``leap`` not from 1 to 16.
    """
    if not 1 <= seed < 2**REGISTER_BITS:
        raise ConfigError(
            f"seed = {seed} of a {REGISTER_BITS} bit shift register must be from 1 to "
            f"{2**REGISTER_BITS - 1}"
        )
    if not 1 <= leap <= REGISTER_BITS:
        raise ConfigError(f"leap = {leap} must be from 1 to {REGISTER_BITS} new bits a clock")
    states, state = [seed], seed
    for _ in range(count):
        for _ in range(leap):
            new = sum(state >> (REGISTER_BITS - tap) for tap in TAPS) & 1
            state = (state >> 1) | (new << (REGISTER_BITS - 1))
        states.append(state)
    return np.array(states, dtype=np.int64)


def random_numbers(states: Integers, bits: int) -> Integers:
    """The ``bits`` newest bits of each state: uniform numbers below ``2**bits``."""
    return np.asarray(states >> (REGISTER_BITS - bits))


def activation_table(sums: NDArray[np.float64], bits: int) -> Integers:
    """Thresholds ``round(2**bits * P(z))`` with ``P(z) = 1 - exp(-exp(z))``, the device's law.

    The highest threshold is ``2**bits - 1``, so even a saturated neuron is silent once in
    ``2**bits`` draws.

    Parameters
    ----------
    sums : ndarray, [1]
        Accumulated sums z that the entries stand for.
    bits : int
        Bits of an entry.

    Raises
    ------
    ConfigError
        If a sum is not finite.
    """
    if not np.isfinite(sums).all():
        raise ConfigError(f"sums {sums} must be finite")
    probability = -np.expm1(-np.exp(np.minimum(sums, 700.0)))
    return np.asarray(np.minimum(np.rint(2**bits * probability), 2**bits - 1), np.int64)


def spikes(numbers: Integers, thresholds: Integers) -> NDArray[np.bool_]:
    """A neuron spikes where its random number is below its threshold."""
    return np.asarray(numbers < thresholds)
