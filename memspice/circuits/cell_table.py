"""A synapse of the user's own: what its table says, checked before anything runs.

::

    [cell]
    subcircuit = "my_cell.lib"           # or veriloga = "my_cell.va", or both as twins
    terminals = ["word", "bit"]          # in the order of the circuit; vss is ground
    range = [-0.2, 0.2]                  # V over the cell in which it is used, and measured
    parameters = { v0 = 0.25 }           # of the circuit, besides its conductance
    label = "A"
    source = "assumed for this example"

The circuit has a parameter ``conductance`` [S], which is each cell's own, and no memory: what flows
depends on the voltage alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memspice.circuits.blocks.own_cell import CONDUCTANCE, CONTRACT, OwnCell
from memspice.circuits.own_circuit import NEEDED, OPTIONAL, read_circuit
from memspice.circuits.own_table import OwnTable
from memspice.errors import ConfigError


def read_cell(entries: Mapping[str, Any], where: Path) -> OwnCell:
    """Synapse of a parameter set by its table ``[cell]``; it is not measured yet.

    Parameters
    ----------
    entries : mapping
        As the TOML file has it.
    where : Path
        That file; the circuit's files are beside it.

    Raises
    ------
    DataError
        If an entry is missing, unknown or of the wrong kind.
    ConfigError, NetlistError
        As `memspice.circuits.own_circuit.read_circuit`; if the circuit has a supply or a clock, or
        no conductance of its own, or the range does not hold 0 V.
    """
    table = OwnTable("cell", entries, where)
    table.check((*NEEDED, "range", "label", "source"), OPTIONAL)
    circuit, limits = read_circuit(table, CONTRACT), table.interval("range")
    for name in (*circuit.supplies, *circuit.clocks):
        raise ConfigError(f"{where}: a cell of a crossbar has no supply or clock {name!r}")
    if CONDUCTANCE not in circuit.declared or CONDUCTANCE in circuit.parameters:
        raise ConfigError(
            f"{where}: the circuit {circuit.name} of [cell] needs a parameter {CONDUCTANCE!r} in "
            "siemens, which is each cell's own and stands not in cell.parameters"
        )
    if not limits[0] < 0 < limits[1]:
        raise ConfigError(f"{table.place('range')} = {list(limits)} V must hold 0 V: [low, high]")
    return OwnCell(circuit, limits)
