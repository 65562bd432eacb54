"""What a sense stage did on its bench, made into its surface."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from memspice.circuits.sense_bench import SenseCycles
from memspice.circuits.sense_surface import SenseSurface, Sheet, SurfaceError
from memspice.circuits.surface_axes import SurfaceAxes

#: Step of a slope in a line's current, of the range of currents, [1].
_STEP = 1e-4
#: Steps of Newton's method that find the current which a conductance is like.
_TRIES = 8


@dataclass(frozen=True, eq=False)
class BenchCurrents:
    """One run: what its lines carry and what conductance they have.

    Parameters
    ----------
    points : ndarray, shape (points, 2), [A]
        Of plus and minus line.
    conductances : tuple of float, [S]
        Of both lines.
    unlike : ndarray, shape (points, pulses, 2), [A], optional
        What each row pulse of a drive carries, where that is not the same; its mean is the point.
    repeats : int
        Drives that each point lasts, of which the last counts.  Of only one, the charge that lines
        and wells keep from the point before would count among the joules of a cycle (1.3 % on the
        stage of the tests); over many cycles it cancels.
    """

    points: np.ndarray
    conductances: tuple[float, float]
    unlike: np.ndarray | None = None
    repeats: int = 2

    @property
    def currents(self) -> np.ndarray:
        """Currents of every drive, as `SenseBench` takes them, [A]."""
        return (self.points if self.unlike is None else self.unlike).repeat(self.repeats, axis=0)

    def counted(self, cycles: SenseCycles) -> np.ndarray:
        """Drive, joules, relief and excursion of the points, (points, 4)."""
        quantities = (cycles.drive, cycles.absorbed, cycles.relief, cycles.excursion)
        values = np.stack(quantities, axis=-1)
        return np.asarray(values[self.repeats - 1 :: self.repeats])


#: Runs and what came of them.
Measured = list[tuple[BenchCurrents, SenseCycles]]


def flat_surface(
    axes: SurfaceAxes, conductances: tuple[float, float], pair: float, grid: Measured
) -> SenseSurface:
    """Surface for lines of the mean conductance; what is not measured yet, is 0.

    Parameters
    ----------
    axes : SurfaceAxes
    conductances : tuple of float, [S]
        Range of conductances.
    pair : float, [1]
        Largest ratio of those of two lines.
    grid : Measured
        A run for each row of the axes.
    """
    values = np.stack([deck.counted(cycles) for deck, cycles in grid])
    return SenseSurface(
        axes=axes,
        conductances=conductances,
        pair=pair,
        sheet=Sheet(axes.nodes, values),
        lines=(),
        drift=0.0,
        memory=0.0,
        droop=max(float(np.abs(cycles.droop).max()) for _, cycles in grid),
        sag=max(float(cycles.sag.max()) for _, cycles in grid),
        error=SurfaceError(
            points=0,
            drive_worst=0.0,
            drive_rms=0.0,
            energy_worst=0.0,
            energy_rms=0.0,
            relief_worst=0.0,
        ),
    )


def with_lines(surface: SenseSurface, lines: list[Measured]) -> SenseSurface:
    """Surface with what other conductances change.

    Parameters
    ----------
    surface : SenseSurface
        For the mean conductance.
    lines : list of Measured
        By line, for each of its conductances a run over currents of both lines alike.
    """
    sheets = tuple(_line(surface, number, measured) for number, measured in enumerate(lines))
    return replace(surface, lines=sheets)


def _line(surface: SenseSurface, number: int, measured: Measured) -> Sheet:
    """What a line's conductance changes, over its current and the conductance's logarithm."""
    changes = []
    for deck, cycles in measured:
        found = deck.counted(cycles)
        shift = _shift(surface, deck.points, number, found[:, 0])
        moved = deck.points.copy()
        moved[:, number] += shift
        added = found[:, 1:] - surface.sheet.at(surface.axes.place(moved))[:, 1:]
        changes.append(np.column_stack([shift, added]))
    own = tuple(float(np.log(deck.conductances[number])) for deck, _ in measured)
    currents = tuple(measured[0][0].points[:, number].tolist())
    return Sheet((currents, own), np.stack(changes, axis=1))


def _shift(surface: SenseSurface, points: np.ndarray, number: int, drive: np.ndarray) -> np.ndarray:
    """Current (points,) [A] that, added to one line's, gives a drive (points,) [V]."""
    low, high = surface.axes.limits
    step, shift = _STEP * (high - low), np.zeros(len(points))

    def at(added: np.ndarray) -> np.ndarray:
        moved = points.copy()
        moved[:, number] += added
        return np.asarray(surface.sheet.at(surface.axes.place(moved))[:, 0])

    for _ in range(_TRIES):
        slope = (at(shift + step) - at(shift - step)) / (2 * step)
        shift = shift + (drive - at(shift)) / slope
    return shift


def surface_error(
    surface: SenseSurface, others: Measured, unlike: Measured | None = None
) -> SurfaceError:
    """How far a surface is from runs that it was not made from; others of pulses that differ."""
    found, said = _beside(surface, others)
    drive, energy, relief, _ = (said - found).T
    relative = energy / found[:, 1]
    error = SurfaceError(
        points=len(found),
        drive_worst=_worst(drive),
        drive_rms=_rms(drive),
        energy_worst=_worst(relative),
        energy_rms=_rms(relative),
        relief_worst=_worst(relief),
    )
    if not unlike:
        return error
    found, said = _beside(surface, unlike)
    drive = (said - found)[:, 0]
    return replace(error, unlike_worst=_worst(drive), unlike_rms=_rms(drive))


def _beside(surface: SenseSurface, others: Measured) -> tuple[np.ndarray, np.ndarray]:
    """What was measured in all points of some runs, and what the surface says, (points, 4)."""
    pairs = [
        (deck.counted(cycles), surface.values(deck.points, np.array(deck.conductances)))
        for deck, cycles in others
    ]
    found, said = (np.concatenate(each) for each in zip(*pairs, strict=True))
    return found, said


def _worst(values: np.ndarray) -> float:
    return float(np.abs(values).max())


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))
