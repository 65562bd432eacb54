"""The surface of a sense stage: drive and joules over the currents of its two lines.

It stands for a stage without a closed form wherever no circuit is solved;
`memspice.analysis.sense_surface` measures it in SPICE.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

from memspice.circuits.surface_axes import SurfaceAxes, scaled


@dataclass(frozen=True)
class SurfaceError:
    """Error of a surface at points that it was not made from, against the circuit.

    ``drive_worst``, ``drive_rms`` are in [V]; ``energy_worst``, ``energy_rms`` relative, [1];
    ``relief_worst`` in [J].
    """

    points: int
    drive_worst: float
    drive_rms: float
    energy_worst: float
    energy_rms: float
    relief_worst: float


@dataclass(frozen=True, eq=False)
class Bent:
    """One quantity over the currents of two lines, and what the lines' conductances change of it.

    Parameters
    ----------
    coefficients : ndarray, shape (degree + 1, degree + 1)
        Of Chebyshev polynomials over both coordinates of the currents, at the mean conductance;
        in the unit of the quantity.
    bends : ndarray, shape (2, 2, k, k)
        Those of its slope and curvature in the conductance of the plus line, and of the minus
        line, over half of the range of conductances.
    """

    coefficients: np.ndarray
    bends: np.ndarray

    def at(self, place: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """Values (...) at currents and conductances (..., 2), both over their range, -1 to 1."""
        found = _value(self.coefficients, place)
        for line, (slope, curvature) in enumerate(self.bends):
            off = apart[..., line]
            found = found + off * (_value(slope, place) + off * _value(curvature, place))
        return np.asarray(found)


@dataclass(frozen=True, eq=False)
class SenseSurface:
    """Drive and joules of a sense stage over the currents and conductances of its two lines.

    Parameters
    ----------
    axes : SurfaceAxes
        Coordinates of the currents.
    conductances : tuple of float, [S]
        Range of both lines' conductances.
    drive : Bent, [V]
        Effective write voltage.
    energy : Bent, [J]
        What flows into the stage at all of its terminals in a cycle.
    relief : Bent, [J]
        What cells and wires of both lines dissipate less in a cycle than if the lines were at
        their level all the time that the rows are driven.
    drift, memory : float, [V]
        Largest change of the drive between the first two cycles that count, and by what the cycle
        before carried.
    droop : float, [V]
        Largest change of the drive while it acts.
    error : SurfaceError
    """

    axes: SurfaceAxes
    conductances: tuple[float, float]
    drive: Bent
    energy: Bent
    relief: Bent
    drift: float
    memory: float
    droop: float
    error: SurfaceError

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
            If a current or conductance lies outside of its range.
        """
        return self.drive.at(*self._place(currents, conductances))

    def joules(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """Joules a cycle of the stage; arguments, shape and errors as of `drive_voltage`."""
        return self.energy.at(*self._place(currents, conductances))

    def relieved(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """Joules a cycle that cells do not dissipate; the rest as of `drive_voltage`."""
        return self.relief.at(*self._place(currents, conductances))

    def _place(
        self, currents: np.ndarray, conductances: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return (
            self.axes.place(currents),
            scaled(self.conductances, conductances, "conductance", "S"),
        )


def fit_surface(
    axes: SurfaceAxes, currents: np.ndarray, values: np.ndarray, degree: tuple[int, int]
) -> np.ndarray:
    """Chebyshev coefficients of least squares.

    Parameters
    ----------
    axes : SurfaceAxes
    currents : ndarray, shape (points, 2), [A]
    values : ndarray, shape (points,)
    degree : tuple of int
        In each coordinate.

    Returns
    -------
    ndarray, shape (degree[0] + 1, degree[1] + 1)
    """
    place, (first, second) = axes.place(currents), degree
    matrix = chebyshev.chebvander2d(place[:, 0], place[:, 1], [first, second])
    solved = np.linalg.lstsq(matrix, values, rcond=None)[0]
    return np.asarray(solved.reshape(first + 1, second + 1))


def _value(coefficients: np.ndarray, place: np.ndarray) -> np.ndarray:
    return np.asarray(chebyshev.chebval2d(place[..., 0], place[..., 1], coefficients))
