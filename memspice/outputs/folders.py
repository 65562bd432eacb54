"""A folder of results that appears whole: built beside its place and exchanged at the end.

The folder being built is called ``NAME.building-`` and 16 digits, and carries `MARK`, which its
process holds. A finished one carries `MANIFEST`, the checksum of every file in it: what is listed
there and unchanged is ours to replace, anything else in the folder is carried over. On Linux the
two folders are exchanged in one step; elsewhere by two renames, and a process killed between them
is mended by the next one. A folder that is a symbolic link is refused, and so is the one that the
process is in.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from memspice.errors import ConfigError, StoreError
from memspice.outputs.files import (
    TEMPORARY,
    check_parent,
    claim_folder,
    is_ours,
    refuse_other,
    replacing,
    synchronize_folder,
    write_bytes,
    writing,
)

#: File that says that a folder is being built; its process holds it.
MARK = "memspice-build.lock"
#: File that says that a folder has just been replaced, or is about to be.
OLD = "memspice-replaced.lock"
#: File with the checksums of a finished folder.
MANIFEST = "manifest.json"
_OWN = frozenset({MARK, OLD, MANIFEST})
_CREATOR = "memspice"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_CANNOT_EXCHANGE = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP})


class FolderBuild:
    """A folder of results being built; `building` makes it.

    Parameters
    ----------
    target : Path
        What it becomes.
    path : Path
        Where it is until then.
    """

    def __init__(self, target: Path, path: Path) -> None:
        self.target = target
        self.path = path
        self.placed = False

    def adopt(self, name: str) -> None:
        """Take a file of the folder in its place over, unless there is one already or none at all.

        Raises
        ------
        StoreError
            If it cannot be copied.
        """
        source, copy = self.target / name, self.path / name
        if source.is_file() and not any(self.path.glob(f"{name}*")):
            with writing(copy), replacing(copy) as temporary:
                shutil.copyfile(source, temporary)

    def place(self, *, whole: bool) -> Path:
        """Put the finished folder in its place.

        Parameters
        ----------
        whole : bool
            Whether the result is all that it should be; else an earlier one stays in its place, and
            this one beside it.

        Returns
        -------
        Path
            Where the result is now.

        Raises
        ------
        StoreError
            If it cannot be put there; it is then complete in `path`.
        """
        with writing(self.target, lambda: f"The result is in {self.path}"):
            _write_manifest(self.path, whole)
            if not self.target.exists():
                os.rename(self.path, self.target)
            elif whole or not _is_whole(self.target):
                self._exchange()
            else:
                return self.path
            synchronize_folder(self.target.parent)
            self.placed = True
            (self.target / MARK).unlink()
            _tidy(self.target)
        return self.target

    def _exchange(self) -> None:
        _check_strangers(self.target, [path.name for path in _content(self.path)])
        shutil.copymode(self.target, self.path)
        (self.target / OLD).touch()
        if not _exchanged(self.path, self.target):
            aside = _beside(self.target)
            os.rename(self.target, aside)
            os.rename(self.path, self.target)


@contextmanager
def building(
    target: Path, names: Collection[str], *, parents: bool = False, resume: bool = False
) -> Iterator[FolderBuild]:
    """Build a folder of results beside its place.

    Parameters
    ----------
    target : Path
        What it becomes, in a folder that exists.
    names : collection of str
        Files that will be in it, as far as they are known: somebody else's are never replaced.
    parents : bool
        Make the missing folders above it.
    resume : bool
        Go on in the folder that a process that was killed or stopped has left, the last one if
        there are several.

    Yields
    ------
    FolderBuild
        `place` puts it in its place; left without, it stays where it is if there is anything in it.

    Raises
    ------
    ConfigError
        If the folder above is missing, the target is no folder, or is one that cannot be exchanged,
        or holds a file of these names that is not ours.
    StoreError
        If the system does not let the folder be made.
    """
    made = [folder for folder in target.parents if not folder.exists()]
    target = _checked(target, parents=parents)
    with writing(target, lambda: "Choose a folder you may write to"):
        _recover(target)
        _check_strangers(target, names)
        path, descriptor = _claim(target, resume=resume)
    build = FolderBuild(target, path)
    try:
        yield build
    except BaseException as error:
        if not build.placed and _content(path):
            error.add_note(f"What was finished is in {path}; --resume goes on with it")
        raise
    finally:
        if not build.placed and not _content(path):
            shutil.rmtree(path)
            with suppress(OSError):  # another process may be at work there
                for folder in made:
                    folder.rmdir()
        os.close(descriptor)


def _checked(target: Path, *, parents: bool) -> Path:
    """Absolute path of a folder that can be exchanged."""
    check_parent(target, parents=parents)
    refuse_other(target, stat.S_ISDIR, "a folder")
    target = Path(os.path.abspath(target))
    if not target.exists():
        return target
    with suppress(FileNotFoundError):  # the current folder is gone
        if Path.cwd().is_relative_to(target.resolve()):
            raise ConfigError(
                f"{target} cannot be exchanged for a new one while you are in it: name a folder "
                "in it, or change to another"
            )
    if os.path.ismount(target):
        raise ConfigError(f"{target} is a file system of its own: name a folder in it")
    return target


def _claim(target: Path, *, resume: bool) -> tuple[Path, int]:
    """Folder to build in, and a descriptor that holds it."""
    for path in _left_behind(target) if resume else ():
        with suppress(StoreError):  # another process is at work in it
            return path, claim_folder(path, MARK)
    path = _beside(target)
    return path, claim_folder(path, MARK)


def _beside(target: Path) -> Path:
    return target.with_name(f"{target.name}.building-{secrets.token_hex(8)}")


def _siblings(target: Path, mark: str) -> list[Path]:
    """Folders beside a target that were made for it and carry a mark, the last one first."""
    pattern = re.compile(re.escape(target.name) + r"\.building-[0-9a-f]{16}")
    found = (path for path in target.parent.iterdir() if pattern.fullmatch(path.name))
    ours = [path for path in found if is_ours(path, mark)]
    return sorted(ours, key=lambda path: (path / mark).stat().st_mtime_ns, reverse=True)


def _left_behind(target: Path) -> list[Path]:
    return [path for path in _siblings(target, MARK) if not is_ours(path, OLD)]


def _recover(target: Path) -> None:
    """Finish what a process that was killed had begun."""
    replaced = _siblings(target, OLD)
    if replaced and not target.exists():  # between two renames
        os.rename(replaced.pop(0), target)
    for path in replaced:
        _retire(path, target)
    for mark in (OLD, MARK) if target.exists() else ():
        with suppress(FileNotFoundError):
            (target / mark).unlink()


def _tidy(target: Path) -> None:
    """Remove what the folder in its place has replaced: earlier results, and attempts at them."""
    for path in _siblings(target, OLD):
        _retire(path, target)
    for path in _left_behind(target):
        with suppress(StoreError):  # another process is at work in it
            descriptor = claim_folder(path, MARK)
            shutil.rmtree(path)
            os.close(descriptor)


def _retire(old: Path, target: Path) -> None:
    """Remove a folder that was replaced; what is not ours in it moves into the new one."""
    ours = _unchanged(old)
    for path in _content(old):
        if path.name in ours or TEMPORARY.fullmatch(path.name):
            path.unlink()
        elif not os.path.lexists(target / path.name):
            os.rename(path, target / path.name)
    if not _content(old):
        shutil.rmtree(old)


def _content(folder: Path) -> list[Path]:
    """What is in a folder besides our marks, in the order of names."""
    return sorted(path for path in folder.iterdir() if path.name not in _OWN)


def _files(folder: Path) -> list[Path]:
    return [path for path in _content(folder) if path.is_file() and not path.is_symlink()]


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system has no such step."""
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    names = (os.fsencode(one), os.fsencode(other))
    if rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _write_manifest(folder: Path, whole: bool) -> None:
    files = {path.name: _checksum(path) for path in _files(folder)}
    content = {"creator": _CREATOR, "whole": whole, "sha256": files}
    write_bytes(folder / MANIFEST, (json.dumps(content, indent=1) + "\n").encode())


def _read_manifest(folder: Path) -> dict[str, Any]:
    """Manifest of a folder; empty if it has none of ours."""
    path = folder / MANIFEST
    if not path.is_file():  # a pipe of that name would be waited for
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    ours = isinstance(content, dict) and content.get("creator") == _CREATOR
    return content if ours and isinstance(content.get("sha256"), dict) else {}


def _is_whole(folder: Path) -> bool:
    return _read_manifest(folder).get("whole") is True


def _unchanged(folder: Path) -> set[str]:
    """Names of the files of a folder that are as its manifest says."""
    known = _read_manifest(folder).get("sha256", {})
    return {path.name for path in _files(folder) if known.get(path.name) == _checksum(path)}


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_strangers(target: Path, names: Collection[str]) -> None:
    """Refuse to replace a file that is not ours, or was changed."""
    if not target.exists():
        return
    present = {path.name for path in _content(target)} & set(names)
    strangers = sorted(present - _unchanged(target)) if present else []
    if strangers:
        raise ConfigError(
            f"{target / strangers[0]} is not as memspice left it there, and would be replaced: "
            "move it away, or choose another folder"
        )
