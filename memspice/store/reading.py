"""How what `schema` wrote is read: each thing is checked before it is used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memspice.inputs import Group, Hdf5Dataset
from memspice.store.digests import (
    ColumnHead,
    column_digest,
    job_digest,
    provenance_digest,
    root_digest,
)
from memspice.store.records import (
    FAILED,
    PROVENANCE,
    RESERVED_ATTRIBUTES,
    VALID_NAME,
    Column,
    JobInfo,
    JobRecord,
    Provenance,
    sha256,
)
from memspice.store.schema import CREATOR, FORMAT, JobEntry, Root

_LAYOUTS = ("part", "linked", "single")
_STATUSES = ("complete", "incomplete", "interrupted", "running")
_MOST_JOBS = 10_000_000
#: What a text is for, whose checksum the job's includes.
_TEXTS = ("netlist", "log")
_CLASS = frozenset({"NX_class"})
_CHANGED = "is not what was once stored: the file has changed since"


@dataclass(frozen=True)
class _CheckedJob:
    """A job whose facts have the checksum they were stored with; its columns are still unread."""

    key: str
    attributes: dict[str, Any]
    energy: dict[str, float]
    texts: dict[str, str]
    waveforms: dict[str, _Column]
    events: dict[str, _Column]


@dataclass(frozen=True)
class _Column:
    """A column in the file and what the job says of it."""

    data: Hdf5Dataset
    head: ColumnHead

    def read(self) -> Column:
        values: NDArray[Any] = self.data.numbers("biuf", (self.head.length,))
        if column_digest(values) != self.head.digest:
            self.data.refuse(_CHANGED)
        return values, self.head.unit


def is_run(file: Group) -> bool:
    """Whether memspice wrote a file as a run."""
    return file.attributes.get("creator") == CREATOR and "run_id" in file.attributes


def read_root(file: Group) -> Root:
    """Return what the root says.

    Raises
    ------
    StoreError
        If memspice did not write the file, or another memspice did.
    """
    if not is_run(file):
        file.refuse("it is an HDF5 file, but no memspice run")
    found = file.whole("format", 0, 1_000_000)
    if found != FORMAT:
        file.refuse(
            f"it has format {found}, this memspice reads {FORMAT}: "
            + ("install the memspice that wrote it" if found > FORMAT else "run it again")
        )
    layout, status = file.line("layout"), file.line("status")
    if layout not in _LAYOUTS or status not in _STATUSES:
        file.refuse(f"layout {layout[:40]!r} or status {status[:40]!r} is unknown")
    return Root(file.line("run_id"), layout, status, file.whole("jobs", 0, _MOST_JOBS))


def check_root(file: Group, root: Root, entries: list[JobEntry]) -> None:
    """Refuse a file whose root, provenance or list of jobs is not what was stored.

    Raises
    ------
    StoreError
        If the checksum differs.
    """
    made = ""
    if root.layout != "part":
        made = str(file.group(PROVENANCE).text("sha256"))
    jobs = {entry.name: entry.digest for entry in entries}
    if file.text("sha256") != root_digest((FORMAT, *root.facts), made, jobs):
        file.refuse(f"its list of jobs, or its status, {_CHANGED}")


def read_provenance(file: Group) -> tuple[Provenance, str]:
    """Return how the run was made, and its summary: JSON text, empty while the run goes on."""
    group = file.group(PROVENANCE)
    provenance = Provenance(
        config=_read_text(group, "config"),
        seed=group.whole("seed", 0, 2**64 - 1),
        engine=_read_attributes(group.group("engine"), _CLASS),
        versions=_read_attributes(group.group("versions"), _CLASS),
        command=group.text("command"),
        started=_read_time(group, "start_time"),
    )
    summary, ended = _read_text(group, "summary"), _read_time(group, "end_time")
    if group.text("sha256") != provenance_digest(provenance, summary, ended):
        group.refuse(_CHANGED)
    return provenance, summary


def find_jobs(group: Group, prefix: str = "") -> Iterator[JobEntry]:
    """Yield the jobs below a group, in the order of their names.

    Raises
    ------
    StoreError
        If something else lies there.
    """
    for item in sorted(group.names):
        if not prefix and item == PROVENANCE:
            continue
        if not re.fullmatch(VALID_NAME, item):
            group.refuse(f"{item[:80]!r} is no name of a job")
        child = group.group(item)
        if "key" not in child.attributes:
            yield from find_jobs(child, f"{prefix}{item}/")
            continue
        key = child.line("key")
        if not re.fullmatch(VALID_NAME, key):
            child.refuse(f"{key[:80]!r} is no key of a job")
        plottable = "default" in child.attributes
        failed = child.attributes.get("status") == FAILED
        yield JobEntry(prefix + item, key, plottable, failed, child.text("sha256"))


def read_job(group: Group, name: str) -> JobRecord:
    """Return everything a job holds.

    Raises
    ------
    StoreError
        If any of it is not what was stored.
    """
    job = _open_job(group)
    waves = {name: column.read() for name, column in job.waveforms.items()}
    time = waves.pop("time", (np.empty(0), "s"))[0]
    return JobRecord(
        key=job.key,
        name=name,
        attributes=job.attributes,
        netlist=_read_text(group, "netlist"),
        log=_read_text(group, "log"),
        time=time,
        signals=waves,
        events={name: column.read() for name, column in job.events.items()},
        energy=job.energy,
    )


def read_info(group: Group, name: str) -> JobInfo:
    """Return the sizes of a job without reading its waveforms."""
    job = _open_job(group)
    first = next(iter(job.events.values()), None)
    spikes = job.events.get("spike")
    return JobInfo(
        name=name,
        key=job.key,
        points=job.waveforms["time"].head.length if job.waveforms else 0,
        signals=max(len(job.waveforms) - 1, 0),
        events=first.head.length if first else 0,
        spikes=None if spikes is None else int(np.sum(spikes.read()[0])),
        status=FAILED if job.attributes.get("status") == FAILED else "done",
    )


def read_signal(group: Group, signal: str) -> Column | None:
    """Return one signal of a job (or its "time"); None if the job does not have it."""
    found = _open_job(group).waveforms.get(signal)
    return found.read() if found else None


def signal_names(group: Group) -> list[str]:
    """Return the names of a job's signals in the order they were stored."""
    return [name for name in _open_job(group).waveforms if name != "time"]


