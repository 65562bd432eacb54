"""The ReRAM with SkyWater's constants: the same at every step, on every engine, and in NumPy.

Published compact models of such cells add rate times step at each evaluation, so that charge and
state follow the solver's step; these are differential equations.  A cell behind a resistor is set,
and reset for so long that it stops on the way, which is where a step would show.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.devices.compact.oxide_reram import OxideReram
from memspice.engines import find_engine
from memspice.engines.base import SolverOptions, Transient
from memspice.engines.veriloga import subckt_declaration
from memspice.parameters import load_table
from memspice.resources import resource_path
from tests.tables import EVERY_ENGINE

DEVICE = load_table("sky130-reram", "oxide_reram", OxideReram).values
NS = 1e-9
SERIES, SET, RESET = 2e3, 2.6, -2.0
#: Times [s] and voltages [V] of the source: a set of 50 ns, a reset of 100 ns.
CORNERS = np.array(
    [(0, 0), (5, 0), (10, SET), (60, SET), (65, 0), (75, 0), (80, RESET), (180, RESET), (185, 0),
     (200, 0)]
) * [NS, 1]  # fmt: skip
STEP = 0.25 * NS
#: Relative; the solvers' own tolerance is 1e-6 a step, of some 1,000.
SAME = 1e-3


def deck(draw: float) -> Deck:
    """As many times as slow as the draw: with the pulses, all is the same but for the heat."""
    found = Deck("ReRAM behind a resistor", "A set, then a reset that stops on the way.")
    circuit = found.section("Source, resistor, cell")
    corners = CORNERS * [draw, 1]
    circuit.V("pulses", "pulses", circuit.gnd, PieceWiseLinear(tuple(map(tuple, corners.tolist()))))
    circuit.R("series", "pulses", "top", SERIES)
    circuit.V("draw", "draw", circuit.gnd, draw)
    values = DEVICE.model_dump() | {"pulse": 100 * NS}
    nodes = ("top", circuit.gnd, "draw", "x", "temperature")
    circuit.X("cell", "oxide_reram", *nodes, **values)
    return found


@cache
def simulated(engine: str, steps: float, draw: float = 1.0) -> tuple[float, float, float]:
    """State after the set and after the reset, and the charge that flowed, [C]."""
    simulator = find_engine(engine)
    waves = simulator.run(
        simulator.write(deck(draw)),
        Transient(draw * float(CORNERS[-1, 0]), draw * steps * STEP),
        save=["v(x)", "i(vpulses)"],
        options=SolverOptions(reltol=1e-6),
    )
    state = waves.voltage("x")
    charge = float(np.trapezoid(np.abs(waves.current("vpulses")), waves.time))
    return float(np.interp(draw * 70 * NS, waves.time, state)), float(state[-1]), charge


@cache
def integrated() -> tuple[float, float, float]:
    """The same by SciPy, from the NumPy form; the resistor by Newton's method."""
    across = [0.0]

    def over_cell(source: float, state: float) -> float:
        """Voltage of the cell, from that of the call before."""
        volts, scale = across[0], DEVICE.voltage_scale
        peak = DEVICE.current_scale * math.exp(-float(DEVICE.gap(state)) / DEVICE.gap_scale)
        for _ in range(50):
            u = volts / scale
            off = volts + SERIES * peak * math.sinh(u) - source
            change = off / (1 + SERIES * peak * math.cosh(u) / scale)
            volts -= max(-scale, min(scale, change))
            if abs(change) < 1e-13:
                break
        across[0] = volts
        return volts

    def rates(time: float, values: np.ndarray) -> list[float]:
        state, temperature, _ = values
        volts = over_cell(float(np.interp(time, *CORNERS.T)), state)
        return [
            float(DEVICE.state_rate(volts, state, temperature)),
            float(DEVICE.heating(volts, state, temperature)),
            abs(float(DEVICE.current(volts, state))),
        ]

    values, states = np.array([0.0, DEVICE.ambient_temperature, 0.0]), []
    for span in zip(CORNERS[:-1, 0], CORNERS[1:, 0], strict=True):
        found = solve_ivp(rates, span, values, "LSODA", rtol=1e-7, atol=[1e-10, 1e-5, 1e-19])
        values = found.y[:, -1]
        states.append(float(values[0]))
    return states[4], states[-1], float(values[2])


@EVERY_ENGINE
def test_charge_and_state_are_the_same_at_steps_of_1_to_8_times(engine: str) -> None:
    after_set, after_reset, charge = integrated()
    assert after_set > 0.99
    assert 0.02 < after_reset < 0.5  # on the way
    for steps in (1, 2, 4, 8):
        found = simulated(engine, steps)
        assert found[0] == pytest.approx(after_set, rel=SAME)
        assert found[1] == pytest.approx(after_reset, rel=SAME)
        assert found[2] == pytest.approx(charge, rel=SAME)


@EVERY_ENGINE
def test_a_draw_of_ten_is_a_cell_a_tenth_as_fast(engine: str) -> None:
    """All times and the draw ten times as long: the same states; only the heat is not slower.

    It takes 0.23 ns of the some 10 ns in which the cell is set or reset.
    """
    usual, slow = simulated(engine, 4), simulated(engine, 4, 10.0)
    assert slow[0] == pytest.approx(usual[0], rel=SAME)
    assert slow[1] == pytest.approx(usual[1], rel=0.03)
    assert slow[2] == pytest.approx(10 * usual[2], rel=0.01)


def test_a_cell_keeps_its_state_without_voltage() -> None:
    """For ten years: the barriers let 1e-23 m/s through."""
    rates = DEVICE.state_rate(0.0, np.linspace(0, 1, 11), DEVICE.ambient_temperature)
    assert np.abs(rates).max() * 3.2e8 < 1e-4


def test_conductances_are_those_of_formed_cells() -> None:
    """30 to 120 uS after forming, below 0.1 uS before any: the documentation of the cell.

    At the 0.1 V with which arrays are read; the shortest filament is a reset one, not a fresh cell.
    """
    on, off = (float(DEVICE.current(0.1, state)) / 0.1 for state in (1.0, 0.0))
    assert 30e-6 < on < 120e-6
    assert off < 0.01 * on


def test_rates_have_their_signs_and_bounds() -> None:
    states = np.linspace(0, 1, 21)
    assert (DEVICE.state_rate(2.0, states[:-1], 300.0) > 0).all()
    assert (DEVICE.state_rate(-2.0, states[1:], 300.0) < 0).all()
    assert DEVICE.state_rate(2.0, 1.0, 300.0) == pytest.approx(0, abs=1e-9)
    fastest = DEVICE.velocity / (DEVICE.filament_max - DEVICE.filament_min)
    assert np.abs(DEVICE.state_rate(50.0, states, 300.0)).max() <= fastest
    hot, cold = (DEVICE.state_rate(1.0, 0.5, kelvin) for kelvin in (600.0, 300.0))
    assert hot > 1e6 * cold


def test_defaults_are_the_published_set() -> None:
    declared = subckt_declaration(resource_path("oxide_reram.lib").read_text(encoding="utf-8"))
    for name, value in declared.parameters.items():
        expected = 1.0 if name == "pulse" else getattr(DEVICE, name)
        assert value == pytest.approx(expected, rel=1e-9), name
