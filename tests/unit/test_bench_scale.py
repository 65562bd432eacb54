"""From a bench to ResNet-18: sizes from the literature, sums by hand, and the page in step."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks.aims import aims
from benchmarks.fit import fit_power_law
from benchmarks.layer import square_jobs
from benchmarks.scale import (
    HOUR,
    IMAGES,
    LAYERS,
    RESNET18,
    Cost,
    WorkStage,
    bottleneck,
    stages,
)
from memspice.errors import ConfigError
from memspice.windows.reduced import DECK_OUTPUTS, deck_count
from tests.helpers import fidelity_of

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "experiments" / "bench"
#: Neurons of a tile of 128 columns.
GROUP = 64


def _law(exponent: float, factor: float, **more: Any) -> dict[str, Any]:
    ends = {"low": exponent - 0.5, "high": exponent + 0.5}
    return {"exponent": exponent, "factor": factor, **ends, "sizes": [16, 32, 64], **more}


def _run(engine: str, fidelity: str, size: int, cycles: int, seconds: float) -> dict[str, Any]:
    run = {"engine": engine, "fidelity": fidelity, "size": size, "cycles": cycles}
    return {**run, "status": "ok", "cpu_seconds": seconds}


def content() -> dict[str, Any]:
    """A bench with simple numbers: 10 ms a port matrix, 1 s a reduced layer, 1 Gflop/s."""
    point = {"contender": "memspice", "size": 128, "status": "ok", "cpu_seconds": 0.01}
    loop = {"status": "ok", "network": "n", "images": 2, "cpu_seconds": 1.0, "operations": 1e9}
    full = _law(3.0, 1e-3, engine="ngspice", fidelity="full", variable="size", cycles=1)
    growth = _law(1.1, 1.0, engine="ngspice", fidelity="full", variable="cycles", size=32)
    reduced = _law(1.0, 1e-2, engine="ngspice", fidelity="reduced", variable="size", cycles=16)
    return {
        "engines": {"ngspice": {}},
        "sections": {name: {"status": "ok"} for name in ("crossbar", "loop", "ladder")},
        "crossbar": {
            "points": [point],
            "exponents": {"memspice": {**_law(3.0, 1e-8), "sizes": [64, 128]}},
            "ratios": [],
        },
        "loop": [loop],
        "ladder": {
            "runs": [_run("ngspice", "reduced", 128, 16, 1.0)],
            "exponents": [full, growth, reduced],
            "ratios": [],
        },
    }


def test_network_has_the_size_that_is_published() -> None:
    """1.8e9 multiplications: He et al., arXiv 1512.03385, table 1. 11.7 million parameters.

    The latter is the count of torchvision's resnet18, 11,689,512, less 9,600 of its normalisation
    and the 1,000 biases of its last layer.
    """
    assert sum(layer.products for layer in RESNET18) == pytest.approx(1.8e9, rel=0.01)
    weights = sum(layer.number * (layer.rows - 1) * layer.outputs for layer in RESNET18)
    assert weights == 11_689_512 - 9_600 - 1_000
    assert LAYERS == 18 + 3  # three shortcuts


def test_tiles_groups_and_decks_are_counted_by_hand() -> None:
    conv5, fc = RESNET18[9], RESNET18[11]
    assert (conv5.name, fc.name) == ("conv5", "fc")
    # 512 x 9 + 1 rows, 1,024 columns, three times; 64 neurons a group.
    assert conv5.groups(128) == 3 * 8
    assert conv5.tiles(128) == 3 * 37 * 8
    assert conv5.decks(128) == 3 * 8 * GROUP // DECK_OUTPUTS
    assert conv5.decks(256) == conv5.decks(128)
    # 1,000 neurons in 16 groups of 62 or 63, each of 16 decks of 3 or 4.
    assert fc.decks(128) == 16 * deck_count(63) == 16 * deck_count(62) == 256


@pytest.mark.parametrize("size", [4, 16, 128])
def test_piece_of_a_measured_layer_is_one_of_its_decks(size: int) -> None:
    """The time of a run is that of all its jobs, so it has as many pieces."""
    jobs = square_jobs(size, 1, fidelity_of("reduced"))
    assert len(jobs) == deck_count(size // 2)
    assert max(len(job.outputs) for job in jobs) <= DECK_OUTPUTS


def test_stages_are_sums_of_what_was_measured() -> None:
    ports, loop, reduced, full = stages(content())
    tiles = sum(layer.tiles(128) for layer in RESNET18)
    assert (ports.pieces, ports.interval) == (tiles, None)
    assert ports.hours == pytest.approx(tiles * 0.01 / HOUR)
    products = RESNET18[0].products + 16 * sum(layer.products for layer in RESNET18[1:])
    assert loop.hours == pytest.approx(IMAGES * 2 * products / 1e9 / HOUR)
    # Reduced: 1 s for a group of 64 neurons, hence 4 / 64 s for a deck of four.
    decks = sum(layer.decks(128) for layer in RESNET18)
    assert reduced.pieces == -(-1000 * decks // 21)
    assert reduced.cost.seconds == pytest.approx(DECK_OUTPUTS / GROUP)
    assert reduced.cost.basis == "measured at 128 x 128, 16 cycles, a deck of 16"
    # Full: 1 s at 10 x 10 by the law, hence 128^3 / 1000 s a tile and cycle.
    groups = sum(layer.groups(128) for layer in RESNET18)
    assert full.pieces == -(-10 * groups // 21)
    assert full.cost.seconds == pytest.approx(16**1.1 * tiles / groups * 1e-3 * 128**3)
    assert full.cost.basis.startswith("scaled from 64 to 128 by N^3.00, 21.1 times for 16 cycles")


def test_cycles_that_were_measured_are_not_scaled() -> None:
    """A law of layers through all cycles is taken before one of a single cycle."""
    measured = content()
    for law in measured["ladder"]["exponents"]:
        if law["variable"] == "size":
            law["cycles"] = 16
    tiles = sum(layer.tiles(128) for layer in RESNET18)
    groups = sum(layer.groups(128) for layer in RESNET18)
    full = stages(measured)[-1]
    assert full.cost.seconds == pytest.approx(tiles / groups * 1e-3 * 128**3)
    assert "cycles" not in full.cost.basis


def test_interval_of_the_exponent_becomes_one_of_the_hours() -> None:
    full = stages(content())[-1]
    assert full.interval is not None
    low, high = full.interval
    # From 64 to 128, twice the size: half a power up or down.
    assert high / full.hours == pytest.approx(2**0.5)
    assert full.hours / low == pytest.approx(2**0.5)


def test_larger_tiles_are_scaled_and_fewer() -> None:
    small, large = stages(content()), stages(content(), side=256)
    assert large[0].pieces < small[0].pieces
    assert large[0].cost.seconds == pytest.approx(1e-8 * 256**3)
    assert "scaled from 128 to 256" in large[0].cost.basis
    # A reduced layer grows with the number of its decks: each is as it was.
    assert large[2].cost.seconds == pytest.approx(1e-2 * 256 / deck_count(128))


def test_law_of_two_sizes_scales_without_an_interval() -> None:
    two = content()
    two["crossbar"]["exponents"]["memspice"] = fit_power_law([64, 128], [1.0, 8.0]).as_json()
    ports = stages(two, side=256)[0]
    assert ports.cost.seconds == pytest.approx(64.0)
    assert ports.interval is None


def test_processors_share_whole_pieces_only() -> None:
    stage = WorkStage("s", 3, Cost(HOUR, None, None, ""))
    assert stage.hours_on(1) == stage.hours == 3
    assert stage.hours_on(2) == 2
    assert stage.hours_on(100) == 1
    longer = WorkStage("l", 3, Cost(2 * HOUR, None, None, ""))
    assert bottleneck([stage, longer]) is longer


def _without_loop(bench: dict[str, Any]) -> None:
    bench["loop"] = [{"status": "stopped", "reason": "late"}]


def _without_law(variable: str) -> Any:
    def remove(bench: dict[str, Any]) -> None:
        laws = bench["ladder"]["exponents"]
        bench["ladder"]["exponents"] = [law for law in laws if law["variable"] != variable]

    return remove


def _without_ladder(bench: dict[str, Any]) -> None:
    del bench["sections"]["ladder"]  # stopped on its way: its first runs may be there


def _with_failed_crossbar(bench: dict[str, Any]) -> None:
    bench["sections"]["crossbar"] = {"status": "failed", "reason": "no space left"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_without_loop, "no run of the network loop"),
        (_without_law("size"), "no exponent for full runs on ngspice"),
        (_without_law("cycles"), "no exponent with cycles for full runs on ngspice"),
        (_without_ladder, "no whole section ladder"),
        (_with_failed_crossbar, "no whole section crossbar"),
    ],
)
def test_what_was_not_measured_is_not_extrapolated(change: Any, words: str) -> None:
    unmeasured = content()
    change(unmeasured)
    with pytest.raises(ConfigError, match=f"the bench has {words}: run make bench again"):
        stages(unmeasured)


def test_aims_of_a_bench_are_judged_by_their_own_numbers() -> None:
    measured = content()
    measured["crossbar"]["ratios"] = [{"peer": "badcrossbar", "size": 256, "ratio": 14.0}]
    key = ["ngspice", "full", 64, 1], ["ngspice", "reduced", 64, 16]
    ratio = {"slow": key[0], "fast": key[1], "ratio": 300.0, "scaled": True}
    measured["ladder"]["ratios"] = [ratio]
    measured["loop"][0]["share"] = 0.5
    measured["workers"] = {"speedup": 1.5, "machine_speedup": 1.6}
    found = {aim["what"]: aim for aim in aims(measured)}
    assert found["port matrix 128 x 128"]["reached"]
    assert not found["badcrossbar over memspice, 256 x 256"]["reached"]
    full = found["full over reduced, ngspice, 64 x 64, 16 cycles"]
    assert full["reached"]
    assert full["basis"] == "processor, scaled"
    assert found["128 x 128, 64 neurons, 16 cycles, reduced on ngspice"]["value"] == 1.0
    assert not found["network loop, share of products at the machine's rate"]["reached"]
    assert not found["two workers over one"]["reached"]
    shared = found["the same, over what two processes of arithmetic gain"]
    assert shared["value"] == pytest.approx(2 * 1.5 / 1.6)
    assert shared["reached"]
    # A section that is not there is not judged.
    assert aims({"workers": measured["workers"]}) == [found["two workers over one"], shared]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The experiment, which is a script and no module."""
    spec = importlib.util.spec_from_file_location("bench_run", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_table_names_every_stage_of_every_side(script: ModuleType) -> None:
    text = script.scale_text(content())
    assert text.count("tiles of ") == len(script.SIDES)
    assert text.count("1,000 reduced windows, ngspice ") == len(script.SIDES)
    row = next(line for line in text.splitlines() if "reduced windows" in line)
    reduced = stages(content())[2]
    assert row.split()[-5:] == [
        "62.5",
        "ms",
        *(f"{hours:.3g}" for hours in (reduced.hours, reduced.hours_on(2), reduced.hours_on(64))),
    ]
    low, high = stages(content())[3].interval or (0.0, 0.0)
    assert f"    95 %: {low:.3g} to {high:.3g} h" in text


def test_page_is_in_step_with_the_committed_bench(script: ModuleType) -> None:
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    text = page
    for name, table in script.tables(committed()).items():
        text = sys.modules["readme"].replaced(text, name, table)
    assert text == page
    assert max(map(len, page.splitlines())) <= 120


def committed() -> dict[str, Any]:
    """The bench that ``python -m benchmarks --out experiments/bench`` left."""
    return dict(json.loads((FOLDER / "bench.json").read_text(encoding="utf-8")))


def test_committed_bench_is_complete_and_judged_by_todays_rules() -> None:
    stored = committed()
    assert (stored["plan"], stored["finished"]) == ("full", True)
    assert all(record["status"] == "ok" for record in stored["sections"].values())
    assert stored["aims"] == aims(stored)
    assert stored["workers"]["identical"]
    assert stored["ladder"]["ratios"]
    assert all(ratio["worst_margin"] < 0.01 for ratio in stored["ladder"]["ratios"])
    # Equal accuracy: every ratio of a linear crossbar is between results within 1e-9.
    linear = [item for item in stored["crossbar"]["ratios"] if "sinh" not in item["peer"]]
    assert linear
    assert all(item["difference"] < 1e-9 for item in linear)
