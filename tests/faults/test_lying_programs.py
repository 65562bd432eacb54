"""A program that lies in place of ngspice or VACASK: every command ends with an error.

Each lie goes through one command with one engine here; with ``FAULTS=full`` in the environment
(``make faults``) through every command with both.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import memspice as ms
from memspice.engines import process, vacask
from memspice.experiment.cosim import CosimPlan
from memspice.network.architecture import Architecture, Dense
from memspice.network.weights import save_network
from tests.cli_helpers import ON_MODELS, Reply, call
from tests.engine_helpers import ON_POSIX
from tests.faults.lies import HARMLESS, LIES, NEURON_LIES
from tests.loop_helpers import LEVELS, make_network

Command = Callable[[str, str, str], Reply]
pytestmark = [ON_POSIX, pytest.mark.ngspice, pytest.mark.vacask]
FULL = os.environ.get("FAULTS") == "full"
#: A spiking and an accumulating layer of one deck each.
TINY = Architecture("tiny", (1, 8, 8), (Dense(4), Dense(10)))
ENGINES = ("ngspice", "vacask")
COMMANDS = {
    "spiking": ("simulate-layer", "dense1"),
    "accumulating": ("simulate-layer", "dense2"),
    "infer": ("infer", "--fidelity", "reduced"),
    "cosim": ("cosim",),
}
#: The least that a co-simulation can be.
SMALL = CosimPlan(
    spice_windows=2, spice_cycles=1, model_windows=4, full_windows=1, full_cycles=1,
    showcase_cycles=1, max_iterations=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the programs, their memory, and a network."""
    folder = tmp_path_factory.mktemp("faults")
    (folder / "kept").mkdir()
    script = Path(__file__).with_name("fake_engine.py")
    real = {"ngspice": shutil.which("ngspice"), "vacask": vacask._wheel_executable()}  # noqa: SLF001
    for name, path in real.items():
        words = (sys.executable, "-I", "-S", script, name, path, folder / "kept")
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {" ".join(map(str, words))} "$@"\n')
        program.chmod(0o755)
    save_network(make_network(TINY), folder / "tiny.h5", LEVELS)
    return folder


@pytest.fixture
def command(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, str, str], Reply]:
    """Call a command with a lying engine."""
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(vacask, "_wheel_executable", lambda: None)
    monkeypatch.setattr(process, "OUTPUT_LIMIT", 2**20)
    monkeypatch.setattr(ms, "cosim", partial(ms.cosim, plan=SMALL))
    out = tmp_path / "out"

    def run(name: str, engine: str, lie: str) -> Reply:
        monkeypatch.setenv("FAKE_LIE", lie)
        options = [*ON_MODELS, "--network", place / "tiny.h5", "--images", 2, "--cycles", 1]
        options += ["--engine", engine, "--retries", 0, "--no-cache"]
        options += ["--timeout", 0.5 if lie == "never ends" else 60]
        options += ["--out", out] if name == "cosim" else []
        return call(capsys, *COMMANDS[name], *options)

    return run


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", COMMANDS)
def test_the_truth_is_believed(command: Command, name: str, engine: str) -> None:
    reply = command(name, engine, "")
    assert reply.code == 0, reply.err


def chosen() -> list[tuple[str, str, str]]:
    """Lie, command and engine: all of them, or every lie once, a co-simulation one in eight."""
    every = [
        (lie, name, engine)
        for lie, name, engine in itertools.product([*LIES, *NEURON_LIES], COMMANDS, ENGINES)
        if lie in LIES or name != "accumulating"
    ]
    turns = itertools.cycle(("spiking", "infer", "accumulating", "spiking") * 3 + ("cosim",))
    once = list(zip(LIES, turns, itertools.cycle(ENGINES)))
    neurons = list(zip(NEURON_LIES, ("spiking", "infer", "cosim"), itertools.cycle(ENGINES)))
    return every if FULL else once + neurons


@pytest.mark.parametrize(("lie", "name", "engine"), chosen())
def test_no_lie_ends_well(command: Command, lie: str, name: str, engine: str) -> None:
    if lie == "time called a voltage" and engine == "vacask":
        pytest.skip("VACASK names no kinds, so that there is none to be wrong")
    reply = command(name, engine, lie)
    assert reply.code not in (0, 1), f"{lie} passes: {reply.out}"
    assert reply.code != 2, f"never ran: {reply.err}"
    assert reply.err.startswith("memspice: ")
    assert "Traceback" not in reply.err


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("lie", HARMLESS)
def test_the_harmless_are_few_and_have_a_reason(command: Command, lie: str, engine: str) -> None:
    assert len(HARMLESS) <= 5
    assert HARMLESS[lie][1]
    for name in COMMANDS if FULL else ("accumulating",):
        assert command(name, engine, lie).code == 0
