"""A bench section by section: what fails or is stopped costs nothing else that was measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import command as cli_bench
from benchmarks import race as bench_race
from benchmarks import sections
from benchmarks import sections as bench
from benchmarks.figure import draw_bench
from benchmarks.sections import SECTIONS, run_bench
from memspice.engines.base import Engine
from memspice.engines.ngspice import Ngspice
from memspice.errors import ConfigError, EngineError
from tests.bench_helpers import TINY, BrokenEngine, FakeChildren

Content = dict[str, Any]
Bench = Callable[..., Content]


@pytest.fixture(autouse=True)
def no_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole commands take seconds: `test_bench` runs some."""
    found = {"points": 2, "seconds": {"sweep": 1.0, "single": 3.0}, "ratio": 3.0, "same": True}
    monkeypatch.setattr(sections, "measure_sweep", lambda *_: found)


@pytest.fixture
def with_engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[Engine], None]:
    """Make one engine, and children that cost nothing, all that a bench finds."""
    monkeypatch.setattr(bench_race, "run_child", FakeChildren({}))

    def use(engine: Engine) -> None:
        found = {engine.info.name: engine}
        monkeypatch.setattr(bench, "installed_engines", lambda: (found, {}))

    return use


def kept_by(parts: list[Content]) -> Callable[[Content], None]:
    """What a file would hold at each step, and only what JSON can carry."""
    return lambda content: parts.append(json.loads(json.dumps(content, allow_nan=False)))


def test_failing_engine_ends_no_bench(with_engine: Callable[[Engine], None]) -> None:
    with_engine(BrokenEngine(EngineError("gave up", "log")))
    kept: list[Content] = []
    content = run_bench(TINY, keep=kept_by(kept))
    assert content == kept[-1]
    assert content["finished"]
    failed = {name for name, record in content["sections"].items() if record["status"] != "ok"}
    assert failed == {"workers"}
    assert content["sections"]["workers"]["reason"] == "gave up"
    surrogate, reduced = content["ladder"]["runs"]
    assert surrogate["status"] == "ok"
    assert (reduced["status"], reduced["reason"]) == ("failed", "gave up")
    text = cli_bench.bench_text(content)
    assert "  workers failed: gave up" in text
    assert "reduced on ngspice, 4 x 4, 1 cycles: failed, gave up" in text
    assert len(draw_bench(content).axes) == 4


def test_section_that_fails_is_named_and_the_others_stay(
    with_engine: Callable[[Engine], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object, **__: object) -> None:
        raise OSError("no space left")

    with_engine(BrokenEngine(EngineError("gave up")))
    monkeypatch.setattr(bench_race, "run_child", full_disk)
    content = run_bench(TINY)
    assert content["finished"]
    assert "crossbar" not in content
    assert content["sections"]["crossbar"]["reason"] == "no space left"
    assert "crossbar failed: no space left" in cli_bench.bench_text(content)
    assert len(draw_bench(content).axes) == 4


def test_stopped_bench_leaves_what_it_measured_and_goes_on(
    with_engine: Callable[[Engine], None],
) -> None:
    engine = BrokenEngine(EngineError("gave up"))
    with_engine(engine)
    kept: list[Content] = []

    def stop_at_the_ladder(what: str) -> None:
        if what.startswith("reduced on"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_bench(TINY, stop_at_the_ladder, kept_by(kept))
    assert [set(SECTIONS) - set(part) for part in kept[:1]] == [
        {"reuse", "loop", "bursts", "workers", "sweep", "ladder"}
    ]
    stopped = kept[-1]
    assert not stopped["finished"]
    assert len(stopped["ladder"]["runs"]) == 1  # the surrogate's
    text = cli_bench.bench_text(stopped)
    assert "ladder is not measured yet: python -m benchmarks --section ladder" in text
    content = run_bench(TINY, sections=["ladder"], earlier=stopped)
    assert content["finished"]
    assert len(content["ladder"]["runs"]) == 2
    for name in ("crossbar", "reuse"):
        assert content[name] == stopped[name]
        assert content["sections"][name] == stopped["sections"][name]


@pytest.mark.parametrize("key", ["plan", "machine", "engines"])
def test_section_of_another_bench_is_refused(
    with_engine: Callable[[Engine], None], key: str
) -> None:
    with_engine(BrokenEngine(EngineError("gave up")))
    earlier = run_bench(TINY, sections=["reuse"])
    assert not earlier["finished"]
    run_bench(TINY, sections=[], earlier=earlier)
    with pytest.raises(ConfigError, match=f"of another {key}, other and not "):
        run_bench(TINY, sections=[], earlier={**earlier, key: "other"})


def test_a_bench_that_knew_less_of_its_engines_is_no_other(
    with_engine: Callable[[Engine], None],
) -> None:
    with_engine(BrokenEngine(EngineError("gave up")))
    earlier = run_bench(TINY, sections=["reuse"])
    knew = {
        name: {key: value for key, value in record.items() if key != "osdi"}
        for name, record in earlier["engines"].items()
    }
    content = run_bench(TINY, sections=[], earlier={**earlier, "engines": knew})
    assert content["engines"] == knew  # of that of all sections
    assert content["reuse"] == earlier["reuse"]
    with pytest.raises(ConfigError, match="of another engines"):
        run_bench(TINY, sections=[], earlier={**earlier, "engines": {**knew, "spectre": {}}})


def test_missing_engine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("memspice.engines.ENGINES", {"ngspice": Ngspice})
    content = run_bench(TINY, sections=["workers", "ladder"])
    assert content["engines"] == {}
    assert "ngspice" in content["missing"]["ngspice"]
    assert "workers" not in content
    assert content["sections"]["workers"]["status"] == "failed"
    assert [run["fidelity"] for run in content["ladder"]["runs"]] == ["surrogate"]
    assert "  ngspice is missing: " in cli_bench.bench_text(content)


def bench_command(*arguments: object) -> None:
    cli_bench.bench_command(["--quick", *map(str, arguments)], standalone_mode=False)


def test_command_adds_a_section_to_the_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    with_engine: Callable[[Engine], None],
) -> None:
    monkeypatch.setattr(cli_bench, "QUICK", TINY)
    with_engine(BrokenEngine(EngineError("gave up")))
    file, image = tmp_path / "bench.json", tmp_path / "bench.png"
    for number, name in enumerate(SECTIONS, start=1):
        bench_command("--section", name, "--out", tmp_path)
        stored = json.loads(file.read_text())
        assert len(stored["sections"]) == number
        assert stored["finished"] == image.exists() == (number == len(SECTIONS))
    shown = capsys.readouterr().out
    assert f"\nbench.json in {tmp_path}\n" in shown
    assert shown.endswith(f"\nbench.json and bench.png in {tmp_path}\n")
    bench_command("--section", "reuse", "--out", tmp_path)
    again = json.loads(file.read_text())
    assert again["finished"]
    assert again["crossbar"] == stored["crossbar"]
    assert again["reuse"] != stored["reuse"]


@pytest.mark.parametrize("text", ["", "[1]", '{"plan": '])
def test_file_that_is_no_bench_is_refused_and_left(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bench.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"bench\.json is no earlier bench: "):
        bench_command("--section", "reuse", "--out", tmp_path)
    assert file.read_text() == text


def test_file_that_cannot_be_written_is_said(
    tmp_path: Path, with_engine: Callable[[Engine], None]
) -> None:
    with_engine(BrokenEngine(EngineError("gave up")))
    (tmp_path / "bench.json").mkdir()
    with pytest.raises(ConfigError, match=r"bench\.json is a folder"):
        bench_command("--out", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"]
