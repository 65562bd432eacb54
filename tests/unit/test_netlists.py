"""What a layer's netlist is made of, element by element."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.engines.spice_check import check_netlist
from tests.helpers import ARRAYS, near_stimulus, small_layer
from tests.tables import EVERY_SET

FIDELITIES: tuple[str, ...] = ("full", "reduced")


def netlist(layer: LayerCircuit, fidelity: str) -> str:
    return str(layer_deck(layer, near_stimulus(layer), ARRAYS[fidelity]))


def elements(layer: LayerCircuit, fidelity: str = "full") -> list[list[str]]:
    """Words of every element outside the libraries, the crossbars' own included."""
    text = netlist(layer, fidelity).replace("\n+ ", " ")
    own = text[text.index("* Supplies:") :]
    return [line.split() for line in own.splitlines() if line[0].isalpha()]


def names(layer: LayerCircuit, prefix: str, fidelity: str = "full") -> list[str]:
    return [words[0] for words in elements(layer, fidelity) if words[0].startswith(prefix)]


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("resistive", [False, True])
@pytest.mark.parametrize("spiking", [False, True])
@EVERY_SET
def test_engine_accepts_every_netlist(
    name: str, spiking: bool, resistive: bool, fidelity: str
) -> None:
    layer = small_layer(name, resistive=resistive, spiking=spiking, tiles=2)
    check_netlist(netlist(layer, fidelity))


def test_full_has_every_cell_segment_and_driver() -> None:
    layer = small_layer(tiles=2)
    for prefix, count in (("Rg", 24), ("Rw", 24), ("Rb", 24), ("Rdriver", 6), ("Vrow", 6)):
        assert len(names(layer, prefix)) == count, prefix
    assert names(layer, "Xtile") == ["Xtile0", "Xtile1"]


def test_cells_have_their_resistances() -> None:
    layer = small_layer(tiles=2)
    found = [float(words[3]) for words in elements(layer) if words[0].startswith("Rg")]
    expected = np.concatenate([1 / tile.ravel() for tile in layer.conductances])
    np.testing.assert_allclose(found, expected, rtol=5e-12)


def test_reduced_has_one_norton_source_a_column_whatever_the_rows() -> None:
    for rows in (1, 6, 40):
        layer = small_layer(weights=np.full((rows, 2), 0.5))
        assert len(names(layer, "Icolumn", "reduced")) == 4
        assert len(names(layer, "Rcolumn", "reduced")) == 4
        for prefix in ("Rg", "Rw", "Rb", "Rdriver", "Vrow", "Xtile"):
            assert not names(layer, prefix, "reduced"), prefix


def test_ideal_wires_and_drivers_leave_no_element() -> None:
    layer = small_layer(wire_resistance_row=0.0, wire_resistance_col=0.0, driver_resistance=0.0)
    for prefix in ("Rw", "Rb", "Rdriver"):
        assert not names(layer, prefix), prefix
    assert len(names(layer, "Rg")) == 24
    only_rows = small_layer(wire_resistance_col=0.0)
    assert names(only_rows, "Rw")
    assert not names(only_rows, "Rb")


def test_open_cell_leaves_no_element() -> None:
    layer = small_layer()
    layer.conductances[0][2, 1] = 0.0
    assert "Rg2_1" not in names(layer, "Rg")
    assert len(names(layer, "Rg")) == 23


def test_accumulating_layer_has_no_neuron_and_no_supply_for_one() -> None:
    layer = small_layer(spiking=False)
    for prefix in ("Xneuron", "Vneuron", "Vlogic", "Vthreshold", "Vwrite", "Vread"):
        assert not names(layer, prefix), prefix
    text = netlist(layer, "full").splitlines()
    assert "memristor" not in "".join(line for line in text if line[0] != "*")
    assert names(layer, "Xdifference") == ["Xdifference0", "Xdifference1"]


@pytest.mark.parametrize("fidelity", FIDELITIES)
def test_element_names_are_unique(fidelity: str) -> None:
    layer = small_layer(tiles=2)
    text = netlist(layer, fidelity)
    outside, inside = [], False
    for line in text[text.index("* Supplies:") :].splitlines():
        inside = line.startswith(".subckt") or (inside and not line.startswith(".ends"))
        if line[0].isalpha() and not inside:
            outside.append(line.split()[0].lower())
    assert len(outside) == len(set(outside))


def test_sense_variants() -> None:
    plain, resistive = small_layer(), small_layer(resistive=True)
    stages = [words for words in elements(plain) if words[0].startswith("Xsense")]
    assert [words[-1] for words in stages] == 4 * ["transimpedance"]
    ends = [float(words[3]) for words in elements(resistive) if words[0].startswith("Rsense")]
    assert ends == 4 * [resistive.sense.sense_resistance]
    assert not names(resistive, "Xsense")
    # A transimpedance stage inverts: its minus side drives the plus input.
    for layer, inputs in ((plain, ["o3", "o2"]), (resistive, ["c2", "c3"])):
        (stage,) = (words for words in elements(layer) if words[0] == "Xdifference1")
        assert stage[1:3] == inputs


@EVERY_SET
def test_neurons_carry_the_values_of_their_device(name: str) -> None:
    layer = small_layer(name)
    own = {words[0]: words for words in elements(layer)}
    assert own["Xneuron0"][-1] == f"{layer.neuron.kind}_neuron"
    values = dict(word.split("=") for word in own["Xdevice"] if "=" in word)
    law = layer.neuron.device.hazard
    assert float(values["tau0"]) == pytest.approx(law.time_scale, rel=5e-12)
    assert float(values["v0"]) == pytest.approx(law.voltage_scale, rel=5e-12)
    assert float(values["v_reset_min"]) == layer.neuron.device.reset_threshold
    driver = dict(word.split("=") for word in own["Xdriver"] if "=" in word)
    assert float(driver["r_out"]) == layer.neuron.driver.neuron_driver_resistance


def test_rows_of_later_tiles_get_the_later_inputs() -> None:
    layer = small_layer(tiles=2)
    rows = np.arange(6.0)[None, :] * 0.01
    text = str(layer_deck(layer, Stimulus(rows, np.ones((1, 2))), ARRAYS["full"])).replace(
        "\n+ ", " "
    )
    for tile in range(2):
        for row in range(3):
            line = next(one for one in text.splitlines() if one.startswith(f"Vrow{tile}_{row} "))
            heights = np.array(line.split("pwl(")[1].strip(")").split()[1::2], float)
            assert heights.max() == pytest.approx(0.01 * (3 * tile + row))


def test_title_and_explanation_say_what_it_is() -> None:
    layer = small_layer()
    lines = netlist(layer, "reduced").splitlines()
    assert lines[0] == "* memspice layer: 6 rows, 2 outputs, reduced"
    assert lines[2] == "* 3 cycles of write, read and reset; memristor neurons"
    summing = replace(layer, spiking=False)
    assert "accumulating layer without neurons" in str(
        layer_deck(summing, near_stimulus(layer), ARRAYS["full"])
    )
