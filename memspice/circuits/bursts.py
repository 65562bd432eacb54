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

The second form of integration has no schedule by layers: a *leaky* average.  Behind every row pulse
the sampling capacitor shares its charge with the one that holds the drive, so that the newest pulse
has a fixed share of it (``sense.charge_share``, sampling over all capacitance) and older ones are
forgotten; in the first cycle of an image both are charged together.  Neurons follow one cycle
later, and the score is what the last layer holds in the end.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from memspice.errors import ConfigError

#: Most cycles that are averaged: bounds the spikes that the network loop keeps at a time.
LONGEST = 1024


def delay(burst: int, share: float = 1.0) -> int:
    """Cycles from a row pulse to the first write that it has part in; 0 where no drive is held.

    A leaky average has a ``share`` below 1 of the newest pulse.
    """
    return burst if burst > 1 else int(share < 1)


def answer_cycles(layers: int, cycles: int, burst: int, share: float = 1.0) -> int:
    """Cycles from the first row pulse of a network to its answer, layers one behind the other.

    Parameters
    ----------
    layers : int
        How many, the accumulating one included.
    cycles, burst : int
        Of a run, and of a burst.
    share : float, [1]
        As of :func:`delay`.

    Examples
    --------
    >>> answer_cycles(layers=3, cycles=16, burst=1), answer_cycles(layers=3, cycles=16, burst=16)
    (18, 66)
    """
    first = delay(burst, share)
    return cycles + (layers - 1) * (first + 1) + first


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


def check_leaky(cycles: int, burst: int, share: float) -> None:
    """Refuse leaky averages within bursts, or over too many cycles.

    Raises
    ------
    ConfigError
        With what to change.
    """
    if share < 1 and burst > 1:
        raise ConfigError(
            f"sense.charge_share = {share:g} averages from cycle to cycle and burst = {burst} "
            "within each burst: use burst = 1, or charge_share = 1"
        )
    if share < 1 and cycles > LONGEST:
        raise ConfigError(
            f"cycles = {cycles} is above {LONGEST:,}, over which leaky averages are kept: use "
            "fewer, or sense.charge_share = 1"
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


def leaky_means(patterns: np.ndarray, cycles: int, share: float) -> np.ndarray:
    """Mean pattern of each cycle and those before it, which are forgotten little by little.

    ``m(t) = m(t - 1) + share (x(t) - m(t - 1))``, and ``m(1) = x(1)``.

    Parameters
    ----------
    patterns : ndarray, shape (runs * cycles, ...)
        Spikes or levels, cycle after cycle, each run from its first cycle on.
    cycles : int
        Of a run.
    share : float, [1]
        Of the newest pattern; 1 is the patterns themselves.

    Returns
    -------
    ndarray, shape (runs * cycles, ...)
        float32 for spikes.
    """
    if share == 1:
        return patterns
    kind = np.result_type(patterns, np.float32)
    means = patterns.reshape(-1, cycles, *patterns.shape[1:]).swapaxes(0, 1).astype(kind)
    for before, mean in pairwise(means):
        mean *= kind.type(share)
        mean += kind.type(1 - share) * before
    return np.asarray(means.swapaxes(0, 1).reshape(patterns.shape))
