"""Runs that are stopped and resumed give what a run gives that nobody stopped, to the bit."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memspice.datasets.digits import load_digits
from memspice.errors import ConvergenceError, IncompleteResults, StoreError
from memspice.experiment.cosim import CosimPlan
from memspice.network.architecture import Architecture, Dense
from memspice.network.weights import save_network
from memspice.resources import resource_path
from memspice.store import read_run
from memspice.windows.reduced import Reduced
from tests.cli_helpers import DIGITS, call
from tests.faults import kills
from tests.kill_helpers import content
from tests.loop_helpers import LEVELS, make_network
from tests.settings import Setting
from tests.unit.test_scheduler import StandIn

Capture = pytest.CaptureFixture[str]
SETUP = Setting(network="digits-mlp", images=120, cycles=5)
COSIM = Setting(network="digits-mlp", images=2, cycles=2)
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
    plain = SETUP.infer()
    found = SETUP.infer(out=whole)
    assert found["out"] == str(whole)
    assert kills.steady(found) == kills.steady(plain)
    with pytest.raises(KeyboardInterrupt):
        SETUP.infer(progress=Stop(5), out=stopped)  # three batches of the ANN, then those of SNN
    with read_run(stopped) as run:
        assert 1 <= len(run.jobs()) < 3
    resumed = SETUP.infer(out=stopped, resume=True)
    assert kills.steady(resumed) == kills.steady(plain)
    assert steady(stopped) == steady(whole)
    assert kills.steady(SETUP.infer(out=stopped, resume=True)) == kills.steady(plain)


def test_a_run_whose_jobs_fail_leaves_the_earlier_result(tmp_path: Path) -> None:
    out, small = tmp_path / "run.h5", Setting(network="digits-mlp", images=1, cycles=1)
    small.simulate(fidelity="surrogate", out=out)
    before = out.read_bytes()
    engine = StandIn(lambda _: ConvergenceError("gave up"))
    with pytest.raises(IncompleteResults, match="gave up"):
        small.simulate(fidelity=Reduced(engine), out=out)
    assert out.read_bytes() == before
    with read_run(tmp_path / "run.h5.parts" / "_index.h5") as run:
        assert (run.status, {info.status for info in run.jobs()}) == ("incomplete", {"failed"})
    small.simulate(fidelity="surrogate", out=out)
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


@pytest.mark.ngspice
def test_cosim_goes_on_with_the_windows_that_are_stored(tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole.h5", tmp_path / "stopped.h5"
    COSIM.cosim(PLAN, out=whole)
    with read_run(whole) as run:
        total = len(run.jobs())

    windows = Stop(3)

    def progress(stage: str, done: int, _: int) -> None:
        if "SPICE" in stage and done:
            windows()

    with pytest.raises(KeyboardInterrupt):
        COSIM.cosim(PLAN, out=stopped, progress=progress)
    with read_run(stopped) as run:
        kept = len(run.jobs())
    assert 1 <= kept < total
    found = COSIM.cosim(PLAN, out=stopped, resume=True)
    assert found.jobs.simulated == total - kept
    assert found.jobs.total == total
    assert steady(stopped) == steady(whole)


@pytest.mark.parametrize("changed", ["network", "device", "images"])
def test_what_a_name_stands_for_may_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    network, device, out = (tmp_path / name for name in ("net.h5", "dev.toml", "run.h5"))
    tiny = Architecture("tiny", (1, 8, 8), (Dense(4), Dense(10)))
    save_network(make_network(tiny), network, LEVELS)
    device.write_text(resource_path("fast-memristor.toml").read_text())
    setup = Setting(network=str(network), device=str(device), images=2, cycles=2)
    assert kills.steady(setup.infer(out=out)) == kills.steady(setup.infer(out=out, resume=True))
    again = replace(setup)  # loads everything anew
    if changed == "network":
        save_network(make_network(tiny, scale=2.0), network, LEVELS)
    elif changed == "device":
        device.write_text(device.read_text().replace("1.62", "1.61"))
    else:
        others = load_digits("train", 2)
        vars(again)["pictures"] = others
    with pytest.raises(StoreError, match=rf'made in another way[^+]*- +"{changed}": "'):
        again.infer(out=out, resume=True)


def test_resume_needs_out(capsys: Capture) -> None:
    reply = call(capsys, "infer", *DIGITS, "--resume")
    assert (reply.code, "resume needs out" in reply.err) == (2, True)


@pytest.mark.slow
def test_killed_infer_resumes_and_leaves_a_finished_result_whole(tmp_path: Path) -> None:
    case = next(case for case in kills.CASES if case.name == "infer")
    said: list[str] = []
    for count in kills.trials(case, tmp_path, 1, random.Random(1), said.append):
        assert count.survived == count.trials, "\n".join(said)
