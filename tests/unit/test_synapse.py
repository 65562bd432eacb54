"""From weights to conductance pairs: exact without flaws, flawed as told."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.devices.synapse import Synapse, differential_conductance
from memspice.errors import ConfigError

IDEAL = Synapse(min_conductance=0.2e-6, max_conductance=10e-6, levels=2**20)


def flawed(**values: float) -> Synapse:
    return IDEAL.model_copy(update=values)


def conductance(
    weight: np.ndarray, synapse: Synapse, bound: float = 1.0, seed: int = 0
) -> np.ndarray:
    return differential_conductance(weight, bound, synapse, np.random.default_rng(seed))


@pytest.fixture
def weight(rng: np.random.Generator) -> np.ndarray:
    """Many weights, the extremes among them, shape (150, 100)."""
    values = rng.uniform(-1, 1, (150, 100))
    values.flat[:3] = (-1, 0, 1)
    return values


def test_pairs_by_hand() -> None:
    found = conductance(np.array([[2.0, -2.0, 0.0], [1.0, -0.5, 0.0]]), IDEAL, bound=2.0)
    low, span = 0.2e-6, 9.8e-6
    expected = [
        [low + span, low, low, low + span, low, low],
        [low + span / 2, low, low, low + span / 4, low, low],
    ]
    # A million levels: rounding is at most half a step.
    np.testing.assert_allclose(found, expected, rtol=0, atol=span / 2**20)


def test_difference_is_the_weight_and_one_of_the_pair_rests(weight: np.ndarray) -> None:
    cells = conductance(weight, IDEAL)
    plus, minus = cells[:, 0::2], cells[:, 1::2]
    np.testing.assert_allclose((plus - minus) / IDEAL.span, weight, atol=1 / 2**20)
    np.testing.assert_array_equal(np.minimum(plus, minus), IDEAL.min_conductance)
    assert cells.max() == pytest.approx(IDEAL.max_conductance, rel=1e-12)


def test_negative_weights_swap_the_pair(weight: np.ndarray) -> None:
    cells, swapped = conductance(weight, IDEAL), conductance(-weight, IDEAL)
    np.testing.assert_array_equal(cells[:, 0::2], swapped[:, 1::2])


@pytest.mark.parametrize("levels", [2, 5, 32])
def test_levels_are_even_and_rounding_is_to_the_nearest(weight: np.ndarray, levels: int) -> None:
    cells = conductance(weight, flawed(levels=levels))
    values = np.unique(cells.round(15))
    assert len(values) == levels
    np.testing.assert_allclose(np.diff(values), IDEAL.span / (levels - 1), rtol=1e-6)
    error = (cells[:, 0::2] - cells[:, 1::2]) / IDEAL.span - weight
    assert np.abs(error).max() <= 0.5 / (levels - 1) + 1e-12


def test_spread_is_log_normal_of_its_sigma(weight: np.ndarray) -> None:
    ratio = conductance(weight, flawed(variation=0.1)) / conductance(weight, IDEAL)
    logs = np.log(ratio)
    # 30,000 cells: four standard deviations of the mean and of sigma.
    assert abs(logs.mean()) < 4 * 0.1 / np.sqrt(logs.size)
    assert logs.std() == pytest.approx(0.1, rel=4 / np.sqrt(2 * logs.size))
    assert conductance(weight, flawed(variation=3.0)).min() > 0


def test_stuck_cells_have_their_shares_and_their_ends(weight: np.ndarray) -> None:
    cells = conductance(weight, flawed(variation=0.05, stuck_on=0.0175, stuck_off=0.0904))
    for share, end in ((0.0175, IDEAL.max_conductance), (0.0904, IDEAL.min_conductance)):
        sigma = np.sqrt(share * (1 - share) / cells.size)
        assert np.mean(cells == end) == pytest.approx(share, abs=4 * sigma)


@pytest.mark.parametrize(
    ("share", "end"), [("stuck_on", IDEAL.max_conductance), ("stuck_off", IDEAL.min_conductance)]
)
def test_all_cells_can_be_stuck(weight: np.ndarray, share: str, end: float) -> None:
    assert (conductance(weight, flawed(variation=0.3, **{share: 1.0})) == end).all()


def test_one_flaw_does_not_shift_the_draws_of_another(weight: np.ndarray) -> None:
    spread = conductance(weight, flawed(variation=0.05))
    both = conductance(weight, flawed(variation=0.05, stuck_on=0.1, stuck_off=0.1))
    changed = both != spread
    assert np.isin(both[changed], [IDEAL.min_conductance, IDEAL.max_conductance]).all()
    assert changed.mean() == pytest.approx(0.2, abs=0.02)


def test_seed_decides(weight: np.ndarray) -> None:
    synapse = flawed(variation=0.05)
    np.testing.assert_array_equal(conductance(weight, synapse), conductance(weight, synapse))
    assert (conductance(weight, synapse, seed=1) != conductance(weight, synapse)).all()


# --- refused --------------------------------------------------------------------------------------


def test_empty_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_conductance = 1e-07 S must exceed"):
        conductance(np.zeros((1, 1)), flawed(max_conductance=1e-7))


@pytest.mark.parametrize("wrong", [1.001, -2.0, np.inf, np.nan])
def test_weight_beyond_its_bound_is_refused(wrong: float) -> None:
    with pytest.raises(ConfigError, match="exceeds the bound of 1"):
        conductance(np.array([[0.5, wrong]]), IDEAL)


def test_more_stuck_cells_than_cells_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"stuck_on = 0.6 and stuck_off = 0.5"):
        conductance(np.zeros((1, 1)), flawed(stuck_on=0.6, stuck_off=0.5))


# --- partners of stuck cells ----------------------------------------------------------------------


def pairs(weight: np.ndarray, synapse: Synapse, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Differences (rows, outputs) and cells (rows, outputs, 2), in shares of the span."""
    cells = (conductance(weight, synapse, seed=seed) - synapse.min_conductance) / synapse.span
    cells = cells.reshape(*weight.shape, 2)
    return cells[..., 0] - cells[..., 1], cells


