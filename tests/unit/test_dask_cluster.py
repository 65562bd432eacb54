"""Jobs on a Dask cluster: the results of this machine, to the bit, whoever dies meanwhile."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memspice.engines import find_engine
from memspice.engines.base import Cancelled, EngineInfo, SolverOptions, Transient
from memspice.errors import ConfigError, EngineTimeout, IncompleteResults, NetlistError
from memspice.jobs import EngineRequest, Execution
from memspice.jobs import cluster as cluster_module
from memspice.jobs.cluster import DaskScheduler
from memspice.jobs.simulation import EngineSource, run_simulation, waveforms_hash
from tests.cli_helpers import DIGITS, call
from tests.dask_helpers import Cluster, local_cluster
from tests.kill_helpers import content
from tests.settings import Setting

#: Eight jobs of a fraction of a second each.
SETUP = Setting(network="digits-mlp", images=1, cycles=2, tile=(33, 20))
#: 1e9 steps: ends only by a time limit, or because it is stopped.
ENDLESS = EngineRequest(
    "endless\nV1 a 0 1\nR1 a 0 1k\n", Transient(1.0, 1e-9), ("v(a)",), SolverOptions()
)

pytestmark = [pytest.mark.ngspice, pytest.mark.slow]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers of one thread each."""
    with local_cluster(tmp_path_factory.mktemp("cluster"), 2) as found:
        yield found


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("local") / "run.h5"
    SETUP.simulate(execution=Execution(workers=1), out=out)
    return out


@pytest.fixture
def client(cluster: Cluster) -> Iterator[DaskScheduler]:
    scheduler = DaskScheduler(cluster.address)
    yield scheduler
    scheduler.close()


def source() -> EngineSource:
    engine = find_engine("ngspice")
    return EngineSource(engine.info, engine)


def test_a_cluster_gives_what_one_thread_here_gives(
    cluster: Cluster, local: Path, tmp_path: Path
) -> None:
    there = Execution(scheduler=cluster.address)
    found = SETUP.simulate(execution=there, out=tmp_path / "run.h5")
    assert found.as_json()["jobs"]["simulated"] == 8
    assert content(tmp_path / "run.h5") == content(local)


def test_a_worker_killed_in_the_middle_costs_nothing_but_time(
    cluster: Cluster, local: Path, tmp_path: Path
) -> None:
    victim, killed_at = cluster.workers[0], []
    cluster.add_worker()  # for the tests that come after

    def kill(stage: str, done: int, total: int) -> None:
        if stage == "windows" and done == 2:
            victim.kill()
            killed_at.append(total - done)

    there = Execution(scheduler=str(cluster.file), workers=4)
    found = SETUP.simulate(execution=there, out=tmp_path / "run.h5", progress=kill)
    assert killed_at == [6]
    assert victim.wait() != 0
    assert found.as_json()["failures"] == []
    assert content(tmp_path / "run.h5") == content(local)


def test_what_an_engine_says_there_is_said_here(client: DaskScheduler) -> None:
    bad = replace(ENDLESS, netlist="bad\nV1 a 0 1\nR1 a 0 1k nonsense=1\n")
    with pytest.raises(NetlistError, match="nonsense") as caught:
        client.call(run_simulation, bad, waveforms_hash, source(), 60.0, cancel=threading.Event())
    assert caught.value.__notes__[0].startswith("On the worker tcp://127.0.0.1:")
    with pytest.raises(EngineTimeout, match="its limit of 0.1 s"):
        client.call(
            run_simulation, ENDLESS, waveforms_hash, source(), 0.1, cancel=threading.Event()
        )


def test_another_engine_there_is_refused(client: DaskScheduler) -> None:
    other = EngineSource(EngineInfo("ngspice", "1", "/usr/bin/ngspice", osdi=False, klu=False))
    with pytest.raises(ConfigError, match="version .*, not 1; .* Install the same"):
        client.call(run_simulation, ENDLESS, waveforms_hash, other, 1.0, cancel=threading.Event())


def note_when_stopped(folder: str, cancel: threading.Event) -> None:
    Path(folder, "began").touch()
    if cancel.wait(60.0):
        Path(folder, "stopped").touch()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30.0
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert path.exists()


def test_a_cancelled_call_is_stopped_on_its_worker(client: DaskScheduler, tmp_path: Path) -> None:
    cancel = threading.Event()

    def cancel_soon() -> None:
        wait_for(tmp_path / "began")
        cancel.set()

    threading.Thread(target=cancel_soon, daemon=True).start()
    with pytest.raises(Cancelled):
        client.call(note_when_stopped, str(tmp_path), cancel=cancel)
    wait_for(tmp_path / "stopped")


def test_a_scheduler_that_is_gone_ends_the_run(tmp_path: Path) -> None:
    with local_cluster(tmp_path, 0) as alone:
        client = DaskScheduler(alone.address)
        threading.Timer(0.5, alone.scheduler.kill).start()
        with pytest.raises(IncompleteResults, match=r"is gone; what was finished is kept"):
            client.call(note_when_stopped, str(tmp_path), cancel=threading.Event())
        client.close()


def test_no_scheduler_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.5)
    with pytest.raises(ConfigError, match="no Dask scheduler answers at tcp://127.0.0.1:1 "):
        DaskScheduler("tcp://127.0.0.1:1")


@pytest.mark.parametrize("address", ["tcp://", "nonsense://a:1", "tcp://a:b"])
def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.5)
    with pytest.raises(ConfigError, match="no Dask scheduler answers"):
        DaskScheduler(address)


def test_without_dask_the_install_line_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)  # what a missing package looks like
    reply = call(capsys, "simulate-layer", *DIGITS, "--cycles", 1,
                 "--scheduler", "tcp://127.0.0.1:8786")  # fmt: skip
    assert (reply.code, reply.out) == (2, "")
    assert "pip install 'memspice[cluster]'" in reply.err
