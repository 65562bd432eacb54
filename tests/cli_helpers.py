"""Calls of the command line within the test's own process: each start of another costs seconds."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from memspice.cli.main import main

#: On models, whose decks take milliseconds.
ON_MODELS = ("--periphery", "behavioural")
DIGITS = ("--network", "digits-mlp", *ON_MODELS)
#: Fast, and needs no engine.
SURROGATE = ("simulate-layer", *DIGITS, "--fidelity", "surrogate", "--cycles", "1")


class Reply(NamedTuple):
    """What a user sees of a command."""

    code: int
    out: str
    err: str

    @property
    def content(self) -> dict[str, Any]:
        """The one JSON object on standard output, without which the test fails."""
        assert self.code == 0, self.err
        found = json.loads(self.out, parse_constant=lambda name: pytest.fail(f"JSON with {name}"))
        assert isinstance(found, dict)
        return found


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> Reply:
    """Run a command as the process would."""
    capsys.readouterr()
    try:
        main([str(argument) for argument in arguments])
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else -1
    return Reply(code, *capsys.readouterr())


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes: a write then fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
