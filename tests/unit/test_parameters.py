"""Parameter sets: every value with unit, label and source; bad files named by file and entry."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from memspice.circuits.blocks.resistive import Resistive
from memspice.devices.neurons import MemristorNeuron, MtjNeuron
from memspice.devices.synapse_iv import SinhCell
from memspice.errors import ConfigError, DataError
from memspice.parameters import PARAMETER_SETS, load_parameter_set
from memspice.parameters.file import LABELS
from memspice.resources import resource_path

FILES = sorted(path.stem for path in resource_path("ag-asi.toml").parent.glob("*.toml"))
_UNITS = {
    *("V", "s", "ohm", "F", "A", "Hz", "S", "J", "W", "1", "m", "m^2", "K"),
    *("m/s", "K/W", "A/m", "V/m", "m/V", "1/V", "1/s", "F/m", "1/V^2", "A/V^2", "m^2/V^2"),
    *("V^0.5", "1/cm^3", "m^2/(V s)", "ohm um", "F/m^2", "TOPS/W"),
}


def entries(name: str) -> list[tuple[str, Any]]:
    content = tomllib.loads(resource_path(f"{name}.toml").read_text(encoding="utf-8"))
    tables = {table: values for table, values in content.items() if table != "about"}
    return [(f"{table}.{key}", entry) for table, v in tables.items() for key, entry in v.items()]


# --- the files that travel with memspice ----------------------------------------------------------


def test_every_set_has_its_file() -> None:
    assert {*PARAMETER_SETS, "crossbar"} <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_every_value_has_its_unit_label_and_source(name: str) -> None:
    found = entries(name)
    assert len(found) >= 5
    for where, entry in found:
        assert set(entry) == {"value", "unit", "label", "source"}, where
        assert isinstance(entry["value"], int | float), where
        assert entry["unit"] in _UNITS, where
        assert entry["label"] in LABELS, where
        assert len(entry["source"]) > 5, where


@pytest.mark.parametrize("name", FILES)
def test_cited_values_name_a_work_and_assumed_ones_a_reason(name: str) -> None:
    for where, entry in entries(name):
        if entry["label"] == "S":
            assert re.search(r"arXiv|@|PTM|thesis|et al|20\d\d", entry["source"]), where


@pytest.mark.parametrize("name", PARAMETER_SETS)
def test_set_carries_the_provenance_of_every_value(name: str) -> None:
    values = load_parameter_set(name)
    assert values.name == name
    listed = [f"{value.table}.{value.name}" for value in values.provenance]
    assert sorted(listed) == sorted(where for where, _ in entries(name) + entries("crossbar"))
    by_name = {f"{value.table}.{value.name}": value for value in values.provenance}
    assert by_name["timing.write"].value == values.timing.write
    assert by_name["synapse.max_conductance"].unit == "S"


def test_assumed_device_says_so() -> None:
    values = load_parameter_set("fast-memristor")
    assert "what-if" in values.summary
    # With its law, at 0 V: the mean time until it sets itself stands there, too.
    assert values.neuron.device.hazard.time_scale == 3.2e-4
    assert "0.32 ms" in values.summary
    labels = {f"{v.table}.{v.name}": v.label for v in values.provenance}
    assert labels["hazard.time_scale"] == "A"


# --- physics of the sets --------------------------------------------------------------------------


@pytest.mark.parametrize("name", PARAMETER_SETS)
def test_voltages_fit_each_other(name: str) -> None:
    values = load_parameter_set(name)
    device, periphery, timing = values.neuron.device, values.neuron.driver, values.timing
    share = values.neuron.write_fraction
    unit = device.hazard.unit_voltage(timing.write, timing.edge) / share
    # The whole activation lies within the write limits, and those within the rails.
    assert periphery.write_low < unit - 3 * device.hazard.voltage_scale
    assert unit + 1.5 * device.hazard.voltage_scale / share < periphery.write_high
    assert periphery.write_high <= periphery.supply_positive
    assert -periphery.reset_voltage >= periphery.supply_negative
    # The reset overcomes its threshold also behind the dividers.
    seen = periphery.reset_voltage * share
    if isinstance(device, MemristorNeuron):
        seen = periphery.reset_voltage / (1 + device.series_resistance / device.on_resistance)
    assert seen > 1.5 * device.reset_threshold


@pytest.mark.parametrize("name", PARAMETER_SETS)
def test_comparator_lies_between_the_two_levels_of_the_read_divider(name: str) -> None:
    values = load_parameter_set(name)
    device, periphery, latch = values.neuron.device, values.neuron.driver, values.latch
    if isinstance(device, MemristorNeuron):
        states, below = (device.on_resistance, device.off_resistance), device.series_resistance
    else:
        states = (device.parallel_resistance, device.antiparallel_resistance)
        below = device.reference_resistance
    on, off = (periphery.neuron_read_voltage * below / (below + state) for state in states)
    assert off < 0.9 * latch.compare_voltage < 1.1 * latch.compare_voltage < on


@pytest.mark.parametrize("name", ["ag-asi", "fast-memristor"])
def test_read_pulse_hardly_disturbs(name: str) -> None:
    # Of an MTJ, read through its junction, the write line sees nothing.
    values = load_parameter_set(name)
    law = values.neuron.device.hazard
    read = values.neuron.driver.neuron_read_voltage
    disturbed = law.switching_probability(read, values.timing.read)
    assert disturbed < 1e-3


@pytest.mark.parametrize("name", PARAMETER_SETS)
def test_law_holds_where_it_is_used(name: str) -> None:
    values = load_parameter_set(name)
    if name == "sot-mtj-measured":  # where it was measured: junction B, P to AP
        assert values.neuron.driver.write_high * values.neuron.write_fraction <= 1.0
        assert values.timing.write == 0.75e-9
    elif isinstance(values.neuron.device, MtjNeuron):
        # Neel-Brown: below the critical voltage, which the heavy metal sees behind the driver.
        share = values.neuron.write_fraction
        assert values.neuron.driver.write_high * share <= 0.884 * (1 + 1e-3)
        assert values.timing.write >= 10e-9
    else:
        assert values.neuron.device.hazard.voltage_scale == 0.156


def test_cells_and_drivers_lose_little() -> None:
    values = load_parameter_set("ag-asi")
    row = 128 * values.synapse.max_conductance / 2
    assert values.array.driver_resistance * row < 0.1


# --- other files, and bad ones --------------------------------------------------------------------


@pytest.fixture
def text() -> str:
    """Text of a good set file."""
    return resource_path("sot-mtj.toml").read_text(encoding="utf-8")


def load(folder: Path, text: str) -> Any:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return load_parameter_set(str(path))


def test_own_file_is_read_by_its_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    shutil.copy(resource_path("ag-asi.toml"), path)
    own, given = load_parameter_set(str(path)), load_parameter_set("ag-asi")
    assert own == given
    hotter = load(tmp_path, text.replace("value = 20.0", "value = 18.2"))
    assert hotter.neuron.device.hazard.voltage_scale == pytest.approx(0.884 / 18.2)


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ('value = 4e-9, unit = "s"', 'value = 4, unit = "ns"', "is in 'ns', but its unit is 's'"),
        ('label = "A"', 'label = "X"', "needs a label of M, S, R, D, A and a source"),
        ('label = "A"', 'label = ["A"]', r"label is a list, and must be a line of text"),
        ('source = "reset rail"', 'source = ""', "needs a label of .* and a source"),
        ('unit = "V", label = "A", source = "reset rail"', 'unit = "V"', "supply_negative must be"),
        ('unit = "1", label', 'label', "barrier must be"),
        ("[timing]", "[timings]", r"table \[timing\] is missing"),
        ("[about]", "[above]", r"\[about\] needs"),
        ('device = "mtj"', 'device = "rtd"', "about.device = 'rtd' must be 'memristor' or 'mtj'"),
        ("[timing]", "[array]\n[timing]", r"nothing reads \[array\]"),
        ("[about]", "[about", "cannot be read as TOML"),
    ],
)  # fmt: skip
def test_bad_file_is_refused(tmp_path: Path, text: str, good: str, bad: str, message: str) -> None:
    assert good in text
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path, text.replace(good, bad, 1))
    assert "own.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("value = 776.0", "value = -776.0", "heavy_metal_resistance = -776.0 ohm must be at least"),
        ("value = 776.0", "value = nan", "heavy_metal_resistance = nan ohm must be finite"),
        ("value = 776.0", 'value = "776"', "must be a number in ohm"),
        ("heavy_metal_resistance", "heavy_metal_resistence", "heavy_metal_resistence is not known"),
        ("value = 20.0", "value = 0.0", "barrier = 0.0 must be at least 1e-12"),
    ],
)
def test_bad_value_is_refused(tmp_path: Path, text: str, good: str, bad: str, message: str) -> None:
    assert good in text
    with pytest.raises(ConfigError, match=message) as caught:
        load(tmp_path, text.replace(good, bad, 1))
    assert "own.toml" in str(caught.value)


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'ag_asi' is unknown: use ag-asi, fast-memristor"):
        load_parameter_set("ag_asi")


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml does not exist"):
        load_parameter_set(str(tmp_path / "none.toml"))
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"binary\.toml cannot be read as TOML"):
        load_parameter_set(str(binary))
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    with pytest.raises(DataError, match=r"folder\.toml is a folder"):
        load_parameter_set(str(folder))


@pytest.mark.parametrize("name", PARAMETER_SETS)
def test_changes_replace_values_of_the_files(name: str) -> None:
    given = load_parameter_set(name)
    changes: dict[str, float | str] = {
        "array.driver_resistance": 200,
        "synapse.levels": 8,
        "timing.gap": 2 * given.timing.gap,
        "neuron.reset_threshold": 0.3,
        "sense.kind": "resistive",
        "sense.sense_resistance": 2e4,
        "sinh_cell.voltage_scale": 0.3,
    }
    changed = load_parameter_set(name, changes)
    assert changed.array.driver_resistance == 200.0
    assert changed.synapse == given.synapse.model_copy(update={"levels": 8})
    assert changed.timing == given.timing.model_copy(update={"gap": 2 * given.timing.gap})
    assert changed.neuron.device == given.neuron.device.model_copy(update={"reset_threshold": 0.3})
    assert isinstance(changed.sense, Resistive)
    assert changed.sense.sense_resistance == 2e4
    assert changed.array.cell.curve == SinhCell(voltage_scale=0.3)
    assert (changed.neuron.driver, changed.latch) == (given.neuron.driver, given.latch)
    assert changed.changes == changes
    assert changed.notes[0].startswith("changed: ")
    assert all(f"{key} = {value}" in changed.notes[0] for key, value in changes.items())
    labels = {(value.table, value.name): value.label for value in changed.provenance}
    assert labels["array", "driver_resistance"] == "A"
    assert len(labels) == len(changed.provenance)  # one entry a value, the old ones are gone


def test_set_without_changes_has_no_note() -> None:
    assert load_parameter_set("ag-asi", {}) == load_parameter_set("ag-asi")
    assert load_parameter_set("ag-asi").notes == []


def test_constants_behind_a_law_can_be_changed() -> None:
    law = load_parameter_set("sot-mtj", {"neel_brown.barrier": 18.2}).neuron.device.hazard
    assert law.voltage_scale == pytest.approx(0.884 / 18.2)
    assert (
        load_parameter_set("ag-asi", {"hazard.time_scale": 2.0}).neuron.device.hazard.time_scale
        == 2.0
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("array.driver_resistance", -1.0, r"= -1.0 ohm must be at least 0 ohm \(.*as changed"),
        ("array.driver_resistance", "1k", "driver_resistance = '1k' must be a number in ohm"),
        ("array.driver_resistance", float("nan"), "must be finite"),
        ("synapse.levels", 2.5, "levels = 2.5 must be a whole number"),
        ("sense.kind", "optical", "kind = 'optical' must be one of transimpedance, resistive"),
        ("sense.kind", "resistive", "sense_resistance"),
        ("array.resistance", 1.0, "array has wire_resistance_row, wire_resistance_col, driver_res"),
        ("array.cell", 1.0, "array.cell cannot be changed, there is no such value"),
        ("neuron.hazard", 1.0, "neuron.hazard cannot be changed, there is no such value"),
        ("neel_brown.barrier", 18.0, "no such table: this set has .*array.*hazard.*timing"),
        ("about.name", "other", "no such table"),
        ("variation", 0.1, "'variation' must be TABLE.NAME"),
        ("synapse.", 0.1, "'synapse.' must be TABLE.NAME"),
    ],
)
def test_bad_change_is_refused(key: str, value: float | str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_parameter_set("ag-asi", {key: value})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1" * 4200, r"large\.toml cannot be read as TOML: a line has more"),
        ("0x" + "f" * 3500, "a whole number of about 4214 digits"),
        ("[" * 1900 + "]" * 1900, "cannot be read as TOML"),
        ("2001-01-01", "is a date, no number or word"),
        ("{" + "a." * 1500 + "a = 1}", "is a dict, no number or word"),
        ("1e300", "at most 1000 V"),
        ("1e-300", "at least 1e-09 V"),
        ('"\\u001b[31m"', r"a number in V, not str|must be"),
    ],
)
def test_absurd_values_of_a_file(tmp_path: Path, value: str, message: str) -> None:
    path = tmp_path / "large.toml"
    text = resource_path("fast-memristor.toml").read_text(encoding="utf-8")
    path.write_text(re.sub(r"value = [^,]+", lambda _: f"value = {value}", text, count=1))
    with pytest.raises(ConfigError, match=message) as caught:
        load_parameter_set(str(path))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", [r'"\u001b[31mred"', '"a\\u202eb"', "a.b.c = 1", "1"])
def test_name_of_a_set_is_a_line_that_can_be_shown(tmp_path: Path, name: str) -> None:
    path = tmp_path / "named.toml"
    text = resource_path("fast-memristor.toml").read_text(encoding="utf-8")
    path.write_text(re.sub(r"name = .*", lambda _: f"name = {name}", text, count=1))
    with pytest.raises(DataError, match=r"named\.toml"):
        load_parameter_set(str(path))
