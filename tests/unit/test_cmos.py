"""The CMOS counterpart: operations counted by hand, scopes kept apart, constants as committed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memspice.analysis.accounts import (
    Accounts,
    assumption_changes,
    ratio_changes,
    ratio_range,
    total_range,
)
from memspice.analysis.cmos import (
    LIKE_FOR_LIKE,
    OPPONENTS,
    PAPERS,
    SCOPE_COMPONENTS,
    SCOPE_PARTS,
    SCOPES,
    CmosOperations,
    Conversions,
    Converters,
    NeuronDecision,
    Workload,
    analogue_energy,
    assumed_by_scope,
    by_scope,
    opponent_parts,
)
from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.errors import ConfigError
from memspice.experiment.against_cmos import load_cmos
from memspice.parameters import load_table

OPERATIONS = CmosOperations(
    add_8bit=1e-12, add_16bit=2e-12, add_32bit=4e-12, multiply=10e-12, random_draw=100e-12,
    lookup=1e-9, weight_fetch=12e-9, weight_reuse=4, weight_reuse_papers=1,
)  # fmt: skip

DECISION = NeuronDecision(
    clock=1e-15, random_number=60e-15, table=7e-15, compare=5e-15, latch=2e-15,
    period=1e-9, leakage=3e-6, half_width=0.05,
)  # fmt: skip
WORK = Workload(events=2, synaptic_adds=3, products=5, activations=7, macs=11)
#: Energies that tell every component from every sum of others.
COMPONENTS = {name: 10.0**-k for k, name in enumerate(NETWORK_COMPONENTS)}


def accounts(work: Workload = WORK) -> Accounts:
    quiescent = 0.6 * COMPONENTS["sense"]
    return Accounts(COMPONENTS, COMPONENTS["sense"], quiescent, work, OPERATIONS, DECISION.energy())


@pytest.mark.parametrize(
    ("name", "neuron", "synapse", "memory"),
    [
        ("spiking_8bit", 2 * 0.075, 3 * 1 + 5 * 11, 8 * 12_000 / 4),
        ("spiking_16bit", 2 * 0.075, 3 * 2 + 5 * 12, 8 * 12_000 / 4),
        ("ann_8bit", 7 * 1000, 11 * 11, 11 * 12_000 / 4),
        (PAPERS, 2 * 0.075, 3 * 2 + 5 * 12, 8 * 12_000),
    ],
)
def test_opponents_by_hand(name: str, neuron: float, synapse: float, memory: float) -> None:
    found = accounts().opponent(name)
    assert tuple(found) == SCOPES
    expected = (neuron, neuron + synapse, neuron + synapse + memory)
    assert list(found.values()) == pytest.approx([1e-12 * joule for joule in expected])


def test_no_work_no_energy_and_twice_the_work_twice_the_energy() -> None:
    for opponent in OPPONENTS.values():
        nothing = Workload(0, 0, 0, 0, 0)
        assert set(opponent_parts(opponent, OPERATIONS, nothing, 1e-15).values()) == {0.0}
        once = opponent_parts(opponent, OPERATIONS, WORK, 1e-15)
        double = Workload(*(2 * count for count in vars(WORK).values()))
        twice = opponent_parts(opponent, OPERATIONS, double, 1e-15)
        assert twice == pytest.approx({part: 2 * energy for part, energy in once.items()})


def test_scopes_take_every_component_and_part_once() -> None:
    scoped = [name for scope in SCOPES for name in SCOPE_COMPONENTS[scope]]
    assert sorted(scoped) == sorted(NETWORK_COMPONENTS)
    found = accounts().own
    neuron = sum(COMPONENTS[n] for n in ("neuron_write", "neuron_read", "neuron_reset", "logic"))
    sums = sum(COMPONENTS[n] for n in ("driver", "crossbar", "sense"))
    assert found["neuron"] == pytest.approx(neuron)
    assert found["neuron_synapse"] == pytest.approx(neuron + sums)
    assert found["system"] == pytest.approx(sum(COMPONENTS.values()))
    parts = {"neuron": 1.0, "synapse": 10.0, "memory": 100.0}
    assert by_scope(parts, SCOPE_PARTS) == dict(zip(SCOPES, (1.0, 11.0, 111.0), strict=True))


def test_what_forms_the_sums_is_booked_where_the_additions_are() -> None:
    """The scope that charges CMOS its adders charges us our sense stages."""
    assert "sense" in SCOPE_COMPONENTS["neuron_synapse"]
    assert SCOPE_PARTS["neuron_synapse"] == ("synapse",)
    dear = accounts().scaled("sense", 3.0)
    assert dear.own["neuron"] == accounts().own["neuron"]
    added = 2 * COMPONENTS["sense"]
    for scope in ("neuron_synapse", "system"):
        assert dear.own[scope] - accounts().own[scope] == pytest.approx(added)


def test_ratios_are_quotients_and_the_papers_count_is_no_headline() -> None:
    found, standing = accounts().ratios(), accounts()
    for scope in SCOPES:
        assert tuple(found[scope]) == tuple(OPPONENTS)
        for name in OPPONENTS:
            quotient = standing.opponent(name)[scope] / standing.own[scope]
            assert found[scope][name] == pytest.approx(quotient)
    assert {*LIKE_FOR_LIKE, PAPERS} == set(OPPONENTS)
    assert PAPERS not in LIKE_FOR_LIKE


@pytest.mark.parametrize("name", OPPONENTS)
def test_reuse_makes_the_memory_of_an_opponent_assumed(name: str) -> None:
    opponent, constants = OPPONENTS[name], load_cmos()
    parts = {"neuron": 1.0, "synapse": 2.0, "memory": 5.0}
    found = assumed_by_scope(parts, SCOPE_PARTS, constants.provenance, opponent.constants)
    # Horowitz's additions were read at a copy of the source; the look-up of the ANN was not.
    neuron = 0.0 if opponent.spiking else 1.0
    expected = (neuron, neuron / 3, (neuron + 5.0) / 8)
    assert list(found.values()) == pytest.approx(expected)


def test_an_amplifiers_bandwidth_moves_its_quiescent_joules_alone() -> None:
    slow = accounts().bandwidth(0.1)
    assert slow.quiescent == pytest.approx(0.06 * COMPONENTS["sense"])
    assert slow.components["sense"] == pytest.approx(0.46 * COMPONENTS["sense"])
    assert slow.bandwidth(10.0).components == pytest.approx(COMPONENTS)


def test_rails_move_amplifiers_and_leave_transistors_alone() -> None:
    half = replace(accounts(), amplified=0.25 * COMPONENTS["sense"]).rails(0.5)
    assert half.components["sense"] == pytest.approx(0.875 * COMPONENTS["sense"])
    assert half.quiescent == pytest.approx(0.5 * accounts().quiescent)
    simulated = replace(accounts(), amplified=0.0, quiescent=0.0)
    names = assumption_changes(simulated, DECISION)
    assert not [name for name in names if "amplifier" in name or "rails" in name]
    assert names["sense stages at half"].components["sense"] == 0.5 * COMPONENTS["sense"]


def test_the_digital_side_stands_on_the_peripherys_transistors() -> None:
    usual, own = load_cmos(), load_cmos("freepdk45")
    assert usual.published is None
    assert own.published == usual.operations.values
    # the same circuits of slower transistors, and additions that are dearer than published ones
    assert own.decision.values.energy() == pytest.approx(usual.decision.values.energy(), rel=0.2)
    assert own.operations.values.add_8bit > usual.operations.values.add_8bit
    assert own.operations.values.multiply == usual.operations.values.multiply
    priced = assumption_changes(accounts(), DECISION, own.published)["additions as published"]
    assert priced.operations.add_16bit == usual.operations.values.add_16bit
    (source,) = {v.source for v in own.provenance if v.name == "add_8bit"}
    assert source.startswith("simulated: experiments/cmos_neuron")


def test_conductance_moves_currents() -> None:
    found = accounts().conductance(2.0).components
    assert found["driver"] == pytest.approx(4 * COMPONENTS["driver"])
    assert found["crossbar"] == pytest.approx(2 * COMPONENTS["crossbar"])
    assert found["sense"] == pytest.approx(1.4 * COMPONENTS["sense"])


def test_sensitivity_names_the_assumption_of_either_end() -> None:
    base = accounts()
    changes = {
        "half": base.scaled("sense", 0.5),
        "dear": base.scaled("sense", 9.0),
        "cheap memory": base.priced(weight_reuse=1e6),
    }
    table, standing = ratio_changes(base, changes), base.ratios()
    assert next(iter(table)) == "cheap memory"  # the largest factor, of a scope that fetches
    found = ratio_range(standing, table, "neuron_synapse", "spiking_8bit")
    assert (found["low"]["change"], found["high"]["change"]) == ("dear", "half")
    assert found["low"]["value"] < standing["neuron_synapse"]["spiking_8bit"]
    neuron = ratio_range(standing, table, "neuron", "spiking_8bit")
    assert neuron["low"]["change"] == neuron["high"]["change"] == "none"
    low, high = total_range(base, changes)
    assert high - low == pytest.approx(8.5 * COMPONENTS["sense"])


def test_every_change_changes_something() -> None:
    base = accounts()
    for name, changed in assumption_changes(base, DECISION).items():
        assert changed != base, name
        assert changed.ratios() != base.ratios(), name


def test_decision_is_the_sum_of_its_blocks_and_sharing_divides_the_register() -> None:
    assert DECISION.energy() == pytest.approx(75e-15, rel=1e-9, abs=0)
    assert DECISION.energy(shared_register=6) == pytest.approx(25e-15, rel=1e-9, abs=0)
    with pytest.raises(ConfigError, match="shared_register = 0"):
        DECISION.energy(0)


def test_analogue_network_reads_once_and_converts() -> None:
    components = {"crossbar": 8e-9, "driver": 4e-9, "sense": 16e-9, "neuron_write": 1.0}
    converters = Converters(input_conversion=3e-12, output_conversion=2e-12, activation=1e-12)
    found = analogue_energy(converters, Conversions(10, 100), components, cycles=4)
    assert found == pytest.approx(
        {"crossbar": 2e-9, "driver": 1e-9, "sense": 4e-9}
        | {
            "converters": 230e-12,
            "activation": 100e-12,
        },
        rel=1e-9,
        abs=0,
    )
    with pytest.raises(ConfigError, match="cycles = 0"):
        analogue_energy(converters, Conversions(1, 1), components, 0)


# --- what is committed ----------------------------------------------------------------------------


def test_published_constants() -> None:
    sourced = load_table("cmos-45nm", "cmos", CmosOperations)
    # Horowitz, ISSCC 2014: integer additions of 8, 16 and 32 bit, 8 bit integer multiply 0.2 pJ.
    for bits, picojoule in ((8, 0.03), (16, 0.05), (32, 0.1)):
        price = getattr(sourced.values, f"add_{bits}bit")
        assert price == pytest.approx(picojoule * 1e-12, rel=1e-9, abs=0)
    assert (sourced.values.weight_reuse, sourced.values.weight_reuse_papers) == (256, 1)
    assert sourced.values.multiply == pytest.approx(0.2e-12, rel=1e-9, abs=0)
    assert {item.name for item in sourced.provenance} == set(CmosOperations.model_fields)
    assert all(item.source for item in sourced.provenance)


def test_published_converters() -> None:
    isaac, other = (
        load_table("cmos45_converters", table, Converters).values
        for table in ("converters", "alternative")
    )
    # Written to two or three digits.  4 mW for 1,024 converters of one bit at 100 ns; 2 mW at
    # 1.28 GS/s.
    assert isaac.input_conversion == pytest.approx(8 * 4e-3 * 100e-9 / 1024, rel=0.01, abs=0)
    assert isaac.output_conversion == pytest.approx(2e-3 / 1.28e9, rel=0.01, abs=0)
    # The smallest that was found: what the bound below rests on.
    assert other.input_conversion == 0
    assert other.output_conversion == pytest.approx(0.476e-12, rel=1e-9, abs=0)


def experiment(name: str) -> Any:
    path = Path(__file__).parents[2] / "experiments" / name
    return json.loads(path.read_text("utf-8"))


def test_committed_decision_is_that_of_the_committed_experiment() -> None:
    result = experiment("cmos_neuron/result.json")
    decision = load_table("cmos45_neuron", "decision", NeuronDecision).values
    # Written to four digits.
    assert decision.model_dump() == pytest.approx(result["decision"], rel=1e-3, abs=0)
    reference = result["circuits"]["reference"]
    assert decision.energy() == pytest.approx(reference["energy_total_joule"], rel=1e-3, abs=0)
    assert decision.leakage == pytest.approx(reference["leakage_watt"], rel=1e-3, abs=0)
    for name, circuit in result["circuits"].items():
        assert (circuit["other_spikes"], circuit["other_states"]) == (0, 0), name


def test_committed_ratios_are_of_the_committed_summary() -> None:
    standing = experiment("cmos_neuron/result.json")["sensitivity"]["reference"]
    summary = experiment("cifar_energy/summary.json")
    # The decision's energy has four digits there.  Else: experiments/cmos_neuron/run.py --ratios
    for scope in SCOPES:
        table = {**summary["ratio"][scope], PAPERS: summary[PAPERS][scope]}
        values = {name: item["value"] for name, item in table.items()}
        assert standing[scope] == pytest.approx(values, rel=1e-3, abs=0)


def test_the_committed_headline_is_what_its_parts_say() -> None:
    """Simulated and published prices, counted work, the joules of SPICE: nothing is typed in."""
    summary = experiment("cifar_energy/summary.json")
    work, own = Workload(**summary["workload"]), summary["energy_per_inference_joule"]
    prices = {item["name"]: item["value"] for item in summary["cmos_constants"]}
    add, multiply = prices["add_16bit"], prices["multiply"]
    assert 0.05e-12 < add < 0.25e-12 < add + multiply  # published 0.05 pJ; one of 32 bit 0.21
    sums = add * work.synaptic_adds + (multiply + add) * work.products
    decision = load_table("cmos45_freepdk45", "decision", NeuronDecision).values.energy()
    ours = sum(own.values()) - own["converter"]
    ratio = (work.events * decision + sums) / ours
    found = summary["ratio"]["neuron_synapse"]["spiking_16bit"]
    assert found["value"] == pytest.approx(ratio, rel=1e-9)
    assert found["low"] < found["value"] < found["high"]
    assert summary["sense_split_joule"] == pytest.approx({"transistors": own["sense"]})
    assert own["converter"] == 0
    assert summary["energy_total_joule"]["value"] == pytest.approx(sum(own.values()))
