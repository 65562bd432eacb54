"""What a long simulation will take: the law beside what the bench measured, and who is told."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

import memspice as ms
from memspice.engines.base import EngineInfo
from memspice.windows.full import Full
from tests.cli_helpers import ON_MODELS, call
from tests.models import MODELS

BENCH = Path(__file__).parents[2] / "experiments" / "bench" / "bench.json"


class Solver:
    """An engine that is asked for its abilities and nothing else."""

    def __init__(self, *, klu: bool) -> None:
        self.info = EngineInfo("solver", "1", "/none", osdi=False, klu=klu)


class Tiles:
    """A layer that is asked for its tiles and nothing else."""

    def __init__(self, *sizes: int) -> None:
        self.circuits = [type("Group", (), {"conductances": [Cells(s) for s in sizes]})()]


class Cells:
    def __init__(self, side: int) -> None:
        self.size = side * side


def expected(side: int, *, klu: bool, cycles: int = 1) -> float:
    return Full(Solver(klu=klu)).expected_seconds(Tiles(side), cycles)  # type: ignore[arg-type]


def test_law_is_within_a_factor_of_what_the_bench_measured() -> None:
    bench = json.loads(BENCH.read_text())
    runs = [
        run for run in bench["ladder"]["runs"]
        if run["fidelity"] == "full" and run["status"] == "ok" and run["size"] >= 24
    ]  # fmt: skip
    assert len(runs) >= 9
    for run in runs:
        klu = bench["engines"][run["engine"]]["klu"]
        found = expected(run["size"], klu=klu, cycles=run["cycles"])
        # A power law through four sizes; cycles after the first cost up to 1.35 times as much.
        assert 1 / 1.6 < found / run["cpu_seconds"] < 1.6, run


def test_tiles_and_cycles_add_up() -> None:
    one, both = Tiles(64), Tiles(64, 64)
    full = Full(Solver(klu=True))  # type: ignore[arg-type]
    assert full.expected_seconds(both, 3) == 6 * full.expected_seconds(one, 1)  # type: ignore[arg-type]
    assert expected(128, klu=False) > 4**2 * expected(64, klu=False)


def test_other_fidelities_are_a_matter_of_seconds() -> None:
    layer = ms.Chip("digits-mlp", MODELS)["dense1"]
    assert layer.expected_seconds(images=100, fidelity="surrogate") == 0
    assert layer.expected_seconds(images=100, fidelity=ms.Reduced(Solver(klu=False))) == 0  # type: ignore[arg-type]


@pytest.mark.ngspice
def test_command_says_it_before_it_begins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise click.UsageError("here it would begin")

    monkeypatch.setattr(ms.Layer, "simulate", stop)
    full = ("simulate-layer", "--fidelity", "full", "--cycles", "2", *ON_MODELS)
    said = call(capsys, *full).err
    assert said.index("full on ngspice takes about") < said.index("here it would begin")
    assert "--fidelity reduced" in said
    assert "--tile 32x32" in said
    assert "cheaper" not in call(capsys, *full[:1], "--cycles", "2", *ON_MODELS).err


def test_transistors_take_their_time_and_a_user_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = ms.Chip("digits-mlp")["dense1"]
    one = layer.expected_seconds(cycles=8, fidelity=ms.Reduced(Solver(klu=False)))  # type: ignore[arg-type]
    # measured once: 86 s of 32 outputs and 8 cycles
    assert 86 / 2 < one < 86 * 2
    three = layer.expected_seconds(images=3, cycles=4, fidelity=ms.Reduced(Solver(klu=False)))  # type: ignore[arg-type]
    assert three == pytest.approx(1.5 * one)

    def stop(*_: object, **__: object) -> None:
        raise click.UsageError("here it would begin")

    monkeypatch.setattr(ms.Layer, "simulate", stop)
    said = call(capsys, "simulate-layer").err
    assert said.index("of processor time") < said.index("--periphery behavioural")
    assert "--fidelity reduced" not in said  # it is that
    assert "cheaper" not in call(capsys, "simulate-layer", "--cycles", 1).err
