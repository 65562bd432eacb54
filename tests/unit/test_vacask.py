"""VACASK is believed only when everything about its answer is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from memspice.analysis.energy import energy_balance
from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.circuits.power import event_values, layer_power, saved_signals
from memspice.circuits.wired_array_circuit import add_drivers, add_tiles
from memspice.engines.base import Engine, OperatingPoint, SolverOptions, Transient
from memspice.engines.ngspice import Ngspice
from memspice.engines.vacask import Vacask
from memspice.errors import ConvergenceError, EngineError, NetlistError
from memspice.solver.crossbar_solution import solve_crossbar
from memspice.verification.example_layers import memristor_layer, mtj_layer, stimulus
from tests.engine_helpers import VACASK_DIVIDER as DIVIDER
from tests.engine_helpers import VACASK_HEAD as HEAD
from tests.helpers import ARRAYS

pytestmark = pytest.mark.vacask

STOP = 1e-6
SHORT = Transient(STOP, 1e-9)


@pytest.fixture(scope="module")
def engine() -> Vacask:
    return Vacask()


# --- results against closed forms -----------------------------------------------------------------

RESISTANCE, CAPACITANCE, RISE = 1e3, 100e-12, 10e-9
TAU = RESISTANCE * CAPACITANCE


def rc_deck(initial: float = 0.0) -> Deck:
    deck = Deck("rc", "a ramp of 1 V, then hold")
    circuit = deck.section("elements")
    circuit.V("1", "in", circuit.gnd, PieceWiseLinear(((0.0, 0.0), (RISE, 1.0), (1.0, 1.0))))
    circuit.R("1", "in", "out", RESISTANCE)
    circuit.C("1", "out", circuit.gnd, CAPACITANCE, initial_condition=initial)
    return deck


def rc_answer(time: np.ndarray) -> np.ndarray:
    """Exact answer to the ramp, from rest."""

    def ramp(t: np.ndarray) -> np.ndarray:
        after = np.maximum(t, 0.0)
        answer: np.ndarray = (after + TAU * np.expm1(-after / TAU)) / RISE
        return answer

    return ramp(time) - ramp(time - RISE)


def rc_error(engine: Engine, analysis: Transient, options: SolverOptions) -> float:
    """Largest deviation from the exact answer, [V]."""
    waveforms = engine.run(engine.write(rc_deck()), analysis, options=options)
    return float(np.abs(waveforms.voltage("out") - rc_answer(waveforms.time)).max())


@pytest.mark.parametrize("method", ["gear", "trap"])
@pytest.mark.parametrize("from_rest", [False, True])
def test_rc_step_follows_the_closed_form(engine: Vacask, method: str, from_rest: bool) -> None:
    # Second order: about (step / tau)^2 / 3 = 1e-5 of the step at 0.5 ns and 100 ns; two steps
    # behind each of the two corners are of first order, (step / tau)^2 / 2 each.
    options = SolverOptions(method=method)  # type: ignore[arg-type]
    coarse, fine = (
        rc_error(engine, Transient(STOP, step, from_rest=from_rest), options)
        for step in (8e-9, 0.5e-9)
    )
    assert fine < 5e-5
    assert fine < coarse / 8  # the error is the step's, not a wrong time constant


@pytest.mark.ngspice
def test_the_step_follows_the_tolerance_as_in_ngspice(engine: Vacask) -> None:
    """Where no step limit helps, VACASK's error is below ngspice's at the same tolerances."""
    free = Transient(STOP, 0.1 * STOP, from_rest=True)
    ngspice = Ngspice()
    loose, tight = (SolverOptions(reltol=reltol, vntol=1e-9) for reltol in (1e-3, 1e-5))
    assert rc_error(engine, free, tight) < rc_error(engine, free, loose) / 2
    assert rc_error(engine, free, loose) < rc_error(ngspice, free, loose)


def test_an_initial_condition_decays_with_the_time_constant(engine: Vacask) -> None:
    deck = rc_deck(initial=0.5)
    waveforms = engine.run(engine.write(deck), Transient(STOP, 1e-9, from_rest=True))
    time, found = waveforms.time[1:], waveforms.voltage("out")[1:]
    # the circuit is linear: both answers add
    exact = rc_answer(time) + 0.5 * np.exp(-time / TAU)
    # two steps of first order behind each of the two corners: (step / tau)^2 / 2 = 5e-5 each
    np.testing.assert_allclose(found, exact, atol=2e-4)


def test_divider_voltages_and_the_sign_of_currents(engine: Vacask) -> None:
    netlist = DIVIDER.replace("r2 (out 0)", "vammeter (out low) vsource dc=0\nr2 (low 0)")
    netlist += "i1 (0 other) isource dc=1m\nr3 (other 0) resistor r=2k\n"
    save = ["OUT", "v(in)", "I(V1)", "i(vammeter)", "other"]
    point = engine.run(netlist, OperatingPoint(), save=save)
    np.testing.assert_array_equal(point.time, [0.0])
    # Newton on a linear circuit is exact to rounding.
    assert point.voltage("Out")[0] == pytest.approx(0.75, rel=1e-12)
    assert point.current("V1")[0] == pytest.approx(-0.25e-3, rel=1e-12)
    assert point.current("Vammeter")[0] == pytest.approx(+0.25e-3, rel=1e-12)
    # a current source drives from its first node through itself to its second
    assert point.voltage("other")[0] == pytest.approx(2.0, rel=1e-12)
    np.testing.assert_array_equal(point.voltage("0"), [0.0])


def test_device_values_and_subcircuit_names(engine: Vacask) -> None:
    netlist = HEAD + (
        "v1 (in 0) vsource dc=2\nxa (in 0) outer\nsubckt outer(p n)\nxb (p n) cell\nends\n"
        "subckt cell(p n)\nvs (p m) vsource dc=0\nrx (m n) resistor r=1k\nends\n"
    )
    save = ["v(xa.xb.m)", "i(v.xa.xb.vs)", "@r.xa.xb.rx[i]"]
    point = engine.run(netlist, OperatingPoint(), save=save)
    assert set(point.signals) == set(save)
    assert point.voltage("xa.xb.m")[0] == pytest.approx(2.0)
    assert point.current("V.xa.xb.Vs")[0] == pytest.approx(2e-3)
    assert point.signal("@R.XA.XB.RX[i]")[0] == pytest.approx(2e-3)
    everything = engine.run(netlist, OperatingPoint()).signals
    assert {"v(in)", "i(v1)", *save[:2]} == set(everything)


def test_the_current_inside_a_model_can_be_asked_for(engine: Vacask) -> None:
    deck = Deck("follower", "a level without load")
    circuit = deck.section("elements")
    circuit.V("1", "drive", circuit.gnd, 0.3)
    circuit.V("2", "write", circuit.gnd, 1.0)
    ground = circuit.gnd
    nodes = ("drive", "write", ground, ground, ground, "level")
    circuit.X("control", "phase_control", *nodes, v_read=0.1, v_reset=1.0)
    circuit.R("load", "level", ground, 1e3)
    name = "i(xcontrol.flow(level))"
    point = engine.run(engine.write(deck), OperatingPoint(), save=[name, "level"])
    assert point.voltage("level")[0] == pytest.approx(0.3)
    assert point.signal(name)[0] == pytest.approx(-0.3e-3)  # a source that feeds a load


def test_thousands_of_saved_signals_all_arrive(engine: Vacask) -> None:
    chain = "".join(f"r{n} (n{n} n{n + 1}) resistor r=1k\n" for n in range(1500))
    netlist = f"{HEAD}v1 (n0 0) vsource dc=1\n{chain}rend (n1500 0) resistor r=1k\n"
    save = [f"@r{n}[i]" for n in range(1500)]
    point = engine.run(netlist, OperatingPoint(), save=save)
    assert list(point.signals) == save
    currents = np.array([point.signal(name)[0] for name in save])
    np.testing.assert_allclose(currents, 1 / 1501e3, rtol=1e-6)  # reltol of the last Newton step


def test_times_rise_strictly_and_end_at_stop(engine: Vacask) -> None:
    stop = 1.2345678901234567e-6
    waveforms = engine.run(DIVIDER, Transient(stop, 1.1e-9, initial_step=1e-12))
    assert (np.diff(waveforms.time) > 0).all()
    assert waveforms.time[-1] == pytest.approx(stop, rel=1e-9)
    assert np.diff(waveforms.time).max() < 1.1e-9 * (1 + 1e-9)
    assert waveforms.time[1] < 1e-12


# --- crossbars and layers -------------------------------------------------------------------------


def test_a_wired_crossbar_is_solved_as_by_elimination(engine: Vacask) -> None:
    layer, drive = memristor_layer(), stimulus()
    deck = Deck("crossbar", "drivers and cells into virtual grounds")
    add_drivers(deck, layer, drive)
    add_tiles(deck, layer)
    ends = deck.section("virtual grounds")
    for column in range(4):
        ends.V(f"out{column}", f"c{column}", ends.gnd, 0)
    times = Transient(layer.schedule.write.stop, 1e-9, from_rest=True)
    waveforms = engine.run(engine.write(deck), times)
    found = [waveforms.current(f"vout{column}")[-1] for column in range(4)]
    array = layer.array
    solution = solve_crossbar(
        1 / layer.conductances[0],
        drive.row_voltage[0],
        array.wire_resistance_row,
        array.wire_resistance_col,
        array.driver_resistance,
    )
    # the last Newton step, and one corner's rounding
    np.testing.assert_allclose(found, solution.output_current, rtol=1e-9)


def layer_run(layer: LayerCircuit, engine: Engine) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Events of the example stimulus, and the energy of each component."""
    events = stimulus()
    analysis = Transient(
        events.cycles * layer.schedule.cycle, layer.timing.longest_step, from_rest=True
    )
    waveforms = engine.run(
        engine.write(layer_deck(layer, events, ARRAYS["full"])),
        analysis,
        save=saved_signals(layer, ARRAYS["full"]),
        options=SolverOptions(reltol=1e-4, vntol=1e-5, chgtol=1e-18),
    )
    power = layer_power(layer, events, ARRAYS["full"], waveforms)
    balance = energy_balance(power, layer.schedule, events.cycles)
    assert balance.closure < 1e-4
    return event_values(layer, events, waveforms), np.array(
        [np.sum(value) for value in balance.components.values()]
    )


