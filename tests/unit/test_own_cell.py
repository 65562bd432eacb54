"""A synapse of the user's own: its table is checked, its curves are measured and stand for it.

The template is a sinh, which the package has as a curve too: so all has a second answer.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import memspice as ms
from memspice.analysis.cell_curve import MOST, measure_cell
from memspice.analysis.energy import energy_balance
from memspice.circuits.blocks.lone_cell import LoneCell
from memspice.circuits.blocks.synapse import SynapseCell
from memspice.circuits.cell_table import read_cell
from memspice.circuits.netlists import layer_deck
from memspice.circuits.power import event_values, layer_power, saved_signals
from memspice.devices.synapse_iv import SinhCell
from memspice.engines import find_engine
from memspice.engines.base import Transient
from memspice.errors import ConfigError, DataError, MemspiceError
from memspice.jobs import Execution, open_runner
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path
from memspice.windows.simulated import solver_options
from tests.helpers import ARRAYS, near_stimulus, small_layer

TEMPLATES = resource_path("templates")
TABLE: dict[str, Any] = {
    "subcircuit": "own_cell.lib",
    "veriloga": "own_cell.va",
    "terminals": ["word", "bit"],
    "range": [-0.3, 0.3],
    "parameters": {"v0": 0.25},
    "label": "A",
    "source": "a template",
}
ENDS = (0.2e-6, 10e-6)
ENGINES = [pytest.param("ngspice", marks=pytest.mark.ngspice),
           pytest.param("vacask", marks=pytest.mark.vacask)]  # fmt: skip


def read(**changes: Any) -> SynapseCell:
    return read_cell(TABLE | changes, TEMPLATES / "set.toml")


@cache
def measured(engine: str, v0: float = 0.25) -> SynapseCell:
    with open_runner(find_engine(engine), Execution()) as runner:
        return measure_cell(read(parameters={"v0": v0}), ENDS, runner)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"terminals": ["word"]}, ConfigError, "names 1, but .subckt own_cell .* has 2"),
        ({"terminals": ["word", "word"]}, ConfigError, "must have 'word' once"),
        ({"terminals": ["word", "bit"], "supplies": {"vdd": 1.0}}, ConfigError, "'vdd', but no"),
        ({"parameters": {"v1": 1.0}}, ConfigError, "parameters.v1 is no parameter"),
        ({"parameters": {"conductance": 1e-6}}, ConfigError, "stands not in cell.parameters"),
        ({"range": [0.1, 0.3]}, ConfigError, r"\[0.1, 0.3\] V must hold 0 V"),
        ({"reach": 1}, DataError, "'reach', which means nothing"),
    ],
)
def test_a_table_that_is_wrong_is_refused(
    changes: dict[str, Any], error: type[MemspiceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        read(**changes)


@pytest.mark.parametrize("engine", ENGINES)
def test_measured_curves_are_those_of_the_law(engine: str) -> None:
    """Within what is allowed between the points of the table."""
    cell, law = measured(engine), LoneCell(curve=SinhCell(voltage_scale=0.25))
    cells, volts = np.geomspace(*ENDS, 9)[:, None], np.linspace(-0.3, 0.3, 50)
    zero = np.zeros_like(volts)
    found = cell.current((volts, zero), [], zero, cells)
    np.testing.assert_allclose(found, law.curve.current(volts, cells), rtol=MOST)
    assert not cell.ohmic
    np.testing.assert_allclose(
        cell.read_conductance(cells, 0.2), law.read_conductance(cells, 0.2), rtol=MOST
    )


@pytest.mark.ngspice
def test_a_cell_that_is_straight_counts_as_a_resistor() -> None:
    """Within a thousandth: at 0.3 V, ``(0.3 / v0)^2 / 6``."""
    cells = np.geomspace(*ENDS, 5)
    straight = measured("ngspice", 10.0)
    assert straight.ohmic
    assert (straight.read_conductance(cells, 0.1) == cells).all()
    assert not measured("ngspice", 2.0).ohmic


@pytest.mark.ngspice
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Bcell", "Cslow word bit 1u\nBcell", "differs by its history: by .*% at .* V"),
        (
            "/({v0}))\n",
            "/({v0}))*(1+0.1*sin(200*v(word)))\n",
            "own_cell (bends so much|differs by its).*: by .*% at .* V",
        ),
    ],
)
def test_a_circuit_that_is_no_curve_is_refused_with_the_number(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = (TEMPLATES / "own_cell.lib").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "own_cell.lib").write_text(text.replace(old, new), encoding="utf-8")
    table = {name: value for name, value in TABLE.items() if name != "veriloga"}
    cell = read_cell(table, tmp_path / "set.toml")
    with (
        open_runner(find_engine("ngspice"), Execution()) as runner,
        pytest.raises(ConfigError, match=message),
    ):
        measure_cell(cell, ENDS, runner)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_full_deck_has_the_circuit_at_every_crossing(engine: str) -> None:
    """Its energies from the measured curves add up, and are those of the package's sinh cell."""
    simulator, found = find_engine(engine), []
    plain = small_layer()
    for cell in (LoneCell(curve=SinhCell(voltage_scale=0.25)), measured(engine)):
        layer = replace(plain, array=plain.array.model_copy(update={"cell": cell}))
        stimulus = near_stimulus(plain)
        netlist = simulator.write(layer_deck(layer, stimulus, ARRAYS["full"]))
        waves = simulator.run(
            netlist,
            Transient(
                stimulus.cycles * layer.schedule.cycle, layer.timing.longest_step, from_rest=True
            ),
            save=saved_signals(layer, ARRAYS["full"]),
            options=solver_options(layer.timing),
        )
        power = layer_power(layer, stimulus, ARRAYS["full"], waves)
        balance = energy_balance(power, layer.schedule, stimulus.cycles)
        found.append((event_values(layer, stimulus, waves)["drive"], balance))
    (drive, known), (own_drive, own) = found
    np.testing.assert_allclose(own_drive, drive, atol=1e-4)
    assert own.closure < 1e-3
    crossbar = [balance.components["crossbar"].sum() for balance in (known, own)]
    assert crossbar[1] == pytest.approx(crossbar[0], rel=MOST)
    assert "own_cell" in netlist


@pytest.mark.ngspice
def test_a_set_names_its_cell(tmp_path: Path) -> None:
    for name in ("own_cell.lib", "own_cell.va"):
        shutil.copy(TEMPLATES / name, tmp_path)
    text = resource_path("fast-memristor.toml").read_text(encoding="utf-8")
    text += '\n[cell]\nsubcircuit = "own_cell.lib"\nterminals = ["word", "bit"]\n'
    text += 'range = [-0.2, 0.2]\nlabel = "A"\nsource = "a template"\n'
    (tmp_path / "my.toml").write_text(text, encoding="utf-8")
    cell = load_parameter_set(str(tmp_path / "my.toml")).array.cell
    assert cell.unmeasured is not None
    with pytest.raises(ConfigError, match="own_cell is not measured yet"):
        cell.read_conductance(1e-6, 0.1)
    chip = ms.Chip("digits-mlp", ms.load_device(str(tmp_path / "my.toml"), "behavioural"))
    assert chip.mapped.parameter_set.array.cell.unmeasured is None
    with pytest.raises(ConfigError, match=r"cells carry up to 0.02\d? more or less current"):
        chip["dense1"].simulate(ms.load_images("digits", "test")[:1], fidelity="surrogate")
