"""The CMOS counterpart: operations counted by hand, scopes kept apart."""

from __future__ import annotations

import pytest

from memspice.analysis.cmos import (
    SCOPE_COMPONENTS,
    SCOPES,
    CmosOperations,
    Workload,
    cmos_energy,
    memristive_energy,
)
from memspice.circuits.energy_model import COMPONENTS
from memspice.parameters import load_sourced

OPERATIONS = CmosOperations(
    add=1e-12, multiply=10e-12, random_draw=100e-12, lookup=1e-9, weight_fetch=10e-9
)


def test_scopes_by_hand() -> None:
    found = cmos_energy(OPERATIONS, Workload(events=2, synaptic_adds=3, products=5))
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


def test_published_constants() -> None:
    sourced = load_sourced("cmos-45nm", "cmos", CmosOperations)
    # Horowitz, ISSCC 2014: 16 bit integer add 0.05 pJ, 8 bit integer multiply 0.2 pJ.
    assert sourced.values.add == pytest.approx(0.05e-12, rel=1e-9, abs=0)
    assert sourced.values.multiply == pytest.approx(0.2e-12, rel=1e-9, abs=0)
    assert {item.name for item in sourced.provenance} == set(CmosOperations.model_fields)
    assert all(item.source for item in sourced.provenance)
