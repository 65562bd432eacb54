"""The models of memspice as engines get them: compiled, with the interface circuits count on.

Circuits connect terminals by position, and engines leave a missing one open without a word; so a
compiled model must declare the terminals and parameters of its behavioural twin.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from memspice.circuits.processes import PROCESS_MODELS, model_source
from memspice.circuits.verilog import carried_files
from memspice.engines.osdi import compile_model
from memspice.engines.run_folder import run_folder
from memspice.engines.veriloga import (
    ModuleDeclaration,
    check_interface,
    declaration,
    subckt_declaration,
)
from memspice.errors import EngineError, NetlistError
from memspice.resources import resource_path, write_advice


def model_interface(name: str, own: Mapping[str, str] | None = None) -> ModuleDeclaration:
    """Terminals and parameters of ``models/NAME.va``, or of a module of other files.

    Parameters
    ----------
    name : str
    own : mapping of str to str, optional
        Texts of files, such as a netlist carries; a module ``NAME.va`` among them needs no twin.

    Returns
    -------
    ModuleDeclaration

    Raises
    ------
    DataError
        If there is no such model, or no behavioural twin of it.
    NetlistError
        If it does not compile, is named otherwise than its file, or lacks a terminal or parameter
        of its twin.
    EngineNotFound
        If there is no compiler.
    """
    if own and f"{name}.va" in own:
        return _own_interface(name, tuple(own.items()))
    source = resource_path(f"{name}.va")
    return _interface(source, resource_path(f"{name}.lib"), _stamps(source))


def place_models(folder: Path, names: Sequence[str], netlist: str) -> None:
    """Copy compiled models into the folder of a run, as ``NAME.osdi``.

    Parameters
    ----------
    folder : Path
    names : sequence of str
    netlist : str
        It may carry the text of some of them.

    Raises
    ------
    EngineError
        If one cannot be written.
    DataError, NetlistError, EngineNotFound
        As `model_interface`.
    """
    carried = carried_files(netlist)
    for name in names:
        target = folder / f"{name}.osdi"
        own = f"{name}.va" in carried
        content = _own_object(name, tuple(carried.items())) if own else _content(name)
        try:
            target.write_bytes(content)
        except OSError as error:
            raise EngineError(
                f"cannot write {target}: {error.strerror}; {write_advice(error, 'TMPDIR')}"
            ) from error


def _content(name: str) -> bytes:
    source = model_source(name)
    if name not in PROCESS_MODELS:
        model_interface(name)
    return _object(source, _stamps(source))


@functools.lru_cache(maxsize=64)
def _own_object(name: str, files: tuple[tuple[str, str], ...]) -> bytes:
    with _own_source(name, files) as source:
        return compile_model(source).read_bytes()


@functools.lru_cache(maxsize=64)
def _own_interface(name: str, files: tuple[tuple[str, str], ...]) -> ModuleDeclaration:
    with _own_source(name, files) as source:
        return declaration(source)


@contextmanager
def _own_source(name: str, files: tuple[tuple[str, str], ...]) -> Iterator[Path]:
    """File of a module that a netlist carries, beside the others, for the compiler."""
    with run_folder() as folder:
        for file, text in files:
            (folder / file).write_text(text, encoding="utf-8")
        try:
            yield folder / f"{name}.va"
        except NetlistError as error:  # the folder is gone when a person reads it
            raise NetlistError(str(error).replace(f"{folder}/", "")) from None


def _stamps(source: Path) -> tuple[int, ...]:
    """When a model, its twin and what they may include were changed last."""
    paths = sorted([*source.parent.glob("*.va*"), *source.parent.glob("*.lib")])
    return tuple(path.stat().st_mtime_ns for path in paths)


# To ask the compiler anew would take 50 ms a model and run.
@functools.lru_cache(maxsize=64)
def _object(source: Path, _: tuple[int, ...]) -> bytes:
    return compile_model(source).read_bytes()


@functools.lru_cache(maxsize=64)
def _interface(source: Path, twin: Path, _: tuple[int, ...]) -> ModuleDeclaration:
    found = declaration(source)
    if found.name != source.stem:
        raise NetlistError(
            f"{source} declares the module {found.name!r}; name it {source.stem!r}, like its file"
        )
    wanted = subckt_declaration(twin.read_text(encoding="utf-8"))
    check_interface(found, wanted.terminals, wanted.parameters)
    return found
