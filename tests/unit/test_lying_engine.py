"""A lying engine in every command: what it says is shown, told, and kept nowhere."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from memspice.circuits.energy_model import COMPONENTS
from memspice.cli.main import main
from memspice.engines.waveforms import Waveforms
from memspice.experiment.cosim import CosimPlan
from memspice.jobs import Execution, JobCache
from memspice.store import read_run
from memspice.windows.agreement import (
    Verdict,
)
from memspice.windows.closed_form import closed_form_layers
from tests.cli_helpers import DIGITS
from tests.helpers import ngspice
from tests.settings import Setting
from tests.waveform_lies import Lie, exchanged, scaled


class Liar:
    """The real engine, whose waveforms pass through a lie."""

    def __init__(self, lie: Lie) -> None:
        self._real, self._lie = ngspice(), lie

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def run(self, *arguments: Any, **options: Any) -> Waveforms:
        return self._lie(self._real.run(*arguments, **options))


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobCache:
    monkeypatch.setenv("MEMSPICE_CACHE", str(tmp_path / "cache"))
    return JobCache()


def lying_engine(monkeypatch: pytest.MonkeyPatch, lie: Lie) -> None:
    """Put a liar in the place of the engine of every command."""
    for place in ("windows.fidelities", "experiment.cosim_run"):
        monkeypatch.setattr(f"memspice.{place}.find_engine", lambda name: Liar(lie))


@pytest.mark.ngspice
@pytest.mark.parametrize("layer", ["dense1", "dense2"])
def test_a_layer_of_one_wrong_deck_is_void(
    layer: str, monkeypatch: pytest.MonkeyPatch, cache_folder: JobCache
) -> None:
    seen: list[None] = []

    def lie_once(waves: Waveforms) -> Waveforms:
        seen.append(None)
        return scaled("i(vsense_p)", 2.0)(waves) if len(seen) == 3 else waves

    lying_engine(monkeypatch, lie_once)
    setup = Setting(network="digits-mlp", cycles=1)
    result = setup.simulate(layer, execution=Execution(workers=1, cache=True))
    (note,) = result.as_json()["notes"]
    assert note.startswith("the energy closes to 3")
    assert result.as_json()["verdict"]["doubts"] == [note]
    lines = repr(result).splitlines()
    assert max(map(len, lines)) <= 80
    assert f"note {note}" in " ".join(" ".join(lines).split())
    assert cache_folder.files() == []  # nothing of that run, not even of its right decks
    monkeypatch.undo()


@pytest.mark.ngspice
def test_what_is_in_the_cache_is_judged_again(
    monkeypatch: pytest.MonkeyPatch, cache_folder: JobCache
) -> None:
    setup = Setting(network="digits-mlp", cycles=1)
    run = {"layer": "dense2", "execution": Execution(workers=1, cache=True)}
    lying_engine(monkeypatch, scaled("i(vsense_p)", 2.0))
    with monkeypatch.context() as patch:  # an entry of a rule that let it pass
        patch.setattr(Verdict, "holds", True)
        assert setup.simulate(**run).as_json()["jobs"]["simulated"] == 3
    assert len(cache_folder.files()) == 3
    lying_engine(monkeypatch, lambda waves: waves)
    again = setup.simulate(**run)
    assert again.as_json()["jobs"]["cached"] == 0
    assert again.verdict.holds
    assert setup.simulate(**run).as_json()["jobs"]["cached"] == 3


@pytest.mark.ngspice
def test_inference_of_a_liar_is_void(
    monkeypatch: pytest.MonkeyPatch, cache_folder: JobCache, capsys: pytest.CaptureFixture[str]
) -> None:
    lying_engine(monkeypatch, exchanged(("v(drive0)", "v(drive1)")))
    command = ["infer", *DIGITS, "--images", "1", "--cycles", "1"]
    with pytest.raises(SystemExit) as stopped:
        main([*command, "--fidelity", "reduced"])
    assert stopped.value.code == 4
    said = capsys.readouterr()
    assert "a drive or score is off" in " ".join(said.out.split())
    assert "a drive or score is off" in said.err
    kept = [cache_folder.label(file)["job"] for file in cache_folder.files()]
    assert all(name.startswith("ports") for name in kept)  # no engine has a part in these


@pytest.mark.ngspice
def test_cosim_of_a_liar_calibrates_nothing(
    monkeypatch: pytest.MonkeyPatch, cache_folder: JobCache, tmp_path: Path
) -> None:
    # Two variables exchanged in the raw file: 5.79 nJ in the place of 0.87 once came of it.
    lying_engine(monkeypatch, exchanged(("v(o0)", "v(o1)")))
    cached: list[bool] = []

    def curve(*_: Any, execution: Execution, **__: Any) -> SimpleNamespace:
        cached.append(execution.cache)
        return SimpleNamespace(doubts=("not measured",))

    monkeypatch.setattr("memspice.experiment.cosim_run.characterize", curve)
    setup = Setting(network="digits-mlp", images=4, cycles=2)
    plan = CosimPlan(spice_cycles=1, model_windows=2, full_windows=1, full_cycles=1)
    out = tmp_path / "run.h5"
    run = setup.cosim(plan, out=out, execution=Execution(cache=True))
    assert cached == [False]
    assert run.state.calibration == {}
    assert len(run.state.iterations) == 1
    assert not run.state.settled
    summary = run.as_json()
    assert summary["verdict"]["holds"] is False
    assert set(summary["verdict"]["doubts"]) < set(summary["notes"])
    assert any("no number is calibrated by SPICE" in note for note in summary["notes"])
    assert "transfer curve: not measured" in summary["verdict"]["doubts"]
    assert cache_folder.files() == []
    with read_run(out) as stored:
        assert stored.status == "incomplete"
        assert stored.summary["notes"] == summary["notes"]
    windows = {
        layer.name: list(run.state.modelled[layer.name]) for layer in run.request.mapped.layers
    }
    alone = closed_form_layers(
        run.request.mapped.layers, windows, run.state.iterations[0].inference, cycles=2, seed=0
    )
    found = sum(summary["energy_per_inference_joule"][name] for name in COMPONENTS)
    assert found == pytest.approx(sum(layer.total for layer in alone.values()))
