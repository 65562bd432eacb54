"""Neurons in the place of others keep their rates, without input and at typical ones, or go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from click.testing import CliRunner

from memspice.cli.convert import convert_command
from memspice.datasets.digits import load_digits
from memspice.errors import ConfigError
from memspice.importers.nir_import import import_nir
from memspice.importers.typical import IMAGES, typical_images
from memspice.network.ann import ann_scores
from tests.nir_helpers import affine, conv, flatten, lif, pool, write

TAU = 0.01  # s
TEST = load_digits("test")


def trained() -> tuple[np.ndarray, np.ndarray]:
    """Linear classifier of the digits by least squares: (10, 64) and (10,)."""
    train = load_digits("train")
    x = np.c_[train.x.reshape(len(train), -1), np.ones(len(train))].astype(float)
    w = np.linalg.solve(x.T @ x + 1e-1 * np.eye(65), x.T @ np.eye(10)[train.labels])
    return w[:64].T, w[64]


def network(path: Path, gain: float = 8.0, **changes: Any) -> Path:
    """64 pixels, a neuron a class, scores: as accurate as the linear classifier, if rates are."""
    weight, bias = trained()
    one = np.ones(10)
    first = nir.Affine(gain * weight, gain * bias * changes.pop("with_bias", True))
    values = {"tau": TAU * one, "r": one, "v_leak": 0 * one, "v_threshold": one, **changes}
    return write(path, (64,), first, nir.LIF(**values), nir.Affine(np.eye(10), np.zeros(10)))


def accuracy(path: Path, time_step: float) -> float:
    found = import_nir(path, neurons="stochastic", time_step=time_step, input_shape=(1, 8, 8))
    scores = ann_scores(found, TEST.x)
    return float(np.mean(scores.argmax(axis=1) == TEST.labels))


@pytest.mark.parametrize("steps", [2, 5, 10, 20, 50])
def test_short_time_steps_keep_the_decisions(tmp_path: Path, steps: int) -> None:
    path = network(tmp_path / "net.nir")
    weight, bias = trained()
    linear = TEST.x.reshape(len(TEST), -1) @ weight.T + bias
    assert accuracy(path, TAU / steps) >= np.mean(linear.argmax(axis=1) == TEST.labels) - 0.02


def test_rates_are_those_of_the_neurons_equations(tmp_path: Path) -> None:
    """Both rates by hand, neuron by neuron in steps of a thousandth."""
    path = network(tmp_path / "net.nir", with_bias=False)
    step = TAU / 5
    found = import_nir(path, neurons="stochastic", time_step=step)
    (rates,) = found.provenance["rates"]
    weight = 8.0 * trained()[0]
    x = typical_images((1, 1, 64)).reshape(IMAGES, 64) @ weight.T
    small = 1e-3 * TAU
    v, spikes = np.zeros_like(x), np.zeros_like(x)
    for _ in range(20000):
        v += small / TAU * (x - v)
        spikes += v >= 1
        v[v >= 1] = 0
    before = np.minimum(spikes / 20000 * step / small, 1).mean()
    assert rates["typical_before"] == pytest.approx(before, rel=0.02)
    layer = found.layers[0]
    z = x * (layer.weight[:, 20] / weight[:, 20]) + layer.bias
    assert rates["typical_after"] == pytest.approx(np.mean(1 - np.exp(-np.exp(z))), rel=1e-5)
    assert rates["rest_before"] == 0
    rest = 1 - np.exp(-np.exp(layer.bias))
    assert rates["rest_after"] == pytest.approx(rest.mean(), rel=1e-9)


@pytest.mark.parametrize(
    ("step", "changes", "message"),
    [
        (TAU / 1000, {}, r"do so in .* % of the time steps of 1e-05 s, below 5 %.*--time-step"),
        (1e-9, {}, r"below 5 %: too rarely"),
        (3 * TAU, {}, r"above 2 time constants"),
        (TAU / 5, {"v_threshold": np.full(10, 1e6)}, r"none of these neurons spikes at 16 images"),
        (
            TAU / 300,
            {"with_bias": False, "gain": 80.0},
            r"would not keep their rates at a rate of .* 0 -> ",
        ),
        (TAU / 5, {"tau": np.full(10, -1.0)}, r"time constant of -1 s must be positive"),
        (TAU / 5, {"r": np.zeros(10)}, r"resistance of 0"),
        (TAU / 5, {"v_threshold": np.full(10, -1.0)}, r"threshold -1 above the reset"),
    ],
)
def test_rates_that_cannot_be_kept_are_refused(
    tmp_path: Path, step: float, changes: dict[str, Any], message: str
) -> None:
    path = network(tmp_path / "net.nir", **dict(changes))
    with pytest.raises(ConfigError, match=rf"node 'n1' \(LIF\): .*{message}"):
        import_nir(path, neurons="stochastic", time_step=step)


def test_rare_spikes_are_warned_of_in_cycles(tmp_path: Path) -> None:
    path = network(tmp_path / "net.nir")
    rare = import_nir(path, neurons="stochastic", time_step=TAU / 50).provenance
    (text,) = rare["warnings"]
    share = 100 * rare["rates"][0]["reference"]
    assert f"spike do so in {share:.2g} % of the cycles" in text
    assert import_nir(path, neurons="stochastic", time_step=TAU / 5).provenance["warnings"] == []


def test_deeper_layers_see_what_the_files_own_neurons_give(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    nodes = [
        conv(rng, 4, 1, 3, input_shape=(8, 8)),
        nir.IF(r=np.full((4, 8, 8), 0.4), v_threshold=np.ones((4, 8, 8))),
        pool("SumPool2d", 2),
        flatten((4, 4, 4)),
        affine(rng, 6, 64),
        nir.IF(r=np.full(6, 0.3), v_threshold=np.ones(6)),
        affine(rng, 3, 6),
    ]
    path = write(tmp_path / "net.nir", (1, 8, 8), *nodes)
    found = import_nir(path, neurons="stochastic", time_step=1.0).provenance["rates"]
    state = typical_images((1, 8, 8))[..., 0].astype(float)
    padded = np.pad(state, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    x = np.einsum("nhwij,oij->nohw", windows, nodes[0].weight[:, 0].astype(float))
    first = np.clip(0.4 * (x + nodes[0].bias[:, None, None]), 0, 1)
    assert found[0]["typical_before"] == pytest.approx(first.mean(), rel=1e-4)
    pooled = first.reshape(IMAGES, 4, 4, 2, 4, 2).sum(axis=(3, 5)).reshape(IMAGES, -1)
    second = np.clip(0.3 * (pooled @ nodes[4].weight.T + nodes[4].bias), 0, 1)
    assert found[1]["typical_before"] == pytest.approx(second.mean(), rel=1e-4)
    assert found[1]["reference"] == pytest.approx(min(0.5, second[second > 0].mean()), rel=1e-4)


@pytest.mark.parametrize("kind", ["IF", "LIF", "CubaLIF"])
def test_convert_prints_rates_and_warnings(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(3)
    path = write(tmp_path / "net.nir", (12,), affine(rng, 6, 12), lif(6, kind), affine(rng, 3, 6))
    step = 0.03 if kind == "IF" else 1e-3
    options = ["--neurons", "stochastic", "--time-step", str(step), "--json"]
    arguments = [str(path), "--out", str(tmp_path / "n.h5"), *options]
    run = CliRunner().invoke(convert_command, arguments)
    assert run.exit_code == 0, run.exception
    (rates,) = json.loads(run.stdout)["rates"]
    assert rates["where"] == f"node 'n1' ({kind})"
    assert 0 < rates["typical_before"] <= 1
    assert abs(rates["typical_after"] - rates["typical_before"]) < rates["reference"]
