"""Peripheries: what stands around the array, and what each refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.blocks.subcircuit import SubcircuitStage
from memspice.cli.options import PERIPHERY_NAMES
from memspice.errors import ConfigError
from memspice.parameters import load_parameter_set
from memspice.parameters.peripheries import PERIPHERIES

SET = load_parameter_set("fast-memristor", periphery="freepdk45")
LINE = 140e-6  # S


def needs(ohm: float, line: float = LINE) -> SenseNeeds:
    return SenseNeeds(ohm, 10e-6, (line, line), 23e-9, "own", "a test")


def stage(ohm: float, line: float = LINE) -> SubcircuitStage:
    found = SET.sense.sized(needs(ohm, line))
    assert isinstance(found, SubcircuitStage)
    return found


def test_the_command_line_names_all_peripheries() -> None:
    assert tuple(PERIPHERIES) == PERIPHERY_NAMES


def test_transistors_take_the_place_of_models() -> None:
    usual = load_parameter_set("fast-memristor")
    assert SET.array.driver_resistance < usual.array.driver_resistance
    # a write pulse begins when the stage holds its drive
    assert SET.timing.settle == stage(400e3).circuit.rows[1] > usual.timing.settle
    assert (SET.neuron.kind, SET.latch.kind) == ("switched-memristor", "strongarm")  # type: ignore[attr-defined]
    assert SET.neuron.device == usual.neuron.device
    assert SET.device_source == usual.device_source
    # a last layer has the set's own stages
    last = replace(needs(4e3), spiking=False)
    assert SET.sense.sized(last) == usual.sense.sized(last)
    assert any("freepdk45" in note for note in SET.notes)
    # no converter makes the levels of rows, unless the set says what drives them
    assert SET.array.row_driver.steps == 4
    assert usual.array.row_driver.steps is None
    own = load_parameter_set("fast-memristor", {"row_driver.kind": "pulse"}, periphery="freepdk45")
    assert own.array.row_driver == usual.array.row_driver


def test_rows_make_up_for_the_gain_and_stages_for_the_conductance() -> None:
    gain = stage(1.0).design.gain
    for count in (1, 2, 9):
        # the joined drive follows the mean of what the stages would have
        for ohm in (20e3, 400e3):
            found = stage(ohm, count * LINE)
            assert found.multiplicity == count
            assert found.row_scale * gain / count == pytest.approx(ohm)
    assert stage(1.0, stage(1.0).conductances[1] * 1.001).multiplicity == 2


def test_lines_of_few_cells_have_unused_ones_besides() -> None:
    least = stage(1.0).conductances[0]
    assert stage(1.0, 2 * least).ballast == 0
    few = stage(1.0, 0.2 * least)
    # and a little more, which wires take off
    assert few.ballast == pytest.approx(0.8 * least, rel=0.05)
    assert few.ballast > 0.8 * least
    # a supply of its own holds the other end of them at the level of idle rows
    assert few.supplies["sense_ballast"] == few.line_level
    assert "sense_ballast" not in stage(1.0).supplies


def test_a_drive_is_not_held_for_milliseconds() -> None:
    with pytest.raises(ConfigError, match=r"timing\.write = .* hold their drive for 1e-06 s"):
        load_parameter_set("ag-asi", periphery="freepdk45")


def test_an_unknown_periphery_is_refused() -> None:
    with pytest.raises(ConfigError, match="use behavioural, freepdk45"):
        load_parameter_set("fast-memristor", periphery="freepdk15")
