"""Port reduction and crossbar solution: closed forms, physics, an independent solver, refusals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from memspice.errors import ConfigError, ShapeError
from memspice.solver import crossbar_solution, elimination
from memspice.solver.crossbar_solution import solve_crossbar
from memspice.solver.reduction import PortAdmittance, port_admittance
from tests.cross import nodal

Array = NDArray[np.float64]

# Both solvers keep 1e-13 or better; one digit is left for other BLAS libraries.
TOLERANCE = 1e-12


def resistance_or_zero(rng: np.random.Generator) -> float:
    return 0.0 if rng.random() < 0.4 else float(10.0 ** rng.uniform(-3, 4))


def random_case(seed: int) -> tuple[Array, tuple[float, float, float, float], Array]:
    """Cells, (row, col, driver, sense) and voltages; every kind of degenerate case is common."""
    rng = np.random.default_rng(seed)
    shape = [(1, 1), (1, 7), (7, 1), *(tuple(rng.integers(1, 12, 2)) for _ in range(5))][seed % 8]
    resistance = 10.0 ** rng.uniform(3, 7, shape)
    resistance[rng.random(shape) < rng.choice([0.0, 0.3])] = np.inf
    if rng.random() < 0.2:
        resistance[rng.integers(shape[0])] = np.inf
    if rng.random() < 0.2:
        resistance[:, rng.integers(shape[1])] = np.inf
    row, col, driver, sense = (resistance_or_zero(rng) for _ in range(4))
    return resistance, (row, col, driver, sense), rng.uniform(-1, 1, (shape[0], 2))


def error(actual: Array, expected: Array) -> float:
    """Largest deviation relative to the largest expected value."""
    scale = np.max(np.abs(expected))
    return float(np.max(np.abs(actual - expected)) / scale) if scale > 0 else np.max(np.abs(actual))


def full(port: PortAdmittance) -> Array:
    return np.block([[port.row_row, port.row_col], [port.row_col.T, port.col_col]])


def typical(seed: int, shape: tuple[int, int]) -> Array:
    """Cells of 0.2 to 10 uS in siemens, the package's default range."""
    return np.random.default_rng(seed).uniform(0.2e-6, 10e-6, shape)


# An independent solver --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(200))
def test_the_solution_agrees_with_an_independent_solver(seed: int) -> None:
    resistance, wires, voltage = random_case(seed)
    expected = nodal.grounded(resistance, voltage, *wires)
    found = solve_crossbar(resistance, voltage, *wires, node_voltages=True, device_currents=True)
    assert error(found.output_current, expected["output"]) < TOLERANCE
    assert error(found.word_line_voltage, expected["word"]) < TOLERANCE
    assert error(found.bit_line_voltage, expected["bit"]) < TOLERANCE
    assert error(found.device_current, expected["device"]) < TOLERANCE


@pytest.mark.parametrize("seed", range(200))
def test_the_ports_agree_with_an_independent_solver(seed: int) -> None:
    resistance, (row, col, driver, sense), voltage = random_case(seed)
    port = port_admittance(1.0 / resistance, row, col, driver)
    assert error(full(port), nodal.port_matrix(resistance, row, col, driver)) < TOLERANCE
    expected = nodal.grounded(resistance, voltage, row, col, driver, sense)
    assert error(port.terminated(sense) @ voltage, expected["output"]) < TOLERANCE


@pytest.mark.parametrize("shape", [(40, 30), (30, 40)])
@pytest.mark.parametrize("wires", [(1.06, 1.06, 120.0, 0.0), (0.0, 2.0, 50.0, 10.0)])
def test_a_larger_array_agrees_with_an_independent_solver(
    shape: tuple[int, int], wires: tuple[float, float, float, float]
) -> None:
    resistance = 1.0 / typical(1, shape)
    voltage = np.full((shape[0], 1), 0.1)
    found = solve_crossbar(resistance, voltage, *wires, node_voltages=True)
    expected = nodal.grounded(resistance, voltage, *wires)
    assert error(found.output_current, expected["output"]) < TOLERANCE
    assert error(found.bit_line_voltage, expected["bit"]) < TOLERANCE


def test_small_entries_are_as_exact_as_large_ones() -> None:
    # With 1 mohm wires and 1 Mohm cells a node matrix has lost nine digits; this one has not.
    resistance = np.full((6, 5), 1e6)
    port = port_admittance(1.0 / resistance, 1e-3, 1e-3)
    expected = nodal.port_matrix(resistance, 1e-3, 1e-3, 0.0)
    # Two columns are coupled through a milliohm: 1e-9 of an entry on the diagonal.
    assert np.max(np.abs(port.row_col / expected[:6, 6:] - 1.0)) < TOLERANCE
    assert np.all(port.col_col[~np.eye(5, dtype=bool)] < 0.0)
    assert port.col_col[0, 1] == pytest.approx(-6 * 1e-3 * 1e-12, rel=1e-7)


