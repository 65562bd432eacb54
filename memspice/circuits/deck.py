"""A netlist in commented sections, its elements made by PySpice."""

from __future__ import annotations

import re
import textwrap

import numpy as np
from PySpice.Spice.Netlist import Circuit, SubCircuit

from memspice.circuits.timing import Pulse
from memspice.resources import resource_path

#: Longest line, [characters]; what is longer goes on in lines that begin with ``+``.
WIDTH = 100
#: Numbers as Python writes them, with up to 17 digits.
_NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?:e[-+]?\d+)?")


class Deck:
    """Title, explanation and sections of elements; a section is a PySpice circuit.

    Node names are shared by all sections; element names must be unique in the whole deck.
    """

    def __init__(self, title: str, explanation: str, libraries: tuple[str, ...] = ()) -> None:
        self._title = title
        self._explanation = explanation
        self._libraries = libraries
        self._sections: list[tuple[str, Circuit]] = []

    def section(self, comment: str) -> Circuit:
        """Start a section under a comment; add elements to what is returned."""
        circuit = Circuit("section")
        self._sections.append((comment, circuit))
        return circuit

    def subcircuit(self, comment: str, subcircuit: SubCircuit) -> None:
        """Add a subcircuit definition under a comment."""
        self.section(comment).subcircuit(subcircuit)

    def __str__(self) -> str:
        parts = [f"* {self._title}", comment_lines(self._explanation)]
        parts += [_library(name) for name in self._libraries]
        for comment, circuit in self._sections:
            body = str(circuit).split("\n", 1)[1]  # PySpice's own .title line
            lines = [_tidy(line) for line in body.strip().splitlines()]
            parts.append("\n".join([comment_lines(comment), *lines]))
        return "\n*\n".join(parts) + "\n"


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


def _library(name: str) -> str:
    """Text of a subcircuit library: decks stand alone, wherever they are run."""
    return resource_path(f"{name}.lib").read_text(encoding="utf-8").strip()


def pulse_train(pulse: Pulse, levels: np.ndarray, cycle: float) -> str:
    """Piecewise-linear source: one pulse per cycle with its own height.

    Parameters
    ----------
    pulse : Pulse
        Shape, counted from the beginning of a cycle.
    levels : ndarray, shape (cycles,)
        Height in each cycle, in the source's unit.
    cycle : float, [s]
        Length of a cycle.
    """
    points = [] if pulse.start == 0 and levels[0] != 0 else [(0.0, 0.0)]
    for number, level in enumerate(levels):
        if level == 0:
            continue
        heights = (0.0, level, level, 0.0)
        points += [(number * cycle + t, h) for t, h in zip(pulse.corners(), heights, strict=True)]
    return _pwl(points)


def step_train(levels: np.ndarray, edge: float, cycle: float) -> str:
    """Piecewise-linear source that holds one level per cycle, shape (cycles,)."""
    points = [(0.0, levels[0])]
    for number in range(1, len(levels)):
        points += [(number * cycle - edge, levels[number - 1]), (number * cycle, levels[number])]
    return _pwl(points)


def _pwl(points: list[tuple[float, float]]) -> str:
    return "pwl(" + "  ".join(f"{time:.12g} {value:.12g}" for time, value in points) + ")"
