"""Surfaces that come with memspice: whose they are, and whose not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.surfaces import shipped_stages
from memspice.analysis.sense_surface import SenseConditions
from memspice.analysis.shipped_surfaces import (
    origin,
    shipped_surface,
    surface_path,
    surface_text,
)
from memspice.analysis.surface_limits import MOST_ERROR
from memspice.circuits.library import Library
from memspice.circuits.sense_bench import ClockedStage
from memspice.circuits.timing import Pulse
from memspice.errors import ConfigError

STAGES = {stage.subcircuit: (stage, conditions) for stage, conditions in shipped_stages()}
Case = tuple[ClockedStage, SenseConditions]


def edited(stage: ClockedStage, old: str, new: str) -> ClockedStage:
    library = stage.library
    assert library is not None
    assert old in library.text
    return replace(
        stage, library=Library(library.origin, library.text.replace(old, new), library.cards)
    )


@pytest.mark.parametrize("name", STAGES)
def test_stages_of_the_periphery_need_no_simulation(name: str) -> None:
    stage, conditions = STAGES[name]
    surface = shipped_surface(stage, conditions)
    assert surface is not None, "make surfaces"
    assert surface.error.drive_worst < MOST_ERROR * abs(conditions.voltage_scale)
    middle = np.full(2, surface.axes.middle)
    assert 0 < surface.drive_voltage(middle, np.full(2, surface.conductance)) < 1


@pytest.mark.parametrize("name", STAGES)
def test_what_differs_in_anything_is_not_served(name: str) -> None:
    stage, conditions = STAGES[name]
    corner = replace(stage.library, cards=stage.library.cards[:-1])  # type: ignore[union-attr,type-var]
    others: list[Case] = [
        (edited(stage, "w=500n", "w=501n"), conditions),
        (replace(stage, library=corner), conditions),
        (replace(stage, supplies={**stage.supplies, "vtail": 0.586}), conditions),
        (replace(stage, clocks={**stage.clocks, "sample": stage.clocks["zero"]}), conditions),
        (replace(stage, load=(1e9, 4e-15)), conditions),
        (replace(stage, pulses=stage.pulses + 1), conditions),
        (replace(stage, temperature=358.15), conditions),
        (replace(stage, library=None), conditions),
        (replace(stage, subcircuit="own"), conditions),
        (stage, replace(conditions, cycle=1.01 * conditions.cycle)),
        (stage, replace(conditions, write=Pulse(30e-9, 130e-9, 1e-9))),
        (stage, replace(conditions, voltage_scale=conditions.voltage_scale / 16)),
        (stage, replace(conditions, pair=conditions.pair + 0.1)),
    ]
    for case in others:
        assert shipped_surface(*case) is None
    # where the file came from is no part of the circuit
    moved = replace(stage, library=replace(stage.library, origin="elsewhere"))  # type: ignore[type-var]
    assert shipped_surface(moved, conditions) is not None


def test_another_device_has_the_surface_of_drives_that_stay_where_they_are() -> None:
    """Eight writes of a burst see one drive; that of the copier falls by up to 80 mV."""
    found = {}
    for name, (stage, conditions) in STAGES.items():
        steeper = replace(conditions, voltage_scale=conditions.voltage_scale / 1.3)
        found[name] = shipped_surface(stage, steeper) is not None
    assert found == {"sense_burst_driven": True, "sense_copier_driven": False}
    stage, conditions = STAGES["sense_burst_driven"]
    with pytest.raises(ConfigError, match=r"differs by 1.45 mV .* 1.2 mV are allowed"):
        shipped_surface(stage, replace(conditions, voltage_scale=-0.06))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_what_a_slope_makes_of_a_drive_that_falls(share: float) -> None:
    """The worst shape stands on two levels; the mean by the law is within the bound of the file."""

    def weighted(scale: float) -> float:
        shares = np.array([share, 1 - share])
        return float(scale * np.log(shares @ np.exp(np.array([0.0, 0.01]) / scale)))

    assert abs(weighted(0.06) - weighted(0.2)) <= 0.01**2 / 8 * (1 / 0.06 - 1 / 0.2)


@pytest.mark.parametrize("name", STAGES)
def test_a_file_says_all_of_its_surface(name: str) -> None:
    stage, conditions = STAGES[name]
    surface = shipped_surface(stage, conditions)
    assert surface is not None
    text = surface_path(stage).read_text(encoding="utf-8")
    stored = json.loads(text)
    assert stored["of"] == origin(stage, conditions)
    assert surface_text(stage, conditions, surface, stored["engine"]) == text
