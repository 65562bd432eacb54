"""Subcircuits in files (``.lib``): their text, their terminals, and the transistor cards they need.

The text is SPICE, in the part of it that all engines have: resistors, capacitors, constant sources,
MOSFETs and instances of other subcircuits of the same file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from memspice.circuits.spice_text import Line, logical_lines, physical_lines, split_words
from memspice.circuits.transistor_card import TransistorCard
from memspice.errors import NetlistError
from memspice.inputs import read_input

#: Largest file of subcircuits, [bytes].
LARGEST_FILE = 1 << 20
_INCLUDE = re.compile(r"^\.include (\w+)\.lib[ \t]*$", re.MULTILINE)
_DEFINITION = re.compile(r"^\.subckt\s+(\S+).*?^\.ends\b[^\n]*\n?", re.I | re.M | re.S)


@dataclass(frozen=True)
class Header:
    """First line of a subcircuit: terminals in order, and parameters with their defaults."""

    name: str
    terminals: tuple[str, ...]
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Library:
    """Subcircuits as text.

    Parameters
    ----------
    origin : str
        File that they come from, for messages; it takes no part in comparisons.
    text : str
        Files that it includes are in it, so it says all.
    cards : tuple of TransistorCard
        Of the MOSFETs in it.
    """

    origin: str = field(compare=False)
    text: str
    cards: tuple[TransistorCard, ...] = ()

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Statements, with the numbers of their lines.

        Raises
        ------
        NetlistError
            As `memspice.circuits.spice_text.logical_lines`.
        """
        return tuple(logical_lines(physical_lines(self.text), first=1))

    @cached_property
    def headers(self) -> dict[str, Header]:
        """Subcircuits by their names, in lower case."""
        words = (split_words(line.text) for line in self.lines)
        found = (_header(line) for line in words if line[0].lower() == ".subckt")
        return {header.name: header for header in found}

    @cached_property
    def definitions(self) -> dict[str, str]:
        """Text of each subcircuit by its name, in lower case."""
        return {found[1].lower(): found[0] for found in _DEFINITION.finditer(self.text)}

    def without(self, others: Mapping[str, str]) -> Library:
        """The rest of it, where some of its subcircuits are there already.

        Parameters
        ----------
        others : mapping of str to str
            Texts by name, as of :attr:`definitions`.

        Raises
        ------
        NetlistError
            If one of them is another subcircuit of the same name.
        """
        text = self.text
        for name in self.definitions.keys() & others.keys():
            if self.definitions[name] != others[name]:
                raise NetlistError(
                    f"{self.origin} defines a subcircuit {name} that differs from the one that a "
                    "block of the same deck has by this name: give it another name"
                )
            text = text.replace(self.definitions[name], "")
        return Library(self.origin, text, self.cards)

    def lumped(self) -> Library:
        """The same with lumped transistors, see `TransistorCard.lumped`."""
        return replace(self, cards=tuple(card.lumped() for card in self.cards))


def _header(words: list[str]) -> Header:
    plain = [word.lower() for word in words[1:] if "=" not in word and word.lower() != "params:"]
    settings = (word.partition("=") for word in words if "=" in word)
    return Header(plain[0], tuple(plain[1:]), {name.lower(): value for name, _, value in settings})


def read_library(path: Path, cards: Mapping[str, TransistorCard]) -> Library:
    """Read a file of subcircuits.

    Parameters
    ----------
    path : Path
        A line ``.include NAME.lib`` stands for the text of that file in the same folder, once.
    cards : mapping of str to TransistorCard
        Transistors of the process, see `memspice.circuits.processes`.

    Returns
    -------
    Library

    Raises
    ------
    DataError
        If a file cannot be read.
    NetlistError
        If a MOSFET has a model that is neither in the file nor in the process.
    """
    plain = library_text(path)
    own = {
        words[1].lower()
        for line in plain.lines
        if (words := split_words(line.text))[0].lower() == ".model" and len(words) > 1
    }
    used = {name: line for name, line in _transistors(plain.lines) if name not in own}
    for name, line in used.items():
        if name not in cards:
            known = ", ".join(cards) or "none: no process is named"
            raise NetlistError(
                f"{path}, line {line.number}: {line.text!r} has the model {name!r}, which is "
                f"neither a .model of the file nor a transistor of the process ({known})"
            )
    return Library(str(path), plain.text, tuple(cards[name] for name in used))


def library_text(path: Path) -> Library:
    """A file of subcircuits without its transistor cards: its text alone.

    Raises
    ------
    DataError
        If a file cannot be read.
    """
    return Library(str(path), _with_includes(path, set()))


def first_subcircuit(library: Library) -> Header:
    """Header of the first subcircuit of a file: the one that a table means.

    Raises
    ------
    NetlistError
        If the file has none.
    """
    if not library.headers:
        raise NetlistError(f"{library.origin} has no .subckt; write the circuit as one")
    return next(iter(library.headers.values()))


def _with_includes(path: Path, seen: set[str]) -> str:
    text = read_input(path, LARGEST_FILE).decode("utf-8", "replace").replace("\r\n", "\n")

    def included(found: re.Match[str]) -> str:
        if found[1] in seen:
            return ""
        seen.add(found[1])
        return _with_includes(path.with_name(f"{found[1]}.lib"), seen)

    return _INCLUDE.sub(included, text)


def _transistors(lines: tuple[Line, ...]) -> Iterator[tuple[str, Line]]:
    """Model of every MOSFET: the word behind its four nodes."""
    for line in lines:
        words = split_words(line.text)
        if words[0][0].lower() == "m" and len(words) > 5:
            yield words[5].lower(), line
