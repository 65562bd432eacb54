"""Magnetic devices in three forms: NumPy, ngspice (``.lib``) and VACASK (``.va``)."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.devices.compact.stt import (
    SttMtj,
    hazard_integral,
    junction_current,
)
from memspice.devices.magnet.macrospin import MacrospinMtj, conductance, evolve
from memspice.devices.magnet.macrospin_noise import (
    ThermalBath,
    thermal_normals,
    thermal_strength,
)
from memspice.engines import find_engine
from memspice.engines.base import SolverOptions, Transient
from memspice.engines.veriloga import declaration
from memspice.engines.waveforms import Waveforms
from memspice.parameters import load_table
from memspice.resources import resource_path
from tests.device_helpers import FIELD_PER_VOLT, SttPulse, critical_voltage, thermal_waveform
from tests.tables import EVERY_ENGINE

STT = load_table("stt-mtj", "stt_mtj", SttMtj).values
WRITE = load_table("stt-mtj", "write", SttPulse).values
LLG = load_table("llg-mtj", "llg_mtj", MacrospinMtj).values
#: Parameters that belong to the way the SPICE forms solve, and to one event.
LLG_EXTRA = {"initial_x", "initial_y", "initial_z", "norm_rate", "hold_rate"}


def pwl(times: np.ndarray | list[float], values: np.ndarray | list[float]) -> PieceWiseLinear:
    points = zip(times, values, strict=True)
    return PieceWiseLinear(tuple((float(t), float(v)) for t, v in points))


# --- defaults -------------------------------------------------------------------------------------


@pytest.mark.vacask
def test_defaults_of_the_models_are_the_published_sets() -> None:
    for model, device in (("stt_mtj", STT), ("llg_mtj", LLG)):
        defaults = declaration(resource_path(f"{model}.va")).parameters
        extra = LLG_EXTRA if model == "llg_mtj" else set()
        assert set(defaults) - extra == set(type(device).model_fields)
        own = {name: value for name, value in defaults.items() if name not in extra}
        assert device.model_dump() == pytest.approx(own, rel=1e-12)


# --- the junction ---------------------------------------------------------------------------------

# B-sources and compiled code evaluate the same expression: rounding and the solver's reltol.
JUNCTION = 1e-6


@EVERY_ENGINE
def test_junction_follows_its_current_voltage_law(engine: str) -> None:
    alignment = (0.0, 0.5, 1.0)
    deck = Deck("junctions", "States held by sources, voltage swept through both signs.")
    circuit = deck.section("devices")
    circuit.V("sweep", "p", circuit.gnd, pwl([0, 1e-9, 2e-9], [-0.6, 0.6, -0.6]))
    for k, value in enumerate(alignment):
        circuit.V(f"x{k}", f"x{k}", circuit.gnd, value)
        circuit.V(f"z{k}", f"z{k}", circuit.gnd, 2 * value - 1)
        circuit.V(f"stt{k}", "p", f"s{k}", 0.0)
        circuit.V(f"llg{k}", "p", f"l{k}", 0.0)
        ground = [circuit.gnd] * 4
        circuit.X(f"s{k}", "stt_mtj", f"s{k}", *ground, f"h{k}", f"x{k}", **STT.model_dump())
        rest = [circuit.gnd] * 9
        circuit.X(f"l{k}", "llg_mtj", f"l{k}", *rest, f"z{k}", **LLG.model_dump())
    adapter = find_engine(engine)
    analysis = Transient(stop=2e-9, max_step=20e-12, from_rest=True)
    found = adapter.run(adapter.write(deck), analysis, options=SolverOptions(reltol=1e-7))
    voltage = found.voltage("p")
    assert voltage.min() < -0.59 < 0.59 < voltage.max()
    for k, value in enumerate(alignment):
        expected = junction_current(STT, voltage, value)
        scale = JUNCTION * np.abs(expected).max()
        np.testing.assert_allclose(found.current(f"vstt{k}"), expected, rtol=0, atol=scale)
        expected = voltage * conductance(LLG, voltage, 2 * value - 1)
        scale = JUNCTION * np.abs(expected).max()
        np.testing.assert_allclose(found.current(f"vllg{k}"), expected, rtol=0, atol=scale)


# --- thermally activated events -------------------------------------------------------------------

START, GAP = 1e-9, 2e-9
RESISTANCE = 2e3
#: One hundred and more points a pulse under a local error of 1e-5 on h; 0.05 % was measured.
HAZARD = 2e-3
STT_OPTIONS = SolverOptions(reltol=1e-5, chgtol=1e-7 * WRITE.flat)


def stt_bench(
    voltages: np.ndarray, thresholds: np.ndarray, resistance: float
) -> tuple[Deck, float]:
    """Write pulse, reset and clear of devices side by side; returns the end of the write, too."""
    flat, edge = WRITE.flat, WRITE.edge
    device = STT.model_copy(update={"source_resistance": resistance})
    times = START + np.array([0, edge, edge + flat, flat + 2 * edge])
    reset = times[-1] + GAP + np.array([0, edge, 30 * edge, 31 * edge])
    clear = reset + 20 * edge
    deck = Deck("STT bench", "One write pulse, one reset; h is cleared while the reset lasts.")
    circuit = deck.section("devices")
    shape = [0.0, 0.0, 1.0, 1.0, 0.0]
    circuit.V("gate", "gate", circuit.gnd, pwl([0.0, *times], shape))
    circuit.V("clear", "clear", circuit.gnd, pwl([0.0, *clear], shape))
    for k, (voltage, threshold) in enumerate(zip(voltages, thresholds, strict=True)):
        levels = [0.0, 0.0, voltage, voltage, 0.0, 0.0, -0.3, -0.3, 0.0]
        top = f"d{k}" if resistance else f"p{k}"
        circuit.V(f"d{k}", top, circuit.gnd, pwl([0.0, *times, *reset], levels))
        if resistance:
            circuit.R(f"d{k}", top, f"p{k}", resistance)
        circuit.V(f"t{k}", f"t{k}", circuit.gnd, float(threshold))
        nodes = (f"p{k}", circuit.gnd, "gate", f"t{k}", "clear", f"h{k}", f"x{k}")
        circuit.X(f"m{k}", "stt_mtj", *nodes, **device.model_dump())
    return deck, float(times[-1] + GAP / 2)


def run_stt(
    engine: str, voltages: np.ndarray, thresholds: np.ndarray, resistance: float, points: float
) -> tuple[Waveforms, float]:
    deck, end = stt_bench(voltages, thresholds, resistance)
    adapter = find_engine(engine)
    save = [f"{node}{k}" for k in range(len(voltages)) for node in ("h", "x")]
    analysis = Transient(
        stop=end + GAP + 60 * WRITE.edge, max_step=WRITE.flat / points, from_rest=True
    )
    return adapter.run(adapter.write(deck), analysis, save=save, options=STT_OPTIONS), end


def at_end(found: Waveforms, node: str, devices: int, end: float) -> np.ndarray:
    return np.array(
        [np.interp(end, found.time, found.voltage(f"{node}{k}")) for k in range(devices)]
    )


@EVERY_ENGINE
@pytest.mark.parametrize("resistance", [0.0, RESISTANCE])
def test_event_ends_with_the_closed_form_whether_it_switched_or_not(
    engine: str, resistance: float
) -> None:
    device = STT.model_copy(update={"source_resistance": resistance})
    voltages = np.repeat(np.array([0.7, 0.85, 0.93]), 2) * critical_voltage(device)
    integral = hazard_integral(device, voltages, WRITE.flat, WRITE.edge)
    thresholds = integral * np.tile([0.98, 1.02], 3)
    found, end = run_stt(engine, voltages, thresholds, resistance, 25)
    # Behind a resistor the voltage over the junction falls when it switches; h must not see it.
    np.testing.assert_allclose(at_end(found, "h", 6, end), integral, rtol=HAZARD)
    # x moves less charge than the solver watches: it overshoots by 2 %.
    np.testing.assert_allclose(at_end(found, "x", 6, end), np.tile([1.0, 0.0], 3), atol=0.05)
    # Reset and clear take everything back.
    for k in range(6):
        assert abs(found.voltage(f"x{k}")[-1]) < 1e-3
        assert abs(found.voltage(f"h{k}")[-1]) < 1e-3 * integral[k]


@EVERY_ENGINE
def test_rate_is_bounded_beyond_the_critical_current(engine: str) -> None:
    # The law ends there; the exponent stays at zero, one switch an attempt time.
    voltages = np.array([1.5, 4.0]) * critical_voltage(STT)
    found, end = run_stt(engine, voltages, np.full(2, 1e3), 0.0, 25)
    bound = (WRITE.flat + 2 * WRITE.edge) / STT.attempt_time
    hazard = at_end(found, "h", 2, end)
    assert bound * 0.98 < hazard[0] < hazard[1] < bound * (1 + HAZARD)


# --- macrospin ------------------------------------------------------------------------------------

#: Noise of 10 ps intervals: a path like any other, and few corners for the solvers.
BATH = ThermalBath(temperature=300.0, interval=10e-12)
RELEASE = 20e-12
EDGE = 0.1 * BATH.interval
#: Steps of the NumPy form in an interval.
FINE = 20
#: Trapezoidal: Gear's rule damps the precession.  VACASK begins again at first order at every
#: corner of the noise, so its local error is held a hundred times smaller.
LLG_OPTIONS = {
    "ngspice": SolverOptions(method="trap"),
    "vacask": SolverOptions(method="trap", reltol=1e-6, trtol=0.1),
}
#: Of |m| = 1, along the whole path.  Spin transfer makes the state unstable, which enlarges every
#: early error some 50 times until the junction has switched: 0.5 % to 1.6 % were measured, and
#: 0.03 % for the write line.
PATH = {"junction": 0.03, "write line": 1e-3}
#: What norm_rate leaves of the solvers' drift; 2e-5 was measured.
NORM = 1e-4


def starts(devices: int) -> np.ndarray:
    """Directions a thermal angle off -z, (3, devices)."""
    angle, around = 0.25, 2 * np.pi * np.arange(devices) / devices
    ones = np.ones(devices)
    return np.stack(
        [np.sin(angle) * np.cos(around), np.sin(angle) * np.sin(around), -np.cos(angle) * ones]
    )


def thermal(devices: int, intervals: int) -> np.ndarray:
    """Thermal field [A/m] of events, (intervals, 3, devices)."""
    normals = [thermal_normals(3, 0, 0, 0, event, 0, intervals) for event in range(devices)]
    return thermal_strength(LLG, BATH) * np.stack(normals, axis=-1)


def reference(
    device: MacrospinMtj, start: np.ndarray, field: np.ndarray, **drive: np.ndarray | float
) -> np.ndarray:
    """NumPy form on the path that the sources make, its edges included, at the borders."""
    fine = FINE * field.shape[0]
    path = np.empty((fine, *field.shape[1:]))
    for c, k in np.ndindex(*field.shape[1:]):
        times, values = thermal_waveform(field[:, c, k], BATH.interval, RELEASE, EDGE)
        dense = RELEASE + BATH.interval / (20 * FINE) * np.arange(20 * fine + 1)
        level = np.interp(dense, times, values)
        mean = (0.5 * (level[1:] + level[:-1])).reshape(fine, 20).mean(axis=1)
        path[:, c, k] = FIELD_PER_VOLT * mean
    return evolve(device, start, path, BATH.interval / FINE, path=True, **drive)[::FINE]


def llg_deck(
    device: MacrospinMtj, start: np.ndarray, field: np.ndarray, junction: np.ndarray, write: float
) -> Deck:
    """Devices side by side, each with its thermal field; held at its start until `RELEASE`."""
    deck = Deck("LLG bench", "Magnetisations under constant drive and thermal field.")
    circuit = deck.section("devices")
    release = [0.0, RELEASE - 0.02e-12, RELEASE]
    circuit.V("hold", "hold", circuit.gnd, pwl(release, [1.0, 1.0, 0.0]))
    circuit.V("w", "w", circuit.gnd, write)
    for k in range(start.shape[1]):
        circuit.V(f"p{k}", f"p{k}", circuit.gnd, float(junction[k]))
        for c, axis in enumerate("xyz"):
            wave = thermal_waveform(field[:, c, k], BATH.interval, RELEASE, EDGE)
            circuit.V(f"h{axis}{k}", f"h{axis}{k}", circuit.gnd, pwl(*wave))
        thermal_nodes = [f"h{axis}{k}" for axis in "xyz"]
        states = [f"m{axis}{k}" for axis in "xyz"]
        initial = {f"initial_{axis}": float(v) for axis, v in zip("xyz", start[:, k], strict=True)}
        nodes = (f"p{k}", circuit.gnd, "w", circuit.gnd, "hold", *thermal_nodes, *states)
        circuit.X(f"m{k}", "llg_mtj", *nodes, **device.model_dump(), **initial)
    return deck


def run_llg(
    engine: str, deck: Deck, devices: int, intervals: int, step: float = 0.5e-12
) -> tuple[np.ndarray, np.ndarray]:
    """Times [s] from the release, and magnetisations (times, 3, devices)."""
    adapter = find_engine(engine)
    save = [f"m{axis}{k}" for k in range(devices) for axis in "xyz"]
    stop = RELEASE + intervals * BATH.interval - 0.5 * EDGE
    analysis = Transient(stop=stop, max_step=step, from_rest=True)
    found = adapter.run(adapter.write(deck), analysis, save=save, options=LLG_OPTIONS[engine])
    paths = [[found.voltage(f"m{axis}{k}") for k in range(devices)] for axis in "xyz"]
    return found.time - RELEASE, np.moveaxis(np.array(paths), -1, 0)


@EVERY_ENGINE
@pytest.mark.parametrize("write", ["junction", "write line"])
def test_magnetisation_takes_the_path_of_the_numpy_form(engine: str, write: str) -> None:
    devices, intervals = 2, 200
    device = LLG if write == "junction" else LLG.model_copy(update={"applied_x": 4e4})
    junction = np.full(devices, 0.35 if write == "junction" else 0.0)
    line = 0.0 if write == "junction" else 0.09
    start, field = starts(devices), thermal(devices, intervals)
    expected = reference(
        device, start, field, voltage=junction, write_current=line / device.write_line_resistance
    )
    # The path is worth following: it goes a long way.
    assert np.abs(expected[-1] - expected[0]).max() > 0.5
    time, found = run_llg(
        engine, llg_deck(device, start, field, junction, line), devices, intervals
    )
    borders = BATH.interval * np.arange(1, intervals)
    for k in range(devices):
        for c in range(3):
            sampled = np.interp(borders, time, found[:, c, k])
            np.testing.assert_allclose(sampled, expected[1:-1, c, k], rtol=0, atol=PATH[write])
    free = time > 0
    assert np.abs(np.sqrt((found[free] ** 2).sum(axis=1)) - 1).max() < NORM


@EVERY_ENGINE
def test_the_same_events_switch(engine: str) -> None:
    devices, intervals = 8, 250
    junction = np.full(devices, 0.29)
    start, field = starts(devices), thermal(devices, intervals)
    expected = evolve(LLG, start, field, BATH.interval, substeps=8, voltage=junction)[2]
    # Some do and some do not, and none is undecided: the outcomes may be compared.
    assert 2 <= (expected > 0).sum() <= devices - 2
    assert np.abs(expected).min() > 0.3
    deck = llg_deck(LLG, start, field, junction, 0.0)
    _, found = run_llg(engine, deck, devices, intervals, step=1e-12)
    np.testing.assert_array_equal(found[-1, 2] > 0, expected > 0)


@EVERY_ENGINE
def test_held_magnetisation_is_set_from_any_state(engine: str) -> None:
    deck = Deck("hold", "Set to the start, let go, set again.")
    circuit = deck.section("device")
    times = np.array([0, 20, 21, 120, 121, 150]) * 1e-12
    circuit.V("hold", "hold", circuit.gnd, pwl(times, [1, 1, 0, 0, 1, 1]))
    circuit.V("p", "p", circuit.gnd, 1.0)
    nodes = ("p", *[circuit.gnd] * 3, "hold", *[circuit.gnd] * 3, "mx", "my", "mz")
    initial = {"initial_x": 0.6, "initial_y": 0.0, "initial_z": -0.8}
    circuit.X("m", "llg_mtj", *nodes, **LLG.model_dump(), **initial)
    adapter = find_engine(engine)
    found = adapter.run(
        adapter.write(deck),
        Transient(150e-12, 0.5e-12, from_rest=True),
        options=LLG_OPTIONS[engine],
    )
    component = {axis: found.voltage(f"m{axis}") for axis in "xyz"}
    for instant in (20e-12, 150e-12):  # 20 time constants, then 29
        for axis, value in zip("xyz", (0.6, 0.0, -0.8), strict=True):
            at = np.interp(instant, found.time, component[axis])
            assert at == pytest.approx(value, abs=1e-4)
    assert abs(np.interp(120e-12, found.time, component["y"])) > 0.1  # it moved in between
