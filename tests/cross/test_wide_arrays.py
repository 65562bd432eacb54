"""Crossbars of bent and gated cells and of wires that charge, on both engines, and closed forms."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import root

from memspice.circuits.blocks.lone_cell import LoneCell
from memspice.circuits.blocks.selector_cell import SelectorCell
from memspice.circuits.blocks.transistor_cell import TransistorCell
from memspice.circuits.crossbar import CrossbarNodes, crossbar_subcircuit
from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.circuits.parameters import ArrayParameters
from memspice.devices.synapse_iv import CubicCell, SinhCell
from memspice.devices.transistor import AccessTransistor, Selector
from memspice.engines import find_engine
from memspice.engines.base import Engine, OperatingPoint, SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.solver.crossbar_solution import solve_crossbar
from tests.device_helpers import off_current
from tests.tables import ENGINES

NMOS = AccessTransistor(transconductance=1.5e-4, threshold_voltage=0.469, slope_factor=1.4)
SELECTOR = Selector(on_current=1e-5, on_voltage=0.5, voltage_scale=0.05)
SINH = SinhCell(voltage_scale=0.25)
CELLS = np.array([[1.0, 20.0, 30.0], [50.0, 0.0, 6.0], [8.0, 9.0, 100.0], [4.0, 2.0, 1.0]]) * 1e-6
VOLTAGES = np.array([0.4, 0.1, -0.3, 0.2])
#: Newton's last step is quadratic: with reltol = 1e-9 what is left is rounding over conductances
#: from 1e-6 S (cells) to 1 S (wires), and gmin (1e-18 S here).
OPTIONS = SolverOptions(reltol=1e-9, abstol=1e-17, vntol=1e-12, gmin=1e-18, itl1=200)
TOLERANCE = 1e-8


@cache
def engine(name: str) -> Engine:
    return find_engine(name)


def array_of(**values: Any) -> ArrayParameters:
    wires = {"wire_resistance_row": 30.0, "wire_resistance_col": 50.0, "driver_resistance": 0.0}
    return ArrayParameters(read_voltage=0.1, **{**wires, **values})


def column_currents(
    name: str, array: ArrayParameters, gates: np.ndarray, cells: np.ndarray = CELLS
) -> np.ndarray:
    """Currents out of the columns, all at ground, of one operating point."""
    deck = Deck("crossbar", "operating point of a crossbar")
    deck.subcircuit("the array", crossbar_subcircuit("crossbar", cells, array))
    circuit = deck.section("sources")
    for i, voltage in enumerate(VOLTAGES):
        circuit.V(f"row{i}", f"r{i}", circuit.gnd, float(voltage))
        circuit.V(f"gate{i}", f"g{i}", circuit.gnd, float(gates[i]))
        circuit.R(f"gate{i}", f"g{i}", circuit.gnd, 1e3)
    for j in range(cells.shape[1]):
        circuit.V(f"out{j}", f"c{j}", circuit.gnd, 0.0)
    circuit.X("array", "crossbar", *CrossbarNodes(cells, array).ports)
    waves = engine(name).run(engine(name).write(deck), OperatingPoint(), options=OPTIONS)
    return np.array([waves.current(f"vout{j}")[0] for j in range(cells.shape[1])])


def kirchhoff(array: ArrayParameters, gates: np.ndarray) -> np.ndarray:
    """The same by SciPy's root finder on the node equations, written out for this array."""
    rows, cols = CELLS.shape
    cell, per_ohm = array.cell, (1 / array.wire_resistance_row, 1 / array.wire_resistance_col)

    def through(word: np.ndarray, middle: np.ndarray, bit: np.ndarray) -> np.ndarray:
        if not cell.inner:
            return cell.curve.current(word - bit, CELLS)
        return (CELLS > 0) * cell.access.through(middle, gates[:, None], bit)

    def residual(values: np.ndarray) -> np.ndarray:
        word, middle, bit = values.reshape(3, rows, cols)
        current = through(word, middle, bit)
        along = np.diff(np.column_stack([VOLTAGES, word]), axis=1) * per_ohm[0]
        down = -np.diff(np.vstack([bit, np.zeros(cols)]), axis=0) * per_ohm[1]
        above = cell.curve.current(word - middle, CELLS) - current
        at_word = -along - current
        at_word[:, :-1] -= -along[:, 1:]
        at_bit = current - down
        at_bit[1:] += down[:-1]
        # A node that hangs in the air, for want of an access device or of a cell, is at ground.
        loose = (CELLS == 0) | (not cell.inner)
        return np.ravel([at_word, np.where(loose, 1e-6 * middle, above), at_bit])

    start = np.stack([np.repeat(VOLTAGES[:, None], cols, 1), 0 * CELLS, 0 * CELLS]).ravel()
    values = root(residual, start, method="hybr", options={"maxfev": 100_000}).x
    for _ in range(4):  # a slope by differences is good to 1e-6: six digits a step
        step_size = 1e-7 * np.eye(values.size)
        slope = [(residual(values + d) - residual(values - d)) / 2e-7 for d in step_size]
        change = np.linalg.solve(np.array(slope).T, residual(values))
        values = values - change
    assert np.abs(change).max() < 1e-14
    bit = values.reshape(3, rows, cols)[2]
    return np.asarray(bit[-1] * per_ohm[1])


