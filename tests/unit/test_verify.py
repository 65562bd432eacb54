"""The verification: what it calls a difference, where it says it is, and what it prints."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memspice.circuits.deck import Deck
from memspice.engines import compiled, find_engine
from memspice.engines.base import EngineInfo, Transient
from memspice.engines.ngspice import Ngspice
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, EngineError
from memspice.resources import resource_path
from memspice.verification.case import Events, VerifyCase
from memspice.verification.circuits import neuron_case, rc_case, verify_cases
from memspice.verification.compare import TOLERANCE, verification_json, verify
from memspice.verification.devices import device_cases
from memspice.verification.models import check_models
from tests.cli_helpers import call

MODELS = resource_path("hazard.lib").parent
THRESHOLDS = np.array([[1.0, 2.0]])


class Constant:
    """An engine in which every source carries ``current`` [A] and every node stands at 1 V."""

    def __init__(self, current: float = 1.0, hazard: float = 1.5) -> None:
        self.info = EngineInfo("constant", "1", "/nowhere", osdi=False, klu=False)
        self.current, self.hazard = current, hazard

    def write(self, deck: Deck) -> str:
        return str(deck)

    def run(self, netlist: str, analysis: Transient, *, save: Sequence[str], **_: Any) -> Waveforms:
        time = np.linspace(0, analysis.stop, 3)
        signals = {name: np.full(3, self.current if name.startswith("i") else 1.0) for name in save}
        signals["v(h)"] = np.full(3, self.hazard)
        return Waveforms(time, signals, "", 0.0)


def case(*, spiking: bool = False) -> VerifyCase:
    deck = Deck("title", "text")
    deck.section("one").R("a", "a", 0, 1.0)

    def events(waves: Waveforms) -> Events:
        hazard = waves.voltage("h")[-1] * np.ones_like(THRESHOLDS)
        return hazard >= THRESHOLDS, hazard

    return VerifyCase(
        "deck",
        "what",
        deck,
        Transient(stop=2.0, max_step=1.0),
        (("va", "a"), ("vb", "b")),
        events=events if spiking else None,
        thresholds=THRESHOLDS if spiking else None,
        hazard=np.full_like(THRESHOLDS, 1.5) if spiking else None,
    )


def test_charge_and_energy_are_integrals_over_the_ports() -> None:
    (result,) = verify([case()], {"one": Constant(-0.25)})
    (found,) = result.measurements
    np.testing.assert_allclose(found.charge, [0.5, 0.5])
    np.testing.assert_allclose(found.energy, [0.5, 0.5])  # into the circuit is positive
    assert result.differences == ()


@pytest.mark.parametrize(("factor", "agrees"), [(1 + 0.9 * TOLERANCE, True), (1.01, False)])
def test_engines_may_differ_within_the_tolerance(factor: float, agrees: bool) -> None:
    (result,) = verify([case()], {"one": Constant(1.0), "two": Constant(factor)})
    (difference,) = result.differences
    assert difference.apart == pytest.approx(factor - 1)
    assert difference.agrees is agrees
    wrong = [] if agrees else ["two differs from one in charge through va by 1.00%"]
    assert result.complaints == wrong


def test_spikes_are_compared_one_by_one_with_engine_and_closed_form() -> None:
    engines = {"one": Constant(hazard=1.5), "two": Constant(hazard=0.5)}
    (result,) = verify([case(spiking=True)], engines)
    compared = {(d.engine, d.reference): d.events for d in result.differences}
    assert set(compared) == {("two", "one"), ("one", "closed form"), ("two", "closed form")}
    assert compared["one", "closed form"].mismatches == 0
    assert compared["two", "one"].mismatches == 1
    assert any("a spike at a margin of 50.00%" in text for text in result.complaints)
    assert any("a hazard integral by 66.67%" in text for text in result.complaints)


def test_hazard_integrals_must_agree_also_where_no_spike_differs() -> None:
    engines = {"one": Constant(hazard=1.5), "two": Constant(hazard=1.55)}
    (result,) = verify([case(spiking=True)], engines)
    against = result.differences[0].events
    assert against is not None
    assert against.mismatches == 0
    assert any("a hazard integral by 3.33%" in text for text in result.complaints)


def test_small_port_is_not_hidden_by_a_large_one() -> None:
    class Uneven(Constant):
        def run(self, *arguments: Any, **options: Any) -> Waveforms:
            waves = super().run(*arguments, **options)
            waves.signals["i(vb)"] = np.full(3, 0.01 * self.current**10)
            return waves

    (result,) = verify([case()], {"one": Uneven(1.0), "two": Uneven(1.001)})
    assert result.complaints == ["two differs from one in charge through vb by 1.00%"]


def test_course_of_a_state_is_compared_whatever_the_points() -> None:
    class Ramp(Constant):
        def run(
            self, netlist: str, analysis: Transient, *, save: Sequence[str], **_: Any
        ) -> Waveforms:
            time = np.linspace(0, analysis.stop, int(self.hazard))
            signals = {name: np.ones_like(time) for name in save}
            signals["v(x)"] = self.current * time
            return Waveforms(time, signals, "", 0.0)

    one = replace(case(), states=("x",))
    (result,) = verify([one], {"one": Ramp(1.0, 7), "two": Ramp(1.0, 12), "three": Ramp(1.1, 3)})
    first, second = result.differences
    assert first.apart == pytest.approx(0, abs=1e-12)
    assert second.where == "state x"
    assert second.apart == pytest.approx(0.05)


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(EngineError, match="deck deck moves nothing through its ports"):
        verify([case()], {"one": Constant(0.0), "two": Constant(0.0)})
    with pytest.raises(ConfigError, match="no engine"):
        verify([case()], {})


def test_failed_run_is_a_complaint_and_the_others_go_on() -> None:
    class Broken(Constant):
        def run(self, *_: Any, **__: Any) -> Waveforms:
            raise EngineError("gave up")

    engines = {"one": Broken(), "two": Constant(), "three": Constant(1.1)}
    (result,) = verify([case()], engines)
    assert result.complaints == [
        "one failed: gave up",
        "three differs from two in charge through va by 10.00%",
    ]


def test_json_has_every_number_and_no_nan() -> None:
    engines = {"one": Constant(), "two": Constant(1.1)}
    content = verification_json(verify([case(spiking=True), case()], engines))
    text = json.dumps(content, allow_nan=False)
    assert json.loads(text) == content
    first = content["decks"][0]
    assert first["engines"]["one"]["charge_coulomb"] == pytest.approx(4.0)
    assert first["agrees"] is False
    assert content["decks"][1]["differences"][0]["mismatches"] is None


def test_every_model_and_circuit_has_its_deck() -> None:
    cases = verify_cases()
    used = {name for one in cases for name in one.deck.models}
    assert used == {path.stem for path in MODELS.glob("*.va")}
    assert len({one.name for one in cases}) == len(cases)
    assert {"rc", "crossbar", "layer"} < {one.name for one in cases}


# --- both forms of a model -------------------------------------------------------------------


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the models that both engines take theirs from."""
    folder = tmp_path / "models"
    shutil.copytree(MODELS, folder)
    monkeypatch.setattr(compiled, "resource_path", lambda name: folder / name)
    monkeypatch.setattr(compiled, "model_source", lambda name: folder / f"{name}.va")
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def complaint(folder: Path, name: str) -> str | None:
    return next(check.complaint for check in check_models(folder) if check.name == name)


