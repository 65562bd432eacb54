"""A cached window belongs to its circuit, not only to the netlist that an engine was given."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from memspice.engines.base import EngineInfo
from memspice.network.batch import Window
from memspice.windows.fidelity import WindowJob
from memspice.windows.reduced import Reduced
from memspice.windows.run_windows import window_simulation
from tests.helpers import changed
from tests.loop_helpers import make_mapped

INFO = EngineInfo(name="ngspice", version="39", path="ngspice", osdi=False, klu=False)


def job(**circuit: Any) -> WindowJob:
    """Window of the first neuron of a layer, of whose circuit some parts are others."""
    layer = make_mapped(tile=(128, 128)).layers[0]
    whole = replace(layer.circuits[0], **circuit)
    inputs = np.full((2, layer.rows - 1), 0.5)
    layer = replace(layer, circuits=(whole,))
    engine: Any = SimpleNamespace(write=lambda _: "the same text")
    return WindowJob(layer, range(1), Window(layer.name, 0, 0), inputs, Reduced(engine), seed=0)


def key(window: WindowJob) -> str:
    """Key of a window on an engine to which all circuits read the same."""
    request = window.fidelity.request(window)
    assert request is not None
    return window_simulation(window, request).key(INFO)


def test_the_same_window_has_the_same_key() -> None:
    assert key(job()) == key(job())


@pytest.mark.parametrize("part", ["cells of other neurons", "supply", "rows", "seed", "inputs"])
def test_what_its_energy_is_computed_from_is_in_the_key(part: str) -> None:
    """Powers are computed from waveforms *and* circuit: other circuits have other joules."""
    plain = job()
    circuit = plain.layer.circuits[0]
    if part == "cells of other neurons":  # they load the rows of this one
        (tile,) = circuit.conductances
        other = job(conductances=(np.hstack([tile[:, :-1], 2 * tile[:, -1:]]),))
    elif part == "supply":
        other = job(sense=changed(circuit, "sense", supply=2 * circuit.sense.supply).sense)
    elif part == "rows":
        other = job(array=changed(circuit, "array", wire_resistance_row=2.0).array)
    elif part == "seed":
        other = replace(plain, seed=1)
    else:
        other = replace(plain, inputs=plain.inputs / 2)
    assert key(other) != key(plain)
