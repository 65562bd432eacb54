"""Finishing and resuming a run, and everything that its writer refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from memspice.errors import StoreError
from memspice.store import JobRecord, Provenance, RunWriter, read_run, reader

PROVENANCE = Provenance(
    config="[run]\nseed = 7\nµ = 1\n",
    seed=2**63 + 5,
    engine={"name": "ngspice", "version": "39.3", "osdi": False},
)


def record(index: int = 0, points: int = 30) -> JobRecord:
    """Return a job with a waveform and an energy."""
    rng = np.random.default_rng(index)
    return JobRecord(
        key=f"{index:064x}",
        name=f"conv1/position{index:04d}",
        netlist="* deck\nV1 a 0 1\n" * (index + 1),
        time=np.cumsum(rng.random(points)) * 1e-9,
        signals={"v(out)": (rng.normal(size=points), "V")} if points else {},
        energy={"driver": rng.random()},
    )


def assert_same(found: JobRecord, stored: JobRecord) -> None:
    """Fail unless both hold the same waveform, to the last bit, and the same facts."""
    assert (found.key, found.name, found.netlist) == (stored.key, stored.name, stored.netlist)
    assert found.energy == stored.energy
    assert found.time.tobytes() == stored.time.tobytes()
    assert found.signals["v(out)"][0].tobytes() == stored.signals["v(out)"][0].tobytes()


def write(path: Path, *records: JobRecord) -> Path:
    """Write a finished run."""
    with RunWriter.create(path, PROVENANCE) as run:
        for job in records:
            run.add(job)
        run.finish({"spikes": 2})
    return path


# --- finishing and resuming -----------------------------------------------------------------------


def interrupted_run(path: Path) -> None:
    """Write a run that ends by an exception."""
    with RunWriter.create(path, PROVENANCE) as run:
        run.add(record(0))
        raise KeyboardInterrupt


def test_block_left_without_finishing_is_interrupted(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run.h5", PROVENANCE) as run:
        run.add(record(0))
    with read_run(tmp_path / "run.h5") as found:
        assert found.status == "interrupted"


def test_exception_stores_the_run_as_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with pytest.raises(KeyboardInterrupt):
        interrupted_run(path)
    with read_run(path) as found:
        assert found.status == "interrupted"
        assert_same(found.job(record(0).name), record(0))
    assert not (tmp_path / "run.h5.parts").exists()


@pytest.mark.parametrize("finish_first", [True, False])
def test_resume_gives_the_finished_keys_and_goes_on(tmp_path: Path, finish_first: bool) -> None:
    path = tmp_path / "run.h5"
    run = RunWriter.create(path, PROVENANCE)
    run.add(record(0))
    if finish_first:
        run.finish({})
    else:
        run._release()
    later = replace(PROVENANCE, command="memspice --resume", started="2100-01-01T00:00:00+00:00")
    with RunWriter.create(path, later, resume=True) as run:
        assert run.finished == {record(0).key: record(0).name}
        run.add(record(1))
        run.finish({"jobs": 2})
    with read_run(path) as found:
        assert found.provenance == PROVENANCE
        for index in (0, 1):
            assert_same(found.job(record(index).name), record(index))


def test_results_of_one_file_are_read_with_it_open_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "run.h5", *map(record, range(5)))
    opened, open_run = [], reader.open_run

    def counted(place: Path) -> Any:
        opened.append(place)
        return open_run(place)

    with RunWriter.create(path, PROVENANCE, resume=True) as run:
        monkeypatch.setattr(reader, "open_run", counted)
        found = run.stored([*run.finished, "of no job"])
        assert len(opened) == 1
        assert {key: job.name for key, job in found.items()} == run.finished
    assert_same(found[record(3).key], record(3))


def test_resume_of_nothing_starts_a_run(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run.h5", PROVENANCE, resume=True) as run:
        assert run.finished == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"config": "[run]\nseed = 8\nµ = 1\n"}, r"- seed = 7\n  \+ seed = 8"),
        ({"config": PROVENANCE.config.rstrip()}, "the ends of lines"),
        ({"seed": 8}, f"seed: {PROVENANCE.seed} -> 8"),
        ({"engine": {**PROVENANCE.engine, "version": "44.2"}}, "version: 39.3 -> 44.2"),
        ({"versions": {"numpy": "1.0"}}, "numpy: .* -> 1.0"),
    ],
)
def test_resume_of_another_run_is_refused(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    path = write(tmp_path / "run.h5", record())
    before = path.read_bytes()
    with pytest.raises(StoreError, match=words):
        RunWriter.create(path, replace(PROVENANCE, **change), resume=True)
    assert path.read_bytes() == before


def test_overwrite_forgets_the_jobs_of_a_killed_run(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    killed = RunWriter.create(path, PROVENANCE)
    killed.add(record(0))
    killed._release()
    with RunWriter.create(path, PROVENANCE, overwrite=True) as run:
        assert run.finished == {}
        run.finish({})
    with read_run(path) as found:
        assert found.jobs() == []


def test_links_follow_within_their_interval(tmp_path: Path) -> None:
    run = RunWriter.create(tmp_path / "run.h5", PROVENANCE)
    run.add(record(0))
    with h5py.File(tmp_path / "run.h5") as file:
        assert list(file["conv1"]) == ["position0000"]
    run._link_again = 0.0
    run.add(record(1))
    with h5py.File(tmp_path / "run.h5") as file:
        assert list(file["conv1"]) == ["position0000", "position0001"]


# --- what the writer refuses ----------------------------------------------------------------------


def test_existing_file_is_refused_without_a_flag(tmp_path: Path) -> None:
    path = write(tmp_path / "run.h5", record())
    with pytest.raises(StoreError, match="exists; resume it, overwrite it"):
        RunWriter.create(path, PROVENANCE)
    with pytest.raises(StoreError, match="choose one"):
        RunWriter.create(path, PROVENANCE, resume=True, overwrite=True)


def test_parts_without_their_run_are_refused(tmp_path: Path) -> None:
    run = RunWriter.create(tmp_path / "run.h5", PROVENANCE)
    run.add(record(0))
    run._release()
    (tmp_path / "run.h5").unlink()
    with pytest.raises(StoreError, match=r"holds jobs, but run\.h5 is gone"):
        RunWriter.create(tmp_path / "run.h5", PROVENANCE, resume=True)


def test_folder_as_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder; name a file in it"):
        RunWriter.create(tmp_path, PROVENANCE)


def test_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="Choose a folder you may write to"):
        RunWriter.create(tmp_path / "file" / "run.h5", PROVENANCE)


def test_second_writer_is_refused(tmp_path: Path) -> None:
    first = RunWriter.create(tmp_path / "run.h5", PROVENANCE)
    with pytest.raises(StoreError, match="another process is writing this run"):
        RunWriter.create(tmp_path / "run.h5", PROVENANCE, resume=True)
    first.finish({})


def test_finished_run_takes_no_job(tmp_path: Path) -> None:
    run = RunWriter.create(tmp_path / "run.h5", PROVENANCE)
    run.finish({})
    with pytest.raises(StoreError, match="is finished; resume it to add jobs"):
        run.add(record())
    with pytest.raises(StoreError, match="is finished"):
        run.finish({})


@pytest.mark.parametrize("summary", [{"accuracy": float("nan")}, {"path": Path("x")}])
def test_summary_must_be_finite_json(tmp_path: Path, summary: dict[str, Any]) -> None:
    with RunWriter.create(tmp_path / "run.h5", PROVENANCE) as run:
        with pytest.raises(StoreError, match="is no JSON"):
            run.finish(summary)
        run.finish({})


@pytest.mark.parametrize(
    "change", [{"config": "a\0b"}, {"command": "a\0b"}, {"seed": 2**64}, {"engine": {"v": np.inf}}]
)
def test_provenance_that_hdf5_would_change_is_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    with pytest.raises(StoreError, match="NUL|64 bits|not finite"):
        RunWriter.create(tmp_path / "run.h5", replace(PROVENANCE, **change))
    assert not list(tmp_path.iterdir())


def spoilt(values: Any, index: int, value: float) -> Any:
    """Return a copy with one value changed."""
    copy = np.array(values)
    copy[index] = value
    return copy


JOB = record()
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"signals": {"v(a)": (spoilt(JOB.time, 3, np.nan), "V")}}, r"'v\(a\)' has 1 of 30.*index 3"),
    ({"events": {"hazard": (np.array([1.0, np.inf]), "1")}}, "'hazard' has 1 of 2 .*inf"),
    ({"time": spoilt(JOB.time, 0, np.nan)}, r"time \[s\] has 1 of 30"),
    ({"time": spoilt(JOB.time, 5, 0.0)}, "goes back from .* to 0.0 s"),
    ({"time": JOB.time[:-1]}, "shape .30,. .* must be 29 real numbers"),
    ({"time": np.empty(0), "signals": {}, "events": {"a": (np.zeros((2, 2)), "1")}}, "one dim"),
    ({"events": {"a": (np.zeros(2), "1"), "b": (np.zeros(3), "1")}}, "column 'b' has shape"),
    ({"events": {"a": (np.array(["x"]), "1")}}, "type <U1"),
    ({"signals": {"v(a)": (JOB.time * 1j, "V")}}, "type complex128"),
    ({"signals": {}}, "0 signals and 30 time points"),
    ({"time": np.empty(0), "signals": {"v(a)": (np.empty(0), "V")}}, "1 signals and 0 time"),
    ({"signals": {"time": (JOB.time, "s")}}, r"the store itself uses the name \['time'\]"),
    ({"signals": {"a\0": (JOB.time, "V")}}, "NUL"),
    ({"attributes": {"step": np.nan}}, "step = nan is not finite"),
    ({"attributes": {"step": [1, 2]}}, "step is a list"),
    ({"attributes": {"seed": 2**64}}, "does not fit 64 bits"),
    ({"attributes": {"key": "x"}}, r"uses the name \['key'\]"),
    ({"attributes": {"no/name": 1}}, "'no/name' is no valid name"),
    ({"energy": {"driver": np.inf}}, "energy 'driver' = inf is not finite"),
    ({"energy": {"driver": "1"}}, "not a number of joules"),
    ({"netlist": "a\0"}, "netlist holds a NUL at index 1"),
    ({"log": "\udce9"}, "log is not valid Unicode"),
    ({"key": "../escape"}, "no valid name"),
    ({"name": ""}, "'' is no valid name"),
    ({"name": "conv1//x"}, "'' is no valid name"),
    ({"name": "provenance/x"}, "uses the name"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED)
def test_what_cannot_be_stored_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    with RunWriter.create(tmp_path / "run.h5", PROVENANCE) as run:
        with pytest.raises(StoreError, match=words):
            run.add(replace(JOB, **change))
        assert run.finished == {}
        run.add(JOB)  # the writer is still good
        run.finish({})


@pytest.mark.parametrize(
    ("key", "name"),
    [("other", JOB.name), (JOB.key, "x"), ("other", "conv1"), ("o", JOB.name + "/x")],
)
def test_name_or_key_twice_is_refused(tmp_path: Path, key: str, name: str) -> None:
    with RunWriter.create(tmp_path / "run.h5", PROVENANCE) as run:
        run.add(JOB)
        with pytest.raises(StoreError, match="is taken. Names and keys must differ"):
            run.add(replace(JOB, key=key, name=name))
        run.finish({})
