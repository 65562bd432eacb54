"""``kill -9`` at any moment, then ``--resume``: the result is that of a run nobody disturbed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from memspice.store import JobRecord, Provenance, RunWriter, read_run
from tests.cli_helpers import call
from tests.kill_helpers import LAYER, content, jobs_safe, run_and_kill

Capture = pytest.CaptureFixture[str]
JOBS = 8

pytestmark = pytest.mark.ngspice


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole") / "run.h5"


@pytest.mark.slow
@pytest.mark.parametrize("kill", range(3))
def test_killed_and_resumed_is_identical(
    capsys: Capture, tmp_path: Path, whole: Path, kill: int
) -> None:
    """A delay of 0 to 1.5 s after the first write: on two cores the run takes about that long."""
    if not whole.exists():
        assert call(capsys, *LAYER, "--no-cache", "--out", whole).code == 0
    # The last kill with the cache: what was in flight may come from there, and be the same.
    cache = "--no-cache" if kill < 2 else "--cache"
    out = tmp_path / "run.h5"
    run_and_kill(out, random.Random(kill).uniform(0.0, 1.5), [cache])
    safe = jobs_safe(out)
    jobs = call(capsys, *LAYER, cache, "--out", out, "--resume").content["jobs"]
    assert jobs["simulated"] + jobs["cached"] == JOBS - safe
    assert content(out) == content(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


def test_comparison_sees_a_bit(capsys: Capture, tmp_path: Path) -> None:
    """The helper that compares two runs is no good if it cannot tell them apart."""
    found = []
    for seed in (0, 1):
        out = tmp_path / f"{seed}.h5"
        arguments = (*LAYER, "--fidelity", "surrogate", "--seed", seed, "--out", out)
        assert call(capsys, *arguments).code == 0
        found.append(content(out))
        with read_run(out) as run:
            assert set(found[-1]) == {"status", "summary", "made", *(j.name for j in run.jobs())}
    one, other = found
    assert one != other
    assert one["status"] == other["status"] == "complete"


def record(index: int, *, failed: bool) -> JobRecord:
    """A job whose key comes before and one whose key comes after the name of an earlier file."""
    key = f"{'0' if index == 0 else 'f'}{index:063x}"
    attributes: dict[str, str | int] = {"status": "failed", "attempts": 2} if failed else {}
    return JobRecord(key=key, name=f"a/job{index}", attributes=attributes, netlist="deck")


def test_a_job_that_succeeds_at_last_replaces_its_failed_self_for_good(tmp_path: Path) -> None:
    out, made = tmp_path / "run.h5", Provenance(config="", seed=0, engine={})
    with RunWriter.create(out, made) as writer:
        for index in (0, 1):
            writer.add(record(index, failed=True))
        writer.finish({}, "incomplete")
    again = RunWriter.create(out, made, resume=True)
    assert again.finished == {}
    for index in (0, 1):
        again.add(record(index, failed=False))
    again._release()  # as a kill would
    for _ in range(2):
        with read_run(out) as run:
            assert [info.status for info in run.jobs()] == ["done", "done"]
            assert not run.job("a/job0").failed
        with RunWriter.create(out, made, resume=True) as last:
            assert len(last.finished) == 2
            last.finish({})
    with RunWriter.create(out, made, resume=True) as last:  # beyond a limit, it is run anew
        last.add(record(0, failed=False))
        last.finish({})
    with read_run(out) as run:
        assert [info.status for info in run.jobs()] == ["done", "done"]
