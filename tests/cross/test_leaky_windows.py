"""Windows of a leaky average: SPICE shares charge from cycle to cycle as the closed form says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from memspice.circuits.closed_form_limits import droop
from memspice.errors import ConfigError
from memspice.network.mapping import MappedLayer, map_network
from memspice.parameters import load_parameter_set
from memspice.windows.agreement import judge
from memspice.windows.surrogate import surrogate_events
from tests.cross.test_burst_windows import CYCLES, DRIVE, TINY, job_of, run
from tests.loop_helpers import make_network
from tests.settings import Setting
from tests.tables import EVERY_ENGINE, KINDS

SHARE = 0.25


@cache
def layer_of(device: str, number: int = 0, share: float = SHARE, droop: float = 0) -> MappedLayer:
    values = load_parameter_set(device, {"sense.charge_share": share, "sense.droop": droop})
    return map_network(make_network(TINY), values).layers[number]


def expect_closed_form(layer: MappedLayer, fidelity: str, engine: str) -> None:
    """Spikes without exception, drives, energies of all components, closure."""
    job = job_of(layer, 1, fidelity=fidelity, engine=engine)
    found, expected = run(job), surrogate_events(job)
    if layer.spiking:
        assert 0 < found.spikes.sum() < found.spikes.size
        np.testing.assert_array_equal(found.spikes, expected["hazard"] >= found.thresholds)
    verdict = judge(job, found)
    assert verdict.doubts == []
    assert verdict.drive_deviation < DRIVE
    assert verdict.closure is not None
    assert verdict.closure < 1e-3


@EVERY_ENGINE
@pytest.mark.parametrize("device", KINDS)
def test_windows_follow_the_closed_form(device: str, engine: str) -> None:
    expect_closed_form(layer_of(device), "reduced", engine)


@pytest.mark.ngspice
def test_every_cell_of_a_leaky_average() -> None:
    expect_closed_form(layer_of("fast-memristor"), "full", "ngspice")


@EVERY_ENGINE
def test_a_pulse_is_forgotten_by_the_same_part_in_every_cycle(engine: str) -> None:
    """A row that carried one spike, and nothing since; one in the first cycle counts in full."""
    layer = layer_of("fast-memristor", 1)
    moved = []
    for first in (None, 0, 2):
        inputs = np.zeros((CYCLES, layer.fan_in))
        if first is not None:
            inputs[first, 0] = 1.0
        moved.append(run(job_of(layer, 1, inputs, engine=engine)).drive)
    rest, at_once, later = moved
    alone = run(job_of(layer_of("fast-memristor", 1, 1.0), 1, inputs[2:3], engine=engine)).drive[0]
    pulse = alone - rest[0]
    kept = (1 - SHARE) ** np.arange(CYCLES)[:, None]
    scale = DRIVE * np.abs(pulse).max()
    np.testing.assert_allclose(at_once - rest, pulse * kept, atol=scale)
    np.testing.assert_allclose((later - rest)[:2], 0, atol=scale)
    np.testing.assert_allclose((later - rest)[2:], SHARE * pulse * kept[:-2], atol=scale)


def test_what_is_held_longer_than_it_is_remembered_is_refused() -> None:
    """Four cycles at a share of a quarter: as a burst of four."""
    layers = [layer_of("fast-memristor", share=share, droop=1e4) for share in (SHARE, 1.0)]
    leaky, plain = (layer.circuits[0] for layer in layers)
    assert droop(leaky, 1) == pytest.approx(droop(plain, 4), rel=1e-12)
    assert droop(plain, 1) == 0.0
    job = job_of(layer_of("fast-memristor", droop=1e6), 1, fidelity="surrogate")
    with pytest.raises(ConfigError, match="lose so much of a held drive"):
        job.fidelity.run(job)


@pytest.mark.ngspice
def test_a_network_out_of_spice_answers_with_what_it_holds_last() -> None:
    """All spikes of both layers; answers are those of the loop, where no spike differs."""
    one = Setting("digits-mlp", images=1, cycles=3, changes={"sense.charge_share": SHARE})
    spice, loop = one.chip.simulate(one.pictures, cycles=3), one.run()
    assert spice.verdict is not None
    assert spice.verdict.holds
    assert spice.verdict.pathwise.mismatches == 0
    assert spice.spike_rate["dense1"] == pytest.approx(loop.spike_rate["dense1"], rel=1e-12)
    np.testing.assert_array_equal(spice.answers_at[3], loop.answers_at[3])
    times = {record.time[-1] for record in spice.records}
    cycle = one.chip.mapped.layers[0].circuits[0].schedule.cycle
    assert max(times) == pytest.approx(4 * cycle)  # a cycle from the last pulse to its write
