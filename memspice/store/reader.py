"""Reading a run, finished or not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from memspice.errors import StoreError
from memspice.inputs import Group, open_hdf5, parse_json
from memspice.outputs import printable
from memspice.store import reading
from memspice.store.records import JobInfo, JobRecord, Provenance, unknown_name
from memspice.store.schema import JobEntry

# The file of an earlier, finished run that is being resumed; no key begins with an underscore.
EARLIER = "_earlier.h5"
# What shows a run that is being written while its own file still holds an earlier result.
INDEX = "_index.h5"
#: File that says that a folder of parts is ours; whoever writes the run holds it.
MARK = "memspice-run.lock"


@dataclass(frozen=True)
class StoredJob:
    """A job and the file it lies in."""

    entry: JobEntry
    path: Path


def parts_folder(path: Path) -> Path:
    """Return the folder of the finished jobs of a run that is being written."""
    if path.name == INDEX:
        return path.parent
    return path.with_name(path.name + ".parts")


def open_run(path: Path) -> AbstractContextManager[Group]:
    """Open an HDF5 file that should be a run."""
    return open_hdf5(path, StoreError)


def scan_file(path: Path, run_id: str, *, whole: bool = False) -> list[StoredJob]:
    """Return the jobs in one file; none if it belongs to another run.

    Parameters
    ----------
    path : Path
        A part, or a finished run.
    run_id : str
        The run that is meant.
    whole : bool
        Read each job to its end, to see that it is what was stored.

    Raises
    ------
    StoreError
        If the file cannot be read.
    """
    with open_run(path) as file:
        root = reading.read_root(file)
        if root.run_id != run_id:
            return []
        entries = list(reading.find_jobs(file))
        reading.check_root(file, root, entries)
        for entry in entries if whole else ():
            reading.read_job(_descend(file, entry.name), entry.name)
        return [StoredJob(entry, path) for entry in entries]


def scan_parts(path: Path, run_id: str, *, whole: bool = False) -> dict[str, StoredJob]:
    """Return the jobs in the parts of a run, by key; see `scan_file`.

    Raises
    ------
    StoreError
        If a part cannot be read.
    """
    # That of the earlier file first: a job that failed in it may have a part of its own by now.
    found = (part for part in parts_folder(path).glob("[!.]*.h5") if part.name != INDEX)
    parts = sorted(found, key=lambda part: (part.name != EARLIER, part))
    return {job.entry.key: job for part in parts for job in scan_file(part, run_id, whole=whole)}


def read_stored(jobs: Iterable[StoredJob]) -> Iterator[JobRecord]:
    """Everything stored of some jobs, file by file: each is opened once.

    Raises
    ------
    StoreError
        If one is damaged.
    """
    places: dict[Path, list[str]] = {}
    for job in jobs:
        places.setdefault(job.path, []).append(job.entry.name)
    for path, names in places.items():
        with open_run(path) as file:
            for name in names:
                yield reading.read_job(_descend(file, name), name)


def _descend(file: Group, name: str) -> Group:
    group = file
    for part in name.split("/"):
        group = group.group(part)
    return group


class RunFile:
    """A run opened for reading; `read_run` makes it, a ``with`` block closes it.

    A run that is still being written shows the jobs that were finished when it was opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with ExitStack() as stack:
            self._file = stack.enter_context(open_run(path))
            self._root = reading.read_root(self._file)
            self._jobs = self._find()
            self._open = stack.pop_all()

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
        self._open.close()

    @property
    def provenance(self) -> Provenance:
        """How the run was made."""
        return reading.read_provenance(self._file)[0]

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
    def whole(self) -> bool:
        """Whether the run is one file, as it is once it has ended."""
        return self._root.layout == "single"

    @property
    def summary(self) -> dict[str, Any]:
        """What the run found; empty until it is finished."""
        text = reading.read_provenance(self._file)[1]
        found = parse_json(text or "{}", f"{printable(str(self.path))}, summary", StoreError)
        return found if isinstance(found, dict) else {}

    @property
    def kept(self) -> Any:
        """Neurons whose waveforms were to be kept; None where the run does not say."""
        with suppress(ValueError):  # a configuration is not always JSON
            config = json.loads(self.provenance.config)
            return config.get("keep") if isinstance(config, dict) else None
        return None

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
            return reading.read_job(group, name)

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
            time = reading.read_signal(group, "time")
            found = reading.read_signal(group, signal)
            if time is None or found is None or signal == "time":
                names = reading.signal_names(group)
                raise StoreError(
                    unknown_name(f"job '{job}' of {self.path}", "signal", signal, names)
                )
            return time[0], *found

    def _info(self, name: str) -> JobInfo:
        with self._group(name) as group:
            return reading.read_info(group, name)

    @contextmanager
    def _group(self, name: str) -> Iterator[Group]:
        if name not in self._jobs:
            raise StoreError(unknown_name(str(self.path), "job", name, list(self._jobs)))
        path = self._jobs[name].path
        if path == self.path:
            yield _descend(self._file, name)
        else:
            with open_run(path) as file:
                yield _descend(file, name)

    def _find(self) -> dict[str, StoredJob]:
        if self._root.layout == "linked":
            reading.check_root(self._file, self._root, [])
            jobs = list(scan_parts(self.path, self._root.run_id).values())
        else:
            entries = list(reading.find_jobs(self._file))
            reading.check_root(self._file, self._root, entries)
            jobs = [StoredJob(entry, self.path) for entry in entries]
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
