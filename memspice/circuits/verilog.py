"""Verilog-A modules in files of a user's own: their text, terminals and parameters.

A netlist carries the text with it, so that a stored one says what it ran with and another machine
can run it: line by line in comments ``FILE|text|`` (the bar at the end keeps a continuation of
Verilog-A from being one of the netlist).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from memspice.errors import DataError, NetlistError
from memspice.inputs import read_input
from memspice.resources import resource_path

#: Largest file, [bytes].
LARGEST_FILE = 1 << 20
#: Files that come with the compiler.
COMPILERS_OWN = frozenset({"disciplines.vams", "constants.vams", "discipline.h"})
_INCLUDE = re.compile(r'^[ \t]*`include[ \t]+"([^"]+)"[^\n]*$', re.MULTILINE)
_COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_MODULE = re.compile(r"\bmodule\s+(\w+)\s*\(([^)]*)\)\s*;")
#: Attributes and the parameters behind them; a backslash is there where a macro has it.
_PARAMETERS = re.compile(
    r'(\(\*(?:"[^"]*"|[^"*])*\*\))[\s\\]*parameter\s+(?:(?:real|integer)\s+)?([^;]*);'
)
#: Engines set no others for an instance.
_INSTANCE = re.compile(r'\btype\s*=\s*"instance"')
_CARRIED = re.compile(r"^(?://|\*)va ([\w.-]+)\|(.*)\|$", re.MULTILINE)


@dataclass(frozen=True)
class VerilogModule:
    """A module of a file that has its name.

    Parameters
    ----------
    origin : str
        The file, for messages; it decides nothing, so it takes no part in comparisons.
    name : str
    terminals : tuple of str
    parameters : tuple of str
        Those that an instance can be given: declared ``(* type="instance" *)``.
    files : mapping of str to str
        Text of its file and of all that it includes, but the compiler's own, by name.
    """

    origin: str = field(compare=False)
    name: str
    terminals: tuple[str, ...]
    parameters: tuple[str, ...]
    files: Mapping[str, str]

    def carried(self, comment: str) -> str:
        """Its files as comments of a netlist, which begin with ``comment``."""
        return "\n".join(
            f"{comment}va {file}|{line}|"
            for file, text in self.files.items()
            for line in text.splitlines()
        )


def carried_files(netlist: str) -> dict[str, str]:
    """Texts of Verilog-A that a netlist carries in its comments, by the names of their files."""
    texts: dict[str, list[str]] = {}
    for file, line in _CARRIED.findall(netlist):
        texts.setdefault(file, []).append(line)
    return {file: "\n".join([*lines, ""]) for file, lines in texts.items()}


def read_module(path: Path) -> VerilogModule:
    """Read the only module of a Verilog-A file.

    Parameters
    ----------
    path : Path
        What it includes lies beside it, or among the models of memspice (``hazard.vams``), or comes
        with the compiler.

    Returns
    -------
    VerilogModule

    Raises
    ------
    DataError
        If a file cannot be read.
    NetlistError
        If it has not exactly one module, or an include is nowhere, or a name that netlists cannot
        have.
    """
    files: dict[str, str] = {}
    _collect(path, files)
    modules = _MODULE.findall(_bare(files[path.name]))
    if len(modules) != 1:
        names = ", ".join(name for name, _ in modules) or "none"
        raise NetlistError(f"{path} must hold one module, not {len(modules)} ({names})")
    name, ports = modules[0]
    if path.name != f"{name}.va":
        raise NetlistError(f"{path} declares the module {name!r}; name the file {name}.va")
    terminals = tuple(words[-1] for port in ports.split(",") if (words := port.split()))
    found = _PARAMETERS.findall(_bare("\n".join(files.values())))
    listed = [each for attribute, each in found if _INSTANCE.search(attribute)]
    pieces = [piece for each in listed for piece in each.split(",")]
    parameters = tuple(piece.partition("=")[0].strip() for piece in pieces)
    for word in (name, *parameters):
        if word != word.lower():
            raise NetlistError(
                f"{path}: {word!r} of module {name} has capital letters, and netlists have none: "
                f"write {word.lower()!r}"
            )
    return VerilogModule(str(path), name, terminals, parameters, files)


def _bare(text: str) -> str:
    """Text without comments; a string may look like one, and stays."""
    return _COMMENT.sub(lambda found: found[1] or " ", text)


def _collect(path: Path, files: dict[str, str]) -> None:
    """Add a file, then what it includes and is not there yet."""
    text = read_input(path, LARGEST_FILE).decode("utf-8", "replace").replace("\r\n", "\n")
    files[path.name] = text
    for found in _INCLUDE.finditer(text):
        inner = found[1]
        if inner in {*COMPILERS_OWN, *files}:
            continue
        try:
            beside = path.with_name(inner)
            _collect(beside if beside.is_file() else resource_path(inner), files)
        except (DataError, ValueError) as error:
            line = text.count("\n", 0, found.start()) + 1
            raise NetlistError(
                f'{path}, line {line}: `include "{inner}" is neither a file beside it nor a model '
                "of memspice"
            ) from error
