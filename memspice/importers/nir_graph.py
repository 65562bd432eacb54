"""A NIR graph read from its file, and its nodes in order: one input, one output, no loop."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np

from memspice.errors import ConfigError, DataError
from memspice.importers.operations import refusal
from memspice.inputs import Group, open_hdf5, read_input
from memspice.outputs import printable

#: Largest NIR file, [bytes]; most nodes and edges.
LARGEST, MOST = 1 << 30, 10_000


def read_graph(path: Path) -> tuple[Any, str]:
    """Return the graph of a file that ``nir.write`` wrote, and the file's SHA-256.

    Raises
    ------
    ConfigError
        If ``nir`` is not installed.
    DataError
        If the file is missing or damaged, or ``nir`` makes no graph of it.
    """
    try:
        nir = importlib.import_module("nir")
    except ModuleNotFoundError as error:
        if error.name != "nir":
            raise
        raise ConfigError(
            "NIR files need the package nir: install the extra with pip install 'memspice[nir]'"
        ) from error
    digest = hashlib.sha256(read_input(path, LARGEST)).hexdigest()
    with open_hdf5(path) as file:
        content = _content(file.group("node"))
    try:
        # Its own type check refuses old files and speaks of no parameter; ours comes later.
        graph = nir.dict2NIRNode({**content, "type_check": False})
    except (RuntimeError, LookupError, ValueError, TypeError, AssertionError, AttributeError,
            ArithmeticError, MemoryError) as error:  # fmt: skip  # as nir raises
        raise DataError(
            f"the package nir cannot read {printable(str(path))} "
            f"({printable(str(error))[:300] or type(error).__name__}): "
            "write it again with nir.write"
        ) from error
    return graph, digest


#: Nodes whose parameters are one number a neuron.
_NEURONS = ("I", "IF", "LI", "LIF", "CubaLI", "CubaLIF", "Threshold")


def _content(group: Group) -> dict[str, Any]:
    """Content of a group as ``nir.write`` was given it; names and texts can be shown."""
    found: dict[str, Any] = {}
    if len(group.names) > MOST:
        group.refuse(f"has {len(group.names)} items, more than {MOST:,}")
    for name in group.names:
        if printable(name) != name or not name:
            group.refuse(f"the name {name!r} holds characters that cannot be shown: rename it")
        if group.kind_of(name) == "group":
            found[name] = _content(group.group(name))
            continue
        value = group.dataset(name).value()
        if isinstance(value, str) and printable(value) != value:
            group.refuse(f"{name} = {value[:80]!r} holds characters that cannot be shown")
        found[name] = value
    return _with_shapes(found)


def _with_shapes(content: dict[str, Any]) -> dict[str, Any]:
    """Neurons whose parameters are all single numbers, as Norse writes them, as arrays of one.

    The package ``nir`` asks every parameter for its shape.
    """
    numbers = {
        key: value for key, value in content.items() if isinstance(value, float | np.floating)
    }
    arrays = [key for key, value in content.items() if isinstance(value, np.ndarray)]
    if content.get("type") not in _NEURONS or arrays:
        return content
    return {**content, **{key: np.array([value], float) for key, value in numbers.items()}}


@dataclass(frozen=True, eq=False)
class Node:
    """A node of a graph with the names of those that feed it, and of those that it feeds."""

    name: str
    node: Any
    before: tuple[str, ...]
    behind: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Name of its type."""
        return type(self.node).__name__

    @property
    def where(self) -> str:
        """What messages call it."""
        return f"node {self.name!r} ({self.kind})"


def ordered_nodes(graph: Any) -> list[Node]:
    """Nodes of a graph, each behind those that feed it; those of inner graphs are ``outer.inner``.

    Parameters
    ----------
    graph : nir.NIRGraph
        Anything with ``nodes`` (a mapping) and ``edges`` (pairs of names).

    Raises
    ------
    ConfigError
        If there is an edge to nowhere, a loop, or not one node without a source and one without a
        target.
    """
    nodes, edges = _flat(graph, "")
    _ends(nodes, edges)
    before: dict[str, list[str]] = {name: [] for name in nodes}
    behind: dict[str, list[str]] = {name: [] for name in nodes}
    for start, end in edges:
        before[end].append(start)
        behind[start].append(end)
    try:
        order = list(TopologicalSorter(before).static_order())
    except CycleError as error:
        name = error.args[1][0]
        raise refusal(
            f"node {name!r} ({type(nodes[name]).__name__})",
            "it is part of a loop",
            "unroll or remove recurrent edges",
        ) from error
    return [Node(name, nodes[name], tuple(before[name]), tuple(behind[name])) for name in order]


def _flat(graph: Any, prefix: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Nodes and edges, those of inner graphs in their place."""
    nodes = {prefix + name: node for name, node in graph.nodes.items()}
    edges = [(f"{prefix}{start}", f"{prefix}{end}") for start, end in graph.edges]
    for edge in edges:
        for name in edge:
            if name not in nodes:
                raise refusal(f"edge {edge}", f"there is no node {name!r}", "export again")
    for outer in [name for name, node in nodes.items() if type(node).__name__ == "NIRGraph"]:
        inner, within = _flat(nodes.pop(outer), f"{outer}.")
        first, last = _ends(inner, within)
        nodes |= inner
        edges = [(last if a == outer else a, first if b == outer else b) for a, b in edges]
        edges += within
    return nodes, edges


def _ends(nodes: dict[str, Any], edges: list[tuple[str, str]]) -> tuple[str, str]:
    """The node without a source, and that without a target."""
    found = []
    for side, words, number in ((1, "source", "input"), (0, "target", "output")):
        inside = {edge[side] for edge in edges}
        ends = [name for name in nodes if name not in inside]
        if len(ends) != 1:
            raise refusal(
                f"nodes without a {words}: {', '.join(map(repr, sorted(ends))) or 'none'}",
                f"a network has one {number}" if ends else "every node is part of a loop",
                "leave out what is not connected, and unroll or remove recurrent edges",
            )
        found += ends
    return found[0], found[1]
