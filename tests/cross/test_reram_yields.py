"""Set and reset of the ReRAM behind a transistor, beside the yields that its documentation has.

Pulses of 1 us at one transistor and one cell (sky130_fd_pr_reram, table "1T1R #5").  With a draw
that divides the cell's rates, the largest with which a pulse still switches is the pulse's length
over the time that the cell needs at a draw of 1, and P = 1 - exp(-draw).
"""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.devices.compact.oxide_reram import OxideReram
from memspice.devices.transistor import AccessTransistor
from memspice.engines import find_engine
from memspice.engines.base import SolverOptions, Transient
from memspice.parameters import load_table
from tests.tables import EVERY_ENGINE

DEVICE = load_table("sky130-reram", "oxide_reram", OxideReram).values
TRANSISTOR = load_table("cells", "access_transistor", AccessTransistor).values
PULSE = 1e-6
#: Bit, word and source line [V], the state before, and the measured yield.
SET, RESET = (2.4, 1.7, 0.0, 0.0, 0.9745), (0.0, 2.5, 2.6, 1.0, 0.9083)
WIDE = 10.0
PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def channel(width: float) -> AccessTransistor:
    beta = width * TRANSISTOR.transconductance
    return TRANSISTOR.model_copy(update={"transconductance": beta})


@cache
def half_time(lines: tuple[float, ...], width: float) -> float:
    """Time [s] in which the state gets to one half, at a draw of 1; NumPy and SciPy."""
    bit, word, source, before, _ = lines
    transistor = channel(width)

    def over_cell(state: float) -> float:
        def excess(node: float) -> float:
            cell = DEVICE.current(bit - node, state)
            return float(cell - transistor.current(node, word, source))

        ends = sorted((bit, source))
        return bit - float(brentq(excess, ends[0] - 1e-9, ends[1] + 1e-9))

    def rates(_: float, values: np.ndarray) -> list[float]:
        state, temperature = values
        volts = over_cell(state)
        return [
            float(DEVICE.state_rate(volts, state, temperature)),
            float(DEVICE.heating(volts, state, temperature)),
        ]

    def half(_: float, values: np.ndarray) -> float:
        return float(values[0] - 0.5)

    half.terminal = True  # type: ignore[attr-defined]
    start = [before, DEVICE.ambient_temperature]
    found = solve_ivp(rates, (0, 1.0), start, "LSODA", rtol=1e-6, atol=[1e-9, 1e-3], events=half)
    return float(found.t_events[0][0])


def probability(lines: tuple[float, ...], width: float) -> float:
    return -math.expm1(-PULSE / half_time(lines, width))


def test_the_page_says_what_the_model_says() -> None:
    rows = re.findall(
        r"^\| W = (\d*) ?L.* \| ([\d.]+) ns \| ([\d.]+) % \| ([\d.]+) (ns|us) \| ([\d.]+) % \|$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert len(rows) == 3
    for width, set_time, set_odds, reset_time, unit, reset_odds in rows:
        wide, scale = float(width or 1), {"ns": 1e-9, "us": 1e-6}[unit]
        # three digits are shown of times, one behind the point of percentages
        assert half_time(SET, wide) == pytest.approx(1e-9 * float(set_time), rel=5e-3)
        assert half_time(RESET, wide) == pytest.approx(scale * float(reset_time), rel=5e-3)
        assert 100 * probability(SET, wide) == pytest.approx(float(set_odds), abs=0.06)
        assert 100 * probability(RESET, wide) == pytest.approx(float(reset_odds), abs=0.06)


def test_a_set_is_too_sure_and_a_reset_too_rare_for_the_measured_yields() -> None:
    widths = (1.0, 3.0, 10.0)
    assert all(probability(SET, width) > SET[-1] for width in widths)
    odds = [probability(RESET, width) for width in widths]
    assert odds == sorted(odds)
    assert odds[-1] < RESET[-1]


@EVERY_ENGINE
@pytest.mark.parametrize(("lines", "draw"), [(SET, 100.0), (RESET, None)])
def test_the_circuit_switches_up_to_the_draw_that_numpy_says(
    engine: str, lines: tuple[float, ...], draw: float | None
) -> None:
    """A set at 100 at least; a reset on both sides of its draw, 3 % away, in one run."""
    bit, word, source, before, _ = lines
    middle = PULSE / half_time(lines, WIDE)
    draws = [draw] if draw else [0.97 * middle, 1.03 * middle]
    deck = Deck("1T1R", "One pulse at a cell and its transistor, for each of some draws.")
    circuit = deck.section("Lines, cells, transistors")
    for name, volts in (("bit", bit), ("word", word), ("source", source)):
        edge = ((0.0, 0.0), (1e-9, volts), (1e-9 + PULSE, volts))
        circuit.V(name, name, circuit.gnd, PieceWiseLinear(edge))
    values = DEVICE.model_dump() | {"pulse": PULSE, "initial_state": before}
    for number, each in enumerate(draws):
        circuit.V(f"draw{number}", f"draw{number}", circuit.gnd, each)
        own = (f"draw{number}", f"x{number}", f"heat{number}")
        circuit.X(f"cell{number}", "oxide_reram", "bit", f"n{number}", *own, **values)
        nodes = (f"n{number}", "word", "source", circuit.gnd)
        circuit.X(f"t{number}", "access_transistor", *nodes, **channel(WIDE).model_dump())
    simulator = find_engine(engine)
    waves = simulator.run(
        simulator.write(deck),
        Transient(1e-9 + PULSE, 5e-9),
        save=[f"v(x{number})" for number in range(len(draws))],
        options=SolverOptions(reltol=1e-6),
    )
    switched = [abs(waves.voltage(f"x{n}")[-1] - before) > 0.5 for n in range(len(draws))]
    assert switched == ([True] if draw else [True, False])