# Closed forms -----------------------------------------------------------------------------------


def test_one_cell_is_a_chain_of_resistors() -> None:
    found = solve_crossbar([[1000]], [3], 10, 20, 400, 70, node_voltages=True, device_currents=True)
    current = 3 / 1500
    assert found.output_current == pytest.approx([current], rel=1e-15)
    assert found.device_current == pytest.approx(np.array([[current]]), rel=1e-15)
    assert found.word_line_voltage == pytest.approx(np.array([[3 - 410 * current]]), rel=1e-15)
    assert found.bit_line_voltage == pytest.approx(np.array([[90 * current]]), rel=1e-15)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4)])
def test_ideal_wires_give_the_matrix_product(shape: tuple[int, int]) -> None:
    conductance = typical(2, shape)
    port = port_admittance(conductance, 0, 0)
    assert port.terminated() == pytest.approx(conductance.T, rel=1e-15)
    assert port.row_row == pytest.approx(np.diag(conductance.sum(axis=1)), rel=1e-14)
    assert port.col_col == pytest.approx(np.diag(conductance.sum(axis=0)), rel=1e-14)


def test_two_by_two_by_hand() -> None:
    # All cells 1 ohm, only the lowest segments of the columns have 1 ohm: two columns alike, each
    # 1/2 ohm of cells at the mean voltage in front of 1 ohm, beside an ideal word line.
    single = solve_crossbar([[1.0, 1.0], [1.0, 1.0]], [1.0, 0.0], 0.0, 0.0, 0.0, 1.0)
    assert single.output_current == pytest.approx([1 / 3, 1 / 3], rel=1e-15)
    # Row wires of 1 ohm, cells 1 ohm: 1 + 1 || (1 + 1) = 5/3 ohm, so 0.6 A splits 2 to 1.
    ladder = solve_crossbar([[1.0, 1.0], [np.inf, np.inf]], [1.0, 0.0], 1.0, 0.0)
    assert ladder.output_current == pytest.approx([0.4, 0.2], rel=1e-15)


def test_open_arrays_carry_nothing() -> None:
    found = solve_crossbar(np.full((3, 4), np.inf), [1, 2, 3], 1, 1, 1, 1, node_voltages=True)
    assert np.all(found.output_current == 0.0)
    assert np.all(found.bit_line_voltage == 0.0)
    assert found.word_line_voltage == pytest.approx(np.tile([[1.0], [2.0], [3.0]], 4))


# Physics ----------------------------------------------------------------------------------------

WIRES = [(1.06, 1.06, 120.0), (0.0, 5.0, 0.0), (5.0, 0.0, 10.0), (1e4, 1e4, 1e3)]


@pytest.mark.parametrize("wires", WIRES)
@pytest.mark.parametrize("shape", [(9, 5), (5, 9), (1, 4)])
def test_the_ports_are_reciprocal_passive_and_floating(
    shape: tuple[int, int], wires: tuple[float, float, float]
) -> None:
    matrix = full(port_admittance(typical(3, shape), *wires))
    largest = np.max(matrix)
    assert np.array_equal(matrix, matrix.T)
    assert np.min(np.linalg.eigvalsh(matrix)) > -1e-14 * largest
    assert np.max(np.abs(matrix.sum(axis=1))) < 1e-14 * largest
    assert np.all(matrix[~np.eye(len(matrix), dtype=bool)] <= 0.0)


@pytest.mark.parametrize("seed", range(24))
def test_power_at_the_ports_heats_the_elements(seed: int) -> None:
    resistance, (row, col, driver, sense), voltage = random_case(seed)
    port = port_admittance(1.0 / resistance, row, col, driver)
    output = port.terminated(sense) @ voltage
    end = sense * output
    into_the_array = port.power(voltage.T, end.T)
    heat = nodal.grounded(resistance, voltage, row, col, driver, sense)["heat"]
    assert into_the_array + np.sum(end * output, axis=0) == pytest.approx(
        heat, rel=1e-11, abs=1e-30
    )


def test_power_is_batched_over_leading_axes(rng: np.random.Generator) -> None:
    port = port_admittance(typical(4, (3, 2)), 1.0, 1.0, 10.0)
    row, col = rng.random((5, 4, 3)), rng.random((4, 2))
    power = port.power(row, col)
    assert power.shape == (5, 4)
    ports = np.concatenate([row[2, 1], col[1]])
    assert power[2, 1] == pytest.approx(ports @ full(port) @ ports, rel=1e-12)
    assert np.all(power > 0.0)


