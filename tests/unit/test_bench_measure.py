"""How the bench measures: exponents, the cost of a call, and a child that is stopped."""

from __future__ import annotations

import json
import math
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import child as bench_child
from benchmarks.child import ARRAY
from benchmarks.fit import fit_power_law
from benchmarks.measure import OFTEN, measure, run_child, said
from benchmarks.peers import MissingPeer, by_memspice, random_cells
from memspice.errors import ConfigError, EngineError, ShapeError

GIB = 2**30
Answer = dict[str, Any]


@pytest.mark.parametrize("exponent", [1.0, 2.9, 3.0])
def test_exponent_of_a_power_law_is_found(exponent: float) -> None:
    sizes = [64, 128, 256, 512]
    law = fit_power_law(sizes, [1e-7 * size**exponent for size in sizes])
    assert law.low is not None
    assert law.high is not None
    # Rounding of logarithms: some units of 1e-16 over a spread of 2.
    assert law.exponent == pytest.approx(exponent, abs=1e-12)
    assert law.low <= law.exponent <= law.high
    assert law.high - law.low < 1e-10
    assert law.at(1024) == pytest.approx(1e-7 * 1024**exponent)
    assert law.sizes == (64, 128, 256, 512)


def test_interval_holds_the_exponent_as_often_as_it_says(rng: np.random.Generator) -> None:
    """Normal noise of 10 %: 95 % of 400 intervals, within 4 standard deviations of 1.1 %."""
    sizes = [16, 32, 64, 128, 256]
    held = 0
    for _ in range(400):
        noise = np.exp(0.1 * rng.standard_normal(len(sizes)))
        law = fit_power_law(sizes, list(1e-6 * np.array(sizes, float) ** 3 * noise))
        assert law.low is not None
        assert law.high is not None
        held += law.low <= 3 <= law.high
    assert abs(held / 400 - 0.95) < 4 * 0.011


def test_two_sizes_give_an_exponent_without_interval() -> None:
    law = fit_power_law([8, 16], [1.0, 4.0])
    assert law.exponent == pytest.approx(2.0)
    assert (law.low, law.high) == (None, None)


def test_no_exponent_where_there_is_none() -> None:
    with pytest.raises(ShapeError, match="2 sizes and 1 costs"):
        fit_power_law([8, 16], [1.0])
    for sizes, costs in (([8, 8], [1.0, 2.0]), ([8, 16], [0.0, 1.0]), ([8, 16], [1.0, math.nan])):
        with pytest.raises(ConfigError, match="no exponent can be fitted"):
            fit_power_law(sizes, costs)


def test_first_line_of_an_error_is_said_or_its_kind() -> None:
    assert said(EngineError("gave up", "log\nof many lines")) == "gave up"
    assert said(MemoryError()) == "MemoryError"


def test_memory_and_time_of_a_call_are_its_own() -> None:
    """64 MiB that are written to are resident; what is already there does not count."""
    kept = np.ones(4 << 20)
    result, cost = measure(lambda: float(np.ones(8 << 20).sum() + kept[0]))
    assert result == (8 << 20) + 1
    # The system may give memory back to itself within the call: a tenth.
    assert 0.9 * 64 * 2**20 < cost.growth_bytes < 1.5 * 64 * 2**20
    assert cost.peak_bytes > cost.growth_bytes
    assert cost.cpu_seconds > 0


def test_short_calls_are_repeated_and_long_ones_are_not() -> None:
    calls: list[int] = []
    _, cost = measure(lambda: calls.append(1))
    assert cost.calls == len(calls) == OFTEN
    begun: list[float] = []
    _, cost = measure(lambda: begun.append(sum(number * number for number in range(3_000_000))))
    assert cost.calls == len(begun) < 10


def test_child_without_time_is_stopped(tmp_path: Path) -> None:
    """Factoring 512 x 512 cells takes some twenty seconds; the child gets one."""
    task = {"task": "contender", "contender": "superlu", "size": 512}
    found = run_child(task, limit=1.0, memory=8 * GIB, folder=tmp_path)
    assert found == {
        "status": "stopped",
        "reason": "more than the limit of 1 s of processor time",
    }
    assert not (tmp_path / "answer.json").exists()


def test_child_leaves_its_costs_and_its_array(tmp_path: Path) -> None:
    task = {"task": "contender", "contender": "memspice", "size": 4}
    found = run_child(task, limit=30.0, memory=8 * GIB, folder=tmp_path)
    assert found["status"] == "ok"
    assert found["seconds"] > 0
    assert found["cpu_seconds"] > 0
    np.testing.assert_array_equal(np.load(tmp_path / ARRAY), by_memspice(random_cells(4)))


def test_child_that_fails_says_why() -> None:
    found = run_child({"task": "unknown"}, limit=30.0, memory=8 * GIB)
    assert found["status"] == "failed"
    assert "KeyError" in found["reason"]


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Call a child's main in this process, whose limits and signals stay as they are."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench_child.resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(bench_child.signal, "signal", lambda *_: None)

    def call(task: Callable[..., Answer]) -> Answer:
        monkeypatch.setitem(bench_child.TASKS, "own", task)
        bench_child.main(json.dumps({"task": "own", "limit": 2.0, "memory": 3 * GIB}))
        return dict(json.loads(Path("answer.json").read_text()))

    return call


def _raises(error: BaseException) -> Callable[..., Answer]:
    def task() -> Answer:
        raise error

    return task


def test_child_reports_what_is_missing_and_what_ran_out(child: Callable[..., Answer]) -> None:
    assert child(lambda: {"seconds": 1.0}) == {"status": "ok", "seconds": 1.0}
    assert child(_raises(MissingPeer("not there"))) == {"status": "missing", "reason": "not there"}
    found = child(_raises(MemoryError()))
    assert found == {"status": "stopped", "reason": "more memory than the limit of 3.0 GiB"}
    killed = EngineError(f"ngspice ended with signal {signal.SIGXCPU.value} (killed or crashed)")
    assert child(_raises(killed))["reason"] == "more than the limit of 2 s of processor time"
    with pytest.raises(EngineError, match="gave up"):
        child(_raises(EngineError("gave up")))
