"""Wires and drivers too small for a solver: left out where they change nothing, kept elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.negligible import NEGLIGIBLE_DROP
from memspice.circuits.netlists import layer_deck
from memspice.network.batch import Window
from memspice.solver.crossbar_solution import solve_crossbar
from memspice.windows.agreement import judge
from memspice.windows.fidelity import window_jobs
from memspice.windows.full import Full
from memspice.windows.outcome import outcome
from tests.helpers import ARRAYS, changed, ngspice, small_layer
from tests.settings import Setting

NAMES = ("wire_resistance_row", "wire_resistance_col", "driver_resistance")
IDEAL = dict.fromkeys(NAMES, 0.0)


def deck_of(layer: LayerCircuit) -> str:
    rows = np.full((2, layer.rows), layer.array.read_voltage)
    return str(layer_deck(layer, Stimulus(rows, np.ones((2, layer.outputs))), ARRAYS["full"]))


@pytest.mark.parametrize("size", [1e-100, 1e-15, 1e-12, 1e-9, 1e-6])
def test_a_deck_of_tiny_resistances_is_that_of_ideal_wires(size: float) -> None:
    tiny = small_layer(tiles=2, **dict.fromkeys(NAMES, size))
    assert deck_of(tiny) == deck_of(small_layer(tiles=2, **IDEAL))


@pytest.mark.parametrize("name", NAMES)
def test_each_resistance_is_left_out_for_itself(name: str) -> None:
    layer = small_layer(**{**dict.fromkeys(NAMES, 5.0), name: 1e-9})
    drawn = layer.drawn_array
    assert [getattr(drawn, other) for other in NAMES] == [5.0 * (other != name) for other in NAMES]
    assert getattr(layer.array, name) == 1e-9  # as given, for the closed form and the provenance


def test_usual_wires_are_kept() -> None:
    layer = small_layer()
    assert layer.drawn_array == layer.array


@pytest.mark.parametrize("name", NAMES)
def test_what_is_left_out_changes_less_than_the_limit(name: str) -> None:
    """Just below the limit: every current of an independent, exact solution moves by less."""
    rng = np.random.default_rng(3)
    cells = 10 ** rng.uniform(-6.7, -5, (40, 24))
    array = small_layer(**IDEAL).array
    low, high = 1e-9, 1e3
    for _ in range(60):
        middle = float(np.sqrt(low * high))
        kept = getattr(array.model_copy(update={name: middle}).drawn([cells]), name) > 0
        low, high = (low, middle) if kept else (middle, high)
    voltage = rng.uniform(0, 1, 40)
    order = ("wire_resistance_row", "wire_resistance_col", "driver_resistance")
    ideal, wired = (
        solve_crossbar(1 / cells, voltage, *({**IDEAL, name: value}[key] for key in order))
        for value in (0.0, low)
    )
    moved = np.max(np.abs(wired.output_current / ideal.output_current - 1))
    assert NEGLIGIBLE_DROP / 100 < moved < NEGLIGIBLE_DROP
    assert getattr(array.model_copy(update={name: high}).drawn([cells]), name) == high


def test_open_cells_load_nothing() -> None:
    layer = small_layer(**dict.fromkeys(NAMES, 1e3))
    empty = replace(layer, conductances=tuple(np.zeros_like(t) for t in layer.conductances))
    assert [getattr(empty.drawn_array, name) for name in NAMES] == [0.0, 0.0, 0.0]


@pytest.mark.ngspice
@pytest.mark.parametrize("name", NAMES)
def test_the_reference_holds_with_wires_of_a_picoohm(name: str) -> None:
    """Once scores that were 100 % off, and half again the energy, without a word."""
    changes: dict[str, Any] = {f"array.{name}": 1e-12}
    net = Setting(network="digits-mlp", cycles=1, tile=(16, 4), changes=changes).request().mapped
    layer = net.layers[1]
    inputs = (np.arange(layer.rows - 1) % 2.0)[None]
    small = replace(layer, circuits=(changed(layer.circuits[0], "array"),))
    (job,) = window_jobs(small, Window("dense2", 0, 0), inputs, Full(ngspice()), seed=0)
    verdict = judge(job, outcome(job.fidelity.run(job)))
    assert verdict.holds
    assert verdict.drive_deviation < 1e-6
