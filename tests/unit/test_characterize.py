"""P(V) of a neuron circuit: the closed form, the bookkeeping of events, SPICE, figure, command."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from memspice.analysis.transfer import (
    Station,
    drive_voltages,
    hazard_integral,
    read_disturb,
    swept_stations,
    switching_probability,
    transfer_point,
)
from memspice.circuits.deck import Deck
from memspice.cli.characterize import characterize_command
from memspice.engines.base import Analysis, EngineInfo, Transient
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, EngineError, IncompleteResults
from memspice.experiment.characterize import MOST_CYCLES, MOST_NEURONS, characterize
from memspice.experiment.results.characterization import Characterization
from memspice.jobs import Execution
from memspice.parameters import PARAMETER_SETS, ParameterSet, load_parameter_set
from memspice.plot.transfer_plot import draw_transfer

SETS = pytest.mark.parametrize("name", PARAMETER_SETS)


class StillEngine:
    """Answers every deck with signals at zero, and keeps the decks."""

    info = EngineInfo("still", "1", "/somewhere/still", osdi=False, klu=False)

    def __init__(self, fail_at: int = 10**9) -> None:
        self.netlists: list[str] = []
        self.fail_at = fail_at

    def write(self, deck: Deck) -> str:
        return str(deck)

    def run(
        self,
        netlist: str,
        analysis: Analysis,
        *,
        save: Sequence[str] = (),
        cancel: threading.Event | None = None,
        **_: Any,
    ) -> Waveforms:
        assert isinstance(analysis, Transient)
        assert cancel is not None
        self.netlists.append(netlist)
        if len(self.netlists) >= self.fail_at:
            raise EngineError("the deck failed")
        time = np.linspace(0, analysis.stop, 5)
        return Waveforms(time, {name: np.zeros(5) for name in save}, "", 0.0)

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Neurons and cycles of each deck."""
        found = [re.search(r"(\d+) \w+ neurons, (\d+) cycles", text) for text in self.netlists]
        return [(int(match[1]), int(match[2])) for match in found if match]

    def thresholds(self) -> list[str]:
        """Every threshold of every deck, as written."""
        text = "\n".join(self.netlists).replace("\n+", " ")
        lines = re.findall(r"^Vthreshold.*pwl\((.*)\)", text, re.MULTILINE)
        return [point.split()[1] for line in lines for point in line.split("  ")[::2]]


def with_periphery(parameter_set: ParameterSet, **values: float) -> ParameterSet:
    driver = parameter_set.neuron.driver.model_copy(update=values)
    return replace(parameter_set, neuron=replace(parameter_set.neuron, driver=driver))


# --- closed form -------------------------------------------------------------------------------


@SETS
def test_sweep_runs_from_1_to_99_percent_between_the_rails(name: str) -> None:
    chosen = load_parameter_set(name)
    voltages = drive_voltages(chosen, 9)
    assert voltages.shape == (11,)
    assert (np.diff(voltages) > 0).all()
    assert (voltages[0], voltages[-1]) == (
        chosen.neuron.driver.write_low,
        chosen.neuron.driver.write_high,
    )
    assert np.diff(voltages[1:-1]) == pytest.approx(np.full(8, voltages[2] - voltages[1]))
    expected = switching_probability(chosen, voltages)
    # The edges of the pulse shift the curve by less than this.
    assert (expected[1], expected[-2]) == pytest.approx((0.01, 0.99), rel=5e-3)
    assert (np.diff(expected) > 0).all()


@pytest.mark.parametrize("rail", [{"write_high": 3.2}, {"write_low": 2.5}])
def test_sweep_outside_the_rails_is_refused(rail: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"needs a drive of 2\.32\d to 3\.27\d V, but"):
        drive_voltages(with_periphery(load_parameter_set("ag-asi"), **rail), 5)


