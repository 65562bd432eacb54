"""Putting files in place: whole or not at all, and never over what is not ours to replace.

Every output of every command goes through here. The rules:

- Only a regular file that may be written, or nothing, is replaced. A folder, device, FIFO or socket
  is refused, and so is a symbolic link as the last name; links among the folders are followed.
- A file is written beside its target under a name that nobody can foretell, and renamed: under its
  own name it is always whole. It keeps the permissions of the file it replaces; another name of
  that file (a hard link) keeps the old content.
- A command makes missing folders only with ``--parents``.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from memspice.errors import ConfigError, StoreError

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: What the names of files that are still being written match.
TEMPORARY = re.compile(r"\.memspice-[0-9a-f]{16}\.tmp")

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
#: A file system without locks: nothing to hold, nothing to wait for.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISREG, "a file"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


@contextmanager
def writing(path: Path, advice: Callable[[], str] = str) -> Iterator[None]:
    """Turn a system error while writing `path` into a `StoreError` that ends in the advice."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # h5py raises either
        number = _error_number(error)
        if number in DISK_FULL:
            free = shutil.disk_usage(next(p for p in path.parents if p.exists())).free
            raise StoreError(
                f"disk full: {path} could not be written ({os.strerror(number)}; "
                f"{free / 1e6:.1f} MB free there). {advice()}"
            ) from error
        raise StoreError(f"{path} could not be written: {error}. {advice()}".strip()) from error


def _error_number(error: Exception) -> int | None:
    """System's number of an error; HDF5 gives it only in its text when closing a file fails."""
    if number := getattr(error, "errno", None):
        return int(number)
    found = re.search(r"errno = (\d+)", str(error))
    return int(found[1]) if found else None


# --- before the work ------------------------------------------------------------------------


def check_file(path: Path, *, parents: bool = False) -> None:
    """Refuse a file that could not be put in place at the end, before any work.

    Parameters
    ----------
    path : Path
        File to be written later.
    parents : bool
        Make its missing folders.

    Raises
    ------
    ConfigError
        If its folder is missing, or something else than a writable regular file is in its place.
    StoreError
        If the system does not let a file be made there.
    """
    check_parent(path, parents=parents)
    with writing(path, lambda: "Choose a folder you may write to"):
        check_replaceable(path)
        _create(path.parent).unlink()


def check_parent(path: Path, *, parents: bool = False) -> None:
    """Refuse a missing folder, or make it.

    Raises
    ------
    ConfigError
        If it is missing and not to be made.
    StoreError
        If it cannot be made.
    """
    folder = path.parent
    with writing(path, lambda: "Choose a folder you may write to"):
        if parents:
            folder.mkdir(parents=True, exist_ok=True)
        try:
            os.stat(folder)
        except FileNotFoundError as error:
            raise ConfigError(
                f"{path}: its folder {folder} does not exist; check the name, or make it with "
                "--parents"
            ) from error


def check_replaceable(path: Path) -> None:
    """Refuse what is neither a regular file that may be written nor nothing.

    Raises
    ------
    ConfigError
        If something else has this name.
    OSError
        If the system does not say what has it.
    """
    mode = _mode(path)
    if mode is None:
        return
    if stat.S_ISDIR(mode):
        raise ConfigError(f"{path} is a folder; name a file in it, such as {path / 'out'}")
    refuse_other(path, stat.S_ISREG, "a regular file")
    if not mode & 0o222:
        raise ConfigError(f"{path} is read-only: make it writable, or choose another name")


def _mode(path: Path) -> int | None:
    """Mode of what has a name, a link itself; None if nothing has."""
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return None


def refuse_other(path: Path, wanted: Callable[[int], bool], words: str) -> None:
    """Refuse what is there if it is of another kind.

    Parameters
    ----------
    path : Path
    wanted : callable
        Whether a mode, as of `os.lstat`, is of the right kind.
    words : str
        The right kind.

    Raises
    ------
    ConfigError
        If something else has this name.
    """
    mode = _mode(path)
    if mode is None or wanted(mode):
        return
    kind = next((name for test, name in _KINDS if test(mode)), "something else")
    more = f" to {os.readlink(path)}: name that instead" if stat.S_ISLNK(mode) else ""
    raise ConfigError(f"{path} is {kind}{more}; only {words} is ever replaced")


