"""What ngspice's log says, and which exception it deserves.

`ngspice -b` exits with 0 after it replaced a missing value, ignored a parameter or lost the raw
file to a full disk, so its words decide. Every line that warns is a failure, also one that begins
with ``Note:``, except the ones listed in `HARMLESS`. Wordings are those of ngspice 39.3, 44.2 and
47, each seen in a run of a deck that has the fault.
"""

from __future__ import annotations

import re

from memspice.engines.log_rules import (
    GROUND,
    STEPS,
    Problem,
    Verdict,
    compile_rules,
    quote_line,
    verdict_of,
)
from memspice.errors import ConvergenceError, EngineError, NetlistError, TruncatedOutput

#: Lines that contain a word of alarm and yet change no result.
HARMLESS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Steps of the search for the operating point: each failure leads to the next method, and
        # when the last one fails ngspice says "Transient op failed" and exits with 1.
        r"^Warning: ((dynamic|true|spice3|last) )?(gmin|source) step(ping)? failed",
        r"^Warning: further gmin increment",
        # SPICE's definition of a source's value in the operating point.
        r"no DC value, transient time 0 value used",
        # spinit loads XSPICE code models and sets plotting defaults; nothing here uses them.
        r"can't find the initialization file spinit",
        # Asked for by -b without a table of resources.
        r"^Note: no resource usage information",
    )
)

#: (pattern, exception, what to try), the first that matches a line decides.
KNOWN = compile_rules(
    (
        (r"rawfile write error|no space left", TruncatedOutput, "free disk space or set TMPDIR"),
        (r"set to 1 mOhm", NetlistError, "give the resistor a value, not 0 ohm"),
        (r"has no value, DC 0 assumed", NetlistError, "write the source's value, even if 0"),
        (r"IC on non-existent|nodeset on non-existent", NetlistError, "correct the node's name"),
        (r"singular", NetlistError, GROUND),
        (r"unrecognized variable", NetlistError, "correct the name in save="),
        (r"no data saved", NetlistError, "no signal of save= exists; correct the names"),
        (
            r"unrecognized parameter|model issue",
            NetlistError,
            "correct or remove the model parameter",
        ),
        (
            r"can't find model|valid modelname|find definition of model",
            NetlistError,
            "add the .model card, or load the compiled model",
        ),
        (r"unknown subckt", NetlistError, "add the .subckt"),
        (r"undefined parameter|cannot compute substitute", NetlistError, "define it with .param"),
        (r"could not find include file", NetlistError, "give an absolute path"),
        (r"out of range for", NetlistError, "limit the argument in the B source's expression"),
        (r"non-increasing PWL", NetlistError, "sort the PWL points by time"),
        (r"already exists", NetlistError, "rename one of the two elements"),
        (r"osdi lib|couldn't be loaded|supports.* OSDI", EngineError, "compile the model anew"),
        (r"is out of bounds", NetlistError, "keep to the range that the model declares"),
        (r"OSDI setup|^OSDI ?\(", NetlistError, "a compiled model complains, see the log"),
        (
            r"^Error (on|in netlist) line|mal ?formed|unknown parameter|incorrect model type",
            NetlistError,
            "correct that line",
        ),
        (r"timestep too small", ConvergenceError, STEPS),
        (r"transient op failed|iteration limit|no convergence", ConvergenceError, STEPS),
    )
)

_ALARM = re.compile(
    r"\b(warning|error|fatal|panic|aborted|interrupted|failed|can't|cannot|could not|"
    r"undefined|unknown|no such|errors|warnings|invalid|illegal|incorrect|failure|nan|inf)\b",
    re.IGNORECASE,
)
_NODE_VALUE = re.compile(r"^\S+\s{2,}[-+]?[\d.]+(e[-+]?\d+)?$", re.IGNORECASE)
_CHATTER = re.compile(
    r"^(\*\*|Batch mode|Simulation output goes|Comments and warnings go|Circuit: |binary raw file|"
    r"Total |DRAM |Maximum ngspice|Current ngspice|Shared ngspice|Text \(code\)|Stack |"
    r"Library pages|Node  |----|Initial Transient Solution)"
)


def tidy_log(log: str) -> str:
    """Drop what carries no information: the table of node voltages, memory counts, blank lines.

    Parameters
    ----------
    log : str

    Returns
    -------
    str
        One message a line, also where ngspice put several on one.
    """
    lines = (line.strip() for line in log.splitlines())
    kept = [line for line in lines if line and not _CHATTER.match(line)]
    text = "\n".join(line for line in kept if not _NODE_VALUE.match(line))
    return re.sub(r"(?<=\S) +(?=(?:Warning|Note|Error) ?:)", "\n", text)


def first_problem(log: str, deck: str) -> Problem | None:
    """Find the first line of a log that is not known to be harmless.

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
    for index, line in enumerate(lines):
        context = lines[index : index + 3]
        # "Error on line 4 or its substitute:" announces its reason on the lines below
        said = " ".join(context) if line.endswith(":") else line
        verdict = _judge(line) and _judge(said)
        if verdict is None:
            continue
        kind, advice = verdict
        where = _deck_line("\n".join(context), deck.splitlines())
        return Problem(kind, f"ngspice: {said!r}{where}; {advice}")
    return None


def _judge(line: str) -> Verdict | None:
    known = verdict_of(KNOWN, line)
    if known is not None:
        return known
    if any(pattern.search(line) for pattern in HARMLESS):
        return None
    if _ALARM.search(line):
        return EngineError, "this message is not on the list of harmless ones, see the log"
    return None


def _deck_line(context: str, deck: list[str]) -> str:
    """Quote the deck's line that a message names by number or by element (``r.x1.r5: ...``)."""
    # ngspice 47 names two lines, of which the second is that of the deck it was given
    number = re.search(r"\binternal line no\. (\d+)", context)
    number = number or re.search(r"\bline (?:no\. )?(\d+)", context)
    if number and 1 <= int(number[1]) <= len(deck):
        return quote_line(deck, int(number[1]))
    element = re.match(r"(?:\w+ ?: )?([\w.]+): ", context)
    if element:
        name = element[1].rpartition(".")[2].lower()
        for index, line in enumerate(deck[1:], start=2):
            if line.lower().split(maxsplit=1)[:1] == [name]:
                return quote_line(deck, index)
    return ""
