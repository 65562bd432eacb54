"""The bench: what it refuses, what it builds, and what a neuron does between two thresholds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from memspice.circuits.energy_model import neuron_energy
from memspice.circuits.neuron_bench import (
    BenchEvents,
    NeuronBench,
    bench_deck,
    bench_events,
    bench_signals,
)
from memspice.engines import find_engine
from memspice.engines.base import SolverOptions, Transient
from memspice.errors import ConfigError, ShapeError
from memspice.parameters import load_parameter_set
from tests.helpers import switched_set

NEVER = 1e3  # a threshold that no pulse of these tests reaches


def make_bench(
    name: str, drive: list[float], thresholds: list[list[float]] | np.ndarray
) -> NeuronBench:
    chosen = load_parameter_set(name)
    return NeuronBench(
        chosen.neuron,
        chosen.latch,
        chosen.timing,
        np.array(drive),
        np.array(thresholds, dtype=float),
    )


def simulate(bench: NeuronBench) -> BenchEvents:
    write = bench.timing.write
    engine = find_engine("ngspice")
    waveforms = engine.run(
        engine.write(bench_deck(bench)),
        Transient(stop=bench.duration, max_step=bench.timing.longest_step, from_rest=True),
        save=bench_signals(bench),
        options=SolverOptions(reltol=1e-5, chgtol=1e-7 * write),
    )
    return bench_events(bench, waveforms)


def unit_drive(bench: NeuronBench) -> float:
    """Drive [V] at which the closed-form hazard integral is one."""
    fraction = bench.neuron.write_fraction
    return bench.neuron.device.hazard.unit_voltage(bench.timing.write, bench.timing.edge) / fraction


@dataclass(frozen=True)
class Flat:
    """Signals that hold one value each."""

    time: np.ndarray
    values: dict[str, float]

    def voltage(self, node: str) -> np.ndarray:
        return np.full(self.time.shape, self.values[f"v({node})"])

    def current(self, source: str) -> np.ndarray:
        return np.full(self.time.shape, self.values[f"i({source})"])


# --- what it is built of -----------------------------------------------------------------------


def test_netlist_has_every_neuron_and_no_sense_stage() -> None:
    text = str(bench_deck(make_bench("sot-mtj", [0.7, 0.8], np.ones((3, 2)))))
    for number, voltage in enumerate(("0.7", "0.8")):
        assert f"Vdrive{number} drive{number} 0 {voltage}" in text
        assert f"Xneuron{number} drive{number} write read strobe reset clear" in text
        assert f"Vthreshold{number} " in text
    assert "Xneuron2" not in text
    assert ".subckt amplifier" not in text


@pytest.mark.parametrize(
    ("drive", "thresholds"),
    [
        ([1.0, 1.0], np.ones((2, 3))),
        ([1.0], np.ones(1)),
        ([[1.0]], np.ones((1, 1))),
        ([1.0], np.ones((0, 1))),
        ([], np.ones((2, 0))),
    ],
)
def test_arrays_that_do_not_fit_are_refused(drive: list[float], thresholds: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="must be"):
        make_bench("sot-mtj", drive, thresholds)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_threshold_that_is_no_draw_is_refused(bad: float) -> None:
    with pytest.raises(ConfigError, match=f"threshold of {bad}"):
        make_bench("sot-mtj", [1.0], [[1.0], [bad]])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_drive_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ConfigError, match="V must be finite"):
        make_bench("sot-mtj", [bad], [[1.0]])


# --- what is read from waveforms ---------------------------------------------------------------


def test_energy_is_supply_voltage_times_current_by_phase_and_of_latches_in_the_read() -> None:
    bench = make_bench("fast-memristor", [1.0], np.ones((2, 1)))
    supply = bench.neuron.driver
    values = {"v(xneuron0.h)": 0.7, "v(spike0)": 1.0, "i(vneuron_p)": -2e-6}
    values |= {"i(vneuron_n)": 1e-6, "i(vlogic)": -3e-6}
    events = bench_events(bench, Flat(np.linspace(0, bench.duration, 50), values))
    power = 2e-6 * supply.supply_positive - 1e-6 * supply.supply_negative
    expected = power * np.diff([0.0, *bench.schedule.phase_ends])
    expected[1] += 3e-6 * bench.latch.logic_voltage * bench.schedule.cycle
    np.testing.assert_allclose(events.energy, np.tile(expected, (2, 1)), rtol=1e-9)
    assert events.hazard == pytest.approx(np.full((2, 1), 0.7))
    assert events.spike.all()


# --- what ngspice makes of it ------------------------------------------------------------------


@pytest.mark.ngspice
def test_neurons_of_transistors_take_what_their_blocks_were_measured_to_take() -> None:
    """Behind a warm-up: what charges their nodes at first is more than a cycle takes."""
    chosen = load_parameter_set(switched_set())
    draws = np.full((2, 1), NEVER)
    bench = NeuronBench(chosen.neuron, chosen.latch, chosen.timing, np.array([1.0]), draws)
    assert bench.duration == pytest.approx(3 * bench.schedule.cycle)
    energy = simulate(bench).energy
    np.testing.assert_allclose(energy[0], energy[1], rtol=0.03)
    found = neuron_energy(bench, np.full((2, 1), 1.0), np.zeros((2, 1)), draws)
    written = found["neuron_write"], found["neuron_read"] + found["logic"], found["neuron_reset"]
    # a latch that does not switch takes 3 % less than the mean over decisions
    np.testing.assert_allclose(energy, np.stack(written, axis=-1), rtol=0.05)


@pytest.mark.ngspice
@pytest.mark.parametrize("name", ["ag-asi", "fast-memristor", "sot-mtj"])
def test_neuron_spikes_where_its_hazard_reaches_the_threshold(name: str) -> None:
    """Thresholds 1 % to either side decide, and a cycle leaves nothing to the next."""
    thresholds = np.array([[0.99, 1.01], [1.01, 0.99], [0.99, 0.99], [1.01, 1.01]])
    bench = make_bench(name, [1.0, 1.0], thresholds)
    bench = replace(bench, drive_voltage=np.full(2, unit_drive(bench)))
    events = simulate(bench)
    np.testing.assert_allclose(events.hazard, 1.0, rtol=2e-3)
    np.testing.assert_array_equal(events.spike, thresholds < 1)


@pytest.mark.ngspice
def test_voltage_scale_more_of_drive_multiplies_the_hazard_by_e() -> None:
    bench = make_bench("sot-mtj", [0.0, 0.0], [[NEVER, NEVER]])
    fraction = bench.neuron.write_fraction
    unit, scale = unit_drive(bench), bench.neuron.device.hazard.voltage_scale / fraction
    bench = replace(bench, drive_voltage=np.array([unit - scale, unit]))
    low, high = simulate(bench).hazard[0]
    assert high / low == pytest.approx(np.e, rel=3e-3)  # the solver's, and the edges' 1e-3


@pytest.mark.ngspice
def test_energies_of_a_cycle() -> None:
    """Undriven, only the comparator draws; only a spike pays for a write and a reset."""
    bench = make_bench("fast-memristor", [0.0], [[NEVER]])
    idle = simulate(bench).energy[0]
    latch, compare = bench.latch, bench.schedule.read.area * bench.latch.compare_current
    assert idle[1] == pytest.approx(latch.logic_voltage * compare, rel=0.01)
    assert abs(idle[[0, 2]]).max() < 1e-3 * idle[1]
    driven = replace(
        bench,
        drive_voltage=np.array([unit_drive(bench)]),
        thresholds=np.array([[0.5], [NEVER]]),
    )
    spiking, silent = simulate(driven).energy
    assert spiking.min() > 0
    assert silent.min() >= -1e-3 * idle[1]
    assert (spiking > silent).all()
    assert spiking[2] > 100 * abs(silent[2])
