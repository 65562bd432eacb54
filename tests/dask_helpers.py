"""A Dask cluster of processes on this machine, each of which a test may kill."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Longest wait for a process to come up on a loaded machine, [s].
PATIENCE = 60.0


@dataclass
class Cluster:
    """Scheduler and workers; ``address`` and ``file`` are what ``--scheduler`` takes."""

    address: str
    file: Path
    folder: Path
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]

    def add_worker(self) -> None:
        """Start a worker of one thread; it joins when it is up."""
        self.workers.append(_start(
            self.folder, "worker", self.address, "--nthreads", "1", "--no-nanny",
            "--no-dashboard", "--local-directory", str(self.folder),
            "--death-timeout", "30",  # left alone, it goes
        ))  # fmt: skip


@contextmanager
def local_cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """Cluster of a scheduler and some workers, all gone at the end."""
    scheduler = _start(folder, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                       "--scheduler-file", str(folder / "scheduler.json"))  # fmt: skip
    cluster = Cluster("", folder / "scheduler.json", folder, scheduler, [])
    try:
        cluster.address = _address(folder / "scheduler.log", scheduler)
        for _ in range(workers):
            cluster.add_worker()
        yield cluster
    finally:
        for process in (*cluster.workers, scheduler):
            process.kill()
            process.wait()


def _start(folder: Path, role: str, *options: str) -> subprocess.Popen[bytes]:
    # python -c puts the current folder first on the path: these sources, not installed ones.
    code = f"import sys; sys.argv[0] = 'dask'; from distributed.cli.dask_{role} import main; main()"
    with (folder / f"{role}.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-c", code, *options], cwd=ROOT,
                                stdout=log, stderr=log)  # fmt: skip


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for word in log.read_text("utf-8", "replace").split():
            if word.startswith("tcp://"):
                return word
        assert process.poll() is None, log.read_text("utf-8", "replace")
        time.sleep(0.05)
    raise AssertionError(f"no scheduler after {PATIENCE} s: {log.read_text('utf-8', 'replace')}")
