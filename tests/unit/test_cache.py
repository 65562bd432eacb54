"""The cache of results: what is kept comes back to the bit, and nothing else ever does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memspice.circuits.deck import Deck
from memspice.engines import find_engine
from memspice.engines.base import (
    Analysis,
    EngineInfo,
    OperatingPoint,
    SolverOptions,
    Transient,
)
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, EngineError, StoreError
from memspice.experiment.characterize import characterize
from memspice.jobs import EngineRequest, Entry, Execution, JobCache, Simulation, open_runner
from memspice.jobs import simulation as simulation_module
from memspice.jobs.again import compare_again
from memspice.parameters import load_parameter_set
from memspice.windows.reduced import DECK_OUTPUTS
from tests.cli_helpers import largest_file
from tests.kill_helpers import content
from tests.settings import Setting

KEY = "ab" + "0" * 62
ENTRY = Entry(
    {"text": "µ\n", "number": 0.1 + 0.2, "nested": {"whole": 2**60, "flag": True}},
    {
        "v(out)/x": np.array([0.1, -0.0, 5e-324, np.pi]),
        "spike": np.array([1, 0], dtype=np.int8),
        "flag": np.array([[True], [False]]),
        "empty": np.empty(0),
    },
    {"job": "a/b", "engine": "ngspice 39"},
)


# --- the folder -------------------------------------------------------------------------------


def test_what_is_kept_comes_back_to_the_bit(tmp_path: Path) -> None:
    cache = JobCache(tmp_path)
    assert cache.get(KEY) is None
    cache.put(KEY, ENTRY)
    found = cache.get(KEY)
    assert found is not None
    assert (found.facts, found.label) == (ENTRY.facts, ENTRY.label)
    assert list(found.arrays) == list(ENTRY.arrays)
    for name, values in ENTRY.arrays.items():
        assert found.arrays[name].dtype == values.dtype
        assert found.arrays[name].shape == values.shape
        assert found.arrays[name].tobytes() == values.tobytes()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{KEY}.job"]


def test_the_folder_is_the_one_that_the_variable_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MEMSPICE_CACHE", str(tmp_path / "named"))
    assert JobCache().folder == tmp_path / "named"
    monkeypatch.delenv("MEMSPICE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert JobCache().folder == tmp_path / "memspice" / "jobs"


@pytest.mark.parametrize("position", [0, 20, 90, 150, -1])
def test_a_damaged_entry_is_as_good_as_absent(tmp_path: Path, position: int) -> None:
    """One flipped bit in each part of the file: format, checksum, label, archive, end."""
    cache = JobCache(tmp_path)
    cache.put(KEY, ENTRY)
    path = cache.path(KEY)
    damaged = bytearray(path.read_bytes())
    damaged[position] ^= 1
    path.write_bytes(damaged)
    assert cache.get(KEY) is None
    with pytest.raises(StoreError, match="checksum"):
        cache.read(cache.files()[0])
    path.write_bytes(path.read_bytes()[:60])
    assert cache.get(KEY) is None
    cache.put(KEY, ENTRY)
    assert cache.get(KEY) is not None


def test_an_entry_that_is_gone_is_said(tmp_path: Path) -> None:
    cache = JobCache(tmp_path)
    cache.put(KEY, ENTRY)
    file = cache.files()[0]
    file.path.unlink()
    with pytest.raises(StoreError, match="does not exist"):
        cache.read(file)


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "AB" + "0" * 62, "0" * 63])
def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match="is no key"):
        JobCache(tmp_path).get(key)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = JobCache(tmp_path)
    with largest_file(100), pytest.raises(StoreError, match="memspice cache prune"):
        cache.put(KEY, ENTRY)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


CHILD = """
import sys
import numpy as np
from memspice.jobs import Entry, JobCache
cache = JobCache()
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.readline()
for turn in range(40):
    for number in range(5):
        key = f"{number:064x}"
        cache.put(key, Entry({"number": number}, {"values": np.full(2000, float(number))}))
        found = cache.get(key)
        assert found is not None and found.facts == {"number": number}
        assert (found.arrays["values"] == number).all()
