"""Bursts: a layer averages the spikes of its inputs before its own nonlinearity.

A spike carries one bit, and the mean of a nonlinear function is not the function of the mean: what
neurons do to every single pattern of spikes, no average over cycles takes back.  In a burst of K
cycles a layer first takes in K row pulses, those of the K spikes of each input, which its sense
stages integrate into one drive; then its neurons run K write-read-reset cycles from that drive,
and the next layer begins.  A run of T cycles is T / K bursts; K = 1 is a drive for every cycle.

What the sense stage must do for that, and `memspice.circuits.blocks.integrating` does in SPICE:

- It integrates K pulses, each with the K-th part of the gain (a capacitor K times as large, or
  reset only once a burst), so that K spikes of every input give the drive that one gives without
  bursts.  Amplifiers see single pulses, as without bursts; the limits of the drive are those of the
  integrated voltage.
- It holds the drive through K write phases, with the difference stage switched on for as long again
  as the pulses last, which is counted.  ``sense.droop`` is what it may lose: the surrogate takes
  none for granted, and is refused where it would count.
- Rows, cells, wires and sense stages work once for every pulse, as often as without bursts: K
  pulses a burst, also where a row carries the same level in all of them.  Neurons work once a
  cycle.
- It integrates while the layer before spikes, cycle by cycle, so that spikes wait nowhere; each
  layer begins K + 1 cycles after the one before: K for its pulses, and a spike of one cycle is a
  pulse in the next.  The next burst is taken in while neurons are written from this one: the sum is
  handed to a second capacitor, which holds it, behind the last pulse.
"""

from __future__ import annotations

import numpy as np

from memspice.errors import ConfigError

#: Most cycles of a burst: bounds the spikes that the network loop keeps at a time.
LONGEST = 1024


def delay(burst: int) -> int:
    """Cycles from the row pulse of a cycle to its write: those of a burst, 0 without bursts."""
    return burst if burst > 1 else 0


def answer_cycles(layers: int, cycles: int, burst: int) -> int:
    """Cycles from the first row pulse of a network to its answer, layers one behind the other.

    Parameters
    ----------
    layers : int
        How many, the accumulating one included.
    cycles, burst : int
        Of a run, and of a burst.

    Examples
    --------
    >>> answer_cycles(layers=3, cycles=16, burst=1), answer_cycles(layers=3, cycles=16, burst=16)
    (18, 66)
    """
    return cycles + (layers - 1) * (delay(burst) + 1) + delay(burst)


def check_burst(cycles: int, burst: int) -> None:
    """Refuse cycles that are not whole bursts.

    Parameters
    ----------
    cycles : int
        Of a run.
    burst : int
        Cycles of a burst.

    Raises
    ------
    ConfigError
        With the bursts that divide the cycles, and the cycles next to these that are whole bursts.
    """
    if not 1 <= burst <= LONGEST:
        raise ConfigError(f"burst = {burst} must be 1 to {LONGEST:,} cycles")
    if cycles % burst:
        below, above = cycles // burst * burst, -(-cycles // burst) * burst
        near = " or ".join(str(count) for count in (below, above) if count)
        fitting = [str(k) for k in range(1, min(cycles, LONGEST) + 1) if cycles % k == 0]
        raise ConfigError(
            f"cycles = {cycles} is not a multiple of burst = {burst}, and a run is whole bursts: "
            f"use cycles = {near}, or burst = {', '.join(fitting)}"
        )


def burst_means(patterns: np.ndarray, burst: int) -> np.ndarray:
    """Mean pattern of each burst: what a layer integrates, in units of one pulse.

    Parameters
    ----------
    patterns : ndarray, shape (frames, ...)
        Spikes or levels, cycle after cycle; as many as whole bursts have.
    burst : int
        Cycles of a burst.

    Returns
    -------
    ndarray, shape (frames / burst, ...)
        float32 for spikes; the patterns themselves where a burst is one cycle.
    """
    if burst == 1:
        return patterns
    cycles = patterns.reshape(-1, burst, *patterns.shape[1:]).swapaxes(0, 1)
    total = np.zeros(cycles.shape[1:], np.result_type(patterns, np.float32))
    for pattern in cycles:
        total += pattern
    total /= burst
    return total
