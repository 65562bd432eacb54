"""NIR graphs that branch, stride, group and pool by maximum: scores by SciPy, and refusals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from scipy.signal import correlate2d

from memspice.errors import ConfigError
from memspice.importers.nir_import import import_nir
from memspice.network.ann import ann_scores
from memspice.network.architecture import Conv, Dense, Pool
from memspice.network.inference import run_inference
from memspice.network.mapping import map_network
from memspice.network.rounding import round_network
from memspice.parameters import load_parameter_set
from tests.nir_helpers import affine, conv, flatten, pool, switch

SHAPE = (2, 8, 12)


def graph(path: Path, nodes: Mapping[str, Any], edges: str, shape: Any = SHAPE) -> Path:
    """File of a graph; ``edges`` are ``input-a a-output``."""
    ends = {"input": nir.Input({"input": np.array(shape)}), "output": nir.Output(np.ones(1))}
    pairs = [tuple(edge.split("-")) for edge in edges.split()]
    nir.write(path, nir.NIRGraph({**ends, **nodes}, pairs, type_check=False))
    return path


def convolved(node: Any, x: np.ndarray) -> np.ndarray:
    """Convolution by SciPy on padded planes, every ``stride`` -th position of it."""
    pad, step = int(np.max(node.padding)), int(np.max(node.stride))
    planes = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    outputs, own = node.weight.shape[:2]
    found = []
    for number, (kernels, bias) in enumerate(zip(node.weight, node.bias, strict=True)):
        first = number // (outputs // int(node.groups)) * own
        part = planes[first : first + own]
        whole = sum(correlate2d(a, k, "valid") for a, k in zip(part, kernels, strict=True))
        found.append((whole + bias)[::step, ::step])
    return np.array(found)


def rate(z: np.ndarray, node: Any) -> np.ndarray:
    return 1 - np.exp(-np.exp(z - node.threshold))


def pictures() -> np.ndarray:
    return np.random.default_rng(5).random((3, *SHAPE))


def test_layers_that_lead_to_the_same_neurons_are_joined_rows(tmp_path: Path) -> None:
    """What leads to a node is added up: two layers into one are one of rows side by side."""
    rng = np.random.default_rng(1)
    nodes = {
        "first": conv(rng, 3, 2, 3), "spike1": switch(rng, 3, 8, 12),
        "image": conv(rng, 4, 2, 3), "rows": conv(rng, 4, 3, 3), "spike2": switch(rng, 4, 8, 12),
        "pool": pool("AvgPool2d", 2), "side": pool("AvgPool2d", 2),
        "flat": flatten((4, 4, 6)), "other": flatten((3, 4, 6)),
        "end": affine(rng, 5, 96), "skip": affine(rng, 5, 72),
    }  # fmt: skip
    edges = (
        "input-first first-spike1 input-image spike1-rows image-spike2 rows-spike2 spike2-pool "
        "pool-flat flat-end end-output spike1-side side-other other-skip skip-output"
    )
    network = import_nir(graph(tmp_path / "net.nir", nodes, edges))
    assert network.architecture.layers == (
        Conv(3), Conv(4, also=(0,)), Pool(2), Dense(5, also=(1,))
    )  # fmt: skip

    def expected(x: np.ndarray) -> np.ndarray:
        one = rate(convolved(nodes["first"], x), nodes["spike1"])
        two = convolved(nodes["image"], x) + convolved(nodes["rows"], one)
        two = rate(two, nodes["spike2"])
        halves = [each.reshape(len(each), 4, 2, 6, 2).mean(axis=(2, 4)) for each in (two, one)]
        parts = zip((nodes["end"], nodes["skip"]), halves, strict=True)
        return sum(node.weight @ half.ravel() + node.bias for node, half in parts)

    scores = ann_scores(network, pictures())
    np.testing.assert_allclose(scores, [expected(x) for x in pictures()], rtol=1e-5, atol=1e-5)


def test_strides_groups_and_a_maximum_of_spikes(tmp_path: Path) -> None:
    """A sum of spikes behind a threshold below one is one spike where there is any."""
    rng = np.random.default_rng(2)
    made = (6, 2, 3)
    nodes = {
        "a": conv(rng, 4, 2, 3, stride=2, padding=0, input_shape=(8, 12)),
        "b": switch(rng, 4, 3, 5),
        "c": conv(rng, 6, 2, 2, padding=1, groups=2, input_shape=(3, 5)),
        "d": switch(rng, 6, 4, 6),
        "sum": pool("SumPool2d", 2),
        "one": nir.Threshold(np.full(made, 0.5)),
        "flat": flatten(made),
        "end": affine(rng, 5, 36),
    }
    for name in ("a", "c"):
        nodes[name].weight *= 1e4  # neurons that are certain: their probabilities are spikes
        nodes[name].bias *= 1e4
    names = ["input", *nodes, "output"]
    edges = " ".join(f"{a}-{b}" for a, b in zip(names[:-1], names[1:], strict=True))
    network = import_nir(graph(tmp_path / "net.nir", nodes, edges))
    assert network.architecture.layers == (
        Conv(4, 3, (), 2, 0), Conv(6, 2, (), 1, 1, 2), Pool(2, "any"), Dense(5)
    )  # fmt: skip

    def expected(x: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            state = rate(convolved(nodes["a"], x), nodes["b"])
            state = rate(convolved(nodes["c"], state), nodes["d"])
        sums = state.reshape(6, 2, 2, 3, 2).sum(axis=(2, 4))
        spikes = sums > nodes["one"].threshold
        return np.asarray(nodes["end"].weight @ spikes.ravel() + nodes["end"].bias)

    scores = ann_scores(network, pictures())
    np.testing.assert_allclose(scores, [expected(x) for x in pictures()], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("threshold", [1.0, -0.1, 3.5])
def test_another_threshold_is_no_maximum(tmp_path: Path, threshold: float) -> None:
    rng = np.random.default_rng(3)
    nodes = {
        "a": conv(rng, 2, 2, 3), "b": switch(rng, 2, 8, 12), "sum": pool("SumPool2d", 2),
        "one": nir.Threshold(np.full((2, 4, 6), threshold)), "flat": flatten((2, 4, 6)),
        "end": affine(rng, 5, 48),
    }  # fmt: skip
    names = ["input", *nodes, "output"]
    edges = " ".join(f"{a}-{b}" for a, b in zip(names[:-1], names[1:], strict=True))
    with pytest.raises(
        ConfigError, match=r"node 'one' \(Threshold\): a step is not the activation"
    ):
        import_nir(graph(tmp_path / "net.nir", nodes, edges))


def test_residual_sums_are_refused_with_the_way_to_write_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    nodes = {
        "a": conv(rng, 2, 2, 3), "b": switch(rng, 2, 8, 12), "c": conv(rng, 2, 2, 3),
        "d": switch(rng, 2, 8, 12), "flat": flatten(SHAPE), "end": affine(rng, 3, 192),
    }  # fmt: skip
    edges = "input-a a-b b-c c-d d-flat b-flat flat-end end-output"
    said = (
        r"node 'flat' \(Flatten\): it adds up .*W \(a \+ b\) as one layer with the weights \[W, W\]"
    )
    with pytest.raises(ConfigError, match=said):
        import_nir(graph(tmp_path / "net.nir", nodes, edges))


def test_layers_of_other_kernels_are_not_added_up(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    nodes = {
        "a": conv(rng, 2, 2, 3), "b": switch(rng, 2, 8, 12), "c": conv(rng, 2, 2, 3),
        "e": conv(rng, 2, 2, 5), "d": switch(rng, 2, 8, 12), "flat": flatten(SHAPE),
        "end": affine(rng, 3, 192),
    }  # fmt: skip
    edges = "input-a a-b b-c c-d b-e e-d d-flat flat-end end-output"
    with pytest.raises(ConfigError, match=r"node 'd' \(Threshold\): it adds up .*several kernels"):
        import_nir(graph(tmp_path / "net.nir", nodes, edges))


def test_network_of_the_nir_paper_is_imported_and_runs(tmp_path: Path) -> None:
    """Its layout, small: a convolution of stride 2, IF neurons, a pool of sums, a product."""
    rng = np.random.default_rng(0)
    nodes = {
        "0": nir.Conv2d((8, 8), rng.normal(0, 0.3, (4, 1, 3, 3)), 2, 1, 1, 1, np.zeros(4)),
        "1": nir.IF(np.ones((4, 4, 4)), np.ones((4, 4, 4)), np.zeros((4, 4, 4))),
        "2": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "3": nir.Flatten({"input": np.array([4, 2, 2])}, 0, -1),
        "4": nir.Affine(rng.normal(0, 0.3, (10, 16)), np.zeros(10)),
    }
    names = ["input", *nodes, "output"]
    edges = " ".join(f"{a}-{b}" for a, b in zip(names[:-1], names[1:], strict=True))
    path = graph(tmp_path / "paper.nir", nodes, edges, (1, 8, 8))
    network = import_nir(path, neurons="stochastic", time_step=2.0)
    assert network.architecture.layers == (Conv(4, stride=2), Pool(2), Dense(10))
    rounded, _ = round_network(network, 32)
    mapped = map_network(rounded, load_parameter_set("fast-memristor"))
    images = rng.random((2, 1, 8, 8))
    scores = run_inference(mapped, images, 64, 1).scores
    # 64 draws a mean, 16 of them weighted by 0.3 * 4 and rounding of 2 %: 0.15 (three sigma 0.3).
    np.testing.assert_allclose(scores, ann_scores(network, images), atol=0.45)