@pytest.mark.ngspice
@pytest.mark.parametrize("build", [memristor_layer, mtj_layer])
def test_a_whole_layer_has_the_spikes_and_energies_of_ngspice(engine: Vacask, build) -> None:  # type: ignore[no-untyped-def]
    layer = build()
    (found, energy), (other, other_energy) = (layer_run(layer, one) for one in (engine, Ngspice()))
    drive = layer.drive_voltage(stimulus().row_voltage)
    law = layer.neuron.device.hazard
    exact = np.exp(
        law.log_hazard_integral(
            drive * layer.neuron.write_fraction, layer.timing.write, layer.timing.edge
        )
    )
    # local errors of 1e-4 at some 40 points a pulse, of random sign
    np.testing.assert_allclose(found["hazard"], exact, rtol=1e-3)
    np.testing.assert_array_equal(found["spike"] > 0.5, exact >= stimulus().thresholds)
    np.testing.assert_array_equal(found["spike"] > 0.5, other["spike"] > 0.5)
    np.testing.assert_allclose(energy, other_energy, rtol=1e-2)


def test_the_charge_behind_a_corner_is_right(engine: Vacask) -> None:
    """VACASK checks no error in the first two steps behind a corner, so these must be short.

    With its own first steps, a quarter of the edge, 4 % of the charge are missing at any tolerance.
    """
    tau, capacitance, resistance = 100e-12, 10e-15, 10e3
    deck = Deck("edge", "two stages, ten times faster than the edge that drives them")
    circuit = deck.section("elements")
    corners = ((0.0, 0.0), (5e-9, 0.0), (6e-9, 1.0), (20e-9, 1.0))
    circuit.V("1", "in", circuit.gnd, PieceWiseLinear(corners))
    circuit.R("1", "in", "mid", 1e3)
    circuit.C("1", "mid", circuit.gnd, tau / 1e3)
    circuit.R("2", "mid", "out", resistance)
    circuit.C("2", "out", circuit.gnd, capacitance)
    waveforms = engine.run(engine.write(deck), Transient(20e-9, 1e-9, from_rest=True))
    current = (waveforms.voltage("mid") - waveforms.voltage("out")) / resistance
    charge = np.trapezoid(current, waveforms.time) / (capacitance * waveforms.voltage("out")[-1])
    # first steps of a tenth of the edge: 0.1 % found, at most (0.1 ns / 1 ns)^2 = 1 % expected
    assert charge == pytest.approx(1, abs=1e-2)


