"""NIR graphs that cannot be mapped are refused by node, reason and way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest

from memspice.errors import ConfigError, DataError, ShapeError
from memspice.importers.nir_import import import_nir
from tests.nir_helpers import affine, conv, flatten, pool, switch, write

RNG = np.random.default_rng(1)
SHAPE = (2, 8, 12)
Nodes = Callable[[], list[Any]]


def uneven() -> Any:
    """Thresholds that differ from position to position."""
    node = switch(RNG, 4, 8, 12)
    node.threshold[0, 1, 1] += 1
    return node


def averages(size: object, stride: object) -> Any:
    return nir.AvgPool2d(np.array(size), np.array(stride), np.array((0, 0)))


REFUSALS: dict[str, Nodes] = {
    r"node 'n0' \(Conv2d\): stride = \(1, 2\)": lambda: [conv(RNG, 4, 2, 3, stride=(1, 2))],
    r"node 'n0' \(Conv2d\): dilation = \(2, 2\)": lambda: [conv(RNG, 4, 2, 3, dilation=2)],
    r"node 'n0' \(Conv2d\): a weight .* in 2 groups": lambda: [conv(RNG, 4, 2, 3, groups=2)],
    r"node 'n0' \(Conv2d\): padding = \(0, 1\)": lambda: [conv(RNG, 4, 2, 3, padding=(0, 1))],
    r"node 'n0' \(Conv2d\): a kernel of 9x9 on images of 8x12": lambda: [
        conv(RNG, 4, 2, 9, padding=0)
    ],
    r"node 'n0' \(Conv2d\): stride = \[1.5": lambda: [
        conv(RNG, 4, 2, 3, stride=np.array([1.5, 1.5]))
    ],
    r"node 'n0' \(SumPool2d\): images of 8x12 .* 5x5": lambda: [pool("SumPool2d", 5)],
    r"node 'n0' \(AvgPool2d\): size \(2, 2\), stride \(1, 1\)": lambda: [averages((2, 2), (1, 1))],
    r"node 'n1' \(SumPool2d\): it comes between node 'n0'": lambda: [
        conv(RNG, 4, 2, 3), pool("SumPool2d", 2)
    ],
    r"node 'n1' \(Threshold\): its parameters differ from position to position": lambda: [
        conv(RNG, 4, 2, 3), uneven()
    ],
    r"node 'n0' \(Flatten\): flattens only the axes 0 to 1": lambda: [
        nir.Flatten({"input": np.array(SHAPE)}, 0, 1)
    ],
    r"node 'n1' \(Affine\): there are no neurons between it and node 'n0'": lambda: [
        nir.Linear(np.ones((6, 192))), affine(RNG, 3, 6)
    ],
    r"node 'n0' \(Conv1d\): .*Conv2d": lambda: [
        nir.Conv1d(8, np.ones((2, 2, 3)), 1, 1, 1, 1, np.zeros(2))
    ],
    r"node 'n0' \(Delay\)": lambda: [nir.Delay(np.ones(3))],
    r"node 'n0' \(CubaLI\): an integrator": lambda: [
        nir.CubaLI(*(np.ones(3) for _ in range(4))), affine(RNG, 3, 3)
    ],
    r"node 'n0' \(Threshold\): there is no weight layer": lambda: [switch(RNG, *SHAPE)],
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSALS)
def test_refusal_names_node_reason_and_way_out(tmp_path: Path, message: str) -> None:
    nodes = REFUSALS[message]()
    flat = type(nodes[0]).__name__ in ("Linear", "CubaLI")
    path = write(tmp_path / "net.nir", SHAPE, *([flatten(SHAPE)] if flat else []), *nodes)
    if flat:
        message = message.replace("n1", "n2").replace("n0", "n1")
    with pytest.raises(ConfigError, match=message):
        import_nir(path)


def test_wrong_shapes(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    cases: dict[str, Nodes] = {
        r"node 'n0' \(Conv2d\): a weight .* 2 channels": lambda: [conv(RNG, 4, 3, 3)],
        r"node 'n0' \(Conv2d\): made for images of 9x9, but gets 8x12": lambda: [
            conv(RNG, 4, 2, 3, input_shape=(9, 9))
        ],
        r"node 'n1' \(Affine\): .* 192 inputs": lambda: [flatten(SHAPE), affine(RNG, 3, 190)],
        r"node 'n1' \(Threshold\): parameters of shape \(5,\)": lambda: [
            conv(RNG, 4, 2, 3), switch(RNG, 5)
        ],
        r"node 'n1' \(Affine\): a bias of shape \(4,\)": lambda: [flatten(SHAPE), other_bias()],
        r"node 'n1' \(Scale\): parameters of shape \(2,\)": lambda: [
            flatten(SHAPE), nir.Scale(np.ones(2)), affine(RNG, 3, 192)
        ],
    }  # fmt: skip
    for message, nodes in cases.items():
        with pytest.raises(ShapeError, match=message):
            import_nir(write(path, SHAPE, *nodes()))


def other_bias() -> Any:
    return nir.Affine(np.ones((3, 192)), np.zeros(4))


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_weights_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    node = affine(RNG, 3, 12)
    node.weight[2, 3] = value
    with pytest.raises(DataError, match=r"node 'n0' \(Affine\): 1 of 36 numbers in weight"):
        import_nir(write(tmp_path / "net.nir", (12,), node))


def test_complex_weights(tmp_path: Path) -> None:
    node = nir.Linear(np.ones((3, 12), complex))
    with pytest.raises(DataError, match="type complex128 in .*weight"):
        import_nir(write(tmp_path / "net.nir", (12,), node))


# --- graphs ---------------------------------------------------------------------------------------


def graph(path: Path, edges: str, shape: Any = (12,)) -> Path:
    """Graph of the nodes in ``edges`` (``i-a a-o``): input, output, and scales."""
    pairs = [tuple(edge.split("-")) for edge in edges.split()]
    made = {"i": nir.Input({"input": np.array(shape)}), "o": nir.Output({"output": np.ones(1)})}
    names = dict.fromkeys(name for pair in pairs for name in pair if name != "x")
    nodes = {name: made.get(name, nir.Scale(np.ones(1))) for name in names}
    nir.write(path, nir.NIRGraph(nodes, pairs, type_check=False))
    return path


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ("i-a a-b a-c b-o", "nodes without a target: 'c', 'o': a network has one output"),
        ("i-a a-b b-c c-o d-b", "nodes without a source: 'd', 'i': a network has one input"),
        ("i-a a-b a-c b-o c-o", r"node 'o' \(Output\): it adds up .*\[W, W\] on the joined rows"),
        ("i-a a-a a-o", r"node 'a' \(Scale\): it is part of a loop; .*recurrent"),
        ("i-a a-b b-a b-o", r"node '[ab]' \(Scale\): it is part of a loop; .*recurrent"),
        ("i-a a-o b-c c-b", r"node '[bc]' \(Scale\): it is part of a loop"),
        ("a-b b-a", "nodes without a source: none: every node is part of a loop"),
        ("i-a a-o b-c", r"nodes without a source: 'b', 'i': a network has one input"),
        ("i-a a-x", r"edge \('a', 'x'\): there is no node 'x'"),
        ("a-b b-o", "the graph: the shape of its input is unknown; give --input-shape"),
        ("i-a a-o", r"node 'a' \(Scale\): memspice's last layer"),
    ],
)
def test_graph_that_cannot_be_mapped(tmp_path: Path, edges: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        import_nir(graph(tmp_path / "net.nir", edges))


def test_recurrent_inner_graph(tmp_path: Path) -> None:
    names = ("input", "lif", "back", "output")
    made = (nir.Input(np.ones(1)), nir.Scale(np.ones(1)), nir.Scale(np.ones(1)))
    nodes = dict(zip(names, (*made, nir.Output(np.ones(1))), strict=True))
    edges = [("input", "lif"), ("lif", "back"), ("back", "lif"), ("lif", "output")]
    inner = nir.NIRGraph(nodes, edges, type_check=False)
    with pytest.raises(ConfigError, match=r"node 'n0.(lif|back)' \(Scale\): .*recurrent"):
        import_nir(write(tmp_path / "net.nir", (12,), inner))


def test_single_node_is_no_graph(tmp_path: Path) -> None:
    nir.write(tmp_path / "net.nir", affine(RNG, 3, 12))
    with pytest.raises(DataError, match="the package nir cannot read"):
        import_nir(tmp_path / "net.nir")