@pytest.mark.vacask
def test_all_models_have_one_interface_in_both_forms() -> None:
    checks = check_models()
    assert len(checks) >= 15
    assert [check for check in checks if check.complaint] == []


@pytest.mark.vacask
def test_changed_default_terminal_and_missing_twin_are_named(models: Path) -> None:
    edit(models / "selector.va", "on_current = 1e-5", "on_current = 2e-5")
    edit(models / "amplifier.va", "module amplifier(in, level,", "module amplifier(level, in,")
    (models / "vteam.lib").unlink()
    assert complaint(models, "selector") == (
        "on_current = 2e-05 in selector.va, 1e-05 in selector.lib"
    )
    assert "terminals level in" in (complaint(models, "amplifier") or "")
    assert complaint(models, "vteam") == "vteam.va has no behavioural twin vteam.lib"
    assert complaint(models, "stanford") is None


@pytest.mark.vacask
def test_model_that_does_not_compile_shows_file_and_line(models: Path) -> None:
    edit(models / "selector.va", "endmodule", "endmodul")
    assert "selector.va" in (complaint(models, "selector") or "")
    assert complaint(models, "stanford") is None


class Behavioural(Ngspice):
    """ngspice with the behavioural models, also where it could load the compiled ones."""

    def write(self, deck: Deck) -> str:
        return deck.spice()


@pytest.mark.vacask
@pytest.mark.parametrize("line", ["V(w1, w2)/r_heavy_metal;", "V(w1, w2)*(1/r_heavy_metal);"])
def test_compiler_keeps_the_threshold_whatever_stands_beside_it(models: Path, line: str) -> None:
    """One form of the switch in hazard.vams was miscompiled next to the second of these lines."""
    edit(models / "sot_mtj.va", "V(w1, w2)/r_heavy_metal;", line)
    (result,) = verify([neuron_case("sot-mtj", cycles=2)], {"vacask": find_engine("vacask")})
    assert result.complaints == []
    (found,) = result.measurements
    assert found.spikes is not None
    assert 0 < found.spikes.sum() < found.spikes.size