# --- circuits that are wrong ----------------------------------------------------------------------

WRONG_CIRCUITS = {
    "two sources in parallel": ("v2 (in 0) vsource dc=2", "zero pivot @ node 'v1:flow.br.'"),
    "floating node": (
        "c1 (out m) capacitor c=1p\nc2 (m 0) capacitor c=1p",
        "zero pivot @ node 'm'",
    ),
    "node without a path": ("r3 (lost more) resistor r=1k", "zero pivot @ node '(lost|more)'"),
    "unknown module": ("x1 (out 0) nomodel r=1", "'nomodel' not found.*deck line 12"),
    "unknown parameter": ("r3 (out 0) resistor r=1k foo=1", "'foo' not found.*deck line 12"),
    "undefined name": (
        "subckt a(x y)\nr3 (x y) resistor r=foo\nends\nx1 (out 0) a",
        "'foo' not defined.*deck line 13",
    ),
    "element twice": ("r1 (out 0) resistor r=1k", "already exists.*deck line 12"),
    "too many nodes for an unknown module": ("x1 (a b c d) nomodel", "'nomodel' not found"),
    "value out of range": ("r3 (out 0) resistor r=-5", "'r' is out of bounds"),
    "value that is no number": ("r3 (out 0) resistor r=nan", "'r' is out of bounds"),
    "number too large": ("r3 (out 0) resistor r=1e400", "out of range"),
    "pwl back in time": (
        'v2 (b 0) vsource type="pwl" wave=[0,0,2u,1,1u,2]\nr3 (b 0) resistor r=1',
        "not strictly monotonic.*increasing times",
    ),
    "not an instance": ("bogus line here", "(?i)syntax error.*bogus line here"),
    "resistor without a value": ("r3 (out 0) resistor", "no value"),
}


