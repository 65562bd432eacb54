"""Many points in one table: the numbers of single runs, whatever fails or stops in between."""

from __future__ import annotations

import csv
import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import memspice as ms
from memspice.cli.sweep import parse_vary
from memspice.engines.base import Cancelled
from memspice.errors import ConfigError, DataError, IncompleteResults, StoreError
from memspice.experiment.sweep_points import points_of, read_points
from memspice.jobs import run_jobs
from memspice.jobs import scheduler as scheduler_module
from memspice.plot.sweep_figures import sweep_figure
from memspice.store import read_run
from tests.cli_helpers import DIGITS, call
from tests.helpers import ngspice
from tests.kill_helpers import MEMSPICE, ROOT
from tests.models import MODELS

#: Points of the whole network that take a few hundredths of a second each.
GRID: dict[str, list[Any]] = {"wire_resistance": [1.0, 200.0], "seed": [0, 1, 2]}
IMAGES = 12


def small(vary: Any = GRID, **values: Any) -> ms.results.SweepResult:
    return ms.sweep(vary, device=MODELS, images=IMAGES, cycles=2, **values)


@pytest.fixture(scope="module")
def found() -> ms.results.SweepResult:
    return small()


# --- what is varied ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("seed=0..3", [0, 1, 2, 3]),
        ("wire-resistance=1,5.5,2e1", [1, 5.5, 20.0]),
        ("x.y=0.1..0.5/5", pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])),
        ("x.y=1..100/3log", pytest.approx([1, 10, 100])),
        ("x=-1..1/3", [-1, 0, 1]),
        ("seed=0..1,7", [0, 1, 7]),
        ("device=ag-asi, ../mine.toml", ["ag-asi", "../mine.toml"]),
        ("tile=64x64,128x128", ["64x64", "128x128"]),
    ],
)
def test_values_as_a_user_types_them(text: str, values: Any) -> None:
    ((name, got),) = parse_vary((text,)).items()
    assert name == text.partition("=")[0].replace("-", "_")
    assert got == values


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("seed",), "must be NAME=VALUES"),
        (("seed=",), "must be NAME=VALUES"),
        (("seed=1,,2",), "an empty value between its commas"),
        (("seed=3..1",), "must go up in whole numbers"),
        (("x=0.1..0.5",), r"must go up in whole numbers; say how many.*0\.1\.\.0\.5/5"),
        (("x=0.1..0.5/1",), "needs 2 to 100,000 values"),
        (("x=-1..1/3log",), "in equal ratios ends of one sign"),
        (("seed=1", "seed=2"), "seed is given twice"),
    ],
)
def test_other_texts_are_refused(texts: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_vary(texts)


def test_a_grid_is_every_combination_and_a_list_is_itself(tmp_path: Path) -> None:
    points = points_of({"a": [1, 2], "b": ["x", "y", "z"]})
    assert [tuple(point.values()) for point in points] == [
        (1, "x"), (1, "y"), (1, "z"), (2, "x"), (2, "y"), (2, "z")
    ]  # fmt: skip
    assert points_of([{"a": 1}, {"a": 3}]) == [{"a": 1}, {"a": 3}]
    file = tmp_path / "points.csv"
    file.write_text("wire-resistance, seed\n1.5,0\n\n20,1\n")
    assert points_of(file) == [
        {"wire_resistance": 1.5, "seed": 0}, {"wire_resistance": 20, "seed": 1}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({}, "varies nothing"),
        ([], "varies nothing"),
        ({"seed": []}, "seed has no value"),
        ({"seed": [1, 2, 1]}, "seed = 1 is given twice"),
        ([{"seed": 1}, {"cycles": 1}], "point 1 has the names cycles, point 0 seed"),
        ({"seed": list(range(400)), "cycles": list(range(400))}, "160,000 points are more"),
    ],
)
def test_points_that_make_no_sweep_are_refused(vary: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        points_of(vary)


@pytest.mark.parametrize(
    ("text", "message"),
    [("seed\n", "holds no points"), ("a,a\n1,2\n", "must differ"), ("a,b\n1\n", "point 0 has 1")],
)
def test_files_of_no_points_are_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "points.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=message):
        read_points(file)


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({"wire_resistence": [1]}, "no value wire_resistence: nearest are wire_resistance"),
        ({"cycles": [1.5]}, "cycles = 1.5 must be a whole number"),
        ({"network": ["nobody"]}, "nobody"),
        ({"fidelity": ["exact"]}, "fidelity 'exact' is unknown"),
    ],
)
def test_what_no_point_could_be_simulated_with_is_an_error(vary: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        small(vary)


# --- its numbers -------------------------------------------------------------------------------


def test_every_point_has_the_numbers_of_a_run_of_its_own(found: ms.results.SweepResult) -> None:
    assert [(row["wire_resistance"], row["seed"]) for row in found.rows] == [
        (wire, seed) for wire in GRID["wire_resistance"] for seed in GRID["seed"]
    ]
    for row in found.rows[::2]:
        device = MODELS.change(wire_resistance=row["wire_resistance"])
        chip = ms.Chip("digits-mlp", device, seed=row["seed"])
        single = chip.run(chip.images("test", IMAGES), cycles=2, energy_windows=4).measures()
        assert {name: row[name] for name in single} == single
        assert row["reason"] == ""


@pytest.mark.ngspice
def test_a_layer_in_spice_is_what_simulate_layer_gives() -> None:
    vary = {"seed": [3], "fidelity": ["reduced", "surrogate"]}
    rows = ms.sweep(vary, device=MODELS, layer="dense1", cycles=1, tile="33x20").rows
    chip = ms.Chip("digits-mlp", MODELS, tile=(33, 20), seed=3)
    for row, fidelity in zip(rows, (ms.Reduced(ngspice()), ms.Surrogate()), strict=True):
        result = chip["dense1"].simulate(chip.images("test", 1), cycles=1, fidelity=fidelity)
        single = result.measures()
        assert {name: row[name] for name in single} == single
        assert row["unlike_ideal"] == result.as_json()["spikes"]["against_ideal"]["value"]


def test_a_point_that_fails_is_a_row_with_its_reason() -> None:
    result = small({"wire_resistance": [1.0, -3.0, "much"], "seed": [0]})
    good, negative, word = result.rows
    assert good["reason"] == ""
    assert "wire_resistance_row = -3.0 ohm must be at least 0 ohm" in negative["reason"]
    assert "'much' must be a number" in word["reason"]
    assert "snn_accuracy" not in negative
    assert result.columns()["snn_accuracy"][1:] == [None, None]
    assert (result.jobs.total, result.jobs.failed) == (3, 2)
    with pytest.raises(IncompleteResults, match=r"point 1 .*must be at least 0 ohm"):
        result.check()


def test_single_layer_points_can_be_of_any_layer() -> None:
    result = ms.sweep({"layer": ["dense1", "dense2", "dense9"]}, fidelity="surrogate", cycles=2)
    spiking, last, none = result.rows
    assert spiking["unlike_ideal"] >= 0
    assert "score_deviation" in last
    assert "dense9" in none["reason"]


# --- kept, resumed, read again -----------------------------------------------------------------


def test_saved_and_loaded_it_is_the_same(found: ms.results.SweepResult, tmp_path: Path) -> None:
    file = tmp_path / "sweep.h5"
    found.save(file)
    again = ms.load(file)
    assert isinstance(again, ms.results.SweepResult)
    assert again.csv() == found.csv()
    with read_run(file) as run:
        columns = run.job("sweep/table").events
        np.testing.assert_array_equal(columns["seed"][0], [0, 1, 2, 0, 1, 2])
        assert columns["energy_joule"][1] == "J"
    found.to_csv(tmp_path / "sweep.csv")
    rows = list(csv.DictReader((tmp_path / "sweep.csv").read_text().splitlines()))
    assert [float(row["snn_accuracy"]) for row in rows] == found.columns()["snn_accuracy"]


def test_stopped_again_and_again_it_ends_as_if_it_had_not_been(
    found: ms.results.SweepResult, tmp_path: Path
) -> None:
    out, seen = tmp_path / "sweep.h5", []

    def stop(_: str, done: int, total: int) -> None:
        seen.append((done, total))
        if done > seen[0][0]:
            raise KeyboardInterrupt

    options = ms.RunOptions(out=out, execution=ms.Execution(workers=1))
    for resume in (False, True, True):
        seen.clear()
        with pytest.raises(KeyboardInterrupt):
            small(options=replace(options, resume=resume, progress=stop))
    result = small(options=replace(options, resume=True))
    assert result.csv() == found.csv()
    assert result.jobs.cached >= 3
    assert result.jobs.cached + result.jobs.simulated == 6
    with pytest.raises(StoreError, match="in another way|config"):
        small({"seed": [0]}, options=replace(options, resume=True))


@pytest.mark.slow
def test_killed_it_ends_as_if_it_had_not_been(
    capsys: Any, found: ms.results.SweepResult, tmp_path: Path
) -> None:
    """``kill -9`` once two points are stored, then ``--resume``."""
    out, table = tmp_path / "sweep.h5", tmp_path / "sweep.csv"
    varied = ("--vary", "wire-resistance=1.0,200.0", "--vary", "seed=0..2")
    command = ("sweep", *varied, *DIGITS, "--images", str(IMAGES), "--cycles", "2", "--no-cache")
    with subprocess.Popen([*MEMSPICE, *command, "--out", out], cwd=ROOT) as process:
        parts = out.with_name("sweep.h5.parts")
        while process.poll() is None and len(list(parts.glob("[0-9a-f]*.h5"))) < 2:
            time.sleep(0.02)
        process.kill()
    assert call(capsys, *command, "--out", out, "--resume", "--csv", table).code == 0
    assert table.read_text() == found.csv()


def test_points_that_failed_are_tried_again(tmp_path: Path) -> None:
    vary, options = {"wire_resistance": [1.0, -3.0]}, ms.RunOptions(out=tmp_path / "sweep.h5")
    assert small(vary, options=options).jobs.failed == 1
    again = small(vary, options=replace(options, resume=True)).jobs
    assert (again.cached, again.simulated, again.failed) == (1, 1, 1)


def test_points_of_a_range_can_be_chosen(found: ms.results.SweepResult) -> None:
    assert len(found.where(seed=1).rows) == 2
    with pytest.raises(ConfigError, match="cycles is not varied: wire_resistance, seed are"):
        found.where(cycles=2)
    with pytest.raises(ConfigError, match="no point has seed = 9"):
        found.where(seed=9)


# --- the command -------------------------------------------------------------------------------


def test_command_writes_table_and_figure(capsys: Any, tmp_path: Path) -> None:
    arguments = ("sweep", *DIGITS, "--vary", "wire-resistance=1,-3", "--vary", "seed=0..1")
    files = (
        "--csv",
        tmp_path / "s.csv",
        "--figure",
        tmp_path / "s.png",
        "--out",
        tmp_path / "s.h5",
    )
    ended = call(capsys, *arguments, *files, "--images", 4, "--cycles", 2, "--json")
    assert ended.code == 5  # two of the points
    content = json.loads(ended.out)
    assert [row["reason"] == "" for row in content["points"]] == [True, True, False, False]
    assert content["axes"] == ["wire_resistance", "seed"]
    assert "2 of 4 jobs failed" in content["error"]["message"]
    assert (tmp_path / "s.csv").read_text().count("\n") == 5
    assert {path.name for path in tmp_path.iterdir()} == {"s.csv", "s.png", "s.h5"}


def test_command_says_what_it_needs(capsys: Any) -> None:
    for arguments in (("sweep",), ("sweep", "--vary", "seed=1", "--points", "p.csv")):
        ended = call(capsys, *arguments)
        assert ended.code == 2
        assert "--vary NAME=VALUES" in ended.err


def test_table_fits_a_terminal(found: ms.results.SweepResult) -> None:
    failed = {**found.rows[0], "reason": "it could not be simulated, " * 9}
    text = repr(replace(found, rows=(*found.rows, failed) * 9))
    assert len(text.splitlines()) <= 20
    assert max(map(len, text.splitlines())) <= 80
    assert "63 points in all" in text


# --- figures -----------------------------------------------------------------------------------


def test_figure_of_one_value_is_a_line_with_the_interval_over_seeds(
    found: ms.results.SweepResult,
) -> None:
    (axis,) = sweep_figure(found, "energy_joule").axes
    (line,) = axis.get_lines()[:1]
    energies = np.reshape(found.columns()["energy_joule"], (2, 3))
    np.testing.assert_allclose(line.get_ydata(), energies.mean(axis=1))
    assert axis.get_xscale() == "log"


def test_figure_of_two_numbers_is_a_map_and_of_three_none(found: ms.results.SweepResult) -> None:
    rows = tuple({"a": k % 3, "b": k // 3, "c": k, "joy": k / 9, "reason": ""} for k in range(9))
    result = replace(found, axes=("a", "b"), rows=rows)
    axis, bar = sweep_figure(result, "joy").axes
    image = axis.get_images()[0].get_array()
    assert image is not None
    np.testing.assert_allclose(image, np.arange(9).reshape(3, 3) / 9)
    assert bar.get_ylabel() == "joy"
    with pytest.raises(ConfigError, match="measure 'pain' is none of this sweep: use c, joy"):
        sweep_figure(result, "pain")
    wide = replace(result, axes=("a", "b", "c"))
    with pytest.raises(ConfigError, match=r"a figure shows two: choose points with .where\(c="):
        sweep_figure(wide, "joy")


# --- jobs of one scheduler ---------------------------------------------------------------------


def test_one_cluster_is_connected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    events = []

    class Cluster:
        workers = 3

        def __init__(self, name: str) -> None:
            events.append(f"open {name}")

        def close(self) -> None:
            events.append("close")

    monkeypatch.setattr(scheduler_module, "DaskScheduler", Cluster)
    with scheduler_module.open_scheduler("tcp://a:1") as outer:
        with scheduler_module.open_scheduler("tcp://a:1") as inner:
            assert inner is outer
        assert events == ["open tcp://a:1"]
    assert events == ["open tcp://a:1", "close"]
    with scheduler_module.open_scheduler("tcp://a:1"):
        pass
    assert events[2:] == ["open tcp://a:1", "close"]


def test_runs_within_runs_stop_together() -> None:
    began, cancel = threading.Event(), threading.Event()

    def patient(_: int, stop: threading.Event) -> bool:
        began.set()
        return stop.wait(20)

    def inner() -> None:
        began.wait(20)
        cancel.set()

    threading.Thread(target=inner).start()
    with pytest.raises(Cancelled):
        run_jobs(patient, [0, 1, 2], workers=2, cancel=cancel)


def test_json_of_the_result_is_json(found: ms.results.SweepResult) -> None:
    encode: Callable[..., str] = json.dumps
    assert json.loads(encode(found.as_json(), allow_nan=False))["axes"] == list(found.axes)