ON = np.full(4, 1.0)
CASES = {
    "sinh": (LoneCell(curve=SINH), ON),
    "cubic": (LoneCell(curve=CubicCell(cubic_coefficient=2.1)), ON),
    "transistor": (TransistorCell(access=NMOS), ON),
    "transistor-sinh": (TransistorCell(curve=SINH, access=NMOS), ON),
    "two-rows-selected": (TransistorCell(access=NMOS), np.array([1.0, 0.0, 0.8, 0.0])),
    "selector": (SelectorCell(access=SELECTOR), ON),
}


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("case", CASES)
def test_wired_array_obeys_kirchhoff(case: str, name: str) -> None:
    cell, gates = CASES[case]
    array = array_of(cell=cell)
    expected = kirchhoff(array, gates)
    found = column_currents(name, array, gates)
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * np.abs(expected).max())


@pytest.mark.parametrize("name", ENGINES)
def test_large_scale_is_the_ohmic_array(name: str) -> None:
    with np.errstate(divide="ignore"):
        expected = solve_crossbar(1 / CELLS, VOLTAGES, 30.0, 50.0).output_current
    for scale in (1e3, 25.0):
        array = array_of(cell=LoneCell(curve=SinhCell(voltage_scale=scale)))
        found = column_currents(name, array, ON)
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE + (0.4 / scale) ** 2)
    bent = column_currents(name, array_of(cell=LoneCell(curve=SINH)), ON)
    assert np.abs(bent / expected - 1).max() > 0.05


@pytest.mark.parametrize("name", ENGINES)
def test_wide_transistors_are_the_array_without_them(name: str) -> None:
    plain = column_currents(name, array_of(), ON)
    misses = []
    for factor in (1e2, 1e4):
        wide = NMOS.model_copy(update={"transconductance": 1.5e-4 * factor})
        found = column_currents(name, array_of(cell=TransistorCell(access=wide)), ON)
        misses.append(np.abs(found / plain - 1).max())
    # Cells of 100 uS at most behind channels of 8 mS and 0.8 S.
    assert misses[0] < 0.02
    assert misses[1] == pytest.approx(misses[0] / 100, rel=0.05)


@pytest.mark.parametrize("name", ENGINES)
def test_unselected_rows_leak_the_off_current(name: str) -> None:
    array = array_of(
        cell=TransistorCell(access=NMOS), wire_resistance_row=0.0, wire_resistance_col=0.0
    )
    found = column_currents(name, array, np.zeros(4), np.full((4, 3), 1e-3))
    # Off currents of both signs add up; a row below ground half opens its channels.
    off = TransistorCell(access=NMOS, gate_voltage=0.0)
    expected = sum(float(off.read_conductance(1e-3, voltage)) * voltage for voltage in VOLTAGES)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    positive = float(off.read_conductance(1e-3, 0.4)) * 0.4
    assert positive == pytest.approx(off_current(NMOS, 0.4), rel=1e-5)
    assert expected < -1e3 * positive


# --- wires that charge ----------------------------------------------------------------------------

SEGMENT, DRIVER, CAPACITANCE, LENGTH = 200.0, 500.0, 1e-14, 6


def line_response(name: str, rows: bool) -> Waveforms:
    """Far end of a line of open cells that is stepped to 1 V through the driver's resistance."""
    shape = (1, LENGTH) if rows else (LENGTH, 1)
    array = array_of(
        wire_resistance_row=SEGMENT, wire_resistance_col=SEGMENT,
        wire_capacitance_row=CAPACITANCE, wire_capacitance_col=CAPACITANCE,
    )  # fmt: skip
    deck = Deck("wire", "step response of a word line or a bit line")
    deck.subcircuit("the line", crossbar_subcircuit("crossbar", np.zeros(shape), array))
    circuit = deck.section("step behind a resistance; the other lines are at ground")
    circuit.V("step", "step", circuit.gnd, PieceWiseLinear(((0.0, 0.0), (1e-13, 1.0), (1.0, 1.0))))
    circuit.R("driver", "step", "r0" if rows else "c0", DRIVER)
    for port in CrossbarNodes(np.zeros(shape), array).ports:
        if (port[0] == "r") != rows:
            circuit.R(f"end{port}", port, circuit.gnd, 1.0)
    circuit.X("line", "crossbar", *CrossbarNodes(np.zeros(shape), array).ports)
    far = f"v(xline.w0_{LENGTH - 1})" if rows else "v(xline.b0_0)"
    return engine(name).run(
        engine(name).write(deck),
        Transient(stop=1.5e-9, max_step=1e-12, from_rest=True),
        save=[far],
        options=SolverOptions(reltol=1e-6, chgtol=1e-20),
    )


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("rows", [True, False], ids=["word", "bit"])
def test_line_charges_like_its_ladder(rows: bool, name: str) -> None:
    waves = line_response(name, rows)
    (voltage,) = waves.signals.values()
    # C dv/dt = -G v + g_first e_0, solved by the matrix exponential; driver and first segment add.
    steps = np.full(LENGTH, 1 / SEGMENT)
    # A bit line's last segment leads to its end, where the driver is: the same ladder.
    steps[0] = 1 / (SEGMENT + DRIVER)
    ladder = np.diag(steps) + np.diag(np.append(steps[1:], 0.0))
    ladder -= np.diag(steps[1:], 1) + np.diag(steps[1:], -1)
    times = np.array([2e-11, 5e-11, 1e-10, 2e-10, 4e-10])
    expected = [1 - (expm(-ladder * t / CAPACITANCE) @ np.ones(LENGTH))[-1] for t in times]
    found = np.interp(times, waves.time, voltage)
    # The source rises within 0.1 ps, which is a delay of 0.05 ps: 1e-3 of the fastest rise.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    # Its first moment is Elmore's delay, exactly.
    elmore = CAPACITANCE * (DRIVER * LENGTH + SEGMENT * LENGTH * (LENGTH + 1) / 2)
    delay = np.trapezoid(1 - voltage, waves.time)
    assert delay == pytest.approx(elmore, rel=3e-3)
