"""Laws of switching fitted to measured points: known values, limits, files and refusals."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import memspice as ms
from memspice.analysis.fitting import RISE, best_coordinates, fit_law, fit_laws
from memspice.analysis.points import SwitchingCounts, SwitchingTimes
from memspice.analysis.points_file import read_points
from memspice.devices.hazard import HazardLaw
from memspice.devices.switching_laws import (
    LAWS,
    SOFT,
    ExponentialLaw,
    IncubationLaw,
    MixedLaw,
    NeelBrownLaw,
    SwitchingLaw,
)
from memspice.errors import ConfigError, DataError
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path
from tests.cli_helpers import call
from tests.fit_coverage import TRUTHS, held, planned

Capture = pytest.CaptureFixture[str]
MEASURED = resource_path("points", "sot-mtj-0p75ns.csv")
CURVES = [("A", "AP->P"), ("A", "P->AP"), ("B", "AP->P"), ("B", "P->AP")]


def curve(device: str, direction: str) -> SwitchingCounts:
    points = read_points(MEASURED, {"device": device, "direction": direction}).points
    assert isinstance(points, SwitchingCounts)
    return points


def test_shipped_measured_device_is_what_the_fit_gives() -> None:
    fit = ms.fit(MEASURED, where={"device": "B", "direction": "P->AP"}, repeats=99)
    file = fit.file
    assert [line.split()[0] for line in repr(fit).splitlines()[-4:]] == [
        item.law.name.split()[0] for item in fit.laws
    ]
    assert (fit.chosen.law.name, fit.chosen.rejected) == ("exponential", False)
    shipped = load_parameter_set("sot-mtj-measured")
    law = shipped.neuron.device.hazard
    assert fit.chosen.value("voltage_scale") == pytest.approx(law.voltage_scale, rel=1e-5)
    # ln tau0 is some 45: an error of 1e-5 in V0 is one of 5e-4 in tau0.
    assert fit.chosen.value("time_scale") == pytest.approx(law.time_scale, rel=1e-3)
    assert shipped.timing.write == file.points.pulse
    # Found by another program, of the same points: 0.9045 V and 20.3 mV.
    assert fit.chosen.value("median_voltage") == pytest.approx(0.9045, abs=5e-5)
    assert law.voltage_scale == pytest.approx(0.0203, abs=5e-5)
    sources = [entry.source for entry in shipped.provenance if entry.table == "hazard"]
    assert all(text.startswith(file.source) for text in sources)
    assert shipped.device_source == "measured"


def test_measured_curves_have_the_deviances_that_were_found_elsewhere() -> None:
    """Sums over the four curves, from an independent fit by the simplex method: 214, 72 and 74."""
    sums = {kind.name: 0.0 for kind in LAWS}
    for of in CURVES:
        points = curve(*of)
        for kind in LAWS:
            sums[kind.name] += best_coordinates(points, kind(points.reference_time))[0]
    assert sums["exponential"] == pytest.approx(214.08, abs=0.01)
    assert sums["incubation"] == pytest.approx(72.4, abs=0.5)  # its tail is softened
    assert sums["mixed barriers"] == pytest.approx(73.91, abs=0.01)


@pytest.mark.parametrize(
    ("of", "law", "rejected"),
    [
        (CURVES[0], "mixed barriers", True),
        (CURVES[1], "mixed barriers", False),
        (CURVES[2], "incubation", False),
    ],
)
def test_other_measured_curves_choose_other_laws(
    of: tuple[str, str], law: str, rejected: bool
) -> None:
    points = curve(*of)
    first = fit_laws(points, repeats=0)[0]
    assert first.law.name == law
    assert fit_law(points, first.law, repeats=99).rejected == rejected
    assert fit_law(points, ExponentialLaw(points.reference_time), repeats=99).rejected


VOLTAGE = np.linspace(0.8, 1.6, 60)
TIME = np.geomspace(1e-9, 1e-3, 60)


def test_exponential_law_is_that_of_the_circuits() -> None:
    law, coordinates = ExponentialLaw(1e-6), np.array([1.2, math.log(0.05)])
    _, scale, time_scale = law.values(coordinates)
    hazard = HazardLaw(voltage_scale=scale, time_scale=time_scale)
    for voltage, time in zip(VOLTAGE, TIME, strict=True):
        expected = hazard.log_hazard_integral(voltage, time)
        found = law.log_integral(coordinates, np.array([voltage]), np.array([time]))
        assert found[0] == pytest.approx(float(expected), abs=1e-9)


def test_incubation_and_mixed_barriers_end_in_the_exponential_law() -> None:
    base = np.array([1.2, math.log(0.05)])
    expected = ExponentialLaw(1e-6).log_integral(base, VOLTAGE, TIME)
    some = expected > math.log(10 * SOFT)
    for kind in (IncubationLaw, MixedLaw):
        found = kind(1e-6).log_integral(np.array([*base, 0.0]), VOLTAGE, TIME)
        np.testing.assert_allclose(found[some], expected[some], atol=1e-6)


def test_neel_brown_with_exponent_one_is_the_exponential_law_below_its_critical_voltage() -> None:
    law, coordinates = NeelBrownLaw(1e-6), np.array([math.log(1e-9), math.log(20.0), 1.7, 1.0])
    hazard = HazardLaw.from_neel_brown(1e-9, 1.7, 20.0)
    expected = [float(hazard.log_hazard_integral(v, t)) for v, t in zip(VOLTAGE, TIME, strict=True)]
    np.testing.assert_allclose(law.log_integral(coordinates, VOLTAGE, TIME), expected, atol=1e-9)
    above = law.log_integral(coordinates, np.array([1.7, 2.5]), np.array([1e-9, 1e-9]))
    np.testing.assert_allclose(above, 0.0, atol=1e-12)


@pytest.mark.parametrize("kind", LAWS)
def test_time_of_a_switch_is_when_the_integral_reaches_its_draw(kind: type[SwitchingLaw]) -> None:
    law, truth = kind(1e-6), np.array(TRUTHS[kind])
    draws = np.geomspace(1e-4, 20, 60)
    time = law.switching_time(truth, VOLTAGE, draws)
    np.testing.assert_allclose(law.log_integral(truth, VOLTAGE, time), np.log(draws), atol=1e-6)
    # The rate is the slope of the integral, here by differences.
    up, down = (np.exp(law.log_integral(truth, VOLTAGE, time * (1 + s))) for s in (1e-6, -1e-6))
    slope = (up - down) / (2e-6 * time)
    np.testing.assert_allclose(np.exp(law.log_rate(truth, VOLTAGE, time)), slope, rtol=1e-3)


@pytest.mark.parametrize("kind", LAWS)
def test_ends_of_an_interval_are_where_the_profile_has_risen(kind: type[SwitchingLaw]) -> None:
    """At the true law's own points; the profile is taken by another method, on a grid."""
    law, truth = kind(1e-6), np.array(TRUTHS[kind])
    points = planned(law, truth).draw(law, truth, np.random.default_rng(1))
    found = fit_law(points, law, repeats=0)
    best = found.misfit
    assert points.misfit(law, truth) >= best
    for value in found.values:
        assert value.low is not None
        assert value.high is not None
        assert value.low < value.value < value.high
    if kind is ExponentialLaw:
        scale = found.values[1]
        for end in (scale.low, scale.high):
            middles = np.linspace(1.15, 1.25, 4001)
            profile = min(points.misfit(law, np.array([m, math.log(end or 1)])) for m in middles)
            assert profile - best == pytest.approx(RISE, abs=0.02)