def test_stations_end_where_the_rails_do() -> None:
    whole, notes = swept_stations(load_parameter_set("ag-asi"), 5)
    assert [station.voltage for station in whole] == drive_voltages(
        load_parameter_set("ag-asi"), 5
    ).tolist()
    assert not notes
    cut = with_periphery(load_parameter_set("ag-asi"), write_low=2.5)
    found, notes = swept_stations(cut, 5)
    voltages = np.array([station.voltage for station in found])
    assert voltages[0] == 2.5
    assert voltages[-1] == whole[-1].voltage
    assert [station.rail for station in found] == [True, *5 * [False], True]
    assert (np.diff(voltages) > 0).all()
    assert voltages[-2] < drive_voltages(load_parameter_set("ag-asi"), 5)[-2]
    low, high = switching_probability(cut, np.array([2.5, 3.2724]))
    assert notes == [f"rails of 2.5 to {voltages[-1]:g} V let P go from {low:.2g} to {high:.2g}"]
    with pytest.raises(ConfigError, match=r"needs a drive of 2\.32\d to 3\.27\d V, but"):
        swept_stations(with_periphery(load_parameter_set("ag-asi"), write_low=3.3), 5)


def test_known_probability_of_ag_asi() -> None:
    """The published fit: V50 = 2.98 V at 1 ms; driver and series resistor take a thousandth."""
    assert switching_probability(load_parameter_set("ag-asi"), 2.98) == pytest.approx(0.5, abs=0.02)


def test_hazard_integral_falls_e_times_a_voltage_scale_behind_the_driver() -> None:
    chosen = load_parameter_set("sot-mtj")
    fraction = 776.0 / (776.0 + 100.0)
    step = chosen.neuron.device.hazard.voltage_scale / fraction
    ratio = hazard_integral(chosen, 0.8) / hazard_integral(chosen, 0.8 - step)
    assert float(ratio) == pytest.approx(np.e, rel=2e-3)  # the edges' share


def test_read_disturb_of_known_rates() -> None:
    """tau(0.5 V) = 1.2e4 s of the published fit; an MTJ is left with its thermal tau0."""
    assert read_disturb(load_parameter_set("ag-asi")) == pytest.approx(200e-6 / 1.2e4, rel=0.1)
    tau0 = 1e-9 * np.exp(20.0)
    assert read_disturb(load_parameter_set("sot-mtj")) == pytest.approx(4.2e-9 / tau0, rel=1e-3)


def test_read_disturb_grows_with_the_read_voltage() -> None:
    chosen = load_parameter_set("fast-memristor")
    found = [read_disturb(with_periphery(chosen, neuron_read_voltage=v)) for v in (0.1, 0.4, 0.7)]
    # The edges are a tenth of the pulse and count for less at a higher voltage.
    assert found[1] / found[0] == pytest.approx(np.exp(0.3 / 0.156), rel=0.05)
    assert found[2] > found[1]


# --- bookkeeping -------------------------------------------------------------------------------


def test_spikes_against_the_closed_form_are_found_with_their_margin() -> None:
    chosen = load_parameter_set("fast-memristor")
    voltage = float(drive_voltages(chosen, 3)[2])
    hazard = float(hazard_integral(chosen, voltage))
    thresholds = hazard * np.array([0.5, 0.8, 0.99, 1.02, 1.25, 2.0])
    right = thresholds <= hazard
    energy = np.array([6.0, 12.0, 18.0])

    def point(spike: np.ndarray, simulated: np.ndarray) -> Any:
        return transfer_point(Station(chosen, voltage), thresholds, spike, simulated, energy)

    good = point(right, np.full(6, hazard))
    assert (good.count, good.mismatches, good.worst_margin) == (3, 0, 0)
    assert good.energy_joule == {"write": 1.0, "read": 2.0, "reset": 3.0}
    wrong = right.copy()
    wrong[[2, 4]] = [False, True]
    simulated = hazard * np.array([1.01, 1, 1, 1, 1, 0.97])
    bad = point(wrong, simulated)
    assert (bad.count, bad.mismatches) == (3, 2)
    assert bad.worst_margin == pytest.approx(0.2)
    assert (bad.deviation_low, bad.deviation_high) == pytest.approx((-0.03, 0.01))
    assert bad.hazard_spice == pytest.approx(hazard * (1 - 0.02 / 6))


