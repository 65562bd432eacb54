"""The table of a neuron, and what it names: whatever cannot work is refused before a network runs.

The template of the package is the measure; its circuit obeys the exponential hazard law, so what is
measured of it has a second answer in closed form.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import memspice as ms
from memspice.analysis.neuron_curve import MOST, measure_neuron
from memspice.circuits.blocks.neuron import Neuron
from memspice.circuits.deck import Deck
from memspice.circuits.neuron_table import read_neuron
from memspice.circuits.verilog import carried_files, read_module
from memspice.devices.hazard import HazardLaw
from memspice.devices.measured_hazard import MeasuredHazard
from memspice.engines import find_engine
from memspice.engines.ngspice import carried_text
from memspice.engines.spice_check import check_netlist
from memspice.engines.veriloga import subckt_declaration
from memspice.errors import ConfigError, DataError, MemspiceError, NetlistError
from memspice.jobs import Execution, content_hash, open_runner
from memspice.parameters import ParameterSet, load_parameter_set
from memspice.resources import resource_path

TEMPLATE = resource_path("templates", "own_neuron.toml")
LAW = HazardLaw(voltage_scale=0.156, time_scale=3.2e-4)
PULSE = (100e-9, 1e-9)


def copied(folder: Path, ending: str = "toml", **changes: str) -> ParameterSet:
    """Template in a folder, with words of one of its files exchanged."""
    for own in TEMPLATE.parent.glob("own_neuron.*"):
        if not (folder / own.name).exists():
            shutil.copy(own, folder)
    path = folder / f"own_neuron.{ending}"
    text = path.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return load_parameter_set(str(folder / "own_neuron.toml"))


def measured(values: ParameterSet, points: int = 5, engine: str = "ngspice") -> Neuron:
    neuron = replace(values.neuron, points=points)  # type: ignore[call-arg]
    with open_runner(find_engine(engine), Execution()) as runner:
        return measure_neuron(neuron, values.latch, values.timing, runner)


# --- the table ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ('"hazard", ', "", ConfigError, r"names 12, but .subckt own_neuron .* has 13"),
        ('"draw"', '"clear"', ConfigError, "must have 'draw' once: 'drive' is the write voltage"),
        ('"latch",', '"lach",', ConfigError, "'lach', which is no supply .* did you mean 'latch'"),
        ("vneg = -2.0", "vneg = -2.0, vbb = 1.0", ConfigError, "'vbb', but no terminal"),
        ("r_on = 1e6", "ron = 1e6", ConfigError, "parameters.ron is no parameter .*mean 'r_on'"),
        ("drive = [0.0, 1.62]", "drive = [1, 0]", ConfigError, r"\[1.0, 0.0\] V must rise"),
        ("points = 17", "points = 2", ConfigError, "points = 2 must be at least 5"),
        ("points = 17", "point = 17", DataError, "'point', which means nothing; .* 'points'"),
        ("points = 17", "electrode = -0.6", ConfigError, "-0.6 V needs a terminal 'electrode'"),
        ('label = "A"\nsource', "source", DataError, "needs 'label'"),
        ('label = "A"\nsource', 'label = "Z"\nsource', DataError, "needs a label of M, S, R, D, A"),
        ("vdd = 1.8", "vdd = nan", DataError, "supplies.vdd = nan must be a finite number"),
        ("vdd = 1.8", "write = 1.0, vdd = 1.8", ConfigError, "'write' has two meanings"),
        ("points = 17", "clocks = { vdd = [] }", ConfigError, "vdd is a clock without edges"),
        ("own_neuron.va", "own.va", DataError, "own.va"),
    ],
)
def test_a_table_that_is_wrong_is_refused(
    tmp_path: Path, old: str, new: str, error: type[MemspiceError], message: str
) -> None:
    with pytest.raises(error, match=rf"own_neuron.toml: .*{message}|{message}") as found:
        copied(tmp_path, **{old: new})
    assert str(tmp_path) in str(found.value)


def test_a_table_names_a_file(tmp_path: Path) -> None:
    entries: dict[str, Any] = {"terminals": [], "drive": [0, 1], "label": "A", "source": "a test"}
    with pytest.raises(DataError, match="needs 'subcircuit' or 'veriloga', or both"):
        read_neuron(entries, tmp_path / "set.toml")


@pytest.mark.parametrize(
    ("ending", "old", "new", "message"),
    [
        ("lib", "Rseries", "C1 x 0 1f\nC2 x out 1f\nRseries", "line 1.: node 'x' has no path"),
        ("lib", "v_read=0.4 ", "", "parameters .*, and its twin, module own_neuron .*give both"),
        ("va", "module own_neuron(", "module other(", "declares the module 'other'; name the file"),
        ("va", '"disciplines.vams"', '"none.vams"', 'line 2: `include "none.vams" is neither'),
        ("va", "real r_on =", "real R_on =", "'R_on' of module own_neuron has capital letters"),
        (
            "va",
            "endmodule",
            "endmodule\nmodule b(p);\nendmodule",
            r"one module, not 2 \(own_neuron",
        ),
    ],
)
def test_a_circuit_that_is_wrong_is_refused(
    tmp_path: Path, ending: str, old: str, new: str, message: str
) -> None:
    with pytest.raises((ConfigError, NetlistError), match=message):
        copied(tmp_path, ending, **{old: new})


def test_the_label_of_the_table_decides_what_the_device_is(tmp_path: Path) -> None:
    assert load_parameter_set(str(TEMPLATE)).device_source == "what-if"
    assert copied(tmp_path, **{'label = "A"\nsource': 'label = "M"\nsource'}).device_source == (
        "measured"
    )


def test_a_run_changes_the_numbers_of_a_circuit_and_nothing_else() -> None:
    changes = {"neuron.parameters.r_on": 2e6, "neuron.points": 7, "neuron.supplies.vdd": 1.7}
    values = load_parameter_set(str(TEMPLATE), changes)
    assert values.neuron.circuit.parameters["r_on"] == 2e6  # type: ignore[attr-defined]
    assert values.neuron.supplies["neuron_vdd"] == 1.7
    assert values.neuron.curve_points == 7
    assert values.changes == changes
    for name in ("subcircuit", "parameters.r_no", "voltage_scale_spread", "drive"):
        with pytest.raises(ConfigError, match=rf"neuron.{name} cannot be .* parameters.r_on"):
            load_parameter_set(str(TEMPLATE), {f"neuron.{name}": 1.0})
    with pytest.raises(DataError, match="parameters.r_on = 'much' must be a finite number"):
        load_parameter_set(str(TEMPLATE), {"neuron.parameters.r_on": "much"})


@pytest.mark.vacask
def test_an_ngspice_that_loads_osdi_gets_the_module_in_its_netlist() -> None:
    """No such ngspice is here: its netlist is looked at, with the eyes of the engine."""
    module = read_module(TEMPLATE.with_name("own_neuron.va"))
    deck = Deck("alone", "nothing")
    deck.module(module, None)
    circuit = deck.section("one")
    circuit.X("own", module.name, *module.terminals)
    netlist = deck.spice(module_text=carried_text)
    check_netlist(netlist)
    assert carried_files(netlist) == dict(module.files)
    assert ".model own_neuron_osdi own_neuron" in netlist
    assert subckt_declaration(netlist).terminals == module.terminals


# --- the curve ------------------------------------------------------------------------------------


def test_a_measured_hazard_goes_through_its_points_and_rises_between() -> None:
    """Against the law that it was sampled from, whose logarithm edges bend a little."""
    volts = np.linspace(0.2, 1.6, 15)
    curve = MeasuredHazard(volts, LAW.log_hazard_integral(volts, *PULSE), *PULSE)
    through = curve.log_hazard_integral(volts, *PULSE)
    np.testing.assert_allclose(through, curve.log_hazard, atol=1e-12)
    asked = np.linspace(0.2, 1.6, 501)
    found = curve.log_hazard_integral(asked, *PULSE)
    np.testing.assert_allclose(found, LAW.log_hazard_integral(asked, *PULSE), atol=2e-4)
    assert (np.diff(found) > 0).all()
    beyond = np.array([0.1, 1.7])  # straight on
    straight = curve.log_hazard_integral(beyond, *PULSE)
    np.testing.assert_allclose(straight, LAW.log_hazard_integral(beyond, *PULSE), atol=1e-3)
    # the tangent, and the slope of the law with its edges, within 0.1 %
    assert curve.unit_voltage(*PULSE) == pytest.approx(LAW.unit_voltage(*PULSE), abs=2e-5)
    assert curve.voltage_scale == pytest.approx(LAW.voltage_scale, rel=2e-3)
    odds = curve.switching_probability(asked, *PULSE)
    np.testing.assert_allclose(odds, LAW.switching_probability(asked, *PULSE), atol=1e-4)


def test_a_measured_hazard_refuses_other_pulses_and_a_curve_without_a_middle() -> None:
    volts = np.linspace(0.0, 0.8, 9)
    curve = MeasuredHazard(volts, LAW.log_hazard_integral(volts, *PULSE), *PULSE)
    with pytest.raises(ConfigError, match="not of 2e-07 s"):
        curve.log_hazard_integral(0.5, 200e-9, 1e-9)
    with pytest.raises(ConfigError, match=r"0.8 V of 0.05\d?: none has 1"):
        curve.unit_voltage(*PULSE)


@cache
def template_neuron() -> Neuron:
    return measured(load_parameter_set(str(TEMPLATE)))


@pytest.mark.ngspice
def test_the_template_obeys_the_law_that_it_was_written_with() -> None:
    """Integral, energies and levels against closed forms, all within what the solver leaves."""
    neuron, timing = template_neuron(), load_parameter_set(str(TEMPLATE)).timing
    drive = np.linspace(0.2, 1.6, 57)
    found = neuron.device.hazard.log_hazard_integral(drive, timing.write, timing.edge)
    expected = LAW.log_hazard_integral(drive, timing.write, timing.edge)
    np.testing.assert_allclose(found, expected, atol=MOST)
    # 1.8 V over 1 Gohm, or over twice 1 Mohm, both with 1 kohm; the state takes 1 % of the pulse
    volts, one = np.array([[1.0]]), np.ones((1, 1))
    never, at_once = (float(neuron.write_power(volts, on)[0]) for on in (0 * one, one))
    assert never == pytest.approx(1.8 / 1.002e9, rel=0.05)
    assert at_once == pytest.approx(1.8 / 2.001e6, rel=0.03)
    off, on = (float(neuron.read_power(one > level)[0]) for level in (1, 0))
    assert off < 0.01 * on
    # the charge of the read node, 1 fF at 0.2 V, is up to 5 % more
    assert 1.8 * 0.4 / 2.001e6 < on < 1.05 * 1.8 * 0.4 / 2.001e6
    (high, low), _ = neuron.read_levels()
    assert high == pytest.approx(0.4 * 1e6 / 2.001e6, rel=0.02)
    assert low < 1e-2
    assert 0 <= neuron.quiet_energy() < 0.01 * neuron.reset_energy(None, timing)  # type: ignore[arg-type]
    assert neuron.read_disturb(timing) < 1e-6


@pytest.mark.ngspice
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("-v(clear)*({1m})*v(hazard)", "-0*v(hazard)", r"depends on what the cycle before did: by"),
        ("-({50n})*v(reset)", "-0*v(reset)", "spikes at .* its draw beyond reach, in the cycle"),
        ("v(hazard)-v(draw)", "v(hazard)-1.1*v(draw)", "does not spike at .* of 0.98"),
        ("Bh vss hazard i=v(write) > 1u ?", "Bh vss hazard i=v(write) > 2 ?", "with 0 at a drive"),
        ("v(drive)/({v0}), 20))", "v(drive)/({v0}), 8.2))", "bends so much at a"),
        ("*v(drive)/({v0})", "*(1.9-v(drive))/({v0})", "does not rise from a drive of"),
    ],
)
def test_a_circuit_that_is_no_neuron_is_refused_with_the_number(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as found:
        measured(copied(tmp_path, "lib", **{old: new}))
    assert re.search(r"\d", str(found.value))


@pytest.mark.ngspice
def test_a_common_electrode_is_a_supply_from_which_write_voltages_count(tmp_path: Path) -> None:
    """All of the circuit 0.6 V lower, but for what it is told by: the same curve."""
    text = TEMPLATE.with_name("own_neuron.lib").read_text(encoding="utf-8")
    for old, new in {
        ".subckt own_neuron ": ".subckt own_neuron electrode ",
        "v(write)*v(drive)": "v(write)*(v(drive)-v(electrode))",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "own_neuron.lib").write_text(text, encoding="utf-8")
    shifted = copied(
        tmp_path,
        **{
            '"drive", "draw"': '"electrode", "drive", "draw"',
            "points = 17": "points = 17\nelectrode = -0.6",
            'veriloga = "own_neuron.va"': "",
        },
    )
    assert shifted.neuron.electrode == -0.6
    assert shifted.neuron.supplies["neuron_electrode"] == -0.6
    found = measured(shifted).device.hazard
    known = template_neuron().device.hazard
    np.testing.assert_array_equal(found.voltage, known.voltage)  # type: ignore[union-attr]
    np.testing.assert_allclose(found.log_hazard, known.log_hazard, atol=1e-3)  # type: ignore[union-attr]


def test_where_a_file_lies_decides_nothing(tmp_path: Path) -> None:
    """The curve of a circuit that was moved is still in the cache."""
    neuron, moved = load_parameter_set(str(TEMPLATE)).neuron, copied(tmp_path).neuron
    assert content_hash(neuron) == content_hash(moved)
    other = tmp_path / "other"
    other.mkdir()
    assert content_hash(neuron) != content_hash(
        copied(other, **{"r_on = 1e6": "r_on = 2e6"}).neuron
    )


@pytest.mark.ngspice
def test_a_circuit_is_characterised_beside_its_curve() -> None:
    values = load_parameter_set(str(TEMPLATE), {"neuron.points": 5})
    found = ms.characterize(values, points=2, events=8)
    assert found.mismatches == 0
    assert found.worst_deviation < MOST
    assert "simulated" in found.as_json()["read_disturb"]["note"]
