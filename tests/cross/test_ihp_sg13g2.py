"""Transistors of IHP SG13G2: measured silicon, limits of physics, and the cards told twice."""

from __future__ import annotations

import ast
import csv
import operator
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from memspice.circuits.deck import Deck
from memspice.circuits.ihp_sg13g2 import CORNERS, PACKAGE, transistor_cards
from memspice.circuits.library import read_library
from memspice.circuits.processes import PROCESSES
from memspice.engines import find_engine
from memspice.engines.base import OperatingPoint
from memspice.errors import ConfigError, DataError, NetlistError
from memspice.resources import resource_path

MEASURED = Path(__file__).parents[1] / "data" / "ihp_sg13g2_iv.csv"
WIDTH, LENGTH = 2e-6, 130e-9  # of the measured transistors
#: Thermal voltage at 27 C, [V].
THERMAL = 8.617333e-5 * 300.15

#: Transistor, and voltages of gate, drain and source over the bulk.
Point = tuple[str, float, float, float]


def transistors(points: Sequence[Point], corner: str = "tt", length: float = LENGTH) -> Deck:
    """Deck of one transistor a point."""
    deck = Deck("transistors of IHP SG13G2", "one instance a point")
    path = resource_path("ihp-sg13g2", "transistors.lib")
    deck.library(read_library(path, transistor_cards(corner)))
    circuit = deck.section("Transistors")
    for number, (kind, *voltages) in enumerate(points):
        names = [f"{node}{number}" for node in "gds"]
        for name, voltage in zip(names, voltages, strict=True):
            circuit.V(name, name, circuit.gnd, voltage)
        gate, drain, source = names
        circuit.X(number, kind, drain, gate, source, circuit.gnd, w=WIDTH, l=length)
    return deck


def currents(points: Sequence[Point], corner: str = "tt", length: float = LENGTH) -> np.ndarray:
    """Current into each drain, [A]."""
    simulator = find_engine("vacask")
    names = [f"vd{number}" for number in range(len(points))]
    netlist = simulator.write(transistors(points, corner, length))
    waves = simulator.run(netlist, OperatingPoint(), save=[f"i({name})" for name in names])
    return np.array([-waves.current(name)[0] for name in names])


@cache
def measured() -> tuple[tuple[Point, ...], np.ndarray]:
    """Points, and the current that was measured at each."""
    lines = MEASURED.read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    points = tuple(
        (row["transistor"], float(row["gate_volt"]), float(row["drain_volt"]), 0.0) for row in rows
    )
    return points, np.array([float(row["drain_ampere"]) for row in rows])


@pytest.mark.vacask
def test_a_measured_chip_lies_between_the_slow_and_the_fast_corner() -> None:
    points, silicon = measured()
    slow, fast = (currents(points, corner) / silicon for corner in ("ss", "ff"))
    # 10 ohm of needles and lines are in series with the chip's transistors, not with the card's
    drain = np.array([point[2] for point in points])
    leads = 10.0 * silicon / drain
    assert np.all(slow < 1 + leads)
    assert np.all(fast > 1)


@pytest.mark.vacask
def test_the_typical_card_is_near_the_measured_chip() -> None:
    points, silicon = measured()
    typical = currents(points)
    # Chips of one process differ by some 15 mV of threshold: by a fifth at 0.25 V of overdrive, and
    # half of a decade in weak inversion.
    strong = np.array([abs(point[1]) > 0.7 for point in points])
    assert strong.sum() == 18
    assert np.abs(typical[strong] / silicon[strong] - 1).max() < 0.2
    assert np.abs(np.log10(typical / silicon)).max() < 0.5


@pytest.mark.vacask
@pytest.mark.parametrize("kind", ["n_lv", "p_lv"])
def test_threshold_is_the_measured_one_and_the_slope_within_limits(kind: str) -> None:
    points, silicon = measured()
    weak = [n for n, point in enumerate(points) if point[0] == kind and abs(point[1]) < 0.55]
    gates = np.array([abs(points[n][1]) for n in weak])

    def threshold(current: np.ndarray) -> float:
        """Voltage of the gate at 100 nA, [V]."""
        return float(np.interp(np.log(1e-7), np.log(np.abs(current)), gates))

    def slope(current: np.ndarray) -> float:
        """Voltage of the gate for a decade of current, from the second point to the third, [V]."""
        return float((gates[2] - gates[1]) / np.log10(current[2] / current[1]))

    slow, typical, fast = (currents([points[n] for n in weak], c) for c in ("ss", "tt", "ff"))
    told = threshold(silicon[weak])
    # corners are worst cases, three standard deviations off; half of that is any chip
    assert threshold(fast) + threshold(typical) < 2 * told < threshold(slow) + threshold(typical)
    # no transistor is steeper than its carriers are hot; with an oxide of 2.2 nm the channel's well
    # takes a fifth to a half more, on the chip and in the card
    for current in (typical, silicon[weak]):
        assert 1.2 < slope(current) / (THERMAL * np.log(10)) < 1.5


