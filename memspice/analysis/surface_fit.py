"""Polynomials through what a sense stage did on its bench: the numbers of its surface."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from memspice.circuits.sense_bench import SenseCycles
from memspice.circuits.sense_surface import Bent, SenseSurface, SurfaceError, fit_surface
from memspice.circuits.surface_axes import SurfaceAxes


@dataclass(frozen=True, eq=False)
class BenchCurrents:
    """Currents (cycles, 2) [A] of one run, and the conductances [S] of both lines.

    Of a run that is fitted every second cycle counts, which has the currents of the one before.
    """

    currents: np.ndarray
    conductances: tuple[float, float]


#: Runs and what came of them.
Measured = list[tuple[BenchCurrents, SenseCycles]]


def flat_surface(
    axes: SurfaceAxes, conductances: tuple[float, float], grid: Measured
) -> SenseSurface:
    """Surface for lines of the mean conductance; what is not fitted, is 0.

    Parameters
    ----------
    axes : SurfaceAxes
        Coordinates of the currents.
    conductances : tuple of float, [S]
        Range of conductances.
    grid : Measured
        At the mean conductance.
    """
    points, values = _values(grid)
    none = np.zeros((2, 2, 1, 1))
    drive, energy, relief = (Bent(fit_surface(axes, points, v, axes.degree), none) for v in values)
    return SenseSurface(
        axes=axes,
        conductances=conductances,
        drive=drive,
        energy=energy,
        relief=relief,
        drift=0.0,
        memory=0.0,
        droop=max(float(np.abs(cycles.droop).max()) for _, cycles in grid),
        error=SurfaceError(
            points=0,
            drive_worst=0.0,
            drive_rms=0.0,
            energy_worst=0.0,
            energy_rms=0.0,
            relief_worst=0.0,
        ),
    )


def with_bends(surface: SenseSurface, tilted: list[list[Measured]]) -> SenseSurface:
    """Surface with what other conductances change.

    Parameters
    ----------
    surface : SenseSurface
        For the mean conductance.
    tilted : list of list of Measured
        By line, at the lower and the upper end of its conductance.
    """
    bends = np.stack([_bends(surface, ends) for ends in tilted], axis=1)
    drive, energy, relief = (
        replace(flat, bends=own)
        for flat, own in zip((surface.drive, surface.energy, surface.relief), bends, strict=True)
    )
    return replace(surface, drive=drive, energy=energy, relief=relief)


def _bends(surface: SenseSurface, ends: list[Measured]) -> np.ndarray:
    """Coefficients of slope and curvature of all quantities in one line's conductance."""
    changes = []
    for measured in ends:
        points, values = _values(measured)
        usual = np.full_like(points, sum(surface.conductances) / 2)
        apart = values - _of(surface, points, usual)
        degree = len(measured) - 1, len(points) // len(measured) - 1
        changes.append([fit_surface(surface.axes, points, each, degree) for each in apart])
    low, high = np.array(changes)
    return np.stack([(high - low) / 2, (high + low) / 2], axis=1)


def surface_error(surface: SenseSurface, others: Measured) -> SurfaceError:
    """How far a surface is from runs that it was not made from."""
    points, values = _values(others)
    conductances = np.concatenate(
        [np.tile(deck.conductances, (len(deck.currents) // 2, 1)) for deck, _ in others]
    )
    drive, energy, relief = _of(surface, points, conductances) - values
    relative = energy / values[1]
    return SurfaceError(
        points=len(points),
        drive_worst=_worst(drive),
        drive_rms=_rms(drive),
        energy_worst=_worst(relative),
        energy_rms=_rms(relative),
        relief_worst=_worst(relief),
    )


def _values(measured: Measured) -> tuple[np.ndarray, np.ndarray]:
    """Currents (points, 2) [A]; drive [V], joules and relief [J] of the points, (3, points)."""
    points = np.concatenate([deck.currents[1::2] for deck, _ in measured])
    each = [np.stack([c.drive, c.absorbed, c.relief])[:, 1::2] for _, c in measured]
    return points, np.concatenate(each, axis=-1)


def _of(surface: SenseSurface, points: np.ndarray, conductances: np.ndarray) -> np.ndarray:
    """The same of a surface."""
    where = (points, conductances)
    return np.stack(
        [surface.drive_voltage(*where), surface.joules(*where), surface.relieved(*where)]
    )


def _worst(values: np.ndarray) -> float:
    return float(np.abs(values).max())


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))
