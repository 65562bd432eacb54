"""A sense stage of the user's own: what its table says, checked before anything runs.

::

    [sense]
    subcircuit = "my_sense.lib"          # its first subcircuit is the stage
    process = "freepdk45"                # transistors, where it has some
    corner = "nom"
    terminals = ["plus", "minus", "drive", "enable", "vdd", "vss"]
    supplies = { vdd = 1.0 }             # supplies and bias lines, V; vss is ground
    clocks = { enable = [[1e-9, 22e-9]] }    # high from, to: s after the begin of a cycle
    line_level = 0.3                     # V, what the bit lines are held at
    rows = [1.5e-9, 21.3e-9]             # s, when the rows are driven
    warm_up = 1                          # cycles
    line_capacitance = 30e-15            # F, of each bit line
    load = [1e9, 3e-15]                  # ohm and F of a neuron at the drive
    parameters = { ch = 30e-15 }         # of the subcircuit
    gain = 28e3                          # ohm, drive over a difference of line currents, about
    rest = 0.61                          # V, drive at equal currents, about
    swing = 0.15                         # V, change of the drive that a last layer may use
    currents = [0.0, 9e-6]               # A, of a line: what the stage is for
    nodes = 9                            # Chebyshev nodes an axis of its surface
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from memspice.circuits.blocks.subcircuit import SubcircuitSense
from memspice.circuits.clocks import Clock
from memspice.circuits.floating import floating_nodes
from memspice.circuits.freepdk45 import TransistorCard, transistor_cards
from memspice.circuits.library import Header, Library, read_library
from memspice.circuits.sense_bench import DRIVE, MINUS, PLUS, ClockedStage
from memspice.errors import ConfigError, DataError, NetlistError

#: Terminal that needs no supply: ground.
GROUND = "vss"
PROCESSES = ("freepdk45",)
_NEEDED = (
    *("subcircuit", "terminals", "supplies", "line_level", "rows", "line_capacitance", "load"),
    *("warm_up", "gain", "rest", "swing", "currents", "nodes"),
)
_OPTIONAL = ("process", "corner", "clocks", "parameters", "clock_edge", "clock_level")


def read_sense(table: Mapping[str, Any], where: Path) -> SubcircuitSense:
    """Sense stages of a parameter set by its table ``[sense]``; see `read_stage`."""
    stage = read_stage(table, where)
    numbers = {
        name: _number(table[name], f"{where}: sense.{name}") for name in ("gain", "rest", "swing")
    }
    currents = _interval(table["currents"], f"{where}: sense.currents")
    nodes = _count(table["nodes"], f"{where}: sense.nodes")
    if numbers["gain"] == 0 or not currents[0] < currents[1]:
        raise ConfigError(f"{where}: sense.gain must not be 0, and sense.currents must rise")
    return SubcircuitSense(stage, currents=currents, nodes=nodes, **numbers)


def read_stage(table: Mapping[str, Any], where: Path) -> ClockedStage:
    """Circuit of the sense stage of a table ``[sense]``.

    Parameters
    ----------
    table : mapping
        As the TOML file has it.
    where : Path
        That file; the subcircuit's file is beside it.

    Returns
    -------
    ClockedStage

    Raises
    ------
    DataError
        If an entry is missing, unknown or of the wrong kind.
    ConfigError
        If a terminal is neither a line, the drive, a supply nor a clock, or is missing, or a
        parameter is unknown.
    NetlistError
        If the subcircuit cannot be read, or has a node that floats.
    """
    _check_entries(table, where)
    library = read_library(where.parent / str(table["subcircuit"]), _cards(table, where))
    header = _first(library)
    terminals = _names(table, "terminals", where)
    supplies = _numbers(table, "supplies", where)
    clocks = _clocks(table, where)
    _check_terminals(header, library, terminals, supplies, clocks, where)
    parameters = _numbers(table, "parameters", where)
    _check_parameters(header, library, parameters, where)
    for node, line in floating_nodes(library, header.name):
        raise NetlistError(
            f"{library.origin}, line {line.number}: node {node!r} has no path for a direct current "
            "to ground or to a terminal, so its voltage is undefined; give it one (a large "
            "resistor, a switch)"
        )
    rows = _interval(table["rows"], f"{where}: sense.rows")
    return ClockedStage(
        library=library,
        subcircuit=header.name,
        terminals=tuple("0" if name == GROUND else name for name in terminals),
        supplies=supplies,
        clocks=clocks,
        line_level=_number(table["line_level"], f"{where}: sense.line_level"),
        rows=rows,
        line_capacitance=_number(table["line_capacitance"], f"{where}: sense.line_capacitance"),
        load=_interval(table["load"], f"{where}: sense.load"),
        warm_up=_count(table["warm_up"], f"{where}: sense.warm_up"),
        parameters=parameters,
    )


def _check_entries(table: Mapping[str, Any], where: Path) -> None:
    for name in _NEEDED:
        if name not in table:
            raise DataError(f"{where}: [sense] needs {name!r}")
    for name in table:
        if name not in (*_NEEDED, *_OPTIONAL):
            raise DataError(
                f"{where}: [sense] has the entry {name!r}, which means nothing"
                + _nearest(name, (*_NEEDED, *_OPTIONAL))
            )


def _cards(table: Mapping[str, Any], where: Path) -> Mapping[str, TransistorCard]:
    if "process" not in table:
        return {}
    if table["process"] not in PROCESSES:
        raise DataError(
            f"{where}: sense.process = {table['process']!r} is unknown; use {', '.join(PROCESSES)}"
        )
    return transistor_cards(str(table.get("corner", "nom")))


def _first(library: Library) -> Header:
    if not library.headers:
        raise NetlistError(f"{library.origin} has no .subckt; write the stage as one")
    return next(iter(library.headers.values()))


def _check_terminals(
    header: Header,
    library: Library,
    terminals: Sequence[str],
    supplies: Mapping[str, float],
    clocks: Mapping[str, Clock],
    where: Path,
) -> None:
    place = f"{where}: sense.terminals"
    if len(terminals) != len(header.terminals):
        raise ConfigError(
            f"{place} names {len(terminals)}, but .subckt {header.name} of {library.origin} has "
            f"{len(header.terminals)} ({' '.join(header.terminals)}); name one for each, in its "
            "order"
        )
    for name in (PLUS, MINUS, DRIVE):
        if terminals.count(name) != 1:
            raise ConfigError(
                f"{place} must have {name!r} once: the two bit lines are {PLUS!r} and {MINUS!r}, "
                f"the write voltage {DRIVE!r}"
            )
    known = [PLUS, MINUS, DRIVE, GROUND, *supplies, *clocks]
    for name in terminals:
        if name not in known:
            raise ConfigError(
                f"{place} has {name!r}, which is no supply and no clock: give it a voltage in "
                f"sense.supplies or its edges in sense.clocks" + _nearest(name, known)
            )
    for name in (*supplies, *clocks):
        if name not in terminals:
            raise ConfigError(
                f"{where}: sense has a supply or clock {name!r}, but no terminal of that name"
                + _nearest(name, terminals)
            )
        if name in supplies and name in clocks:
            raise ConfigError(f"{where}: {name!r} is a supply and a clock; remove one")


def _check_parameters(
    header: Header, library: Library, parameters: Mapping[str, float], where: Path
) -> None:
    for name in parameters:
        if name.lower() not in header.parameters:
            known = ", ".join(header.parameters) or "none"
            raise ConfigError(
                f"{where}: sense.parameters.{name} is no parameter of .subckt {header.name} in "
                f"{library.origin} (it has {known})" + _nearest(name, header.parameters)
            )


def _clocks(table: Mapping[str, Any], where: Path) -> dict[str, Clock]:
    edge = _number(table.get("clock_edge", 50e-12), f"{where}: sense.clock_edge")
    level = _number(table.get("clock_level", 1.0), f"{where}: sense.clock_level")
    clocks = {}
    for name, intervals in _table(table, "clocks", where).items():
        place = f"{where}: sense.clocks.{name}"
        if not isinstance(intervals, list) or not intervals:
            raise ConfigError(
                f"{place} is a clock without edges; say when it is high: [[start, stop], ...] in s"
            )
        clocks[name] = Clock(tuple(_interval(part, place) for part in intervals), edge, level)
    return clocks


def _interval(value: Any, place: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise DataError(f"{place}: {value!r} must be two numbers in brackets, [start, stop]")
    return _number(value[0], place), _number(value[1], place)


def _names(table: Mapping[str, Any], entry: str, where: Path) -> list[str]:
    names = table[entry]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(f"{where}: sense.{entry} must be a list of names")
    return [name.lower() for name in names]


def _table(table: Mapping[str, Any], entry: str, where: Path) -> dict[str, Any]:
    values = table.get(entry, {})
    if not isinstance(values, dict):
        raise DataError(f"{where}: sense.{entry} must be a table {{ name = value, ... }}")
    return {name.lower(): value for name, value in values.items()}


def _numbers(table: Mapping[str, Any], entry: str, where: Path) -> dict[str, float]:
    values = _table(table, entry, where)
    return {
        name: _number(value, f"{where}: sense.{entry}.{name}") for name, value in values.items()
    }


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"{place} = {value!r} must be a finite number, in SI units")
    return float(value)


def _count(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise DataError(f"{place} = {value!r} must be a whole number, 0 or more")
    return value


def _nearest(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
