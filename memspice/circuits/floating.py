"""Nodes of a subcircuit that no direct current can leave: an engine cannot find their voltage."""

from __future__ import annotations

from collections.abc import Iterator

from memspice.circuits.library import Library
from memspice.circuits.spice_text import Line, split_words
from memspice.errors import NetlistError

#: Which nodes of an element carry a direct current between each other; a MOSFET's gate does not.
_CONDUCTING = {"r": (0, 1), "v": (0, 1), "l": (0, 1), "d": (0, 1), "m": (0, 2, 3)}
_NODES = {"r": 2, "c": 2, "v": 2, "i": 2, "l": 2, "d": 2, "m": 4}


def refuse_floating(library: Library, subcircuit: str) -> None:
    """Refuse a subcircuit with a node of `floating_nodes`.

    Raises
    ------
    NetlistError
        With file and line.
    """
    for node, line in floating_nodes(library, subcircuit):
        raise NetlistError(
            f"{library.origin}, line {line.number}: node {node!r} has no path for a direct current "
            "to ground or to a terminal, so its voltage is undefined; give it one (a large "
            "resistor, a switch)"
        )


class _Groups:
    """Nodes that are joined (disjoint sets)."""

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}

    def find(self, node: str) -> str:
        """Name that stands for the group of a node."""
        while self.parent.setdefault(node, node) != node:
            node = self.parent[node]
        return node

    def join(self, nodes: list[str]) -> None:
        """Put nodes into one group."""
        for node in nodes[1:]:
            self.parent[self.find(node)] = self.find(nodes[0])


def floating_nodes(library: Library, subcircuit: str) -> list[tuple[str, Line]]:
    """Inner nodes without a path to ground or to a terminal, and where each is named first.

    Parameters
    ----------
    library : Library
    subcircuit : str
        Its name there, in lower case. A path leads through resistors, sources of voltage, diodes,
        channels and bulks of MOSFETs, and what conducts between the terminals of inner
        subcircuits; elements of other kinds count as paths.

    Returns
    -------
    list of (str, Line)
    """
    groups = _Groups()
    first: dict[str, Line] = {}
    for line, nodes in _elements(library, subcircuit):
        for node in nodes:
            first.setdefault(node, line)
        for joined in _paths(library, line, nodes):
            groups.join(joined)
    fixed = ("0", *library.headers[subcircuit].terminals)
    reached = {groups.find(node) for node in fixed}
    return [(node, line) for node, line in first.items() if groups.find(node) not in reached]


def _elements(library: Library, subcircuit: str) -> Iterator[tuple[Line, list[str]]]:
    """Elements of a subcircuit, and their nodes in lower case."""
    inside = False
    for line in library.lines:
        words = [word.lower() for word in split_words(line.text)]
        if words[0] == ".subckt":
            inside = words[1] == subcircuit
        elif words[0] == ".ends":
            inside = False
        elif inside and not words[0].startswith("."):
            yield line, _nodes(words)


def _nodes(words: list[str]) -> list[str]:
    plain = [word for word in words[1:] if "=" not in word and word != "params:"]
    return plain[:-1] if words[0][0] == "x" else plain[: _NODES.get(words[0][0], 2)]


def _paths(library: Library, line: Line, nodes: list[str]) -> Iterator[list[str]]:
    """Groups of an element's nodes between which a direct current can flow."""
    words = split_words(line.text)
    kind = words[0][0].lower()
    if kind == "x":
        yield from _inner_paths(library, words, nodes)
    elif kind not in "ci":
        conducting = _CONDUCTING.get(kind, range(len(nodes)))
        yield [nodes[k] for k in conducting if k < len(nodes)]


def _inner_paths(library: Library, words: list[str], nodes: list[str]) -> Iterator[list[str]]:
    name = [word for word in words if "=" not in word and word.lower() != "params:"][-1].lower()
    header = library.headers.get(name)
    if header is None:
        yield nodes
        return
    groups = _Groups()
    for line, inner in _elements(library, name):
        for joined in _paths(library, line, inner):
            groups.join(joined)
    outside = dict(zip(header.terminals, nodes, strict=False)) | {"0": "0"}
    by_group: dict[str, list[str]] = {}
    for terminal, node in outside.items():
        by_group.setdefault(groups.find(terminal), []).append(node)
    yield from by_group.values()