"""


def test_several_processes_share_a_folder(result_cache: Path) -> None:
    """Two write and read the same five entries, forty times each: never half a file."""
    root = Path(__file__).resolve().parents[2]
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD], cwd=root, text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    for child in children:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
    assert [child.communicate("go\n") and child.returncode for child in children] == [0, 0]
    assert len(JobCache(result_cache).files()) == 5
    assert not list(result_cache.rglob("*.part"))


def aged(folder: Path, ages: Sequence[float]) -> JobCache:
    """Cache with one entry of each age [s], named by its number."""
    cache = JobCache(folder)
    for number, age in enumerate(ages):
        key = f"{number:064x}"
        cache.put(key, ENTRY)
        os.utime(cache.path(key), (time.time() - age,) * 2)
    return cache


def kept(cache: JobCache) -> list[int]:
    return [int(file.key, 16) for file in cache.files()]


def test_prune_by_size_takes_what_was_used_longest_ago(tmp_path: Path) -> None:
    cache = aged(tmp_path, [300, 100, 200, 400])
    assert kept(cache) == [1, 2, 0, 3]
    size = cache.files()[0].size
    assert cache.get(f"{3:064x}") is not None  # the oldest, but used just now
    removed = cache.prune(2 * size)
    assert [int(file.key, 16) for file in removed] == [2, 0]
    assert kept(cache) == [3, 1]


def test_prune_by_age_and_of_all(tmp_path: Path) -> None:
    cache = aged(tmp_path, [300, 100, 200])
    assert len(cache.prune(float("inf"))) == 0
    cache.prune(float("inf"), 250.0)
    assert kept(cache) == [1, 2]
    cache.prune()
    assert kept(cache) == []


def test_prune_removes_what_a_killed_writer_left_but_no_file_in_the_making(tmp_path: Path) -> None:
    cache = aged(tmp_path, [0])
    place = cache.path(KEY).parent
    old, young = (place / f".memspice-{digit * 16}.tmp" for digit in "ab")
    old.parent.mkdir()
    old.touch()
    young.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    cache.prune(float("inf"))
    assert not old.exists()
    assert young.exists()


# --- what decides a result --------------------------------------------------------------------

INFO = EngineInfo("ngspice", "39", "/usr/bin/ngspice", osdi=False, klu=False)
REQUEST = EngineRequest("deck", Transient(1.0, 0.1), ("v(a)",), SolverOptions())


def total(waves: Waveforms) -> float:
    return float(waves.signals["v(a)"].sum())


class Number:
    """Keeps a number."""

    def pack(self, result: float) -> Entry:
        return Entry({"number": result})

    def unpack(self, entry: Entry) -> float:
        return float(entry.facts["number"])


def simulation(request: EngineRequest = REQUEST, *identity: object) -> Simulation[float]:
    return Simulation("a job", request, identity, total, Number())


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, netlist="deck "),
        replace(REQUEST, analysis=Transient(1.0, 0.1, from_rest=True)),
        replace(REQUEST, analysis=OperatingPoint()),
        replace(REQUEST, save=("v(a)", "v(b)")),
        replace(REQUEST, options=SolverOptions(reltol=1e-5)),
    ],
)
def test_another_request_has_another_key(other: EngineRequest) -> None:
    assert simulation(other).key(INFO) != simulation().key(INFO)
    assert simulation(replace(REQUEST)).key(INFO) == simulation().key(INFO)


@pytest.mark.parametrize(
    "change",
    [{"name": "vacask"}, {"version": "40"}, {"klu": True}, {"osdi": True}, {"sha256": "0" * 64}],
)
def test_another_engine_has_another_key_wherever_it_lies(change: dict[str, Any]) -> None:
    key = simulation().key(INFO)
    assert simulation().key(replace(INFO, **change)) != key
    assert simulation().key(replace(INFO, path="/opt/ngspice")) == key


def test_other_code_or_models_have_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    key = simulation().key(INFO)
    found = simulation_module.tools(INFO)
    monkeypatch.setattr(simulation_module, "tools", lambda _: {**found, "memspice": "changed"})
    assert simulation().key(INFO) != key


def test_what_is_read_from_the_waveforms_is_in_the_key() -> None:
    keys = {simulation(REQUEST, *identity).key(INFO) for identity in [(), (1,), (2,), (1, 2)]}
    assert len(keys) == 4


# --- a second run -----------------------------------------------------------------------------


class Counting:
    """Answers with the number of the run."""

    info = INFO

    def __init__(self, fail: bool = False) -> None:
        self.runs = 0
        self.fail = fail

    def write(self, deck: Deck) -> str:
        return str(deck)

    def run(
        self, netlist: str, analysis: Analysis, *, save: Sequence[str] = (), **_: Any
    ) -> Waveforms:
        self.runs += 1
        if self.fail:
            raise EngineError("crashed")
        return Waveforms(
            np.zeros(1), {name: np.array([float(self.runs)]) for name in save}, "", 0.0
        )


def run_twice(engine: Counting, execution: Execution) -> list[Any]:
    found = []
    for _ in range(2):
        with open_runner(engine, execution) as runner:
            found.append(runner.run(simulation(), threading.Event()))
    return found


def test_a_second_run_runs_nothing() -> None:
    engine = Counting()
    assert run_twice(engine, Execution(cache=True)) == [1.0, 1.0]
    assert engine.runs == 1


def test_without_the_cache_everything_runs(result_cache: Path) -> None:
    engine = Counting()
    assert run_twice(engine, Execution(cache=False)) == [1.0, 2.0]
    assert not result_cache.exists()


def test_a_failure_is_not_kept(result_cache: Path) -> None:
    engine = Counting(fail=True)
    run_twice(engine, Execution(cache=True, retries=0))
    assert engine.runs == 2
    assert not JobCache(result_cache).files()


def test_a_cache_that_cannot_be_written_costs_no_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEMSPICE_CACHE", str(tmp_path / "file"))
    with open_runner(Counting(), Execution(cache=True)) as runner:
        assert runner.run(simulation(), threading.Event()) == 1.0
        assert len(runner.tally.problems) == 1
        assert "could not be written: Not a directory" in runner.tally.problems[0]


@pytest.mark.ngspice
def test_a_layer_from_the_cache_is_that_of_the_engine_to_the_bit(tmp_path: Path) -> None:
    setup = Setting(network="digits-mlp", images=1, cycles=2, tile=(65, 32))
    run = {"execution": Execution(cache=True)}
    found = [setup.simulate(out=tmp_path / f"{number}.h5", **run) for number in range(2)]
    decks = 32 // DECK_OUTPUTS  # of the 32 neurons of dense1
    assert [item.as_json()["jobs"]["simulated"] for item in found] == [decks, 0]
    assert [item.as_json()["jobs"]["cached"] for item in found] == [0, decks]
    assert content(tmp_path / "0.h5") == content(tmp_path / "1.h5")
    other = replace(setup, seed=1).simulate(**run)
    assert other.as_json()["jobs"]["cached"] == 0


@pytest.mark.ngspice
def test_a_curve_from_the_cache_is_that_of_the_engine(
    result_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, chosen, runs = find_engine("ngspice"), load_parameter_set("sot-mtj"), []
    run = engine.run

    def counted(netlist: str, analysis: Analysis, **options: Any) -> Waveforms:
        runs.append(netlist)
        return run(netlist, analysis, **options)

    monkeypatch.setattr(engine, "run", counted)
    first, second = (
        characterize(chosen, points=2, events=8, engine=engine, execution=Execution(cache=True))
        for _ in range(2)
    )
    assert len(runs) == len(JobCache(result_cache).files()) == 4
    assert first.points == second.points


# --- simulated again --------------------------------------------------------------------------


@pytest.mark.ngspice
def test_an_engine_gives_the_same_again_and_a_forged_answer_is_found(result_cache: Path) -> None:
    request = replace(REQUEST, netlist="d\nV1 a 0 1\nR1 a 0 1k\n")
    with open_runner(find_engine("ngspice"), Execution(cache=True)) as runner:
        runner.run(simulation(request), threading.Event())
    cache = JobCache(result_cache)
    assert [item.verdict for item in compare_again(cache, cache.files(), 5, 0)] == ["same"]
    file = cache.files()[0]
    entry = cache.read(file)
    again = dict(entry.facts["again"])
    for change, verdict in (
        ({"waveforms": "0" * 64}, "differs"),
        ({"request": {**again["request"], "netlist": "d\nR1 a 0\n"}}, "differs"),
        ({"tools": {**again["tools"], "version": "1"}}, "not comparable"),
    ):
        cache.put(file.key, replace(entry, facts={"again": {**again, **change}}))
        assert compare_again(cache, cache.files(), 1, 0)[0].verdict == verdict
    cache.put(file.key, replace(entry, label={"job": "a", "engine": "hspice 1"}))
    assert compare_again(cache, cache.files(), 1, 0)[0].verdict == "not comparable"
