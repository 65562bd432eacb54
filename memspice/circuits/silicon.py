"""What a subcircuit puts on silicon: gates of its transistors, and its capacitors.

No layout is drawn, so an area is a rule (`memspice.analysis.merit`) applied to what is counted
here from the text of a subcircuit, its instances of other subcircuits included.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from memspice.circuits.library import Library, library_text
from memspice.circuits.spice_text import logical_lines, physical_lines, plain_numbers, split_words
from memspice.errors import NetlistError
from memspice.resources import resource_path

_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Silicon:
    """Transistors and capacitors of a circuit, in sum.

    Parameters
    ----------
    gate : float, [m^2]
        Drawn width times length of all gates.
    capacitance : float, [F]
        Of all capacitors that are elements; those of transistors and wires are none.
    """

    gate: float = 0.0
    capacitance: float = 0.0

    def __add__(self, other: Silicon) -> Silicon:
        """Both circuits."""
        return Silicon(self.gate + other.gate, self.capacitance + other.capacitance)

    def __mul__(self, count: float) -> Silicon:
        """So many circuits, or a share of one."""
        return Silicon(self.gate * count, self.capacitance * count)


def silicon(library: Library, name: str, parameters: Mapping[str, float] | None = None) -> Silicon:
    """Gates and capacitors of a subcircuit.

    Parameters
    ----------
    library : Library
        Has it, and all that it is made of.
    name : str
        Of the subcircuit.
    parameters : mapping of str to float, optional
        Those that differ from its defaults, SI.

    Raises
    ------
    NetlistError
        If a subcircuit is missing, or a size is no arithmetic of numbers and parameters.
    """
    header = library.headers.get(name.lower())
    if header is None:
        raise NetlistError(f"{library.origin} has no subcircuit {name}: write it there")
    sizes = {key: evaluated(text, {}, library.origin) for key, text in header.parameters.items()}
    sizes |= {key.lower(): float(value) for key, value in (parameters or {}).items()}
    body = physical_lines(library.definitions[name.lower()])
    total = Silicon()
    for line in logical_lines(body, first=1):
        total += _element(library, split_words(line.text), sizes)
    return total


def _element(library: Library, words: list[str], sizes: Mapping[str, float]) -> Silicon:
    """What one statement adds: a MOSFET, a capacitor or an instance; others add nothing."""
    own = {key.lower(): text for key, _, text in (w.partition("=") for w in words if "=" in w)}

    def size(text: str) -> float:
        return evaluated(text, sizes, library.origin)

    kind = words[0][0].lower()
    if kind == "m":
        return Silicon(gate=size(own["w"]) * size(own["l"]))
    if kind == "c":
        return Silicon(capacitance=size(words[3]))
    if kind == "x":
        plain = [word for word in words if "=" not in word and word.lower() != "params:"]
        return silicon(library, plain[-1], {key: size(text) for key, text in own.items()})
    return Silicon()


def evaluated(text: str, names: Mapping[str, float], where: str) -> float:
    """Number that an expression of SPICE stands for.

    Parameters
    ----------
    text : str
        Numbers with scales, parameters and ``+ - * /``, in braces or not.
    names : mapping of str to float
        Parameters, in lower case.
    where : str
        For the message.

    Raises
    ------
    NetlistError
        If it is anything else, or has an unknown parameter.
    """
    plain = plain_numbers(text.strip("{}' ").lower())
    try:
        return _computed(ast.parse(plain, mode="eval").body, names)
    except (SyntaxError, KeyError, TypeError) as error:
        raise NetlistError(
            f"{where}: the size {text!r} is no number and no arithmetic of known parameters "
            f"({', '.join(names) or 'none'}): use names, numbers, + - * / and parentheses"
        ) from error


def _computed(node: ast.expr, names: Mapping[str, float]) -> float:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]  # a TypeError is caught by the caller
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.BinOp):
        apply = _OPERATORS[type(node.op)]
        return apply(_computed(node.left, names), _computed(node.right, names))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_computed(node.operand, names)
    raise TypeError(ast.dump(node))


def package_silicon(name: str) -> Silicon:
    """A block of ``models/freepdk45/``, with the sizes that it has by default.

    Its transistor cards are not needed for this.
    """
    return silicon(library_text(resource_path("freepdk45", "periphery.lib")), name)
