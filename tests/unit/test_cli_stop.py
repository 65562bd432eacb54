"""Ctrl-C, a closed pipe: what is done is kept, nothing is left running, nobody sees Python."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from memspice.store import read_run
from tests.cli_helpers import DIGITS, ON_MODELS, SURROGATE, call

Capture = pytest.CaptureFixture[str]
MEMSPICE = (sys.executable, "-c", "from memspice.cli.main import main; main()")


@pytest.fixture
def process_settings() -> Iterator[None]:
    """Put back what a stopped command leaves behind, its process being at its end."""
    interval = sys.getswitchinterval()
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    yield
    sys.setswitchinterval(interval)
    gc.unfreeze()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("process_settings")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("command", "function"),
    [
        ("simulate-layer", "memspice.Layer.simulate"),
        ("infer", "memspice.Chip.run"),
        ("cosim", "memspice.cosim"),
        ("characterize", "memspice.characterize"),
    ],
)
def test_first_signal_stops_and_others_do_not_cut_the_stop_short(
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    function: str,
    number: signal.Signals,
) -> None:
    steps = []

    def work(*_: object, **__: object) -> NoReturn:
        try:
            signal.raise_signal(number)
            steps.append("went on")
        finally:
            signal.raise_signal(number)
            signal.raise_signal(signal.SIGINT)
            steps.append("tidied")
        raise AssertionError("never comes here")

    monkeypatch.setattr(function, work)
    reply = call(capsys, command, *ON_MODELS)
    assert (reply.code, reply.out) == (5, "")
    assert reply.err.strip() == "memspice: interrupted"
    assert steps == ["tidied"]


@pytest.mark.usefixtures("process_settings")
def test_interrupt_in_a_callback_is_not_lost(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Thing:
        pass

    def work(*_: object, **__: object) -> NoReturn:
        thing = Thing()
        callback = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
        del thing  # no exception rises from the callback
        assert callback() is None
        time.sleep(5)
        raise AssertionError("the interrupt was lost")

    monkeypatch.setattr("memspice.Chip.run", work)
    reply = call(capsys, "infer")
    assert (reply.code, reply.err.strip()) == (5, "memspice: interrupted")


def test_handlers_are_those_of_before_after_a_command(capsys: Capture) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert call(capsys, "netlist").code == 0
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.ngspice
@pytest.mark.skipif(sys.platform == "win32", reason="no signals between processes")
def test_ctrl_c_keeps_what_is_done_and_ends_the_engines(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "run.h5"
    work = ("simulate-layer", *DIGITS, "--images", 4, "--cycles", 3, "--jobs", 1, "--out", out)
    process = subprocess.Popen(
        [*MEMSPICE, *map(str, work)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("run.h5.parts/*.h5"))) < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    engines = _engines(process.pid)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=30)
    assert (process.returncode, printed) == (5, "")
    assert "memspice: interrupted" in said
    assert f"finished jobs are kept in {out}" in said
    assert "Traceback" not in said
    assert not [pid for pid in engines if _alive(pid)]
    with read_run(out) as run:
        assert run.status == "interrupted"
        kept = len(run.jobs())
    assert 1 <= kept < 4
    content = call(capsys, *work, "--resume", "--json").content
    assert content["windows"] == 4


def _engines(parent: int) -> list[int]:
    listing = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in listing.stdout.split()]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("command", ["netlist layer-full", "netlist"])
def test_reader_that_leaves_is_no_error_to_talk_about(command: str) -> None:
    with subprocess.Popen(
        [*MEMSPICE, *command.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_full_standard_output_is_said(unbuffered: str) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w") as out:
        ended = subprocess.run(
            [*MEMSPICE, *SURROGATE, "--json"],
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert ended.returncode == 5
    assert b"No space left on device" in ended.stderr
    assert b"Traceback" not in ended.stderr
