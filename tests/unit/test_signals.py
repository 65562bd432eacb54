"""A signal ends the program: during its imports, and the second one within any library."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memspice.__main__ import GRACE_SECONDS, SAME_SECONDS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no such processes here")
ROOT = Path(__file__).parents[2]
#: Within C, with Python's lock, and never back: no handler of Python runs.
STUCK = "collections.deque(itertools.repeat(0), maxlen=0)"
#: In the place of the command line; {work} is what it does.
PROGRAM = """
import collections, itertools, sys, time, types
import memspice.__main__ as program
def work():
    from memspice.cli.stop import stopped_once
    with stopped_once():
        print("ready", flush=True)
        {work}
sys.modules["memspice.cli.main"] = types.SimpleNamespace(main=work)
program.main()
"""


def start(work: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(work=work)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)  # until it is at its work
    return process


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGINT, signal.SIGTERM),
    ],
)
def test_second_signal_ends_what_does_not_come_back(
    first: signal.Signals, second: signal.Signals
) -> None:
    process = start(STUCK)
    process.send_signal(first)
    time.sleep(SAME_SECONDS + 0.3)
    assert process.poll() is None
    process.send_signal(second)
    _, said = process.communicate(timeout=GRACE_SECONDS + 20)
    assert process.returncode == -signal.SIGKILL
    assert said == "memspice: ended by a second signal\n"


def test_signals_at_once_are_one_and_the_stop_goes_on() -> None:
    process = start("try:\n            time.sleep(60)\n        finally: print('tidied')")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert out == "tidied\n"
    assert process.returncode != -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_during_imports_ends_quietly(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "click.py").write_text(
        "print('importing', flush=True)\nimport time\ntime.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "memspice", "--help"],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == "importing\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (5, "memspice: interrupted\n")


def test_nothing_is_imported_before_the_program_can_be_stopped() -> None:
    code = "import memspice.__main__, sys; print(*sys.modules, sep='\\n')"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not {"numpy", "click", "memspice.cli.main"} & set(found.stdout.split())
