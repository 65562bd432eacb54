"""A circuit in VACASK's dialect: the same elements that ngspice's text is made of, other words.

VACASK has no behavioural sources; what they do stands in compiled Verilog-A (``models/*.va``).
Measured traps of the dialect that this writer avoids: names are case-sensitive, so all are lower
case; ``5/2`` is 2, so numbers in expressions are real; a mega is ``M``, so no number has a suffix.
"""

from __future__ import annotations

import hashlib
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from memspice.circuits.deck import Deck
from memspice.errors import NetlistError
from memspice.resources import resource_path

#: Longest line, [characters].
WIDTH = 100
#: Begins a comment that gives a node its voltage at time 0: VACASK wants it at the analysis.
INITIAL = "//ic "
#: Modules that come with VACASK: word of the element's value, and whether a file holds them.
BUILT_IN = {"resistor": True, "capacitor": True, "vsource": False, "isource": False}

_SUFFIXES = {
    **{"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "m": 1e-3},
    **{"u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15, "": 1.0},
}
_SCALED = re.compile(r"(?<![\w.])(\d+\.?\d*|\.\d+)(e[-+]?\d+)?(meg|[tgkmunpf])?(?![\w.])")
_TOKEN = re.compile(rf"{_SCALED.pattern}|[a-z_]\w*|[-+*/() ]")
_NAME = re.compile(r"[a-z_]\w*")
_NODE = re.compile(r"[a-z_]\w*|\d+")
_INCLUDE = re.compile(r'^[ \t]*`include[ \t]+"([^"]+)"', re.MULTILINE)
#: Files that come with the compiler.
_COMPILERS_OWN = frozenset({"disciplines.vams", "constants.vams"})


def write_netlist(deck: Deck) -> str:
    """Netlist of a deck: title, loads, models, subcircuits and instances; no analysis.

    Parameters
    ----------
    deck : Deck
        Its resistors, capacitors, independent sources and instances are written, with their
        initial conditions where a capacitor stands between a node and ground outside of any
        subcircuit.

    Returns
    -------
    str
        The same on every machine: compiled models are named without their folder, and with the
        hash of their source (`source_hash`), so that a stored netlist says what it ran with.

    Raises
    ------
    NetlistError
        If an element has no counterpart, a name does not fit the dialect, a number is not
        finite, an initial condition cannot be expressed, or a subcircuit defines another.
    DataError
        If a model, or a file that it includes, is not in ``models/``.
    """
    modules = [*BUILT_IN, *deck.models]
    loads = [name for name in modules if BUILT_IN.get(name, True)]
    parts = [" ".join(deck.title.split()), _comment(deck.explanation)]
    parts.append("\n".join(_load(name) for name in loads))
    parts.append("\n".join(f"model {name} {name}" for name in modules))
    parts.append("ground 0")
    for comment, circuit in deck.sections:
        lines = [_fold(line) for line in _circuit_lines(circuit)]
        parts.append("\n".join([_comment(comment), *lines]))
    return "\n//\n".join(parts) + "\n"


def source_hash(name: str) -> str:
    """SHA-256 of a model's Verilog-A and of the files of memspice that it includes.

    Parameters
    ----------
    name : str
        Of the file ``models/NAME.va``.

    Returns
    -------
    str
        Hexadecimal. Files count in the order of their first inclusion; the compiler's own
        (``disciplines.vams``) do not: they belong to its version.

    Raises
    ------
    DataError
        If one of the files is not there.
    """
    texts: dict[str, bytes] = {}

    def add(file: str) -> None:
        if file in texts or file in _COMPILERS_OWN:
            return
        texts[file] = resource_path(file).read_bytes()
        for inner in _INCLUDE.findall(texts[file].decode()):
            add(inner)

    add(f"{name}.va")
    # With names and lengths, so that text cannot move from one file to the next unseen.
    framed = [f"{file} {len(text)}\n".encode() + text for file, text in texts.items()]
    return hashlib.sha256(b"".join(framed)).hexdigest()


def _load(name: str) -> str:
    comment = "" if name in BUILT_IN else f"\n// its source has the sha256 {source_hash(name)}"
    return f'load "{name}.osdi"{comment}'


def _circuit_lines(circuit: Any) -> Iterator[str]:
    for subcircuit in circuit.subcircuits:
        yield from _definition(subcircuit)
    for element in circuit.elements:
        yield from _initial(element)
        yield _instance(element)


def _definition(subcircuit: Any) -> Iterator[str]:
    """A subcircuit; PySpice has its ports under a private name only."""
    where = f"subcircuit {subcircuit.name}"
    ports = _nodes(subcircuit._external_nodes, where)  # noqa: SLF001
    yield f"subckt {_name(subcircuit.name, where)}({ports})"
    if subcircuit.parameters:
        yield "parameters" + _settings(subcircuit.parameters, where)
    for element in subcircuit.elements:
        if getattr(element, "initial_condition", None):
            raise NetlistError(f"{element.name} in {where}: {_NO_INITIAL}")
        yield _instance(element)
    yield "ends"


_NO_INITIAL = (
    "VACASK knows initial conditions of nodes only; put the capacitor between a node and ground, "
    "outside of subcircuits, or start from 0 V"
)


def _initial(element: Any) -> Iterator[str]:
    value = getattr(element, "initial_condition", None)
    if not value:
        return
    plus, minus = (str(node).lower() for node in element.node_names)
    if minus != "0":
        raise NetlistError(f"{element.name}: {_NO_INITIAL}")
    yield f"{INITIAL}{plus} {_number(value, element.name)}"


def _instance(element: Any) -> str:
    kind, name = str(element.PREFIX), str(element.name)
    if kind not in _WRITERS:
        raise NetlistError(
            f"{name}: VACASK has no counterpart of a {type(element).__name__} "
            f"({kind}); write it as a Verilog-A model, or use ngspice"
        )
    return f"{_name(name, name)} ({_nodes(element.node_names, name)}) {_WRITERS[kind](element)}"


def _resistor(element: Any) -> str:
    return f"resistor r={_value(element.resistance, element.name)}"


def _capacitor(element: Any) -> str:
    return f"capacitor c={_value(element.capacitance, element.name)}"


def _source(module: str) -> Callable[[Any], str]:
    def write(element: Any) -> str:
        points = getattr(element.dc_value, "points", None)
        if points is None:
            return f"{module} dc={_value(element.dc_value, element.name)}"
        if len(points) == 0:
            raise NetlistError(f"{element.name}: a piecewise linear source without points")
        if len(points) == 1:  # VACASK wants two; one point is a constant
            return f"{module} dc={_number(points[0][1], element.name)}"
        wave = ", ".join(",".join(_number(x, element.name) for x in point) for point in points)
        return f'{module} type="pwl" wave=[{wave}]'

    return write


def _model_or_subcircuit(element: Any) -> str:
    master = _name(element.subcircuit_name, element.name)
    return master + _settings(element.parameters, element.name)


_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "R": _resistor,
    "C": _capacitor,
    "V": _source("vsource"),
    "I": _source("isource"),
    "X": _model_or_subcircuit,
}


def _settings(parameters: Mapping[str, Any], where: str) -> str:
    return "".join(
        f" {_name(name, where)}={_value(value, where, real=True)}"
        for name, value in parameters.items()
    )


def _name(name: object, where: str) -> str:
    return _checked(_NAME, name, where)


def _nodes(names: Iterable[object], where: str) -> str:
    return " ".join(_checked(_NODE, name, where) for name in names)


def _checked(pattern: re.Pattern[str], name: object, where: str) -> str:
    text = str(name).lower()
    if not (pattern.fullmatch(text) and text.isascii()) or text == "time":
        raise NetlistError(
            f"{where}: {str(name)!r} is no name in VACASK's dialect; use letters, digits and _ "
            "(a letter first), and not 'time'"
        )
    return text


def _value(value: Any, where: str, *, real: bool = False) -> str:
    """A number, or an expression of names, numbers and + - * / in parentheses or braces."""
    if not isinstance(value, str):
        return _number(value, where, real=real)
    text = value.strip().lower()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    if not text or _TOKEN.sub("", text):
        raise NetlistError(
            f"{where}: {value!r} is no number and no expression that VACASK knows; use names, "
            "numbers, + - * / and parentheses"
        )
    return _SCALED.sub(_real, text)


def _real(match: re.Match[str]) -> str:
    return repr(float(match[1] + (match[2] or "")) * _SUFFIXES[match[3] or ""])


def _number(value: Any, where: str, *, real: bool = False) -> str:
    number = float(value)
    if not math.isfinite(number):
        raise NetlistError(f"{where}: {number} is not finite; leave an open element out")
    text = f"{number:.12g}"
    return f"{text}.0" if real and re.fullmatch(r"-?\d+", text) else text


def _comment(text: str) -> str:
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, width=WIDTH - 4)]
    return "\n".join(f"// {line}" for line in lines)


def _fold(line: str) -> str:
    """Lines of at most ``WIDTH``; VACASK joins a line that ends in a backslash with the next."""
    if line.startswith("//"):
        return line
    return " \\\n  ".join(
        textwrap.wrap(line, WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    )
