"""SPICE text as ngspice reads it: lines joined, comments gone, numbers; traps are refused.

What ngspice reads in silence otherwise than a person would is a `NetlistError` that names the line,
shows it, and says what to write. Each trap here was seen in ngspice 39.3 with exit status 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from memspice.errors import ConfigError, NetlistError

#: Longest part of a line that a message shows, [characters].
SHOWN = 120
_NAMES = r"[vi]\([^()]*\)|@[\w.:]+\[\w+\]"
_NUMBER = re.compile(
    r"(?<![\w.$#@:\]])(?P<digits>(?:\d+\.?\d*|\.\d+)(?P<exponent>e[-+]?\d+)?)"
    r"(?P<rest>[^\s,(){}'=+\-*/^<>!&|?:;]*)",
    re.IGNORECASE,
)
_UNITS = r"(?:v|volts?|ohms?|s|secs?|hz|h|w|c|mhos?)"
#: A number with its scale, in lower case.
SCALED = re.compile(r"(?<![\w.])(\d+\.?\d*|\.\d+)(e[-+]?\d+)?(meg|[tgkmunpf])?(?![\w.])")
_SCALES = {
    **{"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "m": 1e-3},
    **{"u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15, "": 1.0},
}
#: What may stand behind a number: nothing, a unit, or a scale with a unit or without.
_REST = re.compile(
    rf"(?:{_UNITS}|(?P<scale>meg|[tgkmunpf])(?:{_UNITS}|a|amps?|f|farads?)?)?$", re.I
)
#: Control characters but the tab, line ends of Unicode, marks that show nothing or turn text round.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\ufeff]")
_COMMENT = re.compile(r"(?:;|(?:^|(?<=[\s,]))(?:\$|//)).*")


@dataclass(frozen=True)
class Line:
    """A statement: number of its first line in the netlist, and its text with continuations."""

    number: int
    text: str

    def refuse(self, why: str) -> NetlistError:
        """Error that shows the line and says what is wrong with it and what to write."""
        text = self.text if len(self.text) <= SHOWN else f"{self.text[:SHOWN]}..."
        return NetlistError(f"netlist line {self.number}: {text!r} {why}")


def physical_lines(netlist: str) -> list[str]:
    """Lines of a netlist, ended by line feeds alone or behind carriage returns.

    Parameters
    ----------
    netlist : str

    Returns
    -------
    list of str

    Raises
    ------
    ConfigError
        If the netlist is no text.
    NetlistError
        If it holds control characters or other line ends: engines break lines at other places
        than editors, and read on where a NUL ends what is shown.
    """
    if not isinstance(netlist, str):
        raise ConfigError(f"a netlist is text, not a {type(netlist).__name__}")
    lines = [line.removesuffix("\r") for line in netlist.split("\n")]
    for number, line in enumerate(lines, start=1):
        strange = _CONTROL.search(line)
        if strange:
            raise Line(number, line).refuse(
                f"holds the character U+{ord(strange[0]):04X}, which engines and editors read "
                "differently; remove it"
            )
    return lines


def logical_lines(body: list[str], first: int = 2) -> Iterator[Line]:
    """Statements below the title: comments and blank lines dropped, ``+`` continuations joined.

    Parameters
    ----------
    body : list of str
        Lines from the second on.
    first : int
        Number of the first of them; 1 for the file of a subcircuit, which has no title.

    Yields
    ------
    Line

    Raises
    ------
    NetlistError
        If a comment is a command, a line continues nothing or ends in a backslash, or a statement
        holds characters beyond ASCII.
    """
    found: Line | None = None
    for number, raw in enumerate(body, start=first):
        stripped = raw.strip()
        if stripped.startswith("*#"):
            raise Line(number, stripped).refuse(
                "is a command to ngspice, not a comment; begin it with '* '"
            )
        if re.match(r"[^*$;].*?\S;", stripped):
            raise Line(number, stripped).refuse(
                "has ';' within it, where a comment begins; put a blank before it, or a line end"
            )
        text = "" if stripped.startswith("*") else _COMMENT.sub("", stripped).strip()
        if not text:
            continue
        line = Line(number, text)
        _check_characters(line)
        if not text.startswith("+"):
            if found is not None:
                yield found
            found = line
        elif found is None:
            raise line.refuse("continues the title, which is no statement; put it behind one")
        else:
            found = Line(found.number, f"{found.text} {text[1:].strip()}")
    if found is not None:
        yield found


def _check_characters(line: Line) -> None:
    if not line.text.isascii():
        strange = next(character for character in line.text if not character.isascii())
        raise line.refuse(
            f"holds {strange!r} (U+{ord(strange):04X}), which ngspice does not know; write ASCII "
            "letters, digits, blanks and signs, and u for micro"
        )
    if line.text.endswith("\\"):
        raise line.refuse("ends in a backslash, which may join it with the next line; use '+'")


def split_words(text: str) -> list[str]:
    """Words of a statement; what stands in parentheses, braces or quotes stays together.

    Parameters
    ----------
    text : str
        ``key = value`` counts as one word, and so does ``pwl (0 1)``.

    Returns
    -------
    list of str
    """
    if not re.search(r"[=({']", text):
        return text.split()
    text = re.sub(r"\s*=\s*", "=", text)
    text = re.sub(r"\b(pwl|pulse|sin|exp|sffm|am)\s+\(", r"\1(", text, flags=re.IGNORECASE)
    words, word, depth, quote = [], "", 0, False
    for character in text:
        quote ^= character == "'"
        depth += (character in "({") - (character in ")}")
        if character.isspace() and depth <= 0 and not quote:
            words.append(word)
            word = ""
        else:
            word += character
    return [word for word in [*words, word] if word]


def plain_numbers(text: str) -> str:
    """Text in lower case whose numbers have no scales any more: ``2*1.5u`` is ``2.0*1.5e-06``."""

    def plain(match: re.Match[str]) -> str:
        return repr(float(match[1] + (match[2] or "")) * _SCALES[match[3] or ""])

    return SCALED.sub(plain, text)


def check_numbers(line: Line, text: str) -> None:
    """Refuse numbers that ngspice reads otherwise than people do.

    Parameters
    ----------
    line : Line
        For the message.
    text : str
        Part of it: values and expressions, no names of nodes.

    Raises
    ------
    NetlistError
        For instance of ``1M`` (a thousandth), ``1F`` (1e-15), ``10mil``, ``2A`` (an atto in newer
        versions), ``4K7`` (4000), ``1_000`` (1), ``0x10`` (0), ``1.2.3`` (two numbers).
    """
    for match in _NUMBER.finditer(re.sub(_NAMES, " ", text, flags=re.IGNORECASE)):
        advice = _number_advice(match)
        if advice:
            raise line.refuse(f"holds the number {match[0]!r}: {advice}")


def _number_advice(match: re.Match[str]) -> str | None:
    """What to write in place of a number; None where it has one reading."""
    rest, digits = match["rest"], match["digits"]
    known = _REST.match(rest)
    if rest.lower().startswith("mil"):
        return "ngspice reads 'mil' as 25.4e-6; write it with an exponent"
    if known is None:
        return (
            f"ngspice ignores {rest!r} or takes it for a scale; write {digits} or a scale of SPICE"
        )
    scale = known["scale"] or ""
    if scale == "M":
        return f"to ngspice M is milli; write {digits}meg or {digits}m"
    if scale == "F":
        return f"to ngspice F is femto; write {digits}f or {digits}"
    if match["exponent"] and scale:
        return "it has an exponent and a scale; write one of them"
    return None
