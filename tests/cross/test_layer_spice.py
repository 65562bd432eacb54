"""Whole layers in ngspice against the closed forms, and physics that only the circuit knows."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from memspice.circuits.array_circuit import Stimulus
from memspice.devices.hazard import HazardLaw
from tests.helpers import (
    HAZARD_TOLERANCE,
    Simulated,
    changed,
    hazard_integral,
    near_stimulus,
    simulate,
    small_layer,
)
from tests.tables import EVERY_FIDELITY, EVERY_SET, FIDELITIES, SETS

pytestmark = pytest.mark.ngspice

CLOSURE = 1e-4
VARIANTS = {
    "plain": {},
    "resistive": {"resistive": True},
    "zero-wires": {"wire_resistance_row": 0.0, "wire_resistance_col": 0.0},
    "zero-wires-and-drivers": {
        "wire_resistance_row": 0.0,
        "wire_resistance_col": 0.0,
        "driver_resistance": 0.0,
    },
    "long-wires": {"wire_resistance_row": 300.0, "wire_resistance_col": 500.0},
    "two-tiles": {"tiles": 2},
}
CASES = [(name, "plain") for name in SETS] + [
    ("fast-memristor", variant) for variant in VARIANTS if variant != "plain"
]
CASES += [("sot-mtj", "resistive"), ("sot-mtj", "two-tiles")]


@cache
def run(name: str, variant: str, fidelity: str) -> Simulated:
    layer = small_layer(name, **VARIANTS[variant])  # type: ignore[arg-type]
    return simulate(layer, near_stimulus(layer), fidelity)


# --- against the closed forms ---------------------------------------------------------------------


@EVERY_FIDELITY
@pytest.mark.parametrize(("name", "variant"), CASES)
def test_events_and_energy_follow_the_closed_forms(name: str, variant: str, fidelity: str) -> None:
    layer = small_layer(name, **VARIANTS[variant])  # type: ignore[arg-type]
    stimulus = near_stimulus(layer)
    found = run(name, variant, fidelity)
    drive = layer.drive_voltage(stimulus.row_voltage)
    scale = layer.neuron.device.hazard.voltage_scale
    np.testing.assert_allclose(found.drive, drive, rtol=0, atol=HAZARD_TOLERANCE * scale)
    hazard = hazard_integral(layer, stimulus.row_voltage)
    np.testing.assert_allclose(found.hazard, hazard, rtol=HAZARD_TOLERANCE)
    # The draws lie 2 % beside the integrals, on both sides.
    expected = hazard >= stimulus.thresholds
    assert 0 < expected.sum() < expected.size
    np.testing.assert_array_equal(found.spikes, expected)
    assert found.closure <= CLOSURE


@EVERY_FIDELITY
@pytest.mark.parametrize(("name", "variant"), CASES)
def test_kept_currents_settle_at_those_of_the_port_matrix(
    name: str, variant: str, fidelity: str
) -> None:
    layer = small_layer(name, **VARIANTS[variant])  # type: ignore[arg-type]
    stimulus, found = near_stimulus(layer), run(name, variant, fidelity)
    expected = layer.line_current(stimulus.row_voltage)
    settled = layer.schedule.write.stop - layer.schedule.write.edge
    instants = settled + np.arange(stimulus.cycles) * layer.schedule.cycle
    for output in range(layer.outputs):
        for column, sign in enumerate(("plus", "minus"), start=2 * output):
            current, unit = found.signals[f"neuron{output}.current_{sign}"]
            at = np.interp(instants, found.power.time, current)
            # Sense stages settle within e^-8 before the write pulse.
            np.testing.assert_allclose(at, expected[:, column], rtol=0, atol=1e-3 * expected.max())
            assert unit == "A"
        draw = found.signals[f"neuron{output}.threshold"][0]
        at = np.interp(instants, found.power.time, draw)
        np.testing.assert_array_equal(at, stimulus.thresholds[:, output])


def test_supplies_deliver_what_rows_do_not() -> None:
    layer, found = small_layer(), run("fast-memristor", "plain", "reduced")
    volts = {**layer.sense.supplies, **layer.neuron.supplies, **layer.latch.supplies}
    currents = {k.removeprefix("supply."): v for k, v in found.signals.items() if "supply" in k}
    assert set(currents) == set(volts)
    rails = sum(np.trapezoid(volts[k] * v, found.power.time) for k, (v, _) in currents.items())
    # Rows deliver what cells and drivers dissipate, less what bit lines carry on: 1 % here.
    assert 0.97 * found.delivered < rails < found.delivered


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_reduced_is_full(name: str, variant: str) -> None:
    full, reduced = (run(name, variant, fidelity) for fidelity in FIDELITIES)
    np.testing.assert_allclose(full.drive, reduced.drive, rtol=1e-6)
    np.testing.assert_allclose(full.hazard, reduced.hazard, rtol=1e-4)
    for part in ("driver", "crossbar", "sense", "neuron", "logic"):
        powers = [getattr(run.power, part) for run in (full, reduced)]
        energies = [
            np.trapezoid(power, run.power.time, axis=-1)
            for power, run in zip(powers, (full, reduced), strict=True)
        ]
        np.testing.assert_allclose(*energies, rtol=1e-3, atol=1e-6 * full.delivered)


@EVERY_SET
def test_no_element_gives_energy(name: str) -> None:
    power = run(name, "plain", "full").power
    for part in ("driver", "crossbar", "sense", "neuron", "logic"):
        watts = getattr(power, part)
        assert watts.min() >= -1e-6 * watts.max(), part


def test_ideal_array_drives_with_the_difference_of_its_conductances() -> None:
    # A gain of a million makes the sense stage an ideal virtual ground.
    layer = changed(small_layer(**VARIANTS["zero-wires-and-drivers"]), "sense", gain=1e6)  # type: ignore[arg-type]
    stimulus = near_stimulus(layer)
    cells = layer.conductances[0]
    current = stimulus.row_voltage @ (cells[:, 0::2] - cells[:, 1::2])
    by_hand = (
        layer.bias_voltage + layer.sense.difference_gain * layer.sense.feedback_resistance * current
    )
    np.testing.assert_allclose(simulate(layer, stimulus, "full").drive, by_hand, rtol=1e-4)


@EVERY_FIDELITY
def test_accumulating_layer_has_drives_and_nothing_else(fidelity: str) -> None:
    layer = replace(small_layer(spiking=False), bias_voltage=0.0, write_limits=(-0.9, 0.9))
    stimulus = near_stimulus(layer)
    found = simulate(layer, stimulus, fidelity)
    drive = layer.drive_voltage(stimulus.row_voltage)
    assert drive.min() < 0 < drive.max()
    np.testing.assert_allclose(found.drive, drive, rtol=0, atol=1e-5)
    assert found.closure <= CLOSURE
    assert not found.power.neuron.any()


def test_drive_stops_at_the_write_limits() -> None:
    layer = small_layer(weights=np.tile([1.0, -1.0], (10, 1)))
    rows = np.full((1, 10), layer.array.read_voltage)
    found = simulate(layer, Stimulus(rows, np.ones((1, 2))), "reduced")
    low, high = layer.write_limits
    np.testing.assert_allclose(found.drive, [[high, low]], atol=1e-4)


# --- what only the circuit knows ------------------------------------------------------------------


@EVERY_SET
@pytest.mark.parametrize("strength", [0.5, None], ids=["weak", "nominal"])
def test_weak_reset_leaves_the_device_on(name: str, strength: float | None) -> None:
    layer = small_layer(name)
    if strength is not None:  # as a share of the voltage at which reset sets in
        weak = strength * layer.neuron.device.reset_threshold
        layer = changed(layer, "driver", reset_voltage=weak)
    rows = np.zeros((3, layer.rows))
    # It switches in cycle 0; then no draw is reached: any later spike is an old one.
    thresholds = np.full((3, layer.outputs), 50.0)
    thresholds[0, 0] = 0.5
    spikes = simulate(layer, Stimulus(rows, thresholds), "reduced").spikes
    stays = strength is not None
    np.testing.assert_array_equal(spikes[:, 0], [True, stays, stays])
    assert not spikes[:, 1].any()


# What the comparator leaves on the latch of a silent neuron is squared in a memristor that is off,
# and goes as it is through the heavy metal: the MTJ's read levels are only 40 % apart.
@pytest.mark.parametrize(("name", "share"), [("fast-memristor", 1e-5), ("sot-mtj", 2e-3)])
def test_only_devices_that_switched_are_reset(name: str, share: float) -> None:
    layer = small_layer(name)
    rows = np.zeros((1, layer.rows))
    found = simulate(layer, Stimulus(rows, np.array([[0.5, 50.0]])), "reduced")
    assert found.spikes.tolist() == [[True, False]]
    reset = layer.schedule.reset
    inside = (found.power.time > reset.start) & (found.power.time < reset.stop)
    heat = np.trapezoid(found.power.neuron[:, inside], found.power.time[inside], axis=-1)
    assert 0 <= heat[1] < share * heat[0]


def test_doubling_the_pulse_doubles_the_hazard_integral() -> None:
    layer = small_layer()
    stimulus = near_stimulus(layer)
    longer = changed(layer, "timing", write=2 * layer.timing.write)
    short, long = (simulate(one, stimulus, "reduced") for one in (layer, longer))
    np.testing.assert_allclose(long.drive, short.drive, rtol=1e-6)
    # The edges are not doubled: each counts for about V0/V of its length.
    ratio = long.hazard / short.hazard
    assert ((ratio > 1.98) & (ratio < 2.0)).all()


def test_doubling_the_conductances_doubles_the_drive_less_what_drivers_and_wires_take() -> None:
    layer = small_layer()
    stimulus = near_stimulus(layer)
    doubled = replace(layer, conductances=tuple(2 * tile for tile in layer.conductances))
    small, large = (
        simulate(one, stimulus, "full").drive - layer.bias_voltage for one in (layer, doubled)
    )
    ratio = large / small
    assert ((ratio > 1.97) & (ratio < 2.0)).all()


def test_wires_take_from_the_drive() -> None:
    weights = np.full((6, 1), 0.7)
    rises = []
    for resistance in (0.0, 50.0, 100.0, 200.0):
        layer = small_layer(
            weights=weights, wire_resistance_row=resistance, wire_resistance_col=resistance
        )
        rows = np.full((1, 6), 0.05)
        found = simulate(layer, Stimulus(rows, np.ones((1, 1))), "full")
        rises.append(found.drive[0, 0] - layer.bias_voltage)
    losses = np.diff(rises)
    assert (losses < 0).all()
    # Small drops add: twice the resistance takes nearly twice as much.
    assert 1.8 < (rises[0] - rises[2]) / (rises[0] - rises[1]) < 2.0
    assert 1.8 < (rises[0] - rises[3]) / (rises[0] - rises[2]) < 2.0


def test_heat_makes_an_mtj_switch_sooner() -> None:
    layer = small_layer("sot-mtj")
    stimulus = Stimulus(np.zeros((1, layer.rows)), np.ones((1, layer.outputs)))
    voltage, logs = layer.bias_voltage * layer.neuron.write_fraction, []
    for temperature in (300.0, 330.0):
        barrier = 20.0 * 300.0 / temperature
        law = HazardLaw.from_neel_brown(1e-9, 0.884, barrier)
        device = layer.neuron.device.model_copy(update={"hazard": law})
        hot = replace(layer, neuron=replace(layer.neuron, device=device))
        logs.append(np.log(simulate(hot, stimulus, "reduced").hazard[0, 0]))
    # Below the critical voltage the barrier that is left falls: ln(rate) = -D (1 - V/Vc0).
    gain = 20.0 * (1 - 300.0 / 330.0) * (1 - voltage / 0.884)
    assert gain > 0
    # The flat part dominates; the edges, of 1 %, depend on the slope.
    assert logs[1] - logs[0] == pytest.approx(gain, abs=2e-3)


def test_doubling_the_read_voltage_doubles_the_drive_and_quadruples_the_heat() -> None:
    layer = small_layer(spiking=False)
    stimulus = near_stimulus(layer)
    doubled = replace(stimulus, row_voltage=2 * stimulus.row_voltage)
    small, large = (simulate(layer, one, "full") for one in (stimulus, doubled))
    rise = [run.drive - layer.bias_voltage for run in (small, large)]
    inside = (large.drive > layer.write_limits[0]) & (large.drive < layer.write_limits[1] - 1e-6)
    np.testing.assert_allclose(rise[1][inside], 2 * rise[0][inside], rtol=1e-4)
    heat = [np.trapezoid(run.power.crossbar, run.power.time) for run in (small, large)]
    assert heat[1] == pytest.approx(4 * heat[0], rel=1e-3)
