"""Whole runs in bursts: a layer, a network out of SPICE, and the loop that SPICE teaches."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import memspice as ms
from memspice.circuits.bursts import answer_cycles
from memspice.errors import MemspiceError
from memspice.experiment.against_cmos import load_cmos, quiescent
from memspice.experiment.operations import converter_energy
from memspice.experiment.results.trace import NeuronWaveforms
from memspice.network.inference import Window
from memspice.windows.fidelities import open_fidelity
from memspice.windows.fidelity import window_jobs
from tests.settings import Setting

pytestmark = pytest.mark.ngspice

CYCLES, BURST = 8, 4
PLAN = ms.CosimPlan(
    spice_windows=2, spice_cycles=2, model_windows=4, full_windows=1, full_cycles=1,
    showcase_cycles=5, transfer_points=2, transfer_events=8, max_iterations=2,
)  # fmt: skip


def setting(burst: int = BURST) -> Setting:
    return Setting(network="digits-mlp", images=2, cycles=CYCLES, burst=burst, seed=1)


@cache
def cosim() -> ms.results.CosimResult:
    return setting().cosim(PLAN)


def test_windows_of_the_loop_are_whole_bursts() -> None:
    result = cosim()
    assert result.verdict.holds
    assert result.state
    assert {job.burst for job in result.state.jobs} == {BURST}
    # Two, one and five cycles were asked for.
    lengths = {(job.window.layer, len(job.inputs)) for job in result.state.jobs}
    assert lengths == {("dense1", BURST), ("dense1", 2 * BURST), ("dense2", BURST)}


def test_calibration_in_bursts_is_near_the_identity() -> None:
    for found in cosim().calibration.values():
        assert found.drive_gain == pytest.approx(1, abs=1e-3)
        assert found.drive_offset == pytest.approx(0, abs=1e-3)


def test_what_does_not_depend_on_the_signal_counts_the_burst() -> None:
    """A holding amplifier beside three; a conversion of the scores for each burst."""
    result = cosim()
    assert result.request
    assert result.state
    plain, held = (quiescent(setting(burst).request()) for burst in (1, BURST))
    assert held == pytest.approx(4 / 3 * plain, rel=1e-12)
    assert result.against_cmos.quiescent == pytest.approx(held, rel=1e-12)
    price = load_cmos().converters.values
    last = result.request.mapped.layers[-1]
    found = converter_energy(result.request, result.state, price)[last.name]
    expected = last.outputs * CYCLES // BURST * price.output_conversion
    assert found[0] == pytest.approx(expected, rel=1e-12)
    cycle = last.circuits[0].schedule.cycle
    assert result.latency == pytest.approx(cycle * answer_cycles(2, CYCLES, BURST), rel=1e-12)
    assert result.as_json()["burst"] == BURST


def test_a_network_out_of_spice_is_the_surrogate_event_by_event() -> None:
    """All spikes of both layers; scores are those of the loop where no spike differs."""
    one = replace(setting(), images=1)
    spice = one.chip.simulate(one.pictures, cycles=CYCLES, burst=BURST)
    assert spice.verdict is not None
    assert spice.verdict.holds
    assert spice.verdict.pathwise.mismatches == 0
    loop = one.run()
    assert spice.spike_rate["dense1"] == pytest.approx(loop.spike_rate["dense1"], rel=1e-12)
    np.testing.assert_array_equal(spice.answers_at[CYCLES], loop.answers_at[CYCLES])


def test_a_layer_resumes_its_own_burst_only(tmp_path: Path) -> None:
    run, one = tmp_path / "run.h5", replace(setting(), images=1, cycles=BURST)
    first = one.simulate(out=run)
    again = one.simulate(out=run, resume=True)
    assert again.verdict.holds
    assert [record.key for record in again.records] == [record.key for record in first.records]
    assert again.energy.components == first.energy.components
    with pytest.raises(MemspiceError, match=r"\"burst\": 1"):
        replace(one, burst=1).simulate(out=run, resume=True)
    layer = setting().request().mapped.layers[0]
    window, inputs = Window(layer.name, 0, 0), np.zeros((CYCLES, layer.fan_in))
    keys = {
        window_jobs(layer, window, inputs, open_fidelity("surrogate"), seed=1, burst=burst)[0].key
        for burst in (1, 2, BURST)
    }
    assert len(keys) == 3


def test_waveforms_show_the_cycles_behind_the_row_pulses() -> None:
    record = max(cosim().records, key=lambda record: int(record.attributes["cycles"]))
    neuron = next(name for name in record.signals if name.endswith(".state")).split(".")[0]
    shown = NeuronWaveforms.of(record, int(neuron.removeprefix("neuron")))
    assert shown.cycles == CYCLES
    assert shown.phases[0][1] == pytest.approx(BURST * shown.cycle_time)
    assert shown.time[-1] == pytest.approx((CYCLES + BURST) * shown.cycle_time)
    part = shown.part(1, 2)
    assert part.time[-1] <= 2 * part.cycle_time * (1 + 1e-9)
    # The hazard integral of a cycle grows in its write phase, and in no row pulse before.
    before = shown.hazard[shown.time < shown.begin]
    assert np.abs(before).max() < 1e-6
    assert shown.hazard.max() > 1e-3
