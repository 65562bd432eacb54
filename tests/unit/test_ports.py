"""Row tiles joined at their bit lines, against every node of both tiles solved at once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from memspice.circuits.parameters import ArrayParameters
from memspice.circuits.ports import PortArray, port_array
from memspice.solver.reduction import port_admittance
from tests.cross import nodal

Array = NDArray[np.float64]
ENDS = 50.0
WIRES = {"plain": (1.06, 1.06, 120.0), "long": (40.0, 70.0, 900.0), "zero": (0.0, 0.0, 120.0)}


def array_of(wires: tuple[float, float, float]) -> ArrayParameters:
    row, col, driver = wires
    return ArrayParameters(
        wire_resistance_row=row, wire_resistance_col=col, driver_resistance=driver, read_voltage=0.1
    )


@pytest.fixture(params=WIRES)
def wires(request: pytest.FixtureRequest) -> tuple[float, float, float]:
    """Row segment, column segment and driver, [ohm]."""
    return WIRES[request.param]


@pytest.fixture
def tiles(rng: np.random.Generator) -> tuple[Array, ...]:
    """Three row tiles of unlike heights, with open cells."""
    tiles = tuple(rng.uniform(0.2e-6, 10e-6, (rows, 4)) for rows in (3, 1, 5))
    tiles[0][1, 2] = 0.0
    return tiles


@pytest.fixture
def ports(tiles: tuple[Array, ...], wires: tuple[float, float, float]) -> PortArray:
    """The joined tiles, each column ended by 50 ohm."""
    return port_array(tiles, array_of(wires), ENDS)


class Joined:
    """All elements of all tiles in one list; sources ``<tile>s<row>``, column ends ``e<col>``."""

    def __init__(self, tiles: tuple[Array, ...], wires: tuple[float, float, float]) -> None:
        self.columns = tiles[0].shape[1]
        self.circuit = nodal.Circuit((0, 0))
        self.sources, self.cells = [], []
        for number, tile in enumerate(tiles):
            with np.errstate(divide="ignore"):
                resistance = 1 / tile
            for element in nodal.crossbar(resistance, *wires).elements:
                ends = [e if e.startswith("e") else f"{number}{e}" for e in element.ends]
                self.circuit.add(element.kind, ends[0], ends[1], element.resistance)
                if element.kind == "cell":
                    column = int(element.ends[0].split(",")[1])
                    self.cells.append((column, ends[0], ends[1], element.resistance))
            self.sources += [f"{number}s{row}" for row in range(len(tile))]

    def ended(self, free: tuple[int, ...] = ()) -> Joined:
        """Put 50 ohm to ground at every column that is not left free."""
        for column in set(range(self.columns)) - set(free):
            self.circuit.add("sense", f"e{column}", "ground", ENDS)
        return self

    def solve(self, held: dict[str, Array]) -> tuple[dict[str, Array], Array]:
        """Node voltages, and the current (columns, experiments) out of the cells of a column."""
        ground = np.zeros(len(next(iter(held.values()))))
        node = nodal.node_voltages(self.circuit, {"ground": ground, **held})
        current = np.zeros((self.columns, len(ground)), np.longdouble)
        for column, word, bit, resistance in self.cells:
            current[column] += (node[word] - node[bit]) / resistance
        return node, current


def test_transfer_and_column_voltage_are_those_of_all_nodes(
    tiles: tuple[Array, ...], wires: tuple[float, float, float], ports: PortArray
) -> None:
    joined = Joined(tiles, wires).ended()
    unit = np.eye(len(joined.sources))
    node, current = joined.solve(dict(zip(joined.sources, unit, strict=True)))
    np.testing.assert_allclose(ports.transfer, current.astype(float), rtol=1e-9)
    voltage = np.array([node[f"e{j}"] for j in range(4)], float)
    np.testing.assert_allclose(ports.column_voltage, voltage, rtol=1e-9)


def test_norton_current_is_what_a_grounded_column_takes(
    tiles: tuple[Array, ...], wires: tuple[float, float, float], ports: PortArray
) -> None:
    for column in range(4):
        joined = Joined(tiles, wires).ended(free=(column,))
        held = dict(zip(joined.sources, np.eye(len(joined.sources)), strict=True))
        held[f"e{column}"] = np.zeros(len(joined.sources))
        _, current = joined.solve(held)
        np.testing.assert_allclose(
            ports.norton_current[column], current[column].astype(float), rtol=1e-9
        )


def test_own_conductance_is_what_a_column_draws_at_one_volt(
    tiles: tuple[Array, ...], wires: tuple[float, float, float], ports: PortArray
) -> None:
    for column in range(4):
        joined = Joined(tiles, wires).ended(free=(column,))
        held = {source: np.zeros(1) for source in joined.sources} | {f"e{column}": np.ones(1)}
        _, current = joined.solve(held)
        # 1 / diagonal - 1 / 50 ohm loses three digits: the end is a thousand times the array.
        assert ports.own_conductance[column] == pytest.approx(-float(current[column, 0]), rel=1e-8)


def test_norton_equivalent_gives_the_column_voltage_back(ports: PortArray) -> None:
    total = ports.own_conductance + 1 / ENDS
    voltage = ports.norton_current / total[:, None]
    np.testing.assert_allclose(voltage, ports.column_voltage, rtol=1e-9)


def test_coupling_bounds_what_a_column_passes_on(
    tiles: tuple[Array, ...], wires: tuple[float, float, float], ports: PortArray
) -> None:
    largest = 0.0
    for column in range(4):
        joined = Joined(tiles, wires).ended(free=(column,))
        held = {source: np.zeros(1) for source in joined.sources} | {f"e{column}": np.ones(1)}
        node, _ = joined.solve(held)
        others = [float(node[f"e{j}"][0]) for j in range(4) if j != column]
        largest = max(largest, *map(abs, others))
    assert ports.coupling == pytest.approx(largest, rel=1e-6)
    assert 0 < ports.coupling < 1


def test_one_tile_is_the_reduction_with_its_ends(tiles: tuple[Array, ...]) -> None:
    ports = port_array(tiles[2:], array_of(WIRES["plain"]), ENDS)
    alone = port_admittance(tiles[2], *WIRES["plain"])
    np.testing.assert_allclose(ports.transfer, alone.terminated(ENDS), rtol=1e-9)
    np.testing.assert_array_equal(ports.injection, -alone.row_col.T)


def test_without_wires_cutting_into_tiles_changes_nothing(rng: np.random.Generator) -> None:
    whole = rng.uniform(0.2e-6, 10e-6, (9, 4))
    array = array_of(WIRES["zero"])
    one = port_array((whole,), array, ENDS)
    three = port_array(tuple(np.split(whole, [2, 6])), array, ENDS)
    np.testing.assert_allclose(three.transfer, one.transfer, rtol=1e-12)


def test_shorter_bit_lines_carry_more_current(rng: np.random.Generator) -> None:
    whole = rng.uniform(5e-6, 10e-6, (12, 4))
    array = array_of(WIRES["long"])
    one = port_array((whole,), array, ENDS).transfer.sum()
    two = port_array((whole[:6], whole[6:]), array, ENDS).transfer.sum()
    assert two > one


def test_higher_ends_take_less_current(tiles: tuple[Array, ...]) -> None:
    array = array_of(WIRES["plain"])
    totals = [port_array(tiles, array, end).transfer.sum() for end in (1e-3, 10.0, 1e3, 1e5)]
    assert totals == sorted(totals, reverse=True)
    # In the limit of no resistance: the short-circuit current.
    short = port_array(tiles, array, 1e-3)
    np.testing.assert_allclose(short.transfer, short.injection, rtol=1e-6, atol=1e-12)


def test_rows_are_cut_at_the_tiles(ports: PortArray) -> None:
    parts = ports.split_rows(np.arange(18.0).reshape(2, 9))
    assert [part.shape for part in parts] == [(2, 3), (2, 1), (2, 5)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=-1), np.arange(18.0).reshape(2, 9))