@pytest.mark.parametrize("events", [1, 7, 16, 17, 300, 512, 513, 1300])
def test_decks_hold_at_least_the_events_asked_for_and_are_no_larger_than_allowed(
    events: int,
) -> None:
    engine = StillEngine()
    result = characterize("sot-mtj", points=2, events=events, seed=3, engine=engine)
    for point in result.points:
        assert events <= point.spikes.n <= 1.1 * events + 1
    assert all(n <= MOST_NEURONS and cycles <= MOST_CYCLES for n, cycles in engine.sizes)
    assert sum(n * cycles for n, cycles in engine.sizes) == result.events


def test_every_event_has_a_threshold_of_its_own_given_by_the_seed() -> None:
    drawn = []
    for seed, workers in ((2**64 - 2, 1), (2**64 - 2, 2), (2**64 - 1, 1)):
        engine = StillEngine()
        result = characterize(
            "sot-mtj",
            points=2,
            events=600,
            seed=seed,
            engine=engine,
            execution=Execution(workers=workers),
        )
        found = set(engine.thresholds())
        assert len(engine.thresholds()) == len(found) == result.events
        drawn.append(found)
    assert drawn[0] == drawn[1]
    assert not drawn[0] & drawn[2]


def test_progress_counts_the_decks() -> None:
    seen: list[tuple[int, int]] = []
    characterize(
        "sot-mtj",
        points=3,
        events=600,
        engine=StillEngine(),
        progress=lambda *step: seen.append(step),
    )
    assert seen == [("transfer curve", k, 10) for k in range(1, 11)]


def test_failed_deck_is_not_left_out() -> None:
    with pytest.raises(IncompleteResults, match="of 4 decks failed, .*: the deck failed"):
        characterize("sot-mtj", points=2, events=8, engine=StillEngine(fail_at=3))


