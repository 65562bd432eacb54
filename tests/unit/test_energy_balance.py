"""Energies from powers whose integrals are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memspice.analysis.energy import energy_balance
from memspice.circuits.energy_model import COMPONENTS
from memspice.circuits.power import LayerPower
from memspice.circuits.signals import delivered_between, energy_between
from memspice.circuits.timing import Schedule, schedule
from memspice.parameters import load_parameter_set

CYCLES = 3


@pytest.fixture
def phases() -> Schedule:
    return schedule(load_parameter_set("fast-memristor").timing)


def constant_power(phases: Schedule, points: int = 4001) -> LayerPower:
    """Constant powers on uneven time points, and no change of stored energy."""
    stop = CYCLES * phases.cycle
    # Denser at the start, as a solver's points are uneven too.
    time = stop * np.linspace(0, 1, points) ** 1.5
    ones = np.ones(points)
    return LayerPower(
        time=time,
        delivered=31.0 * ones,
        driver=1.0 * ones,
        crossbar=2.0 * ones,
        sense=np.stack([3.0 * ones, 4.0 * ones]),
        neuron=np.stack([5.0 * ones, 6.0 * ones]),
        logic=np.stack([7.0 * ones, 3.0 * ones]),
        stored=np.zeros(points),
    )


def test_constant_powers_give_power_times_time(phases: Schedule) -> None:
    balance = energy_balance(constant_power(phases), phases, CYCLES)
    assert tuple(balance.components) == COMPONENTS
    for name, watts in (("driver", 1.0), ("crossbar", 2.0), ("sense", 7.0), ("logic", 10.0)):
        np.testing.assert_allclose(balance.components[name], np.full(CYCLES, watts * phases.cycle))
    assert balance.dissipated == pytest.approx(31.0 * CYCLES * phases.cycle)
    assert balance.delivered == pytest.approx(31.0 * CYCLES * phases.cycle)
    assert balance.closure < 1e-10


def test_neurons_are_told_apart_by_phase(phases: Schedule) -> None:
    components = energy_balance(constant_power(phases), phases, CYCLES).components
    lengths = np.diff([0.0, *phases.phase_ends])
    names = ("neuron_write", "neuron_read", "neuron_reset")
    for name, length in zip(names, lengths, strict=True):
        np.testing.assert_allclose(components[name], np.full(CYCLES, 11.0 * length))


@pytest.mark.parametrize("phase", [0, 1, 2])
def test_a_burst_is_found_in_its_phase_and_cycle(phases: Schedule, phase: int) -> None:
    power = constant_power(phases, 20001)
    limits = [0.0, *phases.phase_ends]
    middle = phases.cycle + (limits[phase] + limits[phase + 1]) / 2
    width = (limits[phase + 1] - limits[phase]) / 4
    burst = np.clip(1 - np.abs(power.time - middle) / width, 0, None)
    neuron = np.stack([burst, np.zeros_like(burst)])
    components = energy_balance(replace(power, neuron=neuron), phases, CYCLES).components
    for number, name in enumerate(("neuron_write", "neuron_read", "neuron_reset")):
        expected = [0.0, width if number == phase else 0.0, 0.0]
        np.testing.assert_allclose(components[name], expected, atol=1e-3 * width)


def test_linear_power_is_integrated_exactly_on_any_points(phases: Schedule) -> None:
    for points in (50, 5000):
        power = constant_power(phases, points)
        balance = energy_balance(replace(power, driver=power.time), phases, CYCLES)
        stop = CYCLES * phases.cycle
        assert balance.components["driver"].sum() == pytest.approx(stop**2 / 2, rel=1e-12)


def test_closure_finds_what_is_missing(phases: Schedule) -> None:
    power = constant_power(phases)
    lost = energy_balance(replace(power, delivered=1.25 * power.delivered), phases, CYCLES)
    assert lost.closure == pytest.approx(0.2)
    gained = energy_balance(replace(power, delivered=0.8 * power.delivered), phases, CYCLES)
    assert gained.closure == pytest.approx(0.25)


def test_stored_energy_is_no_loss(phases: Schedule) -> None:
    power = constant_power(phases)
    stop = CYCLES * phases.cycle
    # A tenth of what is delivered stays on capacitors, which start charged.
    stored = 5.0 + 3.1 * power.time
    charging = replace(power, delivered=power.delivered + 3.1, stored=stored)
    balance = energy_balance(charging, phases, CYCLES)
    assert balance.stored == pytest.approx(3.1 * stop)
    assert balance.closure < 1e-10


def test_what_a_source_delivers_does_not_come_back_and_a_swinging_current_is_its_mean() -> None:
    time, limits = np.arange(9.0), np.array([0.0, 8.0])
    power = np.array([1.0, 1.0, 1.0, 1.0, 0.0, -1.0, -1.0, -1.0, -1.0])
    assert energy_between(time, power, limits) == pytest.approx([0.0])
    assert delivered_between(time, power, limits) == pytest.approx([3.5])
    # the trapezoidal rule's ringing about 0.5 W moves no charge
    ringing = 0.5 + 2 * (-1.0) ** np.arange(9)
    assert delivered_between(time, ringing, limits) == pytest.approx([4.0])
