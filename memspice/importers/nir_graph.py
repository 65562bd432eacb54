"""A NIR graph read from its file, and as a chain: one input, one output, nothing that branches."""

from __future__ import annotations

import hashlib
import importlib
from collections import Counter
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


def chain_of_nodes(graph: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Names and nodes from the input to the output; those of inner graphs are ``outer.inner``.

    Parameters
    ----------
    graph : nir.NIRGraph
        Anything with ``nodes`` (a mapping) and ``edges`` (pairs of names).
    prefix : str
        In front of each name.

    Raises
    ------
    ConfigError
        If the graph is no chain: an edge to nowhere, a branch, a loop, several inputs, or a node
        that nothing leads to.
    """
    nodes = {prefix + name: node for name, node in graph.nodes.items()}
    edges = [(f"{prefix}{start}", f"{prefix}{end}") for start, end in graph.edges]
    _check_edges(nodes, edges)
    following = dict(edges)
    ends = {end for _, end in edges}
    starts = [name for name in nodes if name not in ends]
    if len(starts) != 1:
        listed = ", ".join(map(repr, sorted(starts))) or "none"
        raise refusal(
            f"nodes without a source: {listed}",
            "a network has one input" if starts else "every node is part of a loop",
            "join them into one chain, and unroll or remove recurrent edges",
        )
    found = _follow(starts[0], following)
    if len(found) != len(nodes):
        lost = next(name for name in nodes if name not in found)
        raise refusal(
            f"node {lost!r} ({type(nodes[lost]).__name__})",
            "it is part of a loop that the input does not reach",
            "unroll or remove recurrent edges",
        )
    return [item for name in found for item in _expanded(name, nodes[name])]


def _check_edges(nodes: dict[str, Any], edges: list[tuple[str, str]]) -> None:
    for edge in edges:
        for name in edge:
            if name not in nodes:
                raise refusal(f"edge {edge}", f"there is no node {name!r}", "export again")
    for side, verb in ((0, "feeds several nodes"), (1, "is fed by several nodes")):
        for name, count in Counter(edge[side] for edge in edges).items():
            if count > 1:
                others = ", ".join(repr(e[1 - side]) for e in edges if e[side] == name)
                raise refusal(
                    f"node {name!r} ({type(nodes[name]).__name__})",
                    f"it {verb} ({others}): branches and recurrent edges cannot be mapped",
                    "make the network a chain",
                )


def _follow(start: str, following: dict[str, str]) -> list[str]:
    found = [start]
    while found[-1] in following:
        found.append(following[found[-1]])
    return found


def _expanded(name: str, node: Any) -> list[tuple[str, Any]]:
    """The node itself, or the chain of an inner graph without its input and output."""
    if type(node).__name__ != "NIRGraph":
        return [(name, node)]
    return [
        (inner, part)
        for inner, part in chain_of_nodes(node, f"{name}.")
        if type(part).__name__ not in ("Input", "Output")
    ]
