"""Nodes of NIR graphs with random weights, and files of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nir
import numpy as np

from memspice.importers.nir_import import ACTIVATION, ACTIVATION_KEY

MARK = {ACTIVATION_KEY: ACTIVATION}


def conv(rng: np.random.Generator, outputs: int, inputs: int, kernel: int, **settings: Any) -> Any:
    weight = rng.normal(0, 1 / kernel, (outputs, inputs, kernel, kernel)).astype(np.float32)
    values = {"input_shape": (8, 12), "stride": 1, "padding": kernel // 2, "dilation": 1}
    values |= {"groups": 1, "bias": rng.normal(size=outputs), **settings}
    return nir.Conv2d(weight=weight, **values)


def affine(rng: np.random.Generator, outputs: int, inputs: int) -> Any:
    return nir.Affine(rng.normal(0, inputs**-0.5, (outputs, inputs)), rng.normal(size=outputs))


def switch(rng: np.random.Generator, *shape: int, mark: bool = True) -> Any:
    """Stochastic threshold, one value a channel."""
    threshold = np.broadcast_to(rng.normal(size=(shape[0], *[1] * (len(shape) - 1))), shape)
    return nir.Threshold(threshold.copy(), metadata=MARK if mark else {})


def pool(kind: str, size: int) -> Any:
    return getattr(nir, kind)(*[np.array(pair) for pair in ((size, size), (size, size), (0, 0))])


def flatten(shape: Sequence[int], start: int = 0) -> Any:
    return nir.Flatten({"input": np.array(shape)}, start, -1)


def write(path: Path, shape: Sequence[int], *nodes: Any) -> Path:
    """Write a chain; the types are not checked, so that what is wrong gets as far as memspice."""
    out = nir.Output({"output": np.array([1])})
    named = {f"n{k}": node for k, node in enumerate(nodes)}
    named = {"input": nir.Input({"input": np.array(shape)}), **named, "output": out}
    names = list(named)
    edges = list(zip(names[:-1], names[1:], strict=True))
    nir.write(path, nir.NIRGraph(named, edges, type_check=False))
    return path


def lif(count: int, kind: str = "LIF", rng: np.random.Generator | None = None) -> Any:
    rng = rng or np.random.default_rng(7)
    threshold = rng.uniform(0.5, 1.5, count)
    values = {"r": rng.uniform(1, 3, count), "v_threshold": threshold}
    if kind == "IF":
        return nir.IF(**values)
    values |= {"v_leak": rng.normal(0, 0.1, count), "v_reset": rng.uniform(-0.2, 0.1, count)}
    tau = rng.uniform(2e-3, 8e-3, count)
    if kind == "LIF":
        return nir.LIF(tau=tau, **values)
    return nir.CubaLIF(tau_mem=tau, tau_syn=tau, w_in=rng.uniform(1, 2, count), **values)
