"""The CMOS counterpart: operations counted by hand, scopes kept apart, constants as committed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memspice.analysis.cmos import (
    SCOPE_COMPONENTS,
    SCOPES,
    CmosOperations,
    Conversions,
    Converters,
    NeuronDecision,
    Workload,
    analogue_energy,
    cmos_energy,
    memristive_energy,
    quoted_decision,
    ratio_sensitivity,
)
from memspice.circuits.energy_model import COMPONENTS
from memspice.errors import ConfigError
from memspice.parameters import load_sourced

OPERATIONS = CmosOperations(
    add=1e-12, multiply=10e-12, random_draw=100e-12, lookup=1e-9, weight_fetch=10e-9
)

DECISION = NeuronDecision(
    clock=1e-15, random_number=60e-15, table=7e-15, compare=5e-15, latch=2e-15,
    period=1e-9, leakage=3e-6,
)  # fmt: skip
WORK = Workload(events=2, synaptic_adds=3, products=5)


def test_scopes_by_hand() -> None:
    found = cmos_energy(OPERATIONS, WORK)
    neuron = 2 * (100 + 1000 + 1)
    synapse = 3 * 1 + 5 * (10 + 1)
    fetch = 8 * 10_000
    assert tuple(found) == SCOPES
    assert found["neuron"] == pytest.approx(neuron * 1e-12, rel=1e-9, abs=0)
    assert found["neuron_synapse"] == pytest.approx((neuron + synapse) * 1e-12, rel=1e-9, abs=0)
    assert found["system"] == pytest.approx((neuron + synapse + fetch) * 1e-12, rel=1e-9, abs=0)


def test_no_work_no_energy() -> None:
    assert set(cmos_energy(OPERATIONS, Workload(0, 0, 0)).values()) == {0.0}


def test_energy_is_proportional_to_the_work() -> None:
    once = cmos_energy(OPERATIONS, Workload(7, 11, 13))
    twice = cmos_energy(OPERATIONS, Workload(14, 22, 26))
    assert twice == pytest.approx({scope: 2 * energy for scope, energy in once.items()})


def test_memristive_scopes_take_every_component_once() -> None:
    scoped = [name for scope in SCOPES for name in SCOPE_COMPONENTS[scope]]
    assert sorted(scoped) == sorted(COMPONENTS)
    components = {name: 10.0**k for k, name in enumerate(COMPONENTS)}
    found = memristive_energy(components)
    assert found["system"] == pytest.approx(sum(components.values()))
    assert found["neuron"] == pytest.approx(
        sum(components[n] for n in ("neuron_write", "neuron_read", "neuron_reset", "logic"))
    )
    assert found["neuron_synapse"] == pytest.approx(found["neuron"] + components["crossbar"])


def test_decision_is_the_sum_of_its_blocks_and_sharing_divides_the_register() -> None:
    assert DECISION.energy() == pytest.approx(75e-15, rel=1e-9, abs=0)
    assert DECISION.energy(shared_register=6) == pytest.approx(25e-15, rel=1e-9, abs=0)
    with pytest.raises(ConfigError, match="shared_register = 0"):
        DECISION.energy(0)


def test_simulated_decision_replaces_the_quoted_one_and_nothing_else() -> None:
    quoted = cmos_energy(OPERATIONS, WORK)
    assert cmos_energy(OPERATIONS, WORK, quoted_decision(OPERATIONS)) == quoted
    found = cmos_energy(OPERATIONS, WORK, DECISION.energy())
    assert found["neuron"] == pytest.approx(2 * 75e-15, rel=1e-9, abs=0)
    for scope in ("neuron_synapse", "system"):
        assert found[scope] - found["neuron"] == pytest.approx(
            quoted[scope] - quoted["neuron"], rel=1e-9, abs=0
        )


def test_used_again_a_fetch_costs_less() -> None:
    once, reused = cmos_energy(OPERATIONS, WORK), cmos_energy(OPERATIONS, WORK, fetch_reuse=4.0)
    assert reused["neuron_synapse"] == once["neuron_synapse"]
    assert once["system"] - reused["system"] == pytest.approx(0.75 * 8 * 10e-9, rel=1e-9, abs=0)
    with pytest.raises(ConfigError, match=r"fetch_reuse = 0\.5"):
        cmos_energy(OPERATIONS, WORK, fetch_reuse=0.5)


def test_analogue_network_reads_once_and_converts() -> None:
    components = {"crossbar": 8e-9, "driver": 4e-9, "sense": 16e-9, "neuron_write": 1.0}
    converters = Converters(input_conversion=3e-12, output_conversion=2e-12, activation=1e-12)
    found = analogue_energy(converters, Conversions(10, 100), components, cycles=4)
    assert found == pytest.approx(
        {"crossbar": 2e-9, "driver": 1e-9, "sense": 4e-9}
        | {"converters": 230e-12, "activation": 100e-12, "total": 7.33e-9},
        rel=1e-9,
        abs=0,
    )
    with pytest.raises(ConfigError, match="cycles = 0"):
        analogue_energy(converters, Conversions(1, 1), components, 0)


def test_sensitivity_puts_the_largest_change_first_whether_up_or_down() -> None:
    rows = ratio_sensitivity(
        lambda x: {"a": x, "b": 10.0}, 2.0, {"half more": 3.0, "a quarter": 0.5, "none": 2.0}
    )
    assert list(rows) == ["a quarter", "half more", "none"]
    assert rows["a quarter"].ratio == {"a": 0.5, "b": 10.0}
    assert rows["half more"].factor == {"a": 1.5, "b": 1.0}
    assert rows["none"].as_json()["factor"] == {"a": 1.0, "b": 1.0}


# --- what is committed ----------------------------------------------------------------------------


def test_published_constants() -> None:
    sourced = load_sourced("cmos-45nm", "cmos", CmosOperations)
    # Horowitz, ISSCC 2014: 16 bit integer add 0.05 pJ, 8 bit integer multiply 0.2 pJ.
    assert sourced.values.add == pytest.approx(0.05e-12, rel=1e-9, abs=0)
    assert sourced.values.multiply == pytest.approx(0.2e-12, rel=1e-9, abs=0)
    assert {item.name for item in sourced.provenance} == set(CmosOperations.model_fields)
    assert all(item.source for item in sourced.provenance)


def test_published_converters() -> None:
    isaac, other = (
        load_sourced("cmos45_converters", table, Converters).values
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
    decision = load_sourced("cmos45_neuron", "decision", NeuronDecision).values
    # Written to four digits.
    assert decision.model_dump() == pytest.approx(result["decision"], rel=1e-3, abs=0)
    reference = result["circuits"]["reference"]
    assert decision.energy() == pytest.approx(reference["energy_joule"]["total"], rel=1e-3, abs=0)
    assert decision.leakage == pytest.approx(reference["leakage_watt"], rel=1e-3, abs=0)
    for name, circuit in result["circuits"].items():
        assert (circuit["other_spikes"], circuit["other_states"]) == (0, 0), name


def test_committed_ratios_are_of_the_committed_summary() -> None:
    standing = experiment("cmos_neuron/result.json")["sensitivity"]["reference"]
    ratio = experiment("cifar_energy/summary.json")["ratio"]
    # The decision's energy has four digits there.  Else: experiments/cmos_neuron/run.py --ratios
    assert standing == pytest.approx(ratio, rel=1e-3, abs=0)