def make_folder(path: Path, *, parents: bool = False) -> None:
    """Make a folder for files that are each put in place, unless it is there.

    Raises
    ------
    ConfigError
        If the folder above it is missing and not to be made, or it cannot be made.
    StoreError
        If no file can be made in it.
    """
    check_parent(path, parents=parents)
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be made a folder: {error}; name another") from error
    with writing(path, lambda: "Name another folder"):
        _create(path).unlink()


# --- one file -------------------------------------------------------------------------------


@contextmanager
def replacing(path: Path, folder: Path | None = None, *, durable: bool = True) -> Iterator[Path]:
    """Write a file under another name and put it in the place of `path` in one step.

    Parameters
    ----------
    path : Path
        What to write.
    folder : Path, optional
        Where the other name is, on the same file system; beside `path` by default.
    durable : bool
        As of `write_bytes`.

    Yields
    ------
    Path
        An empty file, to be filled under this name.  It is removed if the block raises, and `path`
        is then as it was.

    Raises
    ------
    ConfigError
        See `check_replaceable`.
    OSError
        If it cannot be written.
    """
    check_replaceable(path)
    temporary = _create(folder or path.parent)
    try:
        yield temporary
        _install(temporary, path, durable)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    path : Path
    content : bytes
    durable : bool
        Whether it must outlive a failure of the power, which takes milliseconds.

    Raises
    ------
    ConfigError, OSError
        As of `replacing`.
    """
    with replacing(path, durable=durable) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all.

    Raises
    ------
    ConfigError
        See `check_replaceable`.
    StoreError
        If it cannot be written.
    """
    with writing(path, lambda: "Choose a folder you may write to"):
        write_bytes(path, text.encode())


def _install(temporary: Path, path: Path, durable: bool) -> None:
    """Give a finished file its name."""
    if durable:
        _synchronize(temporary)
    check_replaceable(path)  # again: hours may have passed since the first look
    mode = _mode(path)
    if mode is not None:
        os.chmod(temporary, mode & 0o777)
    os.replace(temporary, path)
    if durable:
        synchronize_folder(path.parent)


def _create(folder: Path) -> Path:
    """Make an empty file of a name that nobody can foretell, readable as the umask says."""
    path = folder / f".memspice-{secrets.token_hex(8)}.tmp"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW
    os.close(os.open(path, flags, 0o666))
    os.chmod(path, os.lstat(path).st_mode & 0o777 | 0o600)  # whatever the umask: for ourselves
    return path


def _synchronize(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | _NO_FOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def synchronize_folder(folder: Path) -> None:
    """Make the names in a folder outlive a power failure, where the system can."""
    with suppress(OSError):  # no such thing on Windows, or for a folder that may not be read
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# --- folders of our own ---------------------------------------------------------------------


def claim_folder(folder: Path, mark: str) -> int:
    """Return a descriptor that holds a folder of ours for this process, until it ends or closes it.

    The folder is made if it is missing.

    Parameters
    ----------
    folder : Path
        Its own folder exists.
    mark : str
        Name of the file that says that the folder is ours.

    Raises
    ------
    StoreError
        If another process holds it, or it is somebody else's: no folder, or not empty and without
        the mark.
    OSError
        If it cannot be made.
    """
    with suppress(FileExistsError):
        os.mkdir(folder)
        os.chmod(folder, os.lstat(folder).st_mode & 0o777 | 0o700)
    if not is_ours(folder, mark) and (folder.is_symlink() or _holds_anything(folder)):
        raise StoreError(
            f"{folder} was not made by memspice: move it away, or choose another name for the run"
        )
    descriptor = os.open(folder / mark, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o666)
    try:
        _lock(descriptor)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StoreError(f"{folder} is in use: another process is writing this run") from error
    return descriptor


def _holds_anything(folder: Path) -> bool:
    return not folder.is_dir() or any(folder.iterdir())


def is_ours(folder: Path, mark: str) -> bool:
    """Whether a folder carries a mark."""
    place, sign = _mode(folder), None
    if place is not None and stat.S_ISDIR(place) and not _laid_out(folder):
        sign = _mode(folder / mark)
    return sign is not None and stat.S_ISREG(sign)


def _laid_out(folder: Path) -> bool:
    """Whether another user has made a folder where everybody may, as in ``/tmp``."""
    own = getattr(os, "geteuid", lambda: -1)()
    shared = folder.parent.stat().st_mode & stat.S_ISVTX
    return bool(shared) and own >= 0 and folder.lstat().st_uid != own


def _lock(descriptor: int) -> None:
    """Lock an open file, where the system and the file system can.

    Raises
    ------
    BlockingIOError
        If another process holds it.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
