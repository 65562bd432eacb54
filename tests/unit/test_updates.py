"""Changes of a few cells against a new reduction: random, repeated, undone, degenerate, refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from memspice.errors import ConfigError, ShapeError
from memspice.solver import elimination, updates
from memspice.solver.reduction import PortAdmittance, port_admittance
from memspice.solver.updates import ChangingCrossbar

Array = NDArray[np.float64]
Wires = tuple[float, float, float]

# An update may lose four digits of the 1e-15 of an elimination before it is made anew; one more is
# left for other BLAS libraries.
TOLERANCE = 1e-10
TYPICAL: Wires = (1.06, 1.06, 120.0)


def assert_same(found: PortAdmittance, expected: PortAdmittance) -> None:
    for name in ("row_row", "row_col", "col_col"):
        actual, wanted = getattr(found, name), getattr(expected, name)
        assert np.max(np.abs(actual - wanted)) <= TOLERANCE * np.max(np.abs(wanted)), name


def cells_of(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Cells of 0.2 to 10 uS, some of them open."""
    return rng.uniform(0.2e-6, 10e-6, shape) * (rng.random(shape) > 0.1)


def some_of(rng: np.random.Generator, shape: tuple[int, int], count: int) -> Array:
    chosen = rng.choice(shape[0] * shape[1], count, replace=False)
    return np.stack(np.unravel_index(chosen, shape), axis=1)


def changed_by_hand(conductance: Array, cells: Array, values: Array) -> Array:
    changed = conductance.copy()
    changed[cells[:, 0], cells[:, 1]] = values
    return changed


@pytest.mark.parametrize("seed", range(40))
def test_an_update_is_a_new_reduction(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Small tiles, so that cells lie in several of them; no limit, so that nothing is made anew.
    monkeypatch.setattr(elimination, "_TILE", [3, 64][seed % 2])
    monkeypatch.setattr(updates, "_LARGEST_SHARE", np.inf)
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 14)), int(rng.integers(1, 14)))
    wires: Wires = tuple(float(rng.choice([0.0, 10.0 ** rng.uniform(-2, 4)])) for _ in range(3))
    conductance = cells_of(rng, shape)
    crossbar = ChangingCrossbar.build(conductance, *wires)
    assert_same(crossbar.ports, port_admittance(conductance, *wires))
    cells = some_of(rng, shape, int(rng.integers(1, 1 + min(6, conductance.size))))
    values = rng.uniform(0.0, 20e-6, len(cells)) * (rng.random(len(cells)) > 0.3)
    changed = crossbar.with_cells(cells, values)
    expected = changed_by_hand(conductance, cells, values)
    assert np.array_equal(changed.conductance, expected)
    assert changed._base is crossbar._base
    assert_same(changed.ports, port_admittance(expected, *wires))


def test_updates_may_be_repeated_and_undone(rng: np.random.Generator) -> None:
    shape = (24, 40)
    start = cells_of(rng, shape)
    crossbar = first = ChangingCrossbar.build(start, *TYPICAL)
    conductance = start
    for _ in range(3):
        cells = some_of(rng, shape, 3)
        values = rng.uniform(0.0, 10e-6, 3)
        crossbar = crossbar.with_cells(cells, values)
        conductance = changed_by_hand(conductance, cells, values)
        assert crossbar._base is first._base
        assert_same(crossbar.ports, port_admittance(conductance, *TYPICAL))
    cells = np.argwhere(conductance != start)
    back = crossbar.with_cells(cells, start[cells[:, 0], cells[:, 1]])
    assert np.array_equal(back.ports.row_col, first.ports.row_col)
    assert np.array_equal(back.ports.row_row, first.ports.row_row)
    assert_same(first.ports, port_admittance(start, *TYPICAL))


def test_many_changes_are_a_new_elimination(rng: np.random.Generator) -> None:
    conductance = cells_of(rng, (9, 8))
    crossbar = ChangingCrossbar.build(conductance, *TYPICAL)
    cells, values = some_of(rng, (9, 8), 5), rng.uniform(1e-6, 2e-6, 5)
    changed = crossbar.with_cells(cells, values)
    assert changed._base is not crossbar._base
    expected = port_admittance(changed_by_hand(conductance, cells, values), *TYPICAL)
    assert np.array_equal(changed.ports.row_col, expected.row_col)


def test_opening_a_cell_that_shorts_its_wires_keeps_the_digits() -> None:
    # The cell conducts 1e12 times better than its wires: by the update nothing would be left.
    conductance = np.full((8, 8), 1e-6)
    conductance[3, 4] = 1e9
    crossbar = ChangingCrossbar.build(conductance, 1e3, 1e3, 1e3)
    opened = crossbar.with_cells([(3, 4)], [0.0])
    assert opened._base is not crossbar._base
    conductance[3, 4] = 0.0
    assert_same(opened.ports, port_admittance(conductance, 1e3, 1e3, 1e3))


def test_one_cell_in_a_divider() -> None:
    opened = ChangingCrossbar.build(np.full((5, 5), 1e-6), 0.0, 0.0, 1e5).with_cells([(2, 3)], [0])
    # The row is 1e5 ohm before four cells of 1 Mohm: 1 V there drives 1e-6 / 1.4 into each.
    expected = np.full(5, 1e-6 / 1.4)
    expected[3] = 0.0
    assert -opened.ports.row_col[2] == pytest.approx(expected, rel=1e-13, abs=1e-20)


def test_no_change_is_no_change(rng: np.random.Generator) -> None:
    crossbar = ChangingCrossbar.build(cells_of(rng, (4, 4)), *TYPICAL)
    same = crossbar.with_cells([(1, 2)], [crossbar.conductance[1, 2]])
    assert np.array_equal(same.ports.row_col, crossbar.ports.row_col)


CROSSBAR = ChangingCrossbar.build(np.full((3, 2), 1e-6), *TYPICAL)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: CROSSBAR.with_cells([(3, 0)], [1e-6]), ConfigError, r"cell \[3, 0\] is not in"),
        (lambda: CROSSBAR.with_cells([(0, -1)], [1e-6]), ConfigError, r"cell \[0, -1\] is not in"),
        (lambda: CROSSBAR.with_cells([(0, 1), (0, 1)], [1e-6] * 2), ConfigError, "named twice"),
        (lambda: CROSSBAR.with_cells([(0, 1)], [-1e-6]), ConfigError, "negative"),
        (lambda: CROSSBAR.with_cells([(0, 1)], [float("nan")]), ConfigError, "not finite"),
        (lambda: CROSSBAR.with_cells([(0, 1)], [1e-6, 2e-6]), ShapeError, "for 1 cells"),
        (lambda: CROSSBAR.with_cells([(0.0, 1.0)], [1e-6]), ShapeError, "give integers"),
        (lambda: CROSSBAR.with_cells([0, 1], [1e-6, 1e-6]), ShapeError, r"shape \(2,\)"),
        (lambda: ChangingCrossbar.build([[-1.0]], *TYPICAL), ConfigError, "negative"),
    ],
)
def test_what_is_no_change_is_refused(
    call: Callable[[], object], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        call()