@pytest.mark.parametrize("shape", [(6, 3), (3, 6)])
def test_inputs_superpose_and_come_one_by_one(shape: tuple[int, int]) -> None:
    resistance = 1.0 / typical(5, shape)
    voltage = np.random.default_rng(5).uniform(-1, 1, (shape[0], 2))

    def solve(v: Array) -> Array:
        found = solve_crossbar(resistance, v, 2.0, 3.0, 40.0, 5.0, device_currents=True)
        assert found.word_line_voltage is None
        assert found.bit_line_voltage is None
        return np.vstack([found.output_current[np.newaxis], found.device_current])

    together, first, second = solve(voltage), solve(voltage[:, 0]), solve(voltage[:, 1])
    assert first.shape == (shape[0] + 1, shape[1])
    assert together[..., 0] == pytest.approx(first, rel=1e-13)
    assert solve(2 * voltage[:, 0] - voltage[:, 1]) == pytest.approx(2 * first - second, rel=1e-11)


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("shape", [(6, 3), (3, 6)])
def test_more_resistance_gives_less_current_down_to_none(
    shape: tuple[int, int], which: int
) -> None:
    totals = []
    for resistance in (0.0, 1.0, 1e3, 1e6, 1e12, 1e99):
        wires = [1.0] * 4
        wires[which] = resistance
        found = solve_crossbar(1.0 / typical(6, shape), np.ones(shape[0]), *wires)
        totals.append(float(found.output_current.sum()))
    assert np.all(np.diff(totals) < 0.0)
    assert totals[-1] < 1e-90


def test_a_line_that_fades_out_is_still_solved() -> None:
    port = port_admittance(np.full((60, 60), 1.0), 1e9, 0.0)
    # The first cell of each of 60 rows sees its source, and the second cell, through 1e9 ohm.
    assert port.col_col[0, 0] == pytest.approx(120e-9, rel=1e-6)
    assert np.all(np.isfinite(full(port)))


@pytest.mark.parametrize("seed", range(64))
def test_cuts_between_tiles_of_any_size_change_nothing(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Tiles of at most 3 x 3 cells: pairs of unequal parts, padded tiles inside and at both edges.
    monkeypatch.setattr(elimination, "_TILE", 1 + seed % 3)
    resistance, wires, voltage = random_case(seed)
    expected = nodal.grounded(resistance, voltage, *wires)
    found = solve_crossbar(resistance, voltage, *wires, node_voltages=True, device_currents=True)
    assert error(found.output_current, expected["output"]) < TOLERANCE
    assert error(found.word_line_voltage, expected["word"]) < TOLERANCE
    assert error(found.bit_line_voltage, expected["bit"]) < TOLERANCE
    assert error(found.device_current, expected["device"]) < TOLERANCE
    port = port_admittance(1.0 / resistance, *wires[:3])
    assert error(full(port), nodal.port_matrix(resistance, *wires[:3])) < TOLERANCE


@pytest.mark.parametrize("shape", [(70, 65), (65, 130), (130, 3)])
def test_arrays_beyond_one_tile_are_what_smaller_tiles_make(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = full(port_admittance(typical(8, shape), 3.0, 5.0, 100.0))
    monkeypatch.setattr(elimination, "_TILE", 16)
    parts = full(port_admittance(typical(8, shape), 3.0, 5.0, 100.0))
    assert parts == pytest.approx(whole, rel=1e-11)


def test_many_inputs_are_solved_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    resistance, voltage = 1.0 / typical(9, (5, 6)), np.random.default_rng(9).random((5, 7))
    wires = (2.0, 3.0, 40.0, 5.0)
    together = solve_crossbar(resistance, voltage, *wires, device_currents=True)
    monkeypatch.setattr(crossbar_solution, "_INPUTS", 3)
    apart = solve_crossbar(resistance, voltage, *wires, device_currents=True)
    assert apart.output_current == pytest.approx(together.output_current, rel=1e-13)
    assert apart.device_current == pytest.approx(together.device_current, rel=1e-13)


def test_a_sense_resistance_loads_the_columns() -> None:
    port = port_admittance(typical(7, (5, 4)), 1.0, 1.0, 100.0)
    v_row = np.linspace(0.1, 0.5, 5)
    output = port.terminated(1e4) @ v_row
    v_col = 1e4 * output
    assert -(port.row_col.T @ v_row + port.col_col @ v_col) == pytest.approx(output, rel=1e-13)


def test_plain_numbers_of_any_kind_are_taken() -> None:
    plain = solve_crossbar([[1, 2], [4, 5]], [1, 0], np.int64(1), np.float32(2), 3, 4)
    same = solve_crossbar(np.array([[1.0, 2.0], [4.0, 5.0]]), [1.0, 0.0], 1.0, 2.0, 3.0, 4.0)
    assert np.array_equal(plain.output_current, same.output_current)


# Refusals ---------------------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")
CELLS = np.full((3, 2), 1e3)


def with_cell(value: float) -> Array:
    cells = CELLS.copy()
    cells[2, 1] = value
    return cells


@pytest.mark.parametrize("value", [NAN, 0.0, -1e3, -INF, 1e-200, 1e200])
def test_a_cell_resistance_that_is_not_positive_is_refused(value: float) -> None:
    with pytest.raises(ConfigError, match=r"resistance\[2, 1\] = .* ohm .*use numpy.inf"):
        solve_crossbar(with_cell(value), np.ones(3), 1, 1)


@pytest.mark.parametrize("value", [NAN, -1e-3, INF, 1e200])
def test_a_cell_conductance_that_is_negative_or_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ConfigError, match=r"conductance\[2, 1\] = .* S "):
        port_admittance(with_cell(value), 1, 1)


@pytest.mark.parametrize("value", [NAN, -1.0, INF, 1e-200, 1j, "1", None, True, [1.0]])
@pytest.mark.parametrize("which", range(4))
def test_a_wire_driver_or_sense_that_is_no_resistance_is_refused(which: int, value: object) -> None:
    names = ("wire_resistance_row", "wire_resistance_col", "driver_resistance", "sense_resistance")
    wires: list[object] = [1.0] * 4
    wires[which] = value
    with pytest.raises(ConfigError, match=names[which]):
        solve_crossbar(CELLS, np.ones(3), *wires)
    with pytest.raises(ConfigError, match=names[which]):
        port_admittance(CELLS, *wires[:3]).terminated(wires[3])


@pytest.mark.parametrize("value", [NAN, INF, -INF, 1e200])
def test_a_voltage_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ConfigError, match=r"voltage\[1\] = .* V is not finite"):
        solve_crossbar(CELLS, [0.0, value, 0.0], 1, 1)
    with pytest.raises(ConfigError, match=r"col_voltage\[1\] = .* V is not finite"):
        port_admittance(CELLS, 1, 1).power(np.ones(3), [0.0, value])


