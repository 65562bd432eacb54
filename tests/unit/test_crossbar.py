"""The crossbar as a subcircuit: which elements stand where, and what they are made of."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks.lone_cell import LoneCell
from memspice.circuits.blocks.selector_cell import SelectorCell
from memspice.circuits.blocks.transistor_cell import TransistorCell
from memspice.circuits.crossbar import crossbar_subcircuit
from memspice.circuits.netlists import layer_deck
from memspice.circuits.parameters import ArrayParameters
from memspice.devices.synapse_iv import CubicCell, SinhCell
from memspice.devices.transistor import AccessTransistor, Selector
from tests.helpers import ARRAYS, small_layer

NMOS = AccessTransistor(transconductance=1.5e-3, threshold_voltage=0.469, slope_factor=1.4)
SELECTOR = Selector(on_current=1e-5, on_voltage=0.5, voltage_scale=0.05)
SINH = SinhCell(voltage_scale=0.25)
#: Three rows, four columns, one cell open.
CELLS = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 0.0, 6.0, 7.0], [8.0, 9.0, 1.0, 2.0]]) * 1e-6


def elements(**array: Any) -> dict[str, Any]:
    values = {
        "wire_resistance_row": 1.0, "wire_resistance_col": 2.0, "driver_resistance": 100.0,
        "read_voltage": 0.1,
    }  # fmt: skip
    circuit = crossbar_subcircuit("array", CELLS, ArrayParameters(**{**values, **array}))
    return {element.name: element for element in circuit.elements}


def nodes(element: Any) -> list[str]:
    return [str(node) for node in element.node_names]


def test_ohmic_cells_are_resistors_and_open_ones_nothing() -> None:
    found = elements()
    kinds = Counter(name[:2] for name in found)
    assert kinds == {"Rg": 11, "Rw": 12, "Rb": 12}
    assert "Rg1_1" not in found
    assert nodes(found["Rg2_3"]) == ["w2_3", "b2_3"]
    assert float(found["Rg2_3"].resistance) == pytest.approx(5e5)


@pytest.mark.parametrize("curve", [SINH, CubicCell(cubic_coefficient=2.1)])
def test_bent_cells_are_models_with_their_shape(curve: SinhCell | CubicCell) -> None:
    found = elements(cell=LoneCell(curve=curve))
    assert Counter(name[:2] for name in found) == {"Xg": 11, "Rw": 12, "Rb": 12}
    cell = found["Xg0_1"]
    assert cell.subcircuit_name == "synapse_cell"
    assert cell.parameters == {"conductance": 2e-6, **curve.model_dump(exclude={"kind"})}


def test_access_transistors_stand_between_cell_and_bit_line() -> None:
    found = elements(cell=TransistorCell(access=NMOS))
    assert nodes(found["Rg1_2"]) == ["w1_2", "m1_2"]
    assert nodes(found["Xt1_2"]) == ["m1_2", "g1", "b1_2", "0"]
    assert found["Xt1_2"].parameters == NMOS.model_dump()
    assert "Xt1_1" not in found


def test_selectors_stand_between_cell_and_bit_line() -> None:
    found = elements(cell=SelectorCell(curve=SINH, access=SELECTOR), wire_resistance_col=0.0)
    assert nodes(found["Xg2_0"]) == ["w2_0", "m2_0"]
    assert nodes(found["Xt2_0"]) == ["m2_0", "c0"]


@pytest.mark.parametrize("wires", [(1.0, 2.0), (0.0, 2.0), (1.0, 0.0), (0.0, 0.0)])
def test_lines_have_the_capacitance_of_their_cells(wires: tuple[float, float]) -> None:
    found = elements(
        wire_resistance_row=wires[0], wire_resistance_col=wires[1],
        wire_capacitance_row=3e-17, wire_capacitance_col=5e-17,
    )  # fmt: skip
    total = {"row": 0.0, "col": 0.0}
    for name, element in found.items():
        if name[0] == "C":
            assert nodes(element)[1] == "0"
            total["row" if nodes(element)[0][0] in "wr" else "col"] += float(element.capacitance)
    assert total == pytest.approx({"row": 12 * 3e-17, "col": 12 * 5e-17})
    # A line without resistance is one node, and has one capacitor.
    assert sum(name.startswith("Cw") for name in found) == (12 if wires[0] else 0)
    assert sum(name.startswith("Cc") for name in found) == (0 if wires[1] else 4)


def test_no_capacitance_no_capacitor() -> None:
    assert not any(name.startswith("C") for name in elements())


def test_layer_has_gate_lines_only_for_transistors() -> None:
    for cell, gated in (
        (TransistorCell(access=NMOS), True),
        (SelectorCell(access=SELECTOR), False),
    ):
        layer = small_layer(tiles=2, cell=cell)
        text = str(
            layer_deck(layer, Stimulus(np.full((1, 6), 0.1), np.ones((1, 2))), ARRAYS["full"])
        )
        assert ("Vgate gate" in text) == gated
        assert ".subckt crossbar1 r0 r1 r2" + " g0 g1 g2" * gated + " c0 c1 c2 c3" in text
        assert "r1_0 r1_1 r1_2" + " gate gate gate" * gated + " c0" in text


def test_signals_of_missing_nodes_are_not_asked_for() -> None:
    layer = small_layer(cell=TransistorCell(access=NMOS))
    layer.conductances[0][0, 0] = 0.0
    names = ARRAYS["full"].signals(layer)
    assert "v(xtile0.m0_0)" not in names
    assert "v(xtile0.m0_1)" in names
    assert len(set(names)) == len(names)
