"""A circuit in commented sections, its elements made by PySpice, and its text in ngspice's dialect.

A deck is a description: ngspice's text is one of its forms, other engines write theirs from the
same elements.  Subcircuits of a user's own come as libraries, SPICE text that other engines
translate, or as Verilog-A modules, some of them with a library as their twin.  An instance (``X``)
whose subcircuit the deck does not define stands for a model of that name in ``models/``: a
behavioural ``.lib`` and its Verilog-A twin ``.va``, or a ``.lib`` alone around transistors that
ngspice has built in.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from memspice.circuits.library import Library
from memspice.circuits.spice import Circuit, SubCircuit
from memspice.circuits.timing import Pulse
from memspice.circuits.transistor_card import TransistorCard
from memspice.circuits.verilog import VerilogModule
from memspice.errors import NetlistError
from memspice.resources import resource_path

#: Longest line, [characters]; what is longer goes on in lines that begin with ``+``.
WIDTH = 100
#: Temperature of a circuit that says nothing else, and what Celsius counts from, [K].
ROOM, ZERO_CELSIUS = 300.15, 273.15
#: Numbers as Python writes them, with up to 17 digits.
_NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?:e[-+]?\d+)?")
_INCLUDE = re.compile(r"^\.include (\w+)\.lib\n", re.MULTILINE)


@dataclass(frozen=True)
class PieceWiseLinear:
    """Value of a source over time, straight between its points (time [s], value [V or A])."""

    points: tuple[tuple[float, float], ...]

    def delayed(self, time: float) -> PieceWiseLinear:
        """The same after a time [s], through which the first value lasts."""
        (begin, first), *others = self.points
        later = [(after + time, value) for after, value in others]
        return PieceWiseLinear(((begin, first), *later))

    def __str__(self) -> str:
        return "pwl(" + "  ".join(f"{time:.12g} {value:.12g}" for time, value in self.points) + ")"


def _uncompiled(module: VerilogModule) -> str:
    raise NetlistError(
        f"{module.origin} is Verilog-A, which this engine does not load: use --engine vacask, an "
        "ngspice with OSDI, or give the same circuit as a subcircuit, too"
    )


class Deck:
    """Title, explanation and sections of elements; a section is a PySpice circuit.

    Node names are shared by all sections; element names must be unique in the whole deck.
    ``temperature``, in K, is that of its transistors; nothing else of a deck depends on it.
    """

    def __init__(self, title: str, explanation: str) -> None:
        self.title = title
        self.explanation = explanation
        self.temperature = ROOM
        self.sections: list[tuple[str, Circuit]] = []
        self.libraries: list[Library] = []
        self.modules: list[tuple[VerilogModule, Library | None]] = []

    def section(self, comment: str) -> Circuit:
        """Start a section under a comment; add elements to what is returned."""
        circuit = Circuit("section")
        self.sections.append((comment, circuit))
        return circuit

    def subcircuit(self, comment: str, subcircuit: SubCircuit) -> None:
        """Add a subcircuit definition under a comment."""
        self.section(comment).subcircuit(subcircuit)

    def library(self, library: Library) -> None:
        """Add subcircuits of transistors, those that are there already left out."""
        known = {name: text for part in self.libraries for name, text in part.definitions.items()}
        self.libraries.append(library.without(known))

    def module(self, module: VerilogModule, twin: Library | None) -> None:
        """Add a Verilog-A module, with the same circuit as a library where there is one."""
        self.modules.append((module, twin))

    def circuit(self, library: Library | None, module: VerilogModule | None) -> None:
        """Add a circuit of the user's own: a library, a module, or both as twins."""
        if module is not None:
            self.module(module, library)
        elif library is not None:
            self.library(library)

    def lumped(self) -> Deck:
        """The same circuit of transistors without resistances of gate and body."""
        if not self.cards:
            return self
        deck = copy(self)
        deck.explanation += "\nGates and bodies of transistors have no resistance of their own"
        deck.libraries = [library.lumped() for library in self.libraries]
        deck.modules = [(module, twin and twin.lumped()) for module, twin in self.modules]
        return deck

    @property
    def celsius(self) -> float | None:
        """Temperature in C, as engines have it; None for the 27 that they begin with."""
        return None if self.temperature == ROOM else round(self.temperature - ZERO_CELSIUS, 9)

    @property
    def cards(self) -> tuple[TransistorCard, ...]:
        """Transistor cards of all libraries, each once."""
        twins = [twin for _, twin in self.modules if twin is not None]
        parts = [*self.libraries, *twins]
        return tuple(dict.fromkeys(card for part in parts for card in part.cards))

    @property
    def models(self) -> tuple[str, ...]:
        """Models that instances stand for, in the order of their first use.

        Raises
        ------
        NetlistError
            If a subcircuit defines another inside of it.
        """
        definitions = [s for _, circuit in self.sections for s in circuit.subcircuits]
        _refuse_nested(definitions)
        own = {subcircuit.name for subcircuit in definitions}
        own.update(name for library in self.libraries for name in library.headers)
        own.update(module.name for module, _ in self.modules)
        everything = [*definitions, *(circuit for _, circuit in self.sections)]
        used = (e.subcircuit_name for part in everything for e in part.elements if _is_instance(e))
        return tuple(dict.fromkeys(name for name in used if name not in own))

    def spice(
        self,
        model_text: Callable[[str], str | None] = lambda _: None,
        module_text: Callable[[VerilogModule], str] = _uncompiled,
    ) -> str:
        """Netlist in ngspice's dialect, without analysis.

        Parameters
        ----------
        model_text : callable, optional
            Text that defines a model, by its name; None, as by default, is its ``.lib``.
        module_text : callable, optional
            Text that defines a Verilog-A module without a twin.

        Raises
        ------
        NetlistError
            See `models`; if there is a module without a twin, and nothing that compiles it, or a
            transistor that ngspice has no model of.
        """
        parts = [f"* {self.title}", comment_lines(self.explanation)]
        parts += [] if self.celsius is None else [f".temp {self.celsius:.12g}"]
        texts = {name: model_text(name) for name in self.models}
        parts += _libraries(name for name, text in texts.items() if text is None)
        parts += [text.strip() for text in texts.values() if text is not None]
        parts += [_tidy(card.spice()) for card in self.cards]
        parts += [library.text.strip() for library in self.libraries]
        for module, twin in self.modules:
            parts.append(module_text(module) if twin is None else twin.text.strip())
        for comment, circuit in self.sections:
            parts.append("\n".join([comment_lines(comment), *_circuit_lines(circuit)]))
        return "\n*\n".join(parts) + "\n"

    def __str__(self) -> str:
        return self.spice()


