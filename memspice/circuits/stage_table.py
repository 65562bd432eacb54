"""A sense stage of the user's own: what its table says, checked before anything runs.

::

    [sense]
    subcircuit = "my_sense.lib"          # its first subcircuit is the stage
    veriloga = "my_sense.va"             # or this, or both as twins
    process = "freepdk45"                # or "ihp-sg13g2": transistors, where it has some
    corner = "nom"
    temperature = 300.15                 # K, of all transistors of a deck
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
    swing = 0.15                         # V, change of the drive that a last layer may use
    currents = [0.0, 9e-6]               # A, of a line: what the stage is for
    conductances = [30e-6, 150e-6]       # S, of a line, likewise
    pair = 1.7                           # largest ratio of those of two lines
    nodes = 9                            # of its surface, along either line's current
    mismatch = "my_mismatch.toml"        # its transistors', see memspice.circuits.mismatch

In the place of ``nodes`` a stage whose drive bends with the difference of its lines' currents has
``means`` and ``differences``: the nodes themselves along both, in A; ``balance``: for each mean the
difference from which the others count, about where the drive is in its middle; and ``bears``:
between what currents of a line, wider than ``currents``, it can be measured.  ``bias = "vrest"``
names a supply that moves the drive as a whole, one to one, in the place of an ideal source between
stage and neuron; ``rest``, the drive at equal currents in V, is then the bias voltage of all
layers, and rows make up for the rest of their biases.  ``output`` is the resistance of the drive,
in ohm, for the current of a device that has switched; joules of neuron and stage know it.

A stage for bursts makes a drive of several row pulses, one a cycle, and holds it through as many
cycles.  It has ``pulses = 8`` and may have two more tables of clocks: ``once``, from the begin of
the first row pulse's cycle, and ``held``, in every cycle in which neurons are written::

    once = { start = [[2e-9, 18e-9]] }
    held = { write = [[1e-9, 125e-9]] }
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from memspice.circuits.blocks.subcircuit import SubcircuitSense
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import ROOM
from memspice.circuits.mismatch import read_mismatch
from memspice.circuits.own_circuit import NEEDED, OPTIONAL, read_circuit
from memspice.circuits.own_table import OwnTable
from memspice.circuits.own_terminals import GROUND
from memspice.circuits.sense_bench import DRIVE, MINUS, PLUS, ClockedStage
from memspice.circuits.surface_axes import DifferenceAxes, LineAxes, SurfaceAxes, spread
from memspice.errors import ConfigError, DataError

#: What cards of transistors are made for, -55 to 125 C, [K].
COLDEST, HOTTEST = 218.15, 398.15
_NEEDED = (
    *("line_level", "rows", "line_capacitance", "load"),
    *("warm_up", "gain", "swing", "currents", "conductances", "pair"),
)
_BENT = ("means", "differences", "balance", "bears")
_NODES = ("nodes", *_BENT)
_MISMATCH = "mismatch"
_BURST = ("pulses", "once", "held")
_BIAS, _REST, _OUTPUT, _TEMPERATURE = "bias", "rest", "output", "temperature"
_CONTRACT = {
    PLUS: "is the bit line of G+",
    MINUS: "that of G-",
    DRIVE: "the write voltage",
}


def read_sense(
    entries: Mapping[str, Any], where: Path, area_spread: float = 0.0
) -> SubcircuitSense:
    """Sense stages of a parameter set by its table ``[sense]``; see `read_stage`.

    What its transistors do is read only where they differ, by ``area_spread`` [V m].
    """
    stage, table = read_stage(entries, where), OwnTable("sense", entries, where)
    gain, swing = table.number("gain"), table.number("swing")
    currents, conductances = table.interval("currents"), table.interval("conductances")
    if gain == 0 or not currents[0] < currents[1]:
        raise ConfigError(f"{where}: sense.gain must not be 0, and sense.currents must rise")
    if not 0 < conductances[0] <= conductances[1]:
        raise ConfigError(f"{where}: sense.conductances must be above 0 and rise")
    axes, pair = _axes(table, currents), table.number("pair")
    mismatch = None
    if area_spread and _MISMATCH in entries and stage.library:
        mismatch = read_mismatch(table.path(_MISMATCH), stage.library)
    if stage.bias is None and _REST in entries:
        raise ConfigError(
            f"{table.place(_REST)} is where a stage with a bias line rests, and this has none: say "
            f"{_BIAS!r}, or leave it out"
        )
    rest = None if stage.bias is None else table.number(_REST)
    return SubcircuitSense(
        stage,
        gain,
        swing,
        axes,
        conductances,
        pair=pair,
        rest=rest,
        mismatch=mismatch,
        area_spread=area_spread,
    )


def _axes(table: OwnTable, currents: tuple[float, float]) -> SurfaceAxes:
    """Coordinates of the surface by the entries that name its nodes."""
    named = [entry for entry in _NODES if entry in table.entries]
    if named == ["nodes"]:
        nodes = spread(currents, table.count("nodes"))
        return LineAxes(currents, (nodes, nodes))
    if named == [*_BENT]:
        means, differences, balance = (table.row(name) for name in _BENT[:3])
        return DifferenceAxes(currents, (means, differences), balance, table.interval("bears"))
    raise DataError(f"{table.file}: [sense] needs 'nodes', or all of {', '.join(_BENT)}")


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
    optional = (*OPTIONAL, *_NODES, *_BURST, _BIAS, _REST, _OUTPUT, _TEMPERATURE, _MISMATCH)
    table.check((*NEEDED, *_NEEDED), optional)
    once, held = table.clocks("once"), table.clocks("held")
    circuit = read_circuit(table, _CONTRACT, (*once, *held))
    _check_burst(table, {**once, **held}, circuit.terminals)
    bias = table.entries.get(_BIAS)
    if bias is not None and bias not in circuit.supplies:
        known = ", ".join(circuit.supplies)
        raise ConfigError(f"{table.place(_BIAS)} = {bias!r} is none of its supplies: {known}")
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
        pulses=table.count("pulses", 1),
        once=once,
        held=held,
        bias=bias,
        output=table.number(_OUTPUT, 0.0),
        temperature=_temperature(table),
    )


def _temperature(table: OwnTable) -> float:
    """Temperature of the transistors, [K]."""
    temperature = table.number(_TEMPERATURE, ROOM)
    if not COLDEST <= temperature <= HOTTEST:
        raise ConfigError(
            f"{table.place(_TEMPERATURE)} = {temperature:g} K: transistor cards are for "
            f"{COLDEST:g} to {HOTTEST:g} K; kelvins are Celsius and 273.15"
        )
    return temperature


def _check_burst(table: OwnTable, clocks: Mapping[str, Clock], terminals: Sequence[str]) -> None:
    """Refuse clocks of bursts without a terminal or a burst, and a burst of no pulses."""
    if table.count("pulses", 1) < 1:
        raise ConfigError(f"{table.place('pulses')} must be 1 or more")
    for name in clocks:
        if name not in terminals:
            raise ConfigError(f"{table.file}: [sense] has a clock {name!r}, but no such terminal")
    if clocks and table.count("pulses", 1) == 1:
        raise ConfigError(
            f"{table.file}: [sense] has clocks of a burst; say of how many `pulses`, 2 or more"
        )
