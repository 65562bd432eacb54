"""NIR files: the scores that SciPy computes from the same graph, neurons replaced on demand."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
from scipy.signal import correlate2d

from memspice.errors import ConfigError, DataError, ShapeError
from memspice.importers.nir_import import import_nir
from memspice.importers.rate_match import LeakyNeurons
from memspice.network.ann import ann_scores
from memspice.network.architecture import Conv, Dense, Pool
from memspice.network.weights import Network
from tests.nir_helpers import affine, conv, flatten, lif, pool, switch, write

#: Scores of one: some hundred products of float32, whose rounding is 6e-8 each.
SAME = 1e-6


def computed(nodes: Sequence[Any], x: np.ndarray) -> np.ndarray:
    """What the nodes make of one image, in double precision and loops."""
    for node in nodes:
        kind = type(node).__name__
        if kind == "Conv2d":
            # SciPy pads with zeros, and its correlation does not turn the kernel.
            x = np.stack([
                sum(correlate2d(plane, k, "same") for plane, k in zip(x, w, strict=True)) + b
                for w, b in zip(node.weight.astype(float), node.bias, strict=True)
            ])  # fmt: skip
        elif kind in ("Affine", "Linear"):
            x = node.weight @ x + getattr(node, "bias", 0)
        elif kind == "Scale":
            x = node.scale * x
        elif kind == "Flatten":
            x = x.ravel()
        elif kind.endswith("Pool2d"):
            size = int(node.kernel_size[0])
            blocks = x.reshape(len(x), x.shape[1] // size, size, -1, size)
            x = blocks.sum(axis=(2, 4)) / (size**2 if kind == "AvgPool2d" else 1)
        elif kind == "Threshold":
            x = 1 - np.exp(-np.exp(x - node.threshold))
        else:
            raise AssertionError(kind)
    return x


def same_scores(path: Path, shape: Sequence[int], nodes: Sequence[Any]) -> Network:
    images = np.random.default_rng(5).random((4, *shape))
    network = import_nir(write(path, shape, *nodes))
    expected = np.stack([computed(nodes, image) for image in images])
    np.testing.assert_allclose(ann_scores(network, images), expected, rtol=SAME, atol=SAME)
    return network


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scores_are_those_of_the_graph(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    nodes = [
        conv(rng, 4, 2, 3), switch(rng, 4, 8, 12), pool("AvgPool2d", 2),
        conv(rng, 3, 4, 5, padding="same", input_shape=(4, 6)), switch(rng, 3, 4, 6),
        pool("SumPool2d", 2), nir.Scale(np.array([0.5])), flatten((3, 2, 3)),
        affine(rng, 7, 18), switch(rng, 7), nir.Linear(rng.normal(size=(5, 7)) / 3),
        nir.Scale(np.arange(1.0, 6.0)),
    ]  # fmt: skip
    network = same_scores(tmp_path / "net.nir", (2, 8, 12), nodes)
    assert network.name == "net"
    assert network.architecture.layers == (
        Conv(4, 3), Pool(2), Conv(3, 5), Pool(2), Dense(7), Dense(5)
    )  # fmt: skip
    assert network.provenance["changes"] == []
    assert re.fullmatch("[0-9a-f]{64}", network.provenance["sha256"])


def test_scaled_input_of_every_pixel(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    nodes = [flatten((2, 4, 3)), nir.Scale(rng.normal(size=24)), affine(rng, 5, 24)]
    same_scores(tmp_path / "net.nir", (2, 4, 3), nodes)


def test_flatten_that_counts_the_batch_as_an_axis(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    nodes = [flatten((2, 4, 3), start=1), affine(rng, 5, 24)]
    same_scores(tmp_path / "net.nir", (2, 4, 3), nodes)


def test_inner_graph_is_part_of_the_chain(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    nodes = [affine(rng, 6, 12), switch(rng, 6), affine(rng, 3, 6)]
    inner = nir.NIRGraph.from_list(*nodes[1:])
    found = import_nir(write(tmp_path / "inner.nir", (12,), nodes[0], inner))
    flat = import_nir(write(tmp_path / "flat.nir", (12,), *nodes))
    for mine, other in zip(found.layers, flat.layers, strict=True):
        np.testing.assert_array_equal(mine.weight, other.weight)
        np.testing.assert_array_equal(mine.bias, other.bias)


def test_flat_input_takes_the_shape_asked_for(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    path = write(tmp_path / "net.nir", (64,), affine(rng, 6, 64))
    assert import_nir(path).architecture.input_shape == (1, 1, 64)
    network = import_nir(path, input_shape=(1, 8, 8))
    assert network.architecture.input_shape == (1, 8, 8)
    np.testing.assert_array_equal(network.layers[0].weight, import_nir(path).layers[0].weight)
    with pytest.raises(ShapeError, match="--input-shape 1x8x9 does not fit the file's 64"):
        import_nir(path, input_shape=(1, 8, 9))


# --- neurons --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["IF", "LIF", "CubaLIF"])
def test_deterministic_neurons_are_refused_unless_told_otherwise(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(8)
    nodes = [affine(rng, 6, 12), lif(6, kind), affine(rng, 3, 6), lif(3, kind)]
    path = write(tmp_path / "net.nir", (12,), *nodes)
    with pytest.raises(ConfigError, match=rf"node 'n1' \({kind}\): a deterministic .*stochastic"):
        import_nir(path)
    with pytest.raises(ConfigError, match=rf"node 'n1' \({kind}\): .*continuous time.*time-step"):
        import_nir(path, neurons="stochastic")
    step = 0.2 if kind == "IF" else 1e-3
    network = import_nir(path, neurons="stochastic", time_step=step)
    first, last = network.provenance["changes"]
    assert re.match(rf"node 'n1' \({kind}\): replaced .*; mean rates .* -> .* without", first)
    assert re.match(rf"node 'n3' \({kind}\): left out", last)
    assert network.provenance["time_step"] == step


def test_leaky_neurons_become_scales_and_shifts(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    first, node = affine(rng, 6, 12), lif(6, "CubaLIF")
    path = write(tmp_path / "net.nir", (12,), first, node, affine(rng, 3, 6))
    network = import_nir(path, neurons="stochastic", time_step=1e-3)
    layer = network.layers[0]
    law = LeakyNeurons(
        time_constant=node.tau_mem,
        resistance=node.r * node.w_in,
        leak=node.v_leak,
        threshold=node.v_threshold,
        reset=node.v_reset,
        time_step=1e-3,
    )
    match = law.match(network.provenance["rates"][0]["reference"])
    np.testing.assert_allclose(layer.weight, first.weight * match.scale[:, None])
    np.testing.assert_allclose(layer.bias, first.bias * match.scale + match.shift)


def test_unusable_neuron_is_named(tmp_path: Path) -> None:
    rng, node = np.random.default_rng(10), lif(6)
    node.v_threshold = node.v_reset - 0.25
    path = write(tmp_path / "net.nir", (12,), affine(rng, 6, 12), node, affine(rng, 3, 6))
    message = r"node 'n1' \(LIF\): a threshold -0.25 above the reset"
    with pytest.raises(ConfigError, match=message):
        import_nir(path, neurons="stochastic", time_step=1e-3)


@pytest.mark.parametrize("neurons", ["exact", "stochastic"])
def test_plain_threshold_is_no_stochastic_one(tmp_path: Path, neurons: Any) -> None:
    rng = np.random.default_rng(11)
    nodes = [affine(rng, 6, 12), switch(rng, 6, mark=False), affine(rng, 3, 6)]
    path = write(tmp_path / "net.nir", (12,), *nodes)
    with pytest.raises(ConfigError, match=r"node 'n1' \(Threshold\): a step .*metadata"):
        import_nir(path, neurons=neurons, time_step=1e-3)


def test_thresholds_behind_the_last_layer(tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    nodes = [affine(rng, 6, 12), switch(rng, 6)]
    path = write(tmp_path / "net.nir", (12,), *nodes)
    with pytest.raises(ConfigError, match=r"node 'n1' \(Threshold\): memspice's last layer"):
        import_nir(path)
    network = import_nir(path, neurons="stochastic")
    np.testing.assert_allclose(network.layers[0].bias, nodes[0].bias - nodes[1].threshold)


@pytest.mark.parametrize("kind", ["I", "LI", "CubaLI"])
def test_integrators_read_out(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(13)
    r, leak = rng.uniform(1, 2, 3), rng.normal(size=3)
    gain, tau = np.full(3, 1.5 if kind == "CubaLI" else 1.0), np.full(3, 1e-3)
    node = {
        "I": lambda: nir.I(r),
        "LI": lambda: nir.LI(tau, r, leak),
        "CubaLI": lambda: nir.CubaLI(tau, tau, r, leak, gain),
    }[kind]()
    first = affine(rng, 3, 12)
    network = import_nir(write(tmp_path / "net.nir", (12,), first, node))
    np.testing.assert_allclose(network.layers[0].weight, first.weight * (r * gain)[:, None])
    np.testing.assert_allclose(network.layers[0].bias, first.bias * r * gain + (kind != "I") * leak)
    assert "mean input" in network.provenance["changes"][0]
    inside = write(tmp_path / "inside.nir", (12,), first, node, affine(rng, 3, 3))
    with pytest.raises(ConfigError, match=rf"node 'n1' \({kind}\): an integrator that is not the"):
        import_nir(inside)


# --- files ----------------------------------------------------------------------------------------


def test_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "net.nir", (12,), affine(np.random.default_rng(0), 3, 12))

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ConfigError, match=r"memspice\[nir\]"):
        import_nir(path)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        import_nir(tmp_path / "none.nir")
    text = tmp_path / "text.nir"
    text.write_text("not HDF5")
    with pytest.raises(DataError, match="is no HDF5 file"):
        import_nir(text)
    with h5py.File(tmp_path / "other.nir", "w") as file:
        file["other"] = 1
    with pytest.raises(DataError, match="'node' is missing"):
        import_nir(tmp_path / "other.nir")
    path = write(tmp_path / "net.nir", (12,), affine(np.random.default_rng(0), 3, 12))
    with h5py.File(path, "r+") as file:
        del file["node/nodes/n0/type"]
        file["node/nodes/n0/type"] = "Hyperbolic"
    with pytest.raises(DataError, match="the package nir cannot read"):
        import_nir(path)
