"""A circuit in VACASK's dialect: the same elements that ngspice's text is made of, other words.

VACASK has no behavioural sources; what they do stands in compiled Verilog-A (``models/*.va``).
Measured traps of the dialect that this writer avoids: names are case-sensitive, so all are lower
case; ``5/2`` is 2, so numbers in expressions are real; a mega is ``M``, so no number has a suffix.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from memspice.circuits.deck import Deck
from memspice.circuits.processes import model_source
from memspice.circuits.verilog import COMPILERS_OWN
from memspice.engines.vacask_library import card_text, library_lines
from memspice.engines.vacask_words import (
    name_text,
    node_list,
    number_text,
    settings_text,
    value_text,
)
from memspice.errors import NetlistError

#: Longest line, [characters].
WIDTH = 100
#: Begins a comment that gives a node its voltage at time 0: VACASK wants it at the analysis.
INITIAL = "//ic "
#: Begins a comment that gives the temperature in C: VACASK wants it among its options.
TEMPERATURE = "//temp "
#: Modules that come with VACASK: word of the element's value, and whether a file holds them.
BUILT_IN = {
    **{"resistor": True, "capacitor": True},
    **{"vsource": False, "isource": False, "cccs": False, "vcvs": False},
}
#: Those of them that only decks name which use them.
_RARE = ("cccs", "vcvs")
#: Equations of transistors that come with it, by the word of their cards: BSIM4 of Berkeley's code;
#: the other one, without ``spice/``, is a translation.
TRANSISTORS = {"bsim4": "spice/bsim4v8"}

_INCLUDE = re.compile(r'^[ \t]*`include[ \t]+"([^"]+)"', re.MULTILINE)


def write_netlist(deck: Deck, header: str = "") -> str:
    """Netlist of a deck: title, loads, models, subcircuits and instances; no analysis.

    Parameters
    ----------
    deck : Deck
        Its resistors, capacitors, independent sources and instances are written, with their
        initial conditions where a capacitor stands between a node and ground outside of any
        subcircuit.
    header : str
        For a reader, below the title.

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
    own = {module.name: module for module, _ in deck.modules}
    sections = [(_comment(comment), list(_circuit_lines(part))) for comment, part in deck.sections]
    text = "\n".join(line for _, lines in sections for line in lines)
    unused = {name for name in _RARE if f" {name} " not in text}
    modules = [*(name for name in BUILT_IN if name not in unused), *deck.models, *own]
    loads = [name for name in modules if BUILT_IN.get(name, True)]
    loads += dict.fromkeys(TRANSISTORS.get(card.model, card.model) for card in deck.cards)
    comments = [_comment(text) for text in (header, deck.explanation) if text]
    parts = [" ".join(deck.title.split()), *comments]
    parts += [] if deck.celsius is None else [f"{TEMPERATURE}{deck.celsius!r}"]
    parts.append("\n".join(own[name].carried("//") for name in own))
    parts.append("\n".join(_load(name, carried=name in own) for name in loads))
    parts.append("\n".join(f"model {name} {name}" for name in modules))
    parts += ["\n".join(map(_fold, card_text(card).splitlines())) for card in deck.cards]
    parts.append("ground 0")
    parts += ["\n".join(map(_fold, library_lines(library))) for library in deck.libraries]
    parts += ["\n".join([comment, *map(_fold, lines)]) for comment, lines in sections]
    return "\n//\n".join(part for part in parts if part) + "\n"


def source_hash(name: str) -> str:
    """SHA-256 of a model's Verilog-A and of the files beside it that it includes.

    Parameters
    ----------
    name : str
        See `memspice.circuits.processes.model_source`.

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
    source = model_source(name)
    texts: dict[str, bytes] = {}

    def add(file: str) -> None:
        if file in texts or file in COMPILERS_OWN:
            return
        texts[file] = source.with_name(file).read_bytes()
        for inner in _INCLUDE.findall(texts[file].decode()):
            add(inner)

    add(source.name)
    # With names and lengths, so that text cannot move from one file to the next unseen.
    framed = [f"{file} {len(text)}\n".encode() + text for file, text in texts.items()]
    return hashlib.sha256(b"".join(framed)).hexdigest()


def _load(name: str, *, carried: bool) -> str:
    comment = (
        ""
        if carried or name in {*BUILT_IN, *TRANSISTORS.values()}
        else f"\n// its source has the sha256 {source_hash(name)}"
    )
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
    ports = node_list(subcircuit._external_nodes, where)  # noqa: SLF001
    yield f"subckt {name_text(subcircuit.name, where)}({ports})"
    if subcircuit.parameters:
        yield "parameters" + settings_text(subcircuit.parameters, where)
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
    yield f"{INITIAL}{plus} {number_text(value, element.name)}"


def _instance(element: Any) -> str:
    kind, name = str(element.PREFIX), str(element.name)
    if kind not in _WRITERS:
        raise NetlistError(
            f"{name}: VACASK has no counterpart of a {type(element).__name__} "
            f"({kind}); write it as a Verilog-A model, or use ngspice"
        )
    return (
        f"{name_text(name, name)} ({node_list(element.node_names, name)}) {_WRITERS[kind](element)}"
    )


def _resistor(element: Any) -> str:
    return f"resistor r={value_text(element.resistance, element.name)}"


def _capacitor(element: Any) -> str:
    return f"capacitor c={value_text(element.capacitance, element.name)}"


def _source(module: str) -> Callable[[Any], str]:
    def write(element: Any) -> str:
        points = getattr(element.dc_value, "points", None)
        if points is None:
            return f"{module} dc={value_text(element.dc_value, element.name)}"
        if len(points) == 0:
            raise NetlistError(f"{element.name}: a piecewise linear source without points")
        if len(points) == 1:  # VACASK wants two; one point is a constant
            return f"{module} dc={number_text(points[0][1], element.name)}"
        wave = ", ".join(",".join(number_text(x, element.name) for x in point) for point in points)
        return f'{module} type="pwl" wave=[{wave}]'

    return write


def _model_or_subcircuit(element: Any) -> str:
    master = name_text(element.subcircuit_name, element.name)
    return master + settings_text(element.parameters, element.name)


def _current_controlled(element: Any) -> str:
    gain = value_text(element.current_gain, element.name)
    return f'cccs gain={gain} ctlinst="{name_text(element.source, element.name)}"'


def _voltage_controlled(element: Any) -> str:
    return f"vcvs gain={value_text(element.voltage_gain, element.name)}"


_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "R": _resistor,
    "C": _capacitor,
    "F": _current_controlled,
    "E": _voltage_controlled,
    "V": _source("vsource"),
    "I": _source("isource"),
    "X": _model_or_subcircuit,
}


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
