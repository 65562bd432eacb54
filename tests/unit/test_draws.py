"""Draws of events: the same in every order and slice, uniform, independent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from memspice.devices.draws import (
    event_draws,
    event_thresholds,
    event_uniforms,
    uniforms,
)

KEY = {"seed": 3, "layer": 2, "image": 17, "cycle": 5}


def draw(first: int = 0, count: int = 8, **key: int) -> np.ndarray:
    return event_uniforms(**{**KEY, **key}, first=first, count=count)


def test_known_values_stay() -> None:
    # Results stored with a seed must be reproducible by later versions.
    known = [0.779719936733181, 1.1921495278167868, 0.3154472962375651]
    np.testing.assert_allclose(event_thresholds(1, 0, 0, 0, 0, 3), known, rtol=1e-12)


def test_known_values_stay_to_the_bit() -> None:
    known = {
        (1, 2, 3, 4, 5): [
            "0x1.524889d700000p-1", "0x1.fbf8ff7e00000p-2", "0x1.be166e9400000p-3",
            "0x1.d0504b6400000p-3", "0x1.6dab231300000p-1", "0x1.daa25efd00000p-1",
        ],
        (2**64 - 1, 6, 59_999, 15, 32_764): [
            "0x1.d6a3d64b00000p-1", "0x1.07145ea500000p-1", "0x1.36b7857600000p-2",
            "0x1.140deee700000p-1", "0x1.e02200e200000p-2",
        ],
    }  # fmt: skip
    for key, values in known.items():
        assert [float.hex(value) for value in event_uniforms(*key, len(values))] == values


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 1000])
def test_draws_of_many_cycles_are_those_of_each(count: int) -> None:
    drawn = event_draws(7, 3, 11, range(5, 9), count)
    for cycle, part in zip(range(5, 9), drawn, strict=True):
        assert part.dtype == np.uint32
        assert part.shape == (count,)
        np.testing.assert_array_equal(uniforms(part), event_uniforms(7, 3, 11, cycle, 0, count))


def test_a_word_of_philox_is_two_draws_the_lower_half_first() -> None:
    # Python's integers have no byte order: so it is the same on every machine.
    words = np.random.Philox(key=[7, (3 << 40) | 11], counter=[0, 0, 0, 5]).random_raw(50).tolist()
    (drawn,) = event_draws(7, 3, 11, range(5, 6), 100)
    halves = [half for word in words for half in (word % 2**32, word // 2**32)]
    assert drawn.tolist() == halves
    assert (uniforms(drawn) == [(half + 0.5) / 2**32 for half in halves]).all()


def test_resolution_is_what_is_documented() -> None:
    ends = uniforms(np.array([0, 1, 2**32 - 1], dtype=np.uint32))
    np.testing.assert_allclose(-np.log(ends[[2, 0]]), [1.2e-10, 22.9], rtol=0.04)
    assert ends[1] - ends[0] == 2.0**-32


@pytest.mark.parametrize("first", [0, 1, 7, 8, 9, 127, 128, 1000])
@pytest.mark.parametrize("count", [1, 8, 15])
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
    # Odd multiples of 2**-33: neither end can be reached.
    assert (np.mod(values * 2.0**33, 2) == 1).all()


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
