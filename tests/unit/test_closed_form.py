"""Energy without an engine: sampled windows stand for all of them, and for nothing else."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from memspice.circuits.energy_model import COMPONENTS
from memspice.experiment.request import Request
from memspice.network.batch import Window
from memspice.network.inference import InferenceResult, run_inference
from memspice.windows.choice import choose_windows
from memspice.windows.closed_form import closed_form_layers, per_cycle, window_energies
from tests.settings import Setting

IMAGES, CYCLES = 6, 5


@cache
def ran() -> tuple[Request, dict[str, list[Window]], InferenceResult]:
    prepared = Setting("digits-mlp", images=IMAGES, cycles=CYCLES).request()
    windows = {layer.name: choose_windows(layer, IMAGES, 1, 0) for layer in prepared.mapped.layers}
    kept = [window for each in windows.values() for window in each]
    run = run_inference(prepared.mapped, prepared.images.x, CYCLES, 0, windows=kept)
    return prepared, windows, run


def test_dense_layers_are_their_windows_times_the_cycles() -> None:
    prepared, windows, run = ran()
    found = closed_form_layers(prepared.mapped.layers, windows, run, cycles=CYCLES, seed=0)
    assert list(found) == ["dense1", "dense2"]
    for layer in prepared.mapped.layers:
        each = window_energies(layer, windows[layer.name], run, 0)
        mean = CYCLES * np.mean([sum(energies.values()) for energies in each])
        assert found[layer.name].total == pytest.approx(mean)


def test_the_interval_is_that_of_the_windows_alone() -> None:
    prepared, windows, run = ran()
    layer = prepared.mapped.layers[0]
    found = closed_form_layers(prepared.mapped.layers, windows, run, cycles=CYCLES, seed=0)[
        layer.name
    ]
    each = [sum(e.values()) for e in window_energies(layer, windows[layer.name], run, 0)]
    spread = CYCLES * np.std(each, ddof=1) / np.sqrt(IMAGES)
    assert found.half_width == pytest.approx(1.959964 * spread, rel=1e-6)


def test_one_window_gives_no_interval() -> None:
    prepared, windows, run = ran()
    single = {name: each[:1] for name, each in windows.items()}
    assert (
        closed_form_layers(prepared.mapped.layers, single, run, cycles=CYCLES, seed=0)[
            "dense1"
        ].half_width
        == np.inf
    )


def test_parts_of_a_window_add_up() -> None:
    parts = [dict.fromkeys(COMPONENTS, 1.0), dict.fromkeys(COMPONENTS, 3.0)]
    assert per_cycle(parts, 4) == dict.fromkeys(COMPONENTS, 1.0)
