"""The surface of the stage of bursts at a corner and a temperature, made from the nominal one.

A stage elsewhere acts like the nominal one on other currents: its drive is where the nominal one
is at a difference of the lines' currents that depends on what both carry, its `balance`, and it
changes by another gain from there.  Balance and gain are simulated; what the surface made of them
is off, at points that none of it was made from, is its error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from benchmarks.burst_corners import corner_stage
from benchmarks.surfaces import shipped_stages
from memspice.analysis.sense_surface import OPTIONS, STEPS, SenseConditions
from memspice.circuits.sense_bench import (
    ClockedStage,
    SenseBench,
    SenseCycles,
    sense_bench_cycles,
    sense_bench_deck,
    sense_bench_signals,
)
from memspice.circuits.sense_surface import SenseSurface, Sheet, SurfaceError
from memspice.circuits.surface_axes import APART, DifferenceAxes
from memspice.engines import find_engine
from memspice.engines.base import Transient

ENGINE, UA = "ngspice", 1e-6
#: Mean currents of both lines at which the balance is found, [A].
MEANS = UA * np.array([0, 0.5, 1.7, 4.5, 8.5, 10.5, 12.5, 14.5, 16.5, 18.2, 20])
#: Means, and differences either way, at which the gain is taken, [A].
GAIN_MEANS, MOVED = UA * np.array([1.7, 4.5, 8.5]), 0.5 * UA
#: Moves of Newton's method that find the balance, and the largest of one, [A].
MOVES, LARGEST = 3, 1.2 * UA
#: Points between the nodes that say what a surface is off, and the mean current up to which they
#: count, [A]: beyond, at 85 C, no difference of a stage's lines brings its drive down.
HELD_OUT, SEED, MOST = 14, 20, 12 * UA


@dataclass(frozen=True, eq=False)
class CornerStage:
    """The stage as a layer has it, at a corner, and what it is measured under."""

    stage: ClockedStage
    conditions: SenseConditions

    def run(self, points: np.ndarray) -> SenseCycles:
        """Simulate a drive of equal pulses for each point (points, 2) [A]."""
        conditions, simulator = self.conditions, find_engine(ENGINE)
        bench = SenseBench(
            self.stage, conditions.cycle, conditions.write, points, conditions.conductances
        )
        waves = simulator.run(
            simulator.write(sense_bench_deck(bench).lumped()),
            Transient(stop=bench.duration, max_step=bench.cycle / STEPS, from_rest=True),
            save=sense_bench_signals(bench),
            options=OPTIONS,
        )
        return sense_bench_cycles(bench, conditions.voltage_scale, waves)


def burst_conditions(corner: str, temperature: float) -> CornerStage:
    """The stage of the periphery at a corner and temperature [K], in front of its neurons."""
    *_, (nominal, conditions) = shipped_stages()
    own = corner_stage(corner, temperature).stage
    stage = replace(
        nominal, library=own.library, supplies=own.supplies, temperature=own.temperature
    )
    return CornerStage(stage, conditions)


def measured_stage(
    own: CornerStage, made: SenseSurface, gain: float, on_done: Callable[[], None]
) -> dict[str, Any]:
    """What a stage does that the nominal one of a gain [ohm] does not; told after each deck.

    Returns
    -------
    dict
        ``balance`` [A] and ``joules``, over those of the nominal stage, at `MEANS`; ``ratio`` of
        the gain; ``sag`` [V]; and beside it ``points``, ``drives``, ``absorbed`` of other points.
    """
    axes = made.axes
    assert isinstance(axes, DifferenceAxes)

    def measured(means: np.ndarray, apart: np.ndarray) -> SenseCycles:
        room = np.abs(apart) / 2
        means = np.clip(means, axes.bears[0] + room, axes.bears[1] - room)
        found = own.run(means[:, None] + apart[:, None] * APART)
        on_done()
        return found

    middle, balance = made.sheet.at(places(MEANS)), 0 * MEANS
    for _ in range(MOVES):
        found = measured(MEANS, balance)
        step = (middle[:, 0] - found.drive) / gain
        balance = balance + np.clip(step, -LARGEST, LARGEST)
    apart = PchipInterpolator(MEANS, balance)(GAIN_MEANS)
    high, low = (measured(GAIN_MEANS, apart + moved).drive for moved in (MOVED, -MOVED))
    known = [made.sheet.at(places(GAIN_MEANS, moved))[:, 0] for moved in (MOVED, -MOVED)]
    others = axes.draw(np.random.default_rng(SEED), HELD_OUT)
    beside = own.run(others)
    on_done()
    return {
        "balance": balance.tolist(),
        "joules": (found.absorbed / middle[:, 1]).tolist(),
        "ratio": float(np.mean(high - low) / np.mean(known[0] - known[1])),
        "sag": float(found.sag.max()),
        "points": others.tolist(),
        "drives": beside.drive.tolist(),
        "absorbed": beside.absorbed.tolist(),
    }


def surface_of(made: SenseSurface, found: Mapping[str, Any]) -> SenseSurface:
    """Surface of a stage by what was measured of it, with its error where most lines are."""
    axes = made.axes
    assert isinstance(axes, DifferenceAxes)
    means = axes.nodes[0]
    balance, joules = (
        PchipInterpolator(MEANS, found[name])(means) for name in ("balance", "joules")
    )
    nodes = means, tuple(value / found["ratio"] for value in axes.nodes[1])
    there = DifferenceAxes(axes.limits, nodes, tuple(balance.tolist()), axes.bears)
    values = made.sheet.values.copy()
    values[..., 1] *= joules[:, None]
    surface = replace(made, axes=there, sheet=Sheet(nodes, values), sag=found["sag"])
    points = np.array(found["points"])
    most = points.mean(axis=-1) < MOST
    said = surface.values(points[most], np.full((int(most.sum()), 2), surface.conductance))
    drive = said[:, 0] - np.array(found["drives"])[most]
    energy = said[:, 1] / np.array(found["absorbed"])[most] - 1
    worst, rms = ([float(f(x)) for x in (drive, energy)] for f in (_worst, _rms))
    return replace(surface, error=SurfaceError(len(drive), worst[0], rms[0], worst[1], rms[1], 0.0))


def _worst(values: np.ndarray) -> float:
    return float(np.abs(values).max())


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


def places(means: np.ndarray, apart: float = 0.0) -> np.ndarray:
    """Coordinates of the nominal surface at means and a difference from the balance, [A]."""
    return np.stack([means, np.full_like(means, apart)], axis=-1)
