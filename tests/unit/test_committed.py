"""What is committed says one thing: results of the experiments, page, and lines of the README."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

import memspice as ms
from memspice.analysis.cmos import OPPONENTS, CmosOperations, Workload, opponent_parts
from memspice.cli.cosim import cosim_command
from memspice.cli.options import parse_changes
from memspice.network.architecture import Architecture
from memspice.network.weights import load_network, weight_shapes
from memspice.parameters import load_table
from memspice.resources import resource_path
from memspice.windows.agreement import CLOSURE_LIMIT
from tests.paper_helpers import ROOT, script

# Found by paper_helpers in experiments/: scripts, not a package.
import energy_run  # isort: skip
from page import write_page  # isort: skip
from readme import replaced  # isort: skip
from rows import QUESTIONS, read_results, rows  # isort: skip

EXPERIMENTS = ROOT / "experiments"
#: What two engines may differ by, [1]: as much as issue and page ask for.
ENGINES_APART = 5e-3
README = (ROOT / "README.md").read_text(encoding="utf-8")


def result(path: str) -> Any:
    return json.loads((EXPERIMENTS / path).read_text(encoding="utf-8"))


def test_the_page_is_that_of_the_results(tmp_path: Path) -> None:
    for name in QUESTIONS:  # links of the page lead from folder to folder
        (tmp_path / name).symlink_to(EXPERIMENTS / name)
    found = write_page(tmp_path, tmp_path / "paper", read_results(EXPERIMENTS))
    for name in ("page.html", "page.md"):
        made = (tmp_path / "paper" / name).read_text(encoding="utf-8")
        assert made == (EXPERIMENTS / "paper" / name).read_text(encoding="utf-8")
    assert all(cell for row in found for cell in vars(row).values())


def shown(name: str) -> str:
    """What the script of a block of the README makes of its committed result."""
    if name == "paper":
        table: str = script("paper").verdict_table(rows(read_results(EXPERIMENTS)))
    elif name == "cifar-accuracy":
        experiment = script("cifar_accuracy")
        table = experiment.accuracy_table(experiment.committed())
    elif name == "bursts":
        table = script("bursts").table(result("bursts/result.json"))
    else:
        table = script("cifar_energy").energy_text(result("cifar_energy/summary.json"))
    return table


@pytest.mark.parametrize("name", ["paper", "cifar-accuracy", "cifar-energy", "bursts"])
def test_the_readme_shows_the_results(name: str) -> None:
    assert replaced(README, name, shown(name)) == README


def test_the_readme_speaks_of_the_results() -> None:
    text = " ".join(README.split())
    accuracy = result("cifar_accuracy/cifar10-cnn.json")
    missed = accuracy["ann_accuracy"]["value"] - accuracy["snn_accuracy"]["value"] - 0.01
    assert f"1 % is missed by {('no', 'one', 'two', 'three')[round(100 * missed)]} points" in text
    conversion = result("conversion/result.json")
    for point, ideal in zip(*(conversion["curves"][n] for n in ("real", "ideal")), strict=True):
        if point["cycles"] in (8, 16, 32):
            lost = [f"{100 * each['loss']['value']:.1f}" for each in (ideal, point)]
            assert f"{lost[0]} against {lost[1]} points at {point['cycles']}" in text
    assert (
        "the paper's 1 % within the interval ({:.2f} to {:.2f})".format(
            *(100 * conversion["curves"]["real"][-1]["loss"][end] for end in ("low", "high"))
        )
        in text
    )
    assert f"On {conversion['images']:,} images and {conversion['chips']} chips" in text
    trained = []
    for label in ("cifar10-cnn-28-posthoc", "cifar10-cnn-28-spikes"):
        item = next(item for item in conversion["beside"] if item["label"] == label)
        ann, snn = item["ann_accuracy"]["value"], item["curve"][-1]["accuracy"]
        trained.append((f"{100 * ann:.0f} %", f"{100 * snn:.0f} %"))
    (ann, snn), (other_ann, other_snn) = trained
    assert f"falls from {ann} as an ANN to {snn} as an SNN" in text
    assert f"one trained with them from {other_ann} to {other_snn}" in text
    assert_the_readme_speaks_of_bursts(text)
    assert_the_readme_prices_the_digital_side(text)
    summary = result("cifar_energy/summary.json")
    assert summary["assumed_fraction"] == 0
    assert "**None of these joules is assumed**" in text
    assert f"The device is a {summary['device_source']} that nobody built" in text
    assert_the_readme_names_the_hardest_opponents(text, summary)
    uses = load_table("cmos-45nm", "cmos", CmosOperations).values.weight_reuse
    assert f"a fetched weight serves {uses:g} uses" in text


def assert_the_readme_prices_the_digital_side(text: str) -> None:
    """Neuron and additions of both processes, beside what is published."""
    cmos = result("cmos_neuron/result.json")
    published = load_table("cmos-45nm", "cmos", CmosOperations).values.add_8bit
    reference, same = (cmos["circuits"][n] for n in ("reference", "transistors of FreePDK45"))
    assert reference["transistors"] == same["transistors"]
    assert f"{same['transistors']:,} BSIM4 transistors" in text
    adders = [cmos["adders"][process][0]["energy_joule"] for process in ("freepdk45", "ptm")]
    joules = [same["energy_total_joule"], reference["energy_total_joule"], *adders, published]
    decision, other, own, ptm, quoted = (f"{1e15 * joule:.0f}" for joule in joules)
    assert f"takes {decision} fJ a decision of the same 45 nm cards and {other} fJ of PTM's" in text
    assert f"an addition of 8 bit {own} and {ptm} fJ, where {quoted} are published" in text


def test_tables_of_the_digital_side_are_what_was_simulated() -> None:
    for name, written in script("cmos_neuron").tables(result("cmos_neuron/result.json")).items():
        assert resource_path(f"{name}.toml").read_text(encoding="utf-8") == written


def assert_the_readme_speaks_of_bursts(text: str) -> None:
    """What bursts buy is said with what the network learned, and what it loses at each K."""
    found = result("bursts/result.json")
    points = {(p["burst"], p["cycles"]): p for p in found["points"] if p["share"] == 1}
    joules = {place: 1e6 * p["energy_joule"]["value"] for place, p in points.items()}
    assert f"takes {100 * joules[8, 8] / joules[1, 8] - 100:.0f} % more joules at T = 8" in text
    short, long = (points[place]["accuracy"]["value"] for place in ((4, 4), (1, 16)))
    assert short > long
    assert f"({100 * short:.1f} against {100 * long:.1f} %)" in text
    assert f"at {joules[4, 4]:.1f} uJ in the place of {joules[1, 16]:.1f}" in text
    assert f"the same inference takes {joules[8, 8]:.1f} uJ without converters" in text
    lost = {}
    for burst in (8, 16, 32):
        whole = result(f"cifar_accuracy/{found['network']}-burst-{burst}.json")
        assert (whole["cycles"], whole["burst"]) == (burst, burst)
        lost[burst] = 100 * (whole["ann_accuracy"]["value"] - whole["snn_accuracy"]["value"])
    assert f"loses {lost[8]:.2f} points at T = K = 8, {lost[16]:.2f} at 16" in text
    assert f"and {lost[32]:.2f} at 32" in text


def assert_the_readme_names_the_hardest_opponents(text: str, summary: dict[str, Any]) -> None:
    """A smaller network as right without spikes, in CMOS, and the same one on the crossbars."""
    other = result("cifar_accuracy/cifar10-cnn.json")
    own = result(f"cifar_accuracy/{summary['network']}-burst-{summary['burst']}.json")
    ann, snn = other["ann_accuracy"], own["snn_accuracy"]
    assert ann["low"] < snn["value"] < ann["high"]  # "as right as the spikes"
    small, large = (load_network(each["network"]).architecture for each in (other, summary))
    assert products(small) / products(large) == pytest.approx(1 / 2, abs=0.05)
    assert f"that of `{other['network']}`, {100 * ann['value']:.1f} % with half" in text
    total = 1e6 * summary["energy_total_joule"]["value"]
    joules = f"takes {1e6 * one_pass(small):.1f} uJ at scope system in 8 bit by published energies"
    assert f"{joules}, where the spikes take {total:.1f} uJ" in text
    analogue = result("cmos_neuron/result.json")["analogue_network_joule"]
    dear, cheap = (1e6 * sum(analogue[name].values()) for name in ("converters", "alternative"))
    assert cheap < total < dear
    assert f"takes {dear:.1f} or {cheap:.1f} uJ by two published" in text


def products(architecture: Architecture) -> int:
    """Multiplications of one inference."""
    sums = [math.prod(step.output_shape) for step in architecture.shapes()]
    return sum(
        count * fan_in for count, (_, fan_in) in zip(sums, weight_shapes(architecture), strict=True)
    )


def one_pass(architecture: Architecture) -> float:
    """Joules of the artificial network in 8 bit CMOS, memory included."""
    sums = [math.prod(step.output_shape) for step in architecture.shapes()]
    work = Workload(0.0, 0.0, 0.0, float(sum(sums[:-1])), float(products(architecture)))
    prices = load_table("cmos-45nm", "cmos", CmosOperations).values
    return sum(opponent_parts(OPPONENTS["ann_8bit"], prices, work, 0.0).values())


def test_both_experiments_on_accuracy_agree() -> None:
    """One chip on the whole test set loses what two thousand images on eight chips say."""
    conversion = result("conversion/result.json")
    for point in conversion["curves"]["real"]:
        burst = f"-burst-{point['cycles']}" if point["cycles"] > 1 else ""
        whole = result(f"cifar_accuracy/{conversion['network']}{burst}.json")
        assert (whole["cycles"], whole["burst"]) == (point["cycles"], point["cycles"])
        lost = whole["ann_accuracy"]["value"] - whole["snn_accuracy"]["value"]
        half = (point["loss"]["high"] - point["loss"]["low"]) / 2  # 1.96 sigma; three are allowed
        assert abs(lost - point["loss"]["value"]) < 3 / 1.96 * half


def test_both_experiments_on_energy_agree() -> None:
    """The same windows, images and network: the same numbers."""
    summary = result("cifar_energy/summary.json")
    memristor = result("energy_ratio/result.json")["devices"][0]
    common = memristor.keys() & summary.keys()
    assert {"ratio", "energy_per_inference_joule", "spice", "memristive_ci95"} <= common
    assert {"energy_total_joule", "assumed_fraction", "device_source", "workload"} <= common
    for found in (memristor, summary):
        assert found["spice"].pop("wall_seconds") > 0  # whoever simulated a window
    assert {key: memristor[key] for key in common} == {key: summary[key] for key in common}


def test_the_second_engine_ran_the_windows_that_the_energies_rest_on() -> None:
    """Layer by layer as many events, and on ngspice the closure to the last digit."""
    found, summary = result("two_engines/result.json"), result("cifar_energy/summary.json")
    for name in ("network", "device", "cycles", "burst"):
        assert found[name] == summary[name]
    assert found["images"] == summary["dataset"]["images"]
    assert found["engines"]["ngspice"] == summary["engine"]["version"]
    decks = sum(item["decks"] for item in found["layers"])
    assert decks == found["decks"] == found["of"]
    for name, layer in summary["spice"]["layers"].items():
        own = [item for item in found["layers"] if item["layer"] == name]
        assert "reduced" in [item["fidelity"] for item in own]
        assert sum(item["events"] for item in own) == layer["events"]
        closure = max(item["closure"]["ngspice"] for item in own)
        assert closure == pytest.approx(layer["closure_max"], rel=1e-9)
    whole = [item["decks"] for item in found["layers"] if item["fidelity"] == "full"]
    assert sum(whole) == summary["spice"]["full_windows"]


def test_joules_do_not_hang_on_the_engine() -> None:
    """Of each layer, of all, of every deck, and of what is a hundredth of a deck: within 0.5 %."""
    found, experiment = result("two_engines/result.json"), script("two_engines")
    layers = found["layers"]
    for some in ([item] for item in layers):
        assert abs(experiment.deviation(some)) < ENGINES_APART
    assert abs(experiment.deviation(layers)) < ENGINES_APART
    for item in layers:
        assert abs(item["deck_deviation"]) < ENGINES_APART
        assert abs(item["component_deviation"]) < ENGINES_APART
        assert item["hazard_deviation"] < ENGINES_APART
        # A spike differs where its hazard integral and its draw are as near as that, or not at all.
        assert item["worst_margin"] <= item["hazard_deviation"]
        assert max(item["closure"].values()) < CLOSURE_LIMIT
        assert item["doubts"] == dict.fromkeys(found["engines"], [])
    page = (ROOT / "docs/periphery.md").read_text(encoding="utf-8")
    assert replaced(page, "two-engines", experiment.table(found)) == page
    own = max(abs(experiment.deviation([item])) for item in layers)
    part = max(abs(item["component_deviation"]) for item in layers)
    differ = sum(item["mismatches"] for item in layers)
    events = sum(item["events"] for item in layers)
    assert (
        f"On a second simulator, VACASK, all {found['of']} decks take the same joules within "
        f"{rounded_up(own)} % layer by layer and {rounded_up(part)} % component by component, and "
        f"{differ} of {events:,} events end differently (`make two-engines`)"
    ) in " ".join(README.split())


def rounded_up(share: float) -> str:
    """Percent with two digits, not below what they stand for."""
    return f"{math.ceil(1e4 * share) / 100:.2f}"


def test_make_runs_what_the_experiments_on_energy_run() -> None:
    target = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"^CIFAR_ENERGY := (.*)$", target, re.MULTILINE)
    asked = cosim_command.make_context("cosim", line.split()[1:]).params
    assert (asked["network"], asked["device"]) == (energy_run.NETWORK, energy_run.DEVICE)
    device = ms.load_device(asked["device"], asked["periphery"])
    assert asked["burst"] is None
    burst = device.parameters.sense.usual_burst(asked["cycles"])
    size = {"cycles": asked["cycles"], "burst": burst}
    assert size == energy_run.SIZE
    assert device.periphery == energy_run.PERIPHERY
    assert parse_changes(asked["changes"]) == energy_run.ANSWER
    summary = result("cifar_energy/summary.json")
    assert {name: summary[name] for name in size} == size
    assert (summary["network"], summary["device"]) == (energy_run.NETWORK, energy_run.DEVICE)
    assert any(note.startswith(f"periphery {energy_run.PERIPHERY}") for note in summary["notes"])
