"""What a netlist for VACASK must be: no statement vanishes, doubles, or means something else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from memspice.circuits.processes import PROCESS_MODELS
from memspice.circuits.spice_text import Line, physical_lines
from memspice.circuits.verilog import carried_files
from memspice.engines.compiled import model_interface
from memspice.engines.spice_check import NOT_GROUND
from memspice.engines.vacask_netlist import BUILT_IN, TRANSISTORS
from memspice.errors import NetlistError

#: Statements that the engine writes itself, or that would start another program.
RESERVED = frozenset(
    ("control", "endc", "analysis", "options", "save", "elaborate", "alter", "sweep", "abort")
    + ("embed", "postprocess", "include", "var", "print")
)
_INSTANCE = re.compile(r"(\w+)\s*\(([^)]*)\)\s*(\w+)(.*)", re.DOTALL)
_SUBCKT = re.compile(r"subckt\s+(\w+)\s*\(([^)]*)\)")
_MODEL = re.compile(r"model\s+(\w+)\s+(\w+)")
_LOAD = re.compile(r'load\s+"([^"]*)"')
_ZERO = re.compile(r"\br\s*=\s*[-+]?(0+\.?0*|\.0+)(e[-+]?\d+)?\s*(\s|$)")
#: A statement on the first line; a title may begin with the same words, but not go on like this.
_STATEMENT = re.compile(
    r'load\s+"|(subckt|model)\s+\w+\s*\(|model\s+\w+\s+\w+(\s+\w+\s*=.*)?$|ground\s+\S+$|'
    r"parameters\s+\w+\s*=|@\w|ends$|control$"
)
#: What VACASK reads otherwise than people or ngspice do, and what to write.
_TRAPS = tuple(
    (re.compile(rf"(?<![\w.]){pattern}"), advice)
    for pattern, advice in (
        (r"0[xX][\da-fA-F]+", "a hexadecimal number to VACASK, 0 to ngspice; write it in tens"),
        (
            r"\d[\d.]*(e[-+]?\d+)?[MxX](?!eg|EG)\w*",
            "mega to VACASK, milli to SPICE; write an exponent",
        ),
        (r"\d[\d.]*(e[-+]?\d+)?[aA]\w*", "an atto to VACASK; write an exponent, and no unit"),
        (r"\d+\s*/\s*\d+(?![\d.eE])", "whole numbers, divided without a rest; write 5.0/2.0"),
    )
) + (
    (re.compile(r"\^"), "no power to VACASK but an exclusive or; write a product"),
    (re.compile(r"\*\*"), "binds weaker than a sign before it; write a product"),
    (re.compile(r"/\*"), "begins a comment of many lines; begin each with //"),
)
#: What an instance of a module that VACASK brings along must say; else it takes a value of its own.
_NEEDED = {
    **{"resistor": re.compile(r"\br\s*="), "capacitor": re.compile(r"\bc\s*=")},
    **dict.fromkeys(("vsource", "isource"), re.compile(r"\bdc\s*=|\bwave\s*=")),
    **dict.fromkeys(("cccs", "vcvs"), re.compile(r"\bgain\s*=")),
}


def model_names(netlist: str) -> list[str]:
    """Verilog-A models that a netlist loads, without those that come with VACASK.

    Parameters
    ----------
    netlist : str

    Returns
    -------
    list of str

    Raises
    ------
    NetlistError
        If a load names something else than ``NAME.osdi``.
    """
    return _loaded(_logical_lines(netlist))


def check_netlist(netlist: str) -> None:
    """Refuse what VACASK accepts without a word.

    Parameters
    ----------
    netlist : str

    Raises
    ------
    ConfigError
        If the netlist is no text.
    NetlistError
        If the first line, which is the title, may be a statement; if the netlist brings one of
        `RESERVED`, has no instance, one with too few or too many terminals or without a value, or
        a resistor of 0 ohm; if names differ in their case alone, a node looks like ground, or a
        number or an expression is read otherwise than people, or ngspice, do.
    DataError, NetlistError, EngineNotFound
        As `memspice.engines.compiled.model_interface`.
    """
    lines = list(_logical_lines(netlist))
    terminals = _terminals(lines, carried_files(netlist))
    masters = _masters(lines)
    title = netlist.partition("\n")[0]
    _check_title(Line(1, title.strip()), {*masters, *terminals})
    n_instances, names = 0, [_Names()]
    for line in lines:
        word = re.split(r"\W", line.text, maxsplit=1)[0]
        if word in RESERVED:
            raise line.refuse("is not part of a circuit; remove it and use the arguments of run()")
        _check_values(line)
        instance = _INSTANCE.fullmatch(line.text)
        if word == "subckt":
            names.append(_Names())
        elif word == "ends":
            names = names[:1]
        elif instance is not None:
            n_instances += 1
            _check_instance(line, instance, masters, terminals)
            names[-1].add(line, [instance[1], *instance[2].split()])
    if n_instances == 0:
        raise NetlistError(f"the netlist {title!r} has no instance; nothing to simulate")


class _Names:
    """Names of nodes and instances of one subcircuit, or of the circuit."""

    def __init__(self) -> None:
        self._spelled: dict[str, tuple[str, int]] = {}

    def add(self, line: Line, names: Iterable[str]) -> None:
        """Refuse names that look like ground, or like others but for their case."""
        for name in names:
            lower = name.lower()
            if NOT_GROUND.fullmatch(lower) or lower == "gnd":
                raise line.refuse(f"has the node {name!r}, which is not ground; write 0")
            spelled, number = self._spelled.setdefault(lower, (name, line.number))
            if spelled != name:
                raise line.refuse(
                    f"has {name!r}, which to VACASK is another than {spelled!r} of line {number}, "
                    "and to everyone else the same; spell it in one way, or rename it"
                )


def _check_title(line: Line, known: set[str]) -> None:
    first = _INSTANCE.fullmatch(line.text)
    if (first and first[3] in known) or _STATEMENT.match(line.text):
        raise line.refuse(
            "is the title and would be ignored, but it reads like an instance or a statement; put "
            "a title line before it"
        )


def _check_values(line: Line) -> None:
    """Refuse numbers and expressions that VACASK reads otherwise than people, or ngspice."""
    text = re.sub(r'"[^"]*"', '""', line.text)
    if not text.isascii():
        raise line.refuse("holds characters beyond ASCII, which VACASK does not know; remove them")
    for pattern, advice in _TRAPS:
        found = pattern.search(text)
        if found:
            raise line.refuse(f"holds {found[0].strip()!r}: {advice}")


def _check_instance(
    line: Line,
    instance: re.Match[str],
    masters: Mapping[str, str],
    known: Mapping[str, tuple[str, ...]],
) -> None:
    """Refuse a faulty instance; an unknown module is left to VACASK, which names it."""
    module = masters.get(instance[3], instance[3])
    nodes, terminals = instance[2].split(), known.get(module)
    if terminals is not None and len(nodes) != len(terminals):
        raise line.refuse(
            f"has {len(nodes)} nodes where {module} has {len(terminals)} terminals "
            f"({' '.join(terminals)}; VACASK leaves missing ones open); name one node for each"
        )
    if "time" in nodes:
        raise line.refuse("has a node called 'time', as the waveforms call their times; rename it")
    if module in _NEEDED and not _NEEDED[module].search(instance[4]):
        raise line.refuse("has no value (VACASK would make one up); write it")
    if module == "resistor" and _ZERO.search(instance[4]):
        raise line.refuse("is a resistor of 0 ohm; merge its two nodes, or use a 0 V source")


def _loaded(lines: Iterable[Line]) -> list[str]:
    names = []
    for line in lines:
        load = _LOAD.match(line.text)
        if load is None:
            continue
        if load[1].removesuffix(".osdi") in TRANSISTORS.values():
            continue
        name = re.fullmatch(r"(\w+)\.osdi", load[1])
        if name is None:
            raise line.refuse(
                'loads no model of memspice; write load "NAME.osdi" of a model models/NAME.va, '
                "without a folder: memspice compiles it"
            )
        if name[1] not in BUILT_IN:
            names.append(name[1])
    return names


def _masters(lines: Sequence[Line]) -> dict[str, str]:
    """Module of each model name."""
    return {found[1]: found[2] for line in lines if (found := _MODEL.match(line.text))}


def _terminals(lines: Sequence[Line], own: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Terminals of each module and subcircuit, in their order."""
    known: dict[str, tuple[str, ...]] = dict.fromkeys(BUILT_IN, ("plus", "minus"))
    known["vcvs"] = ("plus", "minus", "plus_of_control", "minus_of_control")
    # transistors of a process stand in subcircuits, whose headers say as much
    models = [name for name in _loaded(lines) if name not in PROCESS_MODELS]
    known |= {name: model_interface(name, own).terminals for name in models}
    headers = (_SUBCKT.match(line.text) for line in lines)
    return known | {header[1]: tuple(header[2].split()) for header in headers if header}


def _logical_lines(netlist: str) -> Iterator[Line]:
    """Lines below the title with their number, continued ones joined, comments and blanks not."""
    start, joined = 0, ""
    for number, raw in enumerate(physical_lines(netlist)[1:], start=2):
        line = raw.partition("//")[0].strip()
        start = start if joined else number
        joined = f"{joined} {line}".strip()
        if joined.endswith("\\"):
            joined = joined[:-1].rstrip() + " "
        elif joined.count("(") > joined.count(")") or joined.count("[") > joined.count("]"):
            continue  # VACASK reads on within brackets
        else:
            if joined:
                yield Line(start, joined)
            joined = ""
    if joined.strip():
        yield Line(start, joined.strip())
