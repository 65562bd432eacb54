"""Windows in bursts: SPICE integrates, holds and writes as the closed form says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from memspice.circuits.blocks.sense import SenseStage
from memspice.circuits.closed_form_limits import LATE, droop
from memspice.circuits.energy_model import COMPONENTS
from memspice.circuits.layer import LayerCircuit
from memspice.errors import ConfigError
from memspice.network.architecture import Architecture, Dense
from memspice.network.inference import Window
from memspice.network.mapping import MappedLayer, map_network
from memspice.parameters import load_parameter_set
from memspice.windows.agreement import judge
from memspice.windows.fidelities import open_fidelity
from memspice.windows.fidelity import WindowJob, window_jobs
from memspice.windows.outcome import Outcome, outcome
from memspice.windows.surrogate import surrogate_events
from tests.loop_helpers import make_network
from tests.tables import EVERY_ENGINE, KINDS

CYCLES = 8
#: Eight inputs, two neurons, two scores.
TINY = Architecture("tiny", (1, 2, 4), (Dense(2), Dense(2)))
#: Of a drive, relative to the largest: edges of the samples, in steps of the solver's own.
DRIVE = 2e-4


@cache
def layer_of(device: str, number: int = 0) -> MappedLayer:
    return map_network(make_network(TINY), load_parameter_set(device)).layers[number]


def patterns(layer: MappedLayer, cycles: int = CYCLES) -> np.ndarray:
    """Spikes of all inputs, cycle by cycle: no two bursts alike."""
    return (np.random.default_rng(3).random((cycles, layer.fan_in)) < 0.5).astype(float)


def job_of(
    layer: MappedLayer,
    burst: int,
    inputs: np.ndarray | None = None,
    fidelity: str = "reduced",
    engine: str = "ngspice",
) -> WindowJob:
    given = patterns(layer) if inputs is None else inputs
    window = Window(layer.name, 0, 0)
    (job,) = window_jobs(layer, window, given, open_fidelity(fidelity, engine), seed=0, burst=burst)
    return job


def run(job: WindowJob) -> Outcome:
    return outcome(job.fidelity.run(job))


def expect_closed_form(job: WindowJob) -> None:
    """Spikes without exception, drives, energies of all components, closure."""
    found, expected = run(job), surrogate_events(job)
    np.testing.assert_array_equal(found.spikes, expected["hazard"] >= found.thresholds)
    verdict = judge(job, found)
    assert verdict.doubts == []
    assert verdict.drive_deviation < DRIVE
    assert verdict.closure is not None
    assert verdict.closure < 1e-3


@EVERY_ENGINE
@pytest.mark.parametrize("burst", [1, 4, 8])
@pytest.mark.parametrize("device", KINDS)
def test_windows_follow_the_closed_form(device: str, burst: int, engine: str) -> None:
    job = job_of(layer_of(device), burst, engine=engine)
    fired = surrogate_events(job)["hazard"] >= job.stimulus().thresholds
    assert 0 < fired.sum() < fired.size
    expect_closed_form(job)


@pytest.mark.ngspice
def test_every_cell_of_a_burst() -> None:
    expect_closed_form(job_of(layer_of("fast-memristor"), 4, fidelity="full"))


@EVERY_ENGINE
def test_scores_are_integrated_too(engine: str) -> None:
    expect_closed_form(job_of(layer_of("fast-memristor", 1), 4, engine=engine))


@pytest.mark.ngspice
def test_the_order_of_the_pulses_does_not_matter() -> None:
    """Addition commutes; between bursts nothing is left on a capacitor."""
    layer = layer_of("fast-memristor", 1)
    one = run(job_of(layer, 4)).drive
    swapped = patterns(layer)[[3, 1, 0, 2, 6, 7, 5, 4]]
    scale = np.abs(one).max()
    np.testing.assert_allclose(run(job_of(layer, 4, swapped)).drive, one, atol=DRIVE * scale)
    second = run(job_of(layer, 4, patterns(layer)[4:])).drive
    np.testing.assert_allclose(second, one[4:], atol=DRIVE * scale)
    assert np.abs(one[0] - one[4]).max() > 100 * DRIVE * scale


@pytest.mark.ngspice
def test_a_pulse_adds_its_part_whatever_the_burst() -> None:
    """One spike in K pulses moves the drive by the K-th part of what it moves in every one."""
    layer = layer_of("fast-memristor", 1)
    moved = []
    for pulses in (0, 1, 4):
        inputs = np.zeros((4, layer.fan_in))
        inputs[:pulses, 0] = 1.0
        moved.append(run(job_of(layer, 4, inputs)).drive[0])
    rest, once, always = moved
    np.testing.assert_allclose(once - rest, (always - rest) / 4, rtol=1e-3)
    alone = run(job_of(layer, 1, np.ones((1, 1)) * (np.arange(layer.fan_in) == 0))).drive[0]
    np.testing.assert_allclose(always, alone, atol=DRIVE * np.abs(alone).max())


# --- what holding takes, and what it may lose -------------------------------------------------


def with_droop(device: str, droop: float, number: int = 0) -> MappedLayer:
    values = load_parameter_set(device, {"sense.droop": droop})
    return map_network(make_network(TINY), values).layers[number]


@EVERY_ENGINE
def test_a_held_drive_decays_with_its_droop(engine: str) -> None:
    """Exponentially from the transfer on, towards the bias; its order of size cycle by cycle."""
    layer = layer_of("fast-memristor", 1)
    circuit = layer.circuits[0]
    schedule, rate = circuit.schedule, 0.02 / circuit.schedule.cycle
    job = job_of(with_droop("fast-memristor", rate, 1), 8, engine=engine)
    found, full = run(job).drive, surrogate_events(job)["drive"]
    held, whole = found - circuit.output_bias, full - circuit.output_bias
    # From the end of the transfer, in the cycle before the first write, to the middle of a write.
    waited = schedule.cycle - schedule.read.stop + schedule.write.middle
    times = waited + np.arange(8)[:, None] * schedule.cycle
    np.testing.assert_allclose(held, whole * np.exp(-rate * times), rtol=2e-3)


def test_a_droop_that_counts_has_no_closed_form() -> None:
    circuit = layer_of("fast-memristor").circuits[0]
    small, large = 1e-5 / circuit.schedule.cycle, 1e-2 / circuit.schedule.cycle
    for rate, refused in ((small, False), (large, True)):
        layer = with_droop("fast-memristor", rate)
        off = droop(layer.circuits[0], 8)
        # To first order: the rate times the time, times the reach of a drive in units of V0.
        reach = max(abs(v - circuit.bias_voltage) for v in circuit.write_limits)
        scale = circuit.neuron.device.hazard.voltage_scale / circuit.neuron.write_fraction
        assert off == pytest.approx(8 * rate * circuit.schedule.cycle * reach / scale, rel=0.05)
        assert (off > LATE) == refused
        inputs, window = patterns(layer), Window(layer.name, 0, 0)
        (job,) = window_jobs(layer, window, inputs, open_fidelity("surrogate"), seed=0, burst=8)
        if refused:
            with pytest.raises(ConfigError, match="lose so much of a held drive"):
                job.fidelity.run(job)
        else:
            job.fidelity.run(job)
    assert droop(layer.circuits[0], 1) == 0.0


@pytest.mark.ngspice
def test_what_a_burst_takes_more_is_what_holds_the_drive() -> None:
    """The same pattern in all pulses: the same energies, and the difference stages once more."""
    layer = layer_of("fast-memristor")
    inputs = np.tile(patterns(layer, 1), (4, 1))
    plain, burst = (run(job_of(layer, count, inputs)) for count in (1, 4))
    circuit = layer.circuits[0]
    idle = [circuit.sense.idle_energy(2, circuit.schedule, held=held) for held in (False, True)]
    np.testing.assert_array_equal(burst.spikes, plain.spikes)
    for name in COMPONENTS:
        more = 4 * (idle[1] - idle[0]) if name == "sense" else 0.0
        assert burst.energy[name] == pytest.approx(plain.energy[name] + more, rel=2e-3), name


# --- stages that cannot -----------------------------------------------------------------------


def test_a_stage_that_takes_pulses_one_by_one_refuses() -> None:
    layer: LayerCircuit = layer_of("fast-memristor").circuits[0]
    assert layer.sense.in_bursts(1, layer.schedule) is layer.sense
    with pytest.raises(ConfigError, match="burst = 4 needs a sense stage that integrates 4 row"):
        SenseStage.in_bursts(layer.sense, 4, layer.schedule)
