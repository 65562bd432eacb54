"""What is exported is what circuits do: beside independent answers, and the same when read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import memspice as ms
from memspice.analysis.ir_drop import IrDrop, ir_drop
from memspice.analysis.mean_curve import MeanCurve, mean_curve
from memspice.analysis.output_lines import OutputLines, Spread, output_lines
from memspice.errors import ConfigError, DataError
from memspice.experiment.results.exported import ExportedCells, ExportedLayer, ExportedNeuron
from tests.cli_helpers import DIGITS, call
from tests.loop_helpers import make_network
from tests.models import MODELS
from tests.settings import Setting
from tests.unit.test_convolutions import MIXED, images

ROOT = Path(__file__).parents[2]
Capture = pytest.CaptureFixture[str]
#: No resistance but the sense stage's, no spread, and levels finer than any rounding counts.
PERFECT: dict[str, float | str] = {
    "array.wire_resistance_row": 0.0,
    "array.wire_resistance_col": 0.0,
    "array.driver_resistance": 0.0,
    "synapse.variation": 0.0,
    "synapse.levels": 32 * 31 + 1,  # every level of the network, and many between for the biases
}


@cache
def exported(layer: str | None = None, images: int = 20, **changes: float | str) -> Any:
    setting = Setting("digits-mlp", images=images, cycles=8, changes=changes)
    return ms.export(setting.chip, setting.pictures, layer=layer, cycles=8)


@cache
def flawed() -> ms.results.Export:
    chip = ms.Chip("digits-mlp", MODELS.with_flaws(), seed=3)
    return ms.export(chip, chip.images("test", 20), cycles=8)


# --- its numbers -------------------------------------------------------------------------------


def test_lines_are_those_of_a_fit_output_by_output() -> None:
    rng = np.random.default_rng(5)
    asked = rng.normal(size=(4, 50, 3))
    found = asked * [0.9, 1.0, 1.2] + [0.0, -0.5, 2.0] + 0.1 * rng.normal(size=asked.shape)
    inside = rng.random(asked.shape) < 0.8
    lines = output_lines(asked, found, inside)
    for k in range(3):
        x, y = asked[..., k][inside[..., k]], found[..., k][inside[..., k]]
        fit, (square, *_) = np.polyfit(x, y, 1), np.polyfit(x, y, 1, full=True)[1]
        assert (lines.gain[k], lines.offset[k]) == pytest.approx(tuple(fit), rel=1e-9)
        assert lines.residual[k] == pytest.approx(np.sqrt(square / (len(x) - 2)), rel=1e-9)
    assert lines.noise == pytest.approx(0.1, rel=0.1)  # 480 normal draws: 3 % is one sigma


def test_an_output_at_one_place_has_no_line() -> None:
    asked = np.stack([np.full(9, 1e-3), np.arange(9.0)], axis=1)
    inside = np.array([[True, row < 2] for row in range(9)])
    lines = output_lines(asked, asked, inside)
    assert np.isnan([lines.gain, lines.offset, lines.residual]).all()
    assert Spread.of(lines.gain) == Spread(None, None, None, None, 0)
    assert np.isnan(lines.noise)


def test_a_perfect_array_does_what_the_weights_ask_for() -> None:
    for layer in exported(**PERFECT).layers:
        # What remains is the input resistance of the sense stage against its lines.
        assert layer.array.gain == pytest.approx(np.ones(layer.outputs), abs=2e-3)
        assert layer.array.offset == pytest.approx(np.zeros(layer.outputs), abs=0.02)
        assert layer.array.noise < 0.01
        for part in fields(IrDrop):
            wanted = 0.0 if part.name == "rest" else 1.0
            assert getattr(layer.ir_drop, part.name) == pytest.approx(wanted, abs=1e-12)


def test_convolutions_groups_joined_rows_and_bursts_are_asked_for_what_they_get() -> None:
    """A perfect array again, where inputs are patches of several layers and means of a burst."""
    device = MODELS.change(**{**PERFECT, "synapse.levels": 100_001})
    chip = ms.Chip(make_network(MIXED), device)
    data = ms.Images(images(4), None)
    found = ms.export(chip, data, cycles=4, burst=2, positions=3)
    for layer in found.layers:
        known = ~np.isnan(layer.array.gain)
        assert known.any()
        assert layer.array.gain[known] == pytest.approx(1, abs=5e-3)
        assert layer.array.noise < 0.02
    assert {layer.name for layer in found.layers if not layer.spiking} == {"dense6"}


def test_spread_of_cells_and_neurons_is_in_the_lines() -> None:
    clean, spread = exported("dense1"), exported("dense1", **{"synapse.variation": 0.1})
    assert spread["dense1"].array.noise > 2 * clean["dense1"].array.noise
    neuron = flawed()["dense1"].neuron
    # 1 / V0 spreads by 1 % over 32 neurons, and is steeper or flatter by what its sample says.
    assert 0.006 < np.nanstd(neuron.gain) < 0.016
    alike = clean["dense1"].neuron
    assert alike.gain == pytest.approx(1, abs=2e-3)  # edges of the pulse bend ln H by that much
    assert alike.offset == pytest.approx(0, abs=2e-3)


@pytest.mark.parametrize("name", ["dense1", "dense2"])
def test_ir_drop_is_that_of_the_direct_solver(name: str) -> None:
    """Every row by itself through the sparse nodal solver, which knows nothing of ports."""
    layer = Setting("digits-mlp", wire_resistance=20.0).chip.mapped.layer(name)
    (circuit,) = layer.circuits
    (cells,) = circuit.conductances
    array, sense = circuit.array, circuit.sense.input_resistance

    def currents(row: float, col: float, driver: float) -> np.ndarray:
        solution = ms.solver.solve_crossbar(1 / cells, np.eye(len(cells)), row, col, driver, sense)
        return np.asarray(solution.output_current[0::2] - solution.output_current[1::2])

    ideal, driver = currents(0, 0, 0), array.driver_resistance
    found = ir_drop(layer.circuits)
    for part, resistances in {
        "gain": (20, 20, driver),
        "rows": (20, 0, 0),
        "columns": (0, 20, 0),
        "drivers": (0, 0, driver),
    }.items():
        wired = currents(*resistances)
        gain = np.sum(wired * ideal, axis=1) / np.sum(ideal**2, axis=1)
        assert getattr(found, part) == pytest.approx(gain, rel=1e-9)  # both solvers are exact
        if part == "gain":
            rest = np.linalg.norm(wired - gain[:, None] * ideal, axis=1)
            assert found.rest == pytest.approx(rest / np.linalg.norm(ideal, axis=1), rel=1e-6)
    assert np.all(found.gain < np.minimum(found.rows, found.columns))


def test_probability_is_the_closed_form_of_the_pulse() -> None:
    neuron = exported("dense2", images=3).neuron
    v = neuron.drive * neuron.write_fraction / neuron.voltage_scale
    edges = np.divide(np.expm1(v), v, out=np.ones_like(v), where=v != 0)
    hazard = (neuron.write * np.exp(v) + 2 * neuron.edge * edges) / neuron.time_scale
    assert neuron.probability == pytest.approx(1 - np.exp(-hazard), abs=1e-12)
    unit = np.interp(neuron.unit_drive, neuron.drive, neuron.probability)
    assert unit == pytest.approx(1 - np.exp(-1), abs=0.01)  # between points 40 mV apart


def test_mean_curve_is_the_activation_of_the_network() -> None:
    layer = exported("dense1", **PERFECT)["dense1"]
    curve = layer.transfer
    z = np.clip(
        curve.weighted_input, *((np.array(layer.limits) - layer.origin) / layer.volts_per_unit)
    )
    assert curve.events.sum() == layer.events == 20 * 8 * 32
    assert curve.drive == pytest.approx(layer.origin + z * layer.volts_per_unit, abs=0.02)
    # A step is half a unit wide: the curve bends within it.
    assert curve.probability == pytest.approx(-np.expm1(-np.exp(z)), abs=0.03)
    assert np.all(np.diff(curve.weighted_input) > 0)


def test_mean_curve_of_events_at_one_place() -> None:
    curve = mean_curve(np.ones((2, 3)), np.arange(6.0).reshape(2, 3), None)
    assert (curve.events.tolist(), curve.drive.tolist()) == ([6], [2.5])
    assert curve.drive_sd == pytest.approx(np.arange(6.0).std())
    assert curve.probability is None


def test_energy_an_event_is_that_of_simulate_layer(capsys: Capture) -> None:
    command = ("simulate-layer", "dense1", *DIGITS, "--images", 3, "--fidelity", "surrogate")
    layer = call(capsys, *command, "--json").content
    found = exported("dense1", images=3)["dense1"]
    assert found.events == layer["events"]
    for name, joule in layer["energy_joule"].items():
        assert found.energy_event[name] * found.events == pytest.approx(joule, rel=1e-12)
    assert found.assumed_fraction == pytest.approx(layer["assumed_fraction"])


@pytest.mark.ngspice
def test_spice_gives_the_lines_of_the_surrogate() -> None:
    setting = Setting("digits-mlp", images=4, cycles=2)
    simulated, closed = (
        ms.export(setting.chip, setting.pictures, layer="dense2", cycles=2, fidelity=name)["dense2"]
        for name in ("reduced", "surrogate")
    )
    assert simulated.array.gain == pytest.approx(closed.array.gain, abs=2e-3)
    assert sum(simulated.energy_event.values()) == pytest.approx(
        sum(closed.energy_event.values()), rel=0.05
    )  # the closed form leaves settling out


# --- the file ----------------------------------------------------------------------------------


def test_a_file_read_back_is_what_was_measured(tmp_path: Path) -> None:
    result, path = flawed(), tmp_path / "circuits.json"
    result.save(path)
    back = ms.results.Export.read(path)
    assert back.text() == result.text() == path.read_text(encoding="utf-8")
    assert repr(back) == repr(result)
    for name in ("gain", "offset", "residual"):
        np.testing.assert_array_equal(
            getattr(back["dense1"].array, name), getattr(result["dense1"].array, name)
        )
    assert back["dense2"].neuron is None
    assert {entry.source for entry in back.parameters} == {
        entry.source for entry in MODELS.with_flaws().parameters.provenance
    }


def test_what_has_no_number_is_null_and_comes_back(tmp_path: Path) -> None:
    lone = exported("dense1", images=1)  # graded inputs are the same in every cycle
    content = lone.as_json()["layers"][0]["array"]
    assert content["gain"] == {"unit": "1", "value": [None] * 32}
    lone.save(tmp_path / "a.json")
    assert np.isnan(ms.results.Export.read(tmp_path / "a.json")["dense1"].array.gain).all()
    assert "-" in repr(lone)


def _lose_layers(content: dict[str, Any]) -> None:
    del content["layers"]


def _add_field(content: dict[str, Any]) -> None:
    content["cells"]["colour"] = "red"


def _change_unit(content: dict[str, Any]) -> None:
    content["neuron"]["unit_drive"]["unit"] = "mV"


def _change_format(content: dict[str, Any]) -> None:
    content["format"] = "memspice-export-0"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_lose_layers, "is no whole export"),
        (_add_field, "is no whole export"),
        (_change_unit, "is not what memspice writes"),
        (_change_format, "its format is not memspice-export-1"),
    ],
)
def test_another_file_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    path, content = tmp_path / "a.json", json.loads(flawed().text())
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DataError, match=words):
        ms.results.Export.read(path)


def test_a_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="the export has no layer 'dense9': use dense1, dense2"):
        flawed()["dense9"]


def test_every_field_is_on_the_page() -> None:
    page = (ROOT / "docs/export.md").read_text(encoding="utf-8")
    kinds = (
        ms.results.Export, ExportedCells, ExportedNeuron, ExportedLayer,
        OutputLines, MeanCurve, IrDrop,
    )  # fmt: skip
    for kind in kinds:
        for item in fields(kind):
            assert f"`{item.name}`" in page, f"{kind.__name__}.{item.name}"


# --- the command -------------------------------------------------------------------------------


def test_command_writes_the_file_and_prints_it(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "circuits.json"
    command = ("export", "dense2", *DIGITS, "--images", 3, "--out", out)
    printed = call(capsys, *command, "--json").content
    assert printed.pop("out") == [str(out)]
    assert json.loads(out.read_text(encoding="utf-8")) == printed
    reply = call(capsys, *command)  # an earlier file is replaced, as every output is
    assert reply.code == 0
    assert reply.out.rstrip().endswith(str(out))
    assert ms.results.Export.read(out)["dense2"].rows == 33


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--out a.json dense9", "no layer 'dense9': use dense1, dense2"),
        ("", "Missing option '--out'"),
        ("--out none/a.json", "its folder none does not exist"),
        ("--out .", "is a directory"),
        ("--out a.json --network none", "network 'none' is unknown"),
        ("--out a.json --positions 0", "positions = 0 must be at least 1"),
        ("--out a.json --images 0", "images = 0 must be at least 1"),
    ],
)
def test_refusals(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    reply = call(capsys, "export", *arguments.split())
    assert (reply.code, reply.out) == (2, "")
    assert words in reply.err
    assert not list(tmp_path.iterdir())


def test_a_read_only_file_stays(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    out.write_text("mine")
    out.chmod(0o444)
    reply = call(capsys, "export", "--out", out)
    assert (reply.code, out.read_text()) == (2, "mine")
    assert "is read-only" in reply.err
