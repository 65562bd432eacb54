"""What a model calls its terminals and parameters, read from Verilog-A or from a subcircuit.

An engine connects terminals by position and may leave a missing one open without a word (ngspice
47 does), so interfaces are compared by name before a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from memspice.engines.osdi import expand_source
from memspice.errors import NetlistError

Dialect = Literal["verilog-a", "spice"]

_VERILOG_SCALE = {
    "T": 12, "G": 9, "M": 6, "K": 3, "k": 3, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15,
    "a": -18, "": 0,
}  # fmt: skip
_SPICE_SCALE = {
    "t": 12, "g": 9, "meg": 6, "k": 3, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "": 0,
}  # fmt: skip
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+))(?:[eE]([-+]?\d+))?([a-zA-Z]*)")
_VERILOG_NOISE = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/|\\$', re.DOTALL | re.MULTILINE)
_MODULE = re.compile(r"\bmodule\s+(\w+)\s*(?:\(([^)]*)\))?\s*;(.*?)\bendmodule\b", re.DOTALL)
_PARAMETER = re.compile(r"\bparameter\s+(?:(real|integer|string)\s+)?([^;]*);")
_RANGE = re.compile(r"\b(?:from|exclude)\b")


@dataclass(frozen=True)
class ModuleDeclaration:
    """The interface of a model; equal ones can stand for each other.

    Parameters
    ----------
    name : str
    terminals : tuple of str
        In the order in which an instance connects them.
    parameters : dict of str to float
        Defaults, in the units that the model declares.
    """

    name: str
    terminals: tuple[str, ...]
    parameters: dict[str, float]


def declaration(source: Path) -> ModuleDeclaration:
    """Interface of the only module of a Verilog-A file, with includes and macros resolved.

    Parameters
    ----------
    source : Path

    Returns
    -------
    ModuleDeclaration

    Raises
    ------
    NetlistError
        If the file has not exactly one module, or a vector of terminals, or a default that is not
        a number.
    ConfigError, EngineNotFound, EngineError
        See `memspice.engines.osdi.expand_source`.
    """
    text = _VERILOG_NOISE.sub(lambda found: '""' if found[1] else " ", expand_source(source))
    modules = _MODULE.findall(text)
    if len(modules) != 1:
        names = ", ".join(module[0] for module in modules) or "none"
        raise NetlistError(f"{source} must hold one module, not {len(modules)} ({names})")
    name, ports, body = modules[0]
    if "[" in ports:
        raise NetlistError(f"{source}: module {name} has a vector of terminals; declare each alone")
    # "inout electrical p" is allowed inside the list as well as "p"
    terminals = tuple(words[-1] for port in ports.split(",") if (words := port.split()))
    parameters = {}
    for kind, declared in _PARAMETER.findall(body):
        for piece in declared.split(","):
            key, _, value = piece.partition("=")
            default = "".join(_RANGE.split(value)[0].split())
            where = f"{source}: parameter {key.strip()} of module {name}"
            if kind == "string":
                raise NetlistError(f"{where} is a string; only numbers can be passed to a model")
            parameters[key.strip()] = read_number(default, "verilog-a", where)
    return ModuleDeclaration(name, terminals, parameters)


def subckt_declaration(text: str) -> ModuleDeclaration:
    """Interface of the only ``.subckt`` in SPICE text; what it includes is not looked at.

    Parameters
    ----------
    text : str

    Returns
    -------
    ModuleDeclaration

    Raises
    ------
    NetlistError
        If the text has not exactly one ``.subckt``, or a default that is not a number.
    """
    joined = re.sub(r"\n(?:[ \t]*\*[^\n]*\n)*[ \t]*\+", " ", text)
    headers = re.findall(r"^[ \t]*\.subckt\s+([^\n;]*)", joined, re.IGNORECASE | re.MULTILINE)
    if len(headers) != 1:
        raise NetlistError(f"the text must hold one .subckt, not {len(headers)}")
    header = re.sub(r"\s*=\s*", "=", headers[0].partition("$ ")[0])
    words = re.sub(r"\bparams\s*:", " ", header, flags=re.IGNORECASE).split()
    values = [word.partition("=") for word in words if "=" in word]
    return ModuleDeclaration(
        words[0],
        tuple(word for word in words[1:] if "=" not in word),
        {
            key: read_number(value, "spice", f"parameter {key} of subcircuit {words[0]}")
            for key, _, value in values
        },
    )


def check_interface(
    declared: ModuleDeclaration, terminals: Sequence[str], parameters: Iterable[str]
) -> None:
    """Refuse a model that cannot be connected and set as a circuit wants to.

    Parameters
    ----------
    declared : ModuleDeclaration
        What the model has; parameters beyond `parameters` keep their defaults.
    terminals : sequence of str
        Terminals that it must have: these and no other, in this order.
    parameters : iterable of str
        Parameters that it must have.

    Raises
    ------
    NetlistError
        If it has not; names what is missing, too much or out of order.
    """
    faults = [
        *(f"no terminal {name!r}" for name in terminals if name not in declared.terminals),
        *(f"no parameter {name!r}" for name in parameters if name not in declared.parameters),
        *(f"terminal {name!r} that nothing connects" for name in declared.terminals
          if name not in terminals),
    ]  # fmt: skip
    if not faults and declared.terminals != tuple(terminals):
        faults = [f"its terminals in the order {' '.join(declared.terminals)}"]
    if faults:
        raise NetlistError(
            f"model {declared.name!r} has {', '.join(faults)}; it must have the terminals "
            f"{' '.join(terminals)}, in this order, and the parameters {' '.join(parameters)}"
        )


def osdi_subcircuit(declared: ModuleDeclaration) -> str:
    """Subcircuit around a compiled model, for ngspice: the same interface as its behavioural twin.

    So one netlist fits both: only the text that defines the subcircuit differs.

    Parameters
    ----------
    declared : ModuleDeclaration

    Returns
    -------
    str
        A ``.subckt`` of the model's name; the OSDI object must be loaded with ``pre_osdi``.
    """
    name, parameters = declared.name, declared.parameters
    defaults = [f"{key}={value!r}" for key, value in parameters.items()]
    passed = [f"{key}={{{key}}}" for key in parameters]
    lines = [
        f".subckt {name} {' '.join(declared.terminals)}",
        *(["+ params:", *(f"+ {word}" for word in defaults)] if defaults else []),
        f"N1 {' '.join(declared.terminals)} {name}_osdi",
        *(f"+ {word}" for word in passed),
        f".model {name}_osdi {name}",
        f".ends {name}",
    ]
    return "\n".join([*lines, ""])


def read_number(text: str, dialect: Dialect, where: str) -> float:
    """Value of a number with a scale factor, to the last bit as if written with an exponent.

    Parameters
    ----------
    text : str
        For instance ``1k``, ``2.5e-9``, ``1meg`` (SPICE only). ``1M`` is 1e6 in Verilog-A and 1e-3
        in SPICE. SPICE ignores letters after the factor: ``10pF``, ``1kohm``.
    dialect : {"verilog-a", "spice"}
    where : str
        Named in the message.

    Returns
    -------
    float

    Raises
    ------
    NetlistError
        If it is not a number, or one that ngspice's versions read differently (``1a`` is 1 in 39
        and 1e-18 in 47; ``1mil`` is 2.54e-5 and looks like a metre).
    """
    found = _NUMBER.fullmatch(text.replace("_", "") if dialect == "verilog-a" else text)
    power = _power_of_ten(found[3], dialect) if found else None
    if not found or power is None:
        raise NetlistError(
            f"{where} = {text!r} is not a number of {dialect}; write digits and an exponent"
        )
    return float(f"{found[1]}e{int(found[2] or 0) + power}")


def _power_of_ten(letters: str, dialect: Dialect) -> int | None:
    if dialect == "verilog-a":
        return _VERILOG_SCALE.get(letters)
    letters = letters.lower()
    if letters.startswith(("mil", "a")):
        return None
    # letters that are no factor are a unit: 1ohm
    return _SPICE_SCALE.get("meg" if letters.startswith("meg") else letters[:1], 0)
