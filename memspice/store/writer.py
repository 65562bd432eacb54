"""Writing a run so that a kill at any moment loses only the jobs in flight.

Each finished job becomes a file of its own in ``RUN.h5.parts``, and ``RUN.h5`` a small file that
links to them, so that it can be opened at any time. At the end all become one file. A file is
written under another name and renamed: under its own name it is always whole.
"""

from __future__ import annotations

import difflib
import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import h5py

from memspice.errors import StoreError
from memspice.store import reading, schema
from memspice.store.files import (
    TEMPORARY,
    install,
    lock,
    open_own,
    replace_large,
    replace_small,
    writing,
)
from memspice.store.reader import (
    EARLIER,
    StoredJob,
    open_run,
    parts_folder,
    read_run,
    scan_parts,
)
from memspice.store.records import JobRecord, Provenance, check_scalar, check_text, checked, now

# Rewriting the links takes 0.1 s at 1000 jobs, and only generic viewers need them (memspice itself
# reads the parts): not more often than this, and a twentieth of the time at most.
_LINK_INTERVAL = 1.0  # s
_LINK_SHARE = 20.0


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
        descriptor: int,
    ) -> None:
        self.path = path
        self.provenance = provenance
        self._run_id = run_id
        self._lock: int | None = descriptor
        self._jobs: dict[str, StoredJob] = {}
        self._names: set[str] = set()
        self._groups: set[str] = set()  # that hold jobs
        for job in jobs.values():
            self._remember(job)
        self._link_again = 0.0  # s, monotonic

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
            Replace what is stored there.

        Raises
        ------
        StoreError
            If the path is a folder, cannot be written, is in use by another process, holds a file
            and neither flag is given, is to be overwritten and is no run, or is to be resumed and
            was made in another way.
        """
        path = Path(path)
        check_provenance(provenance)
        earlier = _earlier_run(path, provenance, resume=resume, overwrite=overwrite)
        parts = parts_folder(path)
        with writing(path, _advice_folder):
            parts.mkdir(parents=True, exist_ok=True)
            descriptor = lock(parts / "lock")
            try:
                provenance, run_id = earlier or (provenance, uuid.uuid4().hex)
                jobs = _adopt(path, run_id) if earlier else {}
                writer = cls(path, provenance, run_id, jobs, descriptor)
                writer._link("running", "")
                writer._clean()
            except BaseException:
                os.close(descriptor)
                raise
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
                error.add_note(f"{len(self._jobs)} finished jobs are kept in {self.path}")

    @property
    def finished(self) -> dict[str, str]:
        """Key to name of every job with a result so far; a resumed run skips these."""
        jobs = self._jobs.items()
        return {key: job.entry.name for key, job in jobs if not job.entry.failed}

    def add(self, record: JobRecord) -> None:
        """Store a finished job; it is safe when this returns. It replaces its failed self.

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
            entry = schema.Entry(record.name, record.key, plottable, record.failed)
            self._remember(StoredJob(entry, part))
            if time.monotonic() >= self._link_again or len(self._jobs) == 1:
                self._link("running", "")

    def finish(
        self,
        summary: Mapping[str, Any],
        status: Literal["complete", "incomplete", "interrupted"] = "complete",
    ) -> None:
        """Make the run one file, with its summary, and remove the parts.

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
            self._link(status, text)
            size = sum(path.stat().st_size for path in {job.path for job in self._jobs.values()})
            replace_large(self.path, lambda file: self._fill_single(file, status, text), size)
            shutil.rmtree(parts_folder(self.path))
        self._release()

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
            schema.link_job(file, job.entry, f"{job.path.parent.name}/{job.path.name}")
        schema.seal(file, root, ())

    def _fill_root(self, file: h5py.File, layout: str, status: str, summary: str) -> schema.Root:
        root = schema.Root(self._run_id, layout, status, len(self._jobs))
        schema.write_root(file, root)
        ended = "" if status == "running" else now()
        schema.write_provenance(file, self.provenance, summary, ended)
        return root

    def _link(self, status: str, summary: str) -> None:
        start = time.monotonic()
        replace_small(self.path, lambda file: self._fill_links(file, status, summary))
        end = time.monotonic()
        self._link_again = end + max(_LINK_INTERVAL, _LINK_SHARE * (end - start))

    def _sorted(self) -> list[StoredJob]:
        return sorted(self._jobs.values(), key=lambda job: job.entry.name)

    def _clean(self) -> None:
        """Remove what a killed process left half-written, and the parts of an overwritten run."""
        folder = parts_folder(self.path)
        mine = {job.path for job in self._jobs.values()}
        for found in folder.iterdir():
            if found.suffix in {".h5", TEMPORARY} and found not in mine:
                found.unlink()
        with suppress(FileNotFoundError):
            self.path.with_name(self.path.name + TEMPORARY).unlink()

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
        if before and before.entry.failed and before.entry.name == record.name:
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


def _earlier_run(
    path: Path, provenance: Provenance, *, resume: bool, overwrite: bool
) -> tuple[Provenance, str] | None:
    """Return provenance and id of the run to go on with; None to start a new one."""
    if path.is_dir():
        raise StoreError(f"{path} is a folder; name a file in it, such as {path / 'run.h5'}")
    if overwrite and resume:
        raise StoreError(f"{path} cannot be both resumed and overwritten; choose one")
    if overwrite:
        _check_replaceable(path)
        return None
    if not path.exists():
        if any(parts_folder(path).glob("*.h5")):
            raise StoreError(
                f"{parts_folder(path)} holds jobs, but {path.name} is gone; put it back and "
                "resume, or overwrite"
            )
        return None
    if not resume:
        raise StoreError(f"{path} exists; resume it, overwrite it or choose another name")
    with read_run(path) as run:
        _check_same(path, run.provenance, provenance)
        return run.provenance, run.run_id


def _check_replaceable(path: Path) -> None:
    """Refuse to overwrite what is no run: it may be the only copy of somebody's work."""
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        with open_run(path) as file:
            if not reading.is_run(file):
                file.refuse("it is an HDF5 file, but no memspice run")
    except StoreError as error:
        raise StoreError(f"{error}; not replaced: remove it or choose another name") from error


