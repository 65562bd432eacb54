"""Which neurons' waveforms a run keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import memspice as ms
from memspice.errors import ConfigError
from memspice.store import read_run
from memspice.windows.kept import Kept
from tests.cli_helpers import DIGITS, call
from tests.models import MODELS

#: Rates 0, 1/4, 1/2 and 1 of four neurons.
SPIKES = np.array([[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1]], bool)


@pytest.mark.parametrize(
    ("keep", "found"),
    [
        ("none", []),
        ("sample", [2]),  # spikes every other cycle
        ("all", [0, 1, 2, 3]),
        ((9, 3, 11), [1, 3]),  # 8 and 12 onwards are other decks
        ([8], [0]),
        ([4], []),
    ],
)
def test_choices(keep: object, found: list[int]) -> None:
    assert Kept.of(keep).neurons(SPIKES, first=8) == found  # type: ignore[arg-type]


@pytest.mark.parametrize("keep", ["some", "", [], [-1, 2]])
def test_what_is_no_choice_is_refused(keep: object) -> None:
    with pytest.raises(ConfigError, match="numbers of neurons"):
        Kept.of(keep)  # type: ignore[arg-type]


def test_neurons_that_a_layer_has_not_are_refused() -> None:
    layer = ms.Chip("digits-mlp", MODELS)["dense1"]
    images = ms.load_images("digits", "test")[:1]
    with pytest.raises(ConfigError, match="dense1 has no neuron 32, .* 0 to 31"):
        layer.simulate(images, cycles=1, keep=[0, 32])


@pytest.mark.ngspice
def test_named_neurons_are_kept_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run.h5"
    asked = ("simulate-layer", *DIGITS, "--neurons", "5,17", "--cycles", "1", "--out", out)
    assert call(capsys, *asked).code == 0
    with read_run(out) as run:
        names = [(run.job(info.name), info.name) for info in run.jobs()]
        kept = {
            int(job.attributes["first_output"]) + int(signal[6:].split(".")[0])
            for job, _ in names
            for signal in job.signals
            if signal.startswith("neuron")
        }
        assert run.kept == [5, 17]
    assert kept == {5, 17}
    assert "waveforms kept: neurons 5, 17" in call(capsys, "waves", "ls", out).out
    assert call(capsys, "waves", "ls", out, "--json").content["kept"] == [5, 17]


@pytest.mark.parametrize(
    ("asked", "words"),
    [(("--neurons", "0-3"), "for example 0,3"), (("--keep", "all", "--neurons", "1"), "exclude")],
)
def test_command_refuses(
    asked: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = call(capsys, "simulate-layer", *asked)
    assert (found.code, words in found.err) == (2, True)
