"""Writing a run so that a kill at any moment loses only the jobs in flight.

Each finished job becomes a file of its own in ``RUN.h5.parts``, and ``RUN.h5`` a small file that
links to them, so that it can be opened at any time. At the end all become one file. A file is
written under another name and renamed: under its own name it is always whole.

Where ``RUN.h5`` is an earlier result it stays as it is until the new run is whole: the links are
then in ``RUN.h5.parts/_index.h5``. Only a folder that carries `MARK` is written into or removed.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import h5py

from memspice.errors import StoreError
from memspice.outputs import TEMPORARY, claim_folder, writing
from memspice.store import schema
from memspice.store.earlier import Earlier, adopt, find_earlier
from memspice.store.files import open_own, replace_large, replace_small
from memspice.store.reader import MARK, StoredJob, parts_folder, read_stored
from memspice.store.records import (
    JobRecord,
    Provenance,
    check_scalar,
    check_text,
    checked,
    now,
)

# Rewriting the links takes 0.1 s at 1000 jobs, and only generic viewers need them (memspice itself
# reads the parts): not more often than this, and a twentieth of the time at most.
_LINK_INTERVAL = 1.0  # s
_LINK_SHARE = 20.0


Status = Literal["complete", "incomplete", "interrupted"]


class RunWriter:
    """A run being written, by one thread of one process; `create` makes it.

    At the end of a ``with`` block a run that was not finished is stored as "interrupted".
    """

    def __init__(
        self,
        path: Path,
        provenance: Provenance,
        run_id: str,
        jobs: Mapping[str, StoredJob],
        index: Path,
        descriptor: int,
    ) -> None:
        self.path = path
        self._index = index
        self.provenance = provenance
        self._run_id = run_id
        self._lock: int | None = descriptor
        self._jobs: dict[str, StoredJob] = {}
        self._names: set[str] = set()
        self._groups: set[str] = set()  # that hold jobs
        for job in jobs.values():
            self._remember(job)
        self._link_again = 0.0  # s, monotonic
        self._linked_jobs: int | None = None  # None: a whole run of before is as it was

    @classmethod
    def create(
        cls,
        path: Path | str,
        provenance: Provenance,
        *,
        resume: bool = False,
        overwrite: bool = False,
    ) -> Self:
        """Start a run, or go on with one.

        Parameters
        ----------
        path : Path or str
            The run's file; missing folders are made.
        provenance : Provenance
            How the run is made.
        resume : bool
            Go on with the run stored there, if there is one; see `finished`.
        overwrite : bool
            Replace what is stored there: a result once this run is complete, a run that was
            stopped at once.

        Raises
        ------
        StoreError
            If the path is a folder, cannot be written, is in use by another process, holds a file
            and neither flag is given, is to be overwritten and is no run, or is to be resumed and
            was made in another way; or if its folder of parts is somebody else's.
        ConfigError
            If the path is something else than a regular file that may be written.
        """
        path = Path(path)
        check_provenance(provenance)
        with writing(path, _advice_folder):
            earlier = find_earlier(path, provenance, resume=resume, overwrite=overwrite)
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = claim_folder(parts_folder(path), MARK)
            try:
                writer = cls._start(path, provenance, earlier, descriptor)
            except BaseException:
                os.close(descriptor)
                raise
        return writer

    @classmethod
    def _start(cls, path: Path, provenance: Provenance, earlier: Earlier, descriptor: int) -> Self:
        run_id = earlier.run_id or uuid.uuid4().hex
        jobs = adopt(path, earlier.run_id) if earlier.run_id else {}
        made = earlier.provenance or provenance
        writer = cls(
            path, made, run_id=run_id, jobs=jobs, index=earlier.index, descriptor=descriptor
        )
        if not earlier.whole:
            writer._link("running", "")
        writer._clean()
        return writer

    def __enter__(self) -> Self:
        """Return the run itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Store the run as "interrupted" if it was not finished."""
        if self._lock is None:
            return
        if self._linked_jobs is None:
            self._remove_parts()
            self._release()
            return
        count = len(self._jobs)
        try:
            self.finish({}, "interrupted")
        except StoreError as second:
            self._release()
            if error is None:
                raise
            if not isinstance(error, StoreError):  # which says already where the jobs are
                error.add_note(f"The run could not be made one file either: {second}")
        else:
            if error is not None:
                error.add_note(f"{count} finished jobs are kept in {self.place}")

    @property
    def place(self) -> Path:
        """File that shows the run: its own, or one beside an earlier result."""
        return self._index

    @property
    def finished(self) -> dict[str, str]:
        """Key to name of every job with a result so far; a resumed run skips these."""
        jobs = self._jobs.items()
        return {key: job.entry.name for key, job in jobs if not job.entry.failed}

    def stored(self, keys: Iterable[str]) -> dict[str, JobRecord]:
        """Those of some jobs that have a result so far, by key.

        Raises
        ------
        StoreError
            If one is damaged.
        """
        finished = self.finished
        jobs = (self._jobs[key] for key in keys if key in finished)
        return {record.key: record for record in read_stored(jobs)}

    def add(self, record: JobRecord) -> None:
        """Store a finished job; it is safe when this returns. It replaces its earlier self.

        Raises
        ------
        StoreError
            If the record holds what cannot be stored (a number that is not finite, a name twice),
            the disk is full, or the run is finished.
        """
        self._check_open()
        record = checked(record)
        self._check_new(record)
        part = parts_folder(self.path) / f"{record.key}.h5"
        with writing(part, self._advice):
            replace_small(part, lambda file: self._fill_part(file, record))
            plottable = bool(record.signals or record.events)
            entry = schema.JobEntry(record.name, record.key, plottable, record.failed)
            self._remember(StoredJob(entry, part))
            if time.monotonic() >= self._link_again or not self._linked_jobs:
                self._link("running", "")

    def finish(
        self,
        summary: Mapping[str, Any],
        status: Status = "complete",
    ) -> None:
        """Make the run one file, with its summary, and remove the parts.

        A run that is not complete stays in parts beside the earlier result in its place, if there
        is one; `place` tells.

        Raises
        ------
        StoreError
            If the summary is no JSON (or not finite), the disk is full (the parts then stay, and
            the run can be read and resumed), or the run is finished already.
        """
        self._check_open()
        try:
            text = json.dumps(dict(summary), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise StoreError(f"the summary of {self.path} is no JSON: {error}") from error
        with writing(self.path, self._advice):
            if self._linked_jobs is not None:
                self._link(status, text)
            if self._index == self.path or status == "complete":
                self._make_one_file(status, text)
        self._release()

    def _make_one_file(self, status: str, summary: str) -> None:
        parts = {job.path for job in self._jobs.values()}
        size = sum(path.stat().st_size for path in parts)
        folder = parts_folder(self.path)
        replace_large(
            self.path, lambda file: self._fill_single(file, status, summary), size, folder
        )
        if self._index != self.path:
            self._index.unlink()  # first of all: what it shows is about to go
            self._index = self.path
        self._remove_parts()

    def _remove_parts(self) -> None:
        self._jobs = {}
        self._clean()
        folder = parts_folder(self.path)
        (folder / MARK).unlink()
        with suppress(OSError):  # somebody else's file stays, and the folder with it
            folder.rmdir()

    def _fill_part(self, file: h5py.File, record: JobRecord) -> None:
        root = schema.Root(self._run_id, "part", "complete", 1)
        schema.write_root(file, root)
        schema.write_job(file, record)
        schema.seal(file, root, [record.name])

    def _fill_single(self, file: h5py.File, status: str, summary: str) -> None:
        root = self._fill_root(file, "single", status, summary)
        for job in self._sorted():
            with open_own(job.path) as source:
                schema.copy_job(file, job.entry, source)
        schema.seal(file, root, [job.entry.name for job in self._sorted()])

    def _fill_links(self, file: h5py.File, status: str, summary: str) -> None:
        root = self._fill_root(file, "linked", status, summary)
        for job in self._sorted():
            schema.link_job(file, job.entry, os.path.relpath(job.path, self._index.parent))
        schema.seal(file, root, ())

    def _fill_root(self, file: h5py.File, layout: str, status: str, summary: str) -> schema.Root:
        root = schema.Root(self._run_id, layout, status, len(self._jobs))
        schema.write_root(file, root)
        ended = "" if status == "running" else now()
        schema.write_provenance(file, self.provenance, summary, ended)
        return root

    def _link(self, status: str, summary: str) -> None:
        start = time.monotonic()
        folder = parts_folder(self.path)
        replace_small(self._index, lambda file: self._fill_links(file, status, summary), folder)
        self._linked_jobs = len(self._jobs)
        end = time.monotonic()
        self._link_again = end + max(_LINK_INTERVAL, _LINK_SHARE * (end - start))

    def _sorted(self) -> list[StoredJob]:
        return sorted(self._jobs.values(), key=lambda job: job.entry.name)

    def _clean(self) -> None:
        """Remove what a killed process left half-written, and the parts of an overwritten run."""
        folder = parts_folder(self.path)
        mine = {job.path for job in self._jobs.values()} | {self._index}
        for found in folder.iterdir():
            ours = found.suffix == ".h5" or TEMPORARY.fullmatch(found.name)
            if ours and found not in mine and found.is_file() and not found.is_symlink():
                found.unlink()

    def _check_open(self) -> None:
        if self._lock is None:
            raise StoreError(f"{self.path} is finished; resume it to add jobs")

    def _remember(self, job: StoredJob) -> None:
        self._jobs[job.entry.key] = job
        self._names.add(job.entry.name)
        self._groups |= _with_parents(job.entry.name) - {job.entry.name}

    def _check_new(self, record: JobRecord) -> None:
        """Refuse a key or name twice, and a job inside another (they are groups of one file)."""
        before = self._jobs.get(record.key)
        if before and before.entry.name == record.name:
            return
        taken = _with_parents(record.name) & self._names or {record.name} & self._groups
        if record.key in self._jobs or taken:
            raise StoreError(
                f"job '{record.name}' with key {record.key} cannot be stored in {self.path}: the "
                f"{f'name {min(taken)}' if taken else 'key'} is taken. Names and keys must "
                "differ, and no job lies in another"
            )

    def _advice(self) -> str:
        return (
            f"The {len(self._jobs)} finished jobs are safe in {parts_folder(self.path)}: "
            "make room and resume the run"
        )

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


@contextmanager
def open_store(
    out: Path | None, provenance: Provenance, *, resume: bool = False
) -> Iterator[RunWriter | None]:
    """Yield the run that a command writes, if it writes any; see `RunWriter.create`.

    Parameters
    ----------
    out : Path, optional
        Its file; nothing is stored without.
    provenance : Provenance
        How it is made.
    resume : bool
        Go on with what is there, instead of replacing it.
    """
    if out is None:
        yield None
        return
    with RunWriter.create(out, provenance, resume=resume, overwrite=not resume) as writer:
        yield writer


def place_notes(writer: RunWriter | None) -> list[str]:
    """Say where a finished run is, if not where it was asked for."""
    if writer is None or writer.place == writer.path:
        return []
    return [f"{writer.path} is still the earlier result; this one is in {writer.place}"]


def check_provenance(provenance: Provenance) -> None:
    """Refuse what HDF5 would change.

    Raises
    ------
    StoreError
        If a text holds a NUL, or a number does not fit.
    """
    check_text("the configuration", provenance.config)
    facts = {"command": provenance.command, "seed": provenance.seed}
    for name, value in {**facts, **provenance.engine, **provenance.versions}.items():
        check_scalar(f"provenance: {name}", value)


def _advice_folder() -> str:
    return "Choose a folder you may write to"


def _with_parents(name: str) -> set[str]:
    """Return ``{"a", "a/b"}`` for ``"a/b"``."""
    parts = name.split("/")
    return {"/".join(parts[: depth + 1]) for depth in range(len(parts))}
