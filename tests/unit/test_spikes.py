"""Spike statistics of trains whose numbers are known."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.analysis.spikes import spike_statistics

WRITE = 100e-9


def draws_for(spikes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hazard integrals of one, and draws on the side that makes these spikes."""
    return np.ones(spikes.shape), np.where(spikes, 0.25, 4.0)


def test_counts_and_rates_by_hand() -> None:
    spikes = np.zeros((2, 4, 3), bool)
    spikes[0, :, 0] = spikes[1, 2, 0] = spikes[1, 0, 2] = True
    found = spike_statistics(spikes, *draws_for(spikes), WRITE)
    assert (found.events, found.count) == (24, 6)
    assert found.rate == 0.25
    np.testing.assert_allclose(found.neuron_rates, [5 / 8, 0, 1 / 8])


def test_expected_rate_and_its_standard_error_by_hand() -> None:
    hazard = -np.log1p(-np.array([0.5, 0.1, 0.9, 0.2])).reshape(1, 2, 2)
    spikes = np.array([True, False, True, False]).reshape(1, 2, 2)
    found = spike_statistics(spikes, hazard, np.where(spikes, hazard / 2, 2 * hazard), WRITE)
    assert found.expected_rate == pytest.approx(1.7 / 4)
    assert found.rate_error == pytest.approx(np.sqrt(0.25 + 0.09 + 0.09 + 0.16) / 4)
    assert found.deviation == pytest.approx((0.5 - 0.425) / found.rate_error)


def test_latency_is_the_share_of_the_pulse_at_which_the_hazard_reaches_the_draw() -> None:
    hazard = np.array([2.0, 4.0, 1.0, 1.0]).reshape(1, 4, 1)
    draws = np.array([1.0, 0.4, 0.9, 5.0]).reshape(1, 4, 1)
    found = spike_statistics(hazard >= draws, hazard, draws, WRITE)
    assert found.latency_mean == pytest.approx((0.5 + 0.1 + 0.9) / 3 * WRITE)
    assert found.latency_median == pytest.approx(0.5 * WRITE)


def test_latency_never_exceeds_the_pulse() -> None:
    # A mismatch within the margin: latched although the integral ends just below the draw.
    spikes = np.ones((1, 1, 1), bool)
    found = spike_statistics(spikes, np.full((1, 1, 1), 0.999), np.ones((1, 1, 1)), WRITE)
    assert found.latency_mean == WRITE


def test_intervals_stay_inside_a_train() -> None:
    spikes = np.zeros((2, 8, 2), bool)
    spikes[0, [1, 4, 5], 0] = True  # intervals 3 and 1
    spikes[0, 7, 1] = True  # alone
    spikes[1, [0, 6], 0] = True  # interval 6
    found = spike_statistics(spikes, *draws_for(spikes), WRITE)
    assert found.interval_mean == pytest.approx((3 + 1 + 6) / 3)


def test_silence_defines_nothing() -> None:
    spikes = np.zeros((2, 16, 3), bool)
    found = spike_statistics(spikes, *draws_for(spikes), WRITE)
    assert (found.count, found.rate) == (0, 0.0)
    assert found.latency_mean is found.latency_median is None
    assert found.interval_mean is found.fano_factor is None


def test_too_few_cycles_for_a_fano_factor() -> None:
    spikes = np.ones((1, 7, 2), bool)
    assert spike_statistics(spikes, *draws_for(spikes), WRITE).fano_factor is None


def test_regular_trains_have_no_variance_and_bursts_much() -> None:
    regular = np.ones((2, 32, 3), bool)
    assert spike_statistics(regular, *draws_for(regular), WRITE).fano_factor == 0.0
    bursts = np.zeros((1, 32, 1), bool)
    bursts[0, :16] = True  # counts 4, 4, 4, 4, 0, 0, 0, 0: variance 32 / 7, mean 2
    found = spike_statistics(bursts, *draws_for(bursts), WRITE).fano_factor
    assert found == pytest.approx(16 / 7)


@pytest.mark.parametrize("probability", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("cycles", [8, 64])
def test_independent_cycles_have_the_fano_factor_of_the_binomial(
    probability: float, cycles: int, rng: np.random.Generator
) -> None:
    shape = (200 * 64 // cycles, cycles, 10)
    hazard = np.full(shape, -np.log1p(-probability))
    draws = rng.exponential(size=shape)
    found = spike_statistics(hazard >= draws, hazard, draws, WRITE)
    assert found.fano_factor is not None
    # 32,000 blocks of 4 cycles: the ratio is known to about sqrt(2 / 32,000), which is 0.8 %, and
    # not better than that with few spikes; 4 standard errors.
    error = np.sqrt(2 / 32000) * (1 - probability) + np.sqrt(1 / (32000 * 4 * probability))
    assert found.fano_factor == pytest.approx(1 - probability, abs=4 * error)


def test_deviation_is_standard_normal_over_seeds() -> None:
    hazard = np.random.default_rng(1).exponential(size=(1, 20, 10))
    deviations = []
    for seed in range(200):
        draws = np.random.default_rng(seed + 100).exponential(size=hazard.shape)
        deviations.append(spike_statistics(hazard >= draws, hazard, draws, WRITE).deviation)
    # Mean within 4 / sqrt(200), standard deviation within 4 / sqrt(400).
    assert abs(np.mean(deviations)) < 0.28
    assert np.std(deviations) == pytest.approx(1, abs=0.2)


def test_latency_of_a_certain_spike_is_a_truncated_exponential(rng: np.random.Generator) -> None:
    hazard = np.full((1, 2000, 10), 3.0)
    draws = rng.exponential(size=hazard.shape)
    found = spike_statistics(hazard >= draws, hazard, draws, WRITE)
    # Mean of an exponential cut at 3: 1 - 3 / (e^3 - 1); its deviation is below 1.
    expected = (1 - 3 / np.expm1(3.0)) / 3 * WRITE
    assert found.latency_mean == pytest.approx(expected, abs=4 / 3 * WRITE / np.sqrt(19000))
