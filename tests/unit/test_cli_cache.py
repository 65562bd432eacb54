"""``memspice cache``: what is listed, removed, checked and simulated again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from memspice.jobs import Entry, JobCache
from memspice.windows.reduced import DECK_OUTPUTS
from tests.cli_helpers import DIGITS, call

Capture = pytest.CaptureFixture[str]
#: Decks of dense1: 32 neurons, four to each.
DECKS = 32 // DECK_OUTPUTS
#: Column groups of dense1, whose port matrices are kept; no later layer is computed.
GROUPS = 2
LAYER = ("simulate-layer", *DIGITS, "--tile", "33x40", "--cycles", 1, "--json")


def fill(folder: Path, count: int = 3) -> JobCache:
    cache = JobCache(folder)
    for number in range(count):
        label = {"job": f"conv1/window{number}", "engine": "ngspice 39"}
        cache.put(f"{number:064x}", Entry({}, {"values": np.zeros(100)}, label))
    return cache


def test_an_empty_cache(capsys: Capture, result_cache: Path) -> None:
    assert f"{result_cache}: 0 results, 0.00 MB" in call(capsys, "cache", "ls").out
    assert call(capsys, "cache", "verify").out == "0 results, 0 damaged\n"
    assert call(capsys, "cache", "prune", "--all").out.startswith("0 results removed")


def test_ls_lists_what_was_used_last(capsys: Capture, result_cache: Path) -> None:
    cache = fill(result_cache)
    cache.get(f"{1:064x}")
    found = call(capsys, "cache", "ls", "--limit", 2, "--json").content
    assert (found["entries"], len(found["last"])) == (3, 2)
    assert found["bytes"] == sum(file.size for file in cache.files())
    assert found["last"][0]["job"] == "conv1/window1"
    lines = call(capsys, "cache", "ls", "--limit", 2).out.splitlines()
    assert lines[1].endswith("ngspice 39  conv1/window1")
    assert lines[-1] == "... and 1 more; see --limit"


@pytest.mark.parametrize(
    ("options", "left"),
    [("--all", 0), ("--max-size 1M", 3), ("--max-size 0", 0), ("--older-than 1", 3),
     ("--older-than 0", 0), ("--max-size 2GB --older-than 0.5", 3)],
)  # fmt: skip
def test_prune(capsys: Capture, result_cache: Path, options: str, left: int) -> None:
    fill(result_cache)
    found = call(capsys, "cache", "prune", *options.split(), "--json").content
    assert (found["removed"], found["entries"]) == (3 - left, left)
    assert len(JobCache(result_cache).files()) == left


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("prune", "say what to remove"),
        ("prune --all --max-size 1G", "--all alone"),
        ("prune --max-size big", "--max-size 'big' must be a number of bytes"),
        ("prune --older-than -1", "--older-than -1.0 days must be at least 0"),
        ("prune --older-than nan", "--older-than nan days"),
        ("verify --rerun -1", "rerun = -1 must be at least 0"),
    ],
)
def test_refused(capsys: Capture, result_cache: Path, options: str, words: str) -> None:
    fill(result_cache, 1)
    reply = call(capsys, "cache", *options.split())
    assert (reply.code, reply.out) == (2, "")
    assert words in reply.err
    assert len(JobCache(result_cache).files()) == 1


def test_verify_finds_the_damaged_one(capsys: Capture, result_cache: Path) -> None:
    cache = fill(result_cache)
    path = cache.path(f"{1:064x}")
    path.write_bytes(path.read_bytes()[:-1])
    reply = call(capsys, "cache", "verify")
    assert (reply.code, reply.out) == (5, "3 results, 1 damaged\n")
    assert f"1 of 3 results are damaged, first {path}" in reply.err


@pytest.mark.ngspice
def test_a_second_command_runs_nothing_and_its_results_can_be_simulated_again(
    capsys: Capture, result_cache: Path, tmp_path: Path
) -> None:
    jobs = [
        call(capsys, *LAYER, "--out", tmp_path / name).content["jobs"] for name in ("a.h5", "b.h5")
    ]
    assert [(item["simulated"], item["cached"]) for item in jobs] == [(DECKS, 0), (0, DECKS)]
    assert call(capsys, *LAYER, "--no-cache").content["jobs"]["simulated"] == DECKS
    found = call(capsys, "cache", "verify", "--rerun", 1, "--json").content
    assert (found["entries"], found["damaged"]) == (DECKS + GROUPS, [])
    assert [item["verdict"] for item in found["again"]] == ["same"]
    cache = JobCache(result_cache)
    for file in cache.files():
        entry = cache.read(file)
        if "again" not in entry.facts:
            continue
        again = {**entry.facts["again"], "waveforms": "0" * 64}
        cache.put(file.key, Entry({**entry.facts, "again": again}, entry.arrays, entry.label))
    reply = call(capsys, "cache", "verify", "--rerun", 2)
    assert reply.code == 4
    assert "2 results are not what the engine gives now, first dense1/image00000" in reply.err


def test_the_files_of_a_test_are_not_the_users(result_cache: Path) -> None:
    assert JobCache().folder == result_cache
    assert Path.home() not in result_cache.parents
