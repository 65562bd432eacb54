"""Crossbars of non-linear cells: limits, closed forms, an independent sparse Newton, refusals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import brentq
from scipy.sparse.linalg import splu

from memspice.devices.synapse_iv import CubicCell, OhmicCell, SinhCell
from memspice.errors import ConfigError, ConvergenceError, ShapeError
from memspice.solver import nonlinear_solution
from memspice.solver.crossbar_solution import solve_crossbar
from memspice.solver.nonlinear_solution import RisingCurve, solve_nonlinear_crossbar

Array = NDArray[np.float64]
Wires = tuple[float, float, float, float]

SINH = SinhCell(voltage_scale=0.1)
CUBIC = CubicCell(cubic_coefficient=20.0)
# With wires of 0.2 S and cells of 1e-5 S a node matrix in double precision keeps about 1e-11.
TOLERANCE = 1e-9


class StepCell:
    """Cell that all but switches on at 0.5 V: plain Newton jumps to and fro across the step."""

    def current(self, voltage: Array, conductance: Array) -> Array:
        step = np.tanh((voltage - 0.5) / 0.02) + np.tanh((voltage + 0.5) / 0.02)
        return conductance * (voltage + 100.0 * step)

    def slope(self, voltage: Array, conductance: Array) -> Array:
        squares = np.tanh((voltage - 0.5) / 0.02) ** 2 + np.tanh((voltage + 0.5) / 0.02) ** 2
        return conductance * (1.0 + 100.0 / 0.02 * (2.0 - squares))


class JumpingCell:
    """Cell whose slope says nothing of a jump at 0 V."""

    def current(self, voltage: Array, conductance: Array) -> Array:
        return conductance * (voltage + np.where(voltage > 0.3, 5.0, 0.0))

    def slope(self, voltage: Array, conductance: Array) -> Array:
        return conductance + 0.0 * voltage


class FallingCell:
    """Cell with a negative slope everywhere."""

    def current(self, voltage: Array, conductance: Array) -> Array:
        return -conductance * voltage

    def slope(self, voltage: Array, conductance: Array) -> Array:
        return -conductance + 0.0 * voltage


class OverflowingCell:
    """Sinh that nothing bounds."""

    def current(self, voltage: Array, conductance: Array) -> Array:
        return conductance * 1e-3 * np.sinh(voltage / 1e-3)

    def slope(self, voltage: Array, conductance: Array) -> Array:
        return conductance * np.cosh(voltage / 1e-3)


class WrongShapeCell(OverflowingCell):
    """Cell that answers for one cell only."""

    def slope(self, voltage: Array, conductance: Array) -> Array:
        return np.ones(1)


def case(seed: int, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Cells of 1 to 20 uS, a tenth of them open, and voltages of both signs."""
    rng = np.random.default_rng(seed)
    conductance = rng.uniform(1e-6, 20e-6, shape) * (rng.random(shape) > 0.1)
    return conductance, rng.uniform(-0.5, 0.5, shape[0])


# An independent solver --------------------------------------------------------------------------


def wires_matrix(shape: tuple[int, int], wires: Wires) -> tuple[Array, sparse.csc_matrix, Array]:
    """Node numbers (2, rows, cols), conductances among nodes, and what each source adds."""
    row, col, driver, sense = wires
    rows, cols = shape
    node = np.arange(2 * rows * cols).reshape(2, rows, cols)
    matrix = sparse.lil_matrix((node.size, node.size))
    drive = np.zeros((node.size, rows))

    def join(one: int, other: int, resistance: float) -> None:
        matrix[one, one] += 1.0 / resistance
        matrix[other, other] += 1.0 / resistance
        matrix[one, other] -= 1.0 / resistance
        matrix[other, one] -= 1.0 / resistance

    for i in range(rows):
        matrix[node[0, i, 0], node[0, i, 0]] += 1.0 / (driver + row)
        drive[node[0, i, 0], i] = 1.0 / (driver + row)
        for j in range(cols - 1):
            join(node[0, i, j], node[0, i, j + 1], row)
    for j in range(cols):
        matrix[node[1, -1, j], node[1, -1, j]] += 1.0 / (col + sense)
        for i in range(rows - 1):
            join(node[1, i, j], node[1, i + 1, j], col)
    return node, sparse.csc_matrix(matrix), drive


