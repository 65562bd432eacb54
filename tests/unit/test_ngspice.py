"""ngspice is believed only when everything about its answer is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from memspice.engines.base import OperatingPoint, Transient
from memspice.engines.ngspice import Ngspice
from memspice.errors import (
    ConvergenceError,
    NetlistError,
)
from tests.engine_helpers import SPICE_DIVIDER as DIVIDER

STOP = 1e-6
SHORT = Transient(STOP, 1e-9)


@pytest.fixture(scope="module")
def engine() -> Ngspice:
    return Ngspice()


# --- results against closed forms -----------------------------------------------------------------


def rc_error(engine: Ngspice, max_step: float) -> float:
    """Largest deviation from the exact answer of an RC to a ramp and hold, [V]."""
    resistance, capacitance, rise = 1e3, 100e-12, 10e-9
    netlist = f"rc\nV1 in 0 PULSE(0 1 0 {rise} 1n 1 2)\nR1 in out 1k\nC1 out 0 100p\n"
    waveforms = engine.run(netlist, Transient(STOP, max_step))
    tau, time = resistance * capacitance, waveforms.time

    def ramp(t: np.ndarray) -> np.ndarray:
        """Answer to a ramp of 1 V per ``rise`` that begins at 0."""
        after = np.maximum(t, 0.0)
        answer: np.ndarray = (after + tau * np.expm1(-after / tau)) / rise
        return answer

    exact = ramp(time) - ramp(time - rise)
    return float(np.abs(waveforms.voltage("out") - exact).max())


@pytest.mark.ngspice
def test_rc_step_follows_the_closed_form(engine: Ngspice) -> None:
    # Second order: about (step / tau)^2 / 3 = 3e-5 of the step at 1 ns and 100 ns.
    coarse, fine = rc_error(engine, 2e-9), rc_error(engine, 1e-9)
    assert fine < 1e-4
    assert fine < coarse / 2  # the error is the step's, not a wrong time constant


@pytest.mark.ngspice
def test_divider_voltages_and_the_sign_of_currents(engine: Ngspice) -> None:
    netlist = DIVIDER.replace("R2 out 0", "Vammeter out low 0\nR2 low 0")
    point = engine.run(netlist, OperatingPoint(), save=["OUT", "v(in)", "I(V1)", "i(vammeter)"])
    np.testing.assert_array_equal(point.time, [0.0])
    # Newton on a linear circuit is exact to rounding; gmin does not touch resistors.
    assert point.voltage("Out")[0] == pytest.approx(0.75, rel=1e-12)
    assert point.current("V1")[0] == pytest.approx(-0.25e-3, rel=1e-12)
    assert point.current("Vammeter")[0] == pytest.approx(+0.25e-3, rel=1e-12)
    np.testing.assert_array_equal(point.voltage("0"), [0.0])


@pytest.mark.ngspice
def test_device_values_and_subcircuit_names(engine: Ngspice) -> None:
    netlist = "sub\nV1 in 0 2\nXa in 0 cell\n.subckt cell p n\nVs p m 0\nRx m n 1k\n.ends\n"
    save = ["v(xa.m)", "i(v.xa.vs)", "@r.xa.rx[i]", "@R.XA.RX[p]"]
    point = engine.run(netlist, OperatingPoint(), save=save)
    assert set(point.signals) == set(save[:3]) | {"@r.xa.rx[p]"}
    assert point.voltage("xa.m")[0] == pytest.approx(2.0)
    assert point.current("V.xa.Vs")[0] == pytest.approx(2e-3)
    assert point.signal("@r.xa.rx[i]")[0] == pytest.approx(2e-3)
    assert point.signal("@r.xa.rx[p]")[0] == pytest.approx(4e-3)


@pytest.mark.ngspice
def test_thousands_of_saved_signals_all_arrive(engine: Ngspice) -> None:
    chain = "".join(f"R{n} n{n} n{n + 1} 1k\n" for n in range(1500))
    netlist = f"chain\nV1 n0 0 1\n{chain}Rend n1500 0 1k\n"
    save = [f"@r{n}[i]" for n in range(1500)]
    point = engine.run(netlist, OperatingPoint(), save=save)
    assert list(point.signals) == save
    currents = np.array([point.signal(name)[0] for name in save])
    np.testing.assert_allclose(currents, 1 / 1501e3, rtol=1e-6)  # reltol of the last Newton step


@pytest.mark.ngspice
def test_times_rise_strictly_and_end_at_stop(engine: Ngspice) -> None:
    stop = 1.2345678901234567e-6
    waveforms = engine.run(DIVIDER, Transient(stop, 1.1e-9, initial_step=1e-12))
    assert (np.diff(waveforms.time) > 0).all()
    assert waveforms.time[-1] == pytest.approx(stop, rel=1e-9)
    assert np.diff(waveforms.time).max() < 1.1e-9 * (1 + 1e-9)
    assert waveforms.time[1] < 1e-12


# --- decks that ngspice alone would get wrong -----------------------------------------------------

WRONG_CIRCUITS = {
    "resistor without a value": (DIVIDER.replace("3k", ""), "line 4: 'R2 out 0' has no value"),
    "resistor of 0 ohm": (
        DIVIDER.replace("3k", "0"),
        "line 4: 'R2 out 0 0' is a resistor of 0 ohm",
    ),
    "resistor model without a value": (DIVIDER.replace("3k", "rm\n.model rm r"), "1 mOhm.*line 4"),
    "missing subcircuit value": (
        DIVIDER + "X1 out 0 sub\n.subckt sub a b\nRa a b\n.ends\n",
        "line 7: 'Ra a b' has no value",
    ),
    "capacitor without a value": (DIVIDER + "C1 out 0\n", "line 5: 'C1 out 0' has no value"),
    "source without a value": (DIVIDER + "V2 out2 0\nR3 out2 0 1\n", "v2: has no value.*line 5"),
    "undefined parameter": (DIVIDER.replace("3k", "{r}"), r"Undefined parameter \[r\].*line 4"),
    "floating node": (DIVIDER + "C1 out m 1p\nC2 m 0 1p\n", "singular matrix.*node m"),
    # Sparse 1.3 names the node, KLU the source that looks at it
    "node misspelt in an expression": (
        DIVIDER + "B1 b 0 V=v(ouut)\nR3 b 0 1\n",
        "singular.*node (ouut|b1#branch)",
    ),
    "two sources in parallel": (DIVIDER + "V2 in 0 2\n", "singular.*v1#branch"),
    "unknown model": (DIVIDER + "D1 out 0 nomodel\n", "nomodel.*line 5: 'D1 out 0 nomodel'"),
    "unknown model parameter": (
        DIVIDER + "D1 out 0 dm\n.model dm d(is=1e-14 foo=3)\n",
        r"unrecognized parameter \(foo\).*line 6",
    ),
    "unknown element parameter": (DIVIDER.replace("3k", "3k foo=1"), r"\(foo\).*line 4"),
    "unknown subcircuit": (DIVIDER + "X1 out 0 nosub\n", "unknown subckt: x1"),
    "element twice": (DIVIDER + "R1 in 0 1\n", "line 5: 'R1 in 0 1'.*already exists"),
    "not an element": (DIVIDER + "bogus line here\n", "bogus line here"),
    "initial value of no node": (DIVIDER + ".ic v(nowhere)=1\n", "nowhere"),
    "PWL back in time": (DIVIDER + "V2 b 0 PWL(0 0 1u 1 .5u 2)\nR3 b 0 1\n", "non-increasing"),
    "root of a negative number": (DIVIDER + "B1 b 0 V=sqrt(-v(in))\nR3 b 0 1\n", "sqrt"),
    "missing include": (DIVIDER + ".include nofile.lib\n", "nofile.lib"),
    "no element": ("title only\n* comment\n", "no element"),
    "no title": ("V1 in 0 1\nR1 in 0 1k\n", "title"),
    "own analysis": (DIVIDER + ".tran 1n 1u\n", "line 5: '.tran 1n 1u' is written by the engine"),
    "own end": (DIVIDER + ".END\nR3 in 0 1\n", "line 5"),
    "own commands": (DIVIDER + " .control\nshell true\n.endc\n", "line 5"),
}


@pytest.mark.ngspice
@pytest.mark.parametrize("case", WRONG_CIRCUITS)
def test_wrong_circuits_are_refused_with_the_line(engine: Ngspice, case: str) -> None:
    netlist, message = WRONG_CIRCUITS[case]
    with pytest.raises(NetlistError, match=message):
        engine.run(netlist, SHORT)


@pytest.mark.ngspice
@pytest.mark.parametrize("name", ["v(nope)", "i(vnope)", "@rnope[i]", "@r1[nope]"])
@pytest.mark.parametrize("others", [["v(out)"], []])
def test_unknown_signals_are_refused(engine: Ngspice, name: str, others: list[str]) -> None:
    with pytest.raises(NetlistError, match="save="):
        engine.run(DIVIDER, SHORT, save=[*others, name])


@pytest.mark.ngspice
def test_a_transient_that_dies_is_a_convergence_error_with_its_time(engine: Ngspice) -> None:
    # From 0.5 us on the source has no consistent solution at x = 0.5 V.
    netlist = (
        "dies\nV1 in 0 PULSE(0 1 0.5u 1n 1n 1 2)\n"
        "B1 0 x I= v(in)>0.5 ? 1e3*(v(x)>0.5 ? -1 : 1) : 0\nC1 x 0 1f\nR1 x 0 1k\n"
    )
    with pytest.raises(ConvergenceError, match=r"Timestep too small; time = 5\.005e-07.*max_step"):
        engine.run(netlist, SHORT)


@pytest.mark.ngspice
def test_no_operating_point_is_a_convergence_error(engine: Ngspice) -> None:
    netlist = "no real solution\nB1 a 0 V=v(a)*v(a)+1\nR1 a 0 1k\n"
    with pytest.raises(ConvergenceError, match="(?i)timestep too small"):
        engine.run(netlist, OperatingPoint())


@pytest.mark.ngspice
def test_an_alarming_title_or_node_name_is_no_warning(engine: Ngspice) -> None:
    netlist = "Error: fatal warning\nV1 error 0 1\nR1 error failed 1k\nR2 failed 0 3k\n"
    assert engine.run(netlist, SHORT).voltage("failed")[-1] == pytest.approx(0.75)


@pytest.mark.ngspice
def test_a_failed_run_is_kept_on_request_and_named(tmp_path: Path) -> None:
    engine = Ngspice(keep_failed=tmp_path / "failed")
    with pytest.raises(NetlistError, match="deck and log kept in") as caught:
        engine.run(DIVIDER + "D1 out 0 nomodel\n", SHORT)
    (folder,) = (tmp_path / "failed").iterdir()
    assert str(folder) in str(caught.value)
    assert "D1 out 0 nomodel" in (folder / "deck.cir").read_text()
    assert "nomodel" in (folder / "log").read_text()


@pytest.mark.ngspice
def test_a_failed_run_that_cannot_be_kept_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    engine = Ngspice(keep_failed=tmp_path / "file" / "failed")
    with pytest.raises(NetlistError, match=r"(?s)nomodel.*could not be kept"):
        engine.run(DIVIDER + "D1 out 0 nomodel\n", SHORT)


# --- influences from outside ----------------------------------------------------------------------


@pytest.mark.ngspice
def test_spiceinit_and_environment_are_ignored(
    engine: Ngspice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each of the three alone would make the raw file text, which the reader refuses.
    (tmp_path / ".spiceinit").write_text("set filetype=ascii\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SPICE_ASCIIRAWFILE", "1")
    monkeypatch.chdir(tmp_path)
    assert engine.run(DIVIDER, SHORT).voltage("out")[-1] == pytest.approx(0.75)


@pytest.mark.ngspice
def test_nothing_is_left_in_the_temporary_folder(
    engine: Ngspice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine.run(DIVIDER, SHORT)
    with pytest.raises(NetlistError):
        engine.run(DIVIDER + "D1 out 0 nomodel\n", SHORT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.ngspice
def test_home_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service or container may start without HOME, which crashes a bare ngspice 39."""
    monkeypatch.delenv("HOME", raising=False)
    waves = Ngspice().run("* divider\nV1 a 0 2\nR1 a b 1k\nR2 b 0 1k\n", OperatingPoint())
    assert waves.voltage("b")[0] == pytest.approx(1.0, abs=1e-6)
