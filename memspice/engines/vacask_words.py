"""Names, numbers and expressions in VACASK's dialect, from those of a deck or of SPICE text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from memspice.circuits.spice_text import SCALED, plain_numbers
from memspice.errors import NetlistError

_TOKEN = re.compile(rf"{SCALED.pattern}|[a-z_]\w*|[-+*/() ]")
_NAME = re.compile(r"[a-z_]\w*")
_NODE = re.compile(r"[a-z_]\w*|\d+")


def settings_text(parameters: Mapping[str, Any], where: str) -> str:
    """`` name=value`` of each parameter of an instance; ``where`` is for messages."""
    return "".join(
        f" {name_text(name, where)}={value_text(value, where, real=True)}"
        for name, value in parameters.items()
    )


def name_text(name: object, where: str) -> str:
    """A name of an instance, a model or a parameter, in lower case."""
    return _checked(_NAME, name, where)


def node_list(names: Iterable[object], where: str) -> str:
    """Nodes, separated by blanks."""
    return " ".join(_checked(_NODE, name, where) for name in names)


def _checked(pattern: re.Pattern[str], name: object, where: str) -> str:
    text = str(name).lower()
    if not (pattern.fullmatch(text) and text.isascii()) or text == "time":
        raise NetlistError(
            f"{where}: {str(name)!r} is no name in VACASK's dialect; use letters, digits and _ "
            "(a letter first), and not 'time'"
        )
    return text


def value_text(value: Any, where: str, *, real: bool = False) -> str:
    """A number, or an expression of names, numbers and + - * / in parentheses or braces."""
    if not isinstance(value, str):
        return number_text(value, where, real=real)
    text = value.strip().lower()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    if not text or _TOKEN.sub("", text):
        raise NetlistError(
            f"{where}: {value!r} is no number and no expression that VACASK knows; use names, "
            "numbers, + - * / and parentheses"
        )
    return plain_numbers(text)


def number_text(value: Any, where: str, *, real: bool = False) -> str:
    """A finite number to 12 digits; ``real`` keeps VACASK from taking it for a whole one."""
    number = float(value)
    if not math.isfinite(number):
        raise NetlistError(f"{where}: {number} is not finite; leave an open element out")
    text = f"{number:.12g}"
    return f"{text}.0" if real and re.fullmatch(r"-?\d+", text) else text
