"""A neuron of the user's own: what its table says, checked before anything runs.

::

    [neuron]
    veriloga = "my_neuron.va"            # or subcircuit = "my_neuron.lib", or both as twins
    terminals = ["drive", "draw", "hazard", "state", "out", "write", "reset", "clear", "vdd", "vss"]
    supplies = { vdd = 1.8 }             # V; vss is ground
    clocks = { sample = [[1e-9, 22e-9]] }    # high from, to: s after the begin of a cycle
    drive = [0.0, 1.6]                   # V, lowest and highest write voltage, from the electrode
    electrode = -0.6                     # V, common electrode from which it counts; 0 by default
    parameters = { r_on = 1e6 }          # of the circuit
    points = 17                          # write voltages at which it is measured
    label = "A"                          # what its numbers are: M, S, R, D or A, as in other tables
    source = "assumed for this example"  # and where from

Terminals may be ``drive``, ``draw``, ``hazard``, ``state`` and ``out``, which must all be there;
``vss``; supplies and clocks of the table; the pulses ``write``, ``read``, ``strobe``, ``reset`` and
``clear`` of a cycle, 0 to 1 V; ``latch``, which is 1 V while a spike is held; and ``electrode``, a
supply at the level of the common electrode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from memspice.circuits.blocks.own_neuron import CONTRACT, LATCH, PHASES, OwnNeuron
from memspice.circuits.own_circuit import NEEDED, OPTIONAL, read_circuit
from memspice.circuits.own_table import OwnTable
from memspice.errors import ConfigError

#: Points of a curve unless the table says otherwise, and the fewest.
POINTS, FEWEST = 17, 5
#: Supply at the level of the common electrode.
ELECTRODE = "electrode"


def read_neuron(entries: Mapping[str, Any], where: Path) -> OwnNeuron:
    """Neuron of a parameter set by its table ``[neuron]``; it is not measured yet.

    Parameters
    ----------
    entries : mapping
        As the TOML file has it.
    where : Path
        That file; the circuit's files are beside it.

    Returns
    -------
    OwnNeuron

    Raises
    ------
    DataError
        If an entry is missing, unknown or of the wrong kind.
    ConfigError, NetlistError
        As `memspice.circuits.own_circuit.read_circuit`; if the write voltages do not rise.
    """
    table = OwnTable("neuron", entries, where)
    table.check((*NEEDED, "drive", "label", "source"), (*OPTIONAL, "electrode", "points"))
    circuit = read_circuit(table, CONTRACT, (*PHASES, LATCH, ELECTRODE))
    level = table.number("electrode", 0.0)
    if ELECTRODE in circuit.terminals:
        circuit = replace(circuit, supplies={**circuit.supplies, ELECTRODE: level})
    elif level != 0:
        raise ConfigError(
            f"{table.place('electrode')} = {level:g} V needs a terminal {ELECTRODE!r}: the drive "
            "then comes counted from ground, and the circuit takes the electrode from it"
        )
    limits, points = table.interval("drive"), table.count("points", POINTS)
    if not limits[0] < limits[1]:
        raise ConfigError(f"{table.place('drive')} = {list(limits)} V must rise: [lowest, highest]")
    if points < FEWEST:
        raise ConfigError(f"{table.place('points')} = {points} must be at least {FEWEST}")
    return OwnNeuron(circuit, limits, level, points)
