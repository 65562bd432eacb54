"""Cells, age and temperature in parameter sets, and what a mapped network makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from memspice.circuits.blocks.lone_cell import LoneCell
from memspice.circuits.blocks.selector_cell import SelectorCell
from memspice.circuits.blocks.transistor_cell import TransistorCell
from memspice.devices.drift import CellConditions
from memspice.devices.synapse_iv import CubicCell, OhmicCell, SinhCell
from memspice.devices.transistor import AccessTransistor, Selector
from memspice.errors import ConfigError, DataError
from memspice.network.mapping import map_network
from memspice.network.weights import load_network
from memspice.parameters import ParameterSet, load_parameter_set, load_table
from memspice.resources import resource_path

SINH = '[sinh_cell]\nvoltage_scale = {{ value = {}, unit = "V", label = "A", source = "a test" }}\n'
AGED = """[synapse]
drift_exponent = { value = 0.1, unit = "1", label = "A", source = "a test" }
age = { value = 99.0, unit = "s", label = "A", source = "a test" }
"""
GATE = '[cell]\ngate_voltage = { value = 1.3, unit = "V", label = "A", source = "a test" }\n'


def tables(*names: str) -> str:
    """Tables of the file of cells, as text."""
    parts = resource_path("cells.toml").read_text(encoding="utf-8").split("\n[")
    return "".join(f"[{part}\n" for part in parts if part.split("]")[0] in names)


def loaded(folder: Path, extra: str) -> ParameterSet:
    path = folder / "own.toml"
    given = resource_path("fast-memristor.toml").read_text(encoding="utf-8")
    path.write_text(f"{given}\n{extra}", encoding="utf-8")
    return load_parameter_set(str(path))


@pytest.mark.parametrize(
    ("table", "model"),
    [
        ("sinh_cell", SinhCell),
        ("cubic_cell", CubicCell),
        ("conditions", CellConditions),
        ("access_transistor", AccessTransistor),
        ("selector", Selector),
    ],
)
def test_file_of_cells_holds_every_model(table: str, model: type) -> None:
    assert isinstance(load_table("cells", table, model).values, model)


def test_cells_of_the_file_say_what_their_sources_say() -> None:
    # 4.1 of the sources: sinh +2.7 % at 0.1 V; metal oxide +8.4 % at 0.2 V.
    sinh = load_table("cells", "sinh_cell", SinhCell).values
    cubic = load_table("cells", "cubic_cell", CubicCell).values
    assert sinh.excess(0.1) == pytest.approx(0.027, abs=5e-4)
    assert cubic.excess(0.2) == pytest.approx(0.084, abs=5e-4)
    # Read when programmed, at the temperature of programming: nothing has changed yet.
    conditions = load_table("cells", "conditions", CellConditions).values
    assert conditions.drift_factor == conditions.temperature_factor == 1.0


def test_cells_are_ohmic_and_alone_unless_told() -> None:
    assert load_parameter_set("fast-memristor").array.cell == LoneCell()


def test_set_brings_its_cells(tmp_path: Path) -> None:
    cell = loaded(tmp_path, SINH.format(0.3)).array.cell
    assert cell == LoneCell(curve=SinhCell(voltage_scale=0.3))
    gated = loaded(tmp_path, tables("cubic_cell", "access_transistor") + GATE)
    assert isinstance(gated.array.cell.curve, CubicCell)
    assert isinstance(gated.array.cell, TransistorCell)
    assert gated.array.cell.gate == 1.3
    assert isinstance(gated.array.cell.curve, CubicCell)
    selected = loaded(tmp_path, tables("selector")).array.cell
    assert isinstance(selected, SelectorCell)
    assert selected.curve == OhmicCell()
    listed = {f"{value.table}.{value.name}": value.value for value in gated.provenance}
    assert listed["cell.gate_voltage"] == 1.3
    assert listed["cubic_cell.cubic_coefficient"] == 2.1


def test_set_replaces_entries_of_common_tables(tmp_path: Path) -> None:
    extra = (
        AGED + '[array]\nread_voltage = { value = 0.2, unit = "V", label = "A", source = "test" }\n'
    )
    own, given = loaded(tmp_path, extra), load_parameter_set("fast-memristor")
    assert (own.synapse.age, own.synapse.drift_exponent) == (99.0, 0.1)
    assert own.synapse.max_conductance == given.synapse.max_conductance
    assert own.array == given.array.model_copy(update={"read_voltage": 0.2})
    voltages = [v for v in own.provenance if (v.table, v.name) == ("array", "read_voltage")]
    assert [value.value for value in voltages] == [0.2]


@pytest.mark.parametrize(
    ("extra", "error", "message"),
    [
        (tables("sinh_cell", "cubic_cell"), DataError, r"one of \[sinh_cell\], \[cubic_cell\]"),
        (tables("selector", "access_transistor"), DataError, r"one of \[access_transistor\], "),
        (SINH.format(0.0), ConfigError, r"voltage_scale = 0\.0 V must be at least 1e-09 V"),
        (AGED.replace("99.0", "-1.0"), ConfigError, r"age = -1\.0 s must be at least 0 s"),
        (AGED.replace("[synapse]", "[synapses]"), DataError, r"nothing reads \[synapses\]"),
        (tables("access_transistor") + GATE.replace("gate_", "grid_"), ConfigError, "grid_voltage"),
        (GATE, ConfigError, "gate_voltage is not known"),
        (tables("selector") + GATE, ConfigError, "gate_voltage is not known"),
    ],
)
def test_bad_cells_are_refused(
    tmp_path: Path, extra: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        loaded(tmp_path, extra)


def drive_gains(parameter_set: ParameterSet) -> np.ndarray:
    """Drive per row voltage of the first layer of the digits network."""
    mapped = map_network(load_network("digits-mlp"), parameter_set, (128, 128), seed=0)
    return np.concatenate([circuit.drive_gain for circuit in mapped.layers[0].circuits])


def test_drift_takes_its_share_of_the_drive(tmp_path: Path) -> None:
    fresh, aged = (
        drive_gains(load_parameter_set("fast-memristor")),
        drive_gains(loaded(tmp_path, AGED)),
    )
    # (1 + 99)^-0.1; less current also means less drop over drivers and wires, some 2 % of 37 %.
    np.testing.assert_allclose(aged, 100**-0.1 * fresh, rtol=0.03, atol=0.02 * np.abs(fresh).max())


def test_gain_is_fitted_to_bent_and_gated_cells(tmp_path: Path) -> None:
    plain = drive_gains(load_parameter_set("fast-memristor"))
    extra = tables("sinh_cell", "access_transistor")
    # Weights stay what they are, except where a channel of 0.8 mS takes 1.3 % of the largest.
    np.testing.assert_allclose(
        drive_gains(loaded(tmp_path, extra)), plain, rtol=0, atol=0.01 * np.abs(plain).max()
    )
