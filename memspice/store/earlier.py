"""What lies where a run is to be written, and what of it the run goes on with."""

from __future__ import annotations

import difflib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from memspice.errors import StoreError
from memspice.outputs import check_replaceable, is_ours, replacing
from memspice.store import reading
from memspice.store.reader import (
    EARLIER,
    INDEX,
    MARK,
    StoredJob,
    open_run,
    parts_folder,
    read_run,
    scan_parts,
)
from memspice.store.records import Provenance


@dataclass(frozen=True)
class Earlier:
    """Earlier run that another starts from.

    ``index`` is the file that shows it while it is written; it is beside `path`, among the parts,
    where `path` holds a result that stays until this one is whole. ``run_id`` and ``provenance``
    are those of the run to go on with; None for a new one.  A ``whole`` one stays one file until
    there is a job to add.
    """

    index: Path
    run_id: str | None = None
    provenance: Provenance | None = None
    whole: bool = False


def find_earlier(path: Path, provenance: Provenance, *, resume: bool, overwrite: bool) -> Earlier:
    """Look at what is there.

    Raises
    ------
    StoreError
        If it is a folder, and as `memspice.store.writer.RunWriter.create` says.
    """
    if path.is_dir():
        raise StoreError(f"{path} is a folder; name a file in it, such as {path / 'run.h5'}")
    if overwrite and resume:
        raise StoreError(f"{path} cannot be both resumed and overwritten; choose one")
    check_replaceable(path)
    index = parts_folder(path) / INDEX
    if resume and index.exists():  # of a run over a finished one, that was stopped
        return _go_on(index, provenance)
    if not path.exists():
        parts = parts_folder(path)
        if is_ours(parts, MARK) and any(parts.glob("*.h5")) and not overwrite:
            raise StoreError(
                f"{parts} holds jobs, but {path.name} is gone; put it back and resume, or overwrite"
            )
        return Earlier(path)
    if overwrite:
        return Earlier(index if _holds_result(path) else path)
    if not resume:
        raise StoreError(f"{path} exists; resume it, overwrite it or choose another name")
    return _go_on(path, provenance)


def _go_on(index: Path, provenance: Provenance) -> Earlier:
    with read_run(index) as run:
        _check_same(index, run.provenance, provenance)
        return Earlier(index, run.run_id, run.provenance, run.status == "complete")


def _holds_result(path: Path) -> bool:
    """Whether a file is a whole run; refuses one that is none: it may be somebody's only copy."""
    if path.stat().st_size == 0:
        return False
    try:
        with open_run(path) as file:
            if not reading.is_run(file):
                file.refuse("it is an HDF5 file, but no memspice run")
    except StoreError as error:
        raise StoreError(f"{error}; not replaced: remove it or choose another name") from error
    try:
        with read_run(path) as run:
            return run.whole
    except StoreError:  # damaged, or of another memspice: it stays until there is better
        return True


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


def adopt(path: Path, run_id: str) -> dict[str, StoredJob]:
    """Return the jobs to go on with, all in parts: a finished file is made one of them."""
    if path.exists():
        with open_run(path) as file:
            root = reading.read_root(file)
        if root.layout == "single" and root.run_id == run_id:
            _keep_whole(path, parts_folder(path) / EARLIER)
    return scan_parts(path, run_id, whole=True)


def _keep_whole(path: Path, earlier: Path) -> None:
    """Give a finished file a second name among the parts."""
    with replacing(earlier) as temporary:
        temporary.unlink()
        try:
            os.link(path, temporary)
        except (OSError, AttributeError):  # not every file system has links
            shutil.copyfile(path, temporary)
