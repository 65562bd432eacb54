"""Points of the surfaces that come with memspice, simulated again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.surfaces import shipped_stages
from memspice.analysis.shipped_surfaces import shipped_surface
from memspice.circuits.sense_bench import (
    SenseBench,
    sense_bench_cycles,
)
from tests.sense_helpers import UA, bench_waves

pytestmark = [pytest.mark.ngspice, pytest.mark.slow]

#: Currents and conductances of both lines, between nodes: a drive a row pulse, or of eight.
POINTS = {
    "sense_copier_driven": ([(3.3, 3.0), (3.3, 3.0), (6.1, 6.6), (6.1, 6.6)], (150e-6, 150e-6)),
    "sense_burst_driven": ([(4.4, 4.9), (11.0, 10.3)], (240e-6, 240e-6)),
}


@pytest.mark.parametrize("name", POINTS)
def test_a_shipped_surface_is_that_of_the_circuit(name: str) -> None:
    stage, conditions = {stage.subcircuit: (stage, own) for stage, own in shipped_stages()}[name]
    surface = shipped_surface(stage, conditions)
    assert surface is not None
    points, lines = np.array(POINTS[name][0]) * UA, POINTS[name][1]
    bench = SenseBench(stage, conditions.cycle, conditions.write, points, lines)
    found = sense_bench_cycles(bench, conditions.voltage_scale, bench_waves("ngspice", bench))
    counted = slice(-1, None) if stage.pulses > 1 else slice(1, None, 2)
    said = surface.values(points, np.array(lines))[counted]
    # what a surface may be off: 1 % of the hazard
    assert found.drive[counted] == pytest.approx(
        said[:, 0], abs=0.01 * abs(conditions.voltage_scale)
    )
    assert found.absorbed[counted] == pytest.approx(said[:, 1], rel=0.01)
    # and a circuit of another capacitor is not
    other = replace(stage, parameters={**stage.parameters, "ch": 55e-15})
    assert shipped_surface(other, conditions) is None
