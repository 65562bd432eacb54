"""What tests run through: parameter sets, fidelities that an engine simulates, engines.

One table of them, so that a further set, fidelity or engine is one word here.
"""

from __future__ import annotations

import pytest

from memspice.engines import ENGINES as ALL_ENGINES
from memspice.windows.fidelities import SIMULATED

SETS = ("ag-asi", "fast-memristor", "sot-mtj")
#: One set for each kind of neuron.
KINDS = ("fast-memristor", "sot-mtj")
FIDELITIES: tuple[str, ...] = tuple(SIMULATED)
#: Each with the mark by which a run without the engine fails.
ENGINES = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ALL_ENGINES]

EVERY_ENGINE = pytest.mark.parametrize("engine", ENGINES)
EVERY_FIDELITY = pytest.mark.parametrize("fidelity", FIDELITIES)
EVERY_SET = pytest.mark.parametrize("name", SETS)
#: Each set in each fidelity on ngspice, and each kind of neuron on the other engines.
EVERY_WAY = pytest.mark.parametrize(
    ("name", "fidelity", "engine"),
    [
        pytest.param(name, fidelity, engine, marks=getattr(pytest.mark, engine))
        for engine in ALL_ENGINES
        for name in (SETS if engine == "ngspice" else KINDS)
        for fidelity in FIDELITIES
    ],
)