@pytest.mark.ngspice
@pytest.mark.vacask
def test_changed_equation_makes_the_engines_differ_and_says_where(models: Path) -> None:
    edit(
        models / "selector.va", "on_current * (sinh(bounded)", "on_current * (1.02 * sinh(bounded)"
    )
    cases = [one for one in device_cases() if one.name in ("selector", "synapse-sinh")]
    results = verify(cases, {"ngspice": Behavioural(), "vacask": find_engine("vacask")})
    by_name = {result.case.name: result for result in results}
    assert by_name["synapse-sinh"].complaints == []
    (complaint,) = by_name["selector"].complaints
    assert "vacask differs from ngspice in charge through vp by 2.0" in complaint


@pytest.mark.vacask
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("selector(p, n)", "selector(p)", "no terminal 'n'"),
        ("real on_current", "real on_curent", "no parameter 'on_current'"),
    ],
)
def test_model_without_a_declared_name_is_refused_by_it(
    models: Path, old: str, new: str, words: str
) -> None:
    text = (models / "selector.va").read_text(encoding="utf-8").replace(old, new)
    if "curent" in new:
        text = text.replace("on_current *", "on_curent *")
    else:
        text = text.replace("inout p, n;", "inout p;").replace(
            "electrical p, n;", "electrical p, n;"
        )
    (models / "selector.va").write_text(text, encoding="utf-8")
    (case,) = (one for one in device_cases() if one.name == "selector")
    (result,) = verify([case], {"vacask": find_engine("vacask")})
    (text,) = result.complaints
    assert text.startswith("vacask failed: ")
    assert words in text


# --- the command -----------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memspice.verification.engines.verify_cases", lambda: [rc_case()])
    monkeypatch.setattr("memspice.verification.engines.check_models", list)


@pytest.mark.ngspice
@pytest.mark.vacask
@pytest.mark.usefixtures("small")
def test_command_prints_one_object_or_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = call(capsys, "verify", "--json")
    content = json.loads(outcome.out)
    assert outcome.code == 0
    assert content["agrees"] is True
    assert set(content["engines"]) == {"ngspice", "vacask"}
    outcome = call(capsys, "verify")
    lines = outcome.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith("rc")
    assert lines[2].split()[0] == "vacask"


@pytest.mark.ngspice
@pytest.mark.usefixtures("small")
def test_single_engine_verifies_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = call(capsys, "verify", "--engine", "ngspice")
    assert outcome.code == 3
    assert outcome.out.startswith("deck")
    assert "one engine agrees with itself only" in outcome.err


@pytest.mark.usefixtures("small")
def test_difference_ends_with_4_after_the_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = {"ngspice": Constant(1.0), "vacask": Constant(1.1)}
    monkeypatch.setattr("memspice.verification.engines.installed_engines", lambda: (engines, {}))
    outcome = call(capsys, "verify")
    assert outcome.code == 4
    assert outcome.out.startswith("deck")
    assert "deck rc: vacask differs from ngspice in charge through vstep by 10.00%" in outcome.err


@pytest.mark.usefixtures("small")
def test_page_gets_the_table_between_its_marks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engines = {"ngspice": Constant(), "vacask": Constant()}
    monkeypatch.setattr("memspice.verification.engines.installed_engines", lambda: (engines, {}))
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- verify -->\nold\n<!-- /verify -->\nafter\n")
    assert call(capsys, "verify", "--page", str(page)).code == 0
    text = page.read_text()
    assert "old" not in text
    assert text.startswith("before\n<!-- verify -->\n\n    deck ")
    assert text.endswith("<!-- /verify -->\nafter\n")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("text", ["", "<!-- verify -->", "<!-- /verify --><!-- verify -->"])
def test_page_without_its_marks_is_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    outcome = call(capsys, "verify", "--page", page)
    assert outcome.code == 2
    assert "needs one <!-- verify --> and behind it one <!-- /verify -->" in outcome.err
    assert page.read_text() == text
    assert call(capsys, "verify", "--page", tmp_path / "none.md").code == 2


@pytest.mark.usefixtures("small")
def test_page_keeps_its_table_where_engines_differ(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- verify -->good<!-- /verify -->")
    for engines, code in (
        ({"ngspice": Constant(), "vacask": Constant(1.1)}, 4),
        ({"ngspice": Constant()}, 3),
    ):
        monkeypatch.setattr(
            "memspice.verification.engines.engines_by_name", lambda _, found=engines: (found, {})
        )
        assert call(capsys, "verify", "--page", page).code == code
        assert "good" in page.read_text()
