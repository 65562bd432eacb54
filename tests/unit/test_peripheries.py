"""Peripheries: what stands around the array, and what each refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memspice.circuits.blocks.copier import CopierSense
from memspice.circuits.blocks.sense import SenseNeeds
from memspice.cli.options import PERIPHERY_NAMES
from memspice.errors import ConfigError
from memspice.parameters import load_parameter_set
from memspice.parameters.peripheries import PERIPHERIES

SET = load_parameter_set("fast-memristor", periphery="freepdk45")


def needs(ohm: float) -> SenseNeeds:
    return SenseNeeds(ohm, 10e-6, 23e-9, "own", "a test")


def test_the_command_line_names_all_peripheries() -> None:
    assert tuple(PERIPHERIES) == PERIPHERY_NAMES


def test_transistors_take_the_place_of_models() -> None:
    usual = load_parameter_set("fast-memristor")
    assert isinstance(SET.sense, CopierSense)
    assert SET.array.driver_resistance < usual.array.driver_resistance
    # a write pulse begins when the stage holds its drive
    assert SET.timing.settle == SET.sense.stage.rows[1] > usual.timing.settle
    assert SET.neuron == usual.neuron
    # a last layer has the set's own stages
    last = replace(needs(4e3), spiking=False)
    assert SET.sense.sized(last) == usual.sense.sized(last)
    assert any("freepdk45" in note for note in SET.notes)


@pytest.mark.parametrize("ohm", [60e3, 200e3, 390e3, 1e6])
def test_capacitor_and_rows_give_the_gain_that_is_asked_for(ohm: float) -> None:
    assert isinstance(SET.sense, CopierSense)
    stage = SET.sense.sized(needs(ohm))
    held = stage.design.stage.parameters["ch"]
    assert 3e-15 <= held <= 200e-15
    # drive = charge over capacitance, times what stronger rows add
    charge_time, own = SET.sense.scale.charge_time, SET.sense.scale.own_capacitance
    assert stage.row_scale * charge_time / (held + own) == pytest.approx(ohm)
    assert stage.row_scale == pytest.approx(max(1.0, ohm / 392e3), rel=1e-3)


def test_a_gain_below_what_rows_can_be_weakened_to_is_refused() -> None:
    with pytest.raises(ConfigError, match="layer own asks its sense stages for 4e.03 ohm"):
        SET.sense.sized(needs(4e3))


def test_a_drive_is_not_held_for_milliseconds() -> None:
    with pytest.raises(ConfigError, match=r"timing\.write = .* hold their drive for 1e-06 s"):
        load_parameter_set("ag-asi", periphery="freepdk45")


def test_an_unknown_periphery_is_refused() -> None:
    with pytest.raises(ConfigError, match="use behavioural, freepdk45"):
        load_parameter_set("fast-memristor", periphery="freepdk15")