def _check_same(path: Path, old: Provenance, new: Provenance) -> None:
    """Refuse to mix results that were made in different ways."""
    lines = difflib.ndiff(old.config.splitlines(), new.config.splitlines())
    changes = [line for line in lines if line[0] in "+-"]
    if old.config != new.config and not changes:
        changes = ["the ends of lines"]
    facts_old = {"seed": old.seed, **old.engine, **old.versions}
    facts_new = {"seed": new.seed, **new.engine, **new.versions}
    for name in sorted(facts_old.keys() | facts_new.keys()):
        before, after = facts_old.get(name, "absent"), facts_new.get(name, "absent")
        if before != after:
            changes.append(f"{name}: {before} -> {after}")
    if changes:
        shown = "\n  ".join([*changes[:8], *(["..."] if len(changes) > 8 else [])])
        raise StoreError(
            f"{path} was made in another way and cannot be resumed:\n  {shown}\n"
            "Use what it was made with, or write to another file"
        )


def _adopt(path: Path, run_id: str) -> dict[str, StoredJob]:
    """Return the jobs to go on with, all in parts: a finished file is made one of them."""
    with open_run(path) as file:
        layout = reading.read_root(file).layout
    if layout == "single":
        earlier = parts_folder(path) / EARLIER
        temporary = earlier.with_name(earlier.name + TEMPORARY)
        temporary.unlink(missing_ok=True)
        try:
            os.link(path, temporary)
        except OSError:  # not every file system has links
            shutil.copyfile(path, temporary)
        install(temporary, earlier)
    return scan_parts(path, run_id, whole=True)


def _with_parents(name: str) -> set[str]:
    """Return ``{"a", "a/b"}`` for ``"a/b"``."""
    parts = name.split("/")
    return {"/".join(parts[: depth + 1]) for depth in range(len(parts))}
