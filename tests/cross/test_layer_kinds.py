"""Joined rows, pools of spikes, strides and groups in SPICE: full, reduced, closed form agree."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from memspice.analysis.comparison import MARGIN
from memspice.experiment.results.layer import LayerResult
from memspice.network.architecture import Architecture, Conv, Dense, Pool
from memspice.network.weights import save_network
from memspice.windows.agreement import CLOSURE_LIMIT
from memspice.windows.outcome import join_windows
from tests.loop_helpers import LEVELS, make_network
from tests.settings import Setting

#: Small enough for every cell of its layers to stand in one deck.
JOINED = Architecture(
    "joined",
    (1, 8, 8),
    (
        Conv(2),
        Pool(2, "any"),
        Conv(2),
        Conv(3, also=(1,)),
        Pool(4, "any"),
        Dense(4, also=(2,)),
        Dense(10, also=(3,)),
    ),
)
CYCLES = 4
#: Narrow enough for drives of every layer to be clipped.
SPAN = (-1.5, 0.3)

pytestmark = pytest.mark.ngspice

#: Strides, and crossbars of each group's rows alone: of one channel, and of two that are joined.
STRIDED = Architecture(
    "strided",
    (1, 8, 8),
    (
        Conv(4, 3, stride=2),
        Conv(4, 3, groups=4),
        Conv(4, 2, also=(1,), stride=2, padding="valid", groups=2),
        Pool(2, "any"),
        Dense(10),
    ),
)
#: The same without images: every spike of it can come out of SPICE.
FLAT = Architecture("flat", (1, 8, 8), (Dense(6), Dense(5), Dense(8, also=(1,)), Dense(10)))


def setup_of(architecture: Architecture, folder: Path) -> Setting:
    path = folder / f"{architecture.name}.h5"
    save_network(replace(make_network(architecture), span=SPAN), path, LEVELS)
    return Setting(network=str(path), images=1, cycles=CYCLES, tile=(24, 6), seed=2)


@cache
def simulated(architecture: Architecture, layer: str, fidelity: str) -> LayerResult:
    with TemporaryDirectory() as folder:
        return setup_of(architecture, Path(folder)).simulate(layer, fidelity)


def spikes(result: LayerResult) -> np.ndarray:
    return np.stack([window.spikes for window in join_windows(result.outcomes)])


@pytest.mark.parametrize(
    ("architecture", "layer"),
    [
        (JOINED, "conv3"),  # rows of two layers
        (JOINED, "dense4"),  # behind a pool of any
        (STRIDED, "conv1"),
        (STRIDED, "conv2"),
        (STRIDED, "conv3"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_layers_are_pathwise_the_same_in_every_fidelity(
    architecture: Architecture, layer: str
) -> None:
    full, reduced = (simulated(architecture, layer, name) for name in ("full", "reduced"))
    for result in (full, reduced):
        assert result.verdict.holds
        assert result.verdict.pathwise.worst_margin <= MARGIN
        assert result.verdict.closure < CLOSURE_LIMIT
    np.testing.assert_array_equal(spikes(full), spikes(reduced))
    assert 0 < spikes(full).sum() < spikes(full).size


def test_spikes_of_spice_go_to_every_layer_that_takes_them(tmp_path: Path) -> None:
    """Two runs meet only if each layer got the spikes of both layers before it."""
    setup = replace(setup_of(FLAT, tmp_path), cycles=24)
    loop = setup.infer()
    found = setup.infer("reduced")
    assert found["verdict"]["holds"]
    assert found["mismatches"] == 0
    assert found["events"] == 24 * (6 + 5 + 8)
    assert found["spike_rate"] == pytest.approx(loop["spike_rate"])
    assert 0.1 < loop["spike_rate"]["dense3"] < 0.9