@pytest.mark.parametrize(
    ("points", "events", "seed", "words"),
    [
        (1, 8, 0, "points = 1"),
        (3, 0, 0, "events per point = 0"),
        (3, 8, -1, "seed = -1"),
        (3, 8, 2**64, "seed = 1844"),
    ],
)
def test_numbers_out_of_range_are_refused(points: int, events: int, seed: int, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        characterize("sot-mtj", points=points, events=events, seed=seed, engine=StillEngine())


# --- SPICE -------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=PARAMETER_SETS)
def result(request: pytest.FixtureRequest) -> Characterization:
    chosen = load_parameter_set(request.param)
    return characterize(chosen, points=5, events=64, seed=11)


@pytest.mark.ngspice
def test_a_late_switch_of_few_is_no_doubt() -> None:
    """Of 64 attempts at P = 1 % two switch, late: the course of a switch is 4 % of their energy."""
    chosen = load_parameter_set("fast-memristor")
    assert characterize(chosen, points=3, events=64).doubts == ()


@pytest.mark.ngspice
def test_spice_spikes_as_the_closed_form_says(result: Characterization) -> None:
    """Event by event, so no luck is in it; a spike may differ within 1 % of its threshold."""
    assert result.events == 7 * 64
    assert result.worst_deviation < 0.003
    assert result.mismatches <= 2
    assert result.worst_margin < 0.01


@pytest.mark.ngspice
def test_spike_counts_fit_the_probabilities(result: Characterization) -> None:
    """Seed 11; a right circuit would fail this at one seed in 1,000."""
    assert result.agreement.degrees >= 2
    assert result.agreement.p_value > 1e-3
    assert result.points[0].count == 0
    assert result.points[-1].count == result.points[-1].spikes.n


@pytest.mark.ngspice
def test_energy_of_an_event_rises_with_its_drive(result: Characterization) -> None:
    written = [point.energy_joule["write"] for point in result.points]
    assert written == sorted(written)
    assert result.points[-1].energy_joule["reset"] > result.points[1].energy_joule["reset"]


@pytest.mark.ngspice
def test_figure_shows_what_was_found(result: Characterization) -> None:
    figure = draw_transfer(result)
    upper, lower = figure.axes
    low, high = upper.get_xlim()
    shown = [p for p in result.points if low <= p.voltage <= high]
    assert all(point in shown for point in result.sweep)
    bars = upper.containers[0]
    np.testing.assert_allclose(bars[0].get_ydata(), [p.spikes.value for p in shown])
    closed = upper.lines[1]
    np.testing.assert_allclose(
        closed.get_ydata(), switching_probability(result.parameter_set, closed.get_xdata())
    )
    note = upper.texts[0].get_text()
    assert f"{result.mismatches} of {result.events}" in note
    for point in result.points:
        assert (f"{point.voltage:g} V" in note) != (point in shown)
    deviation = [100 * (p.hazard_spice / p.hazard - 1) for p in shown]
    np.testing.assert_allclose(lower.containers[0][0].get_ydata(), deviation)
    figure.canvas.draw()


# --- command -----------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    found = CliRunner().invoke(characterize_command, arguments, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout


@pytest.mark.ngspice
def test_command_prints_one_json_object_and_writes_its_files(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    text = run("--device", "sot-mtj", "--points", "2", "--events", "8", "--seed", "5",
               "--jobs", "2", "--out", str(out), "--parents", "--json")  # fmt: skip
    found = json.loads(text)
    assert found["parameter_set"] == "sot-mtj"
    assert set(found["engine"]) == {"name", "version", "osdi", "klu", "executable"}
    assert (found["seed"], found["events"], len(found["points"])) == (5, 32, 4)
    assert set(found["points"][0]["spikes"]) == {"value", "n", "low", "high"}
    image, numbers = (Path(name) for name in found.pop("out"))
    assert image == out / "characterize-sot-mtj.png"
    assert image.read_bytes().startswith(b"\x89PNG")
    assert json.loads(numbers.read_text("utf-8")) == found


@pytest.mark.ngspice
def test_command_prints_a_table_of_80_columns() -> None:
    lines = run("--points", "2", "--events", "8").splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.endswith("rail") for line in lines) == 2
    assert "of 32 differ" in "\n".join(lines)


def test_changed_values_are_simulated_and_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = StillEngine()
    monkeypatch.setattr("memspice.experiment.characterize.find_engine", lambda name: engine)
    place = "memspice.experiment.results.characterization.check_verdict"
    monkeypatch.setattr(place, list)  # it is still, after all
    arguments = ("--points", "2", "--events", "1", "--json")
    found = json.loads(run("--set", "neuron.series_resistance=2e6", *arguments))
    assert found["notes"][0] == "changed: neuron.series_resistance = 2000000.0"
    assert "Rseries mid 0 2000000" in engine.netlists[-1]
    assert not any(note.startswith("changed") for note in json.loads(run(*arguments))["notes"])
    with pytest.raises(ConfigError, match="cannot be changed"):
        run("--set", "neuron.resistance=1")


def test_a_curve_beyond_its_limits_is_shown_and_fits_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memspice.experiment.characterize.find_engine", lambda name: StillEngine())
    monkeypatch.setenv("MEMSPICE_CACHE", str(tmp_path / "cache"))
    fit = tmp_path / "fit.toml"
    arguments = ["--points", "2", "--events", "8", "--out", str(tmp_path), "--fit", str(fit)]
    result = CliRunner().invoke(characterize_command, arguments)
    assert isinstance(result.exception, EngineError)
    assert "note 16 spikes differ from the closed" in " ".join(result.output.split())
    numbers = json.loads((tmp_path / "characterize-ag-asi.json").read_text("utf-8"))
    assert any("spikes differ from the closed form" in note for note in numbers["notes"])
    assert not fit.exists()
    assert not list((tmp_path / "cache").rglob("*.job"))


def test_unwritable_folder_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = StillEngine()
    monkeypatch.setattr("memspice.experiment.characterize.find_engine", lambda name: engine)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be made a folder"):
        run("--out", str(tmp_path / "file" / "below"))
    assert not engine.netlists


def test_numbers_that_cannot_be_written_are_reported_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = StillEngine()
    monkeypatch.setattr("memspice.experiment.characterize.find_engine", lambda name: engine)
    (tmp_path / "characterize-ag-asi.json").mkdir()
    with pytest.raises(ConfigError, match="is a folder; name a file"):
        run("--points", "2", "--events", "1", "--out", str(tmp_path))
    assert not engine.netlists


def test_unknown_device_is_refused() -> None:
    with pytest.raises(ConfigError, match="'fast'"):
        run("--device", "fast")