def _refuse_nested(definitions: Iterable[SubCircuit]) -> None:
    """The inner ones would be missing from the text: PySpice keeps them apart from the elements."""
    for outer in definitions:
        for inner in outer.subcircuits:
            raise NetlistError(
                f"subcircuit {outer.name} defines subcircuit {inner.name} inside of it; add each "
                "to the deck by itself"
            )


def _is_instance(element: Any) -> bool:
    return str(element.PREFIX) == "X"


def _circuit_lines(circuit: Circuit) -> Iterator[str]:
    for subcircuit in circuit.subcircuits:
        # No other way to the ports: PySpice has them only in the text of its header.
        yield _tidy(str(subcircuit).lstrip().split("\n", 1)[0])
        yield from (_tidy(str(element)) for element in subcircuit.elements)
        yield f".ends {subcircuit.name}"
    yield from (_tidy(str(element)) for element in circuit.elements)


def _tidy(line: str) -> str:
    """One element, its numbers to 12 digits, folded to ``WIDTH``.

    It is folded where two blanks are, which is between the points of a source, else at any blank.
    """
    line = _NUMBER.sub(lambda number: f"{float(number[0]):.12g}", line)
    if len(line) <= WIDTH:
        return line
    blank = "  " if "  " in line else " "
    first, *rest = line.split(blank)
    lines = [first]
    for word in rest:
        if len(lines[-1]) + len(blank) + len(word) <= WIDTH:
            lines[-1] += blank + word
        else:
            lines.append(f"+ {word}")
    return "\n".join(lines)


def comment_lines(text: str) -> str:
    """Text as comment lines; a line break stays one."""
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, width=96) or [""]]
    return "\n".join(f"* {line}".rstrip() for line in lines)


def _libraries(models: Iterable[str]) -> list[str]:
    """Texts of behavioural models and of what they include, each once: decks stand alone."""
    texts: dict[str, str] = {}

    def add(name: str) -> None:
        if name in texts:
            return
        text = resource_path(f"{name}.lib").read_text(encoding="utf-8")
        for inner in _INCLUDE.findall(text):
            add(inner)
        texts[name] = _INCLUDE.sub("", text).strip()

    for name in models:
        add(name)
    return list(texts.values())


def pulse_train(
    pulse: Pulse, levels: np.ndarray, cycle: float, rest: float = 0.0
) -> PieceWiseLinear:
    """One pulse per cycle, each with its own height above the level between pulses.

    Parameters
    ----------
    pulse : Pulse
        Shape, counted from the beginning of a cycle.
    levels : ndarray, shape (cycles,)
        Height in each cycle, in the source's unit.
    cycle : float, [s]
        Length of a cycle.
    rest : float
        Level between pulses, in the source's unit.
    """
    points = [] if pulse.start == 0 and levels[0] != 0 else [(0.0, rest)]
    for number, level in enumerate(levels.tolist()):
        if level == 0:
            continue
        heights = (rest, rest + level, rest + level, rest)
        points += [(number * cycle + t, h) for t, h in zip(pulse.corners(), heights, strict=True)]
    return PieceWiseLinear(tuple(points))


def step_train(levels: np.ndarray, edge: float, cycle: float) -> PieceWiseLinear:
    """Source that holds one level per cycle, shape (cycles,)."""
    values = levels.tolist()
    points = [(0.0, values[0])]
    for number in range(1, len(values)):
        points += [(number * cycle - edge, values[number - 1]), (number * cycle, values[number])]
    return PieceWiseLinear(tuple(points))
