"""Draws of events: the same in every order and slice, uniform, independent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from memspice.devices.draws import (
    event_thresholds,
    event_uniforms,
    event_words,
    leading_bits,
    uniforms,
)

KEY = {"seed": 3, "layer": 2, "image": 17, "cycle": 5}


def draw(first: int = 0, count: int = 8, **key: int) -> np.ndarray:
    return event_uniforms(**{**KEY, **key}, first=first, count=count)


def test_known_values_stay() -> None:
    # Results stored with a seed must be reproducible by later versions.
    known = [1.1921495278485899, 0.16403920254418144, 1.8570356829156525]
    np.testing.assert_allclose(event_thresholds(1, 0, 0, 0, 0, 3), known, rtol=1e-12)


def test_known_values_stay_to_the_bit() -> None:
    known = {
        (1, 2, 3, 4, 5): [
            "0x1.b4c0ab3bdaa25p-1", "0x1.70f77ea614868p-4", "0x1.9be24435dde76p-2",
            "0x1.75ac4284d9c36p-2", "0x1.5a271c72408bcp-3", "0x1.d3058fa9662f9p-1",
        ],
        (2**64 - 1, 6, 59_999, 15, 32_764): [
            "0x1.de978b1dc3c34p-3", "0x1.fdd7ac3946b78p-4", "0x1.87ebf760cc8b3p-1",
            "0x1.8a39081246814p-3", "0x1.4130036beb0c6p-2",
        ],
    }  # fmt: skip
    for key, values in known.items():
        assert [float.hex(value) for value in event_uniforms(*key, len(values))] == values


@pytest.mark.parametrize("count", [1, 3, 4, 6, 1000])
def test_words_of_many_cycles_are_the_draws_of_each(count: int) -> None:
    words = event_words(7, 3, 11, range(5, 9), count)
    for cycle, word in zip(range(5, 9), words, strict=True):
        assert word.dtype == np.uint64
        np.testing.assert_array_equal(uniforms(word), event_uniforms(7, 3, 11, cycle, 0, count))


def test_leading_bits_are_the_draws_rounded_down() -> None:
    (word,) = event_words(7, 3, 11, range(1), 1001)
    bits = leading_bits(word)
    assert bits.shape == word.shape
    np.testing.assert_array_equal(bits, np.floor(uniforms(word) * 2.0**32))


@pytest.mark.parametrize("first", [0, 1, 3, 4, 5, 127, 128, 1000])
@pytest.mark.parametrize("count", [1, 4, 7])
def test_slice_is_the_same_events(first: int, count: int) -> None:
    whole = draw(0, 1100)
    np.testing.assert_array_equal(draw(first, count), whole[first : first + count])


@pytest.mark.parametrize("name", list(KEY))
@pytest.mark.parametrize("step", [1, 2, 1 << 20])
def test_every_part_of_the_key_gives_other_draws(name: str, step: int) -> None:
    first, second = draw(count=1000), draw(count=1000, **{name: KEY[name] + step})
    assert not set(first) & set(second)
    # Uncorrelated: five standard deviations of 1 / sqrt(1000).
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(1000)


def test_layer_and_image_do_not_meet() -> None:
    assert not np.array_equal(draw(layer=0, image=1), draw(layer=1, image=0))


def test_draws_lie_inside_zero_and_one() -> None:
    values = draw(count=100_000)
    assert 0 < values.min() < 1e-3
    assert 1 - 1e-3 < values.max() < 1
    # Odd multiples of 2**-53: neither end can be reached, and none is lost to rounding.
    assert (np.mod(values * 2.0**53, 2) == 1).all()


def test_uniforms_and_thresholds_have_their_distributions() -> None:
    uniform = np.concatenate([draw(count=2000, cycle=cycle) for cycle in range(20)])
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    thresholds = np.concatenate([event_thresholds(3, 2, 17, cycle, 0, 2000) for cycle in range(20)])
    np.testing.assert_array_equal(thresholds, -np.log(uniform))
    assert stats.kstest(thresholds, "expon").pvalue > 1e-3


def test_successive_events_are_independent() -> None:
    values = draw(count=40_000)
    for lag in (1, 2, 3, 4, 8):
        assert abs(np.corrcoef(values[:-lag], values[lag:])[0, 1]) < 5 / np.sqrt(40_000)


def test_largest_seed_and_late_events_work() -> None:
    values = draw(first=2**40, count=3, seed=2**64 - 1, image=59_999, cycle=10**6)
    assert ((values > 0) & (values < 1)).all()