@pytest.mark.vacask
@pytest.mark.parametrize(("kind", "sign"), [("n_lv", 1), ("p_lv", -1), ("n_hv", 1), ("p_hv", -1)])
def test_source_and_drain_change_places(kind: str, sign: int) -> None:
    steps = np.arange(-3, 4) * 3e-3
    gate, middle = sign * 1.2, sign * 0.1
    points = [(kind, gate, middle + step / 2, middle - step / 2) for step in steps]
    found = currents(points, length=450e-9 if "hv" in kind else LENGTH)
    # PSP is odd in the voltage between drain and source; what is left are the diodes to the bulk
    assert found[::-1] == pytest.approx(-found, rel=1e-6, abs=1e-9)
    # and smooth: a cubic says the third step from the first two; a term x|x| would add 2 of itself
    one, two, three = found[4:]
    assert three == pytest.approx(4 * two - 5 * one, rel=1e-5)


@pytest.mark.vacask
def test_corners_of_one_kind_are_slow_and_fast() -> None:
    points: list[Point] = [("n_lv", 0.6, 1.2, 0.0), ("p_lv", -0.6, -1.2, 0.0)]
    by_corner = {corner: np.abs(currents(points, corner)) for corner in CORNERS}
    for kind, (low, high) in enumerate((("sf", "fs"), ("fs", "sf"))):
        order = [by_corner[corner][kind] for corner in ("ss", low, "tt", high, "ff")]
        assert order == sorted(order)


#: What the package makes of the same cards for VACASK, with a converter of its own.
_OTHER = "ihp/models/vacask/models"
_OPERATORS: dict[type, Callable[[float, float], float]] = {
    **{ast.Add: operator.add, ast.Sub: operator.sub},
    **{ast.Mult: operator.mul, ast.Div: operator.truediv},
}


def value(node: ast.expr, names: dict[str, float]) -> float:
    if isinstance(node, ast.Constant):
        return float(node.value)
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.UnaryOp):
        return (-1 if isinstance(node.op, ast.USub) else 1) * value(node.operand, names)
    assert isinstance(node, ast.BinOp)
    return _OPERATORS[type(node.op)](value(node.left, names), value(node.right, names))


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("kind", ["lv", "hv"])
def test_cards_are_those_of_the_packages_own_conversion(kind: str, corner: str) -> None:
    corners = PACKAGE.text(f"{_OTHER}/cornerMOS{kind}.lib")
    section = corners.partition(f"section mos_{corner}\n")[2].partition("endsection")[0]
    names = {"pre_layout": 1.0, "ng": 1.0, "swsoa": 0.0, "w": 0.7e-6, "l": 0.5e-6}
    names |= {name: float(text) for name, text in re.findall(r"parameters (\w+)=(\S+)", section)}
    models = PACKAGE.text(f"{_OTHER}/sg13g2_mos{kind}_mod.lib")
    for polarity in ("nmos", "pmos"):
        name = f"{kind}_{polarity}"
        other = re.search(rf"model sg13g2_{name}_psp psp103va \((.*?)^\)", models, re.M | re.S)
        assert other is not None
        told = dict(re.findall(r"(\w+)=(\S+)", other[1]))
        del told["type"], told["swsoa"]
        card = transistor_cards(corner)[f"sg13_{name}"]
        assert {name for name, _ in card.values} == set(told)
        for entry, ours in card.values:
            both = [value(ast.parse(str(t), mode="eval").body, names) for t in (ours, told[entry])]
            assert both[0] == pytest.approx(both[1], rel=1e-12), entry


def test_ngspice_is_refused() -> None:
    with pytest.raises(NetlistError, match="sg13_lv_nmos is of PSP 103.*--engine vacask"):
        transistors([("n_lv", 0.6, 1.2, 0.0)]).spice()


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="'nom' is unknown; use tt, ss, ff, sf, fs"):
        PROCESSES["ihp-sg13g2"]("nom")
    older = type(PACKAGE)("IHP SG13G2", PACKAGE.name, "1.0.0")
    with pytest.raises(DataError, match=r"is of version 2.0.0, not 1.0.0; install it with: pip"):
        older.file("x")
