"""What joules rest on: labels decide, component by component, and the device apart from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from memspice.analysis.assumed import CIRCUIT_CONSTANTS, assumed_fraction, circuit_constants
from memspice.circuits.blocks.pulse_driver import PulseDriver
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.energy_model import COMPONENTS, NETWORK_COMPONENTS
from memspice.experiment.against_cmos import load_cmos
from memspice.parameters import PARAMETER_SETS, load_parameter_set
from memspice.parameters.file import SourcedValue
from tests.helpers import small_layer, switched_set


def sourced(**labels: str) -> list[SourcedValue]:
    return [SourcedValue("t", name, 1.0, "1", label, "x") for name, label in labels.items()]


@pytest.mark.parametrize(("label", "share"), [("A", 0.75), ("R", 0.75), ("S", 0.0), ("D", 0.0)])
def test_a_component_is_assumed_where_one_of_its_constants_is(label: str, share: float) -> None:
    constants = {"a": ("t.known", "t.asked"), "b": ("t.known",), "c": ()}
    energy = {"a": 6.0, "b": 1.0, "c": 1.0}
    provenance = sourced(known="S", asked=label)
    assert assumed_fraction(energy, provenance, constants) == pytest.approx(share)


def test_no_energy_is_not_assumed() -> None:
    assert assumed_fraction({"a": 0.0}, sourced(x="A"), {"a": ("t.x",)}) == 0.0


@pytest.mark.parametrize("name", PARAMETER_SETS)
def test_every_component_has_its_constants_in_every_set(name: str) -> None:
    assert tuple(CIRCUIT_CONSTANTS) == NETWORK_COMPONENTS
    chosen = load_parameter_set(name)
    found = {f"{item.table}.{item.name}" for item in (*chosen.provenance, *load_cmos().provenance)}
    blocks = (chosen.neuron, chosen.latch, chosen.sense, PulseDriver())
    declared = [block.circuit_constants for block in blocks]
    assert all(set(constants) <= set(CIRCUIT_CONSTANTS) for constants in declared)
    names = {name for constants in declared for each in constants.values() for name in each}
    assert {*names, *CIRCUIT_CONSTANTS["converter"]} <= found


def test_the_joules_of_a_buffered_driver_rest_on_its_gates() -> None:
    gates = SourcedValue("row_driver", "gate_capacitance", 1e-13, "F", "A", "x")
    provenance = load_parameter_set("fast-memristor").provenance
    assert assumed_fraction({"driver": 1.0}, provenance) == 0.0
    assert assumed_fraction({"driver": 1.0}, (*provenance, gates)) == 1.0


def test_behavioural_periphery_is_assumed_and_the_array_is_not() -> None:
    provenance = load_parameter_set("fast-memristor").provenance
    shares = {
        name: assumed_fraction({name: 1.0}, provenance, CIRCUIT_CONSTANTS) for name in COMPONENTS
    }
    assert {name for name, share in shares.items() if share == 0} == {"driver", "crossbar"}


def test_a_changed_driver_is_assumed() -> None:
    changed = load_parameter_set("fast-memristor", {"array.driver_resistance": 50.0})
    assert assumed_fraction({"driver": 1.0}, changed.provenance) == 1.0


def test_gates_of_drivers_are_assumed_where_they_are_changed() -> None:
    for more, share in (({}, 0.0), ({"row_driver.gate_capacitance": 1e-13}, 1.0)):
        chosen = load_parameter_set("fast-memristor", {"row_driver.kind": "buffered", **more})
        assert assumed_fraction({"driver": 1.0}, chosen.provenance) == share


@pytest.mark.parametrize(
    ("name", "source"),
    [("ag-asi", "literature"), ("fast-memristor", "what-if"), ("sot-mtj", "literature")],
)
def test_a_device_comes_from_where_its_weakest_value_does(name: str, source: str) -> None:
    assert load_parameter_set(name).device_source == source


@pytest.mark.parametrize(
    ("name", "value"),
    [("hazard.time_scale", 1e5), ("hazard.voltage_scale", 0.2), ("neuron.on_resistance", 1e5)],
)
def test_a_changed_device_is_a_what_if(name: str, value: float) -> None:
    kept = load_parameter_set("ag-asi", {"sense.bandwidth": 2e6})
    assert kept.device_source == "literature"
    assert load_parameter_set("ag-asi", {name: value}).device_source == "what-if"


def test_a_device_read_at_its_source_is_measured() -> None:
    found = load_parameter_set("sot-mtj")
    provenance = tuple(
        item if item.label != "R" else SourcedValue(**{**vars(item), "label": "S"})
        for item in found.provenance
    )
    assert type(found)(**{**vars(found), "provenance": provenance}).device_source == "measured"


def test_a_sense_stage_that_is_a_circuit_rests_on_no_constant() -> None:
    own = Path(__file__).parents[1] / "data" / "own_sense.toml"
    provenance = load_parameter_set(str(own)).provenance
    assert assumed_fraction({"sense": 1.0}, provenance) == 0.0
    assert assumed_fraction({"neuron_write": 1.0}, provenance) == 1.0


def test_joules_that_decks_gave_are_not_assumed_until_one_is_changed() -> None:
    own = ("neuron_write", "neuron_read", "neuron_reset", "logic")
    provenance = load_parameter_set(switched_set()).provenance
    assert [assumed_fraction({name: 1.0}, provenance) for name in own] == [0.0] * 4
    changed = load_parameter_set(switched_set(), {"periphery.leakage": 1e-9}).provenance
    assert [assumed_fraction({name: 1.0}, changed) for name in own] == [1.0, 1.0, 1.0, 0.0]
    # a load is charged by a circuit, and is no price
    longer = load_parameter_set(switched_set(), {"latch.latch_capacitance": 20e-15}).provenance
    assert assumed_fraction({"logic": 1.0}, longer) == 0.0


def test_a_spiking_layer_on_transistors_rests_on_no_constant() -> None:
    """Nor does a last layer, which has the same stages."""
    chosen = load_parameter_set("fast-memristor", periphery="freepdk45")
    needs = SenseNeeds(390e3, 8e-6, (140e-6, 140e-6), chosen.timing.settle, "own", "a test")
    energy = dict.fromkeys(COMPONENTS, 1.0)
    for spiking in (True, False):
        sense = chosen.sense.sized(replace(needs, spiking=spiking))
        layer = replace(small_layer(switched_set()), sense=sense, spiking=spiking)
        assert assumed_fraction(energy, chosen.provenance, circuit_constants(layer)) == 0.0
    # with amplifiers it would
    usual = load_parameter_set("fast-memristor")
    amplified = replace(layer, sense=usual.sense.sized(replace(needs, spiking=False)))
    constants = circuit_constants(amplified)
    assert assumed_fraction({"sense": 1.0}, usual.provenance, constants) == 1.0
