"""SPICE at measured points, and hazard integrals that no ratio tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from memspice.analysis.transfer import RESOLVED
from memspice.errors import ConfigError, DataError
from memspice.experiment.characterize import characterize
from memspice.experiment.device import load_device
from memspice.plot.measured_plot import draw_measured

#: Pulses of two lengths on the device of `sot-mtj-measured`; the last drive is beyond its rails.
POINTS = """device,voltage,pulse_width,switched,trials
B,0.89,7.5e-10,12,50
B,0.92,7.5e-10,44,50
B,0.9,1.5e-9,40,50
B,2.5,7.5e-10,50,50
A,0.9,7.5e-10,1,50
"""


@pytest.fixture
def points(tmp_path: Path) -> Path:
    file = tmp_path / "points.csv"
    file.write_text(POINTS)
    return file


@pytest.mark.ngspice
def test_spice_stands_at_measured_points(points: Path) -> None:
    found = characterize("sot-mtj-measured", points=points, where={"device": "B"}, events=48)
    assert [(point.pulse, point.measured.n) for point in found.points if point.measured] == [
        (7.5e-10, 50), (7.5e-10, 50), (1.5e-9, 50)
    ]  # fmt: skip
    law = found.parameter_set.neuron.device.hazard
    for point, voltage in zip(found.points, (0.89, 0.92, 0.9), strict=True):
        edge = found.parameter_set.timing.edge
        chance = law.switching_probability(voltage, point.pulse, edge)
        assert point.expected == pytest.approx(float(chance), rel=1e-9)
        assert point.hazard_spice == pytest.approx(point.hazard, rel=5e-3)
        assert point.mismatches == 0
    assert found.measured is not None
    assert found.measured.degrees == 3
    text = repr(found)
    assert max(map(len, text.splitlines())) <= 80
    assert "1 of 4 measured points lie beyond the rails" in text
    assert "the set's law is not rejected" in text
    assert found.as_json()["measured_source"].startswith("measured: points.csv, device B, 4 points")
    (upper, lower) = draw_measured(found).axes
    assert "750 ps" in upper.get_ylabel()
    assert "1.50 ns" in lower.get_ylabel()
    with pytest.raises(DataError, match="not at measured points"):
        found.activation()


def test_points_that_are_none_of_pulses_are_refused(points: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has points of 2 values of device"):
        characterize("sot-mtj-measured", points=points)
    device = load_device("sot-mtj-measured").change(write_high=0.1)
    with pytest.raises(ConfigError, match="no measured point lies between its rails"):
        characterize(device, points=points, where={"device": "B"})
    with pytest.raises(ConfigError, match="choose among measured points"):
        characterize("sot-mtj", points=3, where={"device": "B"})
    times = tmp_path / "times.csv"
    times.write_text("voltage,switching_time\n0.9,1e-9\n0.95,2e-10\n1.0,1e-10\n")
    with pytest.raises(ConfigError, match="times of switching, and neurons are written with"):
        characterize("sot-mtj-measured", points=times)


@pytest.mark.ngspice
def test_hazard_at_a_rail_is_told_by_what_it_changes() -> None:
    """At 0 V the integral of ag-asi is 3.5e-9: no solver resolves it, and no draw tells."""
    found = characterize("ag-asi", points=2, events=16)
    low, *_, high = found.points
    assert low.hazard < RESOLVED[0] < high.hazard
    assert not low.resolved
    assert abs(low.probability_change) < 1e-6
    line = next(line for line in repr(found).splitlines() if line.endswith("rail"))
    assert "H 4e-09" in line
    assert "%" not in line
    assert "SPICE changes P by" in " ".join(repr(found).split())
    assert found.worst_probability_change == pytest.approx(abs(low.probability_change))
