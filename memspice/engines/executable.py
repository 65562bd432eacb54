"""Which program an engine is: the hash of its bytes, its version, and whether both stay."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from memspice.errors import EngineError, EngineVersionError


def fingerprint(path: str, companions: Iterable[Path] = ()) -> str:
    """Hash of a program and of the files beside it that decide what it answers.

    Parameters
    ----------
    path : str
        The program.
    companions : iterable of Path
        Libraries, start-up files, models; what is not there does not count.

    Returns
    -------
    str
        64 hexadecimal digits. Every file is read once a process, and again if it was changed.

    Raises
    ------
    EngineError
        If the program cannot be read.
    """
    digest = hashlib.sha256()
    for file in (Path(path), *sorted(companions)):
        try:
            facts = file.stat()
            content = _file_hash(file, facts.st_size, facts.st_mtime_ns, facts.st_ino)
        except OSError as error:
            if file != Path(path):
                continue
            raise EngineError(
                f"{path} cannot be read ({error.strerror}); install it anew"
            ) from error
        digest.update(f"{file.name if file != Path(path) else ''} {content}\n".encode())
    return digest.hexdigest()


# Faster than SHA-256, and as hard to deceive: libraries of solvers have many megabytes.
@functools.lru_cache(maxsize=256)
def _file_hash(path: Path, *_: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def check_unchanged(name: str, path: str, before: str, now: str) -> None:
    """Refuse a program that is no longer the one that was asked what it is.

    Parameters
    ----------
    name, path : str
    before, now : str
        As of `fingerprint`.

    Raises
    ------
    EngineVersionError
        If they differ.
    """
    if before != now:
        raise EngineVersionError(
            f"{path} was exchanged while memspice ran: it is no longer the {name} of the results "
            "before; start again"
        )


def check_version(name: str, version: str, path: str, floor: tuple[int, ...]) -> None:
    """Refuse an engine that is older than what memspice was tested with.

    Parameters
    ----------
    name, version, path : str
        The version as the engine says it: ``39``, ``44.2``, ``0.3.4.dev3``.
    floor : tuple of int
        Oldest version.

    Raises
    ------
    EngineVersionError
        If it is older, or no version.
    """
    numbers = re.match(r"\d+(\.\d+)*", version)
    needed = ".".join(map(str, floor))
    if numbers is None:
        raise EngineVersionError(
            f"{path} says that it is {name} {version!r}, which is no version; memspice needs "
            f"{name} {needed} or later"
        )
    if tuple(map(int, numbers[0].split("."))) < floor:
        raise EngineVersionError(
            f"{path} is {name} {version}, and memspice needs {needed} or later; install a newer one"
        )


def check_banner(name: str, expected: str, log: str, pattern: re.Pattern[str]) -> None:
    """Refuse the answer of another version than the one that was asked what it is.

    Parameters
    ----------
    name : str
    expected : str
        Version of its banner when it was asked.
    log : str
        All that it wrote in the run.
    pattern : re.Pattern
        Finds the version in its banner.

    Raises
    ------
    EngineVersionError
        If it said another version; one that says none is left to the other checks.
    """
    for said in pattern.findall(log):
        if said != expected:
            raise EngineVersionError(
                f"{name} said in the run that it is {said}, and before that it is {expected}; "
                "start again"
            )
