"""The command line as a user meets it: JSON, exit codes, examples of the README, help."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from memspice.circuits.energy_model import COMPONENTS
from memspice.cli.bar import progress_bar
from memspice.cli.failure import exit_code
from memspice.cli.main import cli
from memspice.engines.base import Cancelled
from memspice.errors import (
    ConfigError,
    ConvergenceError,
    DataError,
    EngineError,
    EngineNotFound,
    EngineTimeout,
    IncompleteResults,
    MemspiceError,
    NetlistError,
    ShapeError,
    StoreError,
    TruncatedOutput,
)
from tests.cli_helpers import DIGITS, SURROGATE, call

Capture = pytest.CaptureFixture[str]


def commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.commands:
        _, command, _ = group.resolve_command(context, [name])
        assert command
        yield f"{path} {name}".strip(), command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}".strip())


# --- one JSON object ------------------------------------------------------------------------------


@pytest.mark.ngspice
def test_simulate_layer_prints_one_object(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "run.h5"
    arguments = ("dense2", *DIGITS, "--cycles", 1, "--seed", 3, "--out", out, "--json")
    content = call(capsys, "simulate-layer", *arguments).content
    assert set(content["engine"]) == {"name", "version", "osdi", "klu", "executable"}
    assert content["engine"]["name"] == "ngspice"
    assert (content["layer"], content["fidelity"]) == ("dense2", "reduced")
    assert (content["seed"], content["rows"], content["cols"]) == (3, 33, 20)
    assert content["energy_closure"] <= 1e-3
    assert content["wall_seconds"] > 0
    assert content["out"] == str(out)
    jobs = call(capsys, "waves", "ls", out, "--json").content["jobs"]
    window = "dense2/image00000_position0000"
    assert [job["name"] for job in jobs] == [
        f"{window}_outputs{outputs}_reduced" for outputs in ("000_002", "003_005", "006_009")
    ]


def test_spikes_and_energy_of_simulate_layer(capsys: Capture) -> None:
    content = call(capsys, *SURROGATE, "--images", 2, "--json").content
    needed = {"count", "rate", "expected_rate", "mismatches", "worst_margin"}
    assert needed <= set(content["spikes"])
    assert content["events"] == 2 * 32
    assert content["spikes"]["rate"] == content["spikes"]["count"] / 64
    assert set(content["energy_joule"]) == set(COMPONENTS)
    assert sum(content["energy_joule"].values()) == pytest.approx(content["energy_total_joule"])
    assert 0.5 < content["assumed_fraction"] < 1
    assert content["device_source"] == "what-if"
    assert content["energy_closure"] is None  # NumPy has no balance to close
    assert content["engine"]["name"] == "numpy"
    assert content["dataset"]["name"] == "digits"


def test_a_total_says_what_it_rests_on_in_the_terminal(capsys: Capture) -> None:
    text = call(capsys, *SURROGATE, "--images", 2).out
    line = next(line for line in text.splitlines() if line.startswith("  energy "))
    assert line.endswith("% of it assumed; what-if device")


def test_infer_prints_one_object(capsys: Capture) -> None:
    content = call(capsys, "infer", *DIGITS, "--images", 20, "--cycles", 2, "--json").content
    assert content["dataset"]["images"] == 20
    assert {"name", "lossless", "source"} <= set(content["dataset"])
    assert (content["network"], content["cycles"], content["seed"]) == ("digits-mlp", 2, 0)
    for name in ("ann_accuracy", "snn_accuracy"):
        item = content[name]
        assert 0 <= item["low"] <= item["value"] <= item["high"] <= 1
        assert item["n"] == 20
    assert list(content["spike_rate"]) == ["dense1"]
    assert content["notes"] == []


@pytest.mark.ngspice
def test_characterize_prints_one_object(capsys: Capture) -> None:
    content = call(capsys, "characterize", "--points", 2, "--events", 2, "--json").content
    assert content["parameter_set"] == "ag-asi"
    assert len(content["points"]) == 4  # and both rails


@pytest.mark.ngspice
def test_doctor_prints_one_object(capsys: Capture) -> None:
    content = call(capsys, "doctor", "--json").content
    assert {"memspice", "numpy", "PySpice"} <= set(content["versions"])
    assert content["engines"]["ngspice"]["rc_error_volt"] < 1e-3
    named = {"digits-mlp", "cifar10-cnn", "cifar10-cnn-wide", "cifar10-skip"}
    assert set(content["networks"]) == named


# --- exit codes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("a"), 2),
        (ShapeError("a"), 2),
        (DataError("a"), 2),
        (EngineNotFound("a"), 3),
        (NetlistError("a"), 4),
        (EngineError("a"), 4),
        (EngineTimeout("a"), 4),
        (ConvergenceError("a"), 4),
        (TruncatedOutput("a"), 4),
        (Cancelled("a"), 4),
        (StoreError("a"), 5),
        (IncompleteResults("a"), 5),
    ],
)
def test_exit_code_of_every_error(error: MemspiceError, code: int) -> None:
    assert exit_code(error) == code


def test_help_and_version_end_well(capsys: Capture) -> None:
    assert call(capsys, "--help").out.startswith("Usage: ")
    assert re.fullmatch(r"memspice, version \d+\.\d+\.\d+\n", call(capsys, "--version").out)


# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "command"), list(commands(cli)))
def test_help_fits_80_columns(
    path: str, command: click.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = command.get_help(click.Context(command, info_name=f"memspice {path}"))
    assert max(map(len, text.splitlines())) <= 80
    assert command.help
    for option in command.params:
        assert not isinstance(option, click.Option) or option.help, option.name


def test_lists_of_commands_are_not_cut(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for group in ((), ("waves",)):
        assert not re.search(r"\w\.\.\.$", call(capsys, *group, "--help").out, re.MULTILINE)


# --- what the bare commands do --------------------------------------------------------------------


@pytest.mark.ngspice
def test_bare_simulate_layer_shows_spikes_and_nothing_else(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMSPICE_DATA", "/nowhere")  # no images but the digits
    reply = call(capsys, "simulate-layer", "--cycles", 1)  # of transistors, a second a cycle
    assert reply.code == 0, reply.err
    assert reply.out.startswith("digits-mlp dense1: ")
    assert int(re.findall(r"^  spikes +(\d+),", reply.out, re.MULTILINE)[0]) > 0
    assert re.search(r"^  energy .* 0% of it assumed", reply.out, re.MULTILINE)
    assert reply.err == ""


@pytest.mark.parametrize(
    "line",
    [
        "simulate-layer",
        "infer --network digits-mlp",
        "cosim --network digits-mlp",
        "train digits-mlp",
    ],
)
def test_data_that_cannot_be_used_is_an_error(capsys: Capture, tmp_path: Path, line: str) -> None:
    data, out = tmp_path / "own", tmp_path / "out.h5"
    data.mkdir()
    reply = call(capsys, *line.split(), "--data", data, "--out", out)
    assert (reply.code, reply.out) == (2, "")
    assert f"{data} must hold a folder of images for each class, but is empty" in reply.err
    assert not out.exists()


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_in_a_terminal_alone(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: terminal)
    with progress_bar(file=shown, delay=0, mininterval=0, total=3) as bar:
        bar.update(2)
    assert ("2/3" in shown.getvalue()) == terminal
    assert terminal or shown.getvalue() == ""
