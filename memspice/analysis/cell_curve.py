"""A synapse of the user's own measured in SPICE: current against voltage and conductance.

Cells of several conductances stand under a voltage that rises slowly through their range and falls
again.  A cell that has another current on the way back has a memory, or charges that count, and is
none of a crossbar that is read; so has one that bends too much between the points.
"""

from __future__ import annotations

import threading
from functools import partial

import numpy as np

from memspice.circuits.blocks.synapse import MeasurableCell
from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.circuits.measured_cell import CellTable
from memspice.circuits.spice import SubCircuit
from memspice.engines.base import SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, IncompleteResults
from memspice.jobs import EngineRequest, Entry, Failure, Runner, Simulation

#: Points of a table: conductances, and voltages on either side of 0.
CELLS, VOLTS = 7, 20
#: Way through the range and back, [s]: so slow that charges do not count.
RAMP = 2e-3
#: Relative difference of a current by its history, and from the table between its points, above
#: which a cell is refused: a fifth of what a hazard integral may be off.
MOST = 2e-3
#: Beyond the range of conductances, for spread and drift.
ROOM = 2.0


def measure_cell(
    cell: MeasurableCell, conductances: tuple[float, float], runner: Runner
) -> MeasurableCell:
    """Cell with its table; results are kept in the cache of the runner.

    Parameters
    ----------
    cell : MeasurableCell
        That is unmeasured.
    conductances : tuple of float, [S]
        Least and largest of the crossbar.
    runner : Runner
        With an engine that can run it.

    Raises
    ------
    ConfigError
        If the current depends on the history, or bends too much between the points.
    IncompleteResults
        If the engine failed.
    """
    low, high = conductances
    cells = np.geomspace(low / ROOM, high * ROOM, 2 * CELLS - 1)
    volts = _voltages(*cell.range)
    there, back = _currents(cell, cells, volts, runner)
    share = there / (cells[:, None] * volts)
    _refuse(cell, cells, volts, np.abs(back / there - 1), "differs by its history")
    table = CellTable(volts[::2], cells[::2], share[::2, ::2], 0.0)
    apart = np.abs(table.at(volts, cells[:, None]) / share - 1)
    _refuse(cell, cells, volts, apart, "bends so much that its table is off")
    return cell.with_table(
        CellTable(table.voltage, table.conductance, table.share, float(apart.max()))
    )


def _voltages(low: float, high: float) -> np.ndarray:
    """Odd number of voltages from one end to the other, none 0."""
    count = 4 * VOLTS + 1
    volts = np.linspace(low, high, count)
    return np.where(np.abs(volts) < 1e-3 * (high - low) / count, volts[1] - volts[0], volts)


def _refuse(
    cell: MeasurableCell, cells: np.ndarray, volts: np.ndarray, apart: np.ndarray, what: str
) -> None:
    if np.isfinite(apart).all() and apart.max() <= MOST:
        return
    k, m = np.unravel_index(int(np.argmax(np.nan_to_num(apart, nan=np.inf))), apart.shape)
    raise ConfigError(
        f"the current of the cell {cell.circuit.name} {what}: by "
        f"{apart[k, m]:.2%} at {volts[m]:.3g} V and {cells[k]:.3g} S, and {MOST:.1%} are allowed; "
        "a cell of a crossbar that is read is a curve, smooth in its voltage"
    )


def _currents(
    cell: MeasurableCell, cells: np.ndarray, volts: np.ndarray, runner: Runner
) -> tuple[np.ndarray, np.ndarray]:
    """Currents (cells, volts) [A] on the way there, and on the way back."""
    low, high = cell.range
    corners = ((0.0, low), (RAMP / 2, high), (RAMP, low))
    deck = Deck("memspice cell bench", "Cells of several conductances under a slow ramp")
    cell.define(deck)
    holder = SubCircuit("cells", "word", *(f"bit{k}" for k in range(len(cells))))
    for k, conductance in enumerate(cells.tolist()):
        cell.add(holder, f"0_{k}", ("word", f"bit{k}"), "0", conductance)
    deck.subcircuit("One cell of each conductance", holder)
    circuit = deck.section("The ramp, and an ammeter behind each cell")
    circuit.V("ramp", "ramp", circuit.gnd, PieceWiseLinear(corners))
    names = [f"meter{k}" for k in range(len(cells))]
    for name in names:
        circuit.V(name, name, circuit.gnd, 0.0)
    circuit.X("cells", "cells", "ramp", *names)
    request = EngineRequest(
        runner.engine.write(deck),
        Transient(RAMP, RAMP / (4 * len(volts))),
        tuple(f"i(v{name})" for name in names),
        SolverOptions(reltol=1e-6, abstol=1e-15),
    )
    times = RAMP / 2 * (volts - low) / (high - low)
    simulation = Simulation(
        name=deck.title,
        request=request,
        identity=("own cell", cells, volts),
        evaluate=partial(_sampled, names, np.stack([times, RAMP - times])),
        codec=_CurrentsCodec(),
    )
    found = runner.run(simulation, threading.Event())
    if isinstance(found, Failure):
        raise IncompleteResults(
            f"the cell could not be simulated, after {found.attempts} attempts: {found.reason}"
        )
    return found[0], found[1]


def _sampled(names: list[str], times: np.ndarray, waves: Waveforms) -> np.ndarray:
    """Currents of ammeters at some times (ways, volts), shape (ways, cells, volts)."""
    each = [waves.current(f"v{name}") for name in names]
    return np.array([[np.interp(way, waves.time, one) for one in each] for way in times])


class _CurrentsCodec:
    """Keeps the currents in the cache of results."""

    def pack(self, currents: np.ndarray) -> Entry:
        return Entry({}, {"currents": currents})

    def unpack(self, entry: Entry) -> np.ndarray:
        return np.asarray(entry.arrays["currents"])
