"""Text of subcircuits whose transistors have thresholds of their own: parameters of an instance.

Each transistor that differs gets a parameter of the subcircuit that it is in, and of all that
contain it; a transistor's own subcircuit hands it on as ``delvto``.  At 0, which is the default,
the circuit is what it was.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import replace

from memspice.circuits.library import Library
from memspice.circuits.mismatch import Transistor
from memspice.circuits.spice_text import split_words
from memspice.errors import NetlistError

#: Ends the name of a transistor's subcircuit whose channel has a parameter, ``shift`` [V].
_OWN = "_drawn"
#: Longest line, [characters].
WIDTH = 100


def threshold_parameter(transistor: Transistor) -> str:
    """Parameter of a stage that shifts the threshold of one of its transistors, [V]."""
    return f"{transistor.subcircuit}_{transistor.name}"


def with_thresholds(library: Library, transistors: Iterable[Transistor]) -> Library:
    """Library whose subcircuits have a parameter for each of some transistors' thresholds.

    Parameters
    ----------
    library : Library
    transistors : iterable of Transistor

    Returns
    -------
    Library
        Subcircuits of transistors, which others use as well, stay as they are.

    Raises
    ------
    NetlistError
        If a subcircuit with such transistors is there twice within another: both would have the
        same thresholds.
    """
    listed = tuple(transistors)
    inside = _passed_on(library, listed)
    text = library.text
    for owner in inside:
        text = text.replace(library.definitions[owner], _definition(library, owner, listed, inside))
    kinds = sorted({one.kind for one in listed})
    return replace(library, text=text + "".join(_kind(library, kind) for kind in kinds))


def _passed_on(library: Library, transistors: Iterable[Transistor]) -> dict[str, list[str]]:
    """Parameters of each subcircuit that has some: of its own transistors, and of what is in it."""
    own: dict[str, list[str]] = {}
    for one in transistors:
        own.setdefault(one.subcircuit, []).append(threshold_parameter(one))

    def within(owner: str) -> list[str]:
        used = [name for _, name in _instances(library.definitions[owner]) if name in known]
        found = [*own.get(owner, ()), *(name for other in used for name in within(other))]
        if len(set(found)) < len(found):
            raise NetlistError(
                f"{library.origin}: {owner} has more than one of {', '.join(sorted(set(used)))}, "
                "whose transistors would all have the same thresholds: draw those of another "
                "subcircuit"
            )
        return found

    known = library.definitions.keys()
    return {owner: names for owner in known if (names := within(owner))}


def _instances(definition: str) -> list[tuple[str, str]]:
    """Text of each instance with its continuations, and whose it is."""
    found = []
    for text in re.findall(r"^X.*(?:\n\+.*)*", definition, re.MULTILINE):
        words = split_words(text.replace("\n+", " "))
        plain = [word for word in words if "=" not in word and word.lower() != "params:"]
        found.append((text, plain[-1].lower()))
    return found


def _definition(
    library: Library,
    owner: str,
    transistors: Iterable[Transistor],
    inside: Mapping[str, list[str]],
) -> str:
    """A subcircuit with parameters, which its transistors and instances take."""
    own = {f"X{one.name}": one for one in transistors if one.subcircuit == owner}
    head, *body = re.split(r"^(?=[^+])", library.definitions[owner], flags=re.MULTILINE)[1:]
    word = "" if library.headers[owner].parameters else "params: "
    lines = [head + _settings(word, {name: "0" for name in inside[owner]})]
    for line in body:
        used = _instances(line)
        one = own.get(split_words(line)[0]) if used else None
        if one:
            kind = re.sub(rf"\b{one.kind}\b", one.kind + _OWN, line.rstrip())
            line = f"{kind} shift={{{threshold_parameter(one)}}}\n"
        elif used and used[0][1] in inside:
            line += _settings("", {name: f"{{{name}}}" for name in inside[used[0][1]]})
        lines.append(line)
    return "".join(lines)


def _settings(word: str, values: Mapping[str, str]) -> str:
    """Continuation lines that set parameters."""
    text = word + " ".join(f"{name}={value}" for name, value in values.items())
    return textwrap.fill(text, WIDTH, initial_indent="+ ", subsequent_indent="+ ") + "\n"


def _kind(library: Library, kind: str) -> str:
    """A transistor's subcircuit once more, with a parameter that shifts its threshold."""
    head, _, body = library.definitions[kind].replace(kind, kind + _OWN).partition("\n")
    return f"{head} shift=0\n{body.replace('l={l}', 'l={l} delvto={shift}', 1)}"
