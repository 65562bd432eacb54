"""Runs that are stopped and resumed give what a run gives that nobody stopped, to the bit."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from memspice.datasets.digits import load_digits
from memspice.errors import ConvergenceError, IncompleteResults, StoreError
from memspice.experiment.cosim import CosimPlan
from memspice.experiment.cosim_run import cosimulate
from memspice.experiment.infer import infer
from memspice.experiment.simulate_layer import LayerRun, simulate_layer
from memspice.network.architecture import Architecture, Dense
from memspice.network.weights import save_network
from memspice.resources import resource_path
from memspice.store import read_run
from memspice.windows import setup as windows_setup
from memspice.windows.reduced import Reduced
from memspice.windows.setup import Setup
from tests.cli_helpers import call
from tests.faults import kills
from tests.kill_helpers import content
from tests.loop_helpers import LEVELS, make_network
from tests.unit.test_scheduler import StandIn

Capture = pytest.CaptureFixture[str]
SETUP = Setup(network="digits-mlp", images=120, cycles=5)
COSIM = Setup(network="digits-mlp", images=2, cycles=2)
PLAN = CosimPlan(
    spice_windows=2, spice_cycles=1, model_windows=2, full_windows=1, full_cycles=1,
    showcase_cycles=1, max_iterations=2,
)  # fmt: skip


class Stop:
    """Progress that interrupts at some step."""

    def __init__(self, step: int) -> None:
        self.left = step

    def __call__(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def steady(out: Path) -> dict[str, Any]:
    found = content(out)
    return {**found, "summary": kills.steady(found["summary"])}


def test_infer_goes_on_with_the_batches_that_are_stored(tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole.h5", tmp_path / "stopped.h5"
    plain = infer(SETUP)
    found = infer(SETUP, out=whole)
    assert found["out"] == str(whole)
    assert kills.steady(found) == kills.steady(plain)
    with pytest.raises(KeyboardInterrupt):
        infer(SETUP, progress=Stop(5), out=stopped)  # three batches of the ANN, then those of SNN
    with read_run(stopped) as run:
        assert 1 <= len(run.jobs()) < 3
    resumed = infer(SETUP, out=stopped, resume=True)
    assert kills.steady(resumed) == kills.steady(plain)
    assert steady(stopped) == steady(whole)
    assert kills.steady(infer(SETUP, out=stopped, resume=True)) == kills.steady(plain)


def test_a_run_whose_jobs_fail_leaves_the_earlier_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out, small = tmp_path / "run.h5", Setup(network="digits-mlp", images=1, cycles=1)
    simulate_layer(small, LayerRun(fidelity="surrogate"), out)
    before = out.read_bytes()
    engine = StandIn(lambda _: ConvergenceError("gave up"))
    with monkeypatch.context() as patch:
        place = "memspice.experiment.simulate_layer.open_fidelity"
        patch.setattr(place, lambda *_: Reduced(engine))
        with pytest.raises(IncompleteResults, match="gave up"):
            simulate_layer(small, LayerRun(), out)
    assert out.read_bytes() == before
    with read_run(tmp_path / "run.h5.parts" / "_index.h5") as run:
        assert (run.status, {info.status for info in run.jobs()}) == ("incomplete", {"failed"})
    simulate_layer(small, LayerRun(fidelity="surrogate"), out)
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


@pytest.mark.ngspice
def test_cosim_goes_on_with_the_windows_that_are_stored(tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole.h5", tmp_path / "stopped.h5"
    size = {"transfer_points": 3, "transfer_events": 8}
    cosimulate(COSIM, PLAN, whole, progress=lambda *_: None, **size)
    with read_run(whole) as run:
        total = len(run.jobs())

    windows = Stop(3)

    def progress(stage: str, done: int, _: int) -> None:
        if "SPICE" in stage and done:
            windows()

    with pytest.raises(KeyboardInterrupt):
        cosimulate(COSIM, PLAN, stopped, progress=progress, **size)
    with read_run(stopped) as run:
        kept = len(run.jobs())
    assert 1 <= kept < total
    found = cosimulate(COSIM, PLAN, stopped, resume=True, progress=lambda *_: None, **size)
    assert found.summary["jobs"]["simulated"] == total - kept
    assert found.summary["jobs"]["total"] == total
    assert steady(stopped) == steady(whole)


@pytest.mark.parametrize("changed", ["network", "device", "images"])
def test_what_a_name_stands_for_may_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    network, device, out = (tmp_path / name for name in ("net.h5", "dev.toml", "run.h5"))
    tiny = Architecture("tiny", (1, 8, 8), (Dense(4), Dense(4)))
    save_network(make_network(tiny), network, LEVELS)
    device.write_text(resource_path("fast-memristor.toml").read_text())
    setup = Setup(network=str(network), device=str(device), images=2, cycles=2)
    assert kills.steady(infer(setup, out=out)) == kills.steady(infer(setup, out=out, resume=True))
    if changed == "network":
        save_network(make_network(tiny, scale=2.0), network, LEVELS)
    elif changed == "device":
        device.write_text(device.read_text().replace("1.62", "1.61"))
    else:
        others = load_digits("train", 2)
        monkeypatch.setattr(windows_setup, "load_digits", lambda *_: others)
    with pytest.raises(StoreError, match=rf'made in another way[^+]*- +"{changed}": "'):
        infer(setup, out=out, resume=True)


def test_resume_needs_out(capsys: Capture) -> None:
    reply = call(capsys, "infer", "--network", "digits-mlp", "--resume")
    assert (reply.code, "--resume needs --out" in reply.err) == (2, True)


@pytest.mark.slow
def test_killed_infer_resumes_and_leaves_a_finished_result_whole(tmp_path: Path) -> None:
    case = next(case for case in kills.CASES if case.name == "infer")
    said: list[str] = []
    for count in kills.trials(case, tmp_path, 1, random.Random(1), said.append):
        assert count.survived == count.trials, "\n".join(said)