@pytest.mark.parametrize("kind", LAWS)
def test_intervals_hold_the_truth(kind: type[SwitchingLaw]) -> None:
    """8 of the 200 repeats of ``make fit-coverage``; fewer than 5 have a chance of 4 in 10,000."""
    assert min(held(kind, 8).values()) >= 5


def test_points_that_switch_ever_more_rarely_by_mixture_are_told_from_one_step() -> None:
    truth, law = np.array(TRUTHS[MixedLaw]), MixedLaw(1e-6)
    points = planned(law, truth).draw(law, truth, np.random.default_rng(4))
    assert fit_laws(points, repeats=0)[0].law.name == "mixed barriers"
    assert not fit_law(points, law, repeats=99).rejected
    assert fit_law(points, ExponentialLaw(1e-6), repeats=99).rejected


def test_times_of_switches_are_fitted() -> None:
    truth, law = np.array(TRUTHS[ExponentialLaw]), ExponentialLaw(1e-6)
    voltage = np.repeat(np.linspace(1.1, 1.3, 6), 40)
    plan = SwitchingTimes(voltage, np.ones(len(voltage)))
    points = plan.draw(law, truth, np.random.default_rng(2))
    fitted = fit_laws(points, repeats=39)
    assert fitted[0].law.name == "exponential"
    assert fitted[0].p_value > 0.05
    assert "incubation" not in {item.law.name for item in fitted}
    # 240 exponential times: ln V0 is known to 1 / sqrt(240) over the spread of V / V0, some 5 %.
    assert fitted[0].value("voltage_scale") == pytest.approx(0.05, rel=0.15)


