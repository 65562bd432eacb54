"""The store is killed at every moment, and on a full disk: what was finished stays."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from memspice.errors import StoreError
from memspice.store import JobRecord, Provenance, RunWriter, read_run

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


# --- a kill at any moment -------------------------------------------------------------------------

#: What changes the file system, and is reported by Python before it is done.
FILE_OPERATIONS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link"}


def two_sessions(path: Path, report: int) -> None:
    """Write a run, finish it, resume it, finish it again; report each job once it is safe."""
    for indices in ((0, 1), (2,)):
        run = RunWriter.create(path, PROVENANCE, resume=True)
        for index in indices:
            job = record(index, points=0)
            run.add(job)
            os.write(report, f"{job.name}\n".encode())
        run.finish({})


def killed_at(
    path: Path, operation: int, sessions: Callable[[Path, int], None] = two_sessions
) -> tuple[bool, list[str]]:
    """Run sessions, killed before the n-th file operation; return (killed, safe jobs)."""
    reader, report = os.pipe()
    child = os.fork()
    if child == 0:
        left = operation

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            writes = event in FILE_OPERATIONS or event == "open" and arguments[1] == "w"
            if writes:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        sessions(path, report)
        os._exit(0)
    os.close(report)
    with open(reader) as stream:
        safe = stream.read().split()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status), safe


def over_a_result(path: Path, report: int) -> None:
    """Replace a result by another, with a stop in between."""
    run = RunWriter.create(path, PROVENANCE, overwrite=True)
    for index in (3, 4):
        job = record(index, points=0)
        run.add(job)
        os.write(report, f"{job.name}\n".encode())
    with contextlib.suppress(KeyboardInterrupt), run:
        raise KeyboardInterrupt
    with RunWriter.create(path, PROVENANCE, resume=True) as again:
        again.finish({"new": True})


def check_result_after_kill(path: Path, safe: list[str]) -> None:
    """Fail unless one of two results is whole at its place, and the new one can be had."""
    with read_run(path) as run:
        assert run.status == "complete"
        new = run.summary == {"new": True}
        expected = (3, 4) if new else (0, 1, 2)
        assert [info.key for info in run.jobs()] == [record(index).key for index in expected]
    with RunWriter.create(path, PROVENANCE, resume=True) as again:
        gone_on = set(again.finished.values())
        assert gone_on >= set(safe)
        for index in (3, 4):
            if safe and record(index).key not in again.finished:
                again.add(record(index, points=0))
        again.finish({})
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def check_after_kill(path: Path, safe: list[str]) -> None:
    """Fail unless the file opens, has every safe job, can be resumed and leaves nothing behind."""
    if path.exists():
        with read_run(path) as run:
            found = {info.name for info in run.jobs()}
            assert found >= set(safe)
            for name in found:
                assert run.job(name).netlist
        with h5py.File(path) as file:
            for layer in file.values():
                assert all(layer[name] is not None for name in layer)
    else:
        assert not safe
    with RunWriter.create(path, PROVENANCE, resume=True) as run_again:
        assert set(run_again.finished.values()) >= set(safe)
        run_again.finish({"again": True})
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_killed_before_any_file_operation(tmp_path: Path) -> None:
    killed, operation = True, 0
    while killed:
        operation += 1
        folder = tmp_path / str(operation)
        folder.mkdir()
        killed, safe = killed_at(folder / "run.h5", operation)
        check_after_kill(folder / "run.h5", safe)
    assert len(safe) == 3
    assert operation > 20


def test_a_result_is_whole_until_the_new_one_is(tmp_path: Path) -> None:
    killed, operation = True, 0
    while killed:
        operation += 1
        folder = tmp_path / str(operation)
        folder.mkdir()
        with RunWriter.create(folder / "run.h5", PROVENANCE) as run:
            for index in range(3):
                run.add(record(index, points=0))
            run.finish({})
        killed, safe = killed_at(folder / "run.h5", operation, over_a_result)
        check_result_after_kill(folder / "run.h5", safe)
    assert len(safe) == 2
    assert operation > 20


CHILD = """
import sys
sys.path[:0] = sys.argv[2:]
from test_store_kill import PROVENANCE, RunWriter, record
for start in range(0, 10**6, 5):
    run = RunWriter.create(sys.argv[1], PROVENANCE, resume=True)
    for index in range(start, start + 5):
        run.add(record(index, 2000))
        sys.stdout.write(record(index).name + "\\n")
        sys.stdout.flush()
    run.finish({})
"""


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_a_random_moment(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "run.h5"
    here = Path(__file__).resolve()
    command = [sys.executable, "-c", CHILD, str(path), str(here.parent), str(here.parents[2])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(random.Random(seed).uniform(0.0, 1.0))
        child.kill()
        safe = [line.strip() for line in [first, *child.stdout] if line.endswith("\n")]
    assert safe
    with read_run(path) as run:
        for name in safe:
            assert_same(run.job(name), record(int(name[-4:]), 2000))
    check_after_kill(path, safe)


def test_half_written_files_are_ignored_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    run = RunWriter.create(path, PROVENANCE)
    run.add(record(0))
    run._release()
    (tmp_path / "run.h5.parts" / f".memspice-{7:016x}.tmp").write_bytes(b"\x89HDF\r\n")
    (tmp_path / "run.h5.tmp").write_text("somebody's own")
    with read_run(path) as killed:
        assert [info.name for info in killed.jobs()] == [record(0).name]
        assert killed.status == "running"
    RunWriter.create(path, PROVENANCE, resume=True)
    assert [item.name for item in tmp_path.rglob("*.tmp")] == ["run.h5.tmp"]


# --- a full disk ----------------------------------------------------------------------------------


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes: a write then fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_while_adding_keeps_what_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    run = RunWriter.create(path, PROVENANCE)
    run.add(record(0))
    with largest_file(60_000), pytest.raises(StoreError, match="disk full.*The 1 finished jobs"):
        run.add(record(1, points=20_000))
    with read_run(path) as found:
        assert_same(found.job(record(0).name), record(0))
    assert not list(tmp_path.rglob("*.tmp"))
    run.add(record(1, points=20_000))
    run.finish({})
    with read_run(path) as found:
        assert len(found.jobs()) == 2


def test_full_disk_while_finishing_keeps_what_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    run = RunWriter.create(path, PROVENANCE)
    for index in range(6):
        run.add(record(index, points=1000))
    with largest_file(60_000), pytest.raises(StoreError, match="disk full.*The 6 finished jobs"):
        run.finish({})
    assert not list(tmp_path.rglob("*.tmp"))
    with read_run(path) as found:
        assert len(found.jobs()) == 6
        assert_same(found.job(record(5).name), record(5, points=1000))
    run.finish({})
    with read_run(path) as found:
        assert found.status == "complete"


def fill_the_disk(path: Path, *, interrupt: bool) -> None:
    """Write a run whose disk is full before it is finished."""
    with largest_file(10**6), RunWriter.create(path, PROVENANCE) as run:
        run.add(record(0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        if interrupt:
            raise KeyboardInterrupt


def test_full_disk_does_not_hide_the_first_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        fill_the_disk(tmp_path / "run.h5", interrupt=True)
    assert "disk full" in caught.value.__notes__[0]


def test_full_disk_at_the_end_of_a_block_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="disk full"):
        fill_the_disk(tmp_path / "run.h5", interrupt=False)
