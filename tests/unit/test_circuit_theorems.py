"""What holds of every network of resistors, whatever its values: theorems, not examples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from memspice.solver.crossbar_solution import CrossbarSolution, solve_crossbar
from memspice.solver.reduction import port_admittance

Array = NDArray[np.float64]
#: A sum of some hundred products of float64, each good to a few units of the last place.
ROUNDING = 1e-12
WIRES = (1.3, 0.7, 120.0, 40.0)


def cells(rng: np.random.Generator, rows: int, cols: int) -> Array:
    """Cells from 50 kohm to 50 Mohm, some open."""
    found = 10 ** rng.uniform(4.7, 7.7, (rows, cols))
    found[rng.random((rows, cols)) < 0.1] = np.inf
    return found


def solved(resistance: Array, voltage: Array) -> CrossbarSolution:
    return solve_crossbar(resistance, voltage, *WIRES, node_voltages=True, device_currents=True)


def branches(found: CrossbarSolution, voltage: Array) -> tuple[Array, Array]:
    """Voltage over and current through every branch, sources and sense resistances included.

    Currents of the segments are those of Kirchhoff's law at the cells they feed or drain.
    """
    word, bit, device = found.word_line_voltage, found.bit_line_voltage, found.device_current
    assert word is not None
    assert bit is not None
    assert device is not None
    row = np.cumsum(device[:, ::-1], axis=1)[:, ::-1]
    col = np.cumsum(device, axis=0)
    near = np.concatenate([(voltage - row[:, 0] * WIRES[2])[:, None], word[:, :-1]], axis=1)
    end = col[-1] * WIRES[3]
    far = np.concatenate([bit[1:], end[None]], axis=0)
    drops = [word - bit, near - word, bit - far, row[:, 0] * WIRES[2], end, -voltage]
    flows = [device, row, col, row[:, 0], col[-1], row[:, 0]]
    return np.concatenate([d.ravel() for d in drops]), np.concatenate([f.ravel() for f in flows])


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (17, 24)])
def test_tellegen_across_two_networks(shape: tuple[int, int], rng: np.random.Generator) -> None:
    """Voltages of one network and currents of another of the same graph do no work together."""
    first, second = (
        branches(solved(cells(rng, *shape), voltage), voltage)
        for voltage in rng.uniform(-0.2, 0.2, (2, shape[0]))
    )
    for (drop, _), (_, flow) in itertools.permutations([first, second]):
        products = drop * flow
        assert abs(products.sum()) <= ROUNDING * np.abs(products).sum()


def test_tellegen_fails_where_a_current_is_lost(rng: np.random.Generator) -> None:
    """The sum above is no sum that is always zero."""
    voltage = rng.uniform(0.1, 0.2, 5)
    drop, flow = branches(solved(np.full((5, 3), 1e5), voltage), voltage)
    flow[0] *= 1.001
    assert abs((drop * flow).sum()) > ROUNDING * np.abs(drop * flow).sum()


@pytest.mark.parametrize("lowered", ["cell", "row", "col", "driver"])
def test_rayleigh_a_lower_resistance_raises_no_input_resistance(
    lowered: str, rng: np.random.Generator
) -> None:
    """Power at fixed voltages of all ports never falls when any one resistance does."""
    conductance = 1 / cells(rng, 6, 8)
    values = {"row": 1.3, "col": 0.7, "driver": 120.0}
    before = port_admittance(conductance, *values.values())
    if lowered == "cell":
        conductance[2, 3] = 1e-4
    else:
        values[lowered] /= 2
    after = port_admittance(conductance, *values.values())
    rows, cols = rng.uniform(-1, 1, (500, 6)), rng.uniform(-1, 1, (500, 8))
    old, new = before.power(rows, cols), after.power(rows, cols)
    assert np.all(new >= old * (1 - ROUNDING))
    assert np.any(new > old * (1 + 1e-6))
