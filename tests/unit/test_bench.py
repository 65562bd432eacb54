"""The bench: fidelities with the same spikes, the loop's products, and what the command writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import command as cli_bench
from benchmarks import race as bench_race
from benchmarks import workers as bench_workers
from benchmarks.aims import Aim
from benchmarks.bursts import measure_bursts
from benchmarks.figure import draw_bench
from benchmarks.ladder import (
    Rung,
    Runs,
    climb,
    ladder_exponents,
    ladder_json,
    ladder_ratios,
)
from benchmarks.layer import MOST_CYCLES, LayerRun, better, run_once, square_jobs
from benchmarks.loop import counted_products, measure_loop
from memspice.engines.base import Engine
from memspice.errors import ConfigError, EngineError, EngineTimeout, NetlistError
from memspice.network.frames import multiply
from tests.bench_helpers import TINY, BrokenEngine, FakeChildren
from tests.helpers import fidelity_of, ngspice


def test_square_layer_is_what_its_name_says() -> None:
    (job,) = square_jobs(8, 3, fidelity_of("reduced"))
    assert job.circuit.conductances[0].shape == (8, 8)
    assert job.circuit.outputs == 4
    (fewer,) = square_jobs(8, 2, fidelity_of("full"))
    np.testing.assert_array_equal(fewer.inputs, job.inputs[:2])
    np.testing.assert_array_equal(fewer.stimulus().thresholds, job.stimulus().thresholds[:2])
    with pytest.raises(ConfigError, match="size = 7 must be even"):
        square_jobs(7, 1, fidelity_of("full"))
    with pytest.raises(ConfigError, match=f"cycles = 65 must be 1 to {MOST_CYCLES}"):
        square_jobs(8, 65, fidelity_of("full"))


def test_better_run_is_the_shorter_one_that_ended() -> None:
    stopped = LayerRun("e", "full", 4, 1, status="stopped")
    slow, fast = (replace(stopped, status="ok", seconds=t, cpu_seconds=t) for t in (2.0, 1.0))
    assert better(None, stopped) is stopped
    assert better(stopped, slow) is slow
    assert better(slow, stopped) is slow
    assert better(slow, fast).cpu_seconds == better(fast, slow).cpu_seconds == 1.0


def climbed(rungs: Sequence[Rung], engines: Mapping[str, Engine], repeats: int) -> Runs:
    *_, runs = climb(rungs, engines, repeats=repeats)
    return runs


@pytest.mark.ngspice
def test_fidelities_have_the_same_spikes_and_a_scaled_ratio_says_so() -> None:
    rungs = (
        Rung("numpy", "surrogate", 4, 2),
        Rung("ngspice", "reduced", 4, 2),
        Rung("ngspice", "reduced", 4, 1),
        Rung("ngspice", "full", 4, 1),
        Rung("vacask", "full", 4, 1),
    )
    runs = climbed(rungs, {"ngspice": ngspice()}, repeats=1)
    assert len(runs) == 4  # no vacask given
    plain = ladder_ratios(runs, 4, 2)
    names = [(item["slow"][1], item["fast"][1], item["scaled"]) for item in plain]
    assert names == [("reduced", "surrogate", False), ("full", "reduced", False)]
    assert all(item["mismatches"] == 0 for item in plain)
    # Full and reduced are the same circuit but for the wires' coupling, far below the margin.
    assert plain[1]["hazard_deviation"] < 1e-4
    once = runs["ngspice", "full", 4, 1]
    assert once.cpu_seconds is not None
    twice = replace(once, cycles=2, cpu_seconds=2 * once.cpu_seconds, size=8)
    runs |= {twice.key: twice, (*once.key[:2], 8, 1): replace(once, size=8)}
    (law,) = [
        law for law in ladder_exponents(runs) if law["size"] == 8 and law["fidelity"] == "full"
    ]
    assert law["exponent"] == pytest.approx(1.0)
    (scaled,) = [item for item in ladder_ratios(runs, 4, 2) if item["scaled"]]
    reduced = runs["ngspice", "reduced", 4, 2].cpu_seconds
    assert reduced is not None
    assert scaled["ratio"] == pytest.approx(2 * once.cpu_seconds / reduced)
    assert scaled["note"].startswith("scaled from 1 to 2 cycles by 2.0: exponent 1.00")


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (EngineError("gave up", "log"), "failed", "gave up"),
        (NetlistError("no such element"), "failed", "no such element"),
        (OSError("no space left"), "failed", "no space left"),
        (MemoryError(), "failed", "MemoryError"),
        (EngineTimeout("late"), "stopped", "longer than the limit of 1 s, "),
    ],
)
def test_run_that_fails_is_a_result_and_the_others_go_on(
    error: Exception, status: str, reason: str
) -> None:
    rungs = [
        Rung("ngspice", "full", 4, 1, limit=1.0),
        Rung("ngspice", "reduced", 4, 1, limit=1.0),
        Rung("numpy", "surrogate", 4, 1),
    ]
    steps = list(climb(rungs, {"ngspice": BrokenEngine(error)}, repeats=2))
    assert len(steps) == 4  # what failed is not tried again; the surrogate is
    *broken, surrogate = ladder_json(steps[-1])
    for item in broken:
        assert item["status"] == status
        assert item["reason"].startswith(reason)
        assert "seconds" not in item
    assert surrogate["status"] == "ok"
    assert surrogate["energy"] > 0
    assert ladder_ratios(steps[-1], 4, 1) == []


@pytest.mark.ngspice
def test_run_beyond_its_limit_is_a_result() -> None:
    run = run_once(ngspice(), "full", 16, 4, limit=1e-3)  # looked at every 50 ms
    assert run.status == "stopped"
    assert "longer than the limit of 0.001 s" in run.reason
    assert run.found is None


def test_products_are_counted_in_threads_and_watched_no_longer() -> None:
    one, other = np.ones((3, 5), np.float32), np.ones((5, 7), np.float32)
    result, before = np.empty((3, 7), np.float32), threading.getprofile()

    def run(matrix: np.ndarray) -> None:
        thread = threading.Thread(target=multiply, args=(one, matrix, result))
        thread.start()
        thread.join()

    with counted_products() as found:
        run(other)
    assert np.all(result == 5)
    assert found.operations == 2 * 3 * 5 * 7
    assert found.cpu_seconds > 0
    assert threading.getprofile() is before
    run(other)
    with pytest.raises(ValueError, match="a reason"), counted_products():
        raise ValueError("a reason")
    assert threading.getprofile() is before
    assert found.operations == 2 * 3 * 5 * 7


def test_share_of_the_loop_is_made_of_its_parts() -> None:
    found = measure_loop(2, 3, "digits-mlp")
    assert 0 < found["time_share"] < 1
    rates = found["product_rate"] / found["machine_rate"]
    assert found["share"] == pytest.approx(found["time_share"] * rates)
    # Pixels are multiplied once, the six frames of spikes each; products are padded with frames.
    assert found["operations"] >= 2 * (2 * 65 * 32 + 6 * 33 * 10)


def test_bursts_are_measured_beside_single_cycles() -> None:
    found = measure_bursts(1, 4, 2, "digits-mlp")
    single, burst = (found["cpu_seconds"][k] for k in ("1", "4"))
    assert found["ratio"] == pytest.approx(single / burst)
    assert found["images_per_second"]["4"] == pytest.approx(1 / burst)


@pytest.mark.ngspice
def test_two_workers_give_the_same_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_workers, "_SPIN_COUNT", 1000)
    found = bench_workers.measure_workers(ngspice(), windows=2, size=4, cycles=1, repeats=1)
    assert found["identical"] is True
    assert found["speedup"] == pytest.approx(found["seconds"][0] / found["seconds"][1])
    assert found["machine_speedup"] > 0


def test_aim_is_reached_from_its_side() -> None:
    aim = Aim("what", 2.0, 1.7, None, "x", True, "wall clock")
    assert aim.reached
    assert not replace(aim, more_is_better=False).reached
    assert replace(aim, value=1.0, more_is_better=False).reached
    assert replace(aim, value=1.7).reached


@pytest.mark.ngspice
def test_command_writes_all_that_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli_bench, "QUICK", TINY)
    monkeypatch.setattr(bench_race, "run_child", FakeChildren({}, apart=1e-13))
    monkeypatch.setattr(bench_workers, "_SPIN_COUNT", 1000)
    out = tmp_path / "new" / "bench"
    cli_bench.bench_command(
        ["--quick", "--parents", "--out", str(out), "--json"], standalone_mode=False
    )
    printed = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    stored = json.loads((out / "bench.json").read_text())
    assert printed.pop("out") == str(out)
    assert stored == printed
    assert (out / "bench.png").read_bytes().startswith(b"\x89PNG")
    (ratio,) = stored["crossbar"]["ratios"]
    assert ratio["peer"] == "superlu"
    assert ratio["difference"] == pytest.approx(1e-13)
    (ratio,) = stored["ladder"]["ratios"]
    assert (ratio["events"], ratio["mismatches"]) == (2, 0)
    assert stored["workers"]["identical"] is True
    assert stored["sweep"]["same"] is True
    assert stored["sweep"]["points"] == 2
    text = cli_bench.bench_text({**stored, "missing": {"vacask": "not there"}})
    assert "vacask is missing: not there" in text
    assert "SciPy sparse LU, all inputs" in text
    assert "0 of 2 spikes differ" in text
    assert max(map(len, text.splitlines())) <= 116
    # The same numbers with a peer that was stopped: said in words, drawn as a cross.
    stopped = {"contender": "badcrossbar", "problem": "ports", "size": 4, "status": "stopped"}
    stored["crossbar"]["points"].append({**stopped, "reason": "more than the limit"})
    stored["crossbar"]["titles"]["badcrossbar"] = "badcrossbar, all inputs"
    assert "4  stopped: more than the limit" in cli_bench.bench_text(stored)
    time_axis = draw_bench(stored).axes[0]
    (legend,) = time_axis.figure.legends
    assert legend.get_title().get_text().startswith("memspice bench (quick), ")
    assert legend._ncols == 3
    crosses = [line for line in time_axis.lines if line.get_marker() == "x"]
    (cross,) = crosses
    assert cross.get_ydata() == [stored["crossbar"]["limit_seconds"]]


def test_figure_of_nothing_is_refused() -> None:
    point = {"contender": "memspice", "size": 8, "status": "stopped", "reason": "late"}
    with pytest.raises(ConfigError, match="nothing to draw"):
        draw_bench({"crossbar": {"points": [point]}})
