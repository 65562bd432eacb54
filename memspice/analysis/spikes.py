"""Spike statistics of one layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class SpikeStatistics:
    """Counts, rates and timing of the spikes of a layer's events.

    Rates are spikes per event.  ``rate_error`` is the standard error of ``rate`` against
    ``expected_rate``, the mean of the events' own probabilities ``1 - exp(-H)``: the draws are
    independent, so its square is ``sum p (1 - p) / events**2``.
    """

    events: int
    count: int
    rate: float
    expected_rate: float
    rate_error: float
    neuron_rates: np.ndarray
    latency_mean: float | None
    latency_median: float | None
    interval_mean: float | None
    fano_factor: float | None

    @property
    def deviation(self) -> float:
        """Deviation of the rate from its expectation in standard errors, [1]."""
        return (self.rate - self.expected_rate) / self.rate_error if self.rate_error else 0.0


def spike_statistics(
    spikes: np.ndarray, hazard: np.ndarray, thresholds: np.ndarray, write: float
) -> SpikeStatistics:
    """Statistics of events (windows, cycles, neurons).

    Parameters
    ----------
    spikes : ndarray of bool, shape (windows, cycles, neurons)
        Whether each event ended with a spike.
    hazard, thresholds : ndarray, same shape, [1]
        Hazard integrals and draws ``E``.
    write : float, [s]
        Length of the write pulse; a device switches at the share ``E / H`` of it.

    Returns
    -------
    SpikeStatistics
        ``latency_*`` [s] from the start of the write pulse, ``interval_mean`` in cycles between
        spikes of one neuron, ``fano_factor`` the variance of the spike counts in blocks of four
        cycles over their mean, pooled over neurons and windows; each None where too few spikes, or
        fewer than eight cycles, define it.
    """
    probability = -np.expm1(-hazard)
    latency = (thresholds / np.maximum(hazard, thresholds))[spikes] * write
    intervals = _intervals(spikes)
    return SpikeStatistics(
        events=spikes.size,
        count=int(spikes.sum()),
        rate=float(spikes.mean()),
        expected_rate=float(probability.mean()),
        rate_error=float(np.sqrt(np.sum(probability * (1 - probability))) / spikes.size),
        neuron_rates=spikes.mean(axis=(0, 1)),
        latency_mean=float(latency.mean()) if latency.size else None,
        latency_median=float(np.median(latency)) if latency.size else None,
        interval_mean=float(intervals.mean()) if intervals.size else None,
        fano_factor=_fano_factor(spikes),
    )


def _intervals(spikes: np.ndarray) -> np.ndarray:
    """Cycles between consecutive spikes of the same neuron in the same window."""
    trains = spikes.transpose(0, 2, 1).reshape(-1, spikes.shape[1])
    train, cycle = np.nonzero(trains)
    same = train[1:] == train[:-1]
    return np.asarray(np.diff(cycle)[same])


def _fano_factor(spikes: np.ndarray, block: int = 4) -> float | None:
    """Variance over mean of spike counts in blocks of cycles, pooled over all neurons.

    For independent cycles of probability p it is ``1 - p``: below that of a Poisson process.  The
    sums are divided, and not the ratios of single neurons averaged, whose few blocks make them
    depend on each other: with 8 cycles that would come out 8/7 too large.
    """
    blocks = spikes.shape[1] // block
    if blocks < 2:
        return None
    cut = spikes[:, : blocks * block].reshape(spikes.shape[0], blocks, block, spikes.shape[2])
    counts = cut.sum(axis=2)
    mean = counts.mean(axis=1).sum()
    return float(counts.var(axis=1, ddof=1).sum() / mean) if mean > 0 else None
