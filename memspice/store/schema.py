"""How a run lies in HDF5, and how it is written; `reading` reads it, and nothing else knows it.

::

    /                    NXroot     creator, format, status, layout, run_id, jobs, default
    /provenance          NXentry    seed and command; config, summary, start_time, end_time
        engine, versions            attributes of NXcollection groups
    /LAYER               NXentry
    /LAYER/WINDOW        NXsubentry one job: its key and attributes; netlist, log, title
        waveforms        NXdata     time and every signal; plots those with the unit of the first
        waveforms_UNIT   NXdata     the same datasets (hard links), plots those of another unit
        events           NXdata     equally long columns, one row an event
        energy           NXcollection  one number a component, J; ``closure`` is a fraction

The chain of ``default`` attributes leads from the root to the first job that has something to
plot, so that h5web, silx, NeXpy and HDFView draw it on opening. Long texts are compressed. Texts,
columns, jobs, the provenance and the root carry a ``sha256``, each over what the inner ones do not
cover (see `digests`). Datasets have names valid in every version of NeXus, of letters, digits and
``_``; what a name had to lose (``v(out)`` becomes ``v_out``) is kept in the attribute ``name``, and
memspice speaks of that name only.

While a run is being written (``layout`` is "linked") each job is an external link to a part file,
which has the same groups but no ``/provenance``.

References
----------
.. [1] NeXus manual, base classes NXroot, NXentry, NXsubentry and NXdata, and "Rules for Storing
   Data Items in NeXus Files". https://manual.nexusformat.org
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from memspice.store.digests import (
    column_digest,
    column_head,
    job_digest,
    provenance_digest,
    root_digest,
)
from memspice.store.records import (
    PROVENANCE,
    Column,
    JobRecord,
    Provenance,
    now,
    sha256,
)

CREATOR = "memspice"
FORMAT = 2
_CHUNK = 1 << 16  # points; half a MiB, so that a window of a long transient is read quickly
_PLOTTED = 8  # signals drawn at once by a viewer; more are slow and cannot be told apart


@dataclass(frozen=True)
class Root:
    """Root of a file, which says what holds of all: ``layout`` is "part", "linked" or "single"."""

    run_id: str
    layout: str
    status: str = ""
    jobs: int = 0

    @property
    def facts(self) -> tuple[str | int, ...]:
        """All of it, for the file's checksum."""
        return self.run_id, self.layout, self.status, self.jobs


@dataclass(frozen=True)
class JobEntry:
    """A job found in a file: whether a viewer can plot it, whether it failed, its checksum."""

    name: str
    key: str
    plottable: bool
    failed: bool = False
    digest: str = ""


def write_root(file: h5py.File, root: Root) -> None:
    """Write the root's attributes; `seal` ends the file."""
    file.attrs.update(NX_class="NXroot", creator=CREATOR, format=FORMAT, file_time=now())
    file.attrs.update(HDF5_Version=h5py.version.hdf5_version, h5py_version=h5py.__version__)
    file.attrs.update(
        run_id=root.run_id, layout=root.layout, status=root.status, jobs=np.int64(root.jobs)
    )


def write_provenance(file: h5py.File, provenance: Provenance, summary: str, ended: str) -> None:
    """Write how the run was made and, at its end, its summary (JSON text)."""
    group = _group(file, PROVENANCE, "NXentry")
    group.attrs.update(seed=provenance.seed, command=provenance.command)
    _write_text(group, "config", provenance.config)
    _write_text(group, "summary", summary)
    group["start_time"] = provenance.started
    if ended:
        group["end_time"] = ended
    _group(group, "engine", "NXcollection").attrs.update(provenance.engine)
    _group(group, "versions", "NXcollection").attrs.update(provenance.versions)
    group.attrs["sha256"] = provenance_digest(provenance, summary, ended)


def seal(file: h5py.File, root: Root, names: Iterable[str]) -> None:
    """Write the checksum of the whole file, which holds the jobs of these names."""
    made = str(file[PROVENANCE].attrs["sha256"]) if PROVENANCE in file else ""
    jobs = {name: str(file[name].attrs["sha256"]) for name in names}
    file.attrs["sha256"] = root_digest((FORMAT, *root.facts), made, jobs)


def write_job(file: h5py.File, record: JobRecord) -> None:
    """Write one job, and the default chain that leads to its plot."""
    contents = {"waveforms": record.signals, "events": record.events}
    plots = [name for name, columns in contents.items() if columns]
    parent, leaf = _place(file, JobEntry(record.name, record.key, bool(plots)))
    group = _group(parent, leaf, "NXsubentry" if "/" in record.name else "NXentry")
    group.attrs["key"] = record.key
    group.attrs.update(record.attributes)
    group["title"] = record.name
    _write_text(group, "netlist", record.netlist)
    _write_text(group, "log", record.log)
    if plots:
        group.attrs["default"] = plots[0]
    if record.signals:
        _write_waveforms(group, record)
    if record.events:
        _write_events(group, record.events)
    energy = _group(group, "energy", "NXcollection")
    for name, value in record.energy.items():
        energy[name] = np.float64(value)
        energy[name].attrs["units"] = "1" if name == "closure" else "J"
    group.attrs["sha256"] = _digest(record)


