"""Stages with a current copier, their drives joined: lines of more rows than one stage bears.

A layer of many rows is cut into tiles, and each tile has a stage of its own; what the stages
integrate meets at one drive, so that it follows the sum of all differences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.periphery import CYCLE, FJ, NS, UA, stage
from memspice.analysis.sense_surface import OPTIONS, STEPS
from memspice.circuits.clocks import add_clocks, clock_trains
from memspice.circuits.deck import Deck, pulse_train
from memspice.circuits.sense_bench import DRIVE, MINUS, PLUS, ClockedStage
from memspice.circuits.signals import energy_between, source_power
from memspice.engines import find_engine
from memspice.engines.base import Transient

#: Conductance of a line of a tile: 1.37 mS of conv6 of cifar10-cnn over its ten tiles, [S].
LINE = 137e-6
#: When the drive is looked at, after the begin of a cycle, [s].
LOOK = 30 * NS


@dataclass(frozen=True, eq=False)
class Joined:
    """What joined stages did: drives (points,) [V], joules of all stages (points,) [J]."""

    drive: np.ndarray
    energy: np.ndarray


def joined_deck(own: ClockedStage, currents: np.ndarray) -> Deck:
    """Stages side by side with one drive.

    Parameters
    ----------
    own : ClockedStage
        Each of them.
    currents : ndarray, shape (cycles, stages, 2), [A]
        Of the plus and the minus line of each.
    """
    cycles, count, _ = currents.shape
    deck = Deck(f"memspice bench: {count} joined stages, {cycles} cycles", "One drive for all")
    assert own.library is not None, "a stage of the package has a subcircuit"
    deck.library(own.library)
    rails = deck.section("Supplies and bias lines")
    for name, voltage in own.supplies.items():
        rails.V(name, name, rails.gnd, voltage)
    rails.V("level", "level", rails.gnd, own.line_level)
    add_clocks(deck, clock_trains(own.clocks, CYCLE, cycles))
    circuit = deck.section("Lines, stages, the neuron as a load")
    for number in range(count):
        lines = {PLUS: f"{PLUS}{number}", MINUS: f"{MINUS}{number}"}
        for side, line in enumerate(lines.values()):
            train = pulse_train(own.row_pulse, currents[:, number, side], CYCLE)
            circuit.I(line, "level", line, train)
            circuit.R(line, line, "level", 1 / LINE)
            circuit.C(line, line, circuit.gnd, own.line_capacitance)
        ends = [lines.get(name, name) for name in own.terminals]
        circuit.X(f"stage{number}", own.subcircuit, *ends, **own.parameters)
    circuit.R("load", DRIVE, circuit.gnd, own.load[0])
    circuit.C("load", DRIVE, circuit.gnd, own.load[1])
    return deck


def joined(currents: np.ndarray, capacitance: float = 1.0) -> Joined:
    """Run joined stages; every point for two cycles, of which the second counts.

    Parameters
    ----------
    currents : ndarray, shape (points, stages, 2), [A]
    capacitance : float, [1]
        Factor of the lines'.
    """
    own, engine = stage("sense_copier"), find_engine("ngspice")
    own = replace(own, line_capacitance=capacitance * own.line_capacitance)
    twice = np.concatenate([currents[:1], currents.repeat(2, axis=0)])
    waves = engine.run(
        engine.write(joined_deck(own, twice)),
        Transient(stop=len(twice) * CYCLE, max_step=CYCLE / STEPS, from_rest=True),
        save=[f"v({DRIVE})", *(f"i(v{name})" for name in own.supplies)],
        options=OPTIONS,
    )
    starts = (2 + 2 * np.arange(len(currents))) * CYCLE
    power = sum(source_power(waves, *supply) for supply in own.supplies.items())
    limits = starts[:, None] + (0.0, CYCLE)
    return Joined(
        np.interp(starts + LOOK, waves.time, waves.voltage(DRIVE)),
        energy_between(waves.time, np.asarray(power), limits)[:, 0],
    )


def points(count: int, seed: int = 1) -> np.ndarray:
    """Equal tiles at three differences, then two with tiles of unlike currents, as many in sum.

    Returns
    -------
    ndarray, shape (5, count, 2), [A]
    """
    mean, apart = 3.5 * UA, np.array([0.0, 0.25, -0.25]) * UA
    alike = np.stack([np.full((count, 2), mean) + (d / 2, -d / 2) for d in apart])
    draws = np.random.default_rng(seed).uniform(-1.5, 1.5, (2, count, 2)) * UA
    unlike = alike[:2] + draws - draws.mean(axis=1, keepdims=True)
    return np.concatenate([alike, unlike])


def joined_table() -> Iterator[str]:
    """Lines of the table of one, two and four stages."""
    yield (
        "| stages | gain of the sum of differences, kohm | drive at no difference, V | "
        "unlike tiles, mV | fJ a stage |"
    )
    yield "|---|---|---|---|---|"
    for count in (1, 2, 4):
        found = joined(points(count))
        gain = (found.drive[1] - found.drive[2]) / (0.5 * count * UA)
        off = (found.drive[3:] - found.drive[:2]) / 1e-3
        yield (
            f"| {count} | {gain / 1e3:.1f} | {found.drive[0]:.4f} | "
            f"{off[0]:+.1f}, {off[1]:+.1f} | {found.energy[0] / count / FJ:.0f} |"
        )
