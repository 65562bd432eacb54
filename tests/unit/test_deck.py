"""Decks say all that was asked for, logs are understood, and names have one spelling."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.engines.base import OperatingPoint, SolverOptions, Transient
from memspice.engines.deck import LINE_LIMIT, build_deck
from memspice.engines.ngspice_log import first_problem, tidy_log
from memspice.engines.waveforms import Waveforms, canonical_name
from memspice.errors import (
    ConfigError,
    EngineError,
    NetlistError,
)
from tests.engine_helpers import SHORT
from tests.engine_helpers import SPICE_DIVIDER as DIVIDER


def deck_of(**changes: object) -> str:
    arguments = {"netlist": DIVIDER, "analysis": SHORT, "save": (), "options": SolverOptions()}
    return build_deck(**(arguments | changes), klu=False)  # type: ignore[arg-type]


def test_a_deck_is_the_netlist_options_analysis_and_end() -> None:
    lines = deck_of(save=["OUT", "0", "time"]).splitlines()
    assert lines[:4] == DIVIDER.splitlines()
    assert lines[-3:] == [".save v(out)", ".tran 1e-09 1e-06 0 1e-09", ".end"]
    assert "reltol=0.0001" in lines[4]
    assert "method=gear maxord=2" in lines[5]
    assert deck_of(analysis=OperatingPoint()).splitlines()[-2] == ".op"


def test_transistors_that_rest_are_left_out_where_the_tolerance_is_tight() -> None:
    assert ".options bypass=1" in deck_of(options=SolverOptions(reltol=1e-5)).splitlines()
    assert "bypass" not in deck_of(options=SolverOptions(reltol=1.1e-5))


def test_save_lines_are_bounded_and_complete() -> None:
    names = [f"v(node{'x' * 40}{n})" for n in range(300)] + [f"v({'y' * 2 * LINE_LIMIT})"]
    lines = [line for line in deck_of(save=names).splitlines() if line.startswith(".save")]
    assert [word for line in lines for word in line.split()[1:]] == names
    assert all(len(line) <= LINE_LIMIT for line in lines[:-1])


def test_a_value_on_a_continuation_line_counts() -> None:
    assert "+ 3k" in deck_of(netlist=DIVIDER.replace(" 3k", "\n* comment\n+ 3k"))


@pytest.mark.parametrize("value", ["0", "0.0", "-0", ".0", "0e3", "0ohm", "R=0", "+0.000k"])
def test_every_spelling_of_zero_ohm_is_refused(value: str) -> None:
    with pytest.raises(NetlistError, match="0 ohm"):
        deck_of(netlist=DIVIDER.replace("3k", value))


@pytest.mark.parametrize("value", ["1e-3", "0.1", "R=10", "{zero}", "rzero", "1"])
def test_values_that_are_not_zero_are_left_to_the_engine(value: str) -> None:
    assert value in deck_of(netlist=DIVIDER.replace("3k", value))


@pytest.mark.parametrize(
    "change",
    [
        {"reltol": 0.0},
        {"reltol": 1.0},
        {"abstol": -1e-12},
        {"vntol": float("nan")},
        {"chgtol": float("inf")},
        {"method": "euler"},
        {"method": "trap", "maxord": 3},
        {"maxord": 1},
        {"itl4": 0},
        {"linear_solver": "magic"},
    ],
)
def test_solver_options_out_of_range_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=list(change)[-1]):
        SolverOptions(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stop", "max_step", "initial_step", "message"),
    [
        (0.0, 1e-9, None, "stop"),
        (float("inf"), 1e-9, None, "stop"),
        (1e-6, 0.0, None, "max_step"),
        (1e-6, 2e-6, None, "longer than stop"),
        (1e-6, 1e-9, -1e-9, "initial_step"),
    ],
)
def test_transients_out_of_range_are_refused(
    stop: float, max_step: float, initial_step: float | None, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Transient(stop, max_step, initial_step)


def test_the_log_loses_chatter_and_keeps_messages() -> None:
    log = "Circuit: an error\n\nout      0.75\n\nTrying gmin = 1 Warning: Further gmin increment\n"
    assert tidy_log(log) == "Trying gmin = 1\nWarning: Further gmin increment"


def test_the_element_a_warning_names_is_quoted_from_the_deck() -> None:
    problem = first_problem("Warning: r.x1.r2: resistance to low, set to 1 mOhm", DIVIDER)
    assert problem is not None
    assert problem.kind is NetlistError
    assert "deck line 4: 'R2 out 0 3k'" in problem.message


def test_a_missing_signal_names_the_nearest() -> None:
    signals = {"v(output)": np.ones(1), "i(v1)": np.ones(1)}
    waveforms = Waveforms(np.zeros(1), signals, "", 0.0)
    with pytest.raises(EngineError, match=r"v\(outptu\).*2 signals.*nearest: v\(output\)"):
        waveforms.voltage("outptu")
    with pytest.raises(EngineError, match="none is alike"):
        waveforms.signal("@[]")


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("OUT", "v(out)"),
        ("V( Out )", "v(out)"),
        ("X1.V2#branch", "i(x1.v2)"),
        ("i(@R1[i])", "@r1[i]"),
        ("@R1[p]", "@r1[p]"),
        ("time", "time"),
        ("vin", "v(vin)"),
    ],
)
def test_names_have_one_spelling(name: str, canonical: str) -> None:
    assert canonical_name(name) == canonical
    assert canonical_name(canonical) == canonical
