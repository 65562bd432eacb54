"""Subcircuits of SPICE text in VACASK's dialect, and the transistor cards that they need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from memspice.circuits.library import Library
from memspice.circuits.spice_text import Line, split_words
from memspice.circuits.transistor_card import BSIM4, TransistorCard
from memspice.engines.vacask_words import name_text, node_list, settings_text, value_text

_TYPES = {"nmos": 1, "pmos": -1}


#: Nodes of a transistor, and the sizes that it is given.
_NODES = "d g s b"
_SIZES = ("w", "l", "as", "ad", "ps", "pd")


def card_text(card: TransistorCard) -> str:
    """Definition of a transistor, statement by statement."""
    return _CARDS[card.model](name_text(card.name, "card"), card)


def _bsim4(name: str, card: TransistorCard) -> str:
    """A model: the type is a number, the version a text, and there is no level."""
    kind = f'type={_TYPES[card.polarity]} version="{BSIM4}.0"'
    return f"model {name} sp_bsim4v8 ({kind}{_card_values(card)})"


def _psp103(name: str, card: TransistorCard) -> str:
    """A subcircuit with a model of its own, whose values may follow from the transistor's sizes."""
    sizes = " ".join(f"{size}=0.0" for size in _SIZES)
    given = " ".join(f"{size}={size}" for size in _SIZES)
    return f"""subckt {name}({_NODES})
parameters {sizes}
model psp psp103va (type={_TYPES[card.polarity]}{_card_values(card)})
channel ({_NODES}) psp {given}
ends"""


def _card_values(card: TransistorCard) -> str:
    return settings_text(dict(card.values), f"card {card.name}")


#: By the word of a card's equations.
_CARDS: Mapping[str, Callable[[str, TransistorCard], str]] = {"bsim4": _bsim4, "psp103": _psp103}


def library_lines(library: Library) -> Iterator[str]:
    """Subcircuits of a library, statement by statement.

    Parameters
    ----------
    library : Library

    Yields
    ------
    str

    Raises
    ------
    NetlistError
        If a statement has no counterpart; it names the file and the line.
    """
    for line in library.lines:
        words = split_words(line.text)
        first = words[0].lower()
        kind = first if first.startswith(".") else first[0]
        if kind not in _WRITERS:
            raise line.refuse(
                f"of {library.origin} has no counterpart in VACASK; use R, C, M, X and V and I of "
                "a constant value, write it as a Verilog-A model, or use ngspice"
            )
        yield from _WRITERS[kind](line, words).splitlines()


def _start(line: Line, words: Sequence[str]) -> str:
    plain, settings = _parted(words[1:])
    where = f"line {line.number}"
    head = f"subckt {name_text(plain[0], where)}({node_list(plain[1:], where)})"
    return f"{head}\nparameters{settings_text(settings, where)}" if settings else head


def _end(_: Line, __: Sequence[str]) -> str:
    return "ends"


def _valued(module: str, key: str) -> Callable[[Line, Sequence[str]], str]:
    """Two nodes and a value: ``R1 a b 1k``, ``C1 a b c=1f``, ``V1 a b dc 1``."""

    def write(line: Line, words: Sequence[str]) -> str:
        rest = [word for word in words[3:] if word.lower() != "dc"]
        value = rest[0].lower().removeprefix(f"{key}=") if len(rest) == 1 else ""
        if not value or "=" in value:
            raise line.refuse("must have two nodes and one value, to be understood by VACASK")
        text = value_text(value, f"line {line.number}")
        return f"{_named(line, words[:3])} {module} {key}={text}"

    return write


def _transistor(line: Line, words: Sequence[str]) -> str:
    return f"{_named(line, words[:5])} {_master(line, words[5:])}"


def _instance(line: Line, words: Sequence[str]) -> str:
    plain, _ = _parted(words)
    master = [plain[-1], *(word for word in words if "=" in word)]
    return f"{_named(line, plain[:-1])} {_master(line, master)}"


def _named(line: Line, words: Sequence[str]) -> str:
    where = f"line {line.number}"
    return f"{name_text(words[0], where)} ({node_list(words[1:], where)})"


def _master(line: Line, words: Sequence[str]) -> str:
    plain, settings = _parted(words)
    where = f"line {line.number}"
    return name_text(" ".join(plain), where) + settings_text(settings, where)


def _parted(words: Sequence[str]) -> tuple[list[str], Mapping[str, str]]:
    """Plain words, and settings ``name=value``."""
    pairs = (word.partition("=") for word in words if "=" in word)
    plain = [word for word in words if "=" not in word and word.lower() != "params:"]
    return plain, {name: value for name, _, value in pairs}


_WRITERS: Mapping[str, Callable[[Line, Sequence[str]], str]] = {
    ".subckt": _start,
    ".ends": _end,
    "r": _valued("resistor", "r"),
    "c": _valued("capacitor", "c"),
    "v": _valued("vsource", "dc"),
    "i": _valued("isource", "dc"),
    "m": _transistor,
    "x": _instance,
}
