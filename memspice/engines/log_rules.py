"""What the judges of the engines' logs have in common: rules, verdicts, and advice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from memspice.errors import EngineError, NetlistError

Kind = type[EngineError] | type[NetlistError]
#: Exception that a line deserves, and what to try.
Verdict = tuple[Kind, str]
Rules = tuple[tuple[re.Pattern[str], Verdict], ...]

#: What to try where no step converges, and where a matrix is singular.
STEPS = "allow a shorter max_step, smooth edges shorter than it, or raise itl4"
GROUND = (
    "give the node a resistive path to ground, correct a misspelt node, "
    "or break a loop of voltage sources"
)


@dataclass(frozen=True)
class Problem:
    """The first thing in a log that makes the run worthless.

    Parameters
    ----------
    kind : type
        `NetlistError`, or `EngineError` or a subclass of it.
    message : str
        The engine's line, the deck's line where known, and what to try.
    """

    kind: Kind
    message: str


def compile_rules(rows: Iterable[tuple[str, Kind, str]]) -> Rules:
    """Rules from rows of pattern (in any case), exception and what to try."""
    return tuple((re.compile(row[0], re.IGNORECASE), row[1:]) for row in rows)


def verdict_of(rules: Rules, line: str) -> Verdict | None:
    """Verdict of the first rule that matches a line."""
    return next((verdict for pattern, verdict in rules if pattern.search(line)), None)


def quote_line(deck: list[str], number: int) -> str:
    """A line of the deck by its number, for a message; nothing if there is none."""
    if not 1 <= number <= len(deck):
        return ""
    return f" (deck line {number}: {deck[number - 1][:200]!r})"