def stuck_cells(weight: np.ndarray, synapse: Synapse) -> tuple[np.ndarray, np.ndarray]:
    """Which cells (rows, outputs, 2) are stuck: those that no weight moves."""
    plain = synapse.model_copy(update={"pair_correction": 0})
    _, ones = pairs(np.ones_like(weight), plain)
    _, others = pairs(-np.ones_like(weight), plain)
    same = np.isclose(ones, others)
    return same & (ones > 0.5), same & (ones < 0.5)


def test_partner_brings_a_pair_as_near_as_it_gets(weight: np.ndarray) -> None:
    """One stuck cell leaves half of the weights exact; the others end at zero, or where they are.

    By hand: G+ stuck on gives max(w, 0), stuck off min(w, 0), and the mirror image for G-.
    """
    synapse = flawed(stuck_on=0.1, stuck_off=0.1, pair_correction=1)
    on, off = stuck_cells(weight, synapse)
    found, _ = pairs(weight, synapse)
    free = ~(on | off)
    alone = free[..., 1] & ~free[..., 0], free[..., 0] & ~free[..., 1]
    for side, sign in enumerate((1, -1)):
        for stuck, kept in ((on, np.maximum), (off, np.minimum)):
            of = stuck[..., side] & alone[side]
            assert of.sum() > 500  # a tenth of 15,000 pairs, less those with two
            expected = sign * kept(sign * weight[of], 0)
            np.testing.assert_allclose(found[of], expected, rtol=0, atol=1e-5)
    both = ~free[..., 0] & ~free[..., 1]
    expected = on[both].astype(float)
    np.testing.assert_allclose(found[both], expected[:, 0] - expected[:, 1], atol=1e-9)


def test_correction_moves_no_pair_without_a_stuck_cell_and_never_away(weight: np.ndarray) -> None:
    plain = flawed(stuck_on=0.05, stuck_off=0.05, variation=0.05)
    corrected = plain.model_copy(update={"pair_correction": 1})
    on, off = stuck_cells(weight, flawed(stuck_on=0.05, stuck_off=0.05))
    before, after = pairs(weight, plain)[0], pairs(weight, corrected)[0]
    whole = ~(on | off).any(axis=-1)
    np.testing.assert_array_equal(after[whole], before[whole])
    exact = corrected.model_copy(update={"variation": 0.0})
    near, far = (
        pairs(weight, exact)[0],
        pairs(weight, exact.model_copy(update={"pair_correction": 0}))[0],
    )
    assert (np.abs(near - weight) <= np.abs(far - weight) + 1e-5).all()
