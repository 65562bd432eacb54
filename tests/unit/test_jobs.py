"""The job pool delivers what is done, stops on the first failure, and names jobs by content."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from memspice.engines import find_engine
from memspice.engines.base import Transient
from memspice.errors import ConfigError, EngineError, NetlistError
from memspice.jobs import content_hash, run_jobs

#: A task that is still waiting after this long has not been stopped, [s].
FOREVER = 30.0


def square(task: int, stop: threading.Event) -> int:
    del stop
    return task * task


def test_results_come_in_task_order_whatever_the_order_of_completion() -> None:
    later_done = threading.Event()

    def second_first(task: int, stop: threading.Event) -> int:
        del stop
        if task == 0:
            assert later_done.wait(FOREVER)
        else:
            later_done.set()
        return task

    delivered: list[int] = []
    results = run_jobs(
        second_first, [0, 1], workers=2, on_done=lambda index, _: delivered.append(index)
    )
    assert results == [0, 1]
    assert sorted(delivered) == [0, 1]


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_every_task_runs_once(workers: int) -> None:
    assert run_jobs(square, range(20), workers=workers) == [n * n for n in range(20)]


def test_no_tasks_give_no_results() -> None:
    assert run_jobs(square, [], workers=2) == []


@pytest.mark.parametrize("workers", [0, -1])
def test_workers_below_one_are_refused(workers: int) -> None:
    with pytest.raises(ConfigError, match="workers"):
        run_jobs(square, [1], workers=workers)


def test_no_more_than_workers_run_at_once() -> None:
    lock, running, most = threading.Lock(), [0], [0]
    pair = threading.Barrier(2)

    def count(task: int, stop: threading.Event) -> None:
        del task, stop
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        pair.wait(FOREVER)  # passes only if two run together
        with lock:
            running[0] -= 1
        pair.wait(FOREVER)

    run_jobs(count, range(6), workers=2)
    assert most[0] == 2


def test_on_done_is_called_in_the_calling_thread_with_the_result() -> None:
    calls: list[tuple[int, int, bool]] = []

    def note(index: int, result: int) -> None:
        calls.append((index, result, threading.current_thread() is threading.main_thread()))

    run_jobs(square, [3, 4], workers=2, on_done=note)
    assert sorted(calls) == [(0, 9, True), (1, 16, True)]


def failing_among(blocked: threading.Event) -> Callable[[str, threading.Event], str]:
    """Tasks by name; ``fails`` waits until ``blocks`` is running."""

    def work(task: str, stop: threading.Event) -> str:
        if task == "fails":
            assert blocked.wait(FOREVER)
            raise NetlistError("no value")
        if task == "blocks":
            blocked.set()
            assert stop.wait(FOREVER)
            raise EngineError("cancelled")
        if task == "ends when stopped":
            assert stop.wait(FOREVER)
        return task

    return work


def test_the_first_failure_stops_the_rest_and_is_the_one_raised() -> None:
    started: list[str] = []
    work = failing_among(threading.Event())

    def noting(task: str, stop: threading.Event) -> str:
        started.append(task)
        return work(task, stop)

    with pytest.raises(NetlistError, match="no value"):
        run_jobs(noting, ["blocks", "fails", "never", "never"], workers=2)
    assert sorted(set(started) - {"never"}) == ["blocks", "fails"]
    assert started.count("never") == 0


def test_what_finished_is_delivered_before_a_failure_is_raised() -> None:
    delivered: dict[int, str] = {}
    work = failing_among(threading.Event())
    tasks = ["done early", "ends when stopped", "blocks", "fails"]
    with pytest.raises(NetlistError):
        run_jobs(work, tasks, workers=4, on_done=delivered.__setitem__)
    assert delivered == {0: "done early", 1: "ends when stopped"}


def test_a_failing_on_done_stops_everything_and_is_not_called_again() -> None:
    calls: list[int] = []

    def full_disk(index: int, result: str) -> None:
        del result
        calls.append(index)
        raise OSError("disk full")

    work = failing_among(threading.Event())
    with pytest.raises(OSError, match="disk full"):
        run_jobs(work, ["done", "ends when stopped"], workers=2, on_done=full_disk)
    assert calls == [0]


def test_an_interrupt_keeps_what_is_done_and_is_raised_again() -> None:
    first_delivered, delivered = threading.Event(), dict[int, str]()

    def work(task: str, stop: threading.Event) -> str:
        if task == "interrupts":
            assert first_delivered.wait(FOREVER)
            _thread.interrupt_main()  # what Ctrl-C does
            assert stop.wait(FOREVER)
        return task

    def store(index: int, result: str) -> None:
        delivered[index] = result
        first_delivered.set()

    with pytest.raises(KeyboardInterrupt):
        run_jobs(work, ["done", "interrupts", "never"], workers=1, on_done=store)
    assert delivered == {0: "done", 1: "interrupts"}


def test_an_interrupt_does_not_wait_for_a_task_that_ignores_it() -> None:
    release, ended, told = threading.Event(), threading.Event(), list[threading.Event]()

    def deaf(task: int, stop: threading.Event) -> None:
        del task
        told.append(stop)
        _thread.interrupt_main()
        release.wait(FOREVER)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        run_jobs(deaf, [0], workers=1)
    assert not ended.is_set()
    assert told[0].is_set()
    release.set()
    assert ended.wait(FOREVER)


@pytest.mark.ngspice
def test_a_bad_circuit_stops_the_engines_of_the_others() -> None:
    engine = find_engine("ngspice")
    good, bad = "endless\nV1 a 0 1\nR1 a 0 1k\n", "bad\nV1 a 0 1\nR1 a 0 1k nonsense=1\n"

    def simulate(netlist: str, stop: threading.Event) -> float:
        # 1e9 steps: ends only by the event, or fails by its time limit
        analysis, limit = Transient(1.0, 1e-9), FOREVER
        waveforms = engine.run(netlist, analysis, save=["v(a)"], timeout=limit, cancel=stop)
        return float(waveforms.time[-1])

    with pytest.raises(NetlistError, match="nonsense"):
        run_jobs(simulate, [good, bad], workers=2)


@dataclass(frozen=True)
class Cell:
    resistance: float
    name: str


@dataclass(frozen=True)
class Wire:
    resistance: float
    name: str


def test_a_hash_is_64_hexadecimal_digits_and_stable() -> None:
    # The values themselves are a promise: a stored run is resumed by a later process.
    assert content_hash("deck") == (
        "354d4fc357022dc247f16f9edb4532fc4a29e86cf9cac67bffea188db0bb4eba"
    )
    assert content_hash("deck", 1e-9, np.arange(3.0), Cell(5.0, "a"), {"seed": None}) == (
        "a71f53b1fb0c3a0b9fbab2970d57d7f7ed41930bb56bbfae2df0265a8fa5fdfc"
    )


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        (1.5, np.float64(1.5)),
        (7, np.int32(7)),
        (0.0, -0.0),
        ([1, 2], (1, 2)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (b"ab", bytearray(b"ab")),
        (np.arange(4.0)[::2], np.array([0.0, 2.0])),
        (np.arange(3, dtype=">f8"), np.arange(3, dtype="<f8")),
    ],
)
def test_equal_content_gives_an_equal_hash(left: object, right: object) -> None:
    assert content_hash(left) == content_hash(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a",), ("a", "")),
        (("1",), (1,)),
        (("a",), (b"a",)),
        ((True,), (1,)),
        ((None,), ("None",)),
        ((1.0,), (1.0 + 2**-52,)),
        ((2**60,), (2**60 + 1,)),
        (([1, [2, 3]],), ([[1, 2], 3],)),
        (({"a": 1, "b": 2},), ({"a": 2, "b": 1},)),
        ((np.zeros((2, 3)),), (np.zeros((3, 2)),)),
        ((np.zeros(2),), (np.zeros(4, dtype=np.float32),)),
        ((Cell(1.0, "a"),), (Wire(1.0, "a"),)),
        ((Cell(1.0, "a"),), (Cell(2.0, "a"),)),
        ((float("inf"),), (float("-inf"),)),
    ],
)
def test_different_content_gives_different_hashes(
    left: tuple[object, ...], right: tuple[object, ...]
) -> None:
    assert content_hash(*left) != content_hash(*right)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (float("nan"), "NaN"),
        (np.array([1.0, np.nan]), "NaN"),
        (object(), "object"),
        (Cell, "type"),
        ({1, 2}, "set"),
        (np.array([object()]), "dtype"),
    ],
)
def test_what_has_no_canonical_content_is_refused(part: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        content_hash(part)
