"""Netlist text: readable, folded, exact; sources that follow their pulses; sound libraries."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PySpice.Spice.Netlist import SubCircuit

from memspice.circuits.deck import WIDTH, Deck, comment_lines, pulse_train, step_train
from memspice.circuits.timing import Pulse
from memspice.engines.base import OperatingPoint, SolverOptions
from memspice.engines.vacask_deck import build_deck
from memspice.engines.vacask_netlist import write_netlist
from memspice.errors import DataError, NetlistError

LIBRARIES = sorted((Path(__file__).parents[2] / "models").glob("*.lib"))
PULSE = Pulse(start=1e-9, stop=6e-9, edge=0.5e-9)
CYCLE = 10e-9


def points(source: object) -> np.ndarray:
    """Times and values of a piecewise-linear source as its text has them, shape (points, 2)."""
    text = str(source)
    assert re.fullmatch(r"pwl\(.*\)", text)
    return np.array(text[4:-1].split(), float).reshape(-1, 2)


def unfolded(text: str) -> list[str]:
    return text.replace("\n+ ", " ").splitlines()


# --- deck -----------------------------------------------------------------------------------------


def test_deck_is_title_explanation_libraries_and_sections_in_order() -> None:
    deck = Deck("a title", "why it is there")
    first = deck.section("first section\nwith two lines")
    first.R("a", "x", first.gnd, 5.0)
    second = deck.section("second section")
    second.R("b", "x", "y", 2e-9)
    for number in range(2):
        second.X(str(number), "output_stage", "x", "y", "p", "n", r_out=5.0)
    text = str(deck)
    assert text.startswith("* a title\n*\n* why it is there\n*\n* Output of an amplifier")
    assert (
        "* first section\n* with two lines\nRa x 0 5\n*\n* second section\nRb x y 2e-09\n" in text
    )
    assert text.count(".subckt output_stage") == 1


def test_a_temperature_is_in_every_dialect_in_celsius() -> None:
    deck = Deck("title", "text")
    first = deck.section("one")
    first.R("a", "x", first.gnd, 5.0)
    texts = str(deck), build_deck(write_netlist(deck), OperatingPoint(), [], SolverOptions())
    # 27 C are where engines begin
    assert not any("temp" in text for text in texts)
    deck.temperature = 358.15
    control = build_deck(write_netlist(deck), OperatingPoint(), [], SolverOptions())
    assert "\n.temp 85\n" in str(deck)
    assert re.search(r"^options .* temp=85\.0$", control, re.MULTILINE)


def test_subcircuit_stands_under_its_comment() -> None:
    deck = Deck("title", "text")
    inner = SubCircuit("box", "p")
    inner.R("a", "p", inner.gnd, 7.0)
    deck.subcircuit("what the box is", inner)
    assert "* what the box is\n.subckt box p\nRa p 0 7\n.ends box" in str(deck)


def test_a_subcircuit_within_a_subcircuit_is_refused_for_every_engine() -> None:
    outer = SubCircuit("outer", "p")
    outer.subcircuit(SubCircuit("inner", "q"))
    deck = Deck("title", "text")
    deck.subcircuit("boxes", outer)
    for write in (Deck.spice, write_netlist):
        with pytest.raises(NetlistError, match="outer defines subcircuit inner inside of it"):
            write(deck)


def test_models_are_what_instances_name_and_no_subcircuit_defines() -> None:
    deck = Deck("title", "text")
    inner = SubCircuit("box", "p")
    inner.X("device", "filament_memristor", *"pndgictx", "h")
    deck.subcircuit("a box", inner)
    section = deck.section("boxes")
    section.X("a", "box", "p")
    section.X("b", "amplifier", "i", "l", "e", "p", "n")
    assert deck.models == ("filament_memristor", "amplifier")
    text = deck.spice()
    # What a model includes comes once and before it.
    assert text.count(".subckt hazard_state") == 1
    assert text.index(".subckt hazard_state") < text.index(".subckt filament_memristor")
    assert ".include" not in text


def test_models_may_be_defined_by_other_text() -> None:
    deck = Deck("title", "text")
    section = deck.section("one")
    section.X("b", "amplifier", "i", "l", "e", "p", "n", gain=10.0)
    text = deck.spice(lambda name: f".subckt {name} as it was compiled\n")
    assert "* text\n*\n.subckt amplifier as it was compiled\n*\n* one\nXb i l e p n" in text
    assert "ideal" not in text


def test_unknown_model_is_refused() -> None:
    deck = Deck("title", "text")
    deck.section("one").X("b", "flux_capacitor", "p", "n")
    with pytest.raises(DataError, match=r"flux_capacitor\.lib"):
        deck.spice()


def test_long_lines_are_folded_and_lose_nothing() -> None:
    deck = Deck("title", "text")
    nodes = [f"node{k}" for k in range(300)]
    section = deck.section("comment")
    section.subcircuit(SubCircuit("box", *nodes))
    section.X("long", "box", *nodes, gain=1.5)
    train = pulse_train(PULSE, np.linspace(0.1, 1, 40), CYCLE)
    section.V("source", "a", section.gnd, train)
    text = str(deck)
    assert max(map(len, text.splitlines())) <= WIDTH
    lines = unfolded(text)
    assert f"Xlong {' '.join(nodes)} box gain=1.5" in lines
    assert f".subckt box {' '.join(nodes)}" in lines
    source = next(line for line in lines if line.startswith("Vsource"))
    np.testing.assert_array_equal(points(source.split(" ", 3)[3]), points(train))


def test_sources_are_folded_between_points() -> None:
    deck = Deck("title", "text")
    section = deck.section("comment")
    section.V("a", "a", section.gnd, pulse_train(PULSE, np.ones(20), CYCLE))
    folded = [line for line in str(deck).splitlines() if line.startswith("+")]
    assert folded
    for line in folded:
        assert len(line.strip("+ )").split()) % 2 == 0


def test_numbers_keep_twelve_digits() -> None:
    value = 1978839.4555839654
    deck = Deck("title", "text")
    section = deck.section("comment")
    section.R("a", "x", section.gnd, value)
    section.R("w1_2.3", "x1.5", section.gnd, 1e-15)
    text = str(deck)
    assert "Ra x 0 1978839.45558\n" in text
    assert float(text.split("Ra x 0 ")[1].split()[0]) == pytest.approx(value, rel=5e-12)
    assert "Rw1_2.3 x1.5 0 1e-15" in text  # names are not numbers


def test_comment_keeps_line_breaks_and_wraps() -> None:
    text = comment_lines(f"one\n\n{'word ' * 50}")
    lines = text.splitlines()
    assert lines[:2] == ["* one", "*"]
    assert max(map(len, lines)) <= WIDTH
    assert " ".join(line[2:] for line in lines[2:]) == ("word " * 50).strip()


# --- sources --------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0.0, 1e-9])
@pytest.mark.parametrize("levels", [[0.1, 0.0, 0.3], [0.0, 0.2, 0.2], [0.0, 0.0, 0.0]])
def test_pulse_train_is_the_sum_of_its_pulses(start: float, levels: list[float]) -> None:
    pulse = Pulse(start, 6e-9, 0.5e-9)
    time = np.linspace(0, 3 * CYCLE, 1201)
    train = points(pulse_train(pulse, np.array(levels), CYCLE))
    assert (np.diff(train[:, 0]) > 0).all()
    expected = sum(level * pulse.at(time - k * CYCLE) for k, level in enumerate(levels))
    np.testing.assert_allclose(np.interp(time, *train.T), expected, atol=1e-12)


def test_silent_cycles_take_no_points() -> None:
    assert len(points(pulse_train(PULSE, np.zeros(1000), CYCLE))) == 1


def test_step_train_holds_each_level_until_just_before_the_next_cycle() -> None:
    edge, levels = 0.1e-9, np.array([0.7, 2.5, 0.1])
    train = points(step_train(levels, edge, CYCLE))
    assert (np.diff(train[:, 0]) > 0).all()
    for cycle, level in enumerate(levels):
        time = cycle * CYCLE + np.array([0.0, 0.5 * CYCLE, CYCLE - 1.01 * edge])
        np.testing.assert_allclose(np.interp(time, *train.T), level)


# --- libraries ------------------------------------------------------------------------------------


def bare_braces(text: str) -> list[str]:
    """Braces on behavioural-source lines that no parentheses enclose."""
    lines = [line for line in unfolded(text) if line[:1].upper() == "B"]
    return [
        match[0]
        for line in lines
        for match in re.finditer(r".?\{[^}]*\}.?", line)
        if not (match[0].startswith("(") and match[0].endswith(")"))
    ]


@pytest.mark.parametrize("path", LIBRARIES, ids=lambda path: path.name)
def test_library_encloses_its_braces_in_parentheses(path: Path) -> None:
    # ngspice inserts the text of {a-b} as it is: x*{a-b} would be x*a-b.
    text = path.read_text(encoding="utf-8")
    assert bare_braces(text) == []


def test_bare_braces_are_found() -> None:
    assert bare_braces("Ra 1 2 {x}\nBa 1 2 v=({x})*v(1)\n") == []
    assert bare_braces("Ba 1 2 v=v(1)\n+ *{a-b}*2\n") == ["*{a-b}*"]
    assert bare_braces("Ba 1 2 i={a}\n") == ["={a}"]


@pytest.mark.parametrize("path", LIBRARIES, ids=lambda path: path.name)
def test_library_can_be_read(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("* ")
    assert max(map(len, lines)) <= WIDTH
    starts = [line.split()[1] for line in lines if line.startswith(".subckt")]
    ends = [line.split()[1] for line in lines if line.startswith(".ends")]
    assert starts == ends != []
