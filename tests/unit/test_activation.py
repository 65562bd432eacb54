"""The activation fitted to simulated hazard integrals, and the files of it that training reads."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from memspice.analysis.statistics import compare_counts
from memspice.analysis.transfer import (
    Station,
    drive_voltages,
    hazard_integral,
    transfer_point,
)
from memspice.cli.characterize import characterize_command
from memspice.devices.activation import Activation
from memspice.engines.base import EngineInfo
from memspice.errors import ConfigError, DataError
from memspice.experiment.results.characterization import Characterization
from memspice.parameters import PARAMETER_SETS, load_parameter_set, load_table
from memspice.resources import resource_path

SETS = pytest.mark.parametrize("name", PARAMETER_SETS)


def simulated(name: str, slope: float = 1.0, offset: float = 0.0) -> Characterization:
    """Characterization by an engine for which ``ln H = slope * z + offset`` of the law's z."""
    values = load_parameter_set(name)
    points = []
    for voltage in drive_voltages(values, 9):
        hazard = hazard_integral(values, voltage) ** slope * math.exp(offset)
        draws = np.ones(4)
        events = (draws, np.full(4, hazard >= 1), np.full(4, hazard), np.zeros(3))
        points.append(transfer_point(Station(values, float(voltage)), *events))
    points = [replace(point, rail=k in (0, 10)) for k, point in enumerate(points)]
    return Characterization(
        values,
        EngineInfo("still", "1", "/somewhere/still", osdi=False, klu=False),
        3,
        tuple(points),
        compare_counts([1], [2], [0.5]),
        0.0,
        1.0,
    )


@SETS
@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (0.8, -0.4)])
def test_fit_finds_what_the_engine_simulates_whatever_the_law_says(
    name: str, slope: float, offset: float
) -> None:
    values, found = load_parameter_set(name), simulated(name, slope, offset).activation()
    law, timing = values.neuron.device.hazard, values.timing
    fraction = values.neuron.write_fraction
    scale = law.voltage_scale / fraction
    unit = law.unit_voltage(timing.write, timing.edge) / fraction
    # Edges of 1 % of the pulse bend the law's line by 1e-3 of ln H.
    assert found.drive_scale == pytest.approx(scale / slope, rel=2e-3)
    assert found.unit_drive == pytest.approx(unit - offset / slope * scale, abs=2e-3 * scale)
    assert found.error < 1e-3


def test_rails_are_no_part_of_the_fit() -> None:
    result = simulated("fast-memristor")
    points = [replace(p, hazard_spice=7.0) if p.rail else p for p in result.points]
    assert replace(result, points=tuple(points)).activation() == result.activation()


@pytest.mark.parametrize("wrong", [0.0, math.nan, 50.0])
def test_hazard_that_does_not_grow_is_refused(wrong: float) -> None:
    result = simulated("sot-mtj")
    points = list(result.points)
    points[1] = replace(points[1], hazard_spice=wrong)
    with pytest.raises(DataError, match=r"sot-mtj: the simulated hazard integrals of .* do not"):
        replace(result, points=tuple(points)).activation()


@SETS
def test_committed_activation_is_that_of_its_set(name: str) -> None:
    """Simulated with driver and edges, it still lies within 1 % of V0 of the closed form."""
    committed = load_table(f"activation-{name}", "activation", Activation)
    closed = simulated(name).activation()
    scale = closed.drive_scale
    assert committed.values.drive_scale == pytest.approx(scale, rel=0.01)
    assert committed.values.unit_drive == pytest.approx(closed.unit_drive, abs=0.01 * scale)
    assert 0 < committed.values.error < 1e-3
    assert all("ngspice" in value.source for value in committed.provenance)


def test_text_reads_back(tmp_path: Path) -> None:
    result = simulated("ag-asi", 0.9, 0.2)
    path = tmp_path / "fit.toml"
    path.write_text(result.activation_toml(), encoding="utf-8")
    found = load_table(str(path.with_suffix("")), "activation", Activation)
    for name, value in result.activation().model_dump().items():
        assert getattr(found.values, name) == pytest.approx(value, rel=1e-5)
    assert "9 drives, 36 write pulses, seed 3" in found.provenance[0].source


@pytest.mark.ngspice
def test_command_makes_the_committed_file_again(tmp_path: Path) -> None:
    """Fewer events, and another version of the engine: 1e-3 is ten times its tolerance."""
    path = tmp_path / "new" / "fit.toml"
    options = ["--device", "sot-mtj", "--events", "1", "--parents", "--fit", str(path)]
    outcome = CliRunner().invoke(characterize_command, options)
    assert outcome.exit_code == 0, outcome.output
    assert str(path) in outcome.output.replace("\n", "")
    found, kept = (
        load_table(str(place.with_suffix("")), "activation", Activation).values
        for place in (path, resource_path("activation-sot-mtj.toml"))
    )
    assert found.drive_scale == pytest.approx(kept.drive_scale, rel=1e-3)
    assert found.unit_drive == pytest.approx(kept.unit_drive, abs=1e-3 * kept.drive_scale)


@pytest.mark.ngspice
def test_fit_replaces_no_parameter_set(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(resource_path("sot-mtj.toml").read_text())
    before = own.read_text()
    options = ["--device", str(own), "--events", "1", "--fit", str(own)]
    outcome = CliRunner().invoke(characterize_command, options)
    assert isinstance(outcome.exception, ConfigError)
    assert own.read_text() == before
