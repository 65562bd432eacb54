"""The guard over what is computed: what it lets pass between two machines, and what on one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "physics.py"


@pytest.fixture(scope="module")
def guard() -> ModuleType:
    spec = importlib.util.spec_from_file_location("physics_guard", TOOL)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def record(machine: str, text: str = "a", **numbers: Any) -> dict[str, Any]:
    """One command of NumPy and one of SPICE, with the same numbers and a netlist each."""
    entry = {"numbers": numbers, "netlists": {"job": text}}
    return {"machine": machine, "infer digits": entry, "full digits": entry}


ULP = {"energy_total_joule": 3e-12 * (1 + 2**-50), "rate": 0.4 * (1 + 2**-50)}
PLAIN = {"energy_total_joule": 3e-12, "rate": 0.4}


def test_one_machine_is_held_to_the_bit(guard: ModuleType) -> None:
    assert not list(guard.differences(record("one", **PLAIN), record("one", **PLAIN)))
    assert len(list(guard.differences(record("one", **PLAIN), record("one", **ULP)))) == 4


def test_another_machine_may_add_in_another_order(guard: ModuleType) -> None:
    assert not list(guard.differences(record("one", **PLAIN), record("two", **ULP)))
    unknown = record("one", **PLAIN)
    del unknown["machine"]
    assert not list(guard.differences(unknown, record("two", **ULP)))


@pytest.mark.parametrize(
    "changed", [{"rate": 0.4 * (1 + 1e-11) + 1e-11}, {"energy_total_joule": 3e-12 * (1 + 1e-11)}]
)
def test_another_machine_computes_nothing_else(guard: ModuleType, changed: dict[str, Any]) -> None:
    found = list(guard.differences(record("one", **PLAIN), record("two", **(PLAIN | changed))))
    assert len(found) == 2


@pytest.mark.parametrize("machine", ["one", "two"])
def test_a_spike_differs_nowhere(guard: ModuleType, machine: str) -> None:
    found = guard.differences(record("one", count=3), record(machine, text="b", count=4))
    assert len(list(found)) == 2


def test_spice_of_another_text_has_a_tolerance_of_its_own(guard: ModuleType) -> None:
    near = {"energy_total_joule": 3e-12 * (1 + 5e-7), "rate": 0.4 + 5e-5}
    found = list(guard.differences(record("one", **PLAIN), record("one", text="b", **near)))
    assert all(line.startswith("infer digits") for line in found)
    assert len(found) == 2


def test_the_record_says_on_what_machine_it_was_made(guard: ModuleType) -> None:
    here = guard.machine()
    assert here["blas"]
    assert here == guard.machine()
