"""A NIR graph as a chain: one input, one output, nothing that branches or returns."""

from __future__ import annotations

from collections import Counter
from typing import Any

from memspice.network.operations import refusal


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
