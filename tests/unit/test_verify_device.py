"""``verify --device``: the same at steps of 1 to 8 times and on every engine, or a reason."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from memspice.analysis.neuron_curve import NeuronCycles
from memspice.cli.main import cli
from memspice.errors import ConfigError, EngineError
from memspice.resources import resource_path
from memspice.verification.own_device import STEPS, DeviceRun, DeviceVerification

HAZARD = np.array([0.5, 2.0])


def run_of(engine: str, *, hazard: float = 1.0, energy: float = 1.0, spikes: int = 0) -> DeviceRun:
    """A run that is as it should be, or off by factors, or with so many wrong spikes."""
    spike = np.repeat([[True], [False], [False]], 2, axis=1)
    spike.flat[:spikes] ^= True
    cycles = NeuronCycles(
        hazard=hazard * np.repeat(HAZARD[None], 3, axis=0),
        spike=spike,
        grown=np.zeros((3, 2)),
        level=np.zeros((3, 2)),
        energy=energy * np.full((3, 2, 3), 1e-15),
    )
    return DeviceRun(engine, 1e-9, cycles, 0.1)


def verified(*runs: DeviceRun) -> DeviceVerification:
    return DeviceVerification("mine", np.array([1.0, 1.2]), HAZARD, runs, {"vacask": "is not here"})


def test_a_device_that_does_the_same_everywhere_holds() -> None:
    found = verified(run_of("ngspice"), run_of("ngspice", hazard=1.004, energy=0.996))
    found.check()
    assert found.verdict.startswith("yes: the same at steps of 1 to 8 times on ngspice; hazard")
    assert "0.40%" in found.verdict
    assert found.as_json()["holds"] is True
    assert "vacask: is not here" in found.text()


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (run_of("vacask", hazard=1.006), r"vacask at steps of 1.00 ns: .* 0.60% off .* capacitor"),
        (run_of("vacask", energy=1.011), r"the energy is 1.10% off that of ngspice"),
        (run_of("vacask", spikes=1), r"1 of 6 spikes are not what the draws say"),
        (run_of("vacask", hazard=np.nan), r"a hazard integral is nan% off"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_with_the_number(run: DeviceRun, message: str) -> None:
    found = verified(run_of("ngspice"), run)
    with pytest.raises(EngineError, match=message):
        found.check()
    assert found.verdict.startswith("no: ")
    assert found.as_json()["holds"] is False


def test_no_engine_is_no_verdict() -> None:
    with pytest.raises(EngineError, match=r"no engine can run the device:\nvacask: is not here"):
        verified().check()


def copied(folder: Path, **changes: str) -> Path:
    """Template as a subcircuit alone, with words of it exchanged, measured at few points."""
    template = resource_path("templates", "own_neuron.toml")
    shutil.copy(template.with_name("own_neuron.va"), folder)
    text = template.with_name("own_neuron.lib").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "own_neuron.lib").write_text(text, encoding="utf-8")
    table = template.read_text(encoding="utf-8").replace("points = 17", "points = 5")
    table = table.replace('veriloga = "own_neuron.va"', "")
    (folder / "own.toml").write_text(table, encoding="utf-8")
    return folder / "own.toml"


@pytest.mark.ngspice
def test_the_command_runs_the_template_at_all_steps(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli, ["verify", "--device", str(copied(tmp_path)), "--engine", "ngspice", "--json"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    steps = [run["step_second"] for run in found["runs"]]
    assert steps == pytest.approx([steps[0] * factor for factor in STEPS])
    assert found["holds"]
    assert all(run["spikes"] == 5 for run in found["runs"])


@pytest.mark.vacask
@pytest.mark.ngspice
def test_an_engine_that_cannot_run_the_circuit_is_named(tmp_path: Path) -> None:
    """A subcircuit with behavioural sources has no counterpart in VACASK."""
    path = str(copied(tmp_path))
    result = CliRunner().invoke(cli, ["verify", "--device", path, "--engine", "vacask", "--json"])
    assert isinstance(result.exception, EngineError)
    assert "own_neuron.lib has no counterpart in VACASK" in str(result.exception)


@pytest.mark.ngspice
def test_a_state_that_no_tolerance_sees_is_told_by_its_steps(tmp_path: Path) -> None:
    """A hazard that sways at 0.9 GHz, its integral 1e-21 C a pulse: far below what solvers mind."""
    changes = {
        "{1u*pulse}": "{1e-21*pulse}",
        "({1u*pulse/tau0})*exp(": "({1e-21*pulse/tau0})*(1+0.9*sin(5.65e9*time))*exp(",
        "({1m})*v(hazard)": "1e-18*v(hazard)",
        "Rh hazard vss 1e12": "* ",
    }
    path = copied(tmp_path, **changes)
    result = CliRunner().invoke(cli, ["verify", "--device", str(path), "--engine", "ngspice"])
    assert isinstance(result.exception, EngineError | ConfigError)
    assert re.search(r"hazard integral .*\d%", str(result.exception))


def test_a_page_is_for_the_decks_of_all_engines(tmp_path: Path) -> None:
    words = ["verify", "--device", "sot-mtj", "--page", str(tmp_path / "page.md")]
    result = CliRunner().invoke(cli, words)
    assert isinstance(result.exception, ConfigError)
    assert "--page is for the decks of all engines" in str(result.exception)
