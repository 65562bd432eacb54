"""Figures of merit: by a layer counted by hand, bounds, monotonicity; texts agree with numbers."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

import memspice as ms
from memspice.analysis.macros import published_macros
from memspice.analysis.merit import (
    COUNTS,
    LAYOUTS,
    PARTS,
    AreaRule,
    LayerArea,
    layouts,
    synaptic_operations,
)
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.silicon import Silicon, package_silicon
from memspice.circuits.stage_table import read_sense
from memspice.experiment.merit import layer_area, load_area_rule
from memspice.experiment.results.merit import Merit
from memspice.quantities import format_si
from memspice.report.html import write_report
from memspice.resources import resource_path
from tests.models import MODELS
from tests.paper_helpers import script

ROOT = Path(__file__).parents[2]
RULE = AreaRule(
    cell_width=100e-9,
    cell_height=100e-9,
    layout_factor=10.0,
    capacitor_density=2e-3,
    electrode_group=64.0,
)
ONE = LayerArea(4, dict.fromkeys(PARTS, 1e-12), 2e-6)
TWO = LayerArea(1, dict.fromkeys(PARTS, 3e-12), 1e-6)


def merit(energy: float = 1e-9, left_out: float = 1e-10) -> Merit:
    # 3 inputs, 2 outputs, 4 positions, 8 pulses, a quarter of the rows active.
    operations = synaptic_operations(macs=24, adds=48, products=0, cycles=8)
    return Merit(operations, energy, left_out, layouts([ONE, TWO], 5e-6), ())


def test_operations_of_a_layer_counted_by_hand() -> None:
    assert merit().operations == {"pulses": 192, "active": 48, "network": 24}
    assert synaptic_operations(24, 40, 2, 8)["active"] == 40 + 16
    # 1 nJ over 192: 5.2 pJ; 384 operations in a nanojoule are 0.384 TOPS/W.
    assert merit().joule_per_operation["pulses"] == pytest.approx(1e-9 / 192)
    assert merit().tops_per_watt["pulses"] == pytest.approx(0.384)


def test_the_two_forms_of_an_energy_agree() -> None:
    found = merit()
    for name in COUNTS:
        # 2 operations a synaptic one: TOPS/W = 2 / (pJ each)
        each = found.joule_per_operation[name] / 1e-12
        assert found.tops_per_watt[name] * each == pytest.approx(2.0)


def test_counts_are_ordered_and_what_is_left_out_only_lowers() -> None:
    found = merit()
    assert found.tops_per_watt["network"] < found.tops_per_watt["active"]
    assert found.tops_per_watt["active"] < found.tops_per_watt["pulses"]
    assert all(found.with_left_out[name] < found.tops_per_watt[name] for name in COUNTS)
    assert merit(left_out=0.0).with_left_out == merit().tops_per_watt
    assert merit(energy=2e-9).tops_per_watt["pulses"] < found.tops_per_watt["pulses"]


def test_copies_of_crossbars_buy_time_with_area() -> None:
    own, shared = (merit().layouts[name] for name in LAYOUTS)
    assert own.total_area == pytest.approx(len(PARTS) * (4e-12 + 3e-12))
    assert shared.total_area == pytest.approx(len(PARTS) * (1e-12 + 3e-12))
    assert (own.latency, own.interval) == (5e-6, 2e-6)
    assert (shared.latency, shared.interval) == pytest.approx((9e-6, 8e-6))
    # No layer has more than four positions, so neither grows by more.
    assert 1 < own.total_area / shared.total_area < 4 == own.throughput / shared.throughput


def test_one_position_a_layer_is_one_layout() -> None:
    found = layouts([TWO, TWO], 2e-6)
    assert found["position"] == found["layer"]


def test_rule_of_areas_by_hand() -> None:
    assert RULE.cells(100) == pytest.approx(1e-12)
    assert RULE.circuit(Silicon(1e-12, 20e-15)) == pytest.approx(10e-12 + 10e-12)


def test_area_of_a_layer_is_that_of_its_circuits() -> None:
    chip = ms.Chip("digits-mlp", MODELS)
    layer = chip.mapped.layer("dense1")
    area = layer_area(RULE, layer, burst=1)
    rows, outputs = 65, 32  # 64 pixels and a bias, 32 neurons
    assert area["cells"] == pytest.approx(rows * 2 * outputs * 1e-14)
    assert area["drivers"] == pytest.approx(rows * 10 * package_silicon("row_driver").gate)
    stage = package_silicon("sense_copier_driven")
    assert area["stages"] == pytest.approx(outputs * RULE.circuit(stage))
    last = layer_area(RULE, chip.mapped.layers[-1], burst=1)
    assert last["neurons"] == 0.0 < area["neurons"]
    narrow = ms.Chip("digits-mlp", MODELS, tile=(33, 64)).mapped.layer("dense1")
    assert layer_area(RULE, narrow, burst=1)["stages"] == pytest.approx(2 * area["stages"])


def test_constants_have_labels_and_sources() -> None:
    rule = load_area_rule()
    assert {item.name for item in rule.provenance} == set(AreaRule.model_fields)
    assert all(item.label in "SRDA" and item.source for item in rule.provenance)
    assert rule.values.layout_factor == pytest.approx(0.532 / (0.05 * (0.415 + 0.63)), rel=0.01)


def test_macros_say_what_they_are() -> None:
    macros = published_macros()
    assert len(macros) >= 5
    for macro in macros:
        low, high = macro.tops_per_watt
        assert 0 < low <= high
        assert macro.label in "SR"
        assert macro.source
        assert macro.includes
        assert macro.how
    assert {macro.label for macro in macros} == {"S", "R"}


def test_committed_figures_are_of_the_committed_counts() -> None:
    text = (ROOT / "experiments" / "cifar_energy" / "summary.json").read_text(encoding="utf-8")
    summary, experiment = json.loads(text), script("cifar_energy")
    found = experiment.with_merit(summary)
    for key in experiment.loaded(summary).merit.as_json().keys() - {"area_constants"}:
        assert flat(summary[key]) == pytest.approx(flat(found[key])), key
    assert found["area_constants"] == summary["area_constants"]
    answer = summary["layout_latency_seconds"]["position"]
    assert answer == pytest.approx(summary["latency_seconds"])


def flat(values: dict[str, Any]) -> list[float]:
    each = (item if isinstance(item, dict) else {"": item} for item in values.values())
    return [number for item in each for number in item.values()]


def test_summary_terminal_readme_and_page_agree(tmp_path: Path) -> None:
    text = (ROOT / "experiments" / "cifar_energy" / "summary.json").read_text(encoding="utf-8")
    summary = json.loads(text)
    result = ms.results.cosim_from_summary(
        {**summary, "dataset": {**summary["dataset"], "source": ""}}
    )
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(line.rstrip() in readme for line in repr(result.merit).splitlines())
    write_report(tmp_path / "report.html", {**summary, "dataset": result.as_json()["dataset"]}, [])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for name in COUNTS:
        joule = format_si(summary["joule_per_operation"][name], "J")
        assert f"{summary['tops_per_watt'][name]:.3g} TOPS/W" in readme
        assert f"<strong>{summary['tops_per_watt'][name]:.3g}</strong>" in page
        assert joule in readme
        assert joule.replace(" ", "\u00a0") in page
    for name in LAYOUTS:
        area = f"{1e6 * summary['area_m2'][name]['total']:.3g}"
        assert f"{area} mm2" in readme
        assert f"<strong>{area}</strong>" in page
    assert all(macro.name in page for macro in published_macros())


def test_power_is_energy_over_the_interval() -> None:
    found = merit(energy=4e-9)
    assert found.power["position"] == pytest.approx(4e-9 / 2e-6)


def test_stages_of_transistors_count_as_many_as_there_are() -> None:
    path = resource_path("freepdk45", "sense_copier.toml")
    table = tomllib.loads(path.read_text(encoding="utf-8"))["sense"]
    one, nine = (
        read_sense(table, path).sized(SenseNeeds(3e5, 1e-5, (line, line), 3e-8, "own", "a test"))
        for line in (140e-6, 9 * 140e-6)
    )
    single = package_silicon("sense_copier_driven")
    assert one.silicon(1, 1).gate == pytest.approx(single.gate)
    # Tiles are in their number already.
    assert nine.silicon(1, 9).gate == pytest.approx(nine.multiplicity * single.gate)
    assert nine.multiplicity >= 9