def sparse_newton(
    conductance: Array, curve: RisingCurve, voltage: Array, wires: Wires
) -> tuple[Array, Array]:
    """Word- and bit-line voltages (2, rows, cols) and cell currents by Newton on every node."""
    node, matrix, drive = wires_matrix(conductance.shape, wires)
    word, bit = node.reshape(2, -1)
    right = drive @ voltage
    found = np.zeros(node.size)
    for _ in range(60):
        across = (found[word] - found[bit]).reshape(conductance.shape)
        current = curve.current(across, conductance).ravel()
        slope = curve.slope(across, conductance).ravel()
        missing = right - matrix @ found
        np.subtract.at(missing, word, current)
        np.add.at(missing, bit, current)
        cells = sparse.csc_matrix(
            (np.concatenate([slope, slope, -slope, -slope]),
             (np.concatenate([word, bit, word, bit]), np.concatenate([word, bit, bit, word]))),
            shape=matrix.shape,
        )  # fmt: skip
        step = splu(sparse.csc_matrix(matrix + cells)).solve(missing)
        found += step
        if np.max(np.abs(step)) < 1e-15:
            break
    across = (found[word] - found[bit]).reshape(conductance.shape)
    return found.reshape(node.shape), curve.current(across, conductance)


@pytest.mark.parametrize("curve", [SINH, CUBIC, SinhCell(voltage_scale=0.03)], ids=repr)
@pytest.mark.parametrize("shape", [(1, 1), (7, 12), (20, 15)])
def test_the_operating_point_is_that_of_a_sparse_newton(
    shape: tuple[int, int], curve: RisingCurve
) -> None:
    conductance, voltage = case(sum(shape), shape)
    conductance[0, 0] = 5e-6
    wires = (5.0, 8.0, 500.0, 1000.0)
    nodes, current = sparse_newton(conductance, curve, voltage, wires)
    found = solve_nonlinear_crossbar(conductance, curve, voltage, *wires)
    largest = np.max(np.abs(current))
    assert np.max(np.abs(found.device_current - current)) < TOLERANCE * largest
    assert np.max(np.abs(found.output_current - current.sum(axis=0))) < TOLERANCE * largest
    assert np.max(np.abs(found.word_line_voltage - nodes[0])) < TOLERANCE
    assert np.max(np.abs(found.bit_line_voltage - nodes[1])) < TOLERANCE


# Closed forms and limits ------------------------------------------------------------------------


@pytest.mark.parametrize("curve", [SINH, CUBIC, StepCell()], ids=repr)
@pytest.mark.parametrize("source", [0.02, 0.7, -3.0])
def test_one_cell_divides_the_voltage_with_its_wires(curve: RisingCurve, source: float) -> None:
    series, cell = 1e4, np.array([[1e-6]])

    def excess(across: float) -> float:
        return across + series * curve.current(np.array([[across]]), cell).item() - source

    across = brentq(excess, -abs(source), abs(source), xtol=1e-16, rtol=1e-14)
    found = solve_nonlinear_crossbar(cell, curve, [source], 1e3, 2e3, 3e3, 4e3)
    assert found.output_current == pytest.approx((source - across) / series, rel=1e-10)


def test_ohmic_cells_are_the_linear_crossbar() -> None:
    conductance = np.random.default_rng(1).uniform(1e-6, 2e-5, (9, 11))
    voltage = np.random.default_rng(2).uniform(-1.0, 1.0, (9, 2))
    wires = (3.0, 4.0, 100.0, 50.0)
    found = solve_nonlinear_crossbar(conductance, OhmicCell(), voltage, *wires)
    expected = solve_crossbar(
        1.0 / conductance, voltage, *wires, node_voltages=True, device_currents=True
    )
    assert found.steps.tolist() == [1, 1]
    for name in ("output_current", "word_line_voltage", "bit_line_voltage", "device_current"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-11), name


@pytest.mark.parametrize("curve", [SINH, CUBIC], ids=repr)
def test_ideal_wires_give_the_sum_of_the_curves(curve: RisingCurve) -> None:
    conductance, voltage = case(3, (6, 5))
    found = solve_nonlinear_crossbar(conductance, curve, voltage, 0.0, 0.0)
    expected = curve.current(np.tile(voltage[:, np.newaxis], 5), conductance)
    assert found.device_current == pytest.approx(expected, rel=1e-14)
    assert found.output_current == pytest.approx(expected.sum(axis=0), rel=1e-13)


def test_small_voltages_see_the_conductance_at_zero() -> None:
    conductance, voltage = case(4, (6, 8))
    wires = (5.0, 5.0, 100.0, 100.0)
    found = solve_nonlinear_crossbar(conductance, SINH, 1e-5 * voltage, *wires)
    expected = solve_nonlinear_crossbar(conductance, OhmicCell(), 1e-5 * voltage, *wires)
    # (V / V0)^2 / 6 with V below 5 uV and V0 of 0.1 V.
    assert found.output_current == pytest.approx(expected.output_current, rel=1e-8)


