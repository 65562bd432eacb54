"""Reading a run, finished or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from memspice.errors import StoreError
from memspice.store import schema
from memspice.store.files import open_hdf5
from memspice.store.records import JobInfo, JobRecord, Provenance, unknown_name

# The file of an earlier, finished run that is being resumed; no key begins with an underscore.
EARLIER = "_earlier.h5"


@dataclass(frozen=True)
class StoredJob:
    """A job and the file it lies in."""

    entry: schema.Entry
    path: Path


def parts_folder(path: Path) -> Path:
    """Return the folder of the finished jobs of a run that is being written."""
    return path.with_name(path.name + ".parts")


def scan_file(path: Path, run_id: str) -> list[StoredJob]:
    """Return the jobs in one file; none if it belongs to another run.

    Raises
    ------
    StoreError
        If the file cannot be read.
    """
    with open_hdf5(path) as file, readable(path):
        if schema.read_root(file).run_id != run_id:
            return []
        return [StoredJob(entry, path) for entry in schema.find_jobs(file)]


def scan_parts(path: Path, run_id: str) -> dict[str, StoredJob]:
    """Return the jobs in the parts of a run, by key.

    Raises
    ------
    StoreError
        If a part cannot be read.
    """
    # That of the earlier file first: a job that failed in it may have a part of its own by now.
    parts = sorted(parts_folder(path).glob("*.h5"), key=lambda part: (part.name != EARLIER, part))
    return {job.entry.key: job for part in parts for job in scan_file(part, run_id)}


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what h5py raises on a damaged file into a `StoreError`."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise StoreError(f"{path} is damaged or incomplete: {error}") from error


class RunFile:
    """A run opened for reading; `read_run` makes it, a ``with`` block closes it.

    A run that is still being written shows the jobs that were finished when it was opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = open_hdf5(path)
        try:
            self._root = schema.read_root(self._file)
            with readable(path):
                self._jobs = self._find()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        """Return the run itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    @property
    def provenance(self) -> Provenance:
        """How the run was made."""
        with readable(self.path):
            return schema.read_provenance(self._file)

    @property
    def run_id(self) -> str:
        """Tells this run from any other, also from one with the same configuration."""
        return self._root.run_id

    @property
    def status(self) -> str:
        """What became of the run.

        "complete"; "incomplete", when jobs failed for good; "interrupted"; or "running", which a
        killed run says, too.
        """
        return self._root.status

    @property
    def summary(self) -> dict[str, Any]:
        """What the run found; empty until it is finished."""
        with readable(self.path):
            found: dict[str, Any] = json.loads(schema.read_summary(self._file) or "{}")
        return found

    def jobs(self) -> list[JobInfo]:
        """Return every finished job with its sizes, in the order of names."""
        return [self._info(name) for name in self._jobs]

    def job(self, name: str) -> JobRecord:
        """Return everything stored of a job.

        Raises
        ------
        StoreError
            If there is no such job, or it is damaged.
        """
        with self._group(name) as group:
            return schema.read_job(group, name)

    def waveform(
        self, job: str, signal: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
        """Return time [s], values and unit of one signal.

        Raises
        ------
        StoreError
            If there is no such job or signal, or it is damaged.
        """
        with self._group(job) as group:
            time = schema.read_signal(group, "time")
            found = schema.read_signal(group, signal)
            if time is None or found is None or signal == "time":
                names = schema.signal_names(group)
                raise StoreError(
                    unknown_name(f"job '{job}' of {self.path}", "signal", signal, names)
                )
            return time[0], *found

    def _info(self, name: str) -> JobInfo:
        with self._group(name) as group:
            return schema.read_info(group, name)

    @contextmanager
    def _group(self, name: str) -> Iterator[h5py.Group]:
        if name not in self._jobs:
            raise StoreError(unknown_name(str(self.path), "job", name, list(self._jobs)))
        path = self._jobs[name].path
        with readable(path):
            if path == self.path:
                yield self._file[name]
            else:
                with open_hdf5(path) as file:
                    yield file[name]

    def _find(self) -> dict[str, StoredJob]:
        if self._root.layout == "linked":
            jobs = list(scan_parts(self.path, self._root.run_id).values())
        else:
            jobs = [StoredJob(entry, self.path) for entry in schema.find_jobs(self._file)]
        if len(jobs) < self._root.jobs:
            raise StoreError(
                f"{self.path} has {self._root.jobs} jobs, but only {len(jobs)} were found. An "
                f"unfinished run needs {parts_folder(self.path).name} beside it; if the run was "
                "just being finished, open it again"
            )
        return {job.entry.name: job for job in sorted(jobs, key=lambda job: job.entry.name)}


def read_run(path: Path | str) -> RunFile:
    """Open a run, finished or not.

    Raises
    ------
    StoreError
        If the path is missing, a folder, truncated, no HDF5 file or no memspice run.
    """
    return RunFile(Path(path))