def _digest(record: JobRecord) -> str:
    waveforms = {"time": (record.time, "s"), **record.signals} if record.signals else {}
    contents = {"waveforms": waveforms, "events": record.events}
    heads = {
        kind: [column_head(name, unit, values) for name, (values, unit) in columns.items()]
        for kind, columns in contents.items()
    }
    texts = {"netlist": record.netlist, "log": record.log}
    digests = {name: sha256(text) for name, text in texts.items() if text}
    return job_digest(record.key, record.attributes, record.energy, digests, heads)


def link_job(file: h5py.File, entry: JobEntry, part: str) -> None:
    """Show a job that lies in another file; `part` is that file's path from this one's folder."""
    parent, leaf = _place(file, entry)
    parent[leaf] = h5py.ExternalLink(part, f"/{entry.name}")


def copy_job(file: h5py.File, entry: JobEntry, source: h5py.File) -> None:
    """Copy a job from another file, its compressed chunks as they are."""
    parent, leaf = _place(file, entry)
    source.copy(entry.name, parent, name=leaf)


def _group(parent: h5py.Group, name: str, nexus_class: str) -> h5py.Group:
    group = parent.create_group(name, track_order=True)
    group.attrs["NX_class"] = nexus_class
    return group


def _place(file: h5py.File, entry: JobEntry) -> tuple[h5py.Group, str]:
    """Return the group that holds a job and the job's name in it; make both where missing."""
    group: h5py.Group = file
    for depth, part in enumerate(entry.name.split("/")):
        if entry.plottable and "default" not in group.attrs:
            group.attrs["default"] = part
        if depth == entry.name.count("/"):
            return group, part
        if part not in group:
            _group(group, part, "NXsubentry" if depth else "NXentry")
        group = group[part]
    raise AssertionError("a job's name has at least one part")


def _write_text(group: h5py.Group, name: str, text: str) -> None:
    """Write compressed text; of fixed length, because HDF5 does not compress the other kind."""
    if text:
        data = text.encode()
        kind = h5py.string_dtype("utf-8", len(data))
        dataset = group.create_dataset(name, shape=(1,), dtype=kind, compression="gzip")
        dataset[0] = data
        dataset.attrs["sha256"] = sha256(text)


def _write_waveforms(job: h5py.Group, record: JobRecord) -> None:
    group = _group(job, "waveforms", "NXdata")
    _write_column(group, "time", "time", (record.time, "s"))
    items = _write_columns(group, record.signals, {"time"})
    taken: set[str] = set()
    units: dict[str, list[str]] = {}
    for name, item in items.items():
        units.setdefault(record.signals[name][1], []).append(item)
    for index, (unit, names) in enumerate(units.items()):
        target = group
        if index:
            target = _group(job, f"waveforms_{_item_name(unit, taken)}", "NXdata")
            for item in ("time", *names):
                target[item] = group[item]
        _describe_plot(target, names, "time")


def _write_events(job: h5py.Group, events: Mapping[str, Column]) -> None:
    group = _group(job, "events", "NXdata")
    items = _write_columns(group, events, set())
    real = [name for name, (values, _) in events.items() if values.dtype.kind == "f"]
    first = next(iter(real or events))
    alike = [items[name] for name in real if events[name][1] == events[first][1]]
    _describe_plot(group, alike or [items[first]])


def _write_columns(
    group: h5py.Group, columns: Mapping[str, Column], taken: set[str]
) -> dict[str, str]:
    items: dict[str, str] = {}
    for name, column in columns.items():
        items[name] = _item_name(name, taken)
        _write_column(group, items[name], name, column)
    return items


def _write_column(group: h5py.Group, item: str, name: str, column: Column) -> None:
    values, unit = column
    packing: dict[str, Any] = {}
    if values.size:
        packing = {"chunks": (min(values.size, _CHUNK),), "compression": "gzip", "shuffle": True}
    dataset = group.create_dataset(item, data=values, **packing)
    dataset.attrs.update(name=name, units=unit, long_name=f"{name} [{unit}]")
    dataset.attrs["sha256"] = column_digest(values)


def _item_name(name: str, taken: set[str]) -> str:
    """Return a name valid in NeXus and not yet taken; take it."""
    item = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or "signal"
    while item in taken:
        item += "_"
    taken.add(item)
    return item


def _describe_plot(group: h5py.Group, items: Sequence[str], axis: str = "") -> None:
    """Tell viewers what to draw: a signal, those beside it, and against what."""
    group.attrs["signal"] = items[0]
    if len(items) > 1:
        group.attrs["auxiliary_signals"] = list(items[1:_PLOTTED])
    if axis:
        group.attrs["axes"] = [axis]
        group.attrs[f"{axis}_indices"] = np.array([0])
