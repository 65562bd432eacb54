"""What a netlist for ngspice must be: no statement vanishes, doubles, or means something else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from memspice.circuits.spice_text import (
    Line,
    check_numbers,
    logical_lines,
    physical_lines,
    split_words,
)
from memspice.engines.waveforms import GROUND_NAMES
from memspice.errors import NetlistError

#: Cards that the engine writes itself; a second one in the netlist would run, save or end
#: something else than what was asked for.
RESERVED = frozenset(
    (".ac", ".dc", ".disto", ".four", ".meas", ".measure", ".noise", ".op", ".pss", ".pz")
    + (".sens", ".sp", ".tf", ".tran", ".opt", ".option", ".options", ".save", ".plot", ".print")
    + (".probe", ".width", ".control", ".endc", ".end")
)
#: Cards of other files, whose text would be in no hash, store or message.
INCLUDES = frozenset((".include", ".incl", ".inc", ".lib", ".endl"))
#: Cards that describe a circuit; every other one is refused.
CARDS = frozenset(
    (".model", ".subckt", ".ends", ".param", ".func", ".ic", ".nodeset", ".global", ".temp")
    + (".if", ".elseif", ".else", ".endif")
)
#: Nodes of each kind of element that has a fixed number of them.
NODES = {
    **dict.fromkeys("rclvibdfhw", 2),
    **dict.fromkeys("qjz", 3),
    **dict.fromkeys("egsmto", 4),
    "k": 0,
}
#: Elements whose nodes end where a word for a subcircuit or model stands.
INSTANCES = frozenset("xn")
#: Fewest and most values of each shape of a source: what is left out, ngspice makes up.
SHAPES = {"pulse": (6, 7), "sin": (3, 6), "exp": (6, 6), "sffm": (5, 5), "am": (5, 5)}
#: Names that look like ground and are nodes like any other.
NOT_GROUND = re.compile(r"ground|gnd[!0]|00+")
#: A literal zero, also as ``r=0`` and with a unit. A parameter that works out to 0 is not seen.
_ZERO = re.compile(r"(r|resistance)?=?[-+]?(0+\.?0*|\.0+)(e[-+]?\d+)?[a-z]*$", re.IGNORECASE)
#: Braces around an expression, on a line where they are no parentheses, and without these.
_BARE_BRACE = re.compile(r"(?<!\()\{[^}]*[-+*/?<>][^}]*\}|\{[^}]*[-+*/?<>][^}]*\}(?!\))")
_VALUE = re.compile(r"[-+]?\.?\d|[{']")
_SETTING = re.compile(r"([a-z_]\w*)=(?!=)", re.IGNORECASE)


@dataclass
class _Scope:
    """Names of one subcircuit, or of the circuit: in lower case, with where they were spelled."""

    nodes: dict[str, tuple[str, int]] = field(default_factory=dict)
    names: dict[tuple[str, str], int] = field(default_factory=dict)

    def node(self, line: Line, name: str) -> None:
        """Take a node's name; refuse what looks like another node, or like ground."""
        lower = name.lower()
        if NOT_GROUND.fullmatch(lower):
            raise line.refuse(f"has the node {name!r}, which is not ground; write 0, or rename it")
        if re.search(r"[(){}=,']", name):
            raise line.refuse(f"has {name!r} in place of a node; write bare names and blanks")
        if lower in GROUND_NAMES:
            return
        spelled, number = self.nodes.setdefault(lower, (name, line.number))
        if spelled != name:
            raise line.refuse(
                f"has the node {name!r}, which to ngspice is {spelled!r} of line {number}; spell "
                "one node in one way, or rename one of two"
            )

    def name(self, line: Line, kind: str, name: str) -> None:
        """Take the name of a thing that may be defined once."""
        number = self.names.setdefault((kind, name.lower()), line.number)
        if number != line.number:
            raise line.refuse(f"defines the {kind} {name!r}, which already exists on line {number}")


def check_netlist(netlist: str) -> None:
    """Refuse what ngspice accepts without a word.

    Parameters
    ----------
    netlist : str

    Raises
    ------
    ConfigError
        If the netlist is no text.
    NetlistError
        If the first line, which is the title, may be an element or a card; if there is no element;
        if a card is none of `CARDS`; if an element, parameter or model is defined twice, a node is
        spelled in two ways or looks like ground, a value is missing, doubled, or a number is read
        otherwise than people do; or if a resistor has 0 ohm.
    """
    title, *body = physical_lines(netlist)
    lines = list(logical_lines(body))
    checks = _Checks(lines)
    _check_title(title.strip(), checks)
    checks.run()
    if checks.n_elements == 0:
        raise NetlistError(f"the netlist {title!r} has no element; nothing to simulate")