def test_odd_curves_give_odd_crossbars_and_inputs_come_one_by_one() -> None:
    conductance, voltage = case(5, (6, 8))
    wires = (5.0, 5.0, 100.0, 100.0)
    both = solve_nonlinear_crossbar(conductance, SINH, np.stack([voltage, -voltage], 1), *wires)
    alone = solve_nonlinear_crossbar(conductance, SINH, voltage, *wires)
    assert both.output_current.shape == (8, 2)
    assert both.word_line_voltage.shape == (6, 8, 2)
    assert alone.device_current.shape == (6, 8)
    assert (alone.residual.shape, both.residual.shape) == ((), (2,))
    assert both.output_current[:, 1] == pytest.approx(-both.output_current[:, 0], rel=1e-10)
    assert both.output_current[:, 0] == pytest.approx(alone.output_current, rel=1e-10)


@pytest.mark.parametrize(
    ("curve", "largest"), [(SINH, 0.5), (SinhCell(voltage_scale=0.02), 1.0), (StepCell(), 1.0)]
)
def test_currents_add_up_and_follow_the_curve(curve: RisingCurve, largest: float) -> None:
    conductance, voltage = case(6, (30, 25))
    voltage *= 2.0 * largest
    driver, sense, row, col = 120.0, 60.0, 2.0, 3.0
    found = solve_nonlinear_crossbar(conductance, curve, voltage, row, col, driver, sense)
    assert float(found.residual) < 1e-12
    word, bit, current = found.word_line_voltage, found.bit_line_voltage, found.device_current
    by_curve = curve.current(word - bit, conductance)
    # A curve as steep as exp(1 V / 0.02 V) makes 1e-12 of a rounded voltage.
    assert current == pytest.approx(by_curve, abs=1e-10 * np.abs(current).max())
    into = (voltage - word[:, 0]) / (driver + row)
    assert into == pytest.approx(current.sum(axis=1), rel=1e-8, abs=1e-10 * np.abs(into).max())
    output = bit[-1] / (col + sense)
    assert output == pytest.approx(found.output_current, rel=1e-8)
    assert found.output_current == pytest.approx(
        current.sum(axis=0), abs=1e-12 * np.abs(current).sum()
    )


def test_steps_are_cut_short_where_newton_would_jump_to_and_fro(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conductance, voltage = np.full((3, 3), 1e-5), np.array([0.9, -0.8, 0.7])
    wires = (10.0, 10.0, 500.0, 500.0)
    found = solve_nonlinear_crossbar(conductance, StepCell(), voltage, *wires)
    assert float(found.residual) < 1e-12
    monkeypatch.setattr(nonlinear_solution, "_FLATTEST", np.inf)
    with pytest.raises(ConvergenceError):
        solve_nonlinear_crossbar(conductance, StepCell(), voltage, *wires)


# Refusals ---------------------------------------------------------------------------------------

CELLS = np.full((3, 2), 1e-5)
ONES = np.ones(3)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: solve(SINH, most_steps=2), ConvergenceError, r"differ .* by .* after 2 steps"),
        (lambda: solve(JumpingCell()), ConvergenceError, "slope is the derivative of current"),
        (
            lambda: solve(OverflowingCell(), voltage=5 * ONES),
            ConvergenceError,
            "not a finite number",
        ),
        (lambda: solve(FallingCell()), ConfigError, "current falls with its voltage"),
        (lambda: solve(WrongShapeCell()), ConfigError, r"WrongShapeCell.slope has shape \(1,\)"),
        (lambda: solve(SINH, tolerance=1e-17), ConfigError, "tolerance = 1e-17"),
        (lambda: solve(SINH, tolerance=float("nan")), ConfigError, "tolerance = nan"),
        (lambda: solve(SINH, most_steps=0), ConfigError, "most_steps = 0"),
        (lambda: solve(SINH, cells=-CELLS), ConfigError, "negative"),
        (lambda: solve(SINH, voltage=np.ones(2)), ShapeError, "3 rows"),
        (lambda: solve(SINH, voltage=ONES * np.nan), ConfigError, "not finite"),
        (lambda: solve(SINH, wire=-1.0), ConfigError, "wire_resistance_row = -1 ohm"),
    ],
)
def test_what_has_no_operating_point_is_refused(
    call: Callable[[], object], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        call()


def solve(
    curve: RisingCurve, *, cells: Array = CELLS, voltage: Array = ONES, wire: float = 1e4,
    tolerance: float = 1e-12, most_steps: int = 60,
) -> object:  # fmt: skip
    return solve_nonlinear_crossbar(
        cells, curve, voltage, wire, 1e4, 1e4, 1e4, tolerance=tolerance, most_steps=most_steps
    )
