"""The surface of a sense stage: drive and joules over the currents of its two lines.

It stands for a stage without a closed form wherever no circuit is solved;
`memspice.analysis.sense_surface` measures it in SPICE.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy  # its parts are imported when used: no command waits for splines it has not

from memspice.circuits.surface_axes import SurfaceAxes, inside
from memspice.errors import ConfigError

#: Of splines: cubic.
_ORDER = 3


@dataclass(frozen=True)
class SurfaceError:
    """Error of a surface at points that it was not made from, against the circuit.

    ``drive_worst``, ``drive_rms`` are in [V]; ``energy_worst``, ``energy_rms`` relative, [1];
    ``relief_worst`` in [J].  ``unlike_worst``, ``unlike_rms``, in [V], are those of the drive where
    row pulses of a burst differ.
    """

    points: int
    drive_worst: float
    drive_rms: float
    energy_worst: float
    energy_rms: float
    relief_worst: float
    unlike_worst: float = 0.0
    unlike_rms: float = 0.0


@dataclass(frozen=True, eq=False)
class Sheet:
    """Quantities over two coordinates: cubic splines through their values at nodes.

    Parameters
    ----------
    nodes : tuple of tuple of float
        Along both coordinates, 4 at least.
    values : ndarray, shape (first nodes, second nodes, quantities)
    """

    nodes: tuple[tuple[float, ...], tuple[float, ...]]
    values: np.ndarray

    @cached_property
    def _spline(self) -> scipy.interpolate.NdBSpline:
        # knots and coefficients of one coordinate after the other
        interpolation = scipy.interpolate
        first = interpolation.make_interp_spline(self.nodes[0], self.values, k=_ORDER, axis=0)
        second = interpolation.make_interp_spline(self.nodes[1], first.c, k=_ORDER, axis=1)
        coefficients = np.ascontiguousarray(np.moveaxis(second.c, 0, 1))
        return interpolation.NdBSpline((first.t, second.t), coefficients, _ORDER)

    def at(self, place: np.ndarray) -> np.ndarray:
        """Values (..., quantities) at coordinates (..., 2)."""
        return np.asarray(self._spline(place))


@dataclass(frozen=True, eq=False)
class SenseSurface:
    """Drive and joules of a sense stage over the currents and conductances of its two lines.

    A line of another conductance than the one of the sheet acts like another current: the stage
    holds the line not quite at its level, and what is missing flows through the line's cells.

    Parameters
    ----------
    axes : SurfaceAxes
        Coordinates of the currents.
    conductances : tuple of float, [S]
        Range of both lines' conductances.
    pair : float, [1]
        Largest ratio of the conductances of two lines.
    sheet : Sheet
        Effective write voltage [V]; what flows into the stage at all of its terminals in a cycle,
        [J]; by how much less cells and wires of both lines dissipate in a cycle than if the lines
        were at their level all the time that the rows are driven, [J]; and the square of what they
        are off it, integrated over a cycle, [V^2 s].
    lines : tuple of Sheet
        Of plus and minus line, over its current and the logarithm of its conductance: current that
        this is like, [A], and what it adds to the other quantities.  Empty where all are alike.
    drift, memory : float, [V]
        Largest change of the drive between the first two cycles that count, and by what the cycle
        before carried.
    droop : float, [V]
        Largest change of the drive while it acts.
    sag : float, [V]
        By how much the drives of single write pulses differ at most.
    error : SurfaceError
    """

    axes: SurfaceAxes
    conductances: tuple[float, float]
    pair: float
    sheet: Sheet
    lines: tuple[Sheet, ...]
    drift: float
    memory: float
    droop: float
    sag: float
    error: SurfaceError

    @property
    def rest(self) -> float:
        """Drive at equal currents and conductances in the middle of what was measured, [V]."""
        middle, lines = np.full(2, self.axes.middle), np.full(2, self.conductance)
        return float(self.drive_voltage(middle, lines))

    @property
    def conductance(self) -> float:
        """Geometric mean of the range of conductances: that of the sheet, [S]."""
        return middle(self.conductances)

    def drive_voltage(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """Effective write voltage.

        Parameters
        ----------
        currents : ndarray, shape (..., 2), [A]
            Of plus and minus line, as into a short circuit at the line level.
        conductances : ndarray, shape (..., 2), [S]
            Of the lines.

        Returns
        -------
        ndarray, shape (...), [V]

        Raises
        ------
        ConfigError
            If a current or conductance lies outside of its range, or lines differ too much.
        """
        return self.values(currents, conductances)[..., 0]

    def joules(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """Joules a cycle of the stage; arguments, shape and errors as of `drive_voltage`."""
        return self.values(currents, conductances)[..., 1]

    def relieved(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """Joules a cycle that cells do not dissipate; the rest as of `drive_voltage`."""
        return self.values(currents, conductances)[..., 2]

    def excursion(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """Square of what lines are off their level, integrated over a cycle, [V^2 s]; likewise."""
        return self.values(currents, conductances)[..., 3]

    def values(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """All four, (..., 4); the rest as of `drive_voltage`."""
        inner = self.axes.inside(currents)
        own = np.log(inside(self.conductances, conductances, "conductance", "S"))
        apart = float(np.exp(np.abs(own[..., 0] - own[..., 1]).max()))
        if apart > self.pair * (1 + 1e-9):
            raise ConfigError(
                f"the conductances of two lines have a ratio of {apart:.3g}, and the surface of "
                f"the sense stage is for {self.pair:.3g} at most; widen sense.pair"
            )
        shifts, added = np.zeros_like(inner), np.zeros(self.sheet.values.shape[-1] - 1)
        for number, line in enumerate(self.lines):
            change = line.at(np.stack(np.broadcast_arrays(inner, own), axis=-1)[..., number, :])
            shifts[..., number] = change[..., 0]
            added = added + change[..., 1:]
        found = self.sheet.at(self.axes.place(inner + shifts))
        found[..., 1:] += added
        return found


def middle(limits: tuple[float, float]) -> float:
    """Geometric mean of two values above 0."""
    return float(np.sqrt(limits[0] * limits[1]))