def rows(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


GOOD = "voltage,pulse_width,switched,trials\n" + "".join(
    f"{1 + 0.05 * k},1e-6,{count},50\n" for k, count in enumerate((0, 2, 9, 22, 39, 48, 50))
)


def test_three_kinds_of_files_say_the_same(tmp_path: Path) -> None:
    counts = read_points(rows(tmp_path / "a.csv", GOOD)).points
    shares = "# a comment\nvoltage_volt , pulse_width_s,probability\n" + "".join(
        f"{1 + 0.05 * k},1e-6,{count / 50}\n" for k, count in enumerate((0, 2, 9, 22, 39, 48, 50))
    )
    found = read_points(rows(tmp_path / "b.csv", shares), trials=50).points
    assert isinstance(counts, SwitchingCounts)
    assert isinstance(found, SwitchingCounts)
    for name in ("voltage", "time", "switched", "trials"):
        np.testing.assert_allclose(getattr(found, name), getattr(counts, name))


REFUSED: list[tuple[str, dict[str, Any], type[ConfigError], str]] = [
    ("", {}, DataError, "holds no points"),
    ("voltage,pulse_width,switched,trials\n", {}, DataError, "holds no points"),
    ("volts,pulse_width,switched,trials\n1,1,1,1\n", {}, DataError, "has the columns volts"),
    ("voltage,pulse_width\n1,1\n", {}, DataError, "has the columns voltage, pulse_width; expected"),
    ("voltage,pulse_width,switched\n1,1,1\n", {}, DataError, "no column trials: .* --trials"),
    (GOOD, {"trials": 5}, ConfigError, "has a column trials: leave --trials out"),
    (GOOD + "1.4,1e-6\n", {}, DataError, "line 9: 2 values under 4 names"),
    (GOOD + "x,1e-6,1,50\n", {}, DataError, "line 9: voltage = 'x' must be a finite number"),
    (GOOD + "nan,1e-6,1,50\n", {}, DataError, "line 9: voltage = 'nan' must be"),
    (GOOD + "1.4,0,1,50\n", {}, DataError, "line 9: pulse_width = '0' must be a number above 0"),
    (GOOD + "1.4,1e-6,1.5,50\n", {}, DataError, "line 9: switched = 1.5 must be a whole number"),
    (GOOD + "1.4,1e-6,51,50\n", {}, DataError, "line 9: 51 of 50 pulses switched"),
    (GOOD + "1.4,1e-6,-1,50\n", {}, DataError, "line 9: -1 of 50 pulses switched"),
    (GOOD + "1.4,1e-6,0,0\n", {}, DataError, "line 9: 0 of 0 pulses switched"),
    (
        "voltage,pulse_width,probability,trials\n1,1,0.145,50\n", {}, DataError,
        "line 2: probability = 0.145 of 50 trials is no whole number of switches",
    ),
    (GOOD, {"where": {"device": "B"}}, ConfigError, "no further column 'device'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "error", "words"), REFUSED)
def test_what_is_no_file_of_points_is_named(
    text: str, options: dict[str, Any], error: type[ConfigError], words: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=words) as caught:
        read_points(rows(tmp_path / "own.csv", text), **options)
    assert "own.csv" in str(caught.value)


def test_points_of_several_devices_are_not_mixed() -> None:
    with pytest.raises(ConfigError, match=r"2 values of device \(A, B\): choose one"):
        read_points(MEASURED)
    with pytest.raises(ConfigError, match="has no point with device = C"):
        read_points(MEASURED, {"device": "C"})


def counts(voltage: list[float], switched: list[int], trials: int = 50) -> SwitchingCounts:
    of = np.full(len(voltage), trials)
    return SwitchingCounts(np.array(voltage), np.full(len(voltage), 1e-6), np.array(switched), of)


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (counts([1.0] * 4, [3, 4, 5, 4]), "all points are at 1 V"),
        (counts([1.0, 1.1, 1.2, 1.3], [0] * 4), "no pulse of all points switched"),
        (counts([1.0, 1.1, 1.2, 1.3], [50] * 4), "every pulse of all points switched"),
        (counts([1.0, 1.1, 1.2, 1.3], [40, 30, 20, 10]), "give the magnitude of the voltage"),
        (counts([1.0, 1.1, 1.2], [10, 20, 40]), "3 points are too few for a law"),
    ],
)
def test_points_that_tell_no_law_are_refused(points: SwitchingCounts, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        fit_laws(points, repeats=19)


def test_a_set_of_the_fit_can_be_used_and_says_where_it_is_from(
    tmp_path: Path, capsys: Capture
) -> None:
    points = rows(tmp_path / "own.csv", GOOD)
    out, figure = tmp_path / "own.toml", tmp_path / "own.png"
    command = ["fit", points, "--out", out, "--base", "fast-memristor", "--repeats", "99"]
    more = ["--set", "periphery.write_high=1.5", "--figure", figure, "--json"]
    found = call(capsys, *command, *more).content
    assert (found["chosen"], found["points"]) == ("exponential", 7)
    own, base = load_parameter_set(str(out)), load_parameter_set("fast-memristor")
    law = next(item for item in found["laws"] if item["law"] == "exponential")
    assert own.neuron.device.hazard.voltage_scale == law["values"]["voltage_scale"]["value"]
    assert (own.timing.write, own.timing.edge) == (1e-6, pytest.approx(1e-8))
    assert own.sense == base.sense
    entry = next(item for item in own.provenance if item.name == "voltage_scale")
    assert entry.label == "M"
    assert found["sha256"] in entry.source
    assert "own.csv" in entry.source
    assert own.notes == []
    assert figure.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--out", "own.csv"], "must end in .toml"),
        (["--out", "there.toml"], "is there: remove it or choose another name"),
        (
            ["--out", "new.toml", "--set", "periphery.write_high=1.1"],
            "no set was written: give --set",
        ),
        (["--out", "new.toml", "--set", "a.b=1"], "a.b is no value of ag-asi"),
        (["--set", "timing.write=1"], "--set and --law are of the set that --out names"),
        (["--figure", "own.pdf"], "must end in .png"),
        (["--repeats", "5"], "repeats = 5 must be at least 99"),
        (["--where", "device"], "--where 'device' must be COLUMN=VALUE"),
    ],
)
def test_what_fit_cannot_do_is_said_and_nothing_written(
    more: list[str],
    words: str,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    rows(tmp_path / "points.csv", GOOD)
    rows(tmp_path / "there.toml", "mine")
    repeats = [] if "--repeats" in more else ["--repeats", "99"]
    reply = call(capsys, "fit", "points.csv", *repeats, *more)
    assert (reply.code, reply.out) == (2, "")
    assert words in " ".join(reply.err.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["points.csv", "there.toml"]


def test_law_that_the_circuits_do_not_have_is_written_only_by_name(
    tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "a.toml"
    curve_a = ["--where", "device=A", "--where", "direction=P->AP", "--base", "sot-mtj"]
    command = ["fit", MEASURED, *curve_a, "--out", out, "--repeats", "99"]
    rails = ["--set", "periphery.write_high=1.3", "--set", "periphery.supply_positive=1.4"]
    reply = call(capsys, *command, *rails)
    assert reply.code == 2
    assert "choose the law mixed barriers" in reply.err
    assert not out.exists()
    reply = call(capsys, *command, *rails, "--law", "exponential", "--json")
    assert json.loads(reply.out)["chosen"] == "mixed barriers"
    assert "REJECTED by the points" in load_parameter_set(str(out)).summary


def test_value_that_no_longer_is_the_fits_is_said(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "b.toml"
    curve = ["--where", "device=B", "--where", "direction=P->AP", "--base", "sot-mtj"]
    rails = ["--set", "periphery.write_high=1.083", "--set", "periphery.supply_positive=1.2"]
    command = ["fit", MEASURED, *curve, *rails, "--set", "timing.settle=4e-9", "--out", out]
    assert call(capsys, *command, "--repeats", "99").code == 0
    assert load_parameter_set(str(out)).notes == []
    text = out.read_text()
    value = re.search(r"voltage_scale = { value = ([\d.e-]+)", text)
    assert value
    out.write_text(text.replace(f"value = {value[1]}", "value = 0.03"))
    (note,) = load_parameter_set(str(out)).notes
    assert note.startswith(
        "hazard.voltage_scale = 0.03 bears the source of a fit that found 0.0203"
    )


def test_value_that_no_longer_is_its_sources_is_said(tmp_path: Path) -> None:
    text = resource_path("fast-memristor.toml").read_text(encoding="utf-8")
    copy = rows(tmp_path / "copy.toml", text)
    assert load_parameter_set(str(copy)).notes == []
    copy.write_text(text.replace("time_scale = { value = 3.2e-4", "time_scale = { value = 1e-4"))
    assert load_parameter_set(str(copy)).notes == [
        "hazard.time_scale = 0.0001 bears the source of fast-memristor, where it is 0.00032: give "
        "the source of the new value"
    ]