@pytest.mark.parametrize("case", WRONG_CIRCUITS)
def test_wrong_circuits_are_refused(engine: Vacask, case: str) -> None:
    lines, message = WRONG_CIRCUITS[case]
    with pytest.raises(NetlistError, match=message):
        engine.run(f"{DIVIDER}{lines}\n", SHORT)


@pytest.mark.parametrize("name", ["v(nope)", "i(vnope)", "@rnope[i]", "@r1[nope]", "v(x1.nope)"])
@pytest.mark.parametrize("others", [["v(out)"], ["all"]])
def test_unknown_signals_are_refused(engine: Vacask, name: str, others: list[str]) -> None:
    with pytest.raises(NetlistError, match="save="):
        engine.run(DIVIDER, SHORT, save=[*others, name])


def test_a_current_into_nowhere_is_not_finite(engine: Vacask) -> None:
    netlist = f"{DIVIDER}i1 (0 lost) isource dc=1m\nc1 (lost 0) capacitor c=1p\n"
    with pytest.raises(
        EngineError, match="(?i)nan found in vector, row node 'lost'.*path to ground"
    ):
        engine.run(netlist, OperatingPoint())


def test_too_few_newton_steps_are_a_convergence_error(engine: Vacask) -> None:
    with pytest.raises(ConvergenceError, match="failed to converge.*itl4"):
        engine.run(DIVIDER, Transient(STOP, 1e-9, from_rest=True), options=SolverOptions(itl4=1))


def test_an_alarming_title_or_node_name_is_no_warning(engine: Vacask) -> None:
    netlist = DIVIDER.replace("title", "Error: fatal warning").replace("out", "failed")
    assert engine.run(netlist, SHORT).voltage("failed")[-1] == pytest.approx(0.75)


def test_a_failed_run_is_kept_on_request_and_named(tmp_path: Path) -> None:
    engine = Vacask(keep_failed=tmp_path / "failed")
    with pytest.raises(NetlistError, match="deck and log kept in") as caught:
        engine.run(DIVIDER + "x1 (out 0) nomodel\n", SHORT)
    (folder,) = (tmp_path / "failed").iterdir()
    assert str(folder) in str(caught.value)
    assert "x1 (out 0) nomodel" in (folder / "deck.sim").read_text()
    assert "nomodel" in (folder / "stdout").read_text()


# --- influences from outside ----------------------------------------------------------------------


def test_settings_of_the_user_are_ignored(
    engine: Vacask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".vacaskrc.toml").write_text("this is [no toml\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert engine.run(DIVIDER, SHORT).voltage("out")[-1] == pytest.approx(0.75)


def test_nothing_is_left_in_the_temporary_folder(
    engine: Vacask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine.run(DIVIDER, SHORT)
    with pytest.raises(NetlistError):
        engine.run(DIVIDER + "x1 (out 0) nomodel\n", SHORT)
    assert list(tmp_path.iterdir()) == []
