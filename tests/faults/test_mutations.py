"""Damaged files of every kind are refused cleanly, or make no difference."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from memspice.errors import DataError
from memspice.network.weights import load_network
from tests.faults.mutate import Hang, alarm, judge, trial
from tests.faults.targets import TARGETS, Refusal, Target


@pytest.mark.parametrize("name", TARGETS)
def test_three_hundred_damaged_files(name: str) -> None:
    found: Counter[str] = Counter()
    for number in range(38):
        outcome, done, words = trial(name, 17, number)
        assert outcome != "failed", f"{name}, {done}, number {number}: {words}"
        found[outcome] += 1
    assert found["refused"] > 3


def _raise(error: BaseException) -> str:
    raise error


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda path: "another answer", "another answer"),
        (lambda path: _raise(KeyError("steps")), "KeyError"),
        (lambda path: _raise(MemoryError()), "MemoryError"),
        (lambda path: _raise(Refusal("in.h5 \x1b[31m")), "control characters"),
        (lambda path: _raise(Refusal("something is wrong")), "does not name"),
        (lambda path: _raise(Hang()), "in time"),
    ],
)
def test_the_judge_sees_what_is_wrong(read: object, words: str, tmp_path: object) -> None:
    target = Target(lambda path: path, read, ("bytes",), sealed=True)  # type: ignore[arg-type]
    outcome, said = judge(target, tmp_path / "in.h5", "the whole answer")  # type: ignore[operator]
    assert outcome == "failed"
    assert words in said


def test_file_in_which_the_library_loops_for_ever() -> None:
    """`h5py.File(path).attrs["format"]` does not come back from it, deaf to SIGTERM."""
    with alarm(60), pytest.raises(DataError, match=r"hang87\.h5 is damaged"):
        load_network(str(Path(__file__).with_name("hang87.h5")))
