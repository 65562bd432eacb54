"""Training that is killed within an epoch, and goes on to the weights of an undisturbed run."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from memspice.cli.train import train_command
from memspice.datasets.digits import load_digits
from memspice.errors import ConfigError
from memspice.network.architecture import Architecture, Conv, Dense, Pool
from memspice.network.weights import Network
from memspice.training.config import Hardware, Phase, TrainConfig

HAS_TORCH = importlib.util.find_spec("torch") is not None
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not HAS_TORCH, reason="needs the optional extra memspice[train]"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
]
if HAS_TORCH:
    from memspice.training import loop
    from memspice.training.loop import train_network

SMALL = Architecture("small", (1, 8, 8), (Conv(4), Pool(2), Dense(10)))
#: Steps of an epoch; new crossbars come at the fourth.
STEPS = 5
PHASES = {
    "normalised": Phase("normalised", 2, 5e-3, batch=64, warm_up=0.15, orthogonal=True),
    "rounded": Phase("rounded", 2, 2e-3, kind="rounded", batch=64),
    "folded": Phase("folded", 2, 1e-3, kind="folded", batch=64),
    "mapped": Phase("mapped", 2, 1e-3, kind="mapped", batch=64),
}


class Killed(BaseException):
    """End of a process, as far as its files go."""


def train(folder: Path, kind: str, lines: list[str] | None = None) -> Network:
    phases = tuple(PHASES[name] for name in dict.fromkeys(("normalised", kind)))
    hardware = Hardware(tile=(30, 8), refresh=3, pool=2)
    config = TrainConfig(phases, hardware=hardware, label_smoothing=0.1)
    data = load_digits("train", STEPS * 64)
    report = (lines if lines is not None else []).append
    return train_network(SMALL, data.x, data.labels, config, folder, report)


def killed(folder: Path, kind: str, step: int, patch: pytest.MonkeyPatch) -> None:
    """Take some steps of a run that saves each, and leave it before the next."""
    whole, taken = loop._Training._step, []

    def dying(run: Any, *of: Any) -> tuple[float, float]:
        if len(taken) == step:
            raise Killed
        taken.append(step)
        return whole(run, *of)

    with patch.context() as patched:
        patched.setattr(loop, "SAVE_AFTER", -1.0)
        patched.setattr(loop._Training, "_step", dying)
        with pytest.raises(Killed):
            train(folder, kind)


def same(one: Network, other: Network) -> None:
    for mine, its in zip(one.layers, other.layers, strict=True):
        np.testing.assert_array_equal(mine.weight, its.weight)
        np.testing.assert_array_equal(mine.bias, its.bias)
        assert mine.bound == its.bound
    # Losses and accuracies too, but not the seconds.
    histories = [network.provenance["history"] for network in (one, other)]
    losses = [[line.rpartition(", ")[0] for line in lines] for lines in histories]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("kind", list(PHASES))
def test_a_killed_run_goes_on_from_its_latest_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    expected = train(tmp_path / "whole", kind)
    before = 0 if kind == "normalised" else 2 * STEPS
    for step in (before + 3, before + STEPS, before + STEPS + 4):
        folder = tmp_path / str(step)
        killed(folder, kind, step, monkeypatch)
        lines: list[str] = []
        same(train(folder, kind, lines), expected)
        epoch, left = divmod(step - before, STEPS)
        words = f" and {left} steps" if left else ""
        assert lines[bool(before)] == f"{path_of(kind)}: going on after epoch {epoch}{words}"


def path_of(kind: str) -> str:
    return "mapped-fast-memristor.pt" if kind == "mapped" else f"{kind}.pt"


def test_a_run_may_be_killed_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        killed(tmp_path / "cut", "normalised", 3, monkeypatch)
    same(train(tmp_path / "cut", "normalised"), train(tmp_path / "whole", "normalised"))


@pytest.mark.parametrize("length", [0, 10, 2000])
def test_a_damaged_state_is_refused(tmp_path: Path, length: int) -> None:
    train(tmp_path, "normalised")
    path = tmp_path / "normalised.pt"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ConfigError, match=r"normalised\.pt is no state of a training run .*remove"):
        train(tmp_path, "normalised")


def test_command_goes_on_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --resume a state that is there is neither used nor lost."""
    options = ["digits-mlp", "--quick", "--phases", "1", "--out", str(tmp_path / "net.h5")]

    def command(folder: str, *more: str) -> Any:
        found = CliRunner().invoke(
            train_command, [*options, "--checkpoint", str(tmp_path / folder), *more]
        )
        return found, (tmp_path / "net.h5")

    outcome, path = command("whole")
    assert outcome.exit_code == 0, outcome.output
    expected = path.read_bytes()
    state = tmp_path / "whole" / "digits-mlp" / "normalised.pt"
    kept = state.read_bytes()
    outcome, _ = command("whole")
    assert isinstance(outcome.exception, ConfigError)
    assert "add --resume" in str(outcome.exception)
    assert state.read_bytes() == kept
    outcome, path = command("whole", "--resume")
    assert outcome.exit_code == 0, outcome.output
    assert "normalised.pt: going on after epoch 1" in outcome.output
    assert path.read_bytes() == expected
    outcome, _ = command("new", "--resume")  # nothing there: from the start
    assert outcome.exit_code == 0, outcome.output