def _open_job(group: Group) -> _CheckedJob:
    """Return a job whose facts are those that were stored.

    Raises
    ------
    StoreError
        If they are of another kind, or do not have the checksum of the job.
    """
    energy = group.group("energy")
    job = _CheckedJob(
        key=group.line("key"),
        attributes=_read_attributes(group),
        energy={name: float(energy.dataset(name).numbers("f", ())) for name in energy.names},
        texts={name: group.dataset(name).text("sha256") for name in _TEXTS if name in group},
        waveforms=_open_columns(group, "waveforms"),
        events=_open_columns(group, "events"),
    )
    heads = {
        "waveforms": [column.head for column in job.waveforms.values()],
        "events": [column.head for column in job.events.values()],
    }
    if group.text("sha256") != job_digest(job.key, job.attributes, job.energy, job.texts, heads):
        group.refuse(_CHANGED)
    return job


def _open_columns(group: Group, name: str) -> dict[str, _Column]:
    if name not in group:
        return {}
    inner = group.group(name)
    found: dict[str, _Column] = {}
    for item in inner.names:
        data = inner.dataset(item)
        if data.shape is None or len(data.shape) != 1:
            data.refuse(f"has shape {data.shape}, not one dimension")
        own, unit, digest = (data.text(key) for key in ("name", "units", "sha256"))
        found[own] = _Column(data, ColumnHead(own, unit, data.kind, data.shape[0], digest))
    if len(found) < len(inner.names) or (name == "waveforms" and "time" not in found):
        inner.refuse("has no time, or a name twice")
    return found


def _read_attributes(
    group: Group, reserved: frozenset[str] = RESERVED_ATTRIBUTES
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in group.attributes:
        if name in reserved:
            continue
        value = group.attribute(name)
        if not isinstance(value, str | int | float):
            group.refuse(f"the attribute {name!r} is an array, not text or one number")
        found[name] = value
    return found


def _read_text(group: Group, name: str) -> str:
    if name not in group:
        return ""
    data = group.dataset(name)
    text = "".join(data.texts())
    if sha256(text) != data.text("sha256"):
        data.refuse("is not the text once stored")
    return text


def _read_time(group: Group, name: str) -> str:
    return "".join(group.dataset(name).texts()) if name in group else ""