@pytest.mark.parametrize(
    "call",
    [
        lambda: solve_crossbar(CELLS, np.ones(2), 1, 1),
        lambda: solve_crossbar(CELLS, np.ones((1, 3)), 1, 1),
        lambda: solve_crossbar(CELLS, np.ones((3, 1, 1)), 1, 1),
        lambda: solve_crossbar(CELLS, 1.0, 1, 1),
        lambda: solve_crossbar(CELLS, np.ones((3, 0)), 1, 1),
        lambda: solve_crossbar(CELLS[0], np.ones(3), 1, 1),
        lambda: solve_crossbar(np.ones((0, 2)), np.ones(0), 1, 1),
        lambda: solve_crossbar([[1.0, 2.0], [3.0]], np.ones(2), 1, 1),
        lambda: port_admittance(CELLS[0], 1, 1),
        lambda: port_admittance(np.ones((2, 0)), 1, 1),
        lambda: port_admittance(CELLS, 1, 1).power(np.ones(2), np.ones(2)),
        lambda: port_admittance(CELLS, 1, 1).power(np.ones(3), 1.0),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call: Callable[[], object]) -> None:
    with pytest.raises(ShapeError, match="shape|ragged"):
        call()


@pytest.mark.parametrize(
    "cells",
    [CELLS * 1j, [["a", "b"]], CELLS.astype(object), CELLS > 0, np.ma.masked_less(CELLS, np.inf)],
)
def test_cells_that_are_not_real_numbers_are_refused(cells: object) -> None:
    with pytest.raises(ConfigError, match="real numbers in ohm"):
        solve_crossbar(cells, np.ones(len(cells)), 1, 1)
    with pytest.raises(ConfigError, match="real numbers in S"):
        port_admittance(cells, 1, 1)


@pytest.mark.parametrize("resistance", [1e9, 1e18])
def test_lines_that_all_but_float_are_refused(resistance: float) -> None:
    with pytest.raises(ConfigError, match="lower driver_resistance"):
        solve_crossbar(np.ones((4, 4)), np.ones(4), 0.0, 0.0, resistance, resistance)


def test_cells_that_conduct_far_better_than_wires_and_drivers_are_solved() -> None:
    port = port_admittance(np.ones((4, 4)), 0.0, 1e9, 1e9)
    # All columns are alike, so they are one column of 4 S cells on wires of 1/4 GOhm.
    merged = port_admittance(np.full((4, 1), 4.0), 0.0, 0.25e9, 1e9)
    assert port.row_row == pytest.approx(merged.row_row, rel=TOLERANCE)
    assert 4 * port.row_col == pytest.approx(np.tile(merged.row_col, 4), rel=TOLERANCE)
