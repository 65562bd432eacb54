"""Under --json standard output is one object, whatever happens; a failure is in it as `error`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest

from memspice.cli.failure import failure
from memspice.engines.base import Cancelled
from memspice.errors import (
    ConfigError,
    DataError,
    EngineError,
    EngineNotFound,
    IncompleteResults,
    MemspiceError,
    StoreError,
)
from tests.cli_helpers import DIGITS, SURROGATE, Reply, call

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]


def error_of(reply: Reply) -> dict[str, Any]:
    """The error of the one object on standard output, which standard error says too."""
    content = json.loads(reply.out)
    error = content["error"]
    assert set(error) == {"kind", "message", "exit_code"}
    assert error["exit_code"] == reply.code != 0
    assert error["message"] in reply.err
    assert isinstance(error, dict)
    return error


@pytest.mark.parametrize(
    ("line", "kind", "code", "words"),
    [
        ("simulate-layer --network none --json", "ConfigError", 2, "none"),
        ("simulate-layer dense9 --network digits-mlp --json", "ConfigError", 2, "dense9"),
        ("infer --cycles 0 --json", "ConfigError", 2, "cycles = 0"),
        ("infer --json --cycles", "UsageError", 2, "requires an argument"),
        ("infer --json --cycles x", "UsageError", 2, "'x' is not a valid integer"),
        ("infer --jsn --json", "UsageError", 2, "No such option"),
        ("--json infer", "UsageError", 2, "No such option"),
        ("--json", "UsageError", 2, "No such option"),
        ("infre --json", "UsageError", 2, "No such command 'infre'"),
        ("netlist --json", "UsageError", 2, "No such option"),
        ("waves --json", "UsageError", 2, "No such option"),
        ("waves show --json", "UsageError", 2, "Missing argument"),
        ("waves show run.h5 job --csv --json", "UsageError", 2, "exclude one another"),
        ("simulate-layer --resume --json", "ConfigError", 2, "resume needs out"),
        ("infer --out /no/such/folder/x.h5 --json", "ConfigError", 2, "/no/such"),
        ("characterize --device none --json", "ConfigError", 2, "none"),
        ("convert none.nir --out x.h5 --json", "DataError", 2, "none.nir"),
        ("cache prune --json", "ConfigError", 2, "say what to remove"),
        ("waves ls pyproject.toml --json", "StoreError", 5, "pyproject.toml"),
    ],
)
def test_refusals_are_one_object(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, line: str, kind: str, code: int, words: str
) -> None:
    monkeypatch.chdir(ROOT)
    reply = call(capsys, *line.split())
    error = error_of(reply)
    assert (error["kind"], error["exit_code"]) == (kind, code)
    assert words in error["message"]


def test_a_missing_engine_is_exit_code_3(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("MEMSPICE_NGSPICE", raising=False)
    arguments = (*DIGITS, "--cycles", "1", "--json")
    error = error_of(call(capsys, "simulate-layer", "dense2", *arguments))
    assert (error["kind"], error["exit_code"]) == ("EngineNotFound", 3)


class Odd(MemspiceError):
    """An error that no page describes."""


def raiser(error: BaseException) -> Any:
    def work(*_: object, **__: object) -> NoReturn:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (EngineError("a", log="one\ntwo\x1b[31m"), "EngineError", 4),
        (Cancelled("a"), "EngineError", 4),
        (Odd("a"), "MemspiceError", 4),
        (IncompleteResults("a \ud800 b\u202e"), "IncompleteResults", 5),
        (StoreError("a"), "StoreError", 5),
        (KeyboardInterrupt(), "Interrupted", 5),
        (click.Abort(), "Interrupted", 5),
        (MemoryError("a"), "OutOfMemory", 5),
        (OSError(28, "No space left on device", "x.h5"), "FileError", 5),
        (click.FileError("x.h5", "a"), "UsageError", 2),
    ],
)
def test_errors_of_a_run_are_one_object(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, error: BaseException, kind: str, code: int
) -> None:
    monkeypatch.setattr("memspice.cli.infer.take_chip", raiser(error))
    found = error_of(call(capsys, "infer", "--json"))
    assert (found["kind"], found["exit_code"]) == (kind, code)
    assert call(capsys, "infer").out == ""


def test_notes_are_part_of_the_message() -> None:
    error = ConfigError("what")
    error.add_note("and where")
    assert failure(error).message == "what\nand where"


def test_a_fault_of_ours_is_one_object_and_a_traceback(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memspice.cli.infer.take_chip", raiser(ZeroDivisionError("a")))
    with pytest.raises(ZeroDivisionError):
        call(capsys, "infer", "--json")
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "Fault"


def test_what_is_no_option_asks_for_nothing(capsys: Capture) -> None:
    assert call(capsys, "waves", "show", "none.h5", "--", "--json").out == ""


@pytest.mark.parametrize(
    ("error", "code"), [(EngineError("beyond"), 4), (IncompleteResults("2 of 3 failed"), 5)]
)
def test_a_result_that_is_less_than_asked_for_carries_its_error(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, error: MemspiceError, code: int
) -> None:
    monkeypatch.setattr("memspice.experiment.results.run.check_verdict", raiser(error))
    reply = call(capsys, *SURROGATE, "--json")
    assert error_of(reply)["exit_code"] == code
    assert json.loads(reply.out)["layer"] == "dense1"
    plain = call(capsys, *SURROGATE)
    assert plain.code == code
    assert "energy" in plain.out
    assert str(error) in plain.err


def test_doctor_without_engines_prints_its_result_and_error(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "memspice.verification.installation.find_engine", raiser(EngineNotFound("none here"))
    )
    reply = call(capsys, "doctor", "--json")
    assert error_of(reply)["kind"] == "EngineNotFound"
    assert "versions" in json.loads(reply.out)


def test_an_error_after_the_result_adds_no_second_object(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Bar:
        def __enter__(self) -> None:
            return None

        def __exit__(self, *_: object) -> None:
            raise DataError("late")

    monkeypatch.setattr("memspice.cli.main.stopped_once", Bar)
    reply = call(capsys, *SURROGATE, "--json")
    assert reply.code == 2
    assert "late" in reply.err
    assert json.loads(reply.out)["layer"] == "dense1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no such processes here")
@pytest.mark.parametrize("library", ["click", "numpy"])
@pytest.mark.parametrize("option", ["--json", "--flaws"])
def test_interruption_of_imports(tmp_path: Path, library: str, option: str) -> None:
    code = "import sys, time\nprint('importing', file=sys.stderr, flush=True)\ntime.sleep(60)"
    (tmp_path / f"{library}.py").write_text(code)
    process = subprocess.Popen(
        [sys.executable, "-m", "memspice", "infer", option],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr
    assert process.stderr.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (5, "memspice: interrupted\n")
    if option == "--json":
        interrupted = failure(KeyboardInterrupt()).as_json()
        assert json.loads(out) == {"error": interrupted}
    else:
        assert out == ""
