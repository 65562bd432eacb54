"""What is tried again, what is recorded as failed, what stops the run; and where jobs run."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memspice.circuits.deck import Deck
from memspice.engines import find_engine
from memspice.engines.base import Analysis, Cancelled, Engine, EngineInfo, SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.errors import (
    ConfigError,
    ConvergenceError,
    DataError,
    EngineError,
    EngineNotFound,
    EngineTimeout,
    IncompleteResults,
    NetlistError,
    TruncatedOutput,
)
from memspice.experiment.characterize import characterize
from memspice.jobs import EngineRequest, Entry, Execution, Failure, Simulation, open_runner
from memspice.jobs.attempts import WorkerLost, attempt
from memspice.jobs.simulation import EngineSource, run_simulation
from memspice.store import read_run
from memspice.windows.reduced import Reduced
from tests.cli_helpers import DIGITS, call
from tests.settings import Setting

Capture = pytest.CaptureFixture[str]
Fail = Callable[[int], Exception | None]
INFO = EngineInfo("ngspice", "0", "/nowhere", osdi=False, klu=False)


class StandIn:
    """Answers with zeros, but raises what ``fail`` returns for the number of the run, from 1."""

    info = INFO

    def __init__(self, fail: Fail = lambda _: None) -> None:
        self.fail = fail
        self.runs: list[str] = []

    def write(self, deck: Deck) -> str:
        return str(deck)

    def run(
        self, netlist: str, analysis: Analysis, *, save: Sequence[str] = (), **_: Any
    ) -> Waveforms:
        self.runs.append(netlist)
        error = self.fail(len(self.runs))
        if error is not None:
            raise error
        return Waveforms(np.zeros(1), {name: np.zeros(1) for name in save}, "log", 0.0)


class Points:
    """Keeps the number of points of a run."""

    def pack(self, result: int) -> Entry:
        return Entry({"points": result})

    def unpack(self, entry: Entry) -> int:
        return int(entry.facts["points"])


def points(waves: Waveforms) -> int:
    return waves.time.size


def simulation(netlist: str = "deck", **changes: Any) -> Simulation[int]:
    values: dict[str, Any] = {
        "name": "a job",
        "request": EngineRequest(netlist, Transient(1.0, 0.1), ("v(a)",), SolverOptions()),
        "identity": (1,),
        "evaluate": points,
        "codec": Points(),
    }
    return Simulation(**{**values, **changes})


def run_once(engine: Engine, execution: Execution) -> tuple[int | Failure, dict[str, int]]:
    with open_runner(engine, execution) as runner:
        return runner.run(simulation(), threading.Event()), runner.tally.as_json()


# --- one job ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [EngineTimeout("a"), EngineError("a"), TruncatedOutput("a"), WorkerLost("a")]
)
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    engine = StandIn(lambda number: error if number == 1 else None)
    found, counts = run_once(engine, Execution(retries=1))
    assert found == 1
    assert counts == {"simulated": 1, "cached": 0, "failed": 0, "retried": 1}


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_tried_no_more_than_allowed_and_then_a_failure_with_its_log(retries: int) -> None:
    engine = StandIn(lambda number: EngineError(f"crash {number}", "one\ntwo"))
    found, counts = run_once(engine, Execution(retries=retries))
    assert found == Failure(f"crash {retries + 1}", "one\ntwo", retries + 1)
    assert len(engine.runs) == retries + 1
    assert counts == {"simulated": 0, "cached": 0, "failed": 1, "retried": retries}


def test_a_solver_that_gave_up_is_not_asked_again() -> None:
    engine = StandIn(lambda _: ConvergenceError("time step too small"))
    found, _ = run_once(engine, Execution(retries=3))
    assert found == Failure("time step too small", "", 1)


@pytest.mark.parametrize("kind", [ConfigError, DataError, NetlistError, EngineNotFound, Cancelled])
def test_what_is_about_the_run_stops_it_at_once_and_names_the_job(kind: type[Exception]) -> None:
    engine = StandIn(lambda _: kind("refused"))
    with pytest.raises(kind, match="refused") as caught:
        run_once(engine, Execution(retries=3))
    assert caught.value.__notes__ == ["The job that failed is a job"]
    assert len(engine.runs) == 1


def test_a_stopped_run_tries_nothing_again() -> None:
    stop = threading.Event()
    stop.set()
    calls: list[int] = []

    def crash() -> None:
        calls.append(1)
        raise EngineError("killed")

    with pytest.raises(EngineError, match="killed"):
        attempt(crash, 5, stop)
    assert len(calls) == 1


def test_a_bug_is_not_a_failed_job() -> None:
    def bug() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        attempt(bug, 5)


def test_retries_below_zero_are_refused() -> None:
    with pytest.raises(ConfigError, match="retries = -1"):
        attempt(lambda: 1, -1)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"workers": 0}, "workers = 0"),
        ({"retries": -1}, "retries = -1"),
        ({"timeout": 0.0}, "timeout = 0.0 s"),
        ({"timeout": float("nan")}, "timeout = nan s"),
        ({"scheduler": "slurm"}, "'slurm' is unknown: use local, or the address"),
    ],
)
def test_execution_that_makes_no_sense(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words), open_runner(StandIn(), Execution(**values)):
        pass


def test_netlists_need_an_engine() -> None:
    with (
        open_runner(None, Execution()) as runner,
        pytest.raises(ConfigError, match="need an engine"),
    ):
        assert runner.engine


# --- an engine in another process -------------------------------------------------------------


@pytest.mark.ngspice
def test_an_engine_is_found_again_in_another_process() -> None:
    engine = find_engine("ngspice")
    source = EngineSource(engine.info, engine)
    assert source.open() is engine
    copy = pickle.loads(pickle.dumps(source))
    assert copy.live is None
    request = EngineRequest("d\nV1 a 0 1\nR1 a 0 1k\n", Transient(1.0, 0.1), (), SolverOptions())
    found = [
        run_simulation(request, points, origin, 60.0, threading.Event())
        for origin in (source, copy)
    ]
    assert found[0] == found[1]  # of equal waveforms, to the bit


@pytest.mark.ngspice
@pytest.mark.parametrize("change", [{"version": "1"}, {"klu": True}])
def test_another_engine_in_the_other_process_is_refused(change: dict[str, Any]) -> None:
    wanted = replace(find_engine("ngspice").info, **change)
    with pytest.raises(ConfigError, match="Install the same on every machine"):
        EngineSource(wanted).open()


def test_requests_survive_json() -> None:
    request = simulation().request
    assert EngineRequest.from_json(request.as_json()) == request


# --- whole runs -------------------------------------------------------------------------------

SETUP = Setting(network="digits-mlp", images=2, cycles=1, tile=(65, 32))  # 2 windows of 2 groups


def install(monkeypatch: pytest.MonkeyPatch, fail: Callable[[str], bool]) -> list[str]:
    """Let the true engine crash on decks that `fail` picks; return the decks it was given."""
    real, given = find_engine("ngspice"), []
    monkeypatch.setattr("memspice.windows.reduced.DECK_OUTPUTS", 32)  # a group is a deck

    class Crashing:
        info = real.info
        write = staticmethod(real.write)

        def run(self, netlist: str, analysis: Analysis, **options: Any) -> Waveforms:
            given.append(netlist)
            if fail(netlist):
                raise EngineError("ngspice ended with signal 11 (killed or crashed)", "last words")
            return real.run(netlist, analysis, **options)

    monkeypatch.setattr("memspice.experiment.chip.open_fidelity", lambda *_: Reduced(Crashing()))
    return given


def fails_first(count: int) -> Callable[[str], bool]:
    """Pick a deck so often, the first one that comes, and no other."""
    seen: list[str] = []

    def fail(netlist: str) -> bool:
        seen.append(netlist)
        return netlist == seen[0] and seen.count(netlist) <= count

    return fail


@pytest.mark.ngspice
def test_a_crash_costs_nothing_but_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = install(monkeypatch, fails_first(1))
    found = SETUP.simulate(execution=Execution(workers=1), out=tmp_path / "run.h5")
    assert len(given) == 5
    assert found.as_json()["jobs"] == {
        "total": 4, "simulated": 4, "cached": 0, "failed": 0, "retried": 1,
    }  # fmt: skip
    assert found.as_json()["failures"] == []
    found.check()
    with read_run(tmp_path / "run.h5") as run:
        assert (run.status, run.summary["jobs"]["failed"]) == ("complete", 0)


@pytest.mark.ngspice
def test_a_job_that_always_fails_is_in_the_store_and_tried_again_on_resume(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out, name = tmp_path / "run.h5", "dense1/image00000_position0000_outputs000_015_reduced"
    install(monkeypatch, fails_first(10**6))
    found = SETUP.simulate(execution=Execution(workers=1), out=out)
    assert found.as_json()["failures"] == [
        {"job": name, "reason": "ngspice ended with signal 11 (killed or crashed)", "attempts": 2}
    ]
    assert (found.as_json()["windows"], found.as_json()["events"]) == (1, 32)
    assert found.as_json()["notes"] == ["1 jobs failed: their windows are left out"]
    with pytest.raises(IncompleteResults, match=f"1 of 4 jobs failed:\n  {name} .2 attempts"):
        found.check()
    with read_run(out) as run:
        assert (run.status, run.summary["jobs"]["failed"]) == ("incomplete", 1)
        assert {info.name: info.status for info in run.jobs()}[name] == "failed"
        record = run.job(name)
        assert record.failed
        assert record.log == "last words"
        assert (record.attributes["attempts"], record.attributes["image"]) == (2, 0)
        assert "memspice layer" in record.netlist
    given = install(monkeypatch, lambda _: False)
    whole = SETUP.simulate(execution=Execution(workers=1), out=out, resume=True)
    assert len(given) == 1
    assert (whole.as_json()["windows"], whole.as_json()["failures"]) == (2, [])
    with read_run(out) as run:
        assert (run.status, len(run.jobs()), run.job(name).failed) == ("complete", 4, False)


@pytest.mark.ngspice
def test_the_command_goes_on_prints_and_exits_5(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "run.h5"
    install(monkeypatch, fails_first(10**6))
    layer = ("simulate-layer", *DIGITS, "--images", 2, "--cycles", 1)
    reply = call(capsys, *layer, "--jobs", 1, "--retries", 0, "--out", out)
    assert reply.code == 5
    assert "windows        1 of 1 cycles" in reply.out
    assert "1 of 2 jobs failed" in reply.err
    assert "ngspice ended with signal 11" in reply.err
    jobs = call(capsys, "waves", "ls", out, "--json").content["jobs"]
    assert sorted(job["status"] for job in jobs) == ["done", "failed"]
    assert call(capsys, "waves", "show", out, jobs[0]["name"], "--log").out.strip() == "last words"


@pytest.mark.ngspice
def test_a_run_of_nothing_but_failures_has_no_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, lambda _: True)
    with pytest.raises(IncompleteResults, match="4 of 4 jobs failed"):
        SETUP.simulate(execution=Execution(retries=0), out=tmp_path / "run.h5")
    with read_run(tmp_path / "run.h5") as run:
        assert [info.status for info in run.jobs()] == ["failed"] * 4


@pytest.mark.ngspice
def test_infer_leaves_out_the_image_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = replace(SETUP, images=3)
    install(monkeypatch, lambda _: False)
    whole = setup.infer("reduced")
    install(monkeypatch, fails_first(10**6))
    found = setup.infer("reduced", execution=Execution(workers=1, retries=0))
    assert [item["job"] for item in found["failures"]] == [
        "dense1/image00000_position0000_outputs000_015_reduced"
    ]
    assert (whole["snn_accuracy"]["n"], found["snn_accuracy"]["n"]) == (3, 2)
    assert found["jobs"]["total"] == 6 + 2  # the last layer was not asked for the lost image
    assert found["mismatches"] == 0


def test_infer_without_an_image_left(monkeypatch: pytest.MonkeyPatch) -> None:
    crashing = StandIn(lambda _: ConvergenceError("gave up"))
    monkeypatch.setattr("memspice.experiment.chip.open_fidelity", lambda *_: Reduced(crashing))
    decks = 2 * 8  # 32 outputs of each of two images
    with pytest.raises(IncompleteResults, match=rf"{decks} of {decks} jobs failed(.|\n)*gave up"):
        SETUP.infer("reduced")


class ZeroEngine(StandIn):
    """Zeros over a whole transient, until it fails."""

    def __init__(self, fail_from: int) -> None:
        super().__init__()
        self.fail_from = fail_from

    def run(
        self, netlist: str, analysis: Analysis, *, save: Sequence[str] = (), **_: Any
    ) -> Waveforms:
        assert isinstance(analysis, Transient)
        self.runs.append(netlist)
        if len(self.runs) >= self.fail_from:
            raise EngineError("the deck failed")
        time = np.linspace(0.0, analysis.stop, 5)
        return Waveforms(time, {name: np.zeros(5) for name in save}, "", 0.0)


def test_characterize_goes_on_and_then_refuses_a_curve_with_holes() -> None:
    engine, execution = ZeroEngine(fail_from=4), Execution(workers=1, retries=0)
    with pytest.raises(IncompleteResults, match=r"4 of 7 decks failed, the first after 1 attempts"):
        characterize("sot-mtj", points=5, events=8, engine=engine, execution=execution)
    assert len(engine.runs) == 7
