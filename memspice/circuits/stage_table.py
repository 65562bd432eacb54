"""A sense stage of the user's own: what its table says, checked before anything runs.

::

    [sense]
    subcircuit = "my_sense.lib"          # its first subcircuit is the stage
    veriloga = "my_sense.va"             # or this, or both as twins
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

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memspice.circuits.blocks.subcircuit import SubcircuitSense
from memspice.circuits.own_circuit import NEEDED, OPTIONAL, read_circuit
from memspice.circuits.own_table import OwnTable
from memspice.circuits.own_terminals import GROUND
from memspice.circuits.sense_bench import DRIVE, MINUS, PLUS, ClockedStage
from memspice.circuits.surface_axes import LineAxes
from memspice.errors import ConfigError

_NEEDED = (
    *("line_level", "rows", "line_capacitance", "load"),
    *("warm_up", "gain", "rest", "swing", "currents", "nodes"),
)
_CONTRACT = {
    PLUS: "is the bit line of G+",
    MINUS: "that of G-",
    DRIVE: "the write voltage",
}


def read_sense(entries: Mapping[str, Any], where: Path) -> SubcircuitSense:
    """Sense stages of a parameter set by its table ``[sense]``; see `read_stage`."""
    stage, table = read_stage(entries, where), OwnTable("sense", entries, where)
    numbers = {name: table.number(name) for name in ("gain", "rest", "swing")}
    currents, nodes = table.interval("currents"), table.count("nodes")
    if numbers["gain"] == 0 or not currents[0] < currents[1]:
        raise ConfigError(f"{where}: sense.gain must not be 0, and sense.currents must rise")
    return SubcircuitSense(stage, axes=LineAxes(currents, (nodes, nodes)), **numbers)


def read_stage(entries: Mapping[str, Any], where: Path) -> ClockedStage:
    """Circuit of the sense stage of a table ``[sense]``.

    Parameters
    ----------
    entries : mapping
        As the TOML file has it.
    where : Path
        That file; those of the circuit are beside it.

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
        If a circuit cannot be read, or has a node that floats.
    """
    table = OwnTable("sense", entries, where)
    table.check((*NEEDED, *_NEEDED), OPTIONAL)
    circuit = read_circuit(table, _CONTRACT)
    return ClockedStage(
        library=circuit.library,
        subcircuit=circuit.name,
        terminals=tuple("0" if name == GROUND else name for name in circuit.terminals),
        supplies=circuit.supplies,
        clocks=circuit.clocks,
        line_level=table.number("line_level"),
        rows=table.interval("rows"),
        line_capacitance=table.number("line_capacitance"),
        load=table.interval("load"),
        warm_up=table.count("warm_up"),
        parameters=circuit.parameters,
        module=circuit.module,
    )