def _check_title(title: str, checks: _Checks) -> None:
    """Refuse a first line that would be a statement anywhere else: ngspice drops it."""
    line = Line(1, title)
    if re.match(r"\*#|\*ng_script", title, re.IGNORECASE):
        raise line.refuse("is a command to ngspice, not a title; begin it with '* '")
    if title.lower().startswith(".title"):
        return
    if title.startswith(("+", ".")):
        raise line.refuse("is the title and would be ignored, but it reads like a card; put a "
                          "title line before it")  # fmt: skip
    words = re.split(r"[\s,()=]+", title.lower())
    if not title[:1].isalpha() or len(words) < 3:
        return
    shared = sorted((GROUND_NAMES | checks.words()).intersection(words[1:]))
    if shared:
        raise line.refuse(
            "is the title and would be ignored, but it reads like an element (the circuit has "
            f"{shared[0]!r}, too); put a title line before it, or begin it with '*'"
        )


class _Checks:
    """One pass over the statements of a netlist."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.n_elements = 0
        self._scopes = [_Scope()]
        self._open: list[str] = []
        self._conditions = 0
        self._settings = dict(_headers(lines))

    def words(self) -> set[str]:
        """Names in the circuit, in lower case: of nodes, elements, models and subcircuits."""
        found: set[str] = set()
        for line in self.lines:
            words = split_words(line.text.lower())
            if words[0][0] != ".":
                found.update(_nodes(words), words[:1])
            if words[0][0] == "k" or words[0] in (".subckt", ".model"):
                found.update(words[1:3])
            if words[0][0] in INSTANCES:
                found.update(word for word in words if "=" not in word)
        return found

    def run(self) -> None:
        """Check every statement."""
        for line in self.lines:
            words = split_words(line.text)
            if re.search(r"\^|\*\*", line.text):
                raise line.refuse(
                    "has a power, of which ngspice takes the base without its sign and the left "
                    "one first; write a product, or pow(x, y) for |x| and pwr(x, y) for x with "
                    "its sign"
                )
            if words[0].startswith("."):
                self._card(line, words)
            else:
                self.n_elements += 1
                self._element(line, words)

    def _card(self, line: Line, words: list[str]) -> None:
        card = words[0].lower()
        if card in RESERVED:
            raise line.refuse("is written by the engine; remove it and use the arguments of run()")
        if card in INCLUDES:
            raise line.refuse(
                "takes text from another file, which no hash or result would name; put that text "
                "into the netlist"
            )
        if card not in CARDS:
            raise line.refuse(f"is none of the cards of a circuit ({', '.join(sorted(CARDS))})")
        self._conditions += (card == ".if") - (card == ".endif")
        if card == ".subckt":
            self._open.append(words[1].lower() if len(words) > 1 else "")
            self._scopes.append(_Scope())
            for word in words[2:]:
                if "=" not in word and word.lower() != "params:":
                    self._scopes[-1].node(line, word)
        elif card == ".ends":
            self._close(line, words)
        elif card == ".model" and not self._conditions and len(words) > 1:
            self._scopes[-1].name(line, "model", words[1])
        elif card == ".param" and not self._conditions:
            self._parameters(line, words[1:])
        skip = {".subckt": len(words), ".ends": len(words), ".global": len(words), ".model": 2}
        check_numbers(line, " ".join(words[skip.get(card, 1) :]))

    def _close(self, line: Line, words: list[str]) -> None:
        if not self._open:
            raise line.refuse("ends no .subckt; remove it")
        name = self._open.pop()
        self._scopes.pop()
        if len(words) > 1 and words[1].lower() != name:
            raise line.refuse(f"ends the .subckt {name!r} under another name; correct one of them")

    def _parameters(self, line: Line, words: Iterable[str]) -> None:
        text = re.sub(r"\{[^}]*\}|'[^']*'", " ", " ".join(words))
        names = [name.lower() for name in _SETTING.findall(text)]
        for name in names:
            self._scopes[-1].name(line, "parameter", name)
            if names.count(name) > 1:
                raise line.refuse(f"defines the parameter {name!r} twice; remove one of them")

    def _element(self, line: Line, words: list[str]) -> None:
        kind = words[0][0].lower()
        nodes = _nodes(words)
        if not self._conditions:
            self._scopes[-1].name(line, "element", words[0])
        for node in nodes:
            self._scopes[-1].node(line, node)
        rest = words[1 + len(nodes) :]
        if kind in "rcl":
            _check_passive(line, kind, rest)
        elif kind in "vi":
            _check_source(line, rest)
        elif kind in "egfh":
            _check_controlled(line, rest[1:] if kind in "fh" else rest)
        elif kind in INSTANCES:
            self._check_instance(line, rest)
        if kind == "b" and _BARE_BRACE.search(line.text):
            raise line.refuse(
                "has an expression in braces, which ngspice puts in without parentheses: x*{a-b} "
                "is x*a-b; write ({a-b})"
            )
        if kind in "bvirclefghk":
            check_numbers(line, " ".join(rest))
        else:  # the others begin with a model, whose name may begin with a digit
            check_numbers(line, " ".join(word for word in rest if "=" in word))

    def _check_instance(self, line: Line, rest: list[str]) -> None:
        """Refuse a setting that the subcircuit does not have: ngspice ignores it."""
        known = self._settings.get(rest[0].lower()) if rest else None
        for word in rest[1:]:
            name = word.partition("=")[0].lower()
            if known is not None and "=" in word and name not in {*known, "m"}:
                raise line.refuse(
                    f"sets {name!r}, which the subcircuit {rest[0]!r} does not have "
                    f"({', '.join(known) or 'it has no parameters'})"
                )


def _headers(lines: Iterable[Line]) -> Iterator[tuple[str, list[str]]]:
    """Names and parameters of the subcircuits."""
    for line in lines:
        words = split_words(line.text)
        if words[0].lower() == ".subckt" and len(words) > 1:
            yield words[1].lower(), [w.partition("=")[0].lower() for w in words[2:] if "=" in w]


def _nodes(words: list[str]) -> list[str]:
    """Words of an element that name its nodes."""
    kind = words[0][0].lower()
    if kind in INSTANCES:
        return [word for word in words[1:] if "=" not in word and word.lower() != "params:"][:-1]
    count = NODES.get(kind, 0)
    if (
        kind in "eg"
        and len(words) > 3
        and re.match(r"(vol|cur|value|poly|table)\b", words[3], re.I)
    ):
        count = 2
    return words[1 : 1 + count]


def _check_passive(line: Line, kind: str, rest: list[str]) -> None:
    if not rest:
        raise line.refuse(
            "has no value (ngspice would make one up); write name, two nodes and a value"
        )
    _check_single(line, rest)
    if kind == "r" and _ZERO.match(rest[0]):
        raise line.refuse(
            "is a resistor of 0 ohm, which ngspice turns into 1 mohm without a word; merge its two "
            "nodes, or use a 0 V source"
        )


def _check_controlled(line: Line, rest: list[str]) -> None:
    if not re.match(r"(vol|cur|value|poly|table)\b", " ".join(rest[:1]), re.IGNORECASE):
        _check_single(line, rest)


def _check_single(line: Line, rest: list[str]) -> None:
    """At most one value: ngspice takes another one for an area, a coefficient or nothing."""
    values = [word for word in rest if _VALUE.match(word)]
    if len(values) > 1:
        raise line.refuse(f"has the values {', '.join(values)}; write one, as name=value if named")
    if any("," in word and not re.search(r"[({']", word) for word in rest):
        raise line.refuse("has a comma in its value, which separates words; write a point")


def _check_source(line: Line, rest: list[str]) -> None:
    for word, after in pairwise([*rest, ""]):
        if word.lower() == "dc" and not _VALUE.match(after):
            raise line.refuse("has no value behind dc (ngspice would take 0); write it")
        if "," in word and not re.search(r"[({']", word):
            raise line.refuse("has a comma in its value, which separates words; write a point")
        shape = re.fullmatch(r"(\w+)\((.*)\)", word, re.DOTALL)
        if shape:
            _check_shape(line, shape[1].lower(), shape[2])


def _check_shape(line: Line, shape: str, inner: str) -> None:
    groups = re.sub(r"\s*,\s*", ",", inner.strip()).split()
    sizes = {group.count(",") + 1 for group in groups if not re.search(r"[({']", group)}
    mixed = len(groups) > 1 and sizes not in ({1}, set()) and not (shape == "pwl" and sizes == {2})
    if mixed:
        raise line.refuse(
            f"has {shape}(...) with commas and blanks between its values; separate them in one "
            "way, and write a point in numbers"
        )
    values = split_words(inner.replace(",", " "))
    if shape == "pwl" and (len(values) % 2 or not values):
        raise line.refuse(f"has pwl(...) with {len(values)} values; write pairs of time and value")
    fewest, most = SHAPES.get(shape, (0, len(values)))
    if not fewest <= len(values) <= most:
        raise line.refuse(
            f"has {shape}(...) with {len(values)} values; write {fewest} to {most} of them, since "
            "ngspice makes up what is missing"
        )
    if shape == "pulse" and any(_ZERO.match(value) for value in values[3:5]):
        raise line.refuse(
            "has pulse(...) with an edge of 0, which ngspice makes as long as a step; write its "
            "rise and fall time"
        )
